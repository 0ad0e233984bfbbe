/*
 * handshake.c - the opening handshake of a server (RFC 6455 4.2). That of a client is in
 * handshake_client.c.
 */
#include "ws/handshake.h"

#include "base/base64.h"
#include "base/sha1.h"
#include "base/text.h"
#include "http/list.h"
#include "http/message.h"

#include <string.h>

_Static_assert(DX_BASE64_LEN(DX_SHA1_LEN) == DX_HANDSHAKE_ACCEPT_LEN, "the accept key's length");

void dx_handshake_accept_key(struct dx_slice key, char accept[DX_HANDSHAKE_ACCEPT_LEN + 1])
{
    static const char guid[] = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
    uint8_t digest[DX_SHA1_LEN];
    struct dx_sha1 sha1;

    dx_sha1_init(&sha1);
    dx_sha1_update(&sha1, key.data, key.len);
    dx_sha1_update(&sha1, guid, sizeof(guid) - 1);
    dx_sha1_final(&sha1, digest);
    dx_base64_encode(digest, sizeof(digest), accept);
    accept[DX_HANDSHAKE_ACCEPT_LEN] = '\0';
}

bool dx_handshake_is_asked(const struct dx_head *head)
{
    return dx_list_has_token(head, "Upgrade", "websocket");
}

static bool refuse(struct dx_handshake_verdict *verdict, uint16_t status, const char *detail)
{
    verdict->refusal = (struct dx_refusal){status, detail};
    return false;
}

static bool refuse_with(struct dx_handshake_verdict *verdict, uint16_t status, const char *detail,
                        const char *header_name, const char *header_value)
{
    verdict->header_name = header_name;
    verdict->header_value = header_value;
    return refuse(verdict, status, detail);
}

static bool judge_request(const struct dx_head *head, struct dx_handshake_verdict *verdict)
{
    if (!dx_slice_is(dx_head_slice(head, head->method), "GET"))
        return refuse_with(verdict, 405, "a WebSocket handshake uses GET", "Allow", "GET");
    if (head->minor == 0)
        return refuse(verdict, 400, "a WebSocket handshake needs HTTP/1.1");
    if (!dx_handshake_is_asked(head))
        return refuse_with(verdict, 426, "this address accepts WebSocket connections only",
                           "Upgrade", "websocket");
    if (!dx_list_has_token(head, "Connection", "upgrade"))
        return refuse(verdict, 400, "Connection does not list upgrade");
    return true;
}

/* A body would be read as frames, which allows request smuggling. */
static bool judge_body(const struct dx_head *head, struct dx_handshake_verdict *verdict)
{
    struct dx_body body;

    if (!dx_message_body(head, &body, &verdict->refusal))
        return refuse(verdict, 400, verdict->refusal.detail);
    if (body.kind != DX_BODY_NONE)
        return refuse(verdict, 400, "a request for a WebSocket has no body");
    return true;
}

static bool judge_version(const struct dx_head *head, struct dx_handshake_verdict *verdict)
{
    struct dx_slice version = {0};

    if (dx_head_count(head, "Sec-WebSocket-Version") > 1)
        return refuse(verdict, 400, "Sec-WebSocket-Version comes more than once");
    if (!dx_head_find(head, "Sec-WebSocket-Version", &version) || !dx_slice_is(version, "13"))
        return refuse_with(verdict, 426, "only version 13 of WebSocket is spoken here",
                           "Sec-WebSocket-Version", "13");
    return true;
}

static bool judge_key(const struct dx_head *head, struct dx_handshake_verdict *verdict)
{
    uint8_t nonce[DX_HANDSHAKE_NONCE_LEN];
    struct dx_slice key = {0};
    size_t nonce_len = 0;

    if (dx_head_count(head, "Sec-WebSocket-Key") > 1)
        return refuse(verdict, 400, "Sec-WebSocket-Key comes more than once");
    if (!dx_head_find(head, "Sec-WebSocket-Key", &key))
        return refuse(verdict, 400, "Sec-WebSocket-Key is missing");
    if (dx_base64_decode(key, nonce, sizeof(nonce), &nonce_len) != DX_OK ||
        nonce_len != sizeof(nonce))
        return refuse(verdict, 400, "Sec-WebSocket-Key is not the base64 of 16 bytes");
    dx_handshake_accept_key(key, verdict->accept);
    return true;
}

static bool is_list_of(const struct dx_head *head, const char *name,
                       bool (*is_wellformed)(struct dx_slice member))
{
    enum dx_list_step step;
    struct dx_slice member;
    struct dx_list list;

    dx_list_init(&list, head, name);
    while ((step = dx_list_next(&list, &member)) == DX_LIST_MEMBER)
        if (!is_wellformed(member))
            return false;
    return step == DX_LIST_END;
}

static bool judge_lists(const struct dx_head *head, struct dx_handshake_verdict *verdict)
{
    if (!is_list_of(head, "Sec-WebSocket-Protocol", dx_text_is_token))
        return refuse(verdict, 400, "Sec-WebSocket-Protocol is not a list of tokens");
    if (!is_list_of(head, "Sec-WebSocket-Extensions", dx_extension_is_wellformed))
        return refuse(verdict, 400, "Sec-WebSocket-Extensions breaks its grammar");
    return true;
}

bool dx_handshake_judge(const struct dx_head *head, struct dx_handshake_verdict *verdict)
{
    *verdict = (struct dx_handshake_verdict){.refusal = {101, NULL}};
    return judge_request(head, verdict) && judge_body(head, verdict) &&
           judge_version(head, verdict) && judge_key(head, verdict) && judge_lists(head, verdict);
}

static bool is_offered(const struct dx_head *head, const char *subprotocol)
{
    struct dx_slice member;
    struct dx_list list;

    dx_list_init(&list, head, "Sec-WebSocket-Protocol");
    while (dx_list_next(&list, &member) == DX_LIST_MEMBER)
        if (dx_slice_is(member, subprotocol))
            return true;
    return false;
}

const char *dx_handshake_choose_subprotocol(const struct dx_head *head, const char *const *ours,
                                            size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (is_offered(head, ours[i]))
            return ours[i];
    return NULL;
}

bool dx_handshake_choose_extension(const struct dx_head *head,
                                   const struct dx_extension_rule *rules, size_t count,
                                   char answer[DX_EXTENSION_ANSWER_MAX])
{
    struct dx_slice member;
    struct dx_list list;

    dx_list_init(&list, head, "Sec-WebSocket-Extensions");
    while (dx_list_next(&list, &member) == DX_LIST_MEMBER) {
        struct dx_extension offer;

        for (size_t i = 0; dx_extension_init(&offer, member) && i < count; i++)
            if (dx_slice_is(offer.name, rules[i].name) &&
                rules[i].accept(rules[i].context, offer, answer))
                return true;
    }
    answer[0] = '\0';
    return false;
}

static bool has_text(const char *text)
{
    return text != NULL && text[0] != '\0';
}

void dx_handshake_respond(struct dx_response_head *response, char *text, size_t room,
                          const struct dx_handshake_verdict *verdict, const char *subprotocol,
                          const char *extensions)
{
    dx_response_head_begin(response, text, room, 101);
    dx_response_head_add_text(response, "Upgrade", "websocket");
    dx_response_head_add_text(response, "Connection", "Upgrade");
    dx_response_head_add_text(response, "Sec-WebSocket-Accept", verdict->accept);
    if (has_text(subprotocol))
        dx_response_head_add_text(response, "Sec-WebSocket-Protocol", subprotocol);
    if (has_text(extensions))
        dx_response_head_add_text(response, "Sec-WebSocket-Extensions", extensions);
}
