/*
 * amount.c - see amount.h.
 *
 * A reader may come between two stores of a move from the outbox to the queue. Where something
 * arrives is stored first and read last, so that it is counted twice for a moment, and never not at
 * all.
 */
#include "client/websocket/amount.h"

static void store(atomic_uint_fast64_t *len, uint64_t value)
{
    atomic_store_explicit(len, value, memory_order_release);
}

static uint64_t load(const atomic_uint_fast64_t *len)
{
    return atomic_load_explicit(len, memory_order_acquire);
}

/*
 * The payload among the last `waiting` bytes of the queue, which knows bytes on the wire only. This
 * counts frames of average length. It is exact for frames of one length, so for a single one, too.
 */
static uint64_t payload_in(const struct dx_amount *amount, uint64_t waiting)
{
    uint64_t wire = amount->wire_len, payload = amount->payload_len;
    uint64_t count = amount->frame_count, whole, rest, part;

    if (waiting >= wire)
        return waiting > 0 ? payload : 0;
    for (; wire > UINT32_MAX; wire /= 2) { /* so that no product overflows */
        payload /= 2;
        count = (count + 1) / 2;
    }
    whole = count * waiting / wire;
    rest = waiting - whole * wire / count;
    part = payload / count; /* a frame that has begun to leave has lost its header first */
    return whole * payload / count + (rest < part ? rest : part);
}

void dx_amount_begin(struct dx_amount *amount, uint64_t waiting)
{
    if (amount->is_held)
        return;
    store(&amount->queued_len, payload_in(amount, waiting));
    if (waiting == 0) {
        amount->wire_len = 0;
        amount->payload_len = 0;
        amount->frame_count = 0;
    }
}

bool dx_amount_add(struct dx_amount *amount, size_t len, size_t header_len)
{
    bool is_first = !amount->is_held;

    amount->is_held = true;
    amount->wire_len += len + header_len;
    amount->payload_len += len;
    amount->frame_count++;
    store(&amount->queued_len, load(&amount->queued_len) + len);
    return is_first;
}

void dx_amount_add_dropped(struct dx_amount *amount, size_t len)
{
    store(&amount->dropped_len, load(&amount->dropped_len) + len);
}

void dx_amount_set_kept(struct dx_amount *amount, size_t len)
{
    store(&amount->kept_len, len);
}

void dx_amount_update(struct dx_amount *amount, uint64_t waiting)
{
    if (!amount->is_held)
        store(&amount->queued_len, payload_in(amount, waiting));
}

void dx_amount_end_turn(struct dx_amount *amount)
{
    amount->is_held = false;
}

void dx_amount_end_queue(struct dx_amount *amount, bool is_kept)
{
    amount->is_held = false;
    if (is_kept)
        store(&amount->queued_len, 0);
}

void dx_amount_begin_queue(struct dx_amount *amount)
{
    amount->wire_len = 0;
    amount->payload_len = 0;
    amount->frame_count = 0;
    amount->is_held = false;
    store(&amount->queued_len, 0);
    store(&amount->dropped_len, 0);
}

uint64_t dx_amount_len(const struct dx_amount *amount)
{
    uint64_t len = load(&amount->kept_len);

    len += load(&amount->queued_len);
    return len + load(&amount->dropped_len);
}
