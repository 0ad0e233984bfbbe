/*
 * reply.h - what an answer says, before a transport makes bytes of it.
 */
#ifndef DX_SERVER_REPLY_H
#define DX_SERVER_REPLY_H

#include <duplex/request.h>

#include "base/slice.h"
#include "server/exchange/file_body.h"

#define DX_REPLY_HEADERS_MAX 64

/* Retry-After: 1. */
extern const struct dx_header dx_reply_retry;

struct dx_reply {
    unsigned status;
    struct dx_slice added;           /* header lines that were checked when they were added */
    const char *content_type;        /* NULL: none */
    const struct dx_header *headers; /* more of them */
    size_t header_count;             /* at most DX_REPLY_HEADERS_MAX */
    const void *body;
    uint64_t len;              /* of the body or file, also when it is only announced */
    struct dx_file_body *file; /* in place of the body; or NULL */
    bool is_head;              /* announce the body, do not send it */
    bool keeps_alive;          /* the connection may carry another request afterwards */
};

/** Whether an answer of that status has a body (RFC 9110 section 6.4.1). */
static inline bool dx_reply_status_has_body(unsigned status)
{
    return status >= 200 && status != 204 && status != 304;
}

/** Whether the body is sent. */
static inline bool dx_reply_has_body(const struct dx_reply *reply)
{
    return !reply->is_head && dx_reply_status_has_body(reply->status);
}

#endif
