/*
 * head.c - fuzz target: HTTP heads and everything that reads one - lists, bodies, targets, hosts,
 * origins.
 *
 * What begins with "HTTP/" is read as a response, the rest as a request. Besides not crashing:
 * whole, byte by byte and cut once, the verdict is the same, and no byte is looked at more than
 * twice.
 */
#include "check.h"

#include "base/text.h"
#include "http/list.h"
#include "http/message.h"
#include "http/origin.h"
#include "http/response.h"
#include "http/url/target.h"

static enum dx_head_kind kind_of(const uint8_t *data, size_t len)
{
    return len >= 5 && memcmp(data, "HTTP/", 5) == 0 ? DX_HEAD_RESPONSE : DX_HEAD_REQUEST;
}

/* Feeds `step` bytes at a time, each time from a copy that ends where the bytes end. */
static enum dx_head_status parse(struct dx_head *head, const uint8_t *data, size_t len, size_t step)
{
    struct dx_head_limits limits = dx_head_limits_init();
    enum dx_head_status status = DX_HEAD_MORE;

    dx_head_init(head, kind_of(data, len));
    for (size_t end = step < len ? step : len; status == DX_HEAD_MORE;
         end = len - end < step ? len : end + step) {
        uint8_t *copy = malloc(end + 1);

        CHECK(copy != NULL);
        if (end > 0)
            memcpy(copy, data, end);
        status = dx_head_parse(head, &limits, copy, end);
        free(copy);
        if (end == len)
            break;
    }
    dx_head_rebase(head, data);
    CHECK(head->examined_len <= 2 * len);
    return status;
}

static void check_same(const struct dx_head *a, const struct dx_head *b)
{
    CHECK(a->refusal.status == b->refusal.status && a->refusal.detail == b->refusal.detail);
    CHECK(a->len == b->len && a->status == b->status && a->minor == b->minor);
    CHECK(a->header_count == b->header_count);
    CHECK(memcmp(a->headers, b->headers, a->header_count * sizeof(a->headers[0])) == 0);
    CHECK(memcmp(&a->method, &b->method, sizeof(a->method)) == 0);
    CHECK(memcmp(&a->target, &b->target, sizeof(a->target)) == 0);
}

static void check_refusal(const struct dx_refusal *refusal)
{
    CHECK(refusal->status >= 400 && refusal->status <= 599 && refusal->detail);
}

static void walk_lists(const struct dx_head *head)
{
    for (size_t i = 0; i < head->header_count; i++) {
        struct dx_list list;
        struct dx_slice member;
        size_t total = 0;

        dx_list_init_value(&list, dx_head_slice(head, head->headers[i].value));
        while (dx_list_next(&list, &member) == DX_LIST_MEMBER) {
            CHECK(member.len > 0 && dx_text_trim(member).len == member.len);
            total += member.len;
        }
        CHECK(total <= head->headers[i].value.len);
    }
}

static void read_target(const struct dx_head *head)
{
    static const char *const patterns[] = {"https://*.example.org", "null",
                                           "http://localhost:8080"};
    struct dx_origin_rules rules = {.allow_same = true, .allow_loopback = true};
    struct dx_refusal refusal = {0};
    struct dx_target target;
    char *path;
    size_t len;
    bool has_dots;

    if (!dx_target_parse(head, &target, &refusal)) {
        check_refusal(&refusal);
        return;
    }
    rules.patterns = patterns;
    rules.pattern_count = sizeof(patterns) / sizeof(patterns[0]);
    if (!dx_origin_judge(head, &target.authority, &rules, &refusal))
        check_refusal(&refusal);
    path = malloc(target.path.len + 1);
    CHECK(path != NULL);
    if (dx_path_decode(target.path, path, &len, &has_dots, &refusal)) {
        CHECK(len <= target.path.len && strlen(path) == len);
        CHECK(dx_text_is_utf8(dx_slice_of(path)));
    }
    free(path);
}

/* An answer that quotes the peer is either refused or a head that we would accept ourselves. */
static void answer(const struct dx_head *head)
{
    struct dx_head_limits limits = dx_head_limits_init();
    struct dx_head *read = malloc(sizeof(*read));
    struct dx_response_head response;
    char text[4096];
    size_t len;

    CHECK(read != NULL);
    dx_response_head_begin(&response, text, sizeof(text), 400);
    dx_response_head_add(&response, "X-Quoted", dx_head_slice(head, head->target));
    dx_response_head_add_number(&response, "X-Number", head->len);
    dx_response_head_security_headers(&response);
    if (dx_response_head_end(&response, &len) == DX_OK) {
        dx_head_init(read, DX_HEAD_RESPONSE);
        CHECK(dx_head_parse(read, &limits, (uint8_t *)text, len) == DX_HEAD_DONE);
        CHECK(read->len == len && read->status == 400 && read->header_count == 6);
    }
    free(read);
}

static void read_head(const struct dx_head *head)
{
    struct dx_refusal refusal = {0};
    struct dx_body body;

    walk_lists(head);
    if (!dx_message_body(head, &body, &refusal))
        check_refusal(&refusal);
    (void)dx_message_is_persistent(head);
    (void)dx_message_expect(head);
    (void)dx_list_has_token(head, "upgrade", "websocket");
    if (head->kind == DX_HEAD_REQUEST) {
        read_target(head);
        answer(head);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static struct dx_head whole;
    static struct dx_head cut;
    enum dx_head_status status = parse(&whole, data, len, len);

    CHECK(parse(&cut, data, len, len / 2 + 1) == status);
    check_same(&whole, &cut);
    if (len <= 512) {
        CHECK(parse(&cut, data, len, 1) == status);
        check_same(&whole, &cut);
    }
    if (status == DX_HEAD_REFUSED)
        check_refusal(&whole.refusal);
    else if (status == DX_HEAD_DONE)
        read_head(&whole);
    return 0;
}
