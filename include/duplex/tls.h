/*
 * duplex/tls.h - TLS for listeners: certificates and their keys (TLS 1.2 and 1.3, Mozilla's
 * intermediate list).
 *
 * Neither the environment nor OpenSSL's configuration file is read; a program that wants that file
 * for its own OpenSSL calls loads it before the first call here. The server's order of ciphers
 * counts, but a client that prefers ChaCha20 gets it. Renegotiation, compression and early data are
 * off. Session tickets are encrypted with keys that are made here and change with time. A ticket
 * opens sessions of the same server name only, and no session outlives its ticket or its client's
 * certificate.
 */
#ifndef DUPLEX_TLS_H
#define DUPLEX_TLS_H

#include <duplex/error.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Certificates and rules. It is reference-counted, and may be shared by listeners and servers. */
struct dx_tls;

/* Whether clients have to show a certificate. */
enum dx_tls_client_certificates {
    DX_TLS_CLIENT_NONE = 0, /* clients are not asked */
    DX_TLS_CLIENT_OPTIONAL, /* asked; a certificate that is shown must be valid */
    DX_TLS_CLIENT_REQUIRED, /* the handshake fails without a valid certificate */
};

struct dx_tls_options {
    size_t size;

    /* PEM: the server's certificate, then its chain of at most 16. */
    const char *certificate_path;

    /* PEM, not encrypted; may be the same file. */
    const char *key_path;

    /*
     * PEM: the authorities of client certificates. Required if clients are asked, forbidden if not.
     * Each is trusted, whoever issued it. Revocation lists are not used. Default NULL.
     */
    const char *client_ca_path;

    /* Default DX_TLS_CLIENT_NONE. */
    enum dx_tls_client_certificates client_certificates;

    /*
     * Protocols for ALPN in order of preference, with NULL at the end. A client that offers only
     * others is refused (RFC 7301 section 3.2). Default NULL: "http/1.1".
     */
    const char *const *alpn;

    /*
     * The lifetime of a session ticket, in seconds, at most 604,800 (seven days); 0: no tickets.
     * A key makes tickets for half of it and opens them for the other half. Default 86,400.
     */
    uint32_t ticket_lifetime_s;
};

/** No client certificates, "http/1.1", tickets for a day. */
static inline struct dx_tls_options dx_tls_options_init(void)
{
    struct dx_tls_options options = DX_ZEROED;

    options.size = sizeof(options);
    options.ticket_lifetime_s = 86400;
    return options;
}

/**
 * Loads a certificate chain and its key, with the defaults of dx_tls_options_init.
 *
 * certificate_path, key_path   PEM files of at most 1 MiB each
 * tls                          gets the object; release it with dx_tls_free
 * why, why_len                 on failure one line for people; may be NULL
 *
 * Returns DX_OK, or:
 *   DX_ERR_USAGE             a path is missing, or an option has no such value
 *   DX_ERR_NOT_FOUND         a file does not exist
 *   DX_ERR_ACCESS            a file cannot be read
 *   DX_ERR_BAD_CERTIFICATE   a file is too large or not PEM, or the key is not the certificate's
 *   DX_ERR_NOMEM             out of memory
 */
DX_API DX_MUST_CHECK enum dx_err dx_tls_new(const char *certificate_path, const char *key_path,
                                            struct dx_tls **tls, char *why, size_t why_len);

/**
 * Loads what the options name.
 *
 * Returns as dx_tls_new.
 */
DX_API DX_MUST_CHECK enum dx_err dx_tls_new_with(const struct dx_tls_options *options,
                                                 struct dx_tls **tls, char *why, size_t why_len);

/**
 * Drops the caller's reference; listeners and connections have their own. NULL is fine. Any thread.
 */
DX_API void dx_tls_free(struct dx_tls *tls);

/**
 * Adds a certificate for the host names that it contains (SNI, RFC 6066).
 *
 * A client that asks for one of these names gets it; all others get the first certificate. Names
 * are those of subjectAltName; the common name counts only without one. A wildcard stands for one
 * label, and an exact name comes first. If two certificates have the same name, the earlier one is
 * used. New handshakes use it from now on. Any thread.
 *
 * Returns as dx_tls_new, and:
 *   DX_ERR_TOO_MANY   there are 1,000 certificates already
 */
DX_API DX_MUST_CHECK enum dx_err dx_tls_add_certificate(struct dx_tls *tls,
                                                        const char *certificate_path,
                                                        const char *key_path, char *why,
                                                        size_t why_len);

/**
 * Reads all files again, for handshakes from now on.
 *
 * Existing connections are not affected. Tickets stay valid as long as client_ca_path has the same
 * bytes. On failure nothing changes. Any thread; it reads files, so do not call it on a busy loop.
 *
 * Returns as dx_tls_new.
 */
DX_API DX_MUST_CHECK enum dx_err dx_tls_reload(struct dx_tls *tls, char *why, size_t why_len);

/** Room for a SHA-256 as people compare it: 32 pairs of digits with colons between, and a NUL. */
#define DX_TLS_FINGERPRINT_ROOM 96

/**
 * Makes a key and a self-signed certificate. They exist in memory only.
 *
 * names, name_count   DNS names and IP addresses, at most 100; NULL: localhost, 127.0.0.1 and ::1
 * days                validity from now, 1 to 825
 * tls                 gets the object; release it with dx_tls_free
 * fingerprint         gets the certificate's SHA-256
 *
 * Returns DX_OK, or:
 *   DX_ERR_USAGE    a name is neither a DNS name nor an address, or `days` is out of range
 *   DX_ERR_SYSTEM   no randomness
 *   DX_ERR_TLS      OpenSSL refused
 *   DX_ERR_NOMEM    out of memory
 */
DX_API DX_MUST_CHECK enum dx_err dx_tls_new_self_signed(const char *const *names, size_t name_count,
                                                        uint32_t days, struct dx_tls **tls,
                                                        char fingerprint[DX_TLS_FINGERPRINT_ROOM]);

/** The SHA-256 of the first certificate; "" without memory. Any thread. */
DX_API void dx_tls_fingerprint(struct dx_tls *tls, char fingerprint[DX_TLS_FINGERPRINT_ROOM]);

/* What a TLS connection agreed on. Pointers are valid as long as the connection. */
struct dx_tls_facts {
    size_t size;

    /* "TLSv1.3", for example. */
    const char *version;

    /* IANA's name, for example "TLS_AES_128_GCM_SHA256". */
    const char *cipher;

    /* The name that the client asked for, in lower case; NULL if it is not a host name. */
    const char *server_name;

    /* "http/1.1", for example, or NULL. */
    const char *alpn;

    /* An earlier session was resumed. */
    bool is_resumed;

    /* A client certificate was shown, and it is valid. */
    bool has_client_certificate;

    /* Its subject (RFC 2253), cut if it is longer; "" without a certificate. */
    char client_subject[256];

    /* Its SHA-256; "" without a certificate. */
    char client_fingerprint[DX_TLS_FINGERPRINT_ROOM];
};

/** All members empty. */
static inline struct dx_tls_facts dx_tls_facts_init(void)
{
    struct dx_tls_facts facts = DX_ZEROED;

    facts.size = sizeof(facts);
    return facts;
}

#ifdef __cplusplus
}
#endif
#endif
