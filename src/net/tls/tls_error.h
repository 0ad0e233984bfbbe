/*
 * tls_error.h - OpenSSL's errors in the library's terms.
 *
 * OpenSSL's error queue is per thread and shared with the host program: code that calls OpenSSL
 * clears it before and after.
 */
#ifndef DX_NET_TLS_ERROR_H
#define DX_NET_TLS_ERROR_H

#include <duplex/error.h>

/**
 * Initialises OpenSSL without its configuration file: the environment chooses that file, and it
 * could load code. Call it before any other OpenSSL function. False when out of memory.
 */
bool dx_tls_start_openssl(void);

/** A buffer for one line for people; text may be NULL. */
struct dx_tls_why {
    char *text;
    size_t len;
};

/** Writes the line; does nothing without a buffer. */
void dx_tls_explain(const struct dx_tls_why *why, const char *format, ...) DX_PRINTF(2, 3);

/**
 * Empties OpenSSL's error queue. Returns DX_ERR_NOMEM when an error in it says so, else
 * `otherwise`.
 */
DX_MUST_CHECK enum dx_err dx_tls_take_error(enum dx_err otherwise);

/**
 * Explains why a file is refused: "path: what: OpenSSL's reason". Returns DX_ERR_NOMEM or
 * DX_ERR_BAD_CERTIFICATE, as dx_tls_take_error.
 */
DX_MUST_CHECK enum dx_err dx_tls_refuse(const char *path, const char *what,
                                        const struct dx_tls_why *why);

#endif
