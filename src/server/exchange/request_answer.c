/*
 * request_answer.c - what an application settles about an answer before it gives it: its subprotocol and more headers.
 */
#include "server/exchange/request.h"

#include "base/text.h"

#include <stdlib.h>
#include <string.h>

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

/* What the library writes itself: twice it would mean something else to somebody on the way. */
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

/* There is room for it. */
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
