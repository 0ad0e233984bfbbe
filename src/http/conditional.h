/*
 * conditional.h - evaluates the preconditions of a request for an existing representation (RFC 9110
 * section 13). Time is passed in.
 */
#ifndef DX_HTTP_CONDITIONAL_H
#define DX_HTTP_CONDITIONAL_H

#include "http/head.h"

/* What distinguishes the states of a representation. */
struct dx_validators {
    const char *etag; /* with its quotes; weak if W/ precedes it */
    int64_t modified_s;
    bool is_date_strong; /* no two states can have this date (RFC 9110 8.8.2.2) */
};

enum dx_condition {
    DX_CONDITION_HOLDS,        /* continue: 200, or the range */
    DX_CONDITION_NOT_MODIFIED, /* 304 */
    DX_CONDITION_FAILED,       /* 412 */
};

/**
 * Evaluates a GET or HEAD in the order of RFC 9110 13.2.2: If-Match, else If-Unmodified-Since; then
 * If-None-Match, else If-Modified-Since. A date that is malformed or given twice is ignored. A
 * malformed list of tags counts up to the error.
 */
enum dx_condition dx_condition_judge(const struct dx_head *head,
                                     const struct dx_validators *validators, int64_t now_s);

/**
 * Whether a Range may be served: there is no If-Range, or it names this state (13.1.5) by the same
 * strong tag, or by the same date if that is strong.
 */
bool dx_condition_if_range(const struct dx_head *head, const struct dx_validators *validators,
                           int64_t now_s);

#endif
