/*
 * link.h - the oracle: what each end of a WebSocket has sent, what has to come out at the other
 * end, and how it may end.
 *
 * It numbers every message of each direction. A message that arrives has to be the next one that
 * was sent; where a Close arrived, everything that was sent before it has; each end closes once.
 */
#ifndef TESTS_SIM_LINK_H
#define TESTS_SIM_LINK_H

#include "support/sim/machine.h"

#include <duplex/connection.h>

#define SIM_MESSAGE_MAX 204800
#define SIM_PUBLISHED 0xa5 /* the first byte of what is published, and of nothing else */

struct sim_message {
    uint32_t at; /* where its bytes stand in the table of its opcode */
    uint32_t len;
    uint8_t opcode;
    bool is_whole; /* its last fragment was accepted */
};

/* One direction. */
struct sim_flow {
    struct sim_message *sent;
    size_t sent_count, room;
    size_t got_count;
    size_t part_len; /* of the next one, arrived in chunks */
    bool is_in_part;
};

struct sim_link;

/* One end of a link: a connection, and what is done on it (talker.c). */
struct sim_side {
    struct sim_link *link;
    struct sim_side *peer;
    const char *name;
    enum sim_stream stream;
    struct sim_flow out;
    struct dx_connection *connection; /* NULL: not open yet, or not any more */
    struct dx_loop_timer *timer;
    struct dx_close_info end; /* without its texts */
    unsigned close_count;
    bool was_open;
    bool has_aborted;
    bool is_paused;
    bool hung_up;
    bool owes_drain;
    bool asked_to_close; /* the peer's Close waits for our answer */
    uint64_t asked_us;
    uint64_t patient_us; /* from when on its deadlines run, if nothing is heard */
    const struct dx_connection_options *options;
    uint32_t fragment_at; /* of the message that is being sent in fragments: bytes that are sent */
    bool is_fragmenting;
    uint32_t ping_count, pong_count;
    uint32_t sent_with, sent_told; /* completions asked for, and told */
    size_t published_count;        /* published messages that came */
    uint32_t wishes;               /* messages that it would still like to send */
    int delay_max_ms;
};

struct sim_link {
    int number;
    int wire_number;   /* -1: none yet */
    uint32_t capacity; /* of the wire */
    bool is_hostile;   /* the client's end is no endpoint: nothing is asked of the messages */
    bool is_disturbed; /* something happened that excuses an unclean end */
    struct sim_side client, server;
};

/** Fills the tables; once a process. */
void sim_tables_init(void);

void sim_link_init(struct sim_link *link, int number);
void sim_link_release(struct sim_link *link);

/** The bytes of a message. */
const uint8_t *sim_message_bytes(const struct sim_message *message);
/** Draws a message of at most `max` bytes. */
struct sim_message sim_message_draw(enum sim_stream stream, uint32_t max);

/** The connection has taken a message, or its first fragment; the latter's end. */
void sim_note_sent(struct sim_side *side, struct sim_message message);
struct sim_message *sim_last_sent(struct sim_side *side);

/** What came to `side`. They fail the world when it is not what had to come. */
void sim_check_message(struct sim_side *side, enum dx_opcode opcode, const uint8_t *data,
                       size_t len);
void sim_check_chunk(struct sim_side *side, enum dx_opcode opcode, const uint8_t *data, size_t len,
                     bool is_first, bool is_last);
void sim_check_close(struct sim_side *side, const struct dx_close_info *info,
                     const struct dx_connection_metrics *counts);

/** At the world's end. `has_to_be_clean`: nothing that happened excuses anything. */
void sim_check_link(const struct sim_link *link, bool has_to_be_clean);

#endif
