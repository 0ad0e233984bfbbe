/*
 * duplex/tls_client.h - TLS for clients: which servers to trust, and a certificate of the client's
 * own (TLS 1.2 and 1.3).
 *
 * The certificate is verified, and that it is for the host of the URL (RFC 6125, RFC 9525: names of
 * subjectAltName only, a wildcard for one whole label). Neither the environment nor OpenSSL's
 * configuration file is read.
 */
#ifndef DUPLEX_TLS_CLIENT_H
#define DUPLEX_TLS_CLIENT_H

#include <duplex/error.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Rules for connections. It is reference-counted, may be shared by websockets of any loops, and
 * keeps their sessions for the next handshake with the same host.
 */
struct dx_tls_client;

struct dx_tls_client_options {
    size_t size;

    /* A PEM file of authorities, or a directory with hashed names. Default NULL: the system's. */
    const char *ca_path;

    /* A client certificate with its chain (PEM), and its key (PEM). Default NULL: none. */
    const char *certificate_path;
    const char *key_path;

    /* The name to ask for and to verify. Default NULL: the URL's host. */
    const char *server_name;

    /* Skips verification, for tests. Default false. */
    bool is_insecure;

    /*
     * Gets each secret as a line of an NSS key log, for Wireshark. The line is valid during the
     * call, which comes on the thread of any loop. Default NULL.
     */
    void (*on_keylog)(const char *line, void *user);
    void *user;
};

/** The system's authorities, no client certificate. */
static inline struct dx_tls_client_options dx_tls_client_options_init(void)
{
    struct dx_tls_client_options options = DX_ZEROED;

    options.size = sizeof(options);
    return options;
}

/**
 * Loads what the options name.
 *
 * options        NULL means the defaults
 * client         gets the object; release it with dx_tls_client_free
 * why, why_len   on failure one line for people; may be NULL
 *
 * Returns DX_OK, or:
 *   DX_ERR_USAGE             a certificate without its key, or an empty or too long server_name
 *   DX_ERR_NOT_FOUND         a file does not exist
 *   DX_ERR_ACCESS            a file cannot be read
 *   DX_ERR_BAD_CERTIFICATE   a file is not PEM, or the key is not the certificate's
 *   DX_ERR_NOMEM             out of memory
 */
DX_API DX_MUST_CHECK enum dx_err dx_tls_client_new(const struct dx_tls_client_options *options,
                                                   struct dx_tls_client **client, char *why,
                                                   size_t why_len);

/** Drops the caller's reference; websockets have their own. NULL is fine. Any thread. */
DX_API void dx_tls_client_free(struct dx_tls_client *client);

#ifdef __cplusplus
}
#endif
#endif
