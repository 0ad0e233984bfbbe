/*
 * half_open.h - how many connections have not sent a whole request yet, in all and of one peer: so that one that opens many and
 * says nothing takes not all the places.
 *
 * One peer may have as many as places are left: alone half of them, and the more there are that do so, the less each gets. A
 * peer is an IPv4 address, an IPv6 network of 64 bits, or all that come by unix sockets. Any thread.
 */
#ifndef DX_SERVER_HALF_OPEN_H
#define DX_SERVER_HALF_OPEN_H

#include "net/socket/address.h"

#include <stdatomic.h>

#define DX_HALF_OPEN_MAX 1000 /* in all; above it 503 without reading */
#define DX_HALF_OPEN_PEERS                                                                         \
 1024 /* two peers that fall together, by chance, share what one may have */

struct dx_half_open {
    atomic_size_t count;
    uint64_t key; /* random: nobody can choose with whom he falls together */
    atomic_uint_least32_t by_peer[DX_HALF_OPEN_PEERS];
};

void dx_half_open_init(struct dx_half_open *half_open, uint64_t key);

/** Counts one more. Returns whether there was a place for it. */
bool dx_half_open_add(struct dx_half_open *half_open, const struct dx_address *peer);

/** Counts one less, also where there was no place. */
void dx_half_open_remove(struct dx_half_open *half_open, const struct dx_address *peer);

#endif
