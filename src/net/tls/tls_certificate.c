/*
 * tls_certificate.c - loads certificates from PEM and finds their host names.
 *
 * Names come from subjectAltName; from the common name only without one (RFC 6125 section 6.4.4).
 */
#include "net/tls/tls_certificate.h"
#include "net/tls/tls_file.h"
#include "net/tls/tls_names.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>

#define CHAIN_MAX 16

void dx_tls_certificate_keep(struct dx_tls_certificate *certificate)
{
    atomic_fetch_add(&certificate->references, 1);
}

void dx_tls_certificate_drop(struct dx_tls_certificate *certificate)
{
    if (!certificate || atomic_fetch_sub(&certificate->references, 1) != 1)
        return;
    X509_free(certificate->leaf);
    EVP_PKEY_free(certificate->key);
    sk_X509_pop_free(certificate->chain, X509_free);
    for (size_t i = 0; i < certificate->name_count; i++)
        free(certificate->names[i]);
    free(certificate->names);
    free(certificate);
}

bool dx_tls_certificate_use(const struct dx_tls_certificate *certificate, SSL *ssl)
{
    return SSL_use_cert_and_key(ssl, certificate->leaf, certificate->key, certificate->chain, 1) ==
           1;
}

/* ---- names ---- */

/* Leaves out a name that no client can request. False when out of memory. */
static bool add_name(struct dx_tls_certificate *certificate, const ASN1_STRING *text)
{
    char name[DX_TLS_NAME_ROOM];
    char *copy;

    if (!dx_tls_name_normalize((const char *)ASN1_STRING_get0_data(text),
                               (size_t)ASN1_STRING_length(text), true, name))
        return true;
    copy = strdup(name);
    if (!copy)
        return false;
    certificate->names[certificate->name_count++] = copy;
    return true;
}

static bool add_common_name(struct dx_tls_certificate *certificate)
{
    X509_NAME *subject = X509_get_subject_name(certificate->leaf);
    int last = -1;
    int at = -1;

    while ((at = X509_NAME_get_index_by_NID(subject, NID_commonName, at)) >= 0)
        last = at;
    if (last < 0)
        return true;
    certificate->names = calloc(1, sizeof(char *));
    return certificate->names &&
           add_name(certificate, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, last)));
}

static bool add_alternative_names(struct dx_tls_certificate *certificate,
                                  const GENERAL_NAMES *names)
{
    int count = sk_GENERAL_NAME_num(names);

    certificate->names = calloc((size_t)count + 1, sizeof(char *));
    if (!certificate->names)
        return false;
    for (int i = 0; i < count; i++) {
        const GENERAL_NAME *name = sk_GENERAL_NAME_value(names, i);

        if (name->type == GEN_DNS && !add_name(certificate, name->d.dNSName))
            return false;
    }
    return true;
}

static bool find_names(struct dx_tls_certificate *certificate)
{
    GENERAL_NAMES *names = X509_get_ext_d2i(certificate->leaf, NID_subject_alt_name, NULL, NULL);
    bool is_done;

    if (!names)
        return add_common_name(certificate);
    is_done = add_alternative_names(certificate, names);
    GENERAL_NAMES_free(names);
    return is_done;
}

enum dx_err dx_tls_certificate_new(X509 *leaf, EVP_PKEY *key,
                                   struct dx_tls_certificate **certificate)
{
    struct dx_tls_certificate *made = calloc(1, sizeof(*made));

    if (!made) {
        X509_free(leaf);
        EVP_PKEY_free(key);
        return DX_ERR_NOMEM;
    }
    atomic_init(&made->references, 1);
    made->leaf = leaf;
    made->key = key;
    if (!find_names(made)) {
        dx_tls_certificate_drop(made);
        return DX_ERR_NOMEM;
    }
    *certificate = made;
    return DX_OK;
}

/* ---- PEM ---- */

/* Reads the leaf and the chain after it. False: malformed, or more than CHAIN_MAX certificates. */
static bool parse_chain(BIO *bio, X509 **leaf, STACK_OF(X509) * chain)
{
    X509 *next;

    *leaf = PEM_read_bio_X509_AUX(bio, NULL, dx_tls_no_passphrase, NULL);
    if (!*leaf)
        return false;
    while ((next = PEM_read_bio_X509(bio, NULL, dx_tls_no_passphrase, NULL)) != NULL) {
        if (sk_X509_num(chain) >= CHAIN_MAX || sk_X509_push(chain, next) <= 0) {
            X509_free(next);
            return false;
        }
    }
    if (ERR_GET_REASON(ERR_peek_last_error()) != PEM_R_NO_START_LINE)
        return false;
    ERR_clear_error();
    return true;
}

static enum dx_err load_chain(const char *path, X509 **leaf, STACK_OF(X509) * chain,
                              const struct dx_tls_why *why)
{
    struct dx_tls_file file;
    enum dx_err err = dx_tls_file_read(path, &file, why);
    BIO *bio;

    if (err)
        return err;
    bio = dx_tls_file_bio(&file);
    if (!bio || !chain || !parse_chain(bio, leaf, chain))
        err = dx_tls_refuse(path, "not a PEM certificate chain", why);
    BIO_free(bio);
    dx_tls_file_release(&file);
    return err;
}

static enum dx_err load_key(const char *path, EVP_PKEY **key, const struct dx_tls_why *why)
{
    struct dx_tls_file file;
    enum dx_err err = dx_tls_file_read(path, &file, why);
    BIO *bio;

    if (err)
        return err;
    bio = dx_tls_file_bio(&file);
    *key = bio ? PEM_read_bio_PrivateKey(bio, NULL, dx_tls_no_passphrase, NULL) : NULL;
    if (!*key)
        err = dx_tls_refuse(path, "not the certificate's PEM key without a passphrase", why);
    ERR_clear_error();
    BIO_free(bio);
    dx_tls_file_release(&file);
    return err;
}

enum dx_err dx_tls_certificate_load(const char *certificate_path, const char *key_path,
                                    struct dx_tls_certificate **certificate,
                                    const struct dx_tls_why *why)
{
    STACK_OF(X509) *chain = sk_X509_new_null();
    struct dx_tls_certificate *made = NULL;
    X509 *leaf = NULL;
    EVP_PKEY *key = NULL;
    enum dx_err err = load_chain(certificate_path, &leaf, chain, why);

    if (!err)
        err = load_key(key_path, &key, why);
    if (!err && X509_check_private_key(leaf, key) != 1)
        err = dx_tls_refuse(key_path, "not the key of that certificate", why);
    if (err) {
        X509_free(leaf);
        EVP_PKEY_free(key);
    } else {
        err = dx_tls_certificate_new(leaf, key, &made);
        if (err)
            dx_tls_explain(why, "out of memory");
    }
    if (err) {
        sk_X509_pop_free(chain, X509_free);
        return err;
    }
    made->chain = chain;
    *certificate = made;
    return DX_OK;
}
