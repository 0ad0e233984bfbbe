/*
 * tls_error.h - what OpenSSL says, in the library's terms. Its queue of errors is the thread's, shared with the host program:
 * whoever calls OpenSSL clears it before and after.
 */
#ifndef DX_NET_TLS_ERROR_H
#define DX_NET_TLS_ERROR_H

#include <duplex/error.h>

/**
 * Before the first call of OpenSSL's: keeps it from its configuration file, which the environment names and which could name
 * code to be loaded. False without memory.
 */
bool dx_tls_start_openssl(void);

/** Where one line for people goes; text may be NULL. */
struct dx_tls_why {
    char *text;
    size_t len;
};

void dx_tls_explain(const struct dx_tls_why *why, const char *format, ...) DX_PRINTF(2, 3);

/** DX_ERR_NOMEM when an error in OpenSSL's queue says so, else `otherwise`. The queue is empty then. */
DX_MUST_CHECK enum dx_err dx_tls_take_error(enum dx_err otherwise);

/** The same, with a line that names the file and what it is not. */
DX_MUST_CHECK enum dx_err dx_tls_refuse(const char *path, const char *what,
                                        const struct dx_tls_why *why);

#endif
