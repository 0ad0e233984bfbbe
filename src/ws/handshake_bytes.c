/*
 * handshake_bytes.c - the opening handshake from bytes to bytes, for programs with their own input
 * and output: parses a head, then checks it with handshake.c or handshake_client.c (RFC 6455
 * section 4).
 */
#include <duplex/handshake.h>

#include "http/head.h"
#include "base/sized.h"
#include "http/response.h"
#include "http/url/target.h"
#include "ws/handshake.h"

#include <string.h>

/* Longer input cannot become a head. */
static enum dx_head_status parse(struct dx_head *head, enum dx_head_kind kind, const uint8_t *in,
                                 size_t in_len)
{
    struct dx_head_limits limits = dx_head_limits_init();

    _Static_assert(DX_HANDSHAKE_HEAD_MAX <= DX_HEAD_TOTAL_MAX, "a head's offsets have 16 bits");
    dx_head_init(head, kind);
    return dx_head_parse(head, &limits, in, in_len);
}

/* ---- a server ---- */

static bool judge(const struct dx_head *head, struct dx_target *target,
                  struct dx_handshake_verdict *verdict)
{
    *verdict = (struct dx_handshake_verdict){.refusal = {400, NULL}};
    return dx_target_parse(head, target, &verdict->refusal) && dx_handshake_judge(head, verdict);
}

static enum dx_err write_refusal(const struct dx_handshake_verdict *verdict, char *answer,
                                 size_t room, size_t *answer_len)
{
    struct dx_slice detail = dx_slice_of(verdict->refusal.detail);
    struct dx_response_head head;
    bool asks_for_upgrade = verdict->header_name && strcmp(verdict->header_name, "Upgrade") == 0;
    size_t len;
    enum dx_err err;

    dx_response_head_begin(&head, answer, room, verdict->refusal.status);
    dx_response_head_add_text(&head, "Content-Type", "text/plain; charset=utf-8");
    dx_response_head_add_number(&head, "Content-Length", detail.len + 1);
    dx_response_head_security_headers(&head);
    if (verdict->header_name != NULL)
        dx_response_head_add_text(&head, verdict->header_name, verdict->header_value);
    /* RFC 9110 7.8: a sender of Upgrade names it in Connection, too. */
    dx_response_head_add_text(&head, "Connection", asks_for_upgrade ? "upgrade, close" : "close");
    err = dx_response_head_end(&head, &len);
    if (err != DX_OK)
        return err;
    if (detail.len + 1 > room - len)
        return DX_ERR_TOO_BIG;
    memcpy(answer + len, detail.data, detail.len);
    answer[len + detail.len] = '\n';
    *answer_len = len + detail.len + 1;
    return DX_ERR_REFUSED;
}

static enum dx_err write_101(const struct dx_handshake_verdict *verdict, const char *subprotocol,
                             char *answer, size_t room, size_t *answer_len)
{
    struct dx_response_head head;

    dx_handshake_respond(&head, answer, room, verdict, subprotocol, NULL);
    return dx_response_head_end(&head, answer_len);
}

enum dx_err dx_handshake_answer(const uint8_t *in, size_t in_len, const char *const *subprotocols,
                                size_t subprotocol_count, struct dx_handshake_upgrade *upgrade,
                                char *answer, size_t room, size_t *answer_len)
{
    struct dx_handshake_upgrade found = dx_handshake_upgrade_init();
    struct dx_handshake_verdict verdict;
    struct dx_target target;
    struct dx_head head;
    enum dx_err err;

    switch (parse(&head, DX_HEAD_REQUEST, in, in_len)) {
    case DX_HEAD_MORE:
        return DX_ERR_AGAIN;
    case DX_HEAD_REFUSED:
        verdict = (struct dx_handshake_verdict){.refusal = head.refusal};
        return write_refusal(&verdict, answer, room, answer_len);
    case DX_HEAD_DONE:
        break;
    }
    if (!judge(&head, &target, &verdict))
        return write_refusal(&verdict, answer, room, answer_len);
    found.head_len = head.len;
    found.target = dx_head_slice(&head, head.target);
    (void)dx_head_find(&head, "Host", &found.host);
    (void)dx_head_find(&head, "Origin", &found.origin);
    found.subprotocol = dx_handshake_choose_subprotocol(&head, subprotocols, subprotocol_count);
    err = write_101(&verdict, found.subprotocol, answer, room, answer_len);
    if (err == DX_OK)
        dx_sized_fill(upgrade, &found, sizeof(found));
    return err;
}

/* ---- a client ---- */

static enum dx_err judge_response(const struct dx_head *head,
                                  const struct dx_handshake_request *request, const char *key,
                                  struct dx_handshake_response *response)
{
    struct dx_handshake_answer answer;
    enum dx_handshake_result result = dx_handshake_judge_response(head, request, key, &answer);

    if (result == DX_HANDSHAKE_INTERIM)
        return DX_ERR_AGAIN;
    response->status = head->status;
    response->subprotocol = answer.subprotocol;
    response->extensions = answer.extensions;
    response->detail = answer.detail;
    if (result == DX_HANDSHAKE_OPEN)
        return DX_OK;
    return result == DX_HANDSHAKE_REFUSED ? DX_ERR_REFUSED : DX_ERR_PROTOCOL;
}

static enum dx_err broken_response(struct dx_handshake_response *response, const char *detail)
{
    struct dx_handshake_response found = dx_handshake_response_init();

    found.detail = detail;
    dx_sized_fill(response, &found, sizeof(found));
    return DX_ERR_PROTOCOL;
}

enum dx_err dx_handshake_response_read(const struct dx_handshake_request *request, const char *key,
                                       const uint8_t *in, size_t in_len,
                                       struct dx_handshake_response *response)
{
    struct dx_handshake_response found = dx_handshake_response_init();
    struct dx_handshake_request own = dx_handshake_request_init(NULL, NULL);
    struct dx_head head;
    size_t at = 0;
    enum dx_err err = DX_SIZED_COPY(struct dx_handshake_request, header_count, &own, request);

    if (err != DX_OK)
        return err;
    err = DX_ERR_AGAIN;
    while (err == DX_ERR_AGAIN) {
        switch (parse(&head, DX_HEAD_RESPONSE, in + at, in_len - at)) {
        case DX_HEAD_MORE:
            return DX_ERR_AGAIN;
        case DX_HEAD_REFUSED:
            return broken_response(response, head.refusal.detail);
        case DX_HEAD_DONE:
            break;
        }
        at += head.len;
        if (at > DX_HANDSHAKE_HEAD_MAX)
            return broken_response(response, "the answer's heads are too long");
        err = judge_response(&head, &own, key, &found);
    }
    found.head_len = at;
    dx_sized_fill(response, &found, sizeof(found));
    return err;
}
