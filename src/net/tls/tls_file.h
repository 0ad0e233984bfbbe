/*
 * tls_file.h - reads a whole file of certificates or a key.
 *
 * OpenSSL's own functions would open it without close-on-exec.
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
 * Reads a file of at most DX_TLS_FILE_MAX bytes. On failure fills `why`. May block, on a pipe.
 *
 * Returns DX_OK, or:
 *   DX_ERR_NOT_FOUND         no such file
 *   DX_ERR_ACCESS            not readable
 *   DX_ERR_BAD_CERTIFICATE   a directory, or longer than DX_TLS_FILE_MAX
 *   DX_ERR_NOMEM             out of memory
 */
DX_MUST_CHECK enum dx_err dx_tls_file_read(const char *path, struct dx_tls_file *file,
                                           const struct dx_tls_why *why);

/** Overwrites the bytes, which may be a key, and frees them. Fine for a zeroed struct. */
void dx_tls_file_release(struct dx_tls_file *file);

/** A BIO that reads the bytes in place; the caller frees it. NULL when out of memory. */
BIO *dx_tls_file_bio(const struct dx_tls_file *file);

/**
 * The passphrase callback for every PEM_read_bio_…: it fails. OpenSSL's default would ask on the
 * terminal and block.
 */
int dx_tls_no_passphrase(char *buffer, int len, int for_writing, void *data);

#endif
