/*
 * duplex/handshake.h - the opening handshake as bytes (RFC 6455 section 4), for both sides, for
 * programs that have their own input and output. All others use duplex/server.h or
 * duplex/client.h.
 *
 * These functions do no I/O, allocate nothing and keep nothing. Any thread. Each call reads the
 * head from its first byte: collect what arrives and call again while it returns DX_ERR_AGAIN. A
 * head that is longer than DX_HANDSHAKE_HEAD_MAX is refused. After the handshake the bytes are
 * frames: see duplex/endpoint.h.
 *
 * A server:
 *
 *     struct dx_handshake_upgrade upgrade = dx_handshake_upgrade_init();
 *
 *     err = dx_handshake_answer(in, in_len, NULL, 0, &upgrade, answer, sizeof(answer), &len);
 *     if (err == DX_OK || err == DX_ERR_REFUSED)
 *         write(fd, answer, len);
 *     if (err == DX_OK)
 *         dx_endpoint_feed(endpoint, in + upgrade.head_len, in_len - upgrade.head_len);
 */
#ifndef DUPLEX_HANDSHAKE_H
#define DUPLEX_HANDSHAKE_H

#include <duplex/error.h>
#include <duplex/header.h>
#include <duplex/slice.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The longest head, in bytes. It may have 100 headers, and lines of 8 KiB. */
#define DX_HANDSHAKE_HEAD_MAX 16384

/* The length of the nonce: strong randomness, new for each connection. */
#define DX_HANDSHAKE_NONCE_LEN 16

/* The length of the key, which is the nonce in base64. */
#define DX_HANDSHAKE_KEY_LEN 24

/*
 * A server
 */

/* What a client asks for. The slices lie in its request. */
struct dx_handshake_upgrade {
    size_t size;

    /* The length of the request's head. Frames may follow it. */
    size_t head_len;

    /* The path and query, as sent. */
    struct dx_slice target;

    /* The header Host, as sent. */
    struct dx_slice host;

    /*
     * The header Origin; length 0 if there is none. Check it: browsers let any page connect to any
     * server (RFC 6455 section 10.2).
     */
    struct dx_slice origin;

    /* The first of the server's subprotocols that the client offers, or NULL. */
    const char *subprotocol;
};

/** For dx_handshake_answer to fill in. */
static inline struct dx_handshake_upgrade dx_handshake_upgrade_init(void)
{
    struct dx_handshake_upgrade upgrade = DX_ZEROED;

    upgrade.size = sizeof(upgrade);
    return upgrade;
}

/* Room for every answer without a subprotocol longer than 512 bytes. */
#define DX_HANDSHAKE_ANSWER_ROOM 1024

/**
 * Reads a request for a WebSocket, and writes the answer: 101, or the refusal that RFC 6455 section
 * 4.2 and RFC 9110 ask for. After a refusal the connection must end. To refuse for another reason,
 * send another answer than this one.
 *
 * in             all bytes since the first, in_len of them
 * subprotocols   those of the server, subprotocol_count of them, in order of preference
 * upgrade        filled in when the answer is 101
 * answer         room for the answer, `room` bytes; not NUL-terminated
 * answer_len     the length of the answer, for DX_OK and DX_ERR_REFUSED
 *
 * Returns DX_OK if the answer is 101, or:
 *   DX_ERR_AGAIN     the head is not complete yet; nothing was written
 *   DX_ERR_REFUSED   the answer is a refusal
 *   DX_ERR_TOO_BIG   the answer needs more room
 */
DX_API DX_MUST_CHECK enum dx_err dx_handshake_answer(const uint8_t *in, size_t in_len,
                                                     const char *const *subprotocols,
                                                     size_t subprotocol_count,
                                                     struct dx_handshake_upgrade *upgrade,
                                                     char *answer, size_t room, size_t *answer_len);

/*
 * A client
 *
 *     struct dx_handshake_request request = dx_handshake_request_init("example.org", "/chat");
 *     struct dx_handshake_response response = dx_handshake_response_init();
 *
 *     err = dx_handshake_request_write(&request, nonce, key, text, sizeof(text), &len);
 *     … send the text; then, each time that bytes have come …
 *     err = dx_handshake_response_read(&request, key, in, in_len, &response);
 */

/* What a client asks for. Everything that it points to is borrowed. */
struct dx_handshake_request {
    size_t size;

    /* The path and query, percent-encoded; begins with a slash. */
    const char *target;

    /* The header Host: with the port, unless it is the scheme's. */
    const char *host;

    /* The header Origin; default NULL: none. */
    const char *origin;

    /* Subprotocols to offer: tokens, each once; default none. */
    const char *const *subprotocols;
    size_t subprotocol_count;

    /*
     * The whole header Sec-WebSocket-Extensions, for a program that implements an extension on
     * frames; default NULL: none.
     */
    const char *extensions;

    /* More headers, but none of the handshake's own and no Content-Length; default none. */
    const struct dx_header *headers;
    size_t header_count;
};

/** A request for that host and target. */
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
 * Writes a request. Everything in it is checked, so that no text can add a line to it.
 *
 * nonce   strong randomness, new for each connection
 * key     the key of this request, for dx_handshake_response_read; NUL-terminated
 * text    room for the request, `room` bytes; not NUL-terminated
 * len     the length of the request
 *
 * Returns DX_OK, or:
 *   DX_ERR_USAGE     the target does not begin with a slash, or is not percent-encoded ASCII
 *   DX_ERR_USAGE     the host is empty, a subprotocol is not a token or there twice, the extensions
 *                    are not well-formed, or a header is reserved
 *   DX_ERR_USAGE     a header's name is not a token, or a text contains a control character
 *   DX_ERR_USAGE     the request has no size, or a member that this version does not know
 *   DX_ERR_TOO_BIG   the request needs more room
 */
DX_API DX_MUST_CHECK enum dx_err dx_handshake_request_write(
    const struct dx_handshake_request *request, const uint8_t nonce[DX_HANDSHAKE_NONCE_LEN],
    char key[DX_HANDSHAKE_KEY_LEN + 1], char *text, size_t room, size_t *len);

/* What a server has answered. */
struct dx_handshake_response {
    size_t size;

    /* The length of the answer's head, interim answers included. Frames, or a body, follow it. */
    size_t head_len;

    /* 101, or the status of the refusal; 0: the bytes are not HTTP. */
    uint16_t status;

    /* The subprotocol of the request that the server has chosen, or NULL. */
    const char *subprotocol;

    /* The extensions that the server has accepted, in its answer; length 0: none. */
    struct dx_slice extensions;

    /* DX_ERR_PROTOCOL: one English sentence about the rule that is broken; static. */
    const char *detail;
};

/** For dx_handshake_response_read to fill in. */
static inline struct dx_handshake_response dx_handshake_response_init(void)
{
    struct dx_handshake_response response = DX_ZEROED;

    response.size = sizeof(response);
    return response;
}

/**
 * Checks the answer to a request (RFC 6455 section 4.1). Interim answers (1xx but 101) are skipped.
 *
 * request    as it was written
 * key        the key that dx_handshake_request_write has made
 * in         all bytes since the first, in_len of them
 * response   filled in, unless the answer is not complete
 *
 * Returns DX_OK if the WebSocket is open, or:
 *   DX_ERR_AGAIN      the head is not complete yet
 *   DX_ERR_REFUSED    the status is not 101
 *   DX_ERR_PROTOCOL   the bytes are not HTTP, or a 101 that breaks the rules: end the connection
 *   DX_ERR_USAGE      the request has no size, or a member that this version does not know
 */
DX_API DX_MUST_CHECK enum dx_err
dx_handshake_response_read(const struct dx_handshake_request *request, const char *key,
                           const uint8_t *in, size_t in_len,
                           struct dx_handshake_response *response);

#ifdef __cplusplus
}
#endif
#endif
