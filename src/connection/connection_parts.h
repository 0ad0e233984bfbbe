/*
 * connection_parts.h - the members of a connection; only for the files of connection/.
 *
 * connection.c: life, getters. reading.c: bytes in, events to the owner. writing.c: messages out.
 * closing.c: the end. deadlines.c: the timer. hang_up.c: a peer that goes while reading is paused.
 * attachment.c: guests. sent.c: completions. peer.c: address and TLS facts of the peer.
 */
#ifndef DX_CONNECTION_CONNECTION_PARTS_H
#define DX_CONNECTION_CONNECTION_PARTS_H

#include "connection/connection.h"
#include "net/loop/large.h"
#include "net/loop/loop.h"

/* Messages and payload bytes so far: dx_connection_metrics without its size. */
struct dx_connection_counts {
    uint64_t messages_in, bytes_in, messages_out, bytes_out;
};

/* The state of output. */
enum dx_connection_writing {
    DX_WRITING_FLOWING,
    DX_WRITING_BLOCKED, /* it waits for the descriptor to become writable */
    DX_WRITING_BROKEN   /* the peer accepts no more; what it sent before is still read */
};

/*
 * An idle server has ten thousand of these: tests cap the size. Times are the low 32 bits of the
 * loop's time in milliseconds.
 */
struct dx_connection {
    struct dx_endpoint endpoint;
    struct dx_output output;
    struct dx_stream stream;
    struct dx_timer timer;
    struct dx_turn_task task;
    const struct dx_connection_handlers *handlers;
    void *user;
    const char *subprotocol;
    const char *detail;       /* why it ended, with err */
    struct dx_large *message; /* the growing message; after the peer's Close: its reason */
    struct dx_large *kept;    /* unconsumed input while paused, or received with the handshake */
    struct dx_attachment *attachments;
    uint64_t id;
    struct dx_connection_counts counts;
    struct dx_traffic *traffic;
    uint32_t heard_ms; /* last byte from the peer; while paused: last probe */
    uint32_t phase_ms; /* last progress of a message; while closing: start of the wait */
    union {
        uint32_t write_ms;   /* while blocked: start of the span in which write_len bytes left */
        uint32_t taken;      /* while a ping is out: the peer's progress at the last check */
        uint32_t late_len;   /* once our Close has left: bytes received since */
        uint32_t unsent_len; /* once dead: bytes left in the queue, 4 GiB at most */
    };
    uint16_t write_len;
    uint16_t code;      /* of the peer's Close; 1006 before it came */
    uint16_t sent_code; /* of our Close; 0 before it was queued */
    int16_t err;        /* enum dx_err */
    uint8_t probe_count;
    bool is_dead : 1;    /* the stream is closed; on_close is still to be called */
    bool is_pumping : 1; /* events are being handled: output is sent after them */
    bool needs_pump : 1; /* there may be events or bytes although the descriptor is not readable */
    bool is_paused : 1;
    unsigned writing : 2;   /* enum dx_connection_writing */
    bool is_congested : 1;  /* on_drain is owed */
    bool is_in_message : 1; /* the message deadline runs from phase_ms */
    bool ping_is_out : 1;   /* and nothing was received since */
    bool is_failed : 1;     /* a fault or out of memory: Close is queued, input is discarded */
    bool is_waiting : 1;    /* the close deadline runs from phase_ms */
    bool is_draining : 1; /* our direction is shut down; input is discarded until the peer's end */
    bool has_ended : 1;   /* the peer's end of stream was read */
    bool hang_up_is_told : 1;  /* on_hang_up was called */
    bool is_unwatched : 1;     /* both directions closed: the watch would report it endlessly */
    bool read_wants_write : 1; /* TLS has to write before it can read */
    bool write_wants_read : 1; /* TLS has to read before it can write; while blocked */
    bool room_is_awaited : 1;  /* on_writable is owed to the guests */
    bool guests_are_next : 1;  /* the guests get room before the owner */
    bool counts_put : 1;       /* accepted bytes are counted, for completions */
    /* start->owner_len bytes: one allocation, and no pointers between the two. */
    _Alignas(void *) unsigned char owner[];
};

static inline uint32_t dx_connection_now(const struct dx_connection *connection)
{
    return (uint32_t)dx_loop_now_ms(dx_connection_loop(connection));
}

static inline const struct dx_connection_options *
dx_connection_options(const struct dx_connection *connection)
{
    return &dx_connection_kind_of(connection->endpoint.config)->options;
}

static inline void dx_connection_count_in(struct dx_connection *connection, size_t message_count,
                                          size_t payload_len)
{
    connection->counts.messages_in += message_count;
    connection->counts.bytes_in += payload_len;
    if (connection->traffic != NULL) {
        dx_counter_add(&connection->traffic->messages_in, message_count);
        dx_counter_add(&connection->traffic->bytes_in, payload_len);
    }
}

static inline void dx_connection_count_out(struct dx_connection *connection, size_t message_count,
                                           size_t payload_len)
{
    connection->counts.messages_out += message_count;
    connection->counts.bytes_out += payload_len;
    if (connection->traffic != NULL) {
        dx_counter_add(&connection->traffic->messages_out, message_count);
        dx_counter_add(&connection->traffic->bytes_out, payload_len);
    }
}

/* True while messages may be sent and neither side has started the closing handshake. */
static inline bool dx_connection_is_open(const struct dx_connection *connection)
{
    return !connection->is_failed && !dx_endpoint_close_is_sent(&connection->endpoint) &&
           !dx_endpoint_close_is_received(&connection->endpoint);
}

/* ---- connection.c ---- */

/** Schedules pump, flush and settle for the end of the turn, unless they will happen anyway. */
void dx_connection_schedule(struct dx_connection *connection);

/** After any event: sends, continues the closing, calls on_drain, sets deadline and watch. */
void dx_connection_settle(struct dx_connection *connection);

/* ---- reading.c ---- */

void dx_connection_on_ready(struct dx_watch *watch, unsigned events);

/** Handles input that was fed already, then reads once if the stream has pending bytes. */
void dx_connection_go_on(struct dx_connection *connection);

/** True when input should be read now. */
bool dx_connection_is_reading(const struct dx_connection *connection);

/** Reads once and discards the bytes. False when there is nothing more now, or at the end. */
bool dx_connection_discard(struct dx_connection *connection);

/* ---- writing.c ---- */

/** Writes as much of the queue as the kernel accepts. */
void dx_connection_send_waiting(struct dx_connection *connection);

/** Calls on_drain if it is due. */
void dx_connection_tell_drain(struct dx_connection *connection);

/* ---- attachment.c ---- */

/** Calls on_drain and the guests' on_writable if they are due. */
void dx_connection_tell_takers(struct dx_connection *connection);

/** Detaches each guest and calls its on_gone. */
void dx_connection_tell_gone(struct dx_connection *connection);

/* ---- sent.c ---- */

/** Counts `len` bytes that the stream accepted. Only if counts_put is set. */
void dx_connection_count_put(struct dx_connection *connection, size_t len);

/** Calls on_sent for the messages that have left. */
void dx_connection_tell_sent(struct dx_connection *connection);

/* ---- closing.c ---- */

/**
 * Closes the stream now; on_close follows with this error (DX_OK: after a closing handshake).
 *
 * detail   static text
 * abort    as for dx_stream_close
 */
void dx_connection_end(struct dx_connection *connection, enum dx_err err, const char *detail,
                       bool abort);

/** Queues a Close for a fault; input is discarded from now on. `detail` is static text. */
void dx_connection_fail(struct dx_connection *connection, uint16_t code, enum dx_err err,
                        const char *detail);

/** Records that the endpoint failed the connection and queued its Close. */
void dx_connection_note_failure(struct dx_connection *connection, const struct dx_event *event);

/** Handles the peer's Close. */
void dx_connection_note_close(struct dx_connection *connection, const struct dx_event *event);

/** Takes the next step of closing, if there is one. */
void dx_connection_step_closing(struct dx_connection *connection);

/** Counts `len` received bytes. After our Close too many of them end the connection. */
void dx_connection_count_late(struct dx_connection *connection, size_t len);

/** Handles a close deadline that has passed. */
void dx_connection_give_up_closing(struct dx_connection *connection);

/** The last call: calls on_gone and on_close, then frees the connection. */
void dx_connection_bury(struct dx_connection *connection);

/* ---- deadlines.c ---- */

void dx_connection_on_due(struct dx_timer *timer);

/** Output flows again: an outstanding ping had to wait, so its time restarts. */
void dx_connection_restart_ping(struct dx_connection *connection);

/** Moves the timer to the nearest deadline, if that is earlier than its current time. */
void dx_connection_arm(struct dx_connection *connection);

/* ---- hang_up.c ---- */

/** Handles the peer's end, reported by the watch while reading is paused. */
void dx_connection_note_hang_up(struct dx_connection *connection);

/** Milliseconds between probes. */
uint32_t dx_connection_probe_interval(const struct dx_connection *connection);

/** True while probes are needed: reading is paused and nothing else reports the peer's end. */
bool dx_connection_is_probing(const struct dx_connection *connection);

/** Sends a probe, a pong, if the kernel holds unread input. */
void dx_connection_probe(struct dx_connection *connection);

#endif
