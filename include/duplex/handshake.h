/*
 * duplex/handshake.h - the opening handshake as bytes (RFC 6455 section 4), both sides, for those who have their own input and output.
 *
 * No I/O, nothing allocated, nothing kept. Any thread. Who has none of their own has duplex/server.h.
 */
#ifndef DUPLEX_HANDSHAKE_H
#define DUPLEX_HANDSHAKE_H

#include <duplex/error.h>
#include <duplex/slice.h>

#ifdef __cplusplus
extern "C" {
#endif

/* A head is at most so long: 16 KiB, 100 headers, 8 KiB a line. And room for every answer that is written here. */
#define DX_HANDSHAKE_HEAD_MAX 16384
#define DX_HANDSHAKE_ANSWER_ROOM 2048

/* ---- a server ---- */

/* What a client has asked for. Slices point into the request. */
struct dx_handshake_asked {
    size_t head_len;         /* what stands behind are frames */
    struct dx_slice target;  /* as sent: path and query */
    struct dx_slice host;    /* "" when absent */
    struct dx_slice origin;  /* "" when absent: judge it, browsers let any page connect */
    const char *subprotocol; /* the first of `subprotocols` that is offered, or NULL */
};

/**
 * Reads a request for a WebSocket and writes its answer: the 101, or, when it is none that may be accepted, the refusal that
 * RFC 6455 4.2 and RFC 9110 ask for, after which the connection has to end. `in` are all bytes since the first. To refuse for
 * reasons of your own, write another answer in place of this one. `subprotocols` are yours, in order of preference.
 *
 * Returns DX_OK (`*answer_len` bytes of 101; `asked` is filled); DX_ERR_AGAIN (`in` ends inside the head, nothing was written);
 * DX_ERR_REFUSED (`*answer_len` bytes of refusal); DX_ERR_TOO_BIG (`room` is below DX_HANDSHAKE_ANSWER_ROOM and did not suffice).
 */
DX_API DX_MUST_CHECK enum dx_err dx_handshake_answer(const uint8_t *in, size_t in_len,
                                                     const char *const *subprotocols,
                                                     size_t subprotocol_count,
                                                     struct dx_handshake_asked *asked, char *answer,
                                                     size_t room, size_t *answer_len);

/* ---- a client ---- */

#define DX_HANDSHAKE_NONCE_LEN 16 /* strong randomness, fresh for each connection */

struct dx_handshake_ask {
    size_t size;
    const char *target; /* path and query, percent-encoded, beginning with a slash */
    const char *host;   /* as it goes into Host: with the port when it is not the scheme's */
    const char *origin; /* or NULL */
    const char *const *subprotocols; /* tokens, each once */
    size_t subprotocol_count;
    const char *headers; /* more "Name: value\r\n" lines, none of the handshake's, or NULL */
};

static inline struct dx_handshake_ask dx_handshake_ask_init(const char *host, const char *target)
{
    struct dx_handshake_ask ask = {sizeof(ask), target, host, NULL, NULL, 0, NULL};

    return ask;
}

/**
 * Writes the request.
 *
 * Returns DX_OK; DX_ERR_USAGE (something in it cannot stand there: a control character, a blank in the target, a subprotocol
 * that is no token or there twice …); DX_ERR_TOO_BIG (more than `room`).
 */
DX_API DX_MUST_CHECK enum dx_err dx_handshake_ask_write(const struct dx_handshake_ask *ask,
                                                        const uint8_t nonce[DX_HANDSHAKE_NONCE_LEN],
                                                        char *text, size_t room, size_t *len);

/* What the server has said. */
struct dx_handshake_said {
    size_t head_len;         /* what stands behind are frames, or the refusal's body */
    uint16_t status;         /* 101, or what it refused with */
    const char *subprotocol; /* that of the ask's which was chosen, or NULL */
    const char *detail;      /* DX_ERR_PROTOCOL: one static sentence naming the rule */
};

/**
 * Judges the answer to `ask` and `nonce` (RFC 6455 4.1). `in` are all bytes since the first; 1xx before the answer are passed over.
 *
 * Returns DX_OK (the connection is open); DX_ERR_AGAIN; DX_ERR_REFUSED (any other status than 101); DX_ERR_PROTOCOL (no HTTP,
 * or a 101 that breaks the rules: end the connection).
 */
DX_API DX_MUST_CHECK enum dx_err dx_handshake_said(const struct dx_handshake_ask *ask,
                                                   const uint8_t nonce[DX_HANDSHAKE_NONCE_LEN],
                                                   const uint8_t *in, size_t in_len,
                                                   struct dx_handshake_said *said);

#ifdef __cplusplus
}
#endif
#endif
