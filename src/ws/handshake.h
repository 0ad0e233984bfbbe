/*
 * handshake.h - the opening handshake, both sides, on parsed heads (RFC 6455 section 4). On bytes:
 * <duplex/handshake.h>.
 *
 * Not responsible for what any HTTP request must be (the head's grammar: http/head.h; target and
 * Host: http/target.h), for admission (Origin: http/origin.h), nor for sending anything.
 * Allocates nothing.
 */
#ifndef DX_WS_HANDSHAKE_H
#define DX_WS_HANDSHAKE_H

#include <duplex/handshake.h>

#include "base/slice.h"
#include "http/head.h"
#include "http/response.h"
#include "ws/extensions.h"

#define DX_HANDSHAKE_ACCEPT_LEN 28 /* a SHA-1 in base64 */

/** Writes the Sec-WebSocket-Accept that belongs to a key (RFC 6455 4.2.2), NUL-terminated. */
void dx_handshake_accept_key(struct dx_slice key, char accept[DX_HANDSHAKE_ACCEPT_LEN + 1]);

/* ---- the server's side ---- */

/* What a server makes of a request for a WebSocket. */
struct dx_handshake_verdict {
    struct dx_refusal refusal; /* status 101: accepted; else what to answer, and then to close */
    const char *header_name;   /* the header that this answer has to carry, or NULL */
    const char *header_value;
    char accept[DX_HANDSHAKE_ACCEPT_LEN + 1]; /* accepted: Sec-WebSocket-Accept */
};

/**
 * Whether the request asks for a WebSocket: its Upgrade lists `websocket`. Others are plain
 * requests.
 */
bool dx_handshake_is_asked(const struct dx_head *head);

/**
 * Judges a request that wants, or on this path has to want, a WebSocket, by the first of these that
 * applies:
 *
 *   405  another method than GET (with Allow)
 *   400  HTTP/1.0
 *   426  no `websocket` in Upgrade (with Upgrade)
 *   400  no `upgrade` in Connection; a body (Content-Length other than 0, any Transfer-Encoding)
 *   400  several Sec-WebSocket-Version;  426  none or another one than 13 (with
 *   Sec-WebSocket-Version) 400  no Sec-WebSocket-Key, several, or not the base64 of 16 bytes
 *   400  Sec-WebSocket-Protocol or -Extensions that is not a list by their grammar
 *
 * True when it is accepted.
 */
DX_MUST_CHECK bool dx_handshake_judge(const struct dx_head *head,
                                      struct dx_handshake_verdict *verdict);

/**
 * The first of `ours`, in our order of preference, that the request offers (case matters: RFC 6455
 * 4.2.2), or NULL. The request was accepted before.
 */
const char *dx_handshake_choose_subprotocol(const struct dx_head *head, const char *const *ours,
                                            size_t count);

/**
 * Writes the answer of the first offer, in the client's order, that a rule accepts. False: none;
 * `answer` is then "".
 */
bool dx_handshake_choose_extension(const struct dx_head *head,
                                   const struct dx_extension_rule *rules, size_t count,
                                   char answer[DX_EXTENSION_ANSWER_MAX]);

/**
 * Begins the 101 with all that it must say; `subprotocol` and `extensions` may be NULL or "". The
 * caller may add headers and ends it with dx_response_head_end, which reports errors.
 */
void dx_handshake_respond(struct dx_response_head *response, char *text, size_t room,
                          const struct dx_handshake_verdict *verdict, const char *subprotocol,
                          const char *extensions);

/* ---- the client's side ---- */

enum dx_handshake_result {
    DX_HANDSHAKE_OPEN,    /* what follows the head are frames */
    DX_HANDSHAKE_INTERIM, /* a 1xx before the answer: parse the next head */
    DX_HANDSHAKE_REFUSED, /* another status than 101: an ordinary answer */
    DX_HANDSHAKE_BROKEN,  /* a 101 that breaks the rules: close without a word */
};

struct dx_handshake_answer {
    enum dx_handshake_result result;
    const char *detail;      /* BROKEN: one static sentence */
    const char *subprotocol; /* OPEN: the one of the request's that was chosen, or NULL */
    /* OPEN: what was accepted; len 0 for none. For the extension to judge */
    struct dx_slice extensions;
};

/** Judges the response to `request`, which carried `key`. */
enum dx_handshake_result dx_handshake_judge_response(const struct dx_head *head,
                                                     const struct dx_handshake_request *request,
                                                     const char *key,
                                                     struct dx_handshake_answer *answer);

#endif
