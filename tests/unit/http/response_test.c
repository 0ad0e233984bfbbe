/*
 * response_test.c - heads and error answers, byte for byte; values that would begin a header of
 * their own.
 */
#include <stdlib.h>

#include "http/response.h"

#include "support/test.h"

static void a_head_is_written(void **state)
{
    static const char expected[] =
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
        "X-Number: 18446744073709551615\r\nX-Zero: 0\r\nX-Tab: a\tb\r\n\r\n";
    struct dx_response_head response;
    char text[256];
    size_t len;

    (void)state;
    dx_response_head_begin(&response, text, sizeof(text), 101);
    dx_response_head_add_text(&response, "Upgrade", "websocket");
    dx_response_head_add_number(&response, "X-Number", UINT64_MAX);
    dx_response_head_add_number(&response, "X-Zero", 0);
    dx_response_head_add(&response, "X-Tab", dx_slice_of("a\tb"));
    assert_int_equal(dx_response_head_end(&response, &len), DX_OK);
    assert_int_equal(len, sizeof(expected) - 1);
    assert_memory_equal(text, expected, len);
}

static enum dx_err write_header(const char *name, struct dx_slice value, size_t room)
{
    struct dx_response_head response;
    char text[256];
    size_t len = 4711;
    enum dx_err err;

    dx_response_head_begin(&response, text, room, 200);
    dx_response_head_add(&response, name, value);
    err = dx_response_head_end(&response, &len);
    if (err)
        assert_int_equal(len, 4711);
    return err;
}

static void nothing_can_begin_a_header_of_its_own(void **state)
{
    static const char *const values[] = {"a\r\nX: y", "a\n", "\r", "\x01", "a\x1b[2J", "\x7f"};

    (void)state;
    for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++)
        assert_int_equal(write_header("X", dx_slice_of(values[i]), 200), DX_ERR_USAGE);
    assert_int_equal(write_header("X", (struct dx_slice){(const uint8_t *)"a\0b", 3}, 200),
                     DX_ERR_USAGE);
    assert_int_equal(write_header("X: y\r\nZ", dx_slice_of("a"), 200), DX_ERR_USAGE);
    assert_int_equal(write_header("", dx_slice_of("a"), 200), DX_ERR_USAGE);
    assert_int_equal(write_header("X", dx_slice_of("caf\xc3\xa9"), 200), DX_OK);
    assert_int_equal(write_header("X", (struct dx_slice){NULL, 0}, 200), DX_OK);
}

static void room_is_kept_to_the_byte(void **state)
{
    static const char whole[] = "HTTP/1.1 200 OK\r\nX: abc\r\n\r\n";

    (void)state;
    for (size_t room = 0; room < sizeof(whole) - 1; room++)
        assert_int_equal(write_header("X", dx_slice_of("abc"), room), DX_ERR_TOO_BIG);
    assert_int_equal(write_header("X", dx_slice_of("abc"), sizeof(whole) - 1), DX_OK);
}

static struct dx_pool pool;
static struct dx_output output;

static void assert_queued(const char *expected)
{
    struct dx_slice slices[4];
    size_t count = dx_output_peek(&output, slices, 4);

    assert_int_equal(count, 1);
    assert_int_equal(slices[0].len, strlen(expected));
    assert_memory_equal(slices[0].data, expected, slices[0].len);
    dx_output_clear(&output);
}

#define SECURITY_HEADERS                                                                           \
 "X-Content-Type-Options: nosniff\r\nX-Frame-Options: DENY\r\nReferrer-Policy: no-referrer\r\n"    \
 "Cross-Origin-Resource-Policy: same-origin\r\n"

static void error_answers(void **state)
{
    struct dx_error_answer answer = {.status = 404, .detail = "no such program"};

    (void)state;
    dx_pool_init(&pool, 0, 1 << 20);
    dx_output_init(&output, &pool);
    assert_int_equal(dx_response_error(&output, &answer), DX_OK);
    assert_queued("HTTP/1.1 404 Not Found\r\nContent-Type: text/plain; charset=utf-8\r\n"
                  "Content-Length: 31\r\n" SECURITY_HEADERS "Connection: close\r\n\r\n"
                  "404 Not Found: no such program\n");
    answer = (struct dx_error_answer){.status = 405,
                                      .header_name = "Allow",
                                      .header_value = "GET",
                                      .keep_alive = true,
                                      .is_head_request = true,
                                      .unix_seconds = 784111777};
    assert_int_equal(dx_response_error(&output, &answer), DX_OK);
    assert_queued("HTTP/1.1 405 Method Not Allowed\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
                  "Content-Type: text/plain; charset=utf-8\r\n"
                  "Content-Length: 23\r\n" SECURITY_HEADERS "Allow: GET\r\n\r\n");
    answer = (struct dx_error_answer){
        .status = 426, .header_name = "Upgrade", .header_value = "websocket"};
    assert_int_equal(dx_response_error(&output, &answer), DX_OK);
    assert_queued("HTTP/1.1 426 Upgrade Required\r\nContent-Type: text/plain; charset=utf-8\r\n"
                  "Content-Length: 21\r\n" SECURITY_HEADERS
                  "Upgrade: websocket\r\nConnection: upgrade, close\r\n\r\n"
                  "426 Upgrade Required\n");
    assert_int_equal(pool.used_len, 0);
}

static void error_answers_that_cannot_be_written(void **state)
{
    static char detail[2001];
    struct dx_error_answer answer = {.status = 404, .detail = "a\nb"};

    (void)state;
    dx_pool_init(&pool, 0, 0);
    dx_output_init(&output, &pool);
    assert_int_equal(dx_response_error(&output, &answer), DX_ERR_USAGE);
    memset(detail, 'a', sizeof(detail) - 1);
    answer.detail = detail;
    assert_int_equal(dx_response_error(&output, &answer), DX_ERR_TOO_BIG);
    answer.detail = NULL;
    assert_int_equal(dx_response_error(&output, &answer), DX_ERR_TOO_MANY);
    answer.header_name = "X";
    answer.header_value = "a\r\nb";
    assert_int_equal(dx_response_error(&output, &answer), DX_ERR_USAGE);
    assert_int_equal(output.len, 0);
}

static void status_texts(void **state)
{
    (void)state;
    assert_string_equal(dx_status_text(101), "Switching Protocols");
    assert_string_equal(dx_status_text(421), "Misdirected Request");
    assert_string_equal(dx_status_text(505), "HTTP Version Not Supported");
    assert_string_equal(dx_status_text(299), "Unknown");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_head_is_written),
        cmocka_unit_test(nothing_can_begin_a_header_of_its_own),
        cmocka_unit_test(room_is_kept_to_the_byte),
        cmocka_unit_test(error_answers),
        cmocka_unit_test(error_answers_that_cannot_be_written),
        cmocka_unit_test(status_texts),
    };

    return run_group(tests, NULL, NULL);
}
