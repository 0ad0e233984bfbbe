/*
 * tls_names.h - validates host names and finds the certificate for one (RFC 6125 section 6.4).
 */
#ifndef DX_NET_TLS_NAMES_H
#define DX_NET_TLS_NAMES_H

#include <duplex/error.h>

#define DX_TLS_NAME_ROOM 256

/**
 * Writes `name` in lower case and without a final dot.
 *
 * may_be_wild   accept "*" as the whole first label, when there are at least three labels
 *
 * Returns false, with `normal` undefined, for a literal address or anything that is not a host
 * name: letters, digits, "-" and "_", labels of 1 to 63 bytes, at most 253 bytes in total.
 */
bool dx_tls_name_normalize(const char *name, size_t len, bool may_be_wild,
                           char normal[DX_TLS_NAME_ROOM]);

/* A name with the index of the first certificate that has it. */
struct dx_tls_name {
    const char *text;
    size_t index;
};

/** Sorts names for dx_tls_names_find. */
void dx_tls_names_sort(struct dx_tls_name *names, size_t count);

/**
 * Finds the certificate for a normalized name: an exact match first, then one with "*" as its first
 * label. False when no certificate has the name.
 */
bool dx_tls_names_find(const struct dx_tls_name *names, size_t count, const char *name,
                       size_t *index);

#endif
