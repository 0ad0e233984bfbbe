/*
 * tls_self_signed.c - see tls_self_signed.h. ECDSA on P-256, for servers only, not a CA (RFC 5280).
 */
#include "net/tls/tls_self_signed.h"
#include "net/tls/tls_names.h"

#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>
#include <string.h>

#define DAYS_MAX 825
#define NAMES_MAX 100
#define COMMON_NAME_MAX 64 /* RFC 5280 appendix A.1 */
#define SERIAL_LEN 16

/* ---- names ---- */

/* NULL when the text is neither an address nor a name, or out of memory; `*err` says which. */
static GENERAL_NAME *make_name(const char *text, enum dx_err *err)
{
    ASN1_STRING *value = NULL;
    char name[DX_TLS_NAME_ROOM];
    uint8_t address[16];
    GENERAL_NAME *made;
    int type = GEN_IPADD;
    bool is_set = false;

    *err = DX_ERR_NOMEM;
    made = GENERAL_NAME_new();
    if (inet_pton(AF_INET, text, address) == 1) {
        value = ASN1_OCTET_STRING_new();
        is_set = value && ASN1_STRING_set(value, address, 4) == 1;
    } else if (inet_pton(AF_INET6, text, address) == 1) {
        value = ASN1_OCTET_STRING_new();
        is_set = value && ASN1_STRING_set(value, address, 16) == 1;
    } else if (dx_tls_name_normalize(text, strlen(text), true, name)) {
        type = GEN_DNS;
        value = ASN1_IA5STRING_new();
        is_set = value && ASN1_STRING_set(value, name, -1) == 1;
    } else {
        *err = DX_ERR_USAGE;
    }
    if (!made || !is_set) {
        ASN1_STRING_free(value);
        GENERAL_NAME_free(made);
        return NULL;
    }
    GENERAL_NAME_set0_value(made, type, value);
    return made;
}

static enum dx_err make_names(const char *const *texts, size_t count, GENERAL_NAMES *names)
{
    enum dx_err err = names ? DX_OK : DX_ERR_NOMEM;

    for (size_t i = 0; i < count && !err; i++) {
        GENERAL_NAME *name = make_name(texts[i], &err);

        if (!name)
            return err;
        err = DX_OK;
        if (sk_GENERAL_NAME_push(names, name) <= 0) {
            GENERAL_NAME_free(name);
            err = DX_ERR_NOMEM;
        }
    }
    return err;
}

/* ---- the certificate ---- */

static bool set_serial(X509 *leaf)
{
    uint8_t bytes[SERIAL_LEN];
    BIGNUM *number;
    bool is_set;

    if (RAND_bytes(bytes, sizeof(bytes)) != 1)
        return false;
    bytes[0] = (bytes[0] & 0x7f) | 0x40; /* positive, and no leading zero byte */
    number = BN_bin2bn(bytes, sizeof(bytes), NULL);
    is_set = number && BN_to_ASN1_INTEGER(number, X509_get_serialNumber(leaf)) != NULL;
    BN_free(number);
    return is_set;
}

static bool set_subject(X509 *leaf, const char *text)
{
    X509_NAME *name = X509_get_subject_name(leaf);

    if (strlen(text) > COMMON_NAME_MAX)
        text = "duplex";
    return X509_NAME_add_entry_by_NID(name, NID_commonName, MBSTRING_ASC,
                                      (const unsigned char *)text, -1, -1, 0) == 1 &&
           X509_set_issuer_name(leaf, name) == 1;
}

static bool add_extension(X509 *leaf, int id, const char *value)
{
    X509V3_CTX context;
    X509_EXTENSION *extension;
    bool is_added;

    X509V3_set_ctx_nodb(&context);
    X509V3_set_ctx(&context, leaf, leaf, NULL, NULL, 0);
    extension = X509V3_EXT_conf_nid(NULL, &context, id, value);
    is_added = extension && X509_add_ext(leaf, extension, -1) == 1;
    X509_EXTENSION_free(extension);
    return is_added;
}

static bool fill(X509 *leaf, EVP_PKEY *key, const char *subject, GENERAL_NAMES *names,
                 uint32_t days)
{
    return X509_set_version(leaf, X509_VERSION_3) == 1 && set_serial(leaf) &&
           X509_gmtime_adj(X509_getm_notBefore(leaf), 0) &&
           X509_time_adj_ex(X509_getm_notAfter(leaf), (int)days, 0, NULL) &&
           X509_set_pubkey(leaf, key) == 1 && set_subject(leaf, subject) &&
           X509_add1_ext_i2d(leaf, NID_subject_alt_name, names, 0, 0) == 1 &&
           add_extension(leaf, NID_basic_constraints, "critical,CA:FALSE") &&
           add_extension(leaf, NID_key_usage, "critical,digitalSignature") &&
           add_extension(leaf, NID_ext_key_usage, "serverAuth") &&
           add_extension(leaf, NID_subject_key_identifier, "hash") &&
           X509_sign(leaf, key, EVP_sha256()) > 0;
}

enum dx_err dx_tls_self_signed(const char *const *names, size_t count, uint32_t days,
                               struct dx_tls_certificate **certificate)
{
    static const char *const own[] = {"localhost", "127.0.0.1", "::1"};
    const char *const *texts = names ? names : own;
    GENERAL_NAMES *made_names;
    EVP_PKEY *key = NULL;
    X509 *leaf = NULL;
    enum dx_err err;

    if (!names)
        count = sizeof(own) / sizeof(own[0]);
    if (count == 0 || count > NAMES_MAX || days < 1 || days > DAYS_MAX)
        return DX_ERR_USAGE;
    if (RAND_status() != 1)
        return DX_ERR_SYSTEM;
    ERR_clear_error();
    made_names = sk_GENERAL_NAME_new_null();
    err = make_names(texts, count, made_names);
    if (!err) {
        key = EVP_EC_gen("P-256");
        leaf = key ? X509_new() : NULL;
        if (!leaf || !fill(leaf, key, texts[0], made_names, days))
            err = dx_tls_take_error(DX_ERR_TLS);
    }
    GENERAL_NAMES_free(made_names);
    ERR_clear_error();
    if (err) {
        X509_free(leaf);
        EVP_PKEY_free(key);
        return err;
    }
    return dx_tls_certificate_new(leaf, key, certificate);
}
