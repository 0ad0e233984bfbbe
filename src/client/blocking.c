/*
 * blocking.c - see duplex/blocking.h: a websocket whose loop turns while a call waits for
 * something.
 */
#include <duplex/blocking.h>

#include "base/sized.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define KEPT_DEFAULT 16777216 /* bytes of messages not yet received, where max_queue is 0 */

#define KEPT_MORE 128 /* what a message takes beside its bytes, about: empty ones count, too */

struct kept {
    struct kept *next;
    struct dx_message *message;
    size_t len; /* with KEPT_MORE */
};

struct dx_blocking {
    struct dx_loop *loop;
    struct dx_websocket *websocket;
    struct dx_websocket_listener listener;
    struct kept *first;
    struct kept *last;
    size_t kept_len;
    size_t max_kept_len;
    bool is_paused;
    bool has_ended;  /* closed for good */
    bool keeps;      /* it has an outbox */
    enum dx_err err; /* that it ended with; DX_OK: a clean close */
    uint16_t code;
    uint32_t ping_number;
    uint32_t pong_number;
    char error[256];
};

/* ---- what comes ---- */

static void note_error(struct dx_blocking *blocking, enum dx_err err, const char *detail)
{
    (void)snprintf(blocking->error, sizeof(blocking->error), "%s",
                   detail != NULL ? detail : dx_err_text(err));
}

static bool keep(struct dx_blocking *blocking, struct dx_message *message)
{
    struct kept *kept = malloc(sizeof(*kept));

    if (kept == NULL)
        return false;
    *kept = (struct kept){.message = dx_message_keep(message)};
    if (kept->message == NULL) {
        free(kept);
        return false;
    }
    (void)dx_message_data(message, &kept->len);
    kept->len += KEPT_MORE;
    if (blocking->last != NULL)
        blocking->last->next = kept;
    else
        blocking->first = kept;
    blocking->last = kept;
    blocking->kept_len += kept->len;
    return true;
}

static void on_message(struct dx_websocket *websocket, struct dx_message *message, void *user)
{
    struct dx_blocking *blocking = user;

    if (!keep(blocking, message)) {
        dx_websocket_abort(websocket);
        blocking->err = DX_ERR_NOMEM;
    } else if (blocking->kept_len > blocking->max_kept_len && !blocking->is_paused) {
        blocking->is_paused = true;
        dx_websocket_pause(websocket);
    }
}

static void on_error(struct dx_websocket *websocket, const struct dx_error_event *error, void *user)
{
    struct dx_blocking *blocking = user;

    (void)websocket;
    if (blocking->err == DX_OK)
        blocking->err = error->err;
    note_error(blocking, error->err, error->detail);
}

static void on_close(struct dx_websocket *websocket, const struct dx_close_event *close, void *user)
{
    struct dx_blocking *blocking = user;

    (void)websocket;
    blocking->has_ended = !close->will_reconnect;
    if (blocking->has_ended)
        blocking->code = close->code;
    else
        blocking->err = DX_OK;
}

static void on_pong(struct dx_websocket *websocket, const uint8_t *data, size_t len, void *user)
{
    struct dx_blocking *blocking = user;

    (void)websocket;
    if (len == sizeof(blocking->pong_number))
        memcpy(&blocking->pong_number, data, len);
}

/* ---- waiting ---- */

static uint64_t clock_ms(void)
{
    struct timespec now = {0, 0};

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static int wait_len(const struct dx_blocking *blocking, uint64_t now_ms, uint64_t due_ms)
{
    int wait_ms = dx_loop_timeout_ms(blocking->loop);

    if (due_ms != UINT64_MAX && (wait_ms < 0 || (uint64_t)wait_ms > due_ms - now_ms))
        wait_ms = due_ms - now_ms > INT32_MAX ? INT32_MAX : (int)(due_ms - now_ms);
    return wait_ms;
}

/* Turns until `is_so`, or the time is over (DX_ERR_TIMEOUT). */
static enum dx_err wait_until(struct dx_blocking *blocking, uint32_t timeout_ms,
                              bool (*is_so)(const struct dx_blocking *blocking))
{
    uint64_t due_ms = timeout_ms == DX_TIMEOUT_INFINITE ? UINT64_MAX : clock_ms() + timeout_ms;

    for (;;) {
        struct pollfd wake = {.fd = dx_loop_fd(blocking->loop), .events = POLLIN};
        enum dx_err err = dx_loop_dispatch(blocking->loop);
        uint64_t now_ms = clock_ms();

        if (err != DX_OK)
            return err;
        if (is_so(blocking))
            return DX_OK;
        if (now_ms >= due_ms)
            return DX_ERR_TIMEOUT;
        if (poll(&wake, 1, wait_len(blocking, now_ms, due_ms)) < 0 && errno != EINTR)
            return DX_ERR_SYSTEM;
    }
}

/* The loop has work to do, and this thread runs it. */
static enum dx_err turn(struct dx_blocking *blocking)
{
    return dx_loop_dispatch(blocking->loop);
}

static enum dx_err end_of(const struct dx_blocking *blocking)
{
    return blocking->err != DX_OK ? blocking->err : DX_ERR_CLOSED;
}

/* ---- life ---- */

static bool is_open_or_ended(const struct dx_blocking *blocking)
{
    return blocking->has_ended ||
           dx_websocket_ready_state(blocking->websocket) == DX_READY_STATE_OPEN;
}

static enum dx_err make(struct dx_blocking *blocking, const char *url,
                        const struct dx_websocket_options *options)
{
    enum dx_err err = dx_loop_new(&blocking->loop);

    if (err == DX_OK)
        err = dx_websocket_new(blocking->loop, url, options, &blocking->websocket);
    if (err == DX_OK)
        err = dx_websocket_add_listener(blocking->websocket, &blocking->listener, blocking);
    return err;
}

/* on_chunk would take the messages away from dx_blocking_receive. */
static enum dx_err init(struct dx_blocking *blocking, const struct dx_websocket_options *given)
{
    struct dx_websocket_options options = dx_websocket_options_init();
    struct dx_connection_options connection = dx_connection_options_init_client();
    struct dx_websocket_listener listener = dx_websocket_listener_init();
    enum dx_err err = DX_SIZED_COPY(struct dx_websocket_options, user, &options, given);

    (void)given;
    if (err == DX_OK)
        err =
            DX_SIZED_COPY(struct dx_connection_options, max_queue, &connection, options.connection);
    if (err == DX_OK)
        err = DX_SIZED_COPY(struct dx_websocket_listener, on_request, &listener, options.listener);
    if (err != DX_OK)
        return err;
    blocking->listener = dx_websocket_listener_init();
    blocking->listener.on_message = on_message;
    blocking->listener.on_error = on_error;
    blocking->listener.on_close = on_close;
    blocking->listener.on_pong = on_pong;
    blocking->keeps = options.outbox != NULL;
    blocking->max_kept_len = connection.max_queue > 0 ? connection.max_queue : KEPT_DEFAULT;
    return listener.on_chunk != NULL ? DX_ERR_USAGE : DX_OK;
}

enum dx_err dx_blocking_connect(const char *url, const struct dx_websocket_options *options,
                                uint32_t timeout_ms, struct dx_blocking **blocking, char *why,
                                size_t why_len)
{
    struct dx_blocking *made = calloc(1, sizeof(*made));
    enum dx_err err = made != NULL ? DX_OK : DX_ERR_NOMEM;

    if (err == DX_OK)
        err = init(made, options);
    if (err == DX_OK)
        err = make(made, url, options);
    if (err == DX_OK)
        err = wait_until(made, timeout_ms, is_open_or_ended);
    if (err == DX_OK && made->has_ended)
        err = end_of(made);
    if (err == DX_OK) {
        *blocking = made;
        return DX_OK;
    }
    if (why_len > 0)
        (void)snprintf(why, why_len, "%s",
                       made != NULL && made->error[0] != '\0' ? made->error : dx_err_text(err));
    dx_blocking_free(made);
    return err;
}

static struct dx_message *take_first(struct dx_blocking *blocking)
{
    struct kept *kept = blocking->first;
    struct dx_message *message = kept->message;

    blocking->first = kept->next;
    if (blocking->first == NULL)
        blocking->last = NULL;
    blocking->kept_len -= kept->len;
    free(kept);
    return message;
}

void dx_blocking_free(struct dx_blocking *blocking)
{
    if (blocking == NULL)
        return;
    if (blocking->loop != NULL)
        (void)(turn(blocking) == DX_OK);
    dx_websocket_free(blocking->websocket);
    dx_loop_free(
        blocking->loop); /* which sends what waits, the Close too, as far as it goes at once */
    while (blocking->first != NULL)
        dx_message_drop(take_first(blocking));
    free(blocking);
}

/* ---- messages ---- */

static bool is_sent(const struct dx_blocking *blocking)
{
    return blocking->has_ended || blocking->keeps ||
           dx_websocket_buffered_amount(blocking->websocket) == 0;
}

static bool has_room(const struct dx_blocking *blocking)
{
    size_t limit = blocking->max_kept_len;

    return blocking->has_ended || dx_websocket_buffered_amount(blocking->websocket) < limit / 2;
}

static enum dx_err try_to_send(struct dx_blocking *blocking, enum dx_opcode opcode,
                               const void *data, size_t len)
{
    enum dx_err err = dx_websocket_send(blocking->websocket, opcode, data, len);

    if (err != DX_ERR_QUEUE_FULL || blocking->keeps)
        return err;
    err = wait_until(blocking, DX_TIMEOUT_INFINITE, has_room);
    if (err == DX_OK && !blocking->has_ended)
        err = dx_websocket_send(blocking->websocket, opcode, data, len);
    return err;
}

static enum dx_err send_message(struct dx_blocking *blocking, enum dx_opcode opcode,
                                const void *data, size_t len)
{
    enum dx_err err = turn(blocking);

    /* Where it is being made again, and nothing is kept: until it is open. */
    if (err == DX_OK && !blocking->keeps)
        err = wait_until(blocking, DX_TIMEOUT_INFINITE, is_open_or_ended);
    if (err == DX_OK && blocking->has_ended)
        return end_of(blocking);
    if (err == DX_OK)
        err = try_to_send(blocking, opcode, data, len);
    if (err == DX_OK)
        err = wait_until(blocking, DX_TIMEOUT_INFINITE, is_sent);
    if (err == DX_OK && blocking->has_ended)
        err = end_of(blocking);
    if (err != DX_OK && !blocking->has_ended)
        note_error(blocking, err, NULL);
    return err;
}

enum dx_err dx_blocking_send_text(struct dx_blocking *blocking, const char *text, size_t len)
{
    return send_message(blocking, DX_OP_TEXT, text, len);
}

enum dx_err dx_blocking_send_binary(struct dx_blocking *blocking, const void *data, size_t len)
{
    return send_message(blocking, DX_OP_BINARY, data, len);
}

static bool has_message_or_ended(const struct dx_blocking *blocking)
{
    return blocking->first != NULL || blocking->has_ended;
}

enum dx_err dx_blocking_receive(struct dx_blocking *blocking, uint32_t timeout_ms,
                                struct dx_message **message)
{
    enum dx_err err = wait_until(blocking, timeout_ms, has_message_or_ended);

    if (err != DX_OK) {
        note_error(blocking, err, err == DX_ERR_TIMEOUT ? "no message arrived in time" : NULL);
        return err;
    }
    if (blocking->first == NULL)
        return end_of(blocking);
    *message = take_first(blocking);
    if (blocking->is_paused && blocking->kept_len <= blocking->max_kept_len / 2) {
        blocking->is_paused = false;
        dx_websocket_resume(blocking->websocket);
    }
    return DX_OK;
}

static bool has_pong_or_ended(const struct dx_blocking *blocking)
{
    return blocking->pong_number == blocking->ping_number || blocking->has_ended;
}

enum dx_err dx_blocking_ping(struct dx_blocking *blocking, uint32_t timeout_ms)
{
    enum dx_err err = turn(blocking);

    if (err == DX_OK && blocking->has_ended)
        return end_of(blocking);
    blocking->ping_number++;
    if (err == DX_OK)
        err = dx_websocket_ping(blocking->websocket, &blocking->ping_number,
                                sizeof(blocking->ping_number));
    if (err == DX_OK)
        err = wait_until(blocking, timeout_ms, has_pong_or_ended);
    if (err == DX_OK && blocking->has_ended)
        return end_of(blocking);
    if (err != DX_OK)
        note_error(blocking, err, err == DX_ERR_TIMEOUT ? "no pong arrived in time" : NULL);
    return err;
}

/* ---- the end ---- */

static bool has_ended(const struct dx_blocking *blocking)
{
    return blocking->has_ended;
}

static enum dx_err wait_for_end(struct dx_blocking *blocking, uint32_t timeout_ms)
{
    enum dx_err err = wait_until(blocking, timeout_ms, has_ended);

    if (err == DX_OK)
        return blocking->err;
    dx_websocket_abort(blocking->websocket);
    note_error(blocking, err, err == DX_ERR_TIMEOUT ? "the peer did not close in time" : NULL);
    (void)(turn(blocking) == DX_OK);
    return err;
}

enum dx_err dx_blocking_close(struct dx_blocking *blocking, uint16_t code, const char *reason,
                              size_t reason_len, uint32_t timeout_ms)
{
    enum dx_err err = turn(blocking);
    bool is_waiting = dx_websocket_ready_state(blocking->websocket) == DX_READY_STATE_CLOSED;

    if (err == DX_OK)
        err = dx_websocket_close(blocking->websocket, code, reason, reason_len);
    if (err != DX_OK) {
        note_error(blocking, err, NULL);
        return err;
    }
    if (is_waiting) {
        blocking->has_ended = true; /* between two attempts: nothing comes of it */
        return DX_OK;
    }
    /* The peer's Close comes after messages that were not received yet. */
    if (blocking->is_paused)
        dx_websocket_resume(blocking->websocket);
    blocking->is_paused = false;
    blocking->max_kept_len = SIZE_MAX;
    return wait_for_end(blocking, timeout_ms);
}

/* ---- questions ---- */

enum dx_ready_state dx_blocking_state(const struct dx_blocking *blocking)
{
    return dx_websocket_ready_state(blocking->websocket);
}

uint16_t dx_blocking_close_code(const struct dx_blocking *blocking)
{
    return blocking->code;
}

uint64_t dx_blocking_buffered_amount(const struct dx_blocking *blocking)
{
    return dx_websocket_buffered_amount(blocking->websocket);
}

const char *dx_blocking_error(const struct dx_blocking *blocking)
{
    return blocking->error;
}

struct dx_websocket *dx_blocking_websocket(struct dx_blocking *blocking)
{
    return blocking->websocket;
}
