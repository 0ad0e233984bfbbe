/*
 * websocket_parts.h - what a websocket is made of; for websocket*.c only.
 *
 * websocket.c            life and attributes
 * websocket_opening.c    opening, how that or the connection ends, trying again
 * websocket_handlers.c   what the connection reports
 * websocket_events.c     the listeners
 * websocket_send.c       messages out, closing; on the loop's thread
 * websocket_outbox.c     the outbox at work
 * websocket_calls.c      the public calls that any thread may make
 * websocket_loop.c       the other websockets of the loop
 */
#ifndef DX_CLIENT_WEBSOCKET_PARTS_H
#define DX_CLIENT_WEBSOCKET_PARTS_H

#include "client/connector/connector.h"
#include "client/websocket/amount.h"
#include "client/websocket/beat.h"
#include "client/websocket/mailbox.h"
#include "client/websocket/outbox.h"
#include "client/websocket/settings.h"
#include "connection/connection.h"

#include <stdatomic.h>

#define DX_WEBSOCKET_LISTENERS_MAX 100
#define DX_WEBSOCKET_BARRIER_LEN 12

struct dx_listening {
    const struct dx_websocket_listener *listener; /* NULL: removed while an event was being told */
    void *user;
};

struct dx_websockets; /* of one loop */

struct dx_websocket {
    struct dx_loop *loop;
    atomic_uint
        references;   /* the user's; one while it is not CLOSED for good; one a call under way */
    atomic_int state; /* enum dx_ready_state */
    bool is_freed;    /* by its user, whose reference is gone: nothing is told any more */
    struct dx_websocket_settings settings;
    struct dx_connection_kind kind;
    struct dx_turn_task task; /* what comes after the caller has returned */
    struct dx_timer timer;    /* the next attempt; while open: the heartbeat by text */

    /* websocket_loop.c */
    struct dx_websockets *all;
    struct dx_websocket *previous;
    struct dx_websocket *next;
    bool has_turn;    /* strict_browser: it is the one that connects to its host */
    bool awaits_turn; /* … or the one that waits for it */

    struct dx_listening *listening;
    size_t listening_count;
    size_t listening_room;
    unsigned telling; /* events being told, one inside another */

    struct dx_connector *connector;
    struct dx_connection *connection;
    struct dx_tls_client *own_tls; /* made for the first wss */
    uint32_t attempt;              /* in a row; 0: the first one of all */
    uint64_t opened_ms;
    bool is_closed_by_user; /* no more attempts */
    bool is_alive; /* connecting, open, closing, or about to try again: holds the loop and itself */
    bool is_paused;   /* by its user */
    bool fails_later; /* the task tells late_error */
    struct dx_error_event late_error;
    char late_detail[256];
    const char
        *last_error; /* the next one, or a text of an error where there was no memory; or NULL */
    char *last_detail;

    struct dx_beat beat;
    struct dx_outbox outbox;
    bool outbox_was_full; /* somebody on the loop's thread was refused: drain is owed */
    bool drain_is_due;    /* the task tells it */
    uint64_t barrier;     /* number of the ping that proves what was sent before; 0: none is out */

    /* close() was called while the outbox has something that goes first */
    bool closes_later;
    uint16_t close_code;
    size_t close_len;
    char close_reason[DX_CLOSE_REASON_MAX];

    struct dx_amount amount;
    struct dx_mailbox mailbox;

    char *headers; /* of the 101: "name\0value\0" … */
    size_t headers_len;
    const char *protocol; /* "" until open */
    struct dx_url parsed;
    char *url;           /* in its normal form */
    char *authorization; /* "Basic …" of the URL's name and password; or NULL */
};

static inline enum dx_ready_state dx_websocket_state(const struct dx_websocket *websocket)
{
    return (enum dx_ready_state)atomic_load(&websocket->state);
}

static inline void dx_websocket_set_state(struct dx_websocket *websocket, enum dx_ready_state state)
{
    atomic_store(&websocket->state, (int)state);
}

/* Its user has freed it, perhaps on another thread, whose post is on its way. */
static inline bool dx_websocket_is_freed(const struct dx_websocket *websocket)
{
    return websocket->is_freed || dx_mailbox_is_shut(&websocket->mailbox);
}

/* ---- websocket.c ---- */

void dx_websocket_keep(struct dx_websocket *websocket);
void dx_websocket_drop(struct dx_websocket *websocket);

/** Holds the loop and itself from the first attempt until it is closed for good. */
void dx_websocket_begin_life(struct dx_websocket *websocket);
void dx_websocket_end_life(struct dx_websocket *websocket);

/** Queues the task, which comes at the turn's end. */
void dx_websocket_queue_task(struct dx_websocket *websocket);

/** What dx_websocket_free does, on the loop's thread; once. */
void dx_websocket_free_here(struct dx_websocket *websocket);

/** The loop is being freed: nothing is told, everything goes. */
void dx_websocket_end_with_loop(struct dx_websocket *websocket);

/** Before and after a message goes to the connection. */
void dx_websocket_begin_sending(struct dx_websocket *websocket);
void dx_websocket_count_sent(struct dx_websocket *websocket, size_t len);

/** What waits may have changed. */
void dx_websocket_refresh_amount(struct dx_websocket *websocket);

/* ---- websocket_opening.c ---- */

/** Reads a URL (http and https too, relative to the base if there is one). Returns DX_OK, DX_ERR_USAGE. */
DX_MUST_CHECK enum dx_err dx_websocket_read_url(struct dx_websocket *websocket, const char *text);

void dx_websocket_forget_url(struct dx_websocket *websocket);

/** Begins an attempt. What cannot even be asked for is returned; all other failures are told later. */
DX_MUST_CHECK enum dx_err dx_websocket_connect(struct dx_websocket *websocket);

/** Its turn has come. */
void dx_websocket_connect_in_turn(struct dx_websocket *websocket);

/** Drops what is connecting, or waits for its turn. */
void dx_websocket_stop_connecting(struct dx_websocket *websocket);

/** The next attempt is due. */
void dx_websocket_try_again(struct dx_websocket *websocket);

/** What dx_websocket_last_error says from now on. */
void dx_websocket_note_error(struct dx_websocket *websocket, const struct dx_error_event *error);

/** What was open or connecting has ended: tells error and close, tries again or not. `error` is NULL after a clean close. */
void dx_websocket_end(struct dx_websocket *websocket, const struct dx_error_event *error,
                      struct dx_close_event *close);

/** Ends waiting for the next attempt, if it does. */
void dx_websocket_stop_waiting(struct dx_websocket *websocket);

/** Lets the attempt fail, once the caller has returned; `detail` is copied. */
void dx_websocket_fail_later(struct dx_websocket *websocket, enum dx_failure_step step,
                             enum dx_err err, const char *detail);

/** Tells what dx_websocket_fail_later has left, if anything. */
void dx_websocket_fail_now(struct dx_websocket *websocket);

/* ---- websocket_loop.c ---- */

/** Among those of its loop, until it is destroyed. Returns DX_OK, DX_ERR_NOMEM. */
DX_MUST_CHECK enum dx_err dx_websocket_enlist(struct dx_websocket *websocket);
void dx_websocket_delist(struct dx_websocket *websocket);

/** Whether it may connect now; if not, dx_websocket_connect_in_turn comes. A turn is given back when connecting is over. */
bool dx_websocket_take_turn(struct dx_websocket *websocket);
void dx_websocket_give_turn(struct dx_websocket *websocket);

/* ---- websocket_events.c ---- */

bool dx_websocket_wants_chunks(const struct dx_websocket *websocket);

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

/* ---- websocket_handlers.c ---- */

extern const struct dx_connection_handlers dx_websocket_whole_handlers;
extern const struct dx_connection_handlers dx_websocket_chunk_handlers;

/** The timer fired while there was a connection: asks the peer, or gives the connection up. */
void dx_websocket_on_beat_due(struct dx_websocket *websocket);

/** Sets the timer for the heartbeat by text, where there is one. */
void dx_websocket_set_beat(struct dx_websocket *websocket);

/* ---- websocket_outbox.c ---- */

/** Hands what the outbox has to the connection, as far as that takes it; then the Close that had to wait. */
void dx_websocket_pump_outbox(struct dx_websocket *websocket);

/** The task's part: tells those who were refused that there is room again. */
void dx_websocket_tell_room(struct dx_websocket *websocket);

/** A pong came: true when it was the outbox's own. */
bool dx_websocket_note_pong(struct dx_websocket *websocket, const uint8_t *data, size_t len);

/* ---- websocket_send.c ---- */

/** It is open: the greeting, then what waits. */
void dx_websocket_send_first(struct dx_websocket *websocket);

/** `was_taken`: another thread was told already that it is sent, so it is not refused for a full queue. */
enum dx_err dx_websocket_send_here(struct dx_websocket *websocket, enum dx_opcode opcode,
                                   const void *data, size_t len, bool was_taken);
enum dx_err dx_websocket_send_fragment_here(struct dx_websocket *websocket, enum dx_opcode opcode,
                                            const void *data, size_t len, bool is_last,
                                            bool was_taken);
enum dx_err dx_websocket_ping_here(struct dx_websocket *websocket, const void *data, size_t len);
void dx_websocket_close_here(struct dx_websocket *websocket, uint16_t code, const char *reason,
                             size_t reason_len);
/** The Close that had to wait for the outbox. */
void dx_websocket_close_now(struct dx_websocket *websocket);
/** strict_browser: what waits is more than is kept. */
void dx_websocket_close_full(struct dx_websocket *websocket);
void dx_websocket_abort_here(struct dx_websocket *websocket);

/* ---- websocket_calls.c ---- */

extern const struct dx_mailbox_handlers dx_websocket_mailbox_handlers;

#endif
