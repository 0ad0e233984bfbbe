/*
 * accept.h - which content codings a request accepts (RFC 9110 section 12.5.3).
 */
#ifndef DX_HTTP_ACCEPT_H
#define DX_HTTP_ACCEPT_H

#include "http/head.h"

/* The weight of each coding: 0 (not acceptable) to 1000. */
struct dx_codings {
    uint16_t br;
    uint16_t gzip;
    /* 0 also if it is not mentioned: then it is sent unless another one is preferred */
    uint16_t identity;
    bool refuses_identity; /* excluded by name or by "*" */
};

/**
 * Reads Accept-Encoding. Without one, only identity is acceptable. Malformed members are ignored.
 */
void dx_codings_read(const struct dx_head *head, struct dx_codings *codings);

/** Whether a coding of that weight is preferred to sending the bytes without coding. */
bool dx_codings_prefer(const struct dx_codings *codings, uint16_t weight);

#endif
