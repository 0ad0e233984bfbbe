/*
 * tls_tickets.h - the keys of session tickets (RFC 5077 4, RFC 8446 4.6.1): made here at random, changed by time. One set
 * for all loops that share a dx_tls.
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
    uint64_t (*now_ms)(void); /* a test may set another one before the first handshake */
    uint64_t
        period_ms;    /* a key makes tickets so long, and opens them as long again; 0: no tickets */
    uint64_t born_ms; /* the current key */
    bool has_current;
    bool has_previous;
    struct dx_tls_ticket_key current;
    struct dx_tls_ticket_key previous;
};

void dx_tls_tickets_init(struct dx_tls_tickets *tickets, uint32_t lifetime_s);
void dx_tls_tickets_release(struct dx_tls_tickets *tickets);

/** The key for new tickets. False: no randomness. Any thread. */
bool dx_tls_tickets_current(struct dx_tls_tickets *tickets, struct dx_tls_ticket_key *key);

/** The key with that name: 0 none (any more), 1 the current one, 2 an old one, so a new ticket is due. Any thread. */
int dx_tls_tickets_find(struct dx_tls_tickets *tickets, const uint8_t name[16],
                        struct dx_tls_ticket_key *key);

/** Makes `context` use those of its connections' dx_tls, or none. False: no memory. */
bool dx_tls_tickets_install(const struct dx_tls_tickets *tickets, SSL_CTX *context,
                            uint32_t lifetime_s);

#endif
