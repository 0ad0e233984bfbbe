/*
 * tls_tickets.h - the keys of session tickets (RFC 5077 section 4, RFC 8446 section 4.6.1).
 *
 * Keys are random and rotate by time. All loops that share a dx_tls share them.
 */
#ifndef DX_NET_TLS_TICKETS_H
#define DX_NET_TLS_TICKETS_H

#include <duplex/error.h>

#include <openssl/ssl.h>
#include <pthread.h>

#define DX_TLS_TICKET_LIFETIME_MAX 604800 /* seven days (RFC 8446 4.6.1) */

struct dx_tls_ticket_key {
    uint8_t name[16];
    uint8_t cipher_key[32];
    uint8_t mac_key[32];
};

struct dx_tls_tickets {
    pthread_mutex_t lock;
    uint64_t (*now_ms)(void); /* a test may replace it before the first handshake */
    /* How long a key makes tickets; it opens them as long again. 0: no tickets. */
    uint64_t period_ms;
    uint64_t born_ms; /* of the current key */
    bool has_current;
    bool has_previous;
    struct dx_tls_ticket_key current;
    struct dx_tls_ticket_key previous;
};

/** Starts without keys. A key makes tickets for half of `lifetime_s`. 0: no tickets. */
void dx_tls_tickets_init(struct dx_tls_tickets *tickets, uint32_t lifetime_s);
/** Overwrites the keys. */
void dx_tls_tickets_release(struct dx_tls_tickets *tickets);

/** Copies the key for new tickets. False when the system has no randomness. Any thread. */
bool dx_tls_tickets_current(struct dx_tls_tickets *tickets, struct dx_tls_ticket_key *key);

/**
 * Copies the key with that name. Any thread.
 *
 * Returns 0: no such key (it may have expired), 1: the current key, 2: the previous one, so the
 * client needs a new ticket.
 */
int dx_tls_tickets_find(struct dx_tls_tickets *tickets, const uint8_t name[16],
                        struct dx_tls_ticket_key *key);

/**
 * Makes `context` use these keys, which must outlive its connections, or no tickets. False when out
 * of memory.
 */
bool dx_tls_tickets_install(struct dx_tls_tickets *tickets, SSL_CTX *context, uint32_t lifetime_s);

#endif
