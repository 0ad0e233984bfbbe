/*
 * tls_facts.c - reads dx_tls_facts of <duplex/tls.h> from OpenSSL; stores nothing.
 */
#include "net/tls/tls.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/x509.h>
#include <string.h>

/* "" for a length of 0. */
static void write_fingerprint(const uint8_t *digest, size_t len,
                              char fingerprint[DX_TLS_FINGERPRINT_ROOM])
{
    static const char digits[] = "0123456789ABCDEF";
    char *at = fingerprint;

    for (size_t i = 0; i < len && at + 3 <= fingerprint + DX_TLS_FINGERPRINT_ROOM; i++) {
        *at++ = digits[digest[i] >> 4];
        *at++ = digits[digest[i] & 15];
        *at++ = ':';
    }
    at[at > fingerprint ? -1 : 0] = '\0';
}

void dx_tls_fingerprint_of(const X509 *certificate, char fingerprint[DX_TLS_FINGERPRINT_ROOM])
{
    uint8_t digest[EVP_MAX_MD_SIZE];
    unsigned len = 0;

    if (X509_digest(certificate, EVP_sha256(), digest, &len) != 1)
        len = 0;
    write_fingerprint(digest, len, fingerprint);
}

/*
 * RFC 2253 escapes control characters and everything outside ASCII, so the text is safe to log. ""
 * when out of memory.
 */
static void write_subject(const X509 *certificate, char *subject, size_t room)
{
    BIO *bio = BIO_new(BIO_s_mem());
    int got = 0;

    if (bio && X509_NAME_print_ex(bio, X509_get_subject_name(certificate), 0, XN_FLAG_RFC2253) >= 0)
        got = BIO_read(bio, subject, (int)room - 1);
    subject[got > 0 ? got : 0] = '\0';
    BIO_free(bio);
}

void dx_tls_facts_of(SSL *ssl, struct dx_tls_facts *facts)
{
    const X509 *certificate = SSL_get0_peer_certificate(ssl);

    memset(facts, 0, sizeof(*facts));
    facts->version = SSL_get_version(ssl);
    facts->cipher = SSL_CIPHER_standard_name(SSL_get_current_cipher(ssl));
    facts->is_resumed = SSL_session_reused(ssl) == 1;
    facts->has_client_certificate = certificate && SSL_get_verify_result(ssl) == X509_V_OK;
    if (facts->has_client_certificate) {
        ERR_clear_error();
        write_subject(certificate, facts->client_subject, sizeof(facts->client_subject));
        dx_tls_fingerprint_of(certificate, facts->client_fingerprint);
        ERR_clear_error();
    }
}
