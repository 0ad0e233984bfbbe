/*
 * mailbox.c - see mailbox.h.
 */
#include "client/websocket/mailbox.h"

#include "net/loop/loop.h"

#include <stdlib.h>
#include <string.h>

#define DEFAULT_MAX_LEN 67108864

enum dx_err dx_mailbox_init(struct dx_mailbox *mailbox, struct dx_loop *loop, size_t max_len,
                            const struct dx_mailbox_handlers *handlers, void *user)
{
    *mailbox = (struct dx_mailbox){.loop = loop,
                                   .handlers = handlers,
                                   .user = user,
                                   .max_len = max_len > 0 ? max_len : DEFAULT_MAX_LEN};
    return pthread_mutex_init(&mailbox->lock, NULL) == 0 ? DX_OK : DX_ERR_SYSTEM;
}

static bool is_message(const struct dx_mail *mail)
{
    return mail->kind == DX_MAIL_MESSAGE || mail->kind == DX_MAIL_FRAGMENT;
}

/* ---- the loop's thread ---- */

static void take_posted(struct dx_mailbox *mailbox)
{
    pthread_mutex_lock(&mailbox->lock);
    if (mailbox->posted_first != NULL) {
        if (mailbox->waiting_last != NULL)
            mailbox->waiting_last->next = mailbox->posted_first;
        else
            mailbox->waiting_first = mailbox->posted_first;
        mailbox->waiting_last = mailbox->posted_last;
        mailbox->posted_first = NULL;
        mailbox->posted_last = NULL;
    }
    pthread_mutex_unlock(&mailbox->lock);
}

static struct dx_mail *take_waiting(struct dx_mailbox *mailbox)
{
    struct dx_mail *mail = mailbox->waiting_first;

    mailbox->waiting_first = mail->next;
    if (mailbox->waiting_first == NULL)
        mailbox->waiting_last = NULL;
    return mail;
}

static void make_first(struct dx_mailbox *mailbox)
{
    struct dx_mail *mail = take_waiting(mailbox);

    mailbox->handlers->on_mail(mailbox->user, mail);
    if (is_message(mail)) {
        /* Afterwards: a reader of the buffered amount may count it twice, but never misses it. */
        pthread_mutex_lock(&mailbox->lock);
        atomic_fetch_sub(&mailbox->len, mail->len);
        pthread_mutex_unlock(&mailbox->lock);
    }
    free(mail);
}

static bool has_to_wait(const struct dx_mailbox *mailbox)
{
    const struct dx_mail *mail = mailbox->waiting_first;

    return is_message(mail) && mailbox->handlers->must_wait(mailbox->user, mail);
}

void dx_mailbox_run(struct dx_mailbox *mailbox, bool may_wait)
{
    take_posted(mailbox);
    if (mailbox->is_running)
        return;
    mailbox->is_running = true;
    while (mailbox->waiting_first != NULL && !(may_wait && has_to_wait(mailbox)))
        make_first(mailbox);
    mailbox->is_running = false;
}

bool dx_mailbox_take_drain(struct dx_mailbox *mailbox)
{
    bool is_due;

    pthread_mutex_lock(&mailbox->lock);
    is_due = mailbox->wants_drain && mailbox->waiting_first == NULL;
    if (is_due)
        mailbox->wants_drain = false;
    pthread_mutex_unlock(&mailbox->lock);
    return is_due;
}

static void on_post(void *data)
{
    struct dx_mailbox *mailbox = data;
    unsigned words;

    pthread_mutex_lock(&mailbox->lock);
    mailbox->is_posted = false;
    words = mailbox->words;
    mailbox->words = 0;
    pthread_mutex_unlock(&mailbox->lock);
    mailbox->handlers->on_post(mailbox->user, words);
}

void dx_mailbox_cancel_post(struct dx_mailbox *mailbox)
{
    /* With the lock: the thread that posts may still be inside. */
    pthread_mutex_lock(&mailbox->lock);
    if (mailbox->is_posted)
        dx_loop_post_cancel(mailbox->loop, mailbox);
    mailbox->is_posted = false;
    pthread_mutex_unlock(&mailbox->lock);
}

void dx_mailbox_release(struct dx_mailbox *mailbox)
{
    dx_mailbox_cancel_post(mailbox);
    take_posted(mailbox);
    while (mailbox->waiting_first != NULL)
        free(take_waiting(mailbox));
    pthread_mutex_destroy(&mailbox->lock);
}

/* ---- any thread ---- */

/* With the lock. */
static enum dx_err wake(struct dx_mailbox *mailbox)
{
    enum dx_err err = DX_OK;

    if (!mailbox->is_posted)
        err = dx_loop_post(mailbox->loop, on_post, mailbox);
    if (err == DX_OK)
        mailbox->is_posted = true;
    return err;
}

static bool has_room(const struct dx_mailbox *mailbox, size_t len)
{
    uint64_t waiting = dx_mailbox_len(mailbox);

    return waiting == 0 || waiting + len <= mailbox->max_len;
}

/* With the lock. */
static enum dx_err append(struct dx_mailbox *mailbox, struct dx_mail *mail)
{
    enum dx_err err;

    if (is_message(mail) && !has_room(mailbox, mail->len)) {
        mailbox->wants_drain = true;
        return DX_ERR_QUEUE_FULL;
    }
    err = wake(mailbox);
    if (err != DX_OK)
        return err;
    if (mailbox->posted_last != NULL)
        mailbox->posted_last->next = mail;
    else
        mailbox->posted_first = mail;
    mailbox->posted_last = mail;
    if (is_message(mail))
        atomic_fetch_add(&mailbox->len, mail->len);
    return DX_OK;
}

enum dx_err dx_mailbox_put(struct dx_mailbox *mailbox, const struct dx_mail *mail,
                           const void *bytes, size_t len)
{
    struct dx_mail *made = malloc(sizeof(*made) + len);
    enum dx_err err;

    if (made == NULL)
        return DX_ERR_NOMEM;
    *made = *mail;
    made->next = NULL;
    made->len = len;
    if (len > 0)
        memcpy(made->bytes, bytes, len);
    pthread_mutex_lock(&mailbox->lock);
    err = append(mailbox, made);
    pthread_mutex_unlock(&mailbox->lock);
    if (err != DX_OK)
        free(made);
    return err;
}

void dx_mailbox_put_word(struct dx_mailbox *mailbox, unsigned word, unsigned instead_of)
{
    pthread_mutex_lock(&mailbox->lock);
    mailbox->words = (mailbox->words & ~instead_of) | word;
    (void)(wake(mailbox) == DX_OK);
    pthread_mutex_unlock(&mailbox->lock);
}

void dx_mailbox_shut(struct dx_mailbox *mailbox)
{
    pthread_mutex_lock(&mailbox->lock);
    atomic_store(&mailbox->is_shut, true);
    (void)(wake(mailbox) == DX_OK); /* where that fails the owner's next event finds is_shut */
    pthread_mutex_unlock(&mailbox->lock);
}
