/*
 * message_test.c - bodies, persistence, expectations. What is refused stands in hostile_test.c.
 */
#include "feed.h"

#include "http/message.h"

static struct dx_head head;

static void read_request(const char *version, const char *lines)
{
    static char text[512];
    int len = snprintf(text, sizeof(text), "POST / HTTP/%s\r\n%s\r\n", version, lines);

    assert_int_equal(feed(&head, DX_HEAD_REQUEST, text, (size_t)len), DX_HEAD_DONE);
}

static void assert_body(const char *lines, enum dx_body_kind kind, uint64_t len)
{
    struct dx_body body;
    struct dx_refusal refusal;

    read_request("1.1", lines);
    assert_true(dx_message_body(&head, &body, &refusal));
    assert_int_equal(body.kind, kind);
    assert_int_equal(body.len, len);
}

static void bodies(void **state)
{
    (void)state;
    assert_body("", DX_BODY_NONE, 0);
    assert_body("Content-Length: 0\r\n", DX_BODY_NONE, 0);
    assert_body("Content-Length: 00012\r\n", DX_BODY_LENGTH, 12);
    assert_body("Content-Length: 9223372036854775807\r\n", DX_BODY_LENGTH, INT64_MAX);
    assert_body("Transfer-Encoding: chunked\r\n", DX_BODY_CHUNKED, 0);
    assert_body("Transfer-Encoding: , CHUNKED ,\r\n", DX_BODY_CHUNKED, 0);
}

static void persistence(void **state)
{
    static const struct {
        const char *version;
        const char *lines;
        bool is_persistent;
    } rows[] = {
        {"1.1", "", true},
        {"1.1", "Connection: upgrade\r\n", true},
        {"1.1", "Connection: x, Close\r\n", false},
        {"1.1", "Connection: keep-alive\r\nConnection: close\r\n", false},
        {"1.0", "", false},
        {"1.0", "Connection: Keep-Alive\r\n", true},
        {"1.0", "Connection: keep-alive, close\r\n", false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        read_request(rows[i].version, rows[i].lines);
        assert_int_equal(dx_message_is_persistent(&head), rows[i].is_persistent);
    }
}

static void expectations(void **state)
{
    static const struct {
        const char *version;
        const char *lines;
        enum dx_expect expect;
    } rows[] = {
        {"1.1", "", DX_EXPECT_NOTHING},
        {"1.1", "Expect: 100-Continue\r\n", DX_EXPECT_CONTINUE},
        {"1.0", "Expect: 100-continue\r\n", DX_EXPECT_NOTHING},
        {"1.1", "Expect: 200-ok\r\n", DX_EXPECT_UNKNOWN},
        {"1.1", "Expect: 100-continue, x\r\n", DX_EXPECT_UNKNOWN},
        {"1.1", "Expect: \"x\r\n", DX_EXPECT_UNKNOWN},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        read_request(rows[i].version, rows[i].lines);
        assert_int_equal(dx_message_expect(&head), rows[i].expect);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bodies),
        cmocka_unit_test(persistence),
        cmocka_unit_test(expectations),
    };

    return run_group(tests, NULL, NULL);
}
