/*
 * tls_self_signed.h - makes a self-signed certificate in memory.
 */
#ifndef DX_NET_TLS_SELF_SIGNED_H
#define DX_NET_TLS_SELF_SIGNED_H

#include "net/tls/tls_certificate.h"

/** Parameters and errors are those of dx_tls_new_self_signed. The caller owns the certificate. */
DX_MUST_CHECK enum dx_err dx_tls_self_signed(const char *const *names, size_t count, uint32_t days,
                                             struct dx_tls_certificate **certificate);

#endif
