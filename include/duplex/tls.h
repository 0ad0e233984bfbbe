/*
 * duplex/tls.h - TLS for listeners: certificates and their keys (TLS 1.2 and 1.3, Mozilla's intermediate list).
 *
 * Neither the environment nor OpenSSL's configuration file is read: a program that wants the file for OpenSSL calls of its own
 * loads it before the first call here. The server's order of ciphers counts, but a client that prefers ChaCha20 gets it.
 * Renegotiation, compression and early data are off. Session tickets are encrypted with keys that are made here, change with
 * time, and open only sessions of the same server name; no session goes on beyond a ticket's lifetime, nor its client's
 * certificate.
 */
#ifndef DUPLEX_TLS_H
#define DUPLEX_TLS_H

#include <duplex/error.h>

#ifdef __cplusplus
extern "C" {
#endif

/* What listeners use. Counted; it may be shared by listeners and servers, and changed from any thread. */
struct dx_tls;

/* Whether clients have to show a certificate. */
enum dx_tls_client_certificates {
    DX_TLS_CLIENT_NONE = 0, /* they are not asked */
    DX_TLS_CLIENT_OPTIONAL, /* asked; one that is shown must be good */
    DX_TLS_CLIENT_REQUIRED, /* without a good one the handshake fails */
};

struct dx_tls_options {
    size_t size;
    const char *certificate_path; /* PEM, the leaf first, then its chain (at most 16) */
    const char *key_path;         /* PEM, not encrypted; may be the same file */
    /* PEM, who signs clients' certificates; given exactly when these are asked for. Each is trusted as it stands, whoever has
     * signed it. Revocation is not looked at. */
    const char *client_ca_path;
    enum dx_tls_client_certificates client_certificates;
    /* Protocols offered by ALPN in order of preference, NULL at the end; NULL: "http/1.1". A client that offers others only
     * is refused (RFC 7301 3.2). */
    const char *const *alpn;
    /* Of a session ticket, at most 604,800 (seven days); 0: no tickets. Its key makes tickets for half of it and opens them for
     * the other half. */
    uint32_t ticket_lifetime_s;
};

static inline struct dx_tls_options dx_tls_options_init(void)
{
    struct dx_tls_options options = DX_ZEROED;

    options.size = sizeof(options);
    options.ticket_lifetime_s = 86400;
    return options;
}

/**
 * Loads a certificate chain and its key (files of at most 1 MiB), the rest as dx_tls_options_init says. `why` (when not NULL)
 * gets one line for people on failure (at most why_len bytes).
 *
 * Returns DX_OK, DX_ERR_NOMEM, DX_ERR_USAGE (a path is missing, an option has no such value), DX_ERR_NOT_FOUND or DX_ERR_ACCESS
 * (a file cannot be read), DX_ERR_BAD_CERTIFICATE.
 */
DX_API DX_MUST_CHECK enum dx_err dx_tls_new(const char *certificate_path, const char *key_path,
                                            struct dx_tls **tls, char *why, size_t why_len);

/** Loads what the options name. Errors as dx_tls_new. */
DX_API DX_MUST_CHECK enum dx_err dx_tls_new_with(const struct dx_tls_options *options,
                                                 struct dx_tls **tls, char *why, size_t why_len);

/** Drops the caller's reference; listeners and connections hold their own. NULL is fine. Any thread. */
DX_API void dx_tls_free(struct dx_tls *tls);

/**
 * Adds a certificate for the names that it carries (SNI, RFC 6066): a client that asks for one of them gets it, all others the
 * first one. Names are those of subjectAltName, the common name only without it; wildcards count for one label, an exact
 * name before them; of two certificates with the same name the earlier one counts. Any thread; handshakes from now on use it.
 * At most 1,000.
 *
 * Errors as dx_tls_new, and DX_ERR_TOO_MANY.
 */
DX_API DX_MUST_CHECK enum dx_err dx_tls_add_certificate(struct dx_tls *tls,
                                                        const char *certificate_path,
                                                        const char *key_path, char *why,
                                                        size_t why_len);

/**
 * Reads all files again and uses them for handshakes from now on; connections go on as they are, and tickets stay good as
 * long as client_ca_path has the same bytes. On failure everything stays
 * as it was. Any thread; it reads files, so not on a loop that is busy.
 *
 * Errors as dx_tls_new.
 */
DX_API DX_MUST_CHECK enum dx_err dx_tls_reload(struct dx_tls *tls, char *why, size_t why_len);

/** Room for a SHA-256 as people compare it: 32 pairs of hexadecimal digits with colons, and a NUL. */
#define DX_TLS_FINGERPRINT_ROOM 96

/**
 * Makes a key and a certificate for this machine that nobody else vouches for: `names` are DNS names and IP addresses (at most
 * 100; NULL: localhost, 127.0.0.1 and ::1), valid for `days` from now (1 to 825). Lives in memory only. `fingerprint` gets the certificate's.
 *
 * Returns DX_OK, DX_ERR_NOMEM, DX_ERR_USAGE (no name or address, days), DX_ERR_SYSTEM (no randomness), DX_ERR_TLS.
 */
DX_API DX_MUST_CHECK enum dx_err dx_tls_new_self_signed(const char *const *names, size_t name_count,
                                                        uint32_t days, struct dx_tls **tls,
                                                        char fingerprint[DX_TLS_FINGERPRINT_ROOM]);

/** The SHA-256 of the first certificate; "" without memory. Any thread. */
DX_API void dx_tls_fingerprint(struct dx_tls *tls, char fingerprint[DX_TLS_FINGERPRINT_ROOM]);

/** What was agreed on a TLS connection; texts are valid as long as the struct, pointers as long as the connection. */
struct dx_tls_facts {
    size_t size;
    const char *version; /* "TLSv1.3" */
    const char *cipher;  /* as IANA names it: "TLS_AES_128_GCM_SHA256" */
    /* That the client asked for, in lower case; NULL: none, or no name of a host. */
    const char *server_name;
    const char *alpn;                                 /* "http/1.1", or NULL */
    bool is_resumed;                                  /* an earlier session goes on */
    bool has_client_certificate;                      /* shown, and good */
    char client_subject[256];                         /* of that, RFC 2253, cut; "" without one */
    char client_fingerprint[DX_TLS_FINGERPRINT_ROOM]; /* its SHA-256; "" without one */
};

/** Room for what a library of this version fills in. */
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
