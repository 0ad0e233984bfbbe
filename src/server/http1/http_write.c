/*
 * http_write.c - bytes on their way out: what the peer takes at once, and what waits for it. Not
 * responsible for what they say.
 */
#include "server/http1/http_connection.h"

#define SLICES_MAX 16

void dx_http_write_wait(struct dx_http_connection *http)
{
    struct dx_stream *stream = &http->transport.stream;
    unsigned wants = dx_stream_wants(stream);

    if (wants == 0)
        wants = DX_WATCH_WRITE;
    wants |= http->state == DX_HTTP_SENDING ? DX_WATCH_QUIET : dx_http_connection_wants(http);
    if (dx_watch_set(dx_http_connection_loop(http), &stream->watch, wants) != DX_OK)
        dx_http_connection_close(http, true);
}

void dx_http_write_set_deadline(struct dx_http_connection *http)
{
    http->moved_len = 0;
    if (!http->is_ending)
        dx_http_connection_set_deadline(http, http->exchange.limits->write_timeout_ms);
}

bool dx_http_write(struct dx_http_connection *http, const struct dx_slice *slices, size_t count,
                   size_t *put)
{
    enum dx_err err = dx_stream_write(&http->transport.stream, slices, count, put);

    if (err == DX_OK)
        return true;
    *put = 0;
    if (err == DX_ERR_AGAIN)
        return true;
    dx_http_connection_fail(http, err);
    return false;
}

enum dx_err dx_http_write_later(struct dx_http_connection *http, const struct dx_slice *slices,
                                size_t count, size_t put)
{
    enum dx_err err = DX_OK;

    for (size_t index = 0; index < count && err == DX_OK; index++) {
        size_t skip = put < slices[index].len ? put : slices[index].len;

        put -= skip;
        if (slices[index].len > skip)
            err = dx_output_append(&http->exchange.output, slices[index].data + skip,
                                   slices[index].len - skip);
    }
    return err;
}

bool dx_http_write_or_keep(struct dx_http_connection *http, const struct dx_slice *slices,
                           size_t count)
{
    size_t put = 0;

    if (http->exchange.output.len == 0 && /* else a 100 waits */
        !dx_http_write(http, slices, count, &put))
        return false;
    if (dx_http_write_later(http, slices, count, put) == DX_OK)
        return true;
    dx_http_connection_close(http, true); /* part of it may be out: nothing else can follow */
    return false;
}

bool dx_http_write_output(struct dx_http_connection *http)
{
    struct dx_output *output = &http->exchange.output;
    struct dx_slice slices[SLICES_MAX];
    size_t put;

    while (output->len > 0) {
        size_t count = dx_output_peek(output, slices, SLICES_MAX);

        if (!dx_http_write(http, slices, count, &put))
            return false;
        if (put == 0) {
            dx_http_write_wait(http);
            return false;
        }
        dx_output_consume(output, put);
        http->moved_len += put;
    }
    return true;
}
