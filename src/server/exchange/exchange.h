/*
 * exchange.h - one request and its answer, on a transport.
 */
#ifndef DX_SERVER_EXCHANGE_H
#define DX_SERVER_EXCHANGE_H

#include "base/output.h"
#include "http/head.h"
#include "server/exchange/reply.h"
#include "server/exchange/transport.h"

/* Embedded in what carries it. It is reused for the next request. */
struct dx_exchange {
    struct dx_transport *transport;
    struct dx_request *request;   /* being read or decided; NULL once it is answered or abandoned */
    struct dx_response *response; /* an answer in pieces that is not yet sent to its end */
    /* Of the route; of the server before there is one. */
    const struct dx_connection_options *limits;
    struct dx_output output; /* what waits of the answer */
    bool is_blocked;         /* an answer in pieces waits for the peer */
};

static inline struct dx_shard *dx_exchange_shard(const struct dx_exchange *exchange)
{
    return exchange->transport->shard;
}

static inline struct dx_loop *dx_exchange_loop(const struct dx_exchange *exchange)
{
    return exchange->transport->shard->loop;
}

/** Whether more waits than the route's max_queue. */
static inline bool dx_exchange_is_over(const struct dx_exchange *exchange)
{
    size_t max_queue = exchange->limits->max_queue;

    return max_queue > 0 && exchange->output.len > max_queue;
}

/**
 * Sends an answer and takes over its file. An invalid status, headers or content type become a
 * 500. The exchange must have no request any more.
 */
void dx_exchange_answer(struct dx_exchange *exchange, const struct dx_reply *reply);

/** Begins an answer in pieces. Returns as the transport's `begin`. */
DX_MUST_CHECK enum dx_err dx_exchange_begin(struct dx_exchange *exchange,
                                            const struct dx_reply *reply);

/**
 * Sends a refusal as one line of text. Of `like` it takes what concerns a head: headers, added,
 * is_head, keeps_alive. The exchange must have no request any more.
 */
void dx_exchange_refuse(struct dx_exchange *exchange, const struct dx_refusal *refusal,
                        const struct dx_reply *like);

/**
 * Refuses and logs what is not a complete request, and frees it. The connection ends.
 *
 * header   one that goes with the refusal, or NULL
 */
void dx_exchange_refuse_unread(struct dx_exchange *exchange, const struct dx_refusal *refusal,
                               const struct dx_header *header);

#endif
