/*
 * websocket_parts.h - what a websocket is made of; for websocket*.c only.
 *
 * Each file uses only those above it, and the objects of this folder, which know no websocket:
 *
 * websocket_life.c       its life, its memory, what comes at a turn's end
 * websocket_events.c     the listeners
 * websocket_outbox.c     the outbox at work, and the Close that comes after it
 * websocket_send.c       messages out
 * websocket_ending.c     how an attempt, a connection and the websocket end
 * websocket_handlers.c   what the connection reports
 * websocket_opening.c    opening and trying again
 * websocket_calls.c      the public calls that any thread may make
 * websocket.c            new, and attributes
 */
#ifndef DX_CLIENT_WEBSOCKET_PARTS_H
#define DX_CLIENT_WEBSOCKET_PARTS_H

#include "base/container.h"
#include "client/connector/connector.h"
#include "client/websocket/amount.h"
#include "client/websocket/beat.h"
#include "client/websocket/mailbox.h"
#include "client/websocket/outbox.h"
#include "client/websocket/settings.h"
#include "client/websocket/siblings.h"
#include "client/websocket/target.h"
#include "connection/connection.h"

#include <stdatomic.h>

#define DX_WEBSOCKET_LISTENERS_MAX 100

/*
 * A websocket's life. The loop's thread alone changes it; readyState is read from it by any thread.
 * From CONNECTING to WAITING, and while LEAVING, it holds its loop.
 *
 *   CONNECTING -> OPEN                open
 *              -> CLOSING             close(): its events come at the turn's end
 *              -> WAITING, ENDED      failed
 *   OPEN       -> CLOSING             a Close was sent or received, or waits for the outbox
 *              -> WAITING, ENDED      lost
 *   CLOSING    -> WAITING, ENDED      closed
 *   WAITING    -> CONNECTING          the next attempt is due
 *              -> ENDED               close()
 *   OPEN, CLOSING with a connection -> LEAVING -> GONE    freed: lives until its Close has left
 *   all others -> GONE                freed
 */
enum dx_websocket_life {
    DX_LIFE_CONNECTING,
    DX_LIFE_OPEN,
    DX_LIFE_CLOSING,
    DX_LIFE_WAITING, /* closed; the timer is set for the next attempt */
    DX_LIFE_ENDED,   /* closed for good; its user still has the handle */
    DX_LIFE_LEAVING, /* its user has none any more, and nothing is reported */
    DX_LIFE_GONE     /* its memory goes when the last function that uses it has left it */
};

struct dx_listening {
    const struct dx_websocket_listener *listener; /* NULL: removed while an event is dispatched */
    void *user;
};

/* A failure that is reported at the turn's end, when its caller has returned. */
struct dx_late_failure {
    bool is_due;
    enum dx_failure_step step;
    enum dx_err err;
    char detail[256];
};

/* The Close that was asked for, and goes after what the outbox has. */
struct dx_pending_close {
    bool is_due;
    uint16_t code;
    size_t reason_len;
    char reason[DX_CLOSE_REASON_MAX];
};

struct dx_websocket {
    struct dx_loop *loop;
    atomic_int life;  /* enum dx_websocket_life */
    unsigned entered; /* functions under way that need its memory when they go on */
    struct dx_websocket_settings settings;
    struct dx_connection_kind kind;
    struct dx_turn_task task;
    struct dx_timer timer; /* WAITING: the next attempt; OPEN: the heartbeat by text */
    struct dx_sibling sibling;

    struct dx_listening *listening;
    size_t listening_count;
    size_t listening_room;
    unsigned dispatching; /* events under way, one inside another */

    struct dx_websocket_target target;
    struct dx_connector *connector;
    struct dx_connection *connection;
    struct dx_tls_client *own_tls; /* made for the first wss */
    uint32_t attempt;              /* in a row; 0: the first one of all */
    uint64_t opened_ms;
    bool is_closed_by_user; /* no more attempts */
    bool is_paused;         /* by its user */
    struct dx_late_failure late;
    const char *last_error; /* last_detail, a static text where there was no memory, or NULL */
    char *last_detail;

    struct dx_beat beat;
    struct dx_outbox outbox;
    bool outbox_was_full; /* a caller on the loop's thread was refused: on_drain is owed */
    bool drain_is_due;    /* at the turn's end */
    uint64_t barrier;     /* number of the ping whose pong proves what was sent before; 0: none */
    struct dx_pending_close pending_close;
    struct dx_amount amount;
    struct dx_mailbox mailbox;

    char *headers; /* of the 101: "name\0value\0" … */
    size_t headers_len;
    const char *protocol; /* "" until open */
};

static inline enum dx_websocket_life dx_websocket_life(const struct dx_websocket *websocket)
{
    return (enum dx_websocket_life)atomic_load_explicit(&websocket->life, memory_order_acquire);
}

/* ---- websocket_life.c ---- */

/** Around everything that calls back or may end it, and uses it afterwards. */
void dx_websocket_enter(struct dx_websocket *websocket);
void dx_websocket_leave(struct dx_websocket *websocket);

void dx_websocket_set_life(struct dx_websocket *websocket, enum dx_websocket_life life);

/** Frees everything; it must hold neither connector nor connection. */
void dx_websocket_destroy(struct dx_websocket *websocket);

/** Queues the task, which comes at the turn's end. */
void dx_websocket_queue_task(struct dx_websocket *websocket);

/** Before and after a message goes to the connection. */
void dx_websocket_begin_sending(struct dx_websocket *websocket);
void dx_websocket_count_sent(struct dx_websocket *websocket, size_t len);

/** What waits may have changed. */
void dx_websocket_refresh_amount(struct dx_websocket *websocket);

/** What dx_websocket_last_error returns from now on; NULL: nothing. */
void dx_websocket_set_error(struct dx_websocket *websocket, const struct dx_error_event *error);

/* ---- websocket_events.c ---- */

bool dx_websocket_wants_chunks(const struct dx_websocket *websocket);

/** No listener is called any more. */
void dx_websocket_forget_listeners(struct dx_websocket *websocket);

/* Each calls the listeners; any of them may close or free the websocket. */
void dx_websocket_tell_open(struct dx_websocket *websocket);
void dx_websocket_tell_request(void *user, const char *head, size_t len);
void dx_websocket_tell_error(struct dx_websocket *websocket, const struct dx_error_event *error);
void dx_websocket_tell_close(struct dx_websocket *websocket, const struct dx_close_event *close);
void dx_websocket_tell_message(struct dx_websocket *websocket, enum dx_opcode opcode,
                               const uint8_t *data, size_t len);
void dx_websocket_tell_chunk(struct dx_websocket *websocket, enum dx_opcode opcode,
                             const uint8_t *data, size_t len, bool is_first, bool is_last);
void dx_websocket_tell_drain(struct dx_websocket *websocket);
void dx_websocket_tell_ping(struct dx_websocket *websocket, const uint8_t *data, size_t len);
void dx_websocket_tell_pong(struct dx_websocket *websocket, const uint8_t *data, size_t len);

/* ---- websocket_outbox.c ---- */

/** Hands what the outbox has to the connection, as far as that takes it; then the pending Close. */
void dx_websocket_pump_outbox(struct dx_websocket *websocket);

/** At the turn's end: reports that there is room again, where that is due. */
void dx_websocket_tell_room(struct dx_websocket *websocket);

/** A pong arrived. Returns whether it was the outbox's own. */
bool dx_websocket_note_pong(struct dx_websocket *websocket, const uint8_t *data, size_t len);

/* ---- websocket_send.c ---- */

/** It has opened: sends the greeting, then what waits. */
void dx_websocket_send_first(struct dx_websocket *websocket);

/** `was_taken`: another thread got DX_OK for it, so a full queue does not refuse it. */
enum dx_err dx_websocket_send_here(struct dx_websocket *websocket, enum dx_opcode opcode,
                                   const void *data, size_t len, bool was_taken);
enum dx_err dx_websocket_send_fragment_here(struct dx_websocket *websocket, enum dx_opcode opcode,
                                            const void *data, size_t len, bool is_last,
                                            bool was_taken);
enum dx_err dx_websocket_ping_here(struct dx_websocket *websocket, const void *data, size_t len);

/** strict_browser: more waits than may wait. */
void dx_websocket_close_full(struct dx_websocket *websocket);

/* ---- websocket_ending.c ---- */

/**
 * Lets the attempt fail, once the caller has returned; `detail` is copied, NULL: the error's text.
 */
void dx_websocket_fail_later(struct dx_websocket *websocket, enum dx_failure_step step,
                             enum dx_err err, const char *detail);

/** At the turn's end: what dx_websocket_fail_later has left. */
void dx_websocket_fail_now(struct dx_websocket *websocket);

/**
 * What was open or connecting has ended. Plans the next attempt if there is to be one, then reports
 * `error`, unless it is NULL, and `close`.
 */
void dx_websocket_end(struct dx_websocket *websocket, const struct dx_error_event *error,
                      struct dx_close_event *close);

void dx_websocket_close_here(struct dx_websocket *websocket, uint16_t code, const char *reason,
                             size_t reason_len);
void dx_websocket_abort_here(struct dx_websocket *websocket);
void dx_websocket_free_here(struct dx_websocket *websocket);

/** The loop is being freed: drops everything without a report. */
void dx_websocket_end_with_loop(struct dx_websocket *websocket);

/* ---- websocket_handlers.c ---- */

extern const struct dx_connection_handlers dx_websocket_whole_handlers;
extern const struct dx_connection_handlers dx_websocket_chunk_handlers;

/** The heartbeat by text is due: asks the peer, or gives the connection up. */
void dx_websocket_on_beat_due(struct dx_websocket *websocket);

/** Sets the timer for the heartbeat by text, where there is one. */
void dx_websocket_set_beat(struct dx_websocket *websocket);

/* ---- websocket_opening.c ---- */

/**
 * Whether it can connect at all. Returns DX_OK, DX_ERR_USAGE, DX_ERR_TOO_BIG, DX_ERR_NOMEM,
 * DX_ERR_SYSTEM.
 */
DX_MUST_CHECK enum dx_err dx_websocket_check(struct dx_websocket *websocket);

/** Begins an attempt. Whatever fails is reported at the turn's end. */
void dx_websocket_connect(struct dx_websocket *websocket);

/** Its turn to connect has come. */
void dx_websocket_connect_in_turn(struct dx_websocket *websocket);

/** The next attempt is due. */
void dx_websocket_try_again(struct dx_websocket *websocket);

/* ---- websocket_calls.c ---- */

extern const struct dx_mailbox_handlers dx_websocket_mailbox_handlers;

#endif
