/*
 * duplex/blocking.h - a WebSocket for scripts: no callbacks, no loop of yours; each call waits until it is done, or for as long as you say.
 *
 * Inside is a socket of duplex/client.h and a loop of its own, which runs in these calls only: pings are answered, heartbeats sent and
 * lost connections made again while you are in one of them, and at no other time. So a script that computes for longer than the
 * peer waits for a pong is taken for gone; one that waits in dx_blocking_receive is not. It starts no thread by itself (looking a name up does).
 * One thread at a time may use a socket.
 */
#ifndef DUPLEX_BLOCKING_H
#define DUPLEX_BLOCKING_H

#include <duplex/client.h>

#ifdef __cplusplus
extern "C" {
#endif

struct dx_blocking;

#define DX_TIMEOUT_INFINITE UINT32_MAX /* as timeout_ms */

/**
 * Connects and waits until it is open, at most `timeout_ms` (and the options' connect_timeout). `options` may be NULL; its listener is
 * called from inside these calls. `why` gets one line for people on failure.
 *
 * Returns DX_OK; DX_ERR_TIMEOUT; DX_ERR_USAGE (the URL, the options, a listener with on_chunk); DX_ERR_NOMEM, DX_ERR_DESCRIPTORS, DX_ERR_SYSTEM; or what the
 * connection failed with (dx_error_event: DX_ERR_RESOLVE, DX_ERR_CONNECT, DX_ERR_TLS, DX_ERR_REFUSED …).
 */
DX_API DX_MUST_CHECK enum dx_err
dx_blocking_connect(const char *url, const struct dx_websocket_options *options,
                    uint32_t timeout_ms, struct dx_blocking **blocking, char *why, size_t why_len);

/** Closes without a code, without waiting for the answer, and frees. NULL is fine. */
DX_API void dx_blocking_free(struct dx_blocking *blocking);

/**
 * Sends a message and waits until the system has all of it: as long as the peer goes on reading (the options' write_timeout). With an outbox it is
 * enough that it is in there.
 *
 * Returns DX_OK; DX_ERR_UTF8; DX_ERR_CLOSED, or what the connection ended with; DX_ERR_QUEUE_FULL (an outbox); DX_ERR_NOMEM, DX_ERR_SYSTEM.
 */
DX_API DX_MUST_CHECK enum dx_err dx_blocking_send_text(struct dx_blocking *blocking,
                                                       const char *text, size_t len);
DX_API DX_MUST_CHECK enum dx_err dx_blocking_send_binary(struct dx_blocking *blocking,
                                                         const void *data, size_t len);

/**
 * Waits for the next whole message, which is the caller's then (dx_message_drop). 0: one that is there already. What comes while nobody
 * receives is kept up to max_queue; then reading pauses.
 *
 * Returns DX_OK; DX_ERR_TIMEOUT; behind the last message DX_ERR_CLOSED (a clean close) or what the connection ended with; DX_ERR_SYSTEM.
 */
DX_API DX_MUST_CHECK enum dx_err
dx_blocking_receive(struct dx_blocking *blocking, uint32_t timeout_ms, struct dx_message **message);

/** Sends a ping and waits for the pong that answers it: whether the peer is there. Returns DX_OK; DX_ERR_TIMEOUT; the rest as dx_blocking_send_text. */
DX_API DX_MUST_CHECK enum dx_err dx_blocking_ping(struct dx_blocking *blocking,
                                                  uint32_t timeout_ms);

/**
 * Closes (dx_websocket_close: code 0, 1000, 3000 to 4999) and waits for the peer's Close and the end of TCP. What came before can still be received.
 *
 * Returns DX_OK (closed cleanly, or before); DX_ERR_USAGE, DX_ERR_TOO_BIG, DX_ERR_UTF8 (code or reason); DX_ERR_TIMEOUT (it was cut); or what it ended with.
 */
DX_API DX_MUST_CHECK enum dx_err dx_blocking_close(struct dx_blocking *blocking, uint16_t code,
                                                   const char *reason, size_t reason_len,
                                                   uint32_t timeout_ms);

/** readyState, as of the last call. */
DX_API enum dx_ready_state dx_blocking_state(const struct dx_blocking *blocking);
/** The peer's close code; 1005, 1006; 0 as long as it is not closed. */
DX_API uint16_t dx_blocking_close_code(const struct dx_blocking *blocking);
/** dx_websocket_buffered_amount. */
DX_API uint64_t dx_blocking_buffered_amount(const struct dx_blocking *blocking);
/** One sentence about the last thing that failed; "" when nothing has. Valid until the next call. */
DX_API const char *dx_blocking_error(const struct dx_blocking *blocking);
/** The socket inside, to ask it more (url, subprotocol, headers, TLS); not to free it. */
DX_API struct dx_websocket *dx_blocking_websocket(struct dx_blocking *blocking);

#ifdef __cplusplus
}
#endif
#endif
