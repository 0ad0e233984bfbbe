/*
 * head_test.c - the head parser: what it takes, what it refuses, and that it does not matter how
 * the bytes come.
 */
#include "feed.h"

static struct dx_head head;

static void assert_slice(struct dx_slice slice, const char *text)
{
    char copy[1024];

    assert_true(slice.len < sizeof(copy));
    memcpy(copy, slice.data, slice.len);
    copy[slice.len] = 0;
    assert_string_equal(copy, text);
}

static void assert_request(const char *text, const char *method, const char *target,
                           unsigned header_count)
{
    assert_int_equal(feed(&head, DX_HEAD_REQUEST, text, strlen(text)), DX_HEAD_DONE);
    assert_slice(dx_head_slice(&head, head.method), method);
    assert_slice(dx_head_slice(&head, head.target), target);
    assert_int_equal(head.header_count, header_count);
    assert_int_equal(head.refusal.status, 0);
}

static void a_request_is_taken_apart(void **state)
{
    const char *text =
        "GET /chat?x=1 HTTP/1.1\r\nHost: example.org:8080\r\nUPGRADE:\t websocket \t\r\n"
        "Empty:\r\nBlank:  \r\nHost:b\r\nX: a \t b: c\r\n\r\n";
    struct dx_slice value;
    size_t index = 0;

    (void)state;
    assert_request(text, "GET", "/chat?x=1", 6);
    assert_int_equal(head.len, strlen(text));
    assert_int_equal(head.minor, 1);
    assert_true(dx_head_find(&head, "upgrade", &value));
    assert_slice(value, "websocket");
    assert_true(dx_head_find(&head, "empty", &value));
    assert_slice(value, "");
    assert_true(dx_head_find(&head, "blank", &value));
    assert_slice(value, "");
    assert_true(dx_head_find(&head, "x", &value));
    assert_slice(value, "a \t b: c");
    assert_false(dx_head_find(&head, "upgrad", &value));
    assert_int_equal(dx_head_count(&head, "hOST"), 2);
    assert_true(dx_head_next(&head, "host", &index, &value));
    assert_slice(value, "example.org:8080");
    assert_true(dx_head_next(&head, "host", &index, &value));
    assert_slice(value, "b");
    assert_false(dx_head_next(&head, "host", &index, &value));
}

static void what_stands_behind_the_head_is_not_touched(void **state)
{
    const char text[] = "GET / HTTP/1.1\r\n\r\n\x81\x85\0\n";

    (void)state;
    assert_int_equal(feed(&head, DX_HEAD_REQUEST, text, sizeof(text) - 1), DX_HEAD_DONE);
    assert_int_equal(head.len, 18);
    assert_int_equal(feed(&head, DX_HEAD_REQUEST, text, 18), DX_HEAD_DONE);
    assert_int_equal(head.len, 18);
}

static void requests_in_every_legal_shape(void **state)
{
    (void)state;
    assert_request("\r\nGET / HTTP/1.1\r\n\r\n", "GET", "/", 0);
    assert_request("GET / HTTP/1.0\r\n\r\n", "GET", "/", 0);
    assert_int_equal(head.minor, 0);
    assert_request("GET / HTTP/1.9\r\n\r\n", "GET", "/", 0);
    assert_int_equal(head.minor, 9);
    assert_request("!#$%&'*+-.^_`|~09azAZ * HTTP/1.1\r\n\r\n", "!#$%&'*+-.^_`|~09azAZ", "*", 0);
    assert_request("GET http://a/?{}|\\^` HTTP/1.1\r\nX: \xe9\x80\xff\r\n\r\n", "GET",
                   "http://a/?{}|\\^`", 1);
}

static void a_head_that_is_not_over_wants_more(void **state)
{
    static const char *const texts[] = {"",
                                        "G",
                                        "\r\n",
                                        "GET / HTTP/1.1",
                                        "GET / HTTP/1.1\r",
                                        "GET / HTTP/1.1\r\n",
                                        "GET / HTTP/1.1\r\nHost: a\r\n\r"};

    (void)state;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        assert_int_equal(feed(&head, DX_HEAD_REQUEST, texts[i], strlen(texts[i])), DX_HEAD_MORE);
}

static void responses_are_taken_apart(void **state)
{
    static const struct {
        const char *text;
        unsigned status;
        const char *reason;
    } rows[] = {
        {"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n", 101,
         "Switching Protocols"},
        {"HTTP/1.1 200 \r\n\r\n", 200, ""},
        {"HTTP/1.0 404\r\n\r\n", 404, ""},
        {"HTTP/1.1 599 caf\xe9 \t x\r\n\r\n", 599, "caf\xe9 \t x"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        assert_int_equal(feed(&head, DX_HEAD_RESPONSE, rows[i].text, strlen(rows[i].text)),
                         DX_HEAD_DONE);
        assert_int_equal(head.status, rows[i].status);
        assert_slice(dx_head_slice(&head, head.reason), rows[i].reason);
    }
}

static void malformed_responses_are_refused(void **state)
{
    static const char *const texts[] = {
        "\r\nHTTP/1.1 200 OK\r\n\r\n", "HTTP/1.1\r\n\r\n",        "HTTP/1.1 \r\n\r\n",
        "HTTP/1.1 20\r\n\r\n",         "HTTP/1.1 2000\r\n\r\n",   "HTTP/1.1 099 x\r\n\r\n",
        "HTTP/1.1 +20 x\r\n\r\n",      "HTTP/1.1  200 x\r\n\r\n", "HTTP/1 200 x\r\n\r\n",
        "http/1.1 200 x\r\n\r\n",      "GET / HTTP/1.1\r\n\r\n",  "HTTP/1.1 200\tx\r\n\r\n"};

    (void)state;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        assert_int_equal(feed(&head, DX_HEAD_RESPONSE, texts[i], strlen(texts[i])),
                         DX_HEAD_REFUSED);
        assert_int_equal(head.refusal.status, 400);
    }
    assert_int_equal(feed(&head, DX_HEAD_RESPONSE, "HTTP/2.0 200 x\r\n", 16), DX_HEAD_REFUSED);
    assert_int_equal(head.refusal.status, 505);
}

static void a_verdict_is_for_ever(void **state)
{
    struct dx_head_limits limits = dx_head_limits_init();
    const uint8_t *good = (const uint8_t *)"GET / HTTP/1.1\r\n\r\n\r\n";
    const uint8_t *bad = (const uint8_t *)"GET /\nGET / HTTP/1.1\r\n\r\n";

    (void)state;
    dx_head_init(&head, DX_HEAD_REQUEST);
    assert_int_equal(dx_head_parse(&head, &limits, good, 18), DX_HEAD_DONE);
    assert_int_equal(dx_head_parse(&head, &limits, good, 20), DX_HEAD_DONE);
    assert_int_equal(head.len, 18);
    dx_head_init(&head, DX_HEAD_REQUEST);
    assert_int_equal(dx_head_parse(&head, &limits, bad, 6), DX_HEAD_REFUSED);
    assert_int_equal(dx_head_parse(&head, &limits, bad, 24), DX_HEAD_REFUSED);
    assert_string_equal(head.refusal.detail, "LF without CR");
}

static void limits_are_the_callers(void **state)
{
    const struct dx_head_limits small = {20, 10, 49, 2};
    static const struct {
        const char *text;
        unsigned status;
    } rows[] = {
        {"GET /12345 HTTP/1.1\r\n\r\n", 0},
        {"GET /123456 HTTP/1.1\r\n\r\n", 0},
        {"GET /1234567 HTTP/1.1\r\n\r\n", 414},
        {"GET / HTTP/1.1\r\nA: 4567890\r\n\r\n", 0},
        {"GET / HTTP/1.1\r\nA: 45678901\r\n\r\n", 431},
        {"GET / HTTP/1.1\r\nA: 4567890\r\nA: 4567890\r\n\r\n", 0},
        {"GET / HTTP/1.1\r\nA:\r\nA:\r\nA:\r\n\r\n", 431},
        {"\r\nGET /12345 HTTP/1.1\r\nA: 4567890\r\nA: 4567890\r\n\r\n", 0},
        {"\r\nGET /123456 HTTP/1.1\r\nA: 4567890\r\nA: 4567890\r\n\r\n", 431},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        size_t len = strlen(rows[i].text);

        for (size_t cut = 0; cut <= len; cut++) {
            enum dx_head_status status =
                feed_cut(&head, DX_HEAD_REQUEST, &small, rows[i].text, len, cut);

            assert_int_equal(status, rows[i].status ? DX_HEAD_REFUSED : DX_HEAD_DONE);
            assert_int_equal(head.refusal.status, rows[i].status);
        }
    }
}

/* Twice the input, at most twice the bytes looked at; and a drip costs the same as a whole. */
static void time_is_linear(void **state)
{
    static char text[65536];
    struct dx_head_limits limits = {DX_HEAD_TOTAL_MAX, DX_HEAD_TOTAL_MAX, DX_HEAD_TOTAL_MAX, 100};
    size_t len = (size_t)snprintf(text, sizeof(text), "GET / HTTP/1.1\r\nX: ");

    (void)state;
    memset(text + len, 'a', 60000);
    len += 60000;
    memcpy(text + len, "\r\n\r\n", 4);
    len += 4;
    dx_head_init(&head, DX_HEAD_REQUEST);
    for (size_t end = 1; end < len; end++)
        assert_int_equal(dx_head_parse(&head, &limits, (uint8_t *)text, end), DX_HEAD_MORE);
    assert_int_equal(dx_head_parse(&head, &limits, (uint8_t *)text, len), DX_HEAD_DONE);
    assert_true(head.examined_len <= 2 * len);
    assert_int_equal(head.len, len);
}

static void a_head_stays_small(void **state)
{
    (void)state;
    assert_true(sizeof(struct dx_head) <= 1024 - 128);
}

static int print_count(void **state)
{
    (void)state;
    print_message("heads parsed: %u\n", feed_count);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_request_is_taken_apart),
        cmocka_unit_test(what_stands_behind_the_head_is_not_touched),
        cmocka_unit_test(requests_in_every_legal_shape),
        cmocka_unit_test(a_head_that_is_not_over_wants_more),
        cmocka_unit_test(responses_are_taken_apart),
        cmocka_unit_test(malformed_responses_are_refused),
        cmocka_unit_test(a_verdict_is_for_ever),
        cmocka_unit_test(limits_are_the_callers),
        cmocka_unit_test(time_is_linear),
        cmocka_unit_test(a_head_stays_small),
    };

    return run_group(tests, NULL, print_count);
}
