/*
 * tls_rules.c - a server's settings: Mozilla's intermediate list 5.7 without its three DHE ciphers.
 *
 * Those serve only clients from before 2014, and cost the server far more than elliptic curves. All
 * that a configuration file of OpenSSL could set is set here, so the host program's file has no
 * effect. Not here: certificates (tls_certificate.c), a connection's bytes (tls_session.c).
 */
#include "net/tls/tls_rules.h"
#include "net/tls/tls_file.h"
#include "net/tls/tls_session.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <string.h>

#define DEPTH_MAX 8

/* TLS 1.2: forward secrecy and AEAD only. TLS 1.3: its three common suites. */
static const char ciphers[] =
    "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:"
    "ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305";
static const char ciphers_13[] =
    "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256";
static const char groups[] = "X25519:P-256:P-384";
/* No SHA-1, no DSA. */
static const char signatures[] =
    "ECDSA+SHA256:ECDSA+SHA384:ECDSA+SHA512:ed25519:ed448:RSA-PSS+SHA256:RSA-PSS+SHA384:"
    "RSA-PSS+SHA512:rsa_pss_pss_sha256:rsa_pss_pss_sha384:rsa_pss_pss_sha512:RSA+SHA256:RSA+SHA384:"
    "RSA+SHA512";

bool dx_tls_rules_set_algorithms(SSL_CTX *context)
{
    SSL_CTX_set_security_level(context, 2);
    return SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION) == 1 &&
           SSL_CTX_set_max_proto_version(context, 0) == 1 &&
           SSL_CTX_set_cipher_list(context, ciphers) == 1 &&
           SSL_CTX_set_ciphersuites(context, ciphers_13) == 1 &&
           SSL_CTX_set1_groups_list(context, groups) == 1 &&
           SSL_CTX_set1_sigalgs_list(context, signatures) == 1;
}

static bool set_rules(SSL_CTX *context)
{
    SSL_CTX_clear_options(context, SSL_CTX_get_options(context));
    /*
     * Mozilla lets the client choose: one without AES hardware is faster with ChaCha20.
     * PRIORITIZE_CHACHA respects that choice, while the server's order decides the rest.
     */
    SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
                                     SSL_OP_ENABLE_MIDDLEBOX_COMPAT |
                                     SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_PRIORITIZE_CHACHA);
    SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
                                  SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_NO_AUTO_CHAIN);
    /* One recv for all waiting records, not two each; RELEASE_BUFFERS frees the empty buffer. */
    SSL_CTX_set_read_ahead(context, 1);
    SSL_CTX_set_alpn_select_cb(context, dx_tls_session_on_alpn, NULL);
    SSL_CTX_set_client_hello_cb(context, dx_tls_session_on_hello, NULL);
    SSL_CTX_set_tlsext_servername_callback(context, dx_tls_session_on_name);
    return dx_tls_rules_set_algorithms(context) &&
           SSL_CTX_set1_client_sigalgs_list(context, signatures) == 1 &&
           /* Early data from a client is skipped: another server of that name allowed it. */
           SSL_CTX_set_max_early_data(context, 0) == 1;
}

/* Returns how many there are, or -1: a partial list was not intended. */
static int trust_all(SSL_CTX *context, BIO *bio)
{
    X509_STORE *store = SSL_CTX_get_cert_store(context);
    X509 *authority;
    int count = 0;

    X509_STORE_set_flags(store, X509_V_FLAG_PARTIAL_CHAIN);
    while ((authority = PEM_read_bio_X509(bio, NULL, dx_tls_no_passphrase, NULL)) != NULL) {
        bool is_added = X509_STORE_add_cert(store, authority) == 1;

        X509_free(authority);
        if (!is_added)
            return -1;
        count++;
    }
    if (ERR_GET_REASON(ERR_peek_last_error()) != PEM_R_NO_START_LINE)
        return -1;
    ERR_clear_error();
    return count;
}

enum dx_err dx_tls_rules_trust_file(SSL_CTX *context, const char *path,
                                    uint8_t digest[DX_TLS_DIGEST_LEN], const struct dx_tls_why *why)
{
    struct dx_tls_file file;
    enum dx_err err = dx_tls_file_read(path, &file, why);
    BIO *bio;

    if (err)
        return err;
    bio = dx_tls_file_bio(&file);
    if (!bio || trust_all(context, bio) <= 0 ||
        (digest && EVP_Digest(file.bytes, file.len, digest, NULL, EVP_sha256(), NULL) != 1))
        err = dx_tls_refuse(path, "not a file of PEM CA certificates", why);
    BIO_free(bio);
    dx_tls_file_release(&file);
    return err;
}

/* The request for a certificate names the CAs that are trusted. */
static bool list_authorities(SSL_CTX *context)
{
    STACK_OF(X509_OBJECT) *objects = X509_STORE_get0_objects(SSL_CTX_get_cert_store(context));

    for (int i = 0; i < sk_X509_OBJECT_num(objects); i++) {
        X509 *authority = X509_OBJECT_get0_X509(sk_X509_OBJECT_value(objects, i));

        if (authority && SSL_CTX_add_client_CA(context, authority) != 1)
            return false;
    }
    return true;
}

static enum dx_err ask_clients(SSL_CTX *context, const struct dx_tls_rules *rules,
                               uint8_t policy[DX_TLS_DIGEST_LEN], const struct dx_tls_why *why)
{
    int mode = SSL_VERIFY_PEER | SSL_VERIFY_CLIENT_ONCE;
    enum dx_err err;

    memset(policy, 0, DX_TLS_DIGEST_LEN);
    SSL_CTX_set_verify(context, SSL_VERIFY_NONE, NULL);
    if (rules->client_certificates == DX_TLS_CLIENT_NONE)
        return DX_OK;
    err = dx_tls_rules_trust_file(context, rules->client_ca_path, policy, why);
    if (err)
        return err;
    if (!list_authorities(context))
        return dx_tls_take_error(DX_ERR_NOMEM);
    if (rules->client_certificates == DX_TLS_CLIENT_REQUIRED)
        mode |= SSL_VERIFY_FAIL_IF_NO_PEER_CERT;
    policy[0] = (uint8_t)(policy[0] ^ mode);
    SSL_CTX_set_verify(context, mode, NULL);
    SSL_CTX_set_verify_depth(context, DEPTH_MAX);
    return DX_OK;
}

enum dx_err dx_tls_rules_apply(const struct dx_tls_rules *rules, SSL_CTX **context,
                               uint8_t policy[DX_TLS_DIGEST_LEN], const struct dx_tls_why *why)
{
    SSL_CTX *made = SSL_CTX_new(TLS_server_method());
    enum dx_err err;

    if (!made || !set_rules(made) ||
        !dx_tls_tickets_install(rules->tickets, made, rules->ticket_lifetime_s)) {
        SSL_CTX_free(made);
        err = dx_tls_take_error(DX_ERR_NOMEM);
        dx_tls_explain(why, "out of memory");
        return err;
    }
    err = ask_clients(made, rules, policy, why);
    if (err) {
        SSL_CTX_free(made);
        return err;
    }
    *context = made;
    return DX_OK;
}
