/*
 * request.h - the inside of a request: from its first byte until it is answered or abandoned.
 *
 * A transport fills it in (dx_request_new, the head, the body); dispatch.c judges it and hands it
 * to its route.
 */
#ifndef DX_SERVER_REQUEST_H
#define DX_SERVER_REQUEST_H

#include <duplex/request.h>

#include "base/buf.h"
#include "http/message.h"
#include "http/url/target.h"
#include "server/exchange/exchange.h"
#include "ws/handshake.h"

struct dx_request_text;

#define DX_REQUEST_ADDED_MAX 8192 /* bytes of headers that an application adds to the answer */

struct dx_request {
    struct dx_exchange *exchange;
    const struct dx_route_entry *route;
    /* The head's. Once it is complete its method, target, names and values end with a NUL. */
    uint8_t *bytes;
    uint32_t len;
    uint32_t room;    /* charged to the pool */
    bool is_complete; /* the head is */
    bool is_upgrade;
    bool keeps_alive; /* the connection may carry another request after a plain answer */
    char *path;       /* decoded */
    size_t path_len;
    char *params; /* a copy of the path, each part ended by a NUL; NULL when the route has none */
    struct dx_request_text *texts; /* values that were made for the application */
    char *subprotocol;             /* with has_chosen: the application's choice, NULL for none */
    bool has_chosen;
    bool body_is_whole;
    struct dx_body body_kind;
    uint8_t *body; /* followed by a NUL; NULL while nothing of it has come */
    size_t body_len;
    size_t body_room;    /* charged to the pool */
    struct dx_buf added; /* header lines for the answer */
    void *user;
    char peer_host[DX_ADDRESS_TEXT_MAX];
    struct dx_target target;
    struct dx_handshake_verdict handshake;
    struct dx_head head;
};

/* ---- request.c: its life ---- */

/** Makes the exchange's request. NULL: no memory. */
struct dx_request *dx_request_new(struct dx_exchange *exchange);

/** NULL is fine. */
void dx_request_free(struct dx_request *request);

/** Calls the route's on_abandoned, then frees. */
void dx_request_abandon(struct dx_request *request);

/** Logs a line about the request: peer, method, path, and, unless 0 and NULL, status and why. */
void dx_request_log(const struct dx_request *request, enum dx_log_level level, const char *message,
                    unsigned status, const char *why);

/* ---- dispatch.c ---- */

/**
 * Judges a request whose head is complete; refuses it, or hands it to its route. True: neither,
 * because its route wants the body first. When the body is whole, call dx_request_hand_over.
 */
DX_MUST_CHECK bool dx_request_dispatch(struct dx_request *request);

/** Hands the request to its route, which may answer and so free it. */
void dx_request_hand_over(struct dx_request *request);

/* ---- request_body.c ---- */

/** The longest body that the request's route reads. */
size_t dx_request_max_body(const struct dx_request *request);

/** Whether there is a body, and the route reads it. */
bool dx_request_wants_body(const struct dx_request *request);

/**
 * Adds bytes to the body, which has `max_len` in the end, if that is known, or at most. False:
 * there is no memory, and the request was refused.
 */
DX_MUST_CHECK bool dx_request_add_body(struct dx_request *request, struct dx_slice data,
                                       size_t max_len);

/** The body is whole. */
void dx_request_end_body(struct dx_request *request);

/** Refuses a request because of its body. The connection ends. */
void dx_request_refuse_body(struct dx_request *request, uint16_t status, const char *detail);

#define DX_REQUEST_BODY_TOO_LONG "the body is longer than is read here"

/* ---- request_facts.c ---- */

/** Keeps the path's parts for dx_request_param. False: no memory. */
DX_MUST_CHECK bool dx_request_keep_params(struct dx_request *request);

void dx_request_free_texts(struct dx_request *request);

/** How much of the path its route stands for: "/a/b/c" has 4 of "/a/:name"; 1 for the route "/". */
size_t dx_request_route_len(const struct dx_request *request);

/** Whether an answer's body is only announced. */
bool dx_request_is_head(const struct dx_request *request);

/* ---- request_answer.c ---- */

/** Whether an application may give this header to an answer: it is one, and not the library's. */
bool dx_request_is_header(const struct dx_header *header);

/** What an answer with these options says. Returns DX_OK; DX_ERR_USAGE: a header is invalid. */
DX_MUST_CHECK enum dx_err dx_request_fill_reply(const struct dx_request *request,
                                                const struct dx_response_options *options,
                                                struct dx_reply *reply);

/** Takes the request from its exchange, to answer it. False: it is not that exchange's any more. */
DX_MUST_CHECK bool dx_request_detach(struct dx_request *request);

/**
 * Refuses a request and logs that. The request is gone.
 *
 * header        one that goes with it, or NULL
 * keeps_alive   whether the connection may carry another request afterwards
 */
void dx_request_refuse_with(struct dx_request *request, const struct dx_refusal *refusal,
                            const struct dx_header *header, bool keeps_alive);

#endif
