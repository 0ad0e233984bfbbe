/*
 * tls_hello.c - choices in the handshake: certificate by name (RFC 6066 section 3), protocol
 * (RFC 7301); and the texts for failed handshakes.
 */
#include "net/tls/tls_session_parts.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct dx_tls_session *session_of(SSL *ssl)
{
    return BIO_get_data(SSL_get_rbio(ssl));
}

/*
 * The name in the extension: a list with one entry of type 0. OpenSSL refuses a malformed extension
 * after this callback. Text that is not a host name counts as no name.
 */
static bool read_name(SSL *ssl, char name[DX_TLS_NAME_ROOM])
{
    const unsigned char *bytes;
    size_t len;

    if (SSL_client_hello_get0_ext(ssl, TLSEXT_TYPE_server_name, &bytes, &len) != 1)
        return false;
    if (len < 5 || bytes[2] != TLSEXT_NAMETYPE_host_name ||
        len - 5 < ((size_t)bytes[3] << 8 | bytes[4]))
        return false;
    return dx_tls_name_normalize((const char *)bytes + 5, (size_t)bytes[3] << 8 | bytes[4], false,
                                 name);
}

/*
 * A session is resumed only under the name it started with (RFC 9325 section 8.1.2) and under the
 * same rules for client certificates, because a ticket carries the result of checking the client's
 * certificate (RFC 8446 section 4.6.1).
 */
static bool bind_sessions(SSL *ssl, const struct dx_tls_session *session)
{
    uint8_t text[DX_TLS_DIGEST_LEN + DX_TLS_NAME_ROOM];
    uint8_t digest[DX_TLS_DIGEST_LEN];
    size_t len = session->server_name ? strlen(session->server_name) : 0;

    memcpy(text, session->set->policy, DX_TLS_DIGEST_LEN);
    if (len > 0)
        memcpy(text + DX_TLS_DIGEST_LEN, session->server_name, len);
    return EVP_Digest(text, DX_TLS_DIGEST_LEN + len, digest, NULL, EVP_sha256(), NULL) == 1 &&
           SSL_set_session_id_context(ssl, digest, sizeof(digest)) == 1;
}

int dx_tls_session_on_hello(SSL *ssl, int *alert, void *unused)
{
    struct dx_tls_session *session = session_of(ssl);
    char name[DX_TLS_NAME_ROOM];
    bool is_known = read_name(ssl, name);

    (void)unused;
    *alert = SSL_AD_INTERNAL_ERROR;
    free(session->server_name); /* set by a first hello, if this is one after HelloRetryRequest */
    session->server_name = is_known ? strdup(name) : NULL;
    if (is_known && !session->server_name) {
        ERR_raise(ERR_LIB_SSL, ERR_R_MALLOC_FAILURE);
        return SSL_CLIENT_HELLO_ERROR;
    }
    if (!dx_tls_certificate_use(
            dx_tls_set_find(session->set, session->server_name, &session->is_named), ssl) ||
        !bind_sessions(ssl, session))
        return SSL_CLIENT_HELLO_ERROR;
    return SSL_CLIENT_HELLO_SUCCESS;
}

int dx_tls_session_on_name(SSL *ssl, int *alert, void *unused)
{
    (void)alert;
    (void)unused;
    return session_of(ssl)->is_named ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_NOACK;
}

int dx_tls_session_on_alpn(SSL *ssl, const unsigned char **chosen, unsigned char *chosen_len,
                           const unsigned char *offered, unsigned offered_len, void *unused)
{
    const struct dx_tls_alpn *ours = &dx_tls_shared_of(session_of(ssl)->tls)->alpn;
    unsigned char *found;

    (void)unused;
    if (SSL_select_next_proto(&found, chosen_len, ours->wire, (unsigned)ours->wire_len, offered,
                              offered_len) != OPENSSL_NPN_NEGOTIATED)
        return SSL_TLSEXT_ERR_ALERT_FATAL;
    *chosen = found;
    return SSL_TLSEXT_ERR_OK;
}

static const char *agreed_protocol(const struct dx_tls_session *session)
{
    const unsigned char *agreed;
    const char *text;
    unsigned len;

    SSL_get0_alpn_selected(session->ssl, &agreed, &len);
    if (len == 0)
        return NULL;
    if (session->client)
        return "http/1.1"; /* the only protocol that clients offer */
    text = dx_tls_shared_of(session->tls)->alpn.texts;
    for (; *text; text += strlen(text) + 1)
        if (strlen(text) == len && memcmp(text, agreed, len) == 0)
            return text;
    return NULL;
}

bool dx_tls_session_facts(const struct dx_tls_session *session, struct dx_tls_facts *facts)
{
    if (!SSL_is_init_finished(session->ssl))
        return false;
    dx_tls_facts_of(session->ssl, facts);
    if (session->client) {
        /* A client's session has the certificate of the server. */
        facts->has_client_certificate = false;
        facts->client_subject[0] = '\0';
        facts->client_fingerprint[0] = '\0';
    }
    facts->server_name = session->server_name;
    facts->alpn = agreed_protocol(session);
    return true;
}

/* ---- failures ---- */

static const struct {
    int reason;
    const char *text;
} reasons[] = {
    {SSL_R_TLSV1_ALERT_UNKNOWN_CA, "the client does not trust the certificate"},
    {SSL_R_SSLV3_ALERT_BAD_CERTIFICATE, "the client does not trust the certificate"},
    {SSL_R_SSLV3_ALERT_CERTIFICATE_UNKNOWN, "the client does not trust the certificate"},
    {SSL_R_SSLV3_ALERT_CERTIFICATE_EXPIRED, "the client reports that the certificate has expired"},
    {SSL_R_SSLV3_ALERT_UNSUPPORTED_CERTIFICATE, "the client does not support this certificate"},
    {SSL_R_UNSUPPORTED_PROTOCOL, "the client speaks neither TLS 1.2 nor 1.3"},
    {SSL_R_VERSION_TOO_LOW, "the client speaks neither TLS 1.2 nor 1.3"},
    {SSL_R_TLSV1_ALERT_PROTOCOL_VERSION, "the client speaks neither TLS 1.2 nor 1.3"},
    {SSL_R_NO_SHARED_CIPHER, "the client offers no cipher that this server uses"},
    {SSL_R_NO_SUITABLE_KEY_SHARE, "the client offers no curve that this server uses"},
    {SSL_R_NO_SUITABLE_SIGNATURE_ALGORITHM,
     "the client offers no signature algorithm that this server uses"},
    {SSL_R_NO_APPLICATION_PROTOCOL, "the client offers no protocol that this server uses (ALPN)"},
    {SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE, "the client presents no certificate"},
};

/* Why a client's handshake with a server failed. */
static void explain_server(const struct dx_tls_session *session, char *why, size_t why_len)
{
    const char *reason = session->reason != 0
                             ? ERR_reason_error_string(ERR_PACK(ERR_LIB_SSL, 0, session->reason))
                             : NULL;

    if (session->reason == SSL_R_CERTIFICATE_VERIFY_FAILED)
        (void)snprintf(why, why_len, "the certificate of %s is not valid: %s", session->server_name,
                       X509_verify_cert_error_string(SSL_get_verify_result(session->ssl)));
    else if (session->reason == SSL_R_WRONG_VERSION_NUMBER)
        (void)snprintf(why, why_len, "the server does not speak TLS on this port");
    else if (session->reason == SSL_R_TLSV13_ALERT_CERTIFICATE_REQUIRED)
        (void)snprintf(why, why_len, "the server requires a client certificate");
    else
        (void)snprintf(why, why_len, "the TLS handshake failed: %s",
                       reason != NULL ? reason : "the connection ended");
}

void dx_tls_session_why(const struct dx_tls_session *session, char *why, size_t why_len)
{
    const char *text = "not a TLS handshake that this server accepts";

    if (session->client) {
        explain_server(session, why, why_len);
        return;
    }
    if (dx_tls_wire_is_http(&session->wire))
        text = "plain HTTP on a port for TLS";
    for (size_t i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++)
        if (reasons[i].reason == session->reason)
            text = reasons[i].text;
    if (session->reason == SSL_R_CERTIFICATE_VERIFY_FAILED)
        (void)snprintf(why, why_len, "the client's certificate is not valid: %s",
                       X509_verify_cert_error_string(SSL_get_verify_result(session->ssl)));
    else
        (void)snprintf(why, why_len, "%s", text);
}
