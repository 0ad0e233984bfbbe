/*
 * feed.h - gives a head to the parser whole, byte by byte and cut at each position, and insists on
 * one verdict.
 *
 * Each portion lies in memory of its own that ends where the bytes end and is gone after the call,
 * as a buffer that moves.
 */
#ifndef TESTS_UNIT_HTTP_FEED_H
#define TESTS_UNIT_HTTP_FEED_H

#include <stdio.h>
#include <stdlib.h>

#include "http/head.h"

#include "support/test.h"

static unsigned feed_count; /* parses in all */

/* Goes on with the first `len` bytes. */
static inline enum dx_head_status feed_portion(struct dx_head *head,
                                               const struct dx_head_limits *limits,
                                               const char *text, size_t len)
{
    uint8_t *copy = malloc(len + 1);
    enum dx_head_status status;

    assert_non_null(copy);
    memcpy(copy, text, len);
    status = dx_head_parse(head, limits, copy, len);
    free(copy);
    return status;
}

/* Where the first portion ends: `cut`; the second has the rest. A cut of 0: byte by byte. */
static inline enum dx_head_status feed_cut(struct dx_head *head, enum dx_head_kind kind,
                                           const struct dx_head_limits *limits, const char *text,
                                           size_t len, size_t cut)
{
    enum dx_head_status status = DX_HEAD_MORE;

    dx_head_init(head, kind);
    feed_count++;
    if (cut > 0) {
        status = feed_portion(head, limits, text, cut);
        return status == DX_HEAD_MORE ? feed_portion(head, limits, text, len) : status;
    }
    for (size_t end = 1; end <= len && status == DX_HEAD_MORE; end++)
        status = feed_portion(head, limits, text, end);
    return status;
}

static inline void feed_assert_same(const struct dx_head *a, const struct dx_head *b)
{
    assert_int_equal(a->refusal.status, b->refusal.status);
    assert_ptr_equal(a->refusal.detail, b->refusal.detail);
    assert_int_equal(a->len, b->len);
    assert_int_equal(a->minor, b->minor);
    assert_int_equal(a->status, b->status);
    assert_memory_equal(&a->method, &b->method, sizeof(a->method));
    assert_memory_equal(&a->target, &b->target, sizeof(a->target));
    assert_memory_equal(&a->reason, &b->reason, sizeof(a->reason));
    assert_int_equal(a->header_count, b->header_count);
    assert_memory_equal(a->headers, b->headers, a->header_count * sizeof(a->headers[0]));
}

/* The one verdict of all ways to feed `text`; the head's slices point into `text`. */
static inline enum dx_head_status feed(struct dx_head *head, enum dx_head_kind kind,
                                       const char *text, size_t len)
{
    static struct dx_head other;
    struct dx_head_limits limits = dx_head_limits_init();
    enum dx_head_status status = feed_cut(head, kind, &limits, text, len, len);
    size_t step = len > 2000 ? 97 : 1;

    assert_true(head->examined_len <= 2 * len);
    for (size_t cut = 0; cut < len; cut += step) {
        if (cut == 0 && len > 2000)
            continue;
        assert_int_equal(feed_cut(&other, kind, &limits, text, len, cut), status);
        feed_assert_same(head, &other);
        assert_true(other.examined_len <= 2 * len);
    }
    dx_head_rebase(head, (const uint8_t *)text);
    return status;
}

#endif
