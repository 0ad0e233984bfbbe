/*
 * half_open.h - counts connections that have not sent a whole request yet, in all and for each
 * peer, so that a peer that opens many and says nothing does not take all the places.
 *
 * A peer may have as many as places are left: alone it gets half of them, and the more peers do so,
 * the less each gets. A peer is an IPv4 address, an IPv6 network of 64 bits, or all unix sockets
 * together. Any thread.
 */
#ifndef DX_SERVER_HALF_OPEN_H
#define DX_SERVER_HALF_OPEN_H

#include "net/socket/address.h"

#include <stdatomic.h>

/* In all; above it the answer is 503 without reading. */
#define DX_HALF_OPEN_MAX 1000

/* Counters; two peers whose hashes collide share one, and so what one peer may have. */
#define DX_HALF_OPEN_PEERS 1024

struct dx_half_open {
    atomic_size_t count;
    uint64_t key; /* random, so that a peer cannot choose with whom it collides */
    atomic_uint_least32_t by_peer[DX_HALF_OPEN_PEERS];
};

void dx_half_open_init(struct dx_half_open *half_open, uint64_t key);

/**
 * Counts a connection, if there is a place for it. False: there is none, and nothing is counted.
 */
DX_MUST_CHECK bool dx_half_open_add(struct dx_half_open *half_open, const struct dx_address *peer);

/** Takes back what dx_half_open_add has counted. */
void dx_half_open_remove(struct dx_half_open *half_open, const struct dx_address *peer);

#endif
