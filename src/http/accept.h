/*
 * accept.h - which content codings a request accepts (RFC 9110 section 12.5.3).
 */
#ifndef DX_HTTP_ACCEPT_H
#define DX_HTTP_ACCEPT_H

#include "http/head.h"

/* How much each coding is wanted: 0 (not at all) to 1000. */
struct dx_codings {
    uint16_t br;
    uint16_t gzip;
    /* 0 also where nothing is said of it: it is sent where nothing else is wanted more */
    uint16_t identity;
    bool refuses_identity; /* it is excluded by name, or by "*" */
};

/**
 * Reads Accept-Encoding. Without one, nothing but identity is wanted. Members that are none are
 * passed over.
 */
void dx_codings_read(const struct dx_head *head, struct dx_codings *codings);

/** Whether a coding of that weight is to be preferred to sending the bytes as they are. */
bool dx_codings_prefer(const struct dx_codings *codings, uint16_t weight);

#endif
