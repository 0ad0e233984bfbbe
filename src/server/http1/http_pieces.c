/*
 * http_pieces.c - an answer in pieces as bytes (RFC 9112 sections 6 and 7.1). Small pieces gather
 * until the turn's end, large ones go to the kernel at once from the caller's memory; what it
 * refuses waits. Not responsible for the last bytes after the end: those leave as any answer does
 * (http_send.c).
 */
#include "server/exchange/request.h"
#include "server/exchange/response.h"
#include "server/http1/http_connection.h"

/* Begins to wait for the peer. */
static void block(struct dx_http_connection *http)
{
    if (http->exchange.is_blocked)
        return;
    http->exchange.is_blocked = true;
    dx_http_write_set_deadline(http);
}

/* Waits for the peer no more. Afterwards the connection may be closed. */
static void unblock(struct dx_http_connection *http)
{
    if (!http->exchange.is_blocked)
        return;
    http->exchange.is_blocked = false;
    if (!http->is_ending)
        dx_http_connection_set_deadline(http, 0);
    if (dx_watch_set(dx_http_connection_loop(http), &http->transport.stream.watch,
                     dx_http_connection_wants(http)) != DX_OK)
        dx_http_connection_fail(http, DX_ERR_SYSTEM);
}

/* Sends what waits. Afterwards the connection may be closed. */
static void push(struct dx_http_connection *http)
{
    if (dx_http_write_output(http))
        unblock(http);
    else if (http->state != DX_HTTP_GONE)
        block(http);
}

void dx_http_pieces_on_writable(struct dx_http_connection *http)
{
    struct dx_response *response = http->exchange.response;

    push(http);
    dx_response_on_sent(response);
}

void dx_http_pieces_flush(struct dx_exchange *exchange)
{
    struct dx_http_connection *http = dx_http_connection_of(exchange);

    if (http->state == DX_HTTP_SENDING) {
        block(http);
        dx_http_send_on_writable(http);
    } else if (!exchange->is_blocked) {
        push(http);
    }
}

enum dx_err dx_http_pieces_begin(struct dx_exchange *exchange, const struct dx_reply *reply)
{
    struct dx_http_connection *http = dx_http_connection_of(exchange);
    bool ends_with_connection = reply->len == DX_LEN_UNKNOWN && exchange->request->head.minor == 0;
    bool is_chunked = reply->len == DX_LEN_UNKNOWN && !ends_with_connection;
    struct dx_reply own = *reply;
    enum dx_err err;

    own.keeps_alive = reply->keeps_alive && !(ends_with_connection && dx_reply_has_body(reply));
    err = dx_http_send_head_later(http, &own, is_chunked);
    if (err != DX_OK)
        return err;
    http->state = DX_HTTP_STREAMING;
    http->keeps_alive = own.keeps_alive;
    http->is_chunked = is_chunked && dx_reply_has_body(reply);
    exchange->is_blocked = false;
    dx_http_connection_set_deadline(http, 0);
    return DX_OK;
}

/*
 * What waits and the piece in one call; what is not taken is copied. A piece that is begun cannot
 * be taken back.
 */
static enum dx_err put_direct(struct dx_http_connection *http, const struct dx_slice *piece,
                              size_t count)
{
    struct dx_output *output = &http->exchange.output;
    struct dx_slice slices[DX_STREAM_SLICES];
    size_t waiting_count = dx_output_peek(output, slices, DX_STREAM_SLICES - count);
    size_t waiting = output->len;
    enum dx_err err;
    size_t put;

    for (size_t i = 0; i < count; i++)
        slices[waiting_count + i] = piece[i];
    if (!dx_http_write(http, slices, waiting_count + count, &put))
        return DX_ERR_CLOSED;
    dx_output_consume(output, put < waiting ? put : waiting);
    err = dx_http_write_later(http, piece, count, put < waiting ? 0 : put - waiting);
    if (err != DX_OK) {
        dx_http_connection_fail(http, err);
    } else if (output->len > 0) {
        block(http);
        dx_http_write_wait(http);
    }
    return err;
}

static enum dx_err gather(struct dx_http_connection *http, const struct dx_slice *piece,
                          size_t count)
{
    size_t before_len = http->exchange.output.len;
    enum dx_err err = dx_http_write_later(http, piece, count, 0);

    if (err != DX_OK)
        dx_output_truncate(&http->exchange.output, before_len);
    return err;
}

static enum dx_err put_piece(struct dx_http_connection *http, struct dx_slice data)
{
    char head[DX_CHUNKED_HEAD_ROOM];
    struct dx_slice piece[3];
    size_t count = 0;

    if (http->is_chunked)
        piece[count++] =
            (struct dx_slice){(const uint8_t *)head, dx_chunked_write_head(head, data.len)};
    piece[count++] = data;
    if (http->is_chunked)
        piece[count++] = dx_slice_of("\r\n");
    /* What has gathered fits beside the piece, in one call. */
    if (data.len >= DX_DIRECT_LEN && !http->exchange.is_blocked &&
        http->exchange.output.len < DX_FLUSH_LEN)
        return put_direct(http, piece, count);
    return gather(http, piece, count);
}

enum dx_err dx_http_pieces_write(struct dx_exchange *exchange, struct dx_slice data)
{
    struct dx_http_connection *http = dx_http_connection_of(exchange);
    enum dx_err err = put_piece(http, data);

    if (err == DX_OK && !exchange->is_blocked &&
        (exchange->output.len >= DX_FLUSH_LEN || dx_exchange_is_over(exchange)))
        push(http);
    return err;
}

enum dx_err dx_http_pieces_end(struct dx_exchange *exchange)
{
    struct dx_http_connection *http = dx_http_connection_of(exchange);
    struct dx_slice last = dx_slice_of(DX_CHUNKED_END);
    enum dx_err err = http->is_chunked ? dx_http_write_later(http, &last, 1, 0) : DX_OK;

    if (err == DX_OK)
        http->state = DX_HTTP_SENDING;
    return err;
}
