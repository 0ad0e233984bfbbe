/*
 * duplex/tls.h - TLS for listeners: a certificate and its key (TLS 1.2 and 1.3, Mozilla's intermediate list).
 */
#ifndef DUPLEX_TLS_H
#define DUPLEX_TLS_H

#include <duplex/error.h>

#ifdef __cplusplus
extern "C" {
#endif

struct dx_tls;

/**
 * Loads a PEM certificate chain and its PEM key. `why` (when not NULL) gets one line for people on failure (at most why_len bytes).
 *
 * Returns DX_OK, DX_ERR_NOMEM, DX_ERR_NOT_FOUND or DX_ERR_ACCESS (a file cannot be read), DX_ERR_BAD_CERTIFICATE.
 */
DX_API DX_MUST_CHECK enum dx_err dx_tls_new(const char *certificate_path, const char *key_path,
                                            struct dx_tls **tls, char *why, size_t why_len);

/** Drops the caller's reference; listeners and connections hold their own. NULL is fine. */
DX_API void dx_tls_free(struct dx_tls *tls);

#ifdef __cplusplus
}
#endif
#endif
