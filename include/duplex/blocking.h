/*
 * duplex/blocking.h - a WebSocket for scripts, without callbacks and without a loop: each call
 * waits until it is done, or for as long as you say.
 *
 * Inside are a websocket of duplex/client.h and a loop that runs only during these calls. So pings
 * are answered, heartbeats are sent and lost connections are restored during a call and at no other
 * time: a script that computes for longer than the peer waits for a pong loses its connection, one
 * that waits in dx_blocking_receive does not. No thread is started, except for name look-ups. One
 * thread at a time may use a socket.
 *
 *     err = dx_blocking_connect("wss://example.org/", NULL, 10000, &blocking, why, sizeof(why));
 *     if (err == DX_OK)
 *         err = dx_blocking_send_text(blocking, "hello", 5);
 *     if (err == DX_OK)
 *         err = dx_blocking_receive(blocking, DX_TIMEOUT_INFINITE, &message);
 */
#ifndef DUPLEX_BLOCKING_H
#define DUPLEX_BLOCKING_H

#include <duplex/client.h>

#ifdef __cplusplus
extern "C" {
#endif

struct dx_blocking;

#define DX_TIMEOUT_INFINITE UINT32_MAX /* as timeout_ms: no limit */

/**
 * Connects, and waits until the connection is open.
 *
 * url             as of dx_websocket_new
 * options         NULL means the defaults; the listener is called during these calls
 * timeout_ms      milliseconds; connect_timeout_ms of the options counts, too
 * blocking        gets the socket; release it with dx_blocking_free
 * why, why_len    on failure one line for people; may be NULL
 *
 * Returns DX_OK, or:
 *   DX_ERR_TIMEOUT       it was not open in time
 *   DX_ERR_USAGE         the URL, the options, or a listener with on_chunk
 *   DX_ERR_NOMEM         out of memory
 *   DX_ERR_DESCRIPTORS   no descriptor is free
 *   DX_ERR_SYSTEM        the system refused
 *   DX_ERR_RESOLVE       the name has no address
 *   DX_ERR_CONNECT       no address accepted the connection
 *   DX_ERR_TLS           the TLS handshake or the certificate
 *   DX_ERR_REFUSED       the proxy or the server refused
 *   DX_ERR_PROTOCOL      the answer breaks the rules
 *   DX_ERR_CLOSED        the connection ended before it was open
 *   DX_ERR_RESET         the same, by a reset
 */
DX_API DX_MUST_CHECK enum dx_err
dx_blocking_connect(const char *url, const struct dx_websocket_options *options,
                    uint32_t timeout_ms, struct dx_blocking **blocking, char *why, size_t why_len);

/** Closes without a code, does not wait for the answer, and frees. NULL is fine. */
DX_API void dx_blocking_free(struct dx_blocking *blocking);

/**
 * Sends a text message and waits until the kernel has accepted all of it.
 *
 * It waits as long as the peer keeps reading (write_timeout_ms of the options). With an outbox it
 * returns when the message is in there. If the connection ended with another error, that is
 * returned.
 *
 * Returns DX_OK, or:
 *   DX_ERR_UTF8         the text is not UTF-8
 *   DX_ERR_CLOSED       the connection is closed
 *   DX_ERR_RESET        the connection was reset
 *   DX_ERR_TIMEOUT      the peer stopped reading
 *   DX_ERR_QUEUE_FULL   the outbox is full
 *   DX_ERR_NOMEM        out of memory
 *   DX_ERR_SYSTEM       the system refused
 */
DX_API DX_MUST_CHECK enum dx_err dx_blocking_send_text(struct dx_blocking *blocking,
                                                       const char *text, size_t len);

/**
 * Sends a binary message and waits until the kernel has accepted all of it.
 *
 * Returns as dx_blocking_send_text, but never DX_ERR_UTF8.
 */
DX_API DX_MUST_CHECK enum dx_err dx_blocking_send_binary(struct dx_blocking *blocking,
                                                         const void *data, size_t len);

/**
 * Waits for the next whole message.
 *
 * Messages that arrive between calls are kept, up to max_queue bytes; then reading pauses. After
 * the last message the error that the connection ended with is returned.
 *
 * timeout_ms   milliseconds; 0 returns a message only if there is one already
 * message      gets a reference; release it with dx_message_drop
 *
 * Returns DX_OK, or:
 *   DX_ERR_TIMEOUT   no message came in time
 *   DX_ERR_CLOSED    after the last message: the connection is closed
 *   DX_ERR_RESET     after the last message: the connection was lost
 *   DX_ERR_SYSTEM    the system refused
 */
DX_API DX_MUST_CHECK enum dx_err
dx_blocking_receive(struct dx_blocking *blocking, uint32_t timeout_ms, struct dx_message **message);

/**
 * Sends a ping and waits for its pong: is the peer still there?
 *
 * Returns as dx_blocking_send_text, and:
 *   DX_ERR_TIMEOUT   no pong came in time
 */
DX_API DX_MUST_CHECK enum dx_err dx_blocking_ping(struct dx_blocking *blocking,
                                                  uint32_t timeout_ms);

/**
 * Closes, and waits for the peer's Close and the end of the connection.
 *
 * Messages that came before can still be received. If the connection ended with another error, that
 * is returned.
 *
 * code, reason, reason_len   as of dx_websocket_close
 * timeout_ms                 milliseconds
 *
 * Returns DX_OK, also when it was closed before, or:
 *   DX_ERR_USAGE     the code
 *   DX_ERR_TOO_BIG   the reason is longer than 123 bytes
 *   DX_ERR_UTF8      the reason is not UTF-8
 *   DX_ERR_TIMEOUT   the peer did not answer in time; the connection was cut
 *   DX_ERR_RESET     the connection was lost
 *   DX_ERR_CLOSED    the connection ended without the peer's Close
 */
DX_API DX_MUST_CHECK enum dx_err dx_blocking_close(struct dx_blocking *blocking, uint16_t code,
                                                   const char *reason, size_t reason_len,
                                                   uint32_t timeout_ms);

/** readyState, as of the last call. */
DX_API enum dx_ready_state dx_blocking_state(const struct dx_blocking *blocking);

/** The peer's close code, 1005 or 1006; 0 while it is not closed. */
DX_API uint16_t dx_blocking_close_code(const struct dx_blocking *blocking);

/** As dx_websocket_buffered_amount. */
DX_API uint64_t dx_blocking_buffered_amount(const struct dx_blocking *blocking);

/** One sentence about the last failure; "" if there was none. Valid until the next call. */
DX_API const char *dx_blocking_error(const struct dx_blocking *blocking);

/** The websocket inside, for its attributes (URL, subprotocol, headers, TLS). Do not free it. */
DX_API struct dx_websocket *dx_blocking_websocket(struct dx_blocking *blocking);

#ifdef __cplusplus
}
#endif
#endif
