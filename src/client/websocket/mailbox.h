/*
 * mailbox.h - calls to one websocket from threads that are not its loop's: copied there, and made
 * on the loop's thread in their order.
 *
 * What was accepted is not lost: a message waits here while its owner has no room for it, and
 * further ones are refused once too much waits. What a call does is the owner's matter.
 */
#ifndef DX_CLIENT_MAILBOX_H
#define DX_CLIENT_MAILBOX_H

#include <duplex/frame.h>
#include <duplex/loop.h>

#include <pthread.h>
#include <stdatomic.h>

enum dx_mail_kind { DX_MAIL_MESSAGE, DX_MAIL_FRAGMENT, DX_MAIL_PING, DX_MAIL_CLOSE };

struct dx_mail {
    struct dx_mail *next;
    enum dx_mail_kind kind;
    enum dx_opcode opcode; /* of a message or fragment */
    uint16_t code;         /* of a Close */
    bool is_last;          /* of a fragment */
    size_t len;
    uint8_t bytes[];
};

/* Calls that need no memory and do not queue after messages; one bit each. */
enum dx_mail_word { DX_MAIL_ABORT = 1, DX_MAIL_PAUSE = 2, DX_MAIL_RESUME = 4, DX_MAIL_FULL = 8 };

/* On the loop's thread. None of them may release the mailbox. */
struct dx_mailbox_handlers {
    /* Something was put: heeds the words, then runs the mailbox. */
    void (*on_post)(void *user, unsigned words);
    /* Whether a message or fragment has to wait for room. */
    bool (*must_wait)(void *user, const struct dx_mail *mail);
    void (*on_mail)(void *user, const struct dx_mail *mail);
};

struct dx_mailbox {
    struct dx_loop *loop;
    const struct dx_mailbox_handlers *handlers;
    void *user;
    size_t max_len;
    pthread_mutex_t lock; /* of what follows, up to the blank line */
    struct dx_mail *posted_first;
    struct dx_mail *posted_last;
    unsigned words;
    bool is_posted;           /* on_post is under way */
    bool wants_drain;         /* a thread was refused */
    atomic_bool is_shut;      /* read without the lock */
    atomic_uint_fast64_t len; /* of messages posted and waiting; read without the lock */

    struct dx_mail *waiting_first; /* the loop's thread has them: they wait for room */
    struct dx_mail *waiting_last;
    bool is_running;
};

/** `max_len` bytes of messages may wait; 0: 64 MiB. Returns DX_OK, DX_ERR_SYSTEM. */
DX_MUST_CHECK enum dx_err dx_mailbox_init(struct dx_mailbox *mailbox, struct dx_loop *loop,
                                          size_t max_len,
                                          const struct dx_mailbox_handlers *handlers, void *user);

/** Drops what is in it; no on_post comes any more. On the loop's thread. */
void dx_mailbox_release(struct dx_mailbox *mailbox);

/* ---- any thread ---- */

/**
 * Puts a call, with a copy of the bytes.
 *
 * Returns DX_OK, or:
 *   DX_ERR_QUEUE_FULL   a message, and max_len of them wait; or the loop's queue of posts is full
 *   DX_ERR_NOMEM
 */
DX_MUST_CHECK enum dx_err dx_mailbox_put(struct dx_mailbox *mailbox, const struct dx_mail *mail,
                                         const void *bytes, size_t len);

/**
 * Puts a word in place of `instead_of`; 0 only wakes the owner. Lost where nothing can be posted.
 */
void dx_mailbox_put_word(struct dx_mailbox *mailbox, unsigned word, unsigned instead_of);

/** The last call: the handle was freed. */
void dx_mailbox_shut(struct dx_mailbox *mailbox);

static inline bool dx_mailbox_is_shut(const struct dx_mailbox *mailbox)
{
    return atomic_load_explicit(&mailbox->is_shut, memory_order_acquire);
}

/** Payload bytes of messages that wait here. */
static inline uint64_t dx_mailbox_len(const struct dx_mailbox *mailbox)
{
    return atomic_load_explicit(&mailbox->len, memory_order_acquire);
}

/* ---- the loop's thread ---- */

/** Makes the calls: all of them, or with `may_wait` only as far as there is room for them. */
void dx_mailbox_run(struct dx_mailbox *mailbox, bool may_wait);

/** Whether messages wait for room. */
static inline bool dx_mailbox_is_waiting(const struct dx_mailbox *mailbox)
{
    return mailbox->waiting_first != NULL;
}

/** Whether a thread was refused and nothing waits any more: then on_drain is due, once. */
bool dx_mailbox_take_drain(struct dx_mailbox *mailbox);

/** No on_post comes for what was put until now. */
void dx_mailbox_cancel_post(struct dx_mailbox *mailbox);

#endif
