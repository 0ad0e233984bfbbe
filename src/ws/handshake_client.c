/*
 * handshake_client.c - the opening handshake of a client (RFC 6455 4.1).
 */
#include "ws/handshake.h"

#include "base/base64.h"
#include "base/sized.h"
#include "base/text.h"
#include "http/list.h"

#include <string.h>

_Static_assert(DX_BASE64_LEN(DX_HANDSHAKE_NONCE_LEN) == DX_HANDSHAKE_KEY_LEN, "the key's length");

/* ---- the request ---- */

/* A request target is ASCII without blanks, control characters and fragment. */
static bool is_target(const char *target)
{
    if (target[0] != '/')
        return false;
    for (; *target != '\0'; target++)
        if (*target <= ' ' || *target > '~' || *target == '#')
            return false;
    return true;
}

static bool are_subprotocols(const struct dx_handshake_request *request)
{
    for (size_t i = 0; i < request->subprotocol_count; i++) {
        if (!dx_text_is_token(dx_slice_of(request->subprotocols[i])))
            return false;
        for (size_t j = 0; j < i; j++)
            if (strcmp(request->subprotocols[i], request->subprotocols[j]) == 0)
                return false;
    }
    return true;
}

/* Headers that belong to the handshake, or frame the message, cannot be set by the caller. */
static bool is_reserved(const char *name)
{
    static const char *const reserved[] = {
        "Host",
        "Upgrade",
        "Connection",
        "Origin",
        "Sec-WebSocket-Key",
        "Sec-WebSocket-Version",
        "Sec-WebSocket-Protocol",
        "Sec-WebSocket-Extensions",
        "Content-Length",
        "Transfer-Encoding",
    };

    for (size_t i = 0; i < sizeof(reserved) / sizeof(reserved[0]); i++)
        if (dx_text_is_nocase(dx_slice_of(name), reserved[i]))
            return true;
    return false;
}

static bool are_headers(const struct dx_handshake_request *request)
{
    for (size_t i = 0; i < request->header_count; i++)
        if (is_reserved(request->headers[i].name))
            return false;
    return true;
}

static bool is_extension_list(struct dx_slice value)
{
    enum dx_list_step step;
    struct dx_slice member;
    struct dx_list list;

    dx_list_init_value(&list, value);
    while ((step = dx_list_next(&list, &member)) == DX_LIST_MEMBER)
        if (!dx_extension_is_wellformed(member))
            return false;
    return step == DX_LIST_END;
}

static bool is_writable(const struct dx_handshake_request *request)
{
    if (!is_target(request->target) || request->host[0] == '\0' || !are_subprotocols(request) ||
        !are_headers(request))
        return false;
    return request->extensions == NULL || is_extension_list(dx_slice_of(request->extensions));
}

static void add(struct dx_response_head *head, const char *text)
{
    size_t len = strlen(text);

    if (head->err != DX_OK)
        return;
    if (len > head->room - head->len) {
        head->err = DX_ERR_TOO_BIG;
        return;
    }
    memcpy(head->text + head->len, text, len);
    head->len += len;
}

static void add_subprotocols(struct dx_response_head *head,
                             const struct dx_handshake_request *request)
{
    if (request->subprotocol_count == 0)
        return;
    add(head, "Sec-WebSocket-Protocol: ");
    for (size_t i = 0; i < request->subprotocol_count; i++) {
        add(head, i == 0 ? "" : ", ");
        add(head, request->subprotocols[i]);
    }
    add(head, "\r\n");
}

enum dx_err dx_handshake_request_write(const struct dx_handshake_request *given,
                                       const uint8_t nonce[DX_HANDSHAKE_NONCE_LEN],
                                       char key[DX_HANDSHAKE_KEY_LEN + 1], char *text, size_t room,
                                       size_t *len)
{
    /* Header lines of a request are written as those of a response; only the first line differs. */
    struct dx_response_head head = {.text = text, .room = room};
    struct dx_handshake_request own = dx_handshake_request_init("", "");
    enum dx_err err = DX_SIZED_COPY(struct dx_handshake_request, header_count, &own, given);

    if (err == DX_OK && !is_writable(&own))
        err = DX_ERR_USAGE;
    if (err != DX_OK)
        return err;
    dx_base64_encode(nonce, DX_HANDSHAKE_NONCE_LEN, key);
    key[DX_HANDSHAKE_KEY_LEN] = '\0';
    add(&head, "GET ");
    add(&head, own.target);
    add(&head, " HTTP/1.1\r\n");
    dx_response_head_add_text(&head, "Host", own.host);
    dx_response_head_add_text(&head, "Upgrade", "websocket");
    dx_response_head_add_text(&head, "Connection", "Upgrade");
    dx_response_head_add_text(&head, "Sec-WebSocket-Key", key);
    dx_response_head_add_text(&head, "Sec-WebSocket-Version", "13");
    if (own.origin != NULL)
        dx_response_head_add_text(&head, "Origin", own.origin);
    add_subprotocols(&head, &own);
    if (own.extensions != NULL)
        dx_response_head_add_text(&head, "Sec-WebSocket-Extensions", own.extensions);
    for (size_t i = 0; i < own.header_count; i++)
        dx_response_head_add_text(&head, own.headers[i].name, own.headers[i].value);
    return dx_response_head_end(&head, len);
}

/* ---- the response ---- */

static enum dx_handshake_result broken(struct dx_handshake_answer *answer, const char *detail)
{
    answer->detail = detail;
    return DX_HANDSHAKE_BROKEN;
}

/* Not a list in a response: the server names what it changes to (RFC 6455 4.1). */
static bool upgrades_to_websocket(const struct dx_head *head)
{
    struct dx_slice upgrade = {0};

    return dx_head_count(head, "Upgrade") == 1 && dx_head_find(head, "Upgrade", &upgrade) &&
           dx_text_is_nocase(upgrade, "websocket");
}

static bool is_accept_of(const struct dx_head *head, const char *key)
{
    char wanted[DX_HANDSHAKE_ACCEPT_LEN + 1];
    struct dx_slice accept = {0};

    dx_handshake_accept_key(dx_slice_of(key), wanted);
    return dx_head_count(head, "Sec-WebSocket-Accept") == 1 &&
           dx_head_find(head, "Sec-WebSocket-Accept", &accept) && dx_slice_is(accept, wanted);
}

/* The whole value must be one of the names that were offered; a list of two is not. */
static bool judge_subprotocol(const struct dx_head *head,
                              const struct dx_handshake_request *request,
                              struct dx_handshake_answer *answer)
{
    struct dx_slice chosen = {0};

    if (!dx_head_find(head, "Sec-WebSocket-Protocol", &chosen))
        return true;
    if (dx_head_count(head, "Sec-WebSocket-Protocol") > 1)
        return false;
    for (size_t i = 0; i < request->subprotocol_count; i++) {
        if (dx_slice_is(chosen, request->subprotocols[i])) {
            answer->subprotocol = request->subprotocols[i];
            return true;
        }
    }
    return false;
}

static bool offers_extension(const char *extensions, struct dx_slice name)
{
    struct dx_slice member;
    struct dx_list list;

    if (extensions == NULL)
        return false;
    dx_list_init_value(&list, dx_slice_of(extensions));
    while (dx_list_next(&list, &member) == DX_LIST_MEMBER) {
        struct dx_extension offer;

        if (dx_extension_init(&offer, member) && offer.name.len == name.len &&
            memcmp(offer.name.data, name.data, name.len) == 0)
            return true;
    }
    return false;
}

static bool judge_extensions(const struct dx_head *head, const struct dx_handshake_request *request,
                             struct dx_handshake_answer *answer)
{
    enum dx_list_step step;
    struct dx_slice member;
    struct dx_list list;

    dx_list_init(&list, head, "Sec-WebSocket-Extensions");
    while ((step = dx_list_next(&list, &member)) == DX_LIST_MEMBER) {
        struct dx_extension extension;

        if (!dx_extension_is_wellformed(member) || !dx_extension_init(&extension, member) ||
            !offers_extension(request->extensions, extension.name))
            return false;
        if (answer->extensions.len > 0)
            return false; /* at most one extension can be agreed on */
        answer->extensions = member;
    }
    return step == DX_LIST_END;
}

static enum dx_handshake_result judge_101(const struct dx_head *head,
                                          const struct dx_handshake_request *request,
                                          const char *key, struct dx_handshake_answer *answer)
{
    if (head->minor == 0)
        return broken(answer, "the server switches protocols in HTTP/1.0");
    if (!upgrades_to_websocket(head))
        return broken(answer, "the server's Upgrade does not say websocket");
    if (!dx_list_has_token(head, "Connection", "upgrade"))
        return broken(answer, "the server's Connection does not say Upgrade");
    if (!is_accept_of(head, key))
        return broken(answer, "the server's Sec-WebSocket-Accept does not belong to our key");
    if (!judge_subprotocol(head, request, answer))
        return broken(answer, "the server chose a subprotocol that was not offered");
    if (!judge_extensions(head, request, answer))
        return broken(answer, "the server chose an extension that was not offered");
    return DX_HANDSHAKE_OPEN;
}

enum dx_handshake_result dx_handshake_judge_response(const struct dx_head *head,
                                                     const struct dx_handshake_request *request,
                                                     const char *key,
                                                     struct dx_handshake_answer *answer)
{
    *answer = (struct dx_handshake_answer){0};
    if (head->status == 101)
        answer->result = judge_101(head, request, key, answer);
    else if (head->status < 200)
        answer->result = DX_HANDSHAKE_INTERIM;
    else
        answer->result = DX_HANDSHAKE_REFUSED;
    return answer->result;
}
