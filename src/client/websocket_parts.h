/*
 * websocket_parts.h - what a websocket is made of; for websocket*.c only.
 *
 * websocket.c: life, attributes, opening and trying again. websocket_events.c: what the connection says, as events to listeners.
 * websocket_send.c: messages out, the outbox, the buffered amount. websocket_calls.c: calls from other threads.
 */
#ifndef DX_CLIENT_WEBSOCKET_PARTS_H
#define DX_CLIENT_WEBSOCKET_PARTS_H

#include "client/connector.h"
#include "client/outbox.h"
#include "client/settings.h"
#include "connection/connection.h"

#include <stdatomic.h>

#define DX_WEBSOCKET_LISTENERS_MAX 100
#define DX_WEBSOCKET_BARRIER_LEN 12

struct dx_listening {
    const struct dx_websocket_listener *listener; /* NULL: removed while an event was being told */
    void *user;
};

struct dx_websocket {
    struct dx_loop *loop;
    atomic_uint
        references;   /* the user's; one while it is not CLOSED for good; one a call under way */
    atomic_int state; /* enum dx_ready_state */
    atomic_bool is_freed; /* by its user: nothing is told any more */
    struct dx_websocket_settings settings;
    struct dx_connection_kind kind;
    struct dx_turn_task task; /* what comes after the caller has returned */
    struct dx_timer timer;    /* the next attempt; while open: the heartbeat by text */

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
    bool fails_later; /* the task tells late_error */
    struct dx_error_event late_error;
    char late_detail[256];
    bool waits_for_pong; /* the heartbeat by text is out */
    uint64_t heard_ms;   /* last message, for that heartbeat */

    struct dx_outbox outbox;
    uint64_t barrier; /* number of the ping that proves what was sent before; 0: none is out */

    /* the buffered amount: payload and wire bytes since the connection's queue was empty last */
    uint64_t payload_len;
    uint64_t wire_len;
    atomic_uint_fast64_t shown_len;  /* as it was when this turn began, and what was sent since */
    atomic_uint_fast64_t posted_len; /* sent by other threads, on its way */
    bool has_sent;                   /* in this turn */

    char *headers; /* of the 101: "name\0value\0" … */
    size_t headers_len;
    const char *protocol; /* "" until open */
    struct dx_url parsed;
    char url[DX_URL_MAX + 1];
};

static inline enum dx_ready_state dx_websocket_state(const struct dx_websocket *websocket)
{
    return (enum dx_ready_state)atomic_load(&websocket->state);
}

static inline void dx_websocket_set_state(struct dx_websocket *websocket, enum dx_ready_state state)
{
    atomic_store(&websocket->state, (int)state);
}

/* ---- websocket.c ---- */

void dx_websocket_keep(struct dx_websocket *websocket);
void dx_websocket_drop(struct dx_websocket *websocket);

/** What was open or connecting has ended: tells error and close, tries again or not. `error` is NULL after a clean close. */
void dx_websocket_end(struct dx_websocket *websocket, const struct dx_error_event *error,
                      struct dx_close_event *close);

/** Ends waiting for the next attempt, if it does. */
void dx_websocket_stop_waiting(struct dx_websocket *websocket);

/** Lets the attempt fail, once the caller has returned; `detail` is copied. */
void dx_websocket_fail_later(struct dx_websocket *websocket, enum dx_failure_step step,
                             enum dx_err err, const char *detail);

/** Queues the task, which comes at the turn's end. */
void dx_websocket_queue_task(struct dx_websocket *websocket);

/** Frees on the loop's thread. */
void dx_websocket_free_here(struct dx_websocket *websocket);

/* ---- websocket_events.c ---- */

extern const struct dx_connection_handlers dx_websocket_whole_handlers;
extern const struct dx_connection_handlers dx_websocket_chunk_handlers;

bool dx_websocket_wants_chunks(const struct dx_websocket *websocket);
void dx_websocket_tell_open(struct dx_websocket *websocket);
void dx_websocket_tell_request(void *user, const char *head, size_t len);
void dx_websocket_tell_error(struct dx_websocket *websocket, const struct dx_error_event *error);
void dx_websocket_tell_close(struct dx_websocket *websocket, const struct dx_close_event *close);

/** The heartbeat by text is due: asks, or gives the connection up. */
void dx_websocket_beat(struct dx_websocket *websocket);

/** Sets the timer of that heartbeat, where there is one. */
void dx_websocket_start_beating(struct dx_websocket *websocket);

/* ---- websocket_send.c ---- */

/** It is open: the greeting, then what waits. */
void dx_websocket_send_first(struct dx_websocket *websocket);

/** Hands what the outbox has to the connection, as far as that takes it. */
void dx_websocket_pump_outbox(struct dx_websocket *websocket);

/** A pong came: true when it was the outbox's own. */
bool dx_websocket_note_pong(struct dx_websocket *websocket, const uint8_t *data, size_t len);

/** Payload bytes that wait now. */
uint64_t dx_websocket_waiting_len(struct dx_websocket *websocket);

/** The turn in which something was sent is over. */
void dx_websocket_end_turn(struct dx_websocket *websocket);

/** What the amount shows once there is no connection. */
void dx_websocket_freeze_amount(struct dx_websocket *websocket);

enum dx_err dx_websocket_send_here(struct dx_websocket *websocket, enum dx_opcode opcode,
                                   const void *data, size_t len);
enum dx_err dx_websocket_send_fragment_here(struct dx_websocket *websocket, enum dx_opcode opcode,
                                            const void *data, size_t len, bool is_last);
enum dx_err dx_websocket_ping_here(struct dx_websocket *websocket, const void *data, size_t len);
void dx_websocket_close_here(struct dx_websocket *websocket, uint16_t code, const char *reason,
                             size_t reason_len);
void dx_websocket_abort_here(struct dx_websocket *websocket);

/* ---- websocket_calls.c ---- */

enum dx_websocket_call_kind {
    DX_CALL_SEND,
    DX_CALL_FRAGMENT,
    DX_CALL_PING,
    DX_CALL_CLOSE,
    DX_CALL_ABORT,
    DX_CALL_PAUSE,
    DX_CALL_RESUME,
    DX_CALL_FREE,
};

struct dx_websocket_call {
    struct dx_websocket *websocket;
    enum dx_websocket_call_kind kind;
    enum dx_opcode opcode;
    uint16_t code;
    bool is_last;
    size_t len;
    uint8_t bytes[];
};

/** Posts a call with a copy of the bytes. Returns DX_OK, DX_ERR_NOMEM, DX_ERR_QUEUE_FULL. */
DX_MUST_CHECK enum dx_err dx_websocket_post(struct dx_websocket *websocket,
                                            const struct dx_websocket_call *call, const void *bytes,
                                            size_t len);

#endif
