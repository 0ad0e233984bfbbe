/*
 * tls_error.c - see tls_error.h.
 */
#include "net/tls/tls_error.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdarg.h>
#include <stdio.h>

bool dx_tls_start_openssl(void)
{
    return OPENSSL_init_ssl(OPENSSL_INIT_NO_LOAD_CONFIG, NULL) == 1;
}

void dx_tls_explain(const struct dx_tls_why *why, const char *format, ...)
{
    va_list args;

    if (!why->text || why->len == 0)
        return;
    va_start(args, format);
    (void)vsnprintf(why->text, why->len, format, args);
    va_end(args);
}

enum dx_err dx_tls_take_error(enum dx_err otherwise)
{
    enum dx_err err = otherwise;
    unsigned long code;

    while ((code = ERR_get_error()) != 0)
        if (ERR_GET_REASON(code) == ERR_R_MALLOC_FAILURE)
            err = DX_ERR_NOMEM;
    return err;
}

/* The last error in the queue is the most specific one for people. */
enum dx_err dx_tls_refuse(const char *path, const char *what, const struct dx_tls_why *why)
{
    unsigned long code = ERR_peek_last_error();
    const char *reason = code ? ERR_reason_error_string(code) : NULL;
    enum dx_err err = dx_tls_take_error(DX_ERR_BAD_CERTIFICATE);

    dx_tls_explain(why, "%s: %s%s%s", path, what, reason ? ": " : "", reason ? reason : "");
    return err;
}
