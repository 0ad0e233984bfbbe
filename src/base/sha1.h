/*
 * sha1.h - SHA-1 (FIPS 180-4), for Sec-WebSocket-Accept only (RFC 6455 section 4.2.2), where it
 * protects nothing.
 *
 * OpenSSL's is not used: it reads a configuration file at its first use, and this room does no I/O.
 */
#ifndef DX_BASE_SHA1_H
#define DX_BASE_SHA1_H

#include <stddef.h>
#include <stdint.h>

#define DX_SHA1_LEN 20

struct dx_sha1 {
    uint32_t state[5];
    uint64_t len; /* bytes added so far */
    uint8_t block[64];
};

void dx_sha1_init(struct dx_sha1 *sha1);
void dx_sha1_update(struct dx_sha1 *sha1, const void *data, size_t len);

/** Writes the digest. Initialise the object again before it is reused. */
void dx_sha1_final(struct dx_sha1 *sha1, uint8_t digest[DX_SHA1_LEN]);

#endif
