/*
 * reply.h - an answer as bytes: status line, headers, body.
 */
#ifndef DX_SERVER_REPLY_H
#define DX_SERVER_REPLY_H

#include "http/head.h"
#include "server/http1/http_connection.h"

/* How the peer knows where the body ends. */
enum dx_framing {
    DX_FRAMING_LENGTH = 0, /* Content-Length */
    DX_FRAMING_CHUNKED,    /* Transfer-Encoding */
    DX_FRAMING_CLOSE,      /* the connection's end */
};

struct dx_reply {
    unsigned status;
    enum dx_framing framing;
    struct dx_slice added;    /* header lines that were checked when they were added */
    const char *content_type; /* NULL: none */
    const char *headers;      /* more lines, each with its CRLF, or NULL */
    const void *body;
    uint64_t len;              /* of the body or file, also when it is only announced */
    struct dx_file_body *file; /* in place of the body, taken over; or NULL */
    bool is_head;              /* announce the body, do not send it */
    bool keeps_alive;
};

/** Sends it. A status, lines in `headers` or a content type that are none become an answer with 500. */
void dx_reply_send(struct dx_http_connection *http, const struct dx_reply *reply);

/**
 * Queues the head alone. Returns DX_OK; DX_ERR_USAGE (a status, lines or a content type that are none: nothing is queued); DX_ERR_NOMEM,
 * DX_ERR_TOO_MANY: some of it may be queued.
 */
DX_MUST_CHECK enum dx_err dx_reply_queue_head(struct dx_http_connection *http,
                                              const struct dx_reply *reply);

/** Sends a refusal's one-line text. Of `like` is taken what concerns a head: headers, added, is_head, keeps_alive. */
void dx_reply_refuse_like(struct dx_http_connection *http, const struct dx_refusal *refusal,
                          const struct dx_reply *like);
void dx_reply_refuse(struct dx_http_connection *http, const struct dx_refusal *refusal,
                     const char *headers, bool is_head, bool keeps_alive);

/** Refuses, and logs, what is no complete request; the connection ends. */
void dx_reply_refuse_unread(struct dx_http_connection *http, const struct dx_refusal *refusal,
                            const char *headers);

#endif
