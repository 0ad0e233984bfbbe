/*
 * tls_file.h - reads a file of certificates or a key whole. OpenSSL would open it without close-on-exec.
 */
#ifndef DX_NET_TLS_FILE_H
#define DX_NET_TLS_FILE_H

#include "net/tls/tls_error.h"

#include <openssl/bio.h>

#define DX_TLS_FILE_MAX 1048576

struct dx_tls_file {
    uint8_t *bytes;
    size_t len;
};

/**
 * Reads at most DX_TLS_FILE_MAX bytes. Returns DX_OK, DX_ERR_NOMEM, DX_ERR_NOT_FOUND, DX_ERR_ACCESS, DX_ERR_BAD_CERTIFICATE (a
 * directory, or longer); `why` is set then.
 */
DX_MUST_CHECK enum dx_err dx_tls_file_read(const char *path, struct dx_tls_file *file,
                                           const struct dx_tls_why *why);

/** Overwrites what was read, for it may be a key, and frees it. Fine for one that is zeroed. */
void dx_tls_file_release(struct dx_tls_file *file);

/** OpenSSL's view of the bytes; NULL without memory. */
BIO *dx_tls_file_bio(const struct dx_tls_file *file);

/** For every PEM_read_bio_…: no passphrase can be asked for here, and OpenSSL's own way would block on the terminal. */
int dx_tls_no_passphrase(char *buffer, int len, int for_writing, void *data);

#endif
