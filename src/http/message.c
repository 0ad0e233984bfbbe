/*
 * message.c - RFC 9112 sections 6.1 to 6.3 and 9.3, read strictly.
 */
#include "http/message.h"

#include "base/text.h"
#include "http/list.h"

static bool refuse(struct dx_refusal *refusal, uint16_t status, const char *detail)
{
    *refusal = (struct dx_refusal){status, detail};
    return false;
}

/* `chunked`, once and last, is the only coding that is supported. */
static bool judge_codings(const struct dx_head *head, struct dx_body *body,
                          struct dx_refusal *refusal)
{
    struct dx_list list;
    struct dx_slice coding;
    enum dx_list_step step;
    unsigned chunked_count = 0;
    unsigned other_count = 0;
    bool is_last = false;

    if (head->minor == 0)
        return refuse(refusal, 400, "Transfer-Encoding in HTTP/1.0");
    dx_list_init(&list, head, "transfer-encoding");
    while ((step = dx_list_next(&list, &coding)) == DX_LIST_MEMBER) {
        is_last = dx_text_is_nocase(coding, "chunked");
        if (is_last)
            chunked_count++;
        else
            other_count++;
    }
    if (step == DX_LIST_BAD || chunked_count != 1 || !is_last)
        return refuse(refusal, 400, "malformed Transfer-Encoding");
    if (other_count > 0)
        return refuse(refusal, 501, "transfer coding not supported");
    *body = (struct dx_body){DX_BODY_CHUNKED, 0};
    return true;
}

bool dx_message_body(const struct dx_head *head, struct dx_body *body, struct dx_refusal *refusal)
{
    size_t length_count = dx_head_count(head, "content-length");
    struct dx_slice text = {0};
    uint64_t len = 0;

    if (dx_head_count(head, "transfer-encoding") > 0) {
        if (length_count > 0)
            return refuse(refusal, 400, "both Content-Length and Transfer-Encoding");
        return judge_codings(head, body, refusal);
    }
    if (length_count > 1)
        return refuse(refusal, 400, "more than one Content-Length");
    if (dx_head_find(head, "content-length", &text) && dx_text_parse_decimal(text, INT64_MAX, &len))
        return refuse(refusal, 400, "malformed Content-Length");
    *body = (struct dx_body){len > 0 ? DX_BODY_LENGTH : DX_BODY_NONE, len};
    return true;
}

bool dx_message_is_persistent(const struct dx_head *head)
{
    if (dx_list_has_token(head, "connection", "close"))
        return false;
    return head->minor >= 1 || dx_list_has_token(head, "connection", "keep-alive");
}

enum dx_expect dx_message_expect(const struct dx_head *head)
{
    struct dx_list list;
    struct dx_slice member;
    enum dx_list_step step;
    enum dx_expect expect = DX_EXPECT_NOTHING;

    if (head->minor == 0)
        return DX_EXPECT_NOTHING;
    dx_list_init(&list, head, "expect");
    while ((step = dx_list_next(&list, &member)) == DX_LIST_MEMBER) {
        if (!dx_text_is_nocase(member, "100-continue"))
            return DX_EXPECT_UNKNOWN;
        expect = DX_EXPECT_CONTINUE;
    }
    return step == DX_LIST_BAD ? DX_EXPECT_UNKNOWN : expect;
}
