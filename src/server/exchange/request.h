/*
 * request.h - the inside of a request: from its first byte until it is answered or abandoned.
 */
#ifndef DX_SERVER_REQUEST_H
#define DX_SERVER_REQUEST_H

#include <duplex/request.h>

#include "base/buf.h"
#include "http/chunked.h"
#include "http/message.h"
#include "http/url/target.h"
#include "server/http1/http_connection.h"
#include "server/core/log.h"
#include "server/admission/peer.h"
#include "ws/handshake.h"

struct dx_request_text;

#define DX_REQUEST_ADDED_MAX 8192 /* bytes of headers that an application adds to the answer */

struct dx_request {
    struct dx_http_connection *http;
    const struct dx_route_entry *route;
    uint8_t *
        bytes; /* the head's, ours; each method, target, name and value ends with a NUL once complete */
    uint32_t len;
    uint32_t room;
    bool is_complete;
    bool is_upgrade;
    bool keeps_alive; /* after a plain answer */
    char *path;       /* decoded */
    size_t path_len;
    char *params; /* the path once more, each part ended by a NUL; NULL when the route has none */
    struct dx_request_text *texts; /* values that were made for the application */
    char *subprotocol;             /* has_chosen: what the application has, NULL for none */
    bool has_chosen;
    bool body_is_whole;
    struct dx_body body_kind;
    struct dx_chunked chunked; /* DX_BODY_CHUNKED: how far it is read */
    uint8_t *body;             /* NUL behind it; NULL while nothing of it has come */
    size_t body_len;
    size_t body_room;    /* charged to the pool */
    struct dx_buf added; /* header lines for the answer */
    void *user;
    char peer_host[DX_ADDRESS_TEXT_MAX];
    struct dx_target target;
    struct dx_handshake_verdict handshake;
    struct dx_head head;
};

/**
 * Reads into http->request, which it makes at the first byte. Returns how many bytes it used. When the head is complete
 * http->request is, too; when it is refused, that has been answered and the connection reads no more.
 */
size_t dx_request_read(struct dx_http_connection *http, const uint8_t *data, size_t len);

/** Reads the body into http->request, whose route wants it; else as dx_request_read. Afterwards the state is READING again. */
size_t dx_request_read_body(struct dx_http_connection *http, const uint8_t *data, size_t len);

/**
 * Begins to read the body, when the route wants one and there is one. Returns false when there is nothing to read. With a body that is
 * too long it is answered; `early_len` bytes of it lie behind the head already.
 */
bool dx_request_begin_body(struct dx_request *request, size_t early_len);

/** No progress within the deadline: 408. */
void dx_request_on_body_due(struct dx_request *request);

static inline bool dx_request_is_complete(const struct dx_request *request)
{
    return request->is_complete;
}

/** Keeps the path's parts for dx_request_param. False: no memory. */
DX_MUST_CHECK bool dx_request_keep_params(struct dx_request *request);

void dx_request_free_texts(struct dx_request *request);

/** How much of the path its route stands for: "/a/b/c" has 4 of "/a/:name". 1 for the route "/". */
size_t dx_request_route_len(const struct dx_request *request);

/** The first of the server's subprotocols that is offered, or NULL. */
const char *dx_request_default_subprotocol(const struct dx_request *request);

/** Whether an answer's body is only announced. */
bool dx_request_is_head(const struct dx_request *request);

/** Tells the route's on_abandoned, then frees. */
void dx_request_abandon(struct dx_request *request);

/** NULL is fine. */
void dx_request_free(struct dx_request *request);

/** Takes the request from its connection, which may then go on. False: it is not that connection's any more (abandoned). */
DX_MUST_CHECK bool dx_request_detach(struct dx_request *request);

/** Answers with a refusal, and logs it. The request is gone. `keeps_alive`: where a plain request may be followed by another. */
void dx_request_refuse_with(struct dx_request *request, const struct dx_refusal *refusal,
                            const char *headers, bool keeps_alive);

/** Writes a log line about the request: peer, method, path, and, when not 0 and NULL, status and why. */
void dx_request_log(const struct dx_request *request, enum dx_log_level level, const char *message,
                    unsigned status, const char *why);

#endif
