/*
 * tls_tickets.c - rotates the ticket keys, and encrypts tickets with them in OpenSSL's callback.
 *
 * AES-256-CBC, then HMAC-SHA-256, as RFC 5077 section 4 recommends.
 */
#include "net/tls/tls_tickets.h"
#include "net/tls/tls_session.h"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <string.h>
#include <time.h>

/* A clock that also runs during suspend: a key must not outlive its period. */
static uint64_t clock_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_BOOTTIME, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

void dx_tls_tickets_init(struct dx_tls_tickets *tickets, uint32_t lifetime_s)
{
    memset(tickets, 0, sizeof(*tickets));
    tickets->period_ms = (uint64_t)lifetime_s * 500;
    tickets->now_ms = clock_ms;
    (void)pthread_mutex_init(&tickets->lock, NULL); /* on Linux it cannot fail */
}

void dx_tls_tickets_release(struct dx_tls_tickets *tickets)
{
    pthread_mutex_destroy(&tickets->lock);
    OPENSSL_cleanse(tickets, sizeof(*tickets));
}

/* Under the lock. */
static void forget_old_keys(struct dx_tls_tickets *tickets)
{
    uint64_t now_ms = tickets->now_ms();
    uint64_t age_ms = now_ms > tickets->born_ms ? now_ms - tickets->born_ms : 0;

    if (age_ms < tickets->period_ms)
        return;
    /* The previous key expires one period after it was due to rotate, not after this call. */
    tickets->has_previous = tickets->has_current && age_ms < 2 * tickets->period_ms;
    tickets->has_current = false;
    tickets->previous = tickets->current;
    OPENSSL_cleanse(&tickets->current, sizeof(tickets->current));
    if (!tickets->has_previous)
        OPENSSL_cleanse(&tickets->previous, sizeof(tickets->previous));
    tickets->born_ms = tickets->has_previous ? tickets->born_ms + tickets->period_ms : now_ms;
}

/* Under the lock. */
static bool make_current(struct dx_tls_tickets *tickets)
{
    struct dx_tls_ticket_key *key = &tickets->current;

    if (tickets->has_current)
        return true;
    if (RAND_bytes(key->name, sizeof(key->name)) != 1 ||
        RAND_priv_bytes(key->cipher_key, sizeof(key->cipher_key)) != 1 ||
        RAND_priv_bytes(key->mac_key, sizeof(key->mac_key)) != 1)
        return false;
    tickets->has_current = true;
    return true;
}

bool dx_tls_tickets_current(struct dx_tls_tickets *tickets, struct dx_tls_ticket_key *key)
{
    bool is_made;

    pthread_mutex_lock(&tickets->lock);
    forget_old_keys(tickets);
    is_made = make_current(tickets);
    if (is_made)
        *key = tickets->current;
    pthread_mutex_unlock(&tickets->lock);
    return is_made;
}

int dx_tls_tickets_find(struct dx_tls_tickets *tickets, const uint8_t name[16],
                        struct dx_tls_ticket_key *key)
{
    int found = 0;

    pthread_mutex_lock(&tickets->lock);
    forget_old_keys(tickets);
    if (tickets->has_current && memcmp(name, tickets->current.name, 16) == 0) {
        *key = tickets->current;
        found = 1;
    } else if (tickets->has_previous && memcmp(name, tickets->previous.name, 16) == 0) {
        *key = tickets->previous;
        found = 2;
    }
    pthread_mutex_unlock(&tickets->lock);
    return found;
}

static bool set_keys(const struct dx_tls_ticket_key *key, const unsigned char *iv,
                     EVP_CIPHER_CTX *cipher, EVP_MAC_CTX *mac, int is_encrypting)
{
    uint8_t mac_key[sizeof(key->mac_key)];
    char digest[] = "SHA256";
    const OSSL_PARAM params[] = {
        OSSL_PARAM_construct_octet_string(OSSL_MAC_PARAM_KEY, mac_key, sizeof(mac_key)),
        OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
        OSSL_PARAM_construct_end(),
    };
    bool is_set;

    memcpy(mac_key, key->mac_key, sizeof(mac_key));
    is_set =
        EVP_MAC_CTX_set_params(mac, params) == 1 &&
        EVP_CipherInit_ex(cipher, EVP_aes_256_cbc(), NULL, key->cipher_key, iv, is_encrypting) == 1;
    OPENSSL_cleanse(mac_key, sizeof(mac_key));
    return is_set;
}

static struct dx_tls_tickets *tickets_of(SSL *ssl)
{
    return SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl));
}

/* OpenSSL's result: -1 error, 0 unknown key, 1 done, 2 done and the client needs a new ticket. */
static int on_ticket(SSL *ssl, unsigned char name[16], unsigned char *iv, EVP_CIPHER_CTX *cipher,
                     EVP_MAC_CTX *mac, int is_encrypting)
{
    struct dx_tls_tickets *tickets = tickets_of(ssl);
    struct dx_tls_ticket_key key;
    int result = 1;

    if (is_encrypting) {
        if (!dx_tls_tickets_current(tickets, &key) ||
            RAND_bytes(iv, EVP_CIPHER_get_iv_length(EVP_aes_256_cbc())) != 1)
            return -1;
        memcpy(name, key.name, sizeof(key.name));
    } else {
        result = dx_tls_tickets_find(tickets, name, &key);
        if (result == 0)
            return 0;
    }
    if (!set_keys(&key, iv, cipher, mac, is_encrypting))
        result = -1;
    OPENSSL_cleanse(&key, sizeof(key));
    return result;
}

/* ---- the total life of a session, however many tickets it gets ---- */

/* Puts the session's start time into the ticket. */
static int on_new_ticket(SSL *ssl, void *unused)
{
    SSL_SESSION *session = SSL_get_session(ssl);
    uint64_t begun_ms = tickets_of(ssl)->now_ms();
    void *kept = NULL;
    size_t len = 0;

    (void)unused;
    /* A resumed session has the time of its first ticket. */
    if (SSL_SESSION_get0_ticket_appdata(session, &kept, &len) == 1 && len == sizeof(begun_ms))
        return 1;
    return SSL_SESSION_set1_ticket_appdata(session, &begun_ms, sizeof(begun_ms));
}

static bool may_go_on(struct dx_tls_tickets *tickets, SSL_SESSION *session)
{
    const X509 *shown = SSL_SESSION_get0_peer(session);
    uint64_t begun_ms;
    void *kept = NULL;
    size_t len = 0;

    if (SSL_SESSION_get0_ticket_appdata(session, &kept, &len) != 1 || len != sizeof(begun_ms))
        return false;
    memcpy(&begun_ms, kept, sizeof(begun_ms));
    if (tickets->now_ms() - begun_ms > 2 * tickets->period_ms)
        return false;
    return !shown || X509_cmp_current_time(X509_get0_notAfter(shown)) > 0;
}

static SSL_TICKET_RETURN on_opened_ticket(SSL *ssl, SSL_SESSION *session, const unsigned char *name,
                                          size_t name_len, SSL_TICKET_STATUS status, void *unused)
{
    (void)name;
    (void)name_len;
    (void)unused;
    if (status != SSL_TICKET_SUCCESS && status != SSL_TICKET_SUCCESS_RENEW)
        return SSL_TICKET_RETURN_IGNORE_RENEW;
    if (!may_go_on(tickets_of(ssl), session))
        return SSL_TICKET_RETURN_IGNORE_RENEW;
    return status == SSL_TICKET_SUCCESS ? SSL_TICKET_RETURN_USE : SSL_TICKET_RETURN_USE_RENEW;
}

bool dx_tls_tickets_install(struct dx_tls_tickets *tickets, SSL_CTX *context, uint32_t lifetime_s)
{
    /* No server-side cache: after its connection a session takes no memory. */
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
    if (tickets->period_ms == 0) {
        SSL_CTX_set_options(context, SSL_OP_NO_TICKET);
        return SSL_CTX_set_num_tickets(context, 0) == 1;
    }
    (void)SSL_CTX_set_timeout(context, (long)lifetime_s);
    return SSL_CTX_set_app_data(context, tickets) == 1 &&
           SSL_CTX_set_num_tickets(context, 1) == 1 &&
           SSL_CTX_set_tlsext_ticket_key_evp_cb(context, on_ticket) == 1 &&
           SSL_CTX_set_session_ticket_cb(context, on_new_ticket, on_opened_ticket, NULL) == 1;
}
