/*
 * http_upgrade.c - the answer to an opening handshake, and the stream's way from HTTP to a
 * WebSocket (RFC 6455 section 4.2.2). Not responsible for whether the handshake is accepted.
 */
#include "server/exchange/request.h"
#include "server/http1/http_connection.h"

#include <string.h>

/* The longest subprotocol that a head can offer, the application's headers, and the rest. */
#define HEAD_101_ROOM (8192 + DX_REQUEST_ADDED_MAX + 512)

static struct dx_slice early_of(const struct dx_http_connection *http)
{
    if (http->is_feeding)
        return http->rest;
    return (struct dx_slice){http->early + http->early_start, http->early_end - http->early_start};
}

static enum dx_err write_101(const struct dx_request *request, const char *subprotocol, char *text,
                             size_t *len)
{
    struct dx_slice added = dx_buf_slice(&request->added);
    struct dx_response_head response;
    enum dx_err err;

    dx_handshake_respond(&response, text, HEAD_101_ROOM - added.len, &request->handshake,
                         subprotocol, NULL);
    err = dx_response_head_end(&response, len);
    if (err != DX_OK || added.len == 0)
        return err;
    /* Before the empty line. */
    memcpy(text + *len - 2, added.data, added.len);
    memcpy(text + *len - 2 + added.len, "\r\n", 2);
    *len += added.len;
    return DX_OK;
}

enum dx_err dx_http_upgrade(struct dx_exchange *exchange, struct dx_connection_start *start,
                            const char *subprotocol, struct dx_connection **connection)
{
    struct dx_http_connection *http = dx_http_connection_of(exchange);
    struct dx_loop *loop = dx_http_connection_loop(http);
    struct dx_watch *watch = &http->transport.stream.watch;
    struct dx_slice early = early_of(http);
    char head[HEAD_101_ROOM];
    enum dx_err err = write_101(exchange->request, subprotocol, head, &start->head_len);

    if (err != DX_OK)
        return err;
    start->head = head;
    start->early = early.data;
    start->early_len = early.len;
    dx_watch_stop(loop, watch);
    err = dx_connection_new(loop, &http->transport.stream, start, connection);
    if (err == DX_OK) {
        exchange->request = NULL;
        dx_http_connection_leave(http);
    } else if (dx_watch_start(loop, watch, watch->fd, DX_WATCH_READ, dx_http_read_on_ready) !=
               DX_OK) {
        dx_http_connection_close(http, true); /* frees the request */
    }
    return err;
}
