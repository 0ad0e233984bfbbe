/*
 * conditional.h - what a request's preconditions say about a representation that is there (RFC 9110
 * section 13). Time is passed in.
 */
#ifndef DX_HTTP_CONDITIONAL_H
#define DX_HTTP_CONDITIONAL_H

#include "http/head.h"

/* What tells one state of a representation from another. */
struct dx_validators {
    const char *etag; /* with its quotes; W/ before it: weak */
    int64_t modified_s;
    bool is_date_strong; /* no two states can have this date (RFC 9110 8.8.2.2) */
};

enum dx_condition {
    DX_CONDITION_HOLDS,        /* go on: 200, or the range */
    DX_CONDITION_NOT_MODIFIED, /* 304 */
    DX_CONDITION_FAILED,       /* 412 */
};

/**
 * Judges a GET or HEAD in the order of RFC 9110 13.2.2: If-Match, else If-Unmodified-Since; then
 * If-None-Match, else If-Modified-Since. A date that is none, or given twice, is as if it were not
 * there; a malformed list of tags matches with the part before the error.
 */
enum dx_condition dx_condition_judge(const struct dx_head *head,
                                     const struct dx_validators *validators, int64_t now_s);

/**
 * Whether a Range may be followed: there is no If-Range, or it names this very state (13.1.5): the
 * same strong tag, or the very date, if that is strong.
 */
bool dx_condition_if_range(const struct dx_head *head, const struct dx_validators *validators,
                           int64_t now_s);

#endif
