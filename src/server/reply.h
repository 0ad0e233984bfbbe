/*
 * reply.h - an answer as bytes: status line, headers, body.
 */
#ifndef DX_SERVER_REPLY_H
#define DX_SERVER_REPLY_H

#include "http/head.h"
#include "server/http_connection.h"

struct dx_reply {
    unsigned status;
    const char *content_type; /* NULL: none */
    const char *headers;      /* more lines, each with its CRLF, or NULL */
    const void *body;
    uint64_t len;              /* of the body or file, also when it is only announced */
    struct dx_file_body *file; /* in place of the body, taken over; or NULL */
    bool is_head;              /* announce the body, do not send it */
    bool keeps_alive;
};

/** Sends it. Lines in `headers` that are none become an answer with 500. */
void dx_reply_send(struct dx_http_connection *http, const struct dx_reply *reply);

/** Sends a refusal's one-line text. */
void dx_reply_refuse(struct dx_http_connection *http, const struct dx_refusal *refusal,
                     const char *headers, bool is_head, bool keeps_alive);

/** Refuses, and logs, what is no complete request; the connection ends. */
void dx_reply_refuse_unread(struct dx_http_connection *http, const struct dx_refusal *refusal,
                            const char *headers);

#endif
