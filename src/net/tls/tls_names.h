/*
 * tls_names.h - names as TLS has them: which are names at all, and which certificate is for one.
 */
#ifndef DX_NET_TLS_NAMES_H
#define DX_NET_TLS_NAMES_H

#include <duplex/error.h>

#define DX_TLS_NAME_ROOM 256

/**
 * Writes `name` in lower case and without a dot at its end. False, and `normal` is undefined: no name of a host as DNS and IDNA
 * write them (letters, digits, "-", "_", labels of 1 to 63, in all at most 253), or a literal address. A wildcard as the whole of
 * the first of three labels or more counts when `may_be_wild`.
 */
bool dx_tls_name_normalize(const char *name, size_t len, bool may_be_wild,
                           char normal[DX_TLS_NAME_ROOM]);

/* Names in order, each with the index of the first certificate that carries it. */
struct dx_tls_name {
    const char *text;
    size_t index;
};

/** Sorts, so that dx_tls_names_find can look up. */
void dx_tls_names_sort(struct dx_tls_name *names, size_t count);

/** The certificate for a normalized name: by itself first, then with "*" for its first label. False: none has it. */
bool dx_tls_names_find(const struct dx_tls_name *names, size_t count, const char *name,
                       size_t *index);

#endif
