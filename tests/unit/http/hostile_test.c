/*
 * hostile_test.c - hostile requests, row by row, each with the exact status it gets: the head, its
 * target and its lists.
 *
 * Each input comes whole, byte by byte and cut at each position. What a row says about the opening
 * handshake itself (405, 426, the key) is tested with the handshake.
 */
#include "feed.h"

#include "http/list.h"
#include "http/message.h"
#include "http/url/target.h"

static struct dx_head head;

/* The status with which head, target and path are refused; 0 when all are fine. */
static unsigned judge(const char *text, size_t len)
{
    struct dx_refusal refusal = {0};
    struct dx_target target;
    char *path;
    size_t path_len;
    bool has_dots;
    bool is_fine;
    enum dx_head_status status = feed(&head, DX_HEAD_REQUEST, text, len);

    assert_int_not_equal(status, DX_HEAD_MORE);
    if (status == DX_HEAD_REFUSED) {
        assert_non_null(head.refusal.detail);
        return head.refusal.status;
    }
    if (!dx_target_parse(&head, &target, &refusal))
        return refusal.status;
    path = malloc(target.path.len + 1);
    assert_non_null(path);
    is_fine = dx_path_decode(target.path, path, &path_len, &has_dots, &refusal);
    free(path);
    return is_fine ? 0 : refusal.status;
}

struct hostile_row {
    const char *text;
    unsigned status;
};

#define ASSERT_ROWS(rows)                                                                          \
 for (size_t row = 0; row < sizeof(rows) / sizeof((rows)[0]); row++)                               \
  if (judge((rows)[row].text, strlen((rows)[row].text)) != (rows)[row].status)                     \
 fail_msg("%s: %u", (rows)[row].text, judge((rows)[row].text, strlen((rows)[row].text)))

#define REQUEST(line) "GET / HTTP/1.1\r\nHost: a\r\n" line "\r\n\r\n"
#define PATH(path) "GET " path " HTTP/1.1\r\nHost: a\r\n\r\n"
#define HOST(line) "GET / HTTP/1.1\r\n" line "\r\n\r\n"

static void a2_other_versions_are_505_and_nonsense_400(void **state)
{
    static const struct hostile_row rows[] = {
        {"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505},
        {"GET / HTTP/2.0\r\nHost: a\r\n\r\n", 505},
        {"GET / HTTP/3.0\r\nHost: a\r\n\r\n", 505},
        {"GET / HTTP/0.9\r\nHost: a\r\n\r\n", 505},
        {"GET /\r\n\r\n", 400},
        {"GET / HTTP/2\r\n\r\n", 400},
        {"GET / HTTP/1.10\r\n\r\n", 400},
        {"GET / HTTP/01.1\r\n\r\n", 400},
        {"GET / http/1.1\r\n\r\n", 400},
        {"GET / HTTP/1,1\r\n\r\n", 400},
        {"GET / HTTP/x.1\r\n\r\n", 400},
        {"GET / HTTP/1.x\r\n\r\n", 400},
        {"GET / HTTP/1.1 \r\n\r\n", 400},
        {"GET / ICY/1.1\r\n\r\n", 400},
    };

    (void)state;
    ASSERT_ROWS(rows);
}

/* Two versions, or two keys, must be visible as two lines and as no token that passes for one. */
static void a5_a7_repeated_headers_are_seen(void **state)
{
    const char *text = REQUEST("Sec-WebSocket-Version: 13\r\nSec-WebSocket-Version: 8\r\n"
                               "Sec-WebSocket-Key: a\r\nsec-websocket-key: b");
    struct dx_slice value;

    (void)state;
    assert_int_equal(judge(text, strlen(text)), 0);
    assert_int_equal(dx_head_count(&head, "Sec-WebSocket-Version"), 2);
    assert_int_equal(dx_head_count(&head, "Sec-WebSocket-Key"), 2);
    text = REQUEST("Sec-WebSocket-Version: 13, 8");
    assert_int_equal(judge(text, strlen(text)), 0);
    assert_true(dx_head_find(&head, "sec-websocket-version", &value));
    assert_false(dx_slice_is(value, "13"));
}

static void a8_hosts(void **state)
{
    static const struct hostile_row rows[] = {
        {HOST("X: y"), 400},
        {HOST("Host:"), 400},
        {HOST("Host: a\r\nHost: a"), 400},
        {HOST("Host: a\r\nhost: b"), 400},
        {HOST("Host: user@a"), 400},
        {HOST("Host: a/b"), 400},
        {HOST("Host: a b"), 400},
        {HOST("Host: a, b"), 400},
        {HOST("Host: a:99999"), 400},
        {HOST("Host: a:65536"), 400},
        {HOST("Host: a:-1"), 400},
        {HOST("Host: a:+1"), 400},
        {HOST("Host: a:8 0"), 400},
        {HOST("Host: a:0x50"), 400},
        {HOST("Host: a:b:1"), 400},
        {HOST("Host: :80"), 400},
        {HOST("Host: http://a"), 400},
        {HOST("Host: a?b"), 400},
        {HOST("Host: a#b"), 400},
        {HOST("Host: a\\b"), 400},
        {HOST("Host: a%41"), 400},
        {HOST("Host: <a>"), 400},
        {HOST("Host: \xc3\xa9"), 400},
        {HOST("Host: ::1"), 400},
        {HOST("Host: [::1"), 400},
        {HOST("Host: [::1]x"), 400},
        {HOST("Host: [fe80::1%25eth0]"), 400},
        {HOST("Host: [v1.x]"), 400},
        {HOST("Host: 256.0.0.1"), 400},
        {HOST("Host: a"), 0},
        {HOST("Host: a:0"), 0},
        {HOST("Host: a:65535"), 0},
        {HOST("Host: a_b-c.example:"), 0},
        {HOST("Host: [::1]:8080"), 0},
        {HOST("Host: 127.0.0.1:8080"), 0},
    };

    (void)state;
    ASSERT_ROWS(rows);
}

/*
 * "GET /aaa... HTTP/1.1" of `line_len` bytes, `count` headers of `header_len` bytes, and the end.
 */
static unsigned judge_sized(size_t line_len, size_t header_len, size_t count)
{
    static char text[65536];
    size_t len = 0;

    len += (size_t)sprintf(text, "GET /");
    memset(text + len, 'a', line_len - 14);
    len += line_len - 14;
    len += (size_t)sprintf(text + len, " HTTP/1.1\r\nHost: a\r\n");
    for (size_t i = 0; i < count; i++) {
        len += (size_t)sprintf(text + len, "X: ");
        memset(text + len, 'b', header_len - 3);
        len += header_len - 3;
        len += (size_t)sprintf(text + len, "\r\n");
    }
    len += (size_t)sprintf(text + len, "\r\n");
    return judge(text, len);
}

static void a9_sizes(void **state)
{
    (void)state;
    assert_int_equal(judge_sized(8192, 10, 1), 0);
    assert_int_equal(judge_sized(8193, 10, 1), 414);
    assert_int_equal(judge_sized(20000, 10, 1), 414);
    assert_int_equal(judge_sized(20, 8192, 1), 0);
    assert_int_equal(judge_sized(20, 8193, 1), 431);
    assert_int_equal(judge_sized(20, 20000, 1), 431);
    assert_int_equal(judge_sized(20, 20, 99), 0);
    assert_int_equal(judge_sized(20, 20, 100), 431);
    /* 20 + 2 for the line, 9 for Host, 2 for the end: 16384 in all, then one more. */
    assert_int_equal(judge_sized(20, 8173, 2), 0);
    assert_int_equal(judge_sized(21, 8173, 2), 0);
    assert_int_equal(judge_sized(22, 8173, 2), 431);
    assert_int_equal(judge_sized(20, 4000, 5), 431);
}

static void a10_malformed_lines(void **state)
{
    static const struct hostile_row rows[] = {
        {REQUEST("X"), 400},
        {REQUEST("X y"), 400},
        {REQUEST("X : y"), 400},
        {REQUEST("X\t: y"), 400},
        {REQUEST(": y"), 400},
        {REQUEST(" X: y"), 400},
        {REQUEST("X: y\r\n z"), 400},
        {REQUEST("X: y\r\n\tz"), 400},
        {REQUEST("X: y\r\n "), 400},
        {REQUEST("X(y): z"), 400},
        {REQUEST("X\xe9: z"), 400},
        {REQUEST("X: y\nZ: z"), 400},
        {REQUEST("X: y\rZ: z"), 400},
        {REQUEST("X: y\r\r\nZ: z"), 400},
        {REQUEST("X: y\x01"), 400},
        {REQUEST("X: y\x08"), 400},
        {REQUEST("X: y\x0b"), 400},
        {REQUEST("X: y\x0c"), 400},
        {REQUEST("X: y\x1b[2J"), 400},
        {REQUEST("X: y\x1f"), 400},
        {REQUEST("X: y\x7f"), 400},
        {REQUEST("X\x01: y"), 400},
        {REQUEST("X: y\tz"), 0},
        {"GET / HTTP/1.1\nHost: a\n\n", 400},
        {"\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", 400},
        {"\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", 400},
        {"\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", 0},
        {" GET / HTTP/1.1\r\nHost: a\r\n\r\n", 400},
        {"GET  / HTTP/1.1\r\nHost: a\r\n\r\n", 400},
        {"GET /  HTTP/1.1\r\nHost: a\r\n\r\n", 400},
        {"GET\t/ HTTP/1.1\r\nHost: a\r\n\r\n", 400},
        {"GET /\tHTTP/1.1\r\nHost: a\r\n\r\n", 400},
        {"GET /a b HTTP/1.1\r\nHost: a\r\n\r\n", 400},
        {"GET /\xe9 HTTP/1.1\r\nHost: a\r\n\r\n", 400},
        {"GET HTTP/1.1\r\nHost: a\r\n\r\n", 400},
        {"G(T / HTTP/1.1\r\nHost: a\r\n\r\n", 400},
        {"GET / HTTP/1.1\r\n Host: a\r\n\r\n", 400},
        {"\x16\x03\x01", 400},
    };
    static const char nul[] = "GET / HTTP/1.1\r\nHost: a\r\nX: y\0z\r\n\r\n";

    (void)state;
    ASSERT_ROWS(rows);
    assert_int_equal(judge(nul, sizeof(nul) - 1), 400);
    assert_string_equal(head.refusal.detail, "NUL in the head");
}

static void a10_every_control_character_everywhere(void **state)
{
    static const char model[] = "GET /x HTTP/1.1\r\nHost: a\r\nX: yz\r\n\r\n";
    static const size_t places[] = {0, 1, 5, 8, 17, 19, 28, 31};
    char text[sizeof(model)];

    (void)state;
    for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++)
        for (int byte = 0; byte < 128; byte++) {
            /*
             * A tab is legal inside a value, and CR and LF may by chance end a line where one is
             * due.
             */
            if ((byte >= 0x20 && byte != 0x7f) || byte == '\t' || byte == '\r' || byte == '\n')
                continue;
            memcpy(text, model, sizeof(model));
            text[places[i]] = (char)byte;
            assert_int_equal(judge(text, sizeof(text) - 1), 400);
        }
}

/* Lists of 64 KiB and more: every byte is passed once, whatever stands in it. */
static void a14_lists_are_walked_in_linear_time(void **state)
{
    static const char *const fillers[] = {"a,", ",,", "\"\",", "a;b=\"c,\\\"\","};
    static char text[65536];

    (void)state;
    for (size_t i = 0; i < sizeof(fillers) / sizeof(fillers[0]); i++) {
        size_t part = strlen(fillers[i]);
        size_t len = sizeof(text) / part * part;
        struct dx_list list;
        struct dx_slice member;
        const uint8_t *last = (const uint8_t *)text;
        unsigned count = 0;

        for (size_t at = 0; at < len; at += part)
            memcpy(text + at, fillers[i], part);
        dx_list_init_value(&list, (struct dx_slice){(uint8_t *)text, len});
        while (dx_list_next(&list, &member) == DX_LIST_MEMBER) {
            assert_true(member.data >= last);
            last = member.data + member.len;
            count++;
        }
        assert_int_equal(list.rest.len, 0);
        assert_int_equal(count, fillers[i][0] == ',' ? 0 : len / part);
    }
}

static void a14_two_hundred_subprotocols(void **state)
{
    static char text[16384];
    size_t len = (size_t)sprintf(text, "GET / HTTP/1.1\r\nHost: a\r\nSec-WebSocket-Protocol: ");

    (void)state;
    for (unsigned i = 0; i < 200; i++)
        len += (size_t)sprintf(text + len, "p%u, ", i);
    len += (size_t)sprintf(text + len, "\r\n\r\n");
    assert_int_equal(judge(text, len), 0);
    assert_true(dx_list_has_token(&head, "sec-websocket-protocol", "p199"));
    assert_false(dx_list_has_token(&head, "sec-websocket-protocol", "p200"));
}

static void a16_absolute_targets_name_the_host(void **state)
{
    static const struct hostile_row rows[] = {
        {PATH("http://a/x"), 0},
        {PATH("http://A/x"), 0},
        {PATH("http://a:80/x?y"), 0},
        {PATH("http://a"), 0},
        {PATH("http://a?q"), 0},
        {PATH("ws://a/"), 0},
        {PATH("https://a:443/"), 0},
        {PATH("HTTP://a/"), 0},
        {PATH("http://b/x"), 400},
        {PATH("http://a:81/"), 400},
        {PATH("https://a:80/"), 400},
        {PATH("http://a.b/"), 400},
        {PATH("http://u@a/"), 400},
        {PATH("http:///x"), 400},
        {PATH("http://"), 400},
        {PATH("ftp://a/"), 400},
        {PATH("http:/a"), 400},
        {PATH("a:80"), 400},
        {PATH("a"), 400},
        {PATH("*"), 400},
        {PATH("/#"), 400},
        {PATH("http://a/#x"), 400},
        {PATH("http://a:99999/"), 400},
        {PATH("http://a\\x"), 400},
    };

    (void)state;
    ASSERT_ROWS(rows);
}

static void a17_paths(void **state)
{
    static const struct hostile_row rows[] = {
        {PATH("/%00"), 400},
        {PATH("/a%00.html"), 400},
        {PATH("/%0d%0aX:y"), 400},
        {PATH("/%0D"), 400},
        {PATH("/%0a"), 400},
        {PATH("/%09"), 400},
        {PATH("/%1b%5b2J"), 400},
        {PATH("/%7f"), 400},
        {PATH("/%"), 400},
        {PATH("/%4"), 400},
        {PATH("/%zz"), 400},
        {PATH("/%4g"), 400},
        {PATH("/%u0041"), 400},
        {PATH("/%c0%af"), 400},
        {PATH("/%c1%81"), 400},
        {PATH("/%e0%80%af"), 400},
        {PATH("/%f0%80%80%af"), 400},
        {PATH("/%ed%a0%80"), 400},
        {PATH("/%f4%90%80%80"), 400},
        {PATH("/%e4%bd"), 400},
        {PATH("/%80"), 400},
        {PATH("/%ff"), 400},
        {PATH("/%c2%9b"), 400},
        {PATH("/.."), 400},
        {PATH("/../etc/passwd"), 400},
        {PATH("/%2e%2e/etc/passwd"), 400},
        {PATH("/a/..%2f..%2fetc/passwd"), 400},
        {PATH("/..%5c"), 400},
        {PATH("/..\\..\\x"), 400},
        {PATH("/a/../../b"), 400},
        {PATH("/%e4%bd%a0?%00"), 0},
        {PATH("/%252e%252e/"), 0},
        {PATH("//etc"), 0},
        {PATH("/a/../b"), 0},
    };

    (void)state;
    ASSERT_ROWS(rows);
}

static void a18_tls_is_refused_at_its_first_byte(void **state)
{
    (void)state;
    assert_int_equal(judge("\x16", 1), 400);
    assert_string_equal(head.refusal.detail, "TLS was spoken to a port without TLS");
}

static void g69_bodies_of_two_lengths(void **state)
{
    static const struct hostile_row rows[] = {
        {REQUEST("Content-Length: 5\r\nTransfer-Encoding: chunked"), 400},
        {REQUEST("Transfer-Encoding: chunked\r\nContent-Length: 0"), 400},
        {REQUEST("Content-Length: 5\r\nContent-Length: 5"), 400},
        {REQUEST("Content-Length: 5\r\ncontent-length: 6"), 400},
        {REQUEST("Content-Length: 5, 5"), 400},
        {REQUEST("Content-Length: +5"), 400},
        {REQUEST("Content-Length: -1"), 400},
        {REQUEST("Content-Length: 0x5"), 400},
        {REQUEST("Content-Length:"), 400},
        {REQUEST("Content-Length: 5 5"), 400},
        {REQUEST("Content-Length: 9223372036854775808"), 400},
        {REQUEST("Content-Length: 18446744073709551621"), 400},
        {REQUEST("Transfer-Encoding:"), 400},
        {REQUEST("Transfer-Encoding: identity"), 400},
        {REQUEST("Transfer-Encoding: xchunked"), 400},
        {REQUEST("Transfer-Encoding: chunked, gzip"), 400},
        {REQUEST("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked"), 400},
        {REQUEST("Transfer-Encoding: \"chunked"), 400},
        {REQUEST("Transfer-Encoding: gzip, chunked"), 501},
        {"POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n", 400},
        {REQUEST("Content-Length: 9223372036854775807"), 0},
        {REQUEST("Content-Length: 0"), 0},
        {REQUEST("Transfer-Encoding: Chunked"), 0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct dx_refusal refusal = {0};
        struct dx_body body;

        assert_int_equal(judge(rows[i].text, strlen(rows[i].text)), 0);
        if (dx_message_body(&head, &body, &refusal) != (rows[i].status == 0) ||
            refusal.status != rows[i].status)
            fail_msg("%s: %u", rows[i].text, refusal.status);
    }
}

static int print_count(void **state)
{
    (void)state;
    print_message("hostile heads parsed: %u\n", feed_count);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a2_other_versions_are_505_and_nonsense_400),
        cmocka_unit_test(a5_a7_repeated_headers_are_seen),
        cmocka_unit_test(a8_hosts),
        cmocka_unit_test(a9_sizes),
        cmocka_unit_test(a10_malformed_lines),
        cmocka_unit_test(a10_every_control_character_everywhere),
        cmocka_unit_test(a14_lists_are_walked_in_linear_time),
        cmocka_unit_test(a14_two_hundred_subprotocols),
        cmocka_unit_test(a16_absolute_targets_name_the_host),
        cmocka_unit_test(a17_paths),
        cmocka_unit_test(a18_tls_is_refused_at_its_first_byte),
        cmocka_unit_test(g69_bodies_of_two_lengths),
    };

    return run_group(tests, NULL, print_count);
}
