/*
 * tls.c - <duplex/tls.h>: the certificates' sources and the current set.
 *
 * A change makes a new set and swaps it in; a handshake that has started keeps the old one. Not
 * here: the rules (tls_rules.c), a connection's bytes (tls_session.c).
 */
#include "net/tls/tls.h"
#include "base/sized.h"
#include "net/tls/tls_rules.h"
#include "net/tls/tls_self_signed.h"
#include "net/tls/tls_wire.h"

#include <openssl/err.h>
#include <stdlib.h>
#include <string.h>

#define ALPN_COUNT_MAX 16

/* The files of a certificate; both NULL for one made in memory. */
struct source {
    char *certificate_path;
    char *key_path;
};

struct dx_tls {
    struct dx_tls_shared shared;
    atomic_uint references;
    pthread_mutex_t changing; /* one change at a time; held while files are read */
    pthread_mutex_t lock;     /* protects `set`; held briefly */
    struct dx_tls_set *set;
    struct source *sources; /* one for each certificate of the set */
    char *client_ca_path;
    enum dx_tls_client_certificates client_certificates;
    uint32_t ticket_lifetime_s;
};

_Static_assert(offsetof(struct dx_tls, shared) == 0, "dx_tls_shared_of relies on it");

/* ---- what sessions need ---- */

void dx_tls_keep(struct dx_tls *tls)
{
    atomic_fetch_add(&tls->references, 1);
}

struct dx_tls_set *dx_tls_take_set(struct dx_tls *tls)
{
    struct dx_tls_set *set;

    pthread_mutex_lock(&tls->lock);
    set = tls->set;
    dx_tls_set_keep(set);
    pthread_mutex_unlock(&tls->lock);
    return set;
}

/* ---- creation and end ---- */

static void release_source(struct source *source)
{
    free(source->certificate_path);
    free(source->key_path);
}

void dx_tls_free(struct dx_tls *tls)
{
    if (!tls || atomic_fetch_sub(&tls->references, 1) != 1)
        return;
    for (size_t i = 0; tls->set && i < tls->set->certificate_count; i++)
        release_source(&tls->sources[i]);
    free(tls->sources);
    dx_tls_set_drop(tls->set);
    dx_tls_tickets_release(&tls->shared.tickets);
    pthread_mutex_destroy(&tls->changing);
    pthread_mutex_destroy(&tls->lock);
    BIO_meth_free(tls->shared.bio_method);
    free(tls->client_ca_path);
    free(tls->shared.alpn.wire);
    free(tls->shared.alpn.texts);
    free(tls);
}

static enum dx_err set_alpn(struct dx_tls_alpn *alpn, const char *const *names)
{
    static const char *const own[] = {"http/1.1", NULL};
    size_t len = 0;
    size_t at = 0;

    if (!names)
        names = own;
    for (size_t i = 0; names[i]; i++) {
        size_t name_len = strlen(names[i]);

        if (i >= ALPN_COUNT_MAX || name_len < 1 || name_len > 255)
            return DX_ERR_USAGE;
        len += name_len + 1;
    }
    if (len == 0)
        return DX_ERR_USAGE;
    alpn->wire = malloc(len);
    alpn->texts = calloc(1, len + 1);
    if (!alpn->wire || !alpn->texts)
        return DX_ERR_NOMEM;
    for (size_t i = 0; names[i]; i++) {
        size_t name_len = strlen(names[i]);

        alpn->wire[at] = (uint8_t)name_len;
        memcpy(alpn->wire + at + 1, names[i], name_len);
        memcpy(alpn->texts + at, names[i], name_len);
        at += name_len + 1;
    }
    alpn->wire_len = len;
    return DX_OK;
}

static enum dx_err check(const struct dx_tls_options *options, const struct dx_tls_why *why)
{
    bool asks_clients = options->client_certificates != DX_TLS_CLIENT_NONE;

    if ((unsigned)options->client_certificates > DX_TLS_CLIENT_REQUIRED)
        dx_tls_explain(why, "client_certificates is not a known value");
    else if (asks_clients != (options->client_ca_path != NULL))
        dx_tls_explain(why, "client_ca_path and client_certificates go together");
    else if (options->ticket_lifetime_s > DX_TLS_TICKET_LIFETIME_MAX)
        dx_tls_explain(why, "a ticket lives at most seven days");
    else
        return DX_OK;
    return DX_ERR_USAGE;
}

/* Everything but the certificates. */
static enum dx_err make(const struct dx_tls_options *options, struct dx_tls **tls)
{
    struct dx_tls *made = calloc(1, sizeof(*made));
    enum dx_err err;

    if (!made)
        return DX_ERR_NOMEM;
    atomic_init(&made->references, 1);
    (void)pthread_mutex_init(&made->changing, NULL);
    (void)pthread_mutex_init(&made->lock, NULL);
    dx_tls_tickets_init(&made->shared.tickets, options->ticket_lifetime_s);
    made->ticket_lifetime_s = options->ticket_lifetime_s;
    made->client_certificates = options->client_certificates;
    err = set_alpn(&made->shared.alpn, options->alpn);
    made->shared.bio_method = dx_tls_wire_method();
    if (options->client_ca_path)
        made->client_ca_path = strdup(options->client_ca_path);
    made->sources = calloc(1, sizeof(*made->sources));
    if (!err && (!made->shared.bio_method || !made->sources ||
                 (options->client_ca_path && !made->client_ca_path)))
        err = DX_ERR_NOMEM;
    if (err) {
        dx_tls_free(made);
        return err;
    }
    *tls = made;
    return DX_OK;
}

/* ---- sets ---- */

static enum dx_err new_set(struct dx_tls *tls, struct dx_tls_certificate *const *certificates,
                           size_t count, struct dx_tls_set **set, const struct dx_tls_why *why)
{
    const struct dx_tls_rules rules = {tls->client_ca_path, tls->client_certificates,
                                       tls->ticket_lifetime_s, &tls->shared.tickets};
    uint8_t policy[DX_TLS_DIGEST_LEN];
    SSL_CTX *context = NULL;
    enum dx_err err = dx_tls_rules_apply(&rules, &context, policy, why);

    if (!err)
        err = dx_tls_set_new(context, policy, certificates, count, set);
    return err;
}

/* Checks that a handshake can use the certificate: OpenSSL refuses keys that are too short. */
static enum dx_err try_certificate(SSL_CTX *context, const struct dx_tls_certificate *certificate,
                                   const char *path, const struct dx_tls_why *why)
{
    SSL *ssl = SSL_new(context);
    enum dx_err err = DX_OK;

    if (!ssl || !dx_tls_certificate_use(certificate, ssl))
        err = dx_tls_refuse(path, "cannot be used", why);
    SSL_free(ssl);
    return err;
}

/* Makes the first set, of a `tls` that no other thread has yet. Takes over the certificate. */
static enum dx_err begin_with(struct dx_tls *tls, struct dx_tls_certificate *certificate,
                              const char *path, const struct dx_tls_why *why)
{
    enum dx_err err = new_set(tls, &certificate, 1, &tls->set, why);

    if (!err)
        err = try_certificate(tls->set->context, certificate, path, why);
    dx_tls_certificate_drop(certificate);
    return err;
}

static void swap(struct dx_tls *tls, struct dx_tls_set *set)
{
    struct dx_tls_set *old;

    pthread_mutex_lock(&tls->lock);
    old = tls->set;
    tls->set = set;
    pthread_mutex_unlock(&tls->lock);
    dx_tls_set_drop(old);
}

static enum dx_err copy_source(struct source *source, const char *certificate_path,
                               const char *key_path)
{
    struct source made = {strdup(certificate_path), strdup(key_path)};

    if (!made.certificate_path || !made.key_path) {
        release_source(&made);
        return DX_ERR_NOMEM;
    }
    *source = made;
    return DX_OK;
}

/* ---- new ---- */

static enum dx_err load_first(struct dx_tls *tls, const struct dx_tls_options *options,
                              const struct dx_tls_why *why)
{
    struct dx_tls_certificate *certificate;
    enum dx_err err = copy_source(&tls->sources[0], options->certificate_path, options->key_path);

    if (!err)
        err = dx_tls_certificate_load(options->certificate_path, options->key_path, &certificate,
                                      why);
    if (!err)
        err = begin_with(tls, certificate, options->certificate_path, why);
    if (err && !tls->set)
        release_source(&tls->sources[0]);
    return err;
}

enum dx_err dx_tls_new_with(const struct dx_tls_options *options, struct dx_tls **tls, char *why,
                            size_t why_len)
{
    const struct dx_tls_why reason = {why, why_len};
    struct dx_tls_options own = dx_tls_options_init();
    struct dx_tls *made = NULL;
    enum dx_err err;

    dx_tls_explain(&reason, "out of memory");
    err = DX_SIZED_COPY(struct dx_tls_options, ticket_lifetime_s, &own, options);
    if (err) {
        dx_tls_explain(&reason, DX_SIZED_WHY);
        return err;
    }
    if (!own.certificate_path || !own.key_path) {
        dx_tls_explain(&reason, "certificate_path and key_path are needed");
        return DX_ERR_USAGE;
    }
    if (!dx_tls_start_openssl())
        return DX_ERR_NOMEM;
    ERR_clear_error();
    err = check(&own, &reason);
    if (!err)
        err = make(&own, &made);
    if (err == DX_ERR_USAGE && own.alpn)
        dx_tls_explain(&reason, "alpn has an invalid name or too many names");
    if (!err)
        err = load_first(made, &own, &reason);
    ERR_clear_error();
    if (err) {
        dx_tls_free(made);
        return err;
    }
    *tls = made;
    return DX_OK;
}

enum dx_err dx_tls_new(const char *certificate_path, const char *key_path, struct dx_tls **tls,
                       char *why, size_t why_len)
{
    struct dx_tls_options options = dx_tls_options_init();

    options.certificate_path = certificate_path;
    options.key_path = key_path;
    return dx_tls_new_with(&options, tls, why, why_len);
}

enum dx_err dx_tls_new_self_signed(const char *const *names, size_t name_count, uint32_t days,
                                   struct dx_tls **tls, char fingerprint[DX_TLS_FINGERPRINT_ROOM])
{
    const struct dx_tls_options options = dx_tls_options_init();
    const struct dx_tls_why nobody = {NULL, 0};
    struct dx_tls_certificate *certificate = NULL;
    struct dx_tls *made = NULL;
    enum dx_err err = dx_tls_start_openssl() ? DX_OK : DX_ERR_NOMEM;

    if (!err)
        err = dx_tls_self_signed(names, name_count, days, &certificate);
    if (!err)
        err = make(&options, &made);
    if (err) {
        dx_tls_certificate_drop(certificate);
        return err;
    }
    err = begin_with(made, certificate, "", &nobody);
    ERR_clear_error();
    if (err) {
        dx_tls_free(made);
        return err == DX_ERR_BAD_CERTIFICATE ? DX_ERR_TLS : err;
    }
    if (fingerprint)
        dx_tls_fingerprint(made, fingerprint);
    *tls = made;
    return DX_OK;
}

/* ---- changes ---- */

/* The set with one more certificate. The rules stay: the clients' CA file is not read again. */
static enum dx_err extend(struct dx_tls *tls, struct dx_tls_certificate *certificate,
                          struct dx_tls_set **set)
{
    size_t count = tls->set->certificate_count;
    struct dx_tls_certificate **certificates = calloc(count + 1, sizeof(*certificates));
    enum dx_err err;

    if (!certificates)
        return DX_ERR_NOMEM;
    memcpy(certificates, tls->set->certificates, count * sizeof(struct dx_tls_certificate *));
    certificates[count] = certificate;
    SSL_CTX_up_ref(tls->set->context);
    err = dx_tls_set_new(tls->set->context, tls->set->policy, certificates, count + 1, set);
    free(certificates);
    return err;
}

static enum dx_err add(struct dx_tls *tls, const char *certificate_path, const char *key_path,
                       const struct dx_tls_why *why)
{
    size_t count = tls->set->certificate_count;
    struct dx_tls_certificate *certificate = NULL;
    struct dx_tls_set *set = NULL;
    struct source *grown;
    enum dx_err err;

    if (count >= DX_TLS_CERTIFICATES_MAX) {
        dx_tls_explain(why, "%s: there are %d certificates already", certificate_path,
                       DX_TLS_CERTIFICATES_MAX);
        return DX_ERR_TOO_MANY;
    }
    grown = realloc(tls->sources, (count + 1) * sizeof(*grown));
    if (!grown)
        return DX_ERR_NOMEM;
    tls->sources = grown;
    err = copy_source(&grown[count], certificate_path, key_path);
    if (err)
        return err;
    err = dx_tls_certificate_load(certificate_path, key_path, &certificate, why);
    if (!err)
        err = try_certificate(tls->set->context, certificate, certificate_path, why);
    if (!err)
        err = extend(tls, certificate, &set);
    dx_tls_certificate_drop(certificate);
    if (err)
        release_source(&grown[count]);
    else
        swap(tls, set);
    return err;
}

enum dx_err dx_tls_add_certificate(struct dx_tls *tls, const char *certificate_path,
                                   const char *key_path, char *why, size_t why_len)
{
    const struct dx_tls_why reason = {why, why_len};
    enum dx_err err;

    if (!certificate_path || !key_path) {
        dx_tls_explain(&reason, "both paths are needed");
        return DX_ERR_USAGE;
    }
    dx_tls_explain(&reason, "out of memory");
    ERR_clear_error();
    pthread_mutex_lock(&tls->changing);
    err = add(tls, certificate_path, key_path, &reason);
    pthread_mutex_unlock(&tls->changing);
    ERR_clear_error();
    return err;
}

/*
 * Loads all certificates again; one made in memory stays. On failure, too, `certificates` holds
 * references.
 */
static enum dx_err load_all(const struct dx_tls *tls, struct dx_tls_certificate **certificates,
                            const struct dx_tls_why *why)
{
    for (size_t i = 0; i < tls->set->certificate_count; i++) {
        const struct source *source = &tls->sources[i];
        enum dx_err err = DX_OK;

        if (source->certificate_path) {
            err = dx_tls_certificate_load(source->certificate_path, source->key_path,
                                          &certificates[i], why);
        } else {
            certificates[i] = tls->set->certificates[i];
            dx_tls_certificate_keep(certificates[i]);
        }
        if (err)
            return err;
    }
    return DX_OK;
}

static enum dx_err reload(struct dx_tls *tls, const struct dx_tls_why *why)
{
    size_t count = tls->set->certificate_count;
    struct dx_tls_certificate **certificates = calloc(count, sizeof(*certificates));
    struct dx_tls_set *set = NULL;
    enum dx_err err;

    if (!certificates)
        return DX_ERR_NOMEM;
    err = load_all(tls, certificates, why);
    if (!err)
        err = new_set(tls, certificates, count, &set, why);
    for (size_t i = 0; i < count && !err; i++)
        if (tls->sources[i].certificate_path)
            err = try_certificate(set->context, certificates[i], tls->sources[i].certificate_path,
                                  why);
    for (size_t i = 0; i < count; i++)
        dx_tls_certificate_drop(certificates[i]);
    free(certificates);
    if (err)
        dx_tls_set_drop(set);
    else
        swap(tls, set);
    return err;
}

enum dx_err dx_tls_reload(struct dx_tls *tls, char *why, size_t why_len)
{
    const struct dx_tls_why reason = {why, why_len};
    enum dx_err err;

    dx_tls_explain(&reason, "out of memory");
    ERR_clear_error();
    pthread_mutex_lock(&tls->changing);
    err = reload(tls, &reason);
    pthread_mutex_unlock(&tls->changing);
    ERR_clear_error();
    return err;
}

void dx_tls_fingerprint(struct dx_tls *tls, char fingerprint[DX_TLS_FINGERPRINT_ROOM])
{
    struct dx_tls_set *set = dx_tls_take_set(tls);

    dx_tls_fingerprint_of(set->certificates[0]->leaf, fingerprint);
    dx_tls_set_drop(set);
}
