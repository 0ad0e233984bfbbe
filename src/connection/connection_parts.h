/*
 * connection_parts.h - what a connection is made of; for the files of connection/ only.
 *
 * connection.c: life and questions. reading.c: bytes in, events out to the owner. writing.c: messages out. closing.c: how
 * it ends. deadlines.c: its one timer. hang_up.c: learning of a peer that has gone while nobody reads. attachment.c: guests.
 * sent.c: completions. peer.c: who is at the other end.
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

/* What becomes of output. */
enum dx_connection_writing {
    DX_WRITING_FLOWING,
    DX_WRITING_BLOCKED, /* it waits for the descriptor to become writable */
    DX_WRITING_BROKEN   /* the peer takes no more; what it sent before is still read */
};

/* An idle server has ten thousand of these: tests cap the size. Moments are the low 32 bits of the loop's milliseconds. */
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
    struct dx_large *message; /* the message that grows; after the peer's Close: its reason */
    struct dx_large *kept;    /* input that waits while reading is paused, or that came early */
    struct dx_attachment *attachments;
    uint64_t id;
    struct dx_connection_counts counts;
    struct dx_traffic *traffic;
    uint32_t heard_ms; /* last byte from the peer; while paused: last look for its end */
    uint32_t phase_ms; /* last progress of a message; while closing: since when we wait */
    union {
        uint32_t write_ms; /* while blocked: begin of the span in which write_len bytes left */
        uint32_t
            taken; /* while a ping is out and output flows: the peer's system's progress at the last look */
        uint32_t late_len;   /* when our Close has left: bytes that came since */
        uint32_t unsent_len; /* when it is dead: what waited still, 4 GiB at most */
    };
    uint16_t write_len;
    uint16_t code;      /* of the peer's Close; 1006 before it came */
    uint16_t sent_code; /* of our Close; 0 before it was queued */
    int16_t err;        /* enum dx_err */
    uint8_t probe_count;
    bool is_dead : 1;    /* the stream is closed; on_close is still to be told */
    bool is_pumping : 1; /* events are being handed out: what is sent leaves at the end */
    bool needs_pump : 1; /* there may be events or bytes without the descriptor being readable */
    bool is_paused : 1;
    unsigned writing : 2;   /* enum dx_connection_writing */
    bool is_congested : 1;  /* on_drain is owed */
    bool is_in_message : 1; /* the message deadline runs from phase_ms */
    bool ping_is_out : 1;   /* and nothing was heard since */
    bool
        is_failed : 1; /* by the peer's fault or for lack of memory: Close is queued, input is thrown away */
    bool is_waiting : 1;  /* the close deadline runs from phase_ms */
    bool is_draining : 1; /* our side is shut down; input is thrown away until the peer's end */
    bool has_ended : 1;   /* the peer's end of stream was read */
    bool hang_up_is_told : 1;
    bool is_unwatched : 1; /* the descriptor is gone as a whole and would be reported without end */
    bool read_wants_write : 1; /* TLS has to write before it can read on */
    bool write_wants_read : 1; /* the other way round, while blocked */
    bool room_is_awaited : 1;  /* on_writable is owed to the guests */
    bool guests_are_next : 1;  /* of those who wait for room */
    bool counts_put : 1;       /* what the stream takes is counted, for completions */
    /* start->owner_len bytes: one allocation for both, and no pointers from one to the other. */
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

/* True while messages may be sent and the closing handshake has not begun on either side. */
static inline bool dx_connection_is_open(const struct dx_connection *connection)
{
    return !connection->is_failed && !dx_endpoint_close_is_sent(&connection->endpoint) &&
           !dx_endpoint_close_is_received(&connection->endpoint);
}

/* ---- connection.c ---- */

/** Does at the turn's end what is left to do: pump, flush, settle. Nothing when that comes anyway. */
void dx_connection_schedule(struct dx_connection *connection);

/** After anything happened: sends, judges how far the closing is, tells drain, sets deadline and watch. */
void dx_connection_settle(struct dx_connection *connection);

/* ---- reading.c ---- */

void dx_connection_on_ready(struct dx_watch *watch, unsigned events);

/** Hands out what is fed already, then reads once if the stream holds bytes by itself. */
void dx_connection_go_on(struct dx_connection *connection);

/** True when input is wanted now. */
bool dx_connection_is_reading(const struct dx_connection *connection);

/** Reads once and throws it away. Returns false when there is no more for now, or ever. */
bool dx_connection_discard(struct dx_connection *connection);

/* ---- writing.c ---- */

/** Sends what waits, as far as the kernel takes it. */
void dx_connection_send_waiting(struct dx_connection *connection);

/** Tells on_drain when it is due. */
void dx_connection_tell_drain(struct dx_connection *connection);

/* ---- attachment.c ---- */

/** Tells on_drain and the guests' on_writable when they are due. */
void dx_connection_tell_takers(struct dx_connection *connection);

/** Tells each guest that the connection ends, and forgets it. */
void dx_connection_tell_gone(struct dx_connection *connection);

/* ---- sent.c ---- */

/** The stream has taken so many bytes; only where counts_put is set. */
void dx_connection_count_put(struct dx_connection *connection, size_t len);

/** Tells on_sent of the messages that have left. */
void dx_connection_tell_sent(struct dx_connection *connection);

/* ---- closing.c ---- */

/** Closes the stream now and lets on_close follow with this error (DX_OK: a closing handshake). */
void dx_connection_end(struct dx_connection *connection, enum dx_err err, const char *detail,
                       bool abort);

/** Sends Close for a fault; input is thrown away from here on. */
void dx_connection_fail(struct dx_connection *connection, uint16_t code, enum dx_err err,
                        const char *detail);

/** The endpoint has failed the connection and queued its Close. */
void dx_connection_note_failure(struct dx_connection *connection, const struct dx_event *event);

/** The peer's Close came. */
void dx_connection_note_close(struct dx_connection *connection, const struct dx_event *event);

/** Takes the next step of ending, if one can be taken. */
void dx_connection_step_closing(struct dx_connection *connection);

/** Bytes have come. Behind our Close only so many are read: then the connection is cut. */
void dx_connection_count_late(struct dx_connection *connection, size_t len);

/** The close deadline has passed. */
void dx_connection_give_up_closing(struct dx_connection *connection);

/** The last call: tells on_gone and on_close, and frees. */
void dx_connection_bury(struct dx_connection *connection);

/* ---- deadlines.c ---- */

void dx_connection_on_due(struct dx_timer *timer);

/** Output flows again: a ping that is out had to wait, so its time begins anew. */
void dx_connection_restart_ping(struct dx_connection *connection);

/** Sets the timer when the nearest deadline is before what it is set to; never touches it for a later one. */
void dx_connection_arm(struct dx_connection *connection);

/* ---- hang_up.c ---- */

/** The descriptor reports the peer's end while reading is paused. */
void dx_connection_note_hang_up(struct dx_connection *connection);

/** Milliseconds from one look for the peer's end to the next. */
uint32_t dx_connection_probe_interval(const struct dx_connection *connection);

/** True while looks are needed: reading is paused and nothing else would tell. */
bool dx_connection_is_probing(const struct dx_connection *connection);

void dx_connection_probe(struct dx_connection *connection);

#endif
