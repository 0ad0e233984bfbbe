/*
 * tls_client.c - <duplex/tls_client.h>: a client's settings as an SSL_CTX, and the last session of
 * each host.
 *
 * Neither the environment nor OpenSSL's configuration file has an effect. The system's CAs are read
 * from OpenSSL's built-in directory, one file per CA, which avoids parsing the whole bundle.
 */
#include "net/tls/tls_client_session.h"

#include "base/sized.h"
#include "net/tls/tls_certificate.h"
#include "net/tls/tls_error.h"
#include "net/tls/tls_rules.h"
#include "net/tls/tls_session_parts.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define NAME_MAX_LEN 254
#define KEPT_SESSIONS 64 /* one session for each of the latest hosts */

struct kept_session {
    char *name;
    SSL_SESSION *session;
};

struct dx_tls_client {
    atomic_uint references;
    SSL_CTX *context;
    BIO_METHOD *bio_method;
    char *server_name;
    bool is_insecure;
    void (*on_keylog)(const char *line, void *user);
    void *user;
    pthread_mutex_t lock; /* protects the members below */
    struct kept_session kept[KEPT_SESSIONS];
    size_t next_kept; /* the entry that the next host replaces */
};

void dx_tls_client_keep(struct dx_tls_client *client)
{
    atomic_fetch_add(&client->references, 1);
}

BIO_METHOD *dx_tls_client_bio_method(struct dx_tls_client *client)
{
    return client->bio_method;
}

void dx_tls_client_free(struct dx_tls_client *client)
{
    if (!client || atomic_fetch_sub(&client->references, 1) != 1)
        return;
    for (size_t i = 0; i < KEPT_SESSIONS; i++) {
        free(client->kept[i].name);
        SSL_SESSION_free(client->kept[i].session);
    }
    SSL_CTX_free(client->context);
    BIO_meth_free(client->bio_method);
    free(client->server_name);
    (void)pthread_mutex_destroy(&client->lock);
    free(client);
}

/* ---- sessions (RFC 8446 4.6.1) ---- */

/* The entry of a host, or the one that it replaces. */
static struct kept_session *find_place(struct dx_tls_client *client, const char *name, bool *is_own)
{
    struct kept_session *place;

    for (size_t i = 0; i < KEPT_SESSIONS; i++) {
        *is_own = client->kept[i].name && strcmp(client->kept[i].name, name) == 0;
        if (*is_own)
            return &client->kept[i];
    }
    place = &client->kept[client->next_kept];
    client->next_kept = (client->next_kept + 1) % KEPT_SESSIONS;
    return place;
}

/* OpenSSL's callback: returning 1 takes over the reference. */
static int on_session(SSL *ssl, SSL_SESSION *session)
{
    struct dx_tls_session *owner = BIO_get_data(SSL_get_rbio(ssl));
    struct dx_tls_client *client = owner->client;
    char *name = owner->server_name ? strdup(owner->server_name) : NULL;
    struct kept_session *place;
    bool is_own;

    owner->has_idle_buffers = true;
    if (!name || !SSL_SESSION_is_resumable(session)) {
        free(name);
        return 0;
    }
    (void)pthread_mutex_lock(&client->lock);
    place = find_place(client, name, &is_own);
    free(place->name);
    SSL_SESSION_free(place->session);
    *place = (struct kept_session){name, session};
    (void)pthread_mutex_unlock(&client->lock);
    return 1;
}

/*
 * A TLS 1.3 session is used once (RFC 8446 appendix C.4), so it is removed. A TLS 1.2 session
 * stays: the server sends no new one.
 */
static void resume(struct dx_tls_client *client, SSL *ssl, const char *name)
{
    SSL_SESSION *session = NULL;

    (void)pthread_mutex_lock(&client->lock);
    for (size_t i = 0; i < KEPT_SESSIONS; i++)
        if (client->kept[i].session && strcmp(client->kept[i].name, name) == 0) {
            session = client->kept[i].session;
            if (SSL_SESSION_get_protocol_version(session) >= TLS1_3_VERSION)
                client->kept[i].session = NULL;
            else if (SSL_SESSION_up_ref(session) != 1)
                session = NULL;
        }
    (void)pthread_mutex_unlock(&client->lock);
    if (session)
        (void)SSL_set_session(ssl, session);
    SSL_SESSION_free(session);
}

/* ---- one connection ---- */

static bool is_address(const char *host)
{
    uint8_t bytes[16];

    return inet_pton(AF_INET, host, bytes) == 1 || inet_pton(AF_INET6, host, bytes) == 1;
}

/* A final dot marks a name as absolute; SNI (RFC 6066 section 3) and certificates omit it. */
static char *copy_name(const char *host)
{
    char *name = strdup(host);
    size_t len = strlen(host);

    if (name && len > 1 && host[len - 1] == '.')
        name[len - 1] = '\0';
    return name;
}

static bool ask_for(SSL *ssl, const char *name)
{
    if (is_address(name))
        return X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), name) == 1;
    SSL_set_hostflags(ssl,
                      X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS | X509_CHECK_FLAG_NEVER_CHECK_SUBJECT);
    return SSL_set_tlsext_host_name(ssl, name) == 1 && SSL_set1_host(ssl, name) == 1;
}

SSL *dx_tls_client_ssl(struct dx_tls_client *client, const char *host, char **name)
{
    static const uint8_t alpn[] = "\x08http/1.1";
    SSL *ssl = SSL_new(client->context);

    *name = copy_name(client->server_name ? client->server_name : host);
    if (ssl && *name && ask_for(ssl, *name) &&
        SSL_set_alpn_protos(ssl, alpn, sizeof(alpn) - 1) == 0) {
        resume(client, ssl, *name);
        SSL_set_connect_state(ssl);
        return ssl;
    }
    SSL_free(ssl);
    free(*name);
    return NULL;
}

/* ---- rules ---- */

static void on_keylog_line(const SSL *ssl, const char *line)
{
    struct dx_tls_session *owner = BIO_get_data(SSL_get_rbio(ssl));

    owner->client->on_keylog(line, owner->client->user);
}

static bool set_rules(SSL_CTX *context, const struct dx_tls_client_options *options)
{
    SSL_CTX_clear_options(context, SSL_CTX_get_options(context));
    SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
                                     SSL_OP_ENABLE_MIDDLEBOX_COMPAT);
    SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
                                  SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_NO_AUTO_CHAIN);
    SSL_CTX_set_read_ahead(context, 1);
    SSL_CTX_set_verify(context, options->is_insecure ? SSL_VERIFY_NONE : SSL_VERIFY_PEER, NULL);
    SSL_CTX_set_session_cache_mode(context,
                                   SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL_STORE);
    SSL_CTX_sess_set_new_cb(context, on_session);
    if (options->on_keylog)
        SSL_CTX_set_keylog_callback(context, on_keylog_line);
    return dx_tls_rules_set_algorithms(context);
}

/* True when a file has a name that OpenSSL looks up: eight hex digits, a dot, a number. */
static bool has_hashes(const char *path)
{
    static const char digits[] = "0123456789abcdef";
    DIR *directory = opendir(path);
    struct dirent *entry;
    bool is_found = false;

    while (directory && !is_found && (entry = readdir(directory)) != NULL)
        is_found = strspn(entry->d_name, digits) == 8 && entry->d_name[8] == '.' &&
                   entry->d_name[9] >= '0' && entry->d_name[9] <= '9';
    if (directory)
        closedir(directory);
    return is_found;
}

/* The directory is read per CA, on demand. The bundle, the fallback, is read whole: 20 ms. */
static enum dx_err trust_system(SSL_CTX *context)
{
    X509_STORE *store = SSL_CTX_get_cert_store(context);
    const char *file = X509_get_default_cert_file();
    struct stat found;

    if (!has_hashes(X509_get_default_cert_dir()) && stat(file, &found) == 0 &&
        X509_STORE_load_file(store, file) != 1)
        return dx_tls_take_error(DX_ERR_BAD_CERTIFICATE);
    return X509_STORE_load_path(store, X509_get_default_cert_dir()) == 1
               ? DX_OK
               : dx_tls_take_error(DX_ERR_BAD_CERTIFICATE);
}

static enum dx_err trust(SSL_CTX *context, const char *path, const struct dx_tls_why *why)
{
    struct stat found;

    if (stat(path, &found) != 0 || !S_ISDIR(found.st_mode))
        return dx_tls_rules_trust_file(context, path, NULL, why);
    return X509_STORE_load_path(SSL_CTX_get_cert_store(context), path) == 1
               ? DX_OK
               : dx_tls_refuse(path, "not a directory of CA certificates", why);
}

static enum dx_err show(SSL_CTX *context, const struct dx_tls_client_options *options,
                        const struct dx_tls_why *why)
{
    struct dx_tls_certificate *certificate;
    enum dx_err err;

    if (!options->certificate_path)
        return DX_OK;
    err = dx_tls_certificate_load(options->certificate_path, options->key_path, &certificate, why);
    if (err)
        return err;
    if (SSL_CTX_use_cert_and_key(context, certificate->leaf, certificate->key, certificate->chain,
                                 1) != 1)
        err = dx_tls_refuse(options->certificate_path, "cannot be used", why);
    dx_tls_certificate_drop(certificate);
    return err;
}

static enum dx_err fill(struct dx_tls_client *client, const struct dx_tls_client_options *options,
                        const struct dx_tls_why *why)
{
    enum dx_err err = DX_OK;

    client->bio_method = dx_tls_wire_method();
    if (dx_tls_start_openssl())
        client->context = SSL_CTX_new(TLS_client_method());
    if (options->server_name)
        client->server_name = strdup(options->server_name);
    if (!client->bio_method || !client->context || (options->server_name && !client->server_name) ||
        !set_rules(client->context, options))
        return DX_ERR_NOMEM;
    if (!options->is_insecure)
        err = options->ca_path ? trust(client->context, options->ca_path, why)
                               : trust_system(client->context);
    return err ? err : show(client->context, options, why);
}

enum dx_err dx_tls_client_new(const struct dx_tls_client_options *options,
                              struct dx_tls_client **client, char *why, size_t why_len)
{
    const struct dx_tls_why reason = {why, why_len};
    struct dx_tls_client_options own = dx_tls_client_options_init();
    struct dx_tls_client *made;
    enum dx_err err;

    dx_tls_explain(&reason, DX_SIZED_WHY);
    err = DX_SIZED_COPY(struct dx_tls_client_options, user, &own, options);
    if (err)
        return err;
    dx_tls_explain(&reason, "a certificate and its key go together");
    if (!own.certificate_path != !own.key_path)
        return DX_ERR_USAGE;
    dx_tls_explain(&reason, "server_name is not a host name");
    if (own.server_name && (own.server_name[0] == '\0' || strlen(own.server_name) > NAME_MAX_LEN))
        return DX_ERR_USAGE;
    dx_tls_explain(&reason, "out of memory");
    made = calloc(1, sizeof(*made));
    if (!made)
        return DX_ERR_NOMEM;
    atomic_init(&made->references, 1);
    (void)pthread_mutex_init(&made->lock, NULL);
    made->is_insecure = own.is_insecure;
    made->on_keylog = own.on_keylog;
    made->user = own.user;
    ERR_clear_error();
    err = fill(made, &own, &reason);
    ERR_clear_error();
    if (err) {
        dx_tls_client_free(made);
        return err;
    }
    *client = made;
    return DX_OK;
}
