/*
 * request_answer.c - whole answers and refusals, and what an application may settle before: the
 * subprotocol and more headers.
 */
#include "server/exchange/request.h"

#include "base/text.h"
#include "http/response.h"

#include <stdlib.h>
#include <string.h>

/* ---- answers ---- */

bool dx_request_detach(struct dx_request *request)
{
    if (request->exchange->request != request)
        return false;
    request->exchange->request = NULL;
    return true;
}

/* ---- headers ---- */

/* Headers that the library writes. A second one could mean something else to a proxy on the way. */
static bool is_ours(struct dx_slice name)
{
    static const char *const names[] = {"Connection", "Upgrade", "Content-Length",
                                        "Transfer-Encoding", "Date"};
    static const char prefix[] = "Sec-WebSocket-";

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (dx_text_is_nocase(name, names[i]))
            return true;
    return name.len >= strlen(prefix) &&
           dx_text_is_nocase((struct dx_slice){name.data, strlen(prefix)}, prefix);
}

bool dx_request_is_header(const struct dx_header *header)
{
    return dx_response_is_header(header) && !is_ours(dx_slice_of(header->name));
}

static bool are_headers(const struct dx_header *headers, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (!dx_request_is_header(&headers[i]))
            return false;
    return true;
}

/* ---- whole answers ---- */

/* What all answers to the request have in common. */
static struct dx_reply reply_to(const struct dx_request *request)
{
    return (struct dx_reply){.added = dx_buf_slice(&request->added),
                             .is_head = dx_request_is_head(request),
                             .keeps_alive = request->keeps_alive};
}

static void refuse(struct dx_request *request, const struct dx_refusal *refusal,
                   const struct dx_reply *like)
{
    if (!dx_request_detach(request))
        return;
    /* A path that does not exist needs no attention of the operator. */
    dx_request_log(request, refusal->status == 404 ? DX_LOG_INFO : DX_LOG_WARN, "refused",
                   refusal->status, refusal->detail);
    dx_exchange_refuse(request->exchange, refusal, like);
    dx_request_free(request);
}

void dx_request_refuse_with(struct dx_request *request, const struct dx_refusal *refusal,
                            const struct dx_header *header, bool keeps_alive)
{
    struct dx_reply like = reply_to(request);

    like.headers = header;
    like.header_count = header != NULL;
    like.keeps_alive = keeps_alive;
    refuse(request, refusal, &like);
}

enum dx_err dx_request_fill_reply(const struct dx_request *request,
                                  const struct dx_response_options *options, struct dx_reply *reply)
{
    *reply = reply_to(request);
    if (!are_headers(options->headers, options->header_count))
        return DX_ERR_USAGE;
    reply->status = options->status;
    reply->content_type = options->content_type;
    reply->headers = options->headers;
    reply->header_count = options->header_count;
    reply->len = options->len;
    return DX_OK;
}

void dx_request_respond(struct dx_request *request, uint16_t status, const char *content_type,
                        const struct dx_header *headers, size_t header_count, const void *body,
                        size_t len)
{
    const struct dx_response_options options = {.status = status,
                                                .content_type = content_type,
                                                .headers = headers,
                                                .header_count = header_count,
                                                .len = len};
    struct dx_reply reply;

    if (dx_request_fill_reply(request, &options, &reply) != DX_OK)
        reply.status = 0; /* which is none: it becomes a 500 */
    reply.body = body;
    if (!dx_request_detach(request))
        return;
    dx_exchange_answer(request->exchange, &reply);
    dx_request_free(request);
}

void dx_request_refuse(struct dx_request *request, uint16_t status, const char *why,
                       const struct dx_header *headers, size_t header_count)
{
    const struct dx_refusal refusal = {are_headers(headers, header_count) ? status : 0, why};
    struct dx_reply like = reply_to(request);

    like.headers = headers;
    like.header_count = header_count;
    refuse(request, &refusal, &like);
}

/* ---- what is settled before ---- */

static bool is_offered(const struct dx_request *request, const char *name)
{
    struct dx_slice offered;
    const char *text;

    for (size_t index = 0; dx_request_offered_subprotocol(request, index, &text, &offered.len);
         index++) {
        offered.data = (const uint8_t *)text;
        if (dx_slice_is(offered, name))
            return true;
    }
    return false;
}

enum dx_err dx_request_set_subprotocol(struct dx_request *request, const char *name)
{
    char *copy = NULL;

    if (!request->is_upgrade)
        return DX_ERR_STATE;
    if (name != NULL) {
        if (!is_offered(request, name))
            return DX_ERR_USAGE;
        copy = strdup(name);
        if (copy == NULL)
            return DX_ERR_NOMEM;
    }
    free(request->subprotocol);
    request->subprotocol = copy;
    request->has_chosen = true;
    return DX_OK;
}

/* The buffer has room for it. */
static void add(struct dx_buf *buf, struct dx_slice text)
{
    if (text.len > 0)
        memcpy(buf->data + buf->len, text.data, text.len);
    buf->len += text.len;
}

enum dx_err dx_request_add_header(struct dx_request *request, const char *name, const char *value)
{
    const struct dx_slice line[] = {dx_slice_of(name), dx_slice_of(": "), dx_slice_of(value),
                                    dx_slice_of("\r\n")};
    const struct dx_header header = {name, value};
    enum dx_err err;

    if (!dx_request_is_header(&header))
        return DX_ERR_USAGE;
    err = dx_buf_reserve(&request->added, line[0].len + line[1].len + line[2].len + line[3].len);
    for (size_t i = 0; i < 4 && err == DX_OK; i++)
        add(&request->added, line[i]);
    return err;
}
