/*
 * amount.h - the buffered amount (WHATWG WebSockets, "bufferedAmount"): payload bytes that were
 * sent and are not with the network yet.
 *
 * It grows at once when something is sent, and falls only between the loop's turns and events. The
 * loop's thread counts; any thread may read. What other threads have posted is the mailbox's.
 */
#ifndef DX_CLIENT_AMOUNT_H
#define DX_CLIENT_AMOUNT_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct dx_amount {
    /* What went into the connection's queue since that was empty last. */
    uint64_t wire_len;
    uint64_t payload_len;
    uint64_t frame_count;
    bool is_held; /* something was sent in this turn: the amount does not fall before its end */
    atomic_uint_fast64_t queued_len;  /* payload in the connection's queue */
    atomic_uint_fast64_t kept_len;    /* unsent in the outbox */
    atomic_uint_fast64_t dropped_len; /* sent while closing or closed */
};

/** Before a message goes into the queue, in which `waiting` bytes wait. */
void dx_amount_begin(struct dx_amount *amount, uint64_t waiting);

/**
 * After that. Returns whether it is the first in this turn: dx_amount_end_turn is due at its end.
 */
bool dx_amount_add(struct dx_amount *amount, size_t len, size_t header_len);

/** A message was dropped, because the websocket is closing or closed. */
void dx_amount_add_dropped(struct dx_amount *amount, size_t len);

/** What the outbox keeps. */
void dx_amount_set_kept(struct dx_amount *amount, size_t len);

/** What waits in the queue now. No effect between dx_amount_begin and the turn's end. */
void dx_amount_update(struct dx_amount *amount, uint64_t waiting);

/** The turn in which something was sent is over. */
void dx_amount_end_turn(struct dx_amount *amount);

/** The queue is gone; `is_kept`: the outbox has what was in it. */
void dx_amount_end_queue(struct dx_amount *amount, bool is_kept);

/** A connection has opened: its queue is empty. */
void dx_amount_begin_queue(struct dx_amount *amount);

/** The sum. Any thread. */
uint64_t dx_amount_len(const struct dx_amount *amount);

#endif
