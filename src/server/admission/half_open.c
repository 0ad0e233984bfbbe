/*
 * half_open.c - counts half-open connections by peer, without a lock and without memory for each
 * peer. What follows when there is no place is the caller's decision.
 */
#include "server/admission/half_open.h"

#include <string.h>

void dx_half_open_init(struct dx_half_open *half_open, uint64_t key)
{
    atomic_init(&half_open->count, 0);
    half_open->key = key;
    for (size_t index = 0; index < DX_HALF_OPEN_PEERS; index++)
        atomic_init(&half_open->by_peer[index], 0);
}

/* What identifies a peer: of IPv6 only the network, in which it may have any address. */
static uint64_t number_of(const struct dx_address *peer)
{
    uint64_t number = 0;

    if (peer->family != DX_ADDRESS_UNIX)
        memcpy(&number, peer->bytes, peer->family == DX_ADDRESS_IPV4 ? 4 : 8);
    return number ^ (uint64_t)peer->family << 56;
}

static atomic_uint_least32_t *place_of(struct dx_half_open *half_open,
                                       const struct dx_address *peer)
{
    uint64_t mixed = number_of(peer) ^ half_open->key;

    mixed = (mixed ^ mixed >> 33) * UINT64_C(0xff51afd7ed558ccd);
    mixed = (mixed ^ mixed >> 33) * UINT64_C(0xc4ceb9fe1a85ec53);
    return &half_open->by_peer[(mixed ^ mixed >> 33) % DX_HALF_OPEN_PEERS];
}

/* Other threads that are about to be refused may count more than the maximum for a moment. */
bool dx_half_open_add(struct dx_half_open *half_open, const struct dx_address *peer)
{
    size_t count = atomic_fetch_add(&half_open->count, 1);
    size_t own_count = atomic_fetch_add(place_of(half_open, peer), 1);

    if (count < DX_HALF_OPEN_MAX && own_count < DX_HALF_OPEN_MAX - count)
        return true;
    dx_half_open_remove(half_open, peer);
    return false;
}

void dx_half_open_remove(struct dx_half_open *half_open, const struct dx_address *peer)
{
    (void)atomic_fetch_sub(place_of(half_open, peer), 1);
    (void)atomic_fetch_sub(&half_open->count, 1);
}
