/*
 * tls.c - certificate, key and the rules (Mozilla's intermediate list 5.7). Not here: what happens on a connection
 * (tls_session.c). OpenSSL is initialised at the first context, without its configuration file.
 */
#include "net/tls.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct dx_tls {
    atomic_uint references;
    SSL_CTX *context;
    BIO_METHOD *bio_method;
};

/* TLS 1.2: forward secrecy and AEAD only. TLS 1.3's own three are all good. */
static const char ciphers[] =
    "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:"
    "ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305";

static int bio_write(BIO *bio, const char *bytes, int len)
{
    ssize_t sent;

    do {
        sent = send((int)(intptr_t)BIO_get_data(bio), bytes, (size_t)len, MSG_NOSIGNAL);
    } while (sent < 0 && errno == EINTR);
    BIO_clear_retry_flags(bio);
    if (sent < 0 && errno == EAGAIN)
        BIO_set_retry_write(bio);
    return (int)sent;
}

static int bio_read(BIO *bio, char *bytes, int len)
{
    ssize_t got;

    do {
        got = recv((int)(intptr_t)BIO_get_data(bio), bytes, (size_t)len, 0);
    } while (got < 0 && errno == EINTR);
    BIO_clear_retry_flags(bio);
    if (got < 0 && errno == EAGAIN)
        BIO_set_retry_read(bio);
    return (int)got;
}

static long bio_control(BIO *bio, int command, long number, void *data)
{
    (void)bio;
    (void)number;
    (void)data;
    return command == BIO_CTRL_FLUSH;
}

static BIO_METHOD *new_bio_method(void)
{
    BIO_METHOD *method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "duplex");

    if (method && BIO_meth_set_write(method, bio_write) && BIO_meth_set_read(method, bio_read) &&
        BIO_meth_set_ctrl(method, bio_control))
        return method;
    BIO_meth_free(method);
    return NULL;
}

static int select_protocol(SSL *ssl, const unsigned char **out, unsigned char *out_len,
                           const unsigned char *in, unsigned int in_len, void *data)
{
    static const unsigned char ours[] = "\x08http/1.1";
    unsigned char *chosen;

    (void)ssl;
    (void)data;
    if (SSL_select_next_proto(&chosen, out_len, ours, sizeof(ours) - 1, in, in_len) !=
        OPENSSL_NPN_NEGOTIATED)
        return SSL_TLSEXT_ERR_ALERT_FATAL;
    *out = chosen;
    return SSL_TLSEXT_ERR_OK;
}

static bool set_rules(SSL_CTX *context)
{
    SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
                                     SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_PRIORITIZE_CHACHA);
    SSL_CTX_clear_options(context, SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_PRIORITIZE_CHACHA);
    SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
                                  SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    /* Stateless tickets only, none kept here: a session costs no memory when its connection is gone. */
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_alpn_select_cb(context, select_protocol, NULL);
    return SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION) == 1 &&
           SSL_CTX_set_cipher_list(context, ciphers) == 1 &&
           SSL_CTX_set1_groups_list(context, "X25519:P-256:P-384") == 1 &&
           SSL_CTX_set_num_tickets(context, 1) == 1 &&
           SSL_CTX_set_session_id_context(context, (const unsigned char *)"duplex", 6) == 1;
}

__attribute__((format(printf, 3, 4))) static void explain(char *why, size_t why_len,
                                                          const char *format, ...)
{
    va_list args;

    if (!why || why_len == 0)
        return;
    va_start(args, format);
    (void)vsnprintf(why, why_len, format, args);
    va_end(args);
}

/* Says why a file cannot be read before OpenSSL says it in its own way. */
static enum dx_err check_readable(const char *path, char *why, size_t why_len)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    int code = errno;

    if (fd >= 0) {
        close(fd);
        return DX_OK;
    }
    explain(why, why_len, "%s: %s", path, strerror(code));
    if (code == ENOMEM)
        return DX_ERR_NOMEM;
    return code == ENOENT || code == ENOTDIR ? DX_ERR_NOT_FOUND : DX_ERR_ACCESS;
}

/* The last error is the most telling: the first ones are how it was found. */
static enum dx_err refuse(const char *path, const char *what, char *why, size_t why_len)
{
    unsigned long code = ERR_peek_last_error();
    const char *reason = code ? ERR_reason_error_string(code) : NULL;
    enum dx_err err =
        ERR_GET_REASON(code) == ERR_R_MALLOC_FAILURE ? DX_ERR_NOMEM : DX_ERR_BAD_CERTIFICATE;

    explain(why, why_len, "%s: %s%s%s", path, what, reason ? ": " : "", reason ? reason : "");
    ERR_clear_error();
    return err;
}

/* A key behind a passphrase cannot be asked for here: OpenSSL's own way would block on the terminal. */
static int no_passphrase(char *buffer, int len, int for_writing, void *data)
{
    (void)buffer;
    (void)len;
    (void)for_writing;
    (void)data;
    return -1;
}

static enum dx_err load(SSL_CTX *context, const char *certificate_path, const char *key_path,
                        char *why, size_t why_len)
{
    enum dx_err err = check_readable(certificate_path, why, why_len);

    if (!err)
        err = check_readable(key_path, why, why_len);
    if (err)
        return err;
    SSL_CTX_set_default_passwd_cb(context, no_passphrase);
    if (SSL_CTX_use_certificate_chain_file(context, certificate_path) != 1)
        return refuse(certificate_path, "not a PEM certificate chain", why, why_len);
    if (SSL_CTX_use_PrivateKey_file(context, key_path, SSL_FILETYPE_PEM) != 1)
        return refuse(key_path, "not the certificate's PEM key without a passphrase", why, why_len);
    if (SSL_CTX_check_private_key(context) != 1)
        return refuse(key_path, "not the key of that certificate", why, why_len);
    return DX_OK;
}

enum dx_err dx_tls_new(const char *certificate_path, const char *key_path, struct dx_tls **tls,
                       char *why, size_t why_len)
{
    struct dx_tls *made = calloc(1, sizeof(*made));
    enum dx_err err = DX_ERR_NOMEM;

    explain(why, why_len, "out of memory");
    if (!made)
        return DX_ERR_NOMEM;
    atomic_init(&made->references, 1);
    if (OPENSSL_init_ssl(OPENSSL_INIT_NO_LOAD_CONFIG, NULL) == 1) {
        made->context = SSL_CTX_new(TLS_server_method());
        made->bio_method = new_bio_method();
    }
    if (made->context && made->bio_method && set_rules(made->context))
        err = load(made->context, certificate_path, key_path, why, why_len);
    ERR_clear_error();
    if (err) {
        dx_tls_free(made);
        return err;
    }
    *tls = made;
    return DX_OK;
}

void dx_tls_keep(struct dx_tls *tls)
{
    atomic_fetch_add(&tls->references, 1);
}

void dx_tls_free(struct dx_tls *tls)
{
    if (!tls || atomic_fetch_sub(&tls->references, 1) != 1)
        return;
    SSL_CTX_free(tls->context);
    BIO_meth_free(tls->bio_method);
    free(tls);
}

SSL_CTX *dx_tls_context(struct dx_tls *tls)
{
    return tls->context;
}

BIO_METHOD *dx_tls_bio_method(struct dx_tls *tls)
{
    return tls->bio_method;
}
