/*
 * message.h - what a parsed head means for the connection: its body, its persistence, its
 * expectations (RFC 9112 sections 6 and 9, RFC 9110 section 10.1.1). It reads no body.
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
    uint64_t len; /* of DX_BODY_LENGTH */
};

/**
 * Judges how long a request's body is. False, with the refusal filled: both Content-Length and
 * Transfer-Encoding, two Content-Lengths (even equal ones), one that is not plain digits or passes
 * 2^63-1, Transfer-Encoding in HTTP/1.0, or without `chunked` exactly once and last (all 400);
 * another coding before `chunked` (501).
 */
DX_MUST_CHECK bool dx_message_body(const struct dx_head *head, struct dx_body *body,
                                   struct dx_refusal *refusal);

/** Whether the connection stays open after this message (RFC 9112 9.3). */
bool dx_message_is_persistent(const struct dx_head *head);

enum dx_expect {
    DX_EXPECT_NOTHING,
    DX_EXPECT_CONTINUE, /* the client waits for 100 before it sends its body */
    DX_EXPECT_UNKNOWN,  /* answer 417 */
};

/** What the request expects; in HTTP/1.0 nothing (RFC 9110 10.1.1). */
enum dx_expect dx_message_expect(const struct dx_head *head);

#endif
