/*
 * request.h - the inside of a request: from its first byte until it is answered or abandoned.
 */
#ifndef DX_SERVER_REQUEST_H
#define DX_SERVER_REQUEST_H

#include "http/target.h"
#include "server/http_connection.h"
#include "server/log.h"
#include "server/peer.h"
#include "ws/handshake.h"

struct dx_joined_value;

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
    struct dx_joined_value *joined; /* values of several lines, as given out */
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

static inline bool dx_request_is_complete(const struct dx_request *request)
{
    return request->is_complete;
}

/** Whether an answer's body is only announced. */
bool dx_request_is_head(const struct dx_request *request);

/** Tells the route's on_abandoned, then frees. */
void dx_request_abandon(struct dx_request *request);

/** NULL is fine. */
void dx_request_free(struct dx_request *request);

/** Answers with a refusal, and logs it. The request is gone. `keeps_alive`: where a plain request may be followed by another. */
void dx_request_refuse_with(struct dx_request *request, const struct dx_refusal *refusal,
                            const char *headers, bool keeps_alive);

/** Writes a log line about the request: peer, method, path, and, when not 0 and NULL, status and why. */
void dx_request_log(const struct dx_request *request, enum dx_log_level level, const char *message,
                    unsigned status, const char *why);

#endif
