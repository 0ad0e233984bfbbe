/*
 * handshake.c - fuzz target: the opening handshake, judged by a server and by a client.
 *
 * What begins with "HTTP/" is read as a response; what begins with "ASK" names, a line each, what a
 * client asks for (target, host, Origin, subprotocol, extensions, a header's name and value); the
 * rest is a request. Besides not crashing: what a server accepts, a client that sent that key
 * accepts as well; a refusal has a status and a sentence; what a client may ask for comes out as
 * just these headers, and a server accepts it.
 */
#include "check.h"

#include "base/text.h"
#include "http/list.h"
#include "ws/handshake.h"

static const char *const subprotocols[] = {"chat", "v2.chat"};

static const struct dx_handshake_request asked = {
    .size = sizeof(asked),
    .target = "/",
    .host = "h",
    .subprotocols = subprotocols,
    .subprotocol_count = 2,
    .extensions = "x-test; size=10, x-test",
};

static bool parse(struct dx_head *head, enum dx_head_kind kind, const void *data, size_t len)
{
    struct dx_head_limits limits = dx_head_limits_init();

    dx_head_init(head, kind);
    return dx_head_parse(head, &limits, data, len) == DX_HEAD_DONE;
}

static bool accept_test(void *context, struct dx_extension offer,
                        char answer[DX_EXTENSION_ANSWER_MAX])
{
    struct dx_extension_parameter parameter;
    enum dx_extension_step step;
    char value[16] = "";

    (void)context;
    while ((step = dx_extension_next(&offer, &parameter)) == DX_EXTENSION_PARAMETER) {
        CHECK(dx_text_is_token(parameter.name));
        if (parameter.value.data != NULL && dx_extension_value(&parameter, value, sizeof(value)))
            CHECK(dx_text_is_token(dx_slice_of(value)));
    }
    CHECK(step == DX_EXTENSION_END);
    snprintf(answer, DX_EXTENSION_ANSWER_MAX, "x-test");
    return value[0] != '0';
}

/* The 101 that a server writes is one that the client who sent this key accepts. */
static void check_accepted(const struct dx_head *head, const struct dx_handshake_verdict *verdict)
{
    static const struct dx_extension_rule rule = {"x-test", accept_test, NULL};
    const char *subprotocol = dx_handshake_choose_subprotocol(head, subprotocols, 2);
    char extension[DX_EXTENSION_ANSWER_MAX], text[1024], key[DX_HANDSHAKE_KEY_LEN + 1];
    struct dx_handshake_answer answer;
    struct dx_response_head response;
    struct dx_slice sent_key = {0};
    struct dx_head answer_head;
    size_t len = 0;

    CHECK(dx_slice_is(dx_head_slice(head, head->method), "GET"));
    CHECK(dx_head_find(head, "Sec-WebSocket-Key", &sent_key));
    CHECK(sent_key.len == DX_HANDSHAKE_KEY_LEN);
    memcpy(key, sent_key.data, sent_key.len);
    key[sent_key.len] = '\0';
    dx_handshake_choose_extension(head, &rule, 1, extension);
    dx_handshake_respond(&response, text, sizeof(text), verdict, subprotocol, extension);
    CHECK(dx_response_head_end(&response, &len) == DX_OK);
    CHECK(parse(&answer_head, DX_HEAD_RESPONSE, text, len) && answer_head.len == len);
    CHECK(dx_handshake_judge_response(&answer_head, &asked, key, &answer) == DX_HANDSHAKE_OPEN);
    CHECK(answer.subprotocol == subprotocol);
}

static void check_request(const uint8_t *data, size_t len)
{
    struct dx_handshake_verdict verdict;
    struct dx_head head;

    if (!parse(&head, DX_HEAD_REQUEST, data, len))
        return;
    if (dx_handshake_judge(&head, &verdict)) {
        CHECK(verdict.refusal.status == 101 && dx_handshake_is_asked(&head));
        check_accepted(&head, &verdict);
        return;
    }
    CHECK(verdict.refusal.status == 400 || verdict.refusal.status == 405 ||
          verdict.refusal.status == 426);
    CHECK(verdict.refusal.detail != NULL);
    CHECK((verdict.header_name != NULL) == (verdict.refusal.status != 400));
}

static void check_response(const uint8_t *data, size_t len)
{
    static const char key[] = "dGhlIHNhbXBsZSBub25jZQ==";
    struct dx_handshake_answer answer;
    struct dx_slice accept = {0};
    struct dx_head head;

    if (!parse(&head, DX_HEAD_RESPONSE, data, len))
        return;
    switch (dx_handshake_judge_response(&head, &asked, key, &answer)) {
    case DX_HANDSHAKE_OPEN:
        CHECK(head.status == 101 && dx_head_find(&head, "Sec-WebSocket-Accept", &accept));
        CHECK(dx_slice_is(accept, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="));
        break;
    case DX_HANDSHAKE_BROKEN:
        CHECK(head.status == 101 && answer.detail != NULL);
        break;
    case DX_HANDSHAKE_INTERIM:
        CHECK(head.status < 200);
        break;
    case DX_HANDSHAKE_REFUSED:
        CHECK(head.status >= 200);
        break;
    }
}

/* Takes a line off the text; NULL when there is none left. */
static char *take_line(char **text)
{
    char *line = *text;

    if (line == NULL)
        return NULL;
    *text = strchr(line, '\n');
    if (*text != NULL)
        *(*text)++ = '\0';
    return line;
}

/* Nothing that is asked for begins a header of its own, whatever it contains. */
static void check_asking(char *text)
{
    static const uint8_t nonce[DX_HANDSHAKE_NONCE_LEN] = "the sample nonce";
    const char *target = take_line(&text), *host = take_line(&text), *origin = take_line(&text);
    const char *subprotocol = take_line(&text), *extensions = take_line(&text);
    const char *name = take_line(&text), *value = take_line(&text);
    struct dx_header header = {name, value};
    struct dx_handshake_request request = {.size = sizeof(request),
                                           .target = target,
                                           .host = host,
                                           .origin = origin,
                                           .subprotocols = &subprotocol,
                                           .extensions = extensions,
                                           .headers = &header};
    struct dx_handshake_verdict verdict;
    char key[DX_HANDSHAKE_KEY_LEN + 1], out[4096];
    struct dx_head head;
    size_t len = 0;

    if (target == NULL || host == NULL)
        return;
    request.subprotocol_count = subprotocol != NULL;
    request.header_count = header.value != NULL;
    if (dx_handshake_request_write(&request, nonce, key, out, sizeof(out), &len) != DX_OK)
        return;
    if (!parse(&head, DX_HEAD_REQUEST, out, len)) {
        CHECK(len > 8192); /* longer than a server takes */
        return;
    }
    CHECK(head.len == len && dx_slice_is(dx_head_slice(&head, head.target), target));
    CHECK(head.header_count == 5u + (origin != NULL) + request.subprotocol_count +
                                   (extensions != NULL) + request.header_count);
    CHECK(dx_handshake_judge(&head, &verdict));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    if (len >= 4 && memcmp(data, "ASK\n", 4) == 0) {
        char *text = malloc(len - 3);

        CHECK(text != NULL);
        memcpy(text, data + 4, len - 4);
        text[len - 4] = '\0';
        check_asking(text);
        free(text);
        return 0;
    }
    if (len >= 5 && memcmp(data, "HTTP/", 5) == 0)
        check_response(data, len);
    else
        check_request(data, len);
    return 0;
}
