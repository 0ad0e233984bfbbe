/*
 * request_answer.c - whole answers and refusals, and what an application may settle before: the
 * subprotocol and more headers.
 */
#include "server/exchange/request.h"

#include "base/text.h"

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

void dx_request_respond(struct dx_request *request, uint16_t status, const char *content_type,
                        const char *headers, const void *body, size_t len)
{
    const struct dx_reply reply = {.status = status,
                                   .content_type = content_type,
                                   .headers = headers,
                                   .added = dx_buf_slice(&request->added),
                                   .body = body,
                                   .len = len,
                                   .is_head = dx_request_is_head(request),
                                   .keeps_alive = request->keeps_alive};

    if (!dx_request_detach(request))
        return;
    dx_exchange_answer(request->exchange, &reply);
    dx_request_free(request);
}

void dx_request_refuse_with(struct dx_request *request, const struct dx_refusal *refusal,
                            const char *headers, bool keeps_alive)
{
    const struct dx_reply like = {.headers = headers,
                                  .added = dx_buf_slice(&request->added),
                                  .is_head = dx_request_is_head(request),
                                  .keeps_alive = keeps_alive};

    if (!dx_request_detach(request))
        return;
    /* A path that does not exist needs no attention of the operator. */
    dx_request_log(request, refusal->status == 404 ? DX_LOG_INFO : DX_LOG_WARN, "refused",
                   refusal->status, refusal->detail);
    dx_exchange_refuse(request->exchange, refusal, &like);
    dx_request_free(request);
}

void dx_request_refuse(struct dx_request *request, uint16_t status, const char *why,
                       const char *headers)
{
    const struct dx_refusal refusal = {status, why};

    dx_request_refuse_with(request, &refusal, headers, request->keeps_alive);
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

static bool has_control(struct dx_slice value)
{
    for (size_t i = 0; i < value.len; i++)
        if ((value.data[i] < 0x20 && value.data[i] != '\t') || value.data[i] == 0x7f)
            return true;
    return false;
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
    enum dx_err err;

    if (!dx_text_is_token(line[0]) || is_ours(line[0]) || has_control(line[2]))
        return DX_ERR_USAGE;
    err = dx_buf_reserve(&request->added, line[0].len + line[1].len + line[2].len + line[3].len);
    for (size_t i = 0; i < 4 && err == DX_OK; i++)
        add(&request->added, line[i]);
    return err;
}
