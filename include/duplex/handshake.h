/*
 * duplex/handshake.h - the opening handshake as bytes (RFC 6455 section 4), both sides, for those who have their own input
 * and output.
 *
 * No I/O, nothing allocated, nothing kept. Any thread. Heads are read from their first byte at each call, so gather what comes
 * and call again; one longer than DX_HANDSHAKE_HEAD_MAX is refused. Who has no I/O of their own has duplex/server.h.
 */
#ifndef DUPLEX_HANDSHAKE_H
#define DUPLEX_HANDSHAKE_H

#include <duplex/error.h>
#include <duplex/header.h>
#include <duplex/slice.h>

#ifdef __cplusplus
extern "C" {
#endif

/* A head is at most so long (100 headers, 8 KiB a line). */
#define DX_HANDSHAKE_HEAD_MAX 16384

#define DX_HANDSHAKE_NONCE_LEN 16 /* strong randomness, fresh for each connection */
#define DX_HANDSHAKE_KEY_LEN 24   /* the nonce in base64 */

/* ---- a server ---- */

/* What a client asks for. Slices point into its request. */
struct dx_handshake_upgrade {
    size_t size;
    size_t head_len;         /* what stands behind are frames */
    struct dx_slice target;  /* path and query, as sent */
    struct dx_slice host;    /* Host, as sent */
    struct dx_slice origin;  /* len 0 when absent; judge it: browsers let any page connect (10.2) */
    const char *subprotocol; /* the first of `subprotocols` that is offered, or NULL */
};

/** Room for what a library of this version fills in. */
static inline struct dx_handshake_upgrade dx_handshake_upgrade_init(void)
{
    struct dx_handshake_upgrade upgrade = DX_ZEROED;

    upgrade.size = sizeof(upgrade);
    return upgrade;
}

/* Enough for every answer, but for a subprotocol of one's own that is longer than 512 bytes. */
#define DX_HANDSHAKE_ANSWER_ROOM 1024

/**
 * Reads a request for a WebSocket and writes its answer: the 101, or the refusal that RFC 6455 4.2 and RFC 9110 ask for, after
 * which the connection has to end. `in` are all bytes since the first. To refuse for reasons of your own, send another answer
 * than this one. `subprotocols` are yours, in order of preference.
 *
 * Returns DX_OK (a 101 of `*answer_len` bytes; `upgrade` is filled); DX_ERR_AGAIN (`in` ends inside the head: nothing was written);
 * DX_ERR_REFUSED (a refusal of `*answer_len` bytes); DX_ERR_TOO_BIG (`room` does not suffice).
 */
DX_API DX_MUST_CHECK enum dx_err dx_handshake_answer(const uint8_t *in, size_t in_len,
                                                     const char *const *subprotocols,
                                                     size_t subprotocol_count,
                                                     struct dx_handshake_upgrade *upgrade,
                                                     char *answer, size_t room, size_t *answer_len);

/* ---- a client ---- */

/* What a client asks for; borrowed. Everything is checked: no control character, no line end gets out. */
struct dx_handshake_request {
    size_t size;
    const char *target; /* path and query, percent-encoded, beginning with a slash */
    const char *host;   /* as it goes into Host: with the port when it is not the scheme's */
    const char *origin; /* or NULL */
    const char *const *subprotocols; /* tokens, each once */
    size_t subprotocol_count;
    const char *extensions; /* the whole offer, for who implements one on frames; NULL: none */
    const struct dx_header *headers; /* more headers: none of the handshake's */
    size_t header_count;
};

static inline struct dx_handshake_request dx_handshake_request_init(const char *host,
                                                                    const char *target)
{
    struct dx_handshake_request request = DX_ZEROED;

    request.size = sizeof(request);
    request.target = target;
    request.host = host;
    return request;
}

/**
 * Writes the request and the key that it carries, made of `nonce`, for dx_handshake_response_read.
 *
 * Returns DX_OK; DX_ERR_USAGE (something in it cannot stand there: see above); DX_ERR_TOO_BIG (more than `room` bytes).
 */
DX_API DX_MUST_CHECK enum dx_err dx_handshake_request_write(
    const struct dx_handshake_request *request, const uint8_t nonce[DX_HANDSHAKE_NONCE_LEN],
    char key[DX_HANDSHAKE_KEY_LEN + 1], char *text, size_t room, size_t *len);

/* What a server has answered. */
struct dx_handshake_response {
    size_t size;
    size_t head_len;            /* what stands behind are frames, or the refusal's body */
    uint16_t status;            /* 101, or what it refused with; 0: no HTTP */
    const char *subprotocol;    /* the one of the request's that was chosen, or NULL */
    struct dx_slice extensions; /* what was accepted of the offer, in `in`; len 0: nothing */
    const char *detail;         /* DX_ERR_PROTOCOL: one static sentence naming the rule */
};

/** Room for what a library of this version fills in. */
static inline struct dx_handshake_response dx_handshake_response_init(void)
{
    struct dx_handshake_response response = DX_ZEROED;

    response.size = sizeof(response);
    return response;
}

/**
 * Judges the answer to `request`, which carried `key` (RFC 6455 4.1). `in` are all bytes since the first; 1xx answers before it are
 * passed over.
 *
 * Returns DX_OK (open); DX_ERR_AGAIN (`response` is untouched); DX_ERR_REFUSED (another status than 101); DX_ERR_PROTOCOL (no HTTP, or
 * a 101 that breaks the rules): end the connection.
 */
DX_API DX_MUST_CHECK enum dx_err
dx_handshake_response_read(const struct dx_handshake_request *request, const char *key,
                           const uint8_t *in, size_t in_len,
                           struct dx_handshake_response *response);

#ifdef __cplusplus
}
#endif
#endif
