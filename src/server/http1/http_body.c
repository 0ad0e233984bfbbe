/*
 * http_body.c - a request's body, of a known length or in chunks, and its deadline (RFC 9112
 * sections 6 and 7, RFC 9110 section 10.1.1). Not responsible for how its length is announced
 * (http/message.h), nor for its memory (exchange/request_body.c).
 */
#include "server/exchange/request.h"
#include "server/http1/http_connection.h"

/* Begins the time in which DX_HTTP_PROGRESS_LEN bytes, or the rest, have to come. */
static void set_deadline(struct dx_http_connection *http)
{
    http->moved_len = 0;
    dx_http_connection_set_deadline(http, http->exchange.limits->message_timeout_ms);
}

/*
 * The peer waits for this before it sends the body; one that has begun to does not (RFC 9110
 * section 10.1.1).
 */
static void send_continue(struct dx_http_connection *http)
{
    const struct dx_slice text = dx_slice_of("HTTP/1.1 100 Continue\r\n\r\n");

    if (dx_http_write_or_keep(http, &text, 1) && http->exchange.output.len > 0)
        dx_http_write_wait(http);
}

void dx_http_body_begin(struct dx_http_connection *http, size_t early_len)
{
    const struct dx_request *request = http->exchange.request;

    http->state = DX_HTTP_BODY;
    http->chunked = (struct dx_chunked){0};
    set_deadline(http);
    if (early_len == 0 && dx_message_expect(&request->head) == DX_EXPECT_CONTINUE)
        send_continue(http);
}

void dx_http_body_on_due(struct dx_http_connection *http)
{
    if (http->moved_len >= DX_HTTP_PROGRESS_LEN)
        set_deadline(http);
    else
        dx_request_refuse_body(http->exchange.request, 408, "the body did not come in time");
}

static void complete(struct dx_http_connection *http)
{
    dx_request_end_body(http->exchange.request);
    http->state = DX_HTTP_READING;
}

static size_t read_known(struct dx_http_connection *http, const uint8_t *data, size_t len)
{
    struct dx_request *request = http->exchange.request;
    size_t all_len = (size_t)request->body_kind.len;
    size_t left = all_len - request->body_len;
    size_t taken = len < left ? len : left;

    if (!dx_request_add_body(request, (struct dx_slice){data, taken}, all_len))
        return len;
    if (taken == left)
        complete(http);
    return taken;
}

/* A chunk's line says how much comes, before it comes. */
static bool is_too_long(const struct dx_http_connection *http, size_t piece_len)
{
    const struct dx_request *request = http->exchange.request;
    uint64_t left = dx_request_max_body(request) - request->body_len;

    return piece_len > left || dx_chunked_announced(&http->chunked) > left - piece_len;
}

static size_t read_chunked(struct dx_http_connection *http, const uint8_t *data, size_t len)
{
    struct dx_request *request = http->exchange.request;
    struct dx_slice input = {data, len};
    enum dx_chunked_step step;

    do {
        struct dx_slice piece = {NULL, 0};

        step = dx_chunked_next(&http->chunked, &input, &piece);
        if (is_too_long(http, piece.len)) {
            dx_request_refuse_body(request, 413, DX_REQUEST_BODY_TOO_LONG);
            return len;
        }
        if (step == DX_CHUNKED_DATA &&
            !dx_request_add_body(request, piece, dx_request_max_body(request)))
            return len;
    } while (step == DX_CHUNKED_DATA);
    if (step == DX_CHUNKED_BAD) {
        dx_request_refuse_body(request, 400, http->chunked.detail);
        return len;
    }
    if (step == DX_CHUNKED_DONE)
        complete(http);
    return len - input.len;
}

size_t dx_http_body_read(struct dx_http_connection *http, const uint8_t *data, size_t len)
{
    http->moved_len += len;
    return http->exchange.request->body_kind.kind == DX_BODY_LENGTH ? read_known(http, data, len)
                                                                    : read_chunked(http, data, len);
}
