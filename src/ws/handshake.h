/*
 * handshake.h - the opening handshake of both sides, on parsed heads (RFC 6455 section 4). On
 * bytes: <duplex/handshake.h>.
 *
 * Checked elsewhere: the grammar of a head (http/head.h), target and Host (http/target.h), Origin
 * (http/origin.h). Sends nothing and allocates nothing.
 */
#ifndef DX_WS_HANDSHAKE_H
#define DX_WS_HANDSHAKE_H

#include <duplex/handshake.h>

#include "base/slice.h"
#include "http/head.h"
#include "http/response.h"
#include "ws/extensions.h"

#define DX_HANDSHAKE_ACCEPT_LEN 28 /* a SHA-1 in base64 */

/** Writes the Sec-WebSocket-Accept of a key (RFC 6455 4.2.2), NUL-terminated. */
void dx_handshake_accept_key(struct dx_slice key, char accept[DX_HANDSHAKE_ACCEPT_LEN + 1]);

/* ---- the server's side ---- */

/* The result of checking a request for a WebSocket. */
struct dx_handshake_verdict {
    struct dx_refusal
        refusal; /* status 101: accepted; else the answer, after which the connection is closed */
    const char *header_name; /* a header that the answer needs, or NULL */
    const char *header_value;
    char accept[DX_HANDSHAKE_ACCEPT_LEN + 1]; /* accepted: Sec-WebSocket-Accept */
};

/**
 * Whether the request asks for a WebSocket: its Upgrade lists `websocket`. Other requests are
 * plain.
 */
bool dx_handshake_is_asked(const struct dx_head *head);

/**
 * Checks a request that asks for a WebSocket, or must on this path. The first of these that applies
 * is the answer:
 *
 *   405  a method other than GET (with Allow)
 *   400  HTTP/1.0
 *   426  no `websocket` in Upgrade (with Upgrade)
 *   400  no `upgrade` in Connection; a body (Content-Length other than 0, any Transfer-Encoding)
 *   400  several Sec-WebSocket-Version
 *   426  no Sec-WebSocket-Version, or not 13 (with Sec-WebSocket-Version)
 *   400  no Sec-WebSocket-Key, several, or one that is not the base64 of 16 bytes
 *   400  Sec-WebSocket-Protocol or Sec-WebSocket-Extensions that is malformed
 *
 * True: accepted.
 */
DX_MUST_CHECK bool dx_handshake_judge(const struct dx_head *head,
                                      struct dx_handshake_verdict *verdict);

/**
 * The first of `ours`, in our order of preference, that the request offers, or NULL. Case-sensitive
 * (RFC 6455 4.2.2). The request has been accepted before.
 */
const char *dx_handshake_choose_subprotocol(const struct dx_head *head, const char *const *ours,
                                            size_t count);

/**
 * Writes the answer to the first offer, in the client's order, that one of the rules accepts.
 * False: there is none, and `answer` is "".
 */
bool dx_handshake_choose_extension(const struct dx_head *head,
                                   const struct dx_extension_rule *rules, size_t count,
                                   char answer[DX_EXTENSION_ANSWER_MAX]);

/**
 * Begins the 101 with the headers that it needs; `subprotocol` and `extensions` may be NULL or "".
 * The caller may add headers, and ends it with dx_response_head_end, which reports errors.
 */
void dx_handshake_respond(struct dx_response_head *response, char *text, size_t room,
                          const struct dx_handshake_verdict *verdict, const char *subprotocol,
                          const char *extensions);

/* ---- the client's side ---- */

enum dx_handshake_result {
    DX_HANDSHAKE_OPEN,    /* frames follow the head */
    DX_HANDSHAKE_INTERIM, /* a 1xx: parse the next head */
    DX_HANDSHAKE_REFUSED, /* a status other than 101: an ordinary answer */
    DX_HANDSHAKE_BROKEN,  /* a 101 that breaks the rules: close without a Close frame */
};

struct dx_handshake_answer {
    enum dx_handshake_result result;
    const char *detail;      /* BROKEN: a static sentence */
    const char *subprotocol; /* OPEN: the one of the request that was chosen, or NULL */
    /* OPEN: the accepted extensions; len 0: none. The extension checks it */
    struct dx_slice extensions;
};

/** Checks the response to `request`, which carried `key`. */
enum dx_handshake_result dx_handshake_judge_response(const struct dx_head *head,
                                                     const struct dx_handshake_request *request,
                                                     const char *key,
                                                     struct dx_handshake_answer *answer);

#endif
