/*
 * duplex/tls_client.h - TLS for clients: whom to trust, and who we are (TLS 1.2 and 1.3).
 *
 * Certificates are verified, and that they are for the host that was asked for (RFC 6125, RFC 9525: names in the
 * certificate's list only, wildcards for one whole label). Neither the environment nor OpenSSL's configuration file changes anything.
 */
#ifndef DUPLEX_TLS_CLIENT_H
#define DUPLEX_TLS_CLIENT_H

#include <duplex/error.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Counted; shared by any number of websockets of any loops, whose sessions it keeps for the next handshake with the same host. */
struct dx_tls_client;

struct dx_tls_client_options {
    size_t size;
    const char *
        ca_path; /* PEM file of authorities, or a directory with hashed names; NULL: the system's */
    const char
        *certificate_path; /* PEM, the chain after its leaf: shown when the server asks; or NULL */
    const char *key_path;  /* PEM, with it */
    const char *server_name; /* asked for and verified in place of the URL's host; or NULL */
    bool is_insecure;        /* nothing is verified: for tests */
    /* Each secret, as a line for Wireshark (NSS key log); valid during the call, which comes on any loop's thread. */
    void (*on_keylog)(const char *line, void *user);
    void *user;
};

static inline struct dx_tls_client_options dx_tls_client_options_init(void)
{
    struct dx_tls_client_options options = DX_ZEROED;

    options.size = sizeof(options);
    return options;
}

/**
 * Loads what the options name (NULL: the defaults). `why` (when not NULL) gets one line for people on failure (at most why_len bytes).
 *
 * Returns DX_OK, DX_ERR_NOMEM, DX_ERR_USAGE (a certificate without its key; an empty or overlong server_name), DX_ERR_NOT_FOUND or DX_ERR_ACCESS (a file cannot be
 * read), DX_ERR_BAD_CERTIFICATE.
 */
DX_API DX_MUST_CHECK enum dx_err dx_tls_client_new(const struct dx_tls_client_options *options,
                                                   struct dx_tls_client **client, char *why,
                                                   size_t why_len);

/** Drops the caller's reference; websockets hold their own. NULL is fine. Any thread. */
DX_API void dx_tls_client_free(struct dx_tls_client *client);

#ifdef __cplusplus
}
#endif
#endif
