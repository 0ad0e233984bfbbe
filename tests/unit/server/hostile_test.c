/*
 * hostile_test.c - what a server answers to requests that break a rule: one row a rule, each sent
 * whole and byte by byte to a real server. After each: the exact status, the headers it needs,
 * nothing else on the wire, one line in the log, and another client's echo.
 */
#include "hostile_rows.h"
#include "support/server/service.h"
#include "support/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct service service;
static struct raw other;
static char request[MADE_ROOM];

static size_t write_row(const struct row *row)
{
    size_t len = row->len;

    if (row->make != NULL) {
        len = row->make(request);
    } else {
        len = len != 0 ? len : strlen(row->request);
        memcpy(request, row->request, len);
    }
    memcpy(request + len, BEHIND, strlen(BEHIND));
    return len + strlen(BEHIND);
}

static void check_answer(const struct row *row, const struct answer *answer)
{
    if (answer->status != row->status)
        fail_msg("%s: %u instead of %u", row->name, answer->status, row->status);
    for (size_t i = 0; i < 2 && row->headers[i] != NULL; i++)
        if (!answer_has(answer, row->headers[i]))
            fail_msg("%s: without %s", row->name, row->headers[i]);
    assert_true(answer_has(answer, "Connection: close"));
    assert_true(answer_has(answer, "X-Content-Type-Options: nosniff"));
}

static void check_log(const struct row *row, size_t log_count)
{
    const char *line = service.log[log_count % SERVICE_LOG_MAX];
    char status[32];

    if (service.log_count != log_count + 1)
        fail_msg("%s: %zu log lines", row->name, service.log_count - log_count);
    (void)snprintf(status, sizeof(status), "status=%u ", row->status);
    if (strstr(line, status) == NULL)
        fail_msg("%s: logged as %s", row->name, line);
}

static void check_row(const struct row *row, size_t piece)
{
    static struct answer answer;
    size_t log_count = service.log_count;
    size_t len = write_row(row);
    struct raw raw;

    (void)raw_connect(&raw, &service, false);
    if (!raw_send(&raw, request, len, piece) || !raw_wait_answer(&raw, &answer, row->is_head))
        fail_msg("%s: no answer", row->name);
    check_answer(row, &answer);
    if (!raw_wait_end(&raw) || raw.is_reset || raw.len != 0)
        fail_msg("%s: %zu more bytes, ended %d, reset %d", row->name, raw.len, raw.is_ended,
                 raw.is_reset);
    raw_close(&raw);
    check_log(row, log_count);
    if (!raw_echo(&other, "still here"))
        fail_msg("%s: the other client's echo did not come", row->name);
}

static void test_each_row_gets_its_answer(void **state)
{
    size_t count = sizeof(rows) / sizeof(rows[0]);

    (void)state;
    for (size_t i = 0; i < count; i++) {
        check_row(&rows[i], 0);
        check_row(&rows[i], 1);
    }
    print_message("%zu rows, each whole and byte by byte\n", count);
}

/* Plain requests are refused without ending the connection. */
static void test_plain_refusals_keep_the_connection(void **state)
{
    static struct answer answer;
    struct raw raw;

    (void)state;
    (void)raw_connect(&raw, &service, false);
    assert_true(raw_send_text(&raw, "GET /no HTTP/1.1\r\nHost: localhost\r\n\r\n"
                                    "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"
                                    "GET /plain HTTP/1.1\r\nHost: localhost\r\n\r\n"
                                    "HEAD /plain HTTP/1.1\r\nHost: localhost\r\n\r\n"
                                    "POST /plain HTTP/1.1\r\nHost: localhost\r\n"
                                    "Content-Length: 5\r\n\r\nGET /" BEHIND));
    for (int i = 0; i < 2; i++) {
        assert_true(raw_wait_answer(&raw, &answer, false));
        assert_int_equal(answer.status, 426); /* row 3 */
        assert_true(answer_has(&answer, "Upgrade: websocket"));
        assert_true(answer_has(&answer, "Connection: keep-alive"));
    }
    assert_true(raw_wait_answer(&raw, &answer, false));
    assert_int_equal(answer.status, 200);
    assert_int_equal(answer.body_len, 6);
    assert_memory_equal(answer.body, "hello\n", 6);
    assert_true(raw_wait_answer(&raw, &answer, true));
    assert_int_equal(answer.status, 200);
    assert_true(answer_has(&answer, "Content-Length: 6"));
    assert_true(raw_wait_answer(&raw, &answer, false));
    assert_int_equal(answer.status, 200);
    assert_true(answer_has(&answer, "Connection: close"));
    assert_true(raw_wait_end(&raw));
    assert_int_equal(raw.len, 0);
    raw_close(&raw);
}

/*
 * What is odd and allowed: each line is added to an upgrade, which is accepted, with or without a
 * header in the 101.
 */
static void test_allowed_oddities(void **state)
{
    static const struct {
        const char *request;
        const char *present;
        const char *absent;
    } table[] = {
        {WITH(""), NULL, "Sec-WebSocket-Protocol"},
        {"\r\n" WITH(""), NULL, NULL},
        {WITH("Origin: http://localhost\r\n"), NULL, NULL},
        {WITH("Origin: http://127.0.0.1:3000\r\n"), NULL, NULL},
        {WITH("Origin: https://[::1]:8443\r\n"), NULL, NULL},
        {WITH("Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n"), NULL,
         "Sec-WebSocket-Extensions"},
        {WITH("Sec-WebSocket-Extensions: permessage-deflate, permessage-deflate, x-unknown\r\n"),
         NULL, "Sec-WebSocket-Extensions"},
        {WITH("Sec-WebSocket-Protocol: foreign\r\n"), NULL, "Sec-WebSocket-Protocol"},
        {WITH("Sec-WebSocket-Protocol: foreign, second, first\r\n"),
         "Sec-WebSocket-Protocol: first", NULL},
        {WITH("Content-Length: 0\r\n"), NULL, NULL},
        {"GET http://localhost/x HTTP/1.1\r\n" HOST REST, NULL, NULL},
        {START HOST UPGRADE CONNECTION VERSION
         "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==  \r\n\r\n",
         NULL, NULL},
        {START "Host: 127.0.0.1:1\r\n" REST, NULL, NULL},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        static struct answer answer;
        struct raw raw;

        for (size_t piece = 0; piece < 2; piece++) {
            (void)raw_connect(&raw, &service, false);
            assert_true(raw_send(&raw, table[i].request, strlen(table[i].request), piece));
            assert_true(raw_wait_answer(&raw, &answer, false));
            if (answer.status != 101)
                fail_msg("%s: %u", table[i].request, answer.status);
            assert_true(answer_has(&answer, "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo="));
            assert_true(table[i].present == NULL || answer_has(&answer, table[i].present));
            assert_true(table[i].absent == NULL || strstr(answer.head, table[i].absent) == NULL);
            assert_true(raw_echo(&raw, "hello"));
            raw_close(&raw);
        }
    }
}

/* Row 14: time is linear, so this ends at once; none is chosen. */
static void test_many_subprotocols(void **state)
{
    static struct answer answer;
    static char text[16384];
    size_t len = strlen(START HOST);
    struct raw raw;

    (void)state;
    memcpy(text, START HOST, len);
    len += (size_t)sprintf(text + len, "Sec-WebSocket-Protocol: p0");
    for (int i = 1; i < 200; i++)
        len += (size_t)sprintf(text + len, ", p%d", i);
    len += (size_t)sprintf(text + len, "\r\n" REST);
    (void)raw_connect(&raw, &service, false);
    assert_true(raw_send(&raw, text, len, 0));
    assert_true(raw_wait_answer(&raw, &answer, false));
    assert_int_equal(answer.status, 101);
    assert_null(strstr(answer.head, "Sec-WebSocket-Protocol"));
    raw_close(&raw);
}

/* Row 12: frames right behind the request, in every cut of the whole. */
static void test_frames_behind_the_request(void **state)
{
    static struct answer answer;
    uint8_t bytes[2048];
    size_t len = upgrade_write((char *)bytes, sizeof(bytes), &service, "/", "");

    (void)state;
    len += frame_write(bytes + len, 0x81, "one", 3);
    len += frame_write(bytes + len, 0x82, "two", 3);
    for (size_t cut = 0; cut <= len; cut++) {
        struct raw raw;

        (void)raw_connect(&raw, &service, false);
        if (cut > 0)
            assert_true(raw_send(&raw, bytes, cut, cut));
        if (cut < len)
            assert_true(raw_send(&raw, bytes + cut, len - cut, 0));
        assert_true(raw_wait_answer(&raw, &answer, false));
        assert_int_equal(answer.status, 101);
        assert_true(raw_wait_len(&raw, 10));
        assert_int_equal(raw.len, 10);
        assert_memory_equal(raw.in, "\x81\x03one\x82\x03two", 10);
        raw_close(&raw);
    }
    print_message("%zu cuts\n", len + 1);
}

static bool others_are_closed(void *data)
{
    (void)data;
    return service.closed_count + 1 == service.opened_count;
}

/*
 * Row 135: neither query nor credentials get into the log; row 133: the rest comes raw, for the
 * sink to escape.
 */
static void test_log_lines(void **state)
{
    static const char text[] = "GET /no/%1b[31m?token=SECRET HTTP/1.1\r\n" HOST
                               "Authorization: Basic SECRET\r\nCookie: SECRET\r\n"
                               "Origin: http://SECRET.example\r\n" REST;
    static struct answer answer;
    struct raw raw;
    size_t before;

    (void)state;
    assert_true(service_wait(&service, others_are_closed, NULL, PATIENCE_MS));
    before = service.log_count;
    (void)raw_connect(&raw, &service, false);
    assert_true(raw_send_text(&raw, text));
    assert_true(raw_wait_answer(&raw, &answer, false));
    assert_int_equal(answer.status, 400);
    assert_int_equal(service.log_count, before + 1);
    assert_null(strstr(service.log[before % SERVICE_LOG_MAX], "SECRET"));
    assert_non_null(strstr(service.log[before % SERVICE_LOG_MAX], "path=/no/%1b[31m status=400"));
    raw_close(&raw);
}

static void test_null_origin_names_its_remedy(void **state)
{
    static struct answer answer;
    struct raw raw;

    (void)state;
    (void)raw_connect(&raw, &service, false);
    assert_true(raw_send_text(&raw, WITH("Origin: null\r\n")));
    assert_true(raw_wait_answer(&raw, &answer, false));
    answer.body[answer.body_len] = '\0';
    assert_non_null(strstr(answer.body, "--origin=null"));
    assert_non_null(
        strstr(service.log[(service.log_count - 1) % SERVICE_LOG_MAX], "--origin=null"));
    raw_close(&raw);
}

static int set_up(void **state)
{
    static const char *const subprotocols[] = {"first", "second"};
    struct service_setup setup = service_setup_init();

    (void)state;
    setup.options.subprotocols = subprotocols;
    setup.options.subprotocol_count = 2;
    return !service_start(&service, &setup) || !raw_open(&other, &service, "/");
}

static int tear_down(void **state)
{
    (void)state;
    raw_close(&other);
    service_stop(&service);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_row_gets_its_answer),
        cmocka_unit_test(test_plain_refusals_keep_the_connection),
        cmocka_unit_test(test_allowed_oddities),
        cmocka_unit_test(test_many_subprotocols),
        cmocka_unit_test(test_frames_behind_the_request),
        cmocka_unit_test(test_log_lines),
        cmocka_unit_test(test_null_origin_names_its_remedy),
    };

    return run_group(tests, set_up, tear_down);
}
