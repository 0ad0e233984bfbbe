/*
 * websocket_calls.c - the public calls that any thread may make. On the loop's thread they act at
 * once; from others they go through the mailbox, and what is here makes them on the loop's thread.
 */
#include "client/websocket/websocket_parts.h"

/* ---- from the mailbox ---- */

static void pause_here(struct dx_websocket *websocket, bool is_paused)
{
    websocket->is_paused = is_paused;
    if (websocket->connection == NULL)
        return;
    if (is_paused)
        dx_connection_pause(websocket->connection);
    else
        dx_connection_resume(websocket->connection);
}

/* Its caller got DX_OK: a failure here is like a message that the network loses. */
static void on_mail(void *user, const struct dx_mail *mail)
{
    struct dx_websocket *websocket = user;
    enum dx_err err = DX_OK;

    switch (mail->kind) {
    case DX_MAIL_MESSAGE:
        err = dx_websocket_send_here(websocket, mail->opcode, mail->bytes, mail->len, true);
        break;
    case DX_MAIL_FRAGMENT:
        err = dx_websocket_send_fragment_here(websocket, mail->opcode, mail->bytes, mail->len,
                                              mail->is_last, true);
        break;
    case DX_MAIL_PING:
        err = dx_websocket_ping_here(websocket, mail->bytes, mail->len);
        break;
    case DX_MAIL_CLOSE:
        dx_websocket_close_here(websocket, mail->code, (const char *)mail->bytes, mail->len);
        break;
    }
    (void)err;
}

/* For the connection, or for the outbox. */
static bool must_wait(void *user, const struct dx_mail *mail)
{
    const struct dx_websocket *websocket = user;

    if (dx_websocket_life(websocket) != DX_LIFE_OPEN)
        return false;
    if (mail->kind == DX_MAIL_MESSAGE && websocket->settings.options.outbox != NULL)
        return !dx_outbox_has_room(&websocket->outbox, mail->len);
    return dx_connection_is_congested(websocket->connection);
}

static void heed_words(struct dx_websocket *websocket, unsigned words)
{
    if (words & (DX_MAIL_PAUSE | DX_MAIL_RESUME))
        pause_here(websocket, (words & DX_MAIL_PAUSE) != 0);
    if (words & DX_MAIL_FULL)
        dx_websocket_close_full(websocket);
    if (words & DX_MAIL_ABORT)
        dx_websocket_abort_here(websocket);
}

static void on_post(void *user, unsigned words)
{
    struct dx_websocket *websocket = user;

    dx_websocket_enter(websocket);
    heed_words(websocket, words);
    dx_mailbox_run(&websocket->mailbox, true);
    dx_websocket_refresh_amount(websocket);
    if (dx_mailbox_is_shut(&websocket->mailbox))
        dx_websocket_free_here(websocket);
    else if (dx_mailbox_take_drain(&websocket->mailbox))
        dx_websocket_tell_drain(websocket);
    dx_websocket_leave(websocket);
}

const struct dx_mailbox_handlers dx_websocket_mailbox_handlers = {
    .on_post = on_post, .must_wait = must_wait, .on_mail = on_mail};

/* ---- send and close ---- */

static bool is_message(enum dx_opcode opcode)
{
    return opcode == DX_OP_TEXT || opcode == DX_OP_BINARY;
}

static enum dx_err post_message(struct dx_websocket *websocket, const struct dx_mail *mail,
                                const void *data, size_t len)
{
    enum dx_err err = dx_mailbox_put(&websocket->mailbox, mail, data, len);

    if (err == DX_ERR_QUEUE_FULL && websocket->settings.options.strict_browser)
        dx_mailbox_put_word(&websocket->mailbox, DX_MAIL_FULL, 0);
    return err;
}

enum dx_err dx_websocket_send(struct dx_websocket *websocket, enum dx_opcode opcode,
                              const void *data, size_t len)
{
    struct dx_mail mail = {.kind = DX_MAIL_MESSAGE, .opcode = opcode};

    if (!is_message(opcode))
        return DX_ERR_USAGE;
    if (opcode == DX_OP_TEXT && !dx_utf8_is_valid(data, len))
        return DX_ERR_UTF8;
    if (dx_loop_is_here(websocket->loop))
        return dx_websocket_send_here(websocket, opcode, data, len, false);
    if (dx_websocket_life(websocket) == DX_LIFE_CONNECTING &&
        websocket->settings.options.outbox == NULL)
        return DX_ERR_STATE;
    return post_message(websocket, &mail, data, len);
}

enum dx_err dx_websocket_send_fragment(struct dx_websocket *websocket, enum dx_opcode opcode,
                                       const void *data, size_t len, bool is_last)
{
    struct dx_mail mail = {.kind = DX_MAIL_FRAGMENT, .opcode = opcode, .is_last = is_last};

    if (!is_message(opcode))
        return DX_ERR_USAGE;
    if (dx_loop_is_here(websocket->loop))
        return dx_websocket_send_fragment_here(websocket, opcode, data, len, is_last, false);
    if (dx_websocket_life(websocket) != DX_LIFE_OPEN)
        return DX_ERR_STATE;
    return post_message(websocket, &mail, data, len);
}

enum dx_err dx_websocket_ping(struct dx_websocket *websocket, const void *data, size_t len)
{
    struct dx_mail mail = {.kind = DX_MAIL_PING};

    if (len > DX_CONTROL_MAX)
        return DX_ERR_USAGE;
    if (dx_loop_is_here(websocket->loop))
        return dx_websocket_ping_here(websocket, data, len);
    if (dx_websocket_life(websocket) != DX_LIFE_OPEN)
        return DX_ERR_STATE;
    return dx_mailbox_put(&websocket->mailbox, &mail, data, len);
}

enum dx_err dx_websocket_close(struct dx_websocket *websocket, uint16_t code, const char *reason,
                               size_t reason_len)
{
    struct dx_mail mail = {.kind = DX_MAIL_CLOSE, .code = code};

    if (code != 0 && code != DX_CLOSE_NORMAL && (code < 3000 || code > 4999))
        return DX_ERR_USAGE;
    if (reason_len > DX_CLOSE_REASON_MAX)
        return DX_ERR_TOO_BIG;
    if (!dx_utf8_is_valid(reason, reason_len))
        return DX_ERR_UTF8;
    if (code == 0 && reason_len > 0)
        mail.code = DX_CLOSE_NORMAL; /* a reason needs a code before it */
    if (!dx_loop_is_here(websocket->loop))
        return dx_mailbox_put(&websocket->mailbox, &mail, reason, reason_len);
    dx_websocket_close_here(websocket, mail.code, reason, reason_len);
    return DX_OK;
}

/* ---- the calls that cannot fail ---- */

void dx_websocket_abort(struct dx_websocket *websocket)
{
    if (dx_loop_is_here(websocket->loop))
        dx_websocket_abort_here(websocket);
    else
        dx_mailbox_put_word(&websocket->mailbox, DX_MAIL_ABORT, 0);
}

void dx_websocket_pause(struct dx_websocket *websocket)
{
    if (dx_loop_is_here(websocket->loop))
        pause_here(websocket, true);
    else
        dx_mailbox_put_word(&websocket->mailbox, DX_MAIL_PAUSE, DX_MAIL_RESUME);
}

void dx_websocket_resume(struct dx_websocket *websocket)
{
    if (dx_loop_is_here(websocket->loop))
        pause_here(websocket, false);
    else
        dx_mailbox_put_word(&websocket->mailbox, DX_MAIL_RESUME, DX_MAIL_PAUSE);
}

uint64_t dx_websocket_buffered_amount(struct dx_websocket *websocket)
{
    uint64_t posted_len;

    if (dx_loop_is_here(websocket->loop))
        dx_websocket_refresh_amount(websocket);
    else
        dx_mailbox_put_word(&websocket->mailbox, 0, 0); /* on_post refreshes it */
    posted_len = dx_mailbox_len(&websocket->mailbox);   /* first: see amount.c */
    return posted_len + dx_amount_len(&websocket->amount);
}

enum dx_ready_state dx_websocket_ready_state(const struct dx_websocket *websocket)
{
    switch (dx_websocket_life(websocket)) {
    case DX_LIFE_CONNECTING:
        return DX_READY_STATE_CONNECTING;
    case DX_LIFE_OPEN:
        return DX_READY_STATE_OPEN;
    case DX_LIFE_CLOSING:
    case DX_LIFE_LEAVING:
        return DX_READY_STATE_CLOSING;
    case DX_LIFE_WAITING:
    case DX_LIFE_ENDED:
    case DX_LIFE_GONE:
        break;
    }
    return DX_READY_STATE_CLOSED;
}

void dx_websocket_free(struct dx_websocket *websocket)
{
    if (websocket == NULL)
        return;
    if (dx_loop_is_here(websocket->loop))
        dx_websocket_free_here(websocket);
    else
        dx_mailbox_shut(&websocket->mailbox);
}
