/*
 * message.h - what a parsed head means for the connection: its body, persistence and expectations
 * (RFC 9112 sections 6 and 9, RFC 9110 section 10.1.1). Bodies are read elsewhere.
 */
#ifndef DX_HTTP_MESSAGE_H
#define DX_HTTP_MESSAGE_H

#include "http/head.h"

enum dx_body_kind {
    DX_BODY_NONE,    /* no body, or one of length 0 */
    DX_BODY_LENGTH,  /* exactly `len` bytes follow */
    DX_BODY_CHUNKED, /* chunks follow */
};

struct dx_body {
    enum dx_body_kind kind;
    uint64_t len; /* for DX_BODY_LENGTH */
};

/**
 * Determines the length of a request's body. False, with the refusal filled:
 *   400   both Content-Length and Transfer-Encoding; two Content-Lengths, even equal ones; one that
 *         is not digits only, or above 2^63-1; Transfer-Encoding in HTTP/1.0, or without
 *         `chunked` exactly once and last
 *   501   another coding before `chunked`
 */
DX_MUST_CHECK bool dx_message_body(const struct dx_head *head, struct dx_body *body,
                                   struct dx_refusal *refusal);

/** Whether the connection stays open after this message (RFC 9112 9.3). */
bool dx_message_is_persistent(const struct dx_head *head);

enum dx_expect {
    DX_EXPECT_NOTHING,
    DX_EXPECT_CONTINUE, /* the client waits for 100 before it sends the body */
    DX_EXPECT_UNKNOWN,  /* answer 417 */
};

/** What the request expects; nothing in HTTP/1.0 (RFC 9110 10.1.1). */
enum dx_expect dx_message_expect(const struct dx_head *head);

#endif
