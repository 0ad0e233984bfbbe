/*
 * pieces_test.c - answers in pieces: how each is framed, what waits behind it, and much of it for a
 * peer that reads slowly.
 */
#include "pieces.h"

/* ---- framing ---- */

/*
 * In chunks; what is written within a turn leaves together at its end; what waits behind is
 * answered.
 */
static void test_chunked(void **state)
{
    struct raw raw;
    struct dx_response *response = begin(&raw, LATER PLAIN, 200, DX_LEN_UNKNOWN);

    (void)state;
    write_text(response, "one");
    write_text(response, "");
    write_text(response, "twelve bytes");
    assert_false(raw_wait_len(&raw, 0) && raw.len > 0);
    assert_true(raw_wait_answer(&raw, &answer, false));
    assert_int_equal(answer.status, 200);
    assert_true(answer_has(&answer, CHUNKED_HEAD));
    assert_true(answer_has(&answer, "X-Mine: 1"));
    assert_true(answer_has(&answer, "Connection: keep-alive"));
    assert_null(strstr(answer.head, "Content-Length"));
    expect_text(&raw, "3\r\none\r\nc\r\ntwelve bytes\r\n");
    service_turn(&service, 10);
    assert_int_equal(raw.len, 0);
    write_text(response, "3");
    dx_response_end(response);
    assert_int_equal(told.close_count, 0);
    dx_response_end(response);
    assert_int_equal(dx_response_write(response, "x", 1), DX_ERR_CLOSED);
    expect_text(&raw, "1\r\n3\r\n0\r\n\r\n");
    expect_plain(&raw);
    expect_closed(DX_OK);
    raw_close(&raw);
}

static void test_known_length(void **state)
{
    struct raw raw;
    struct dx_response *response = begin(&raw, LATER PLAIN, 201, 10);

    (void)state;
    write_text(response, "01234");
    assert_int_equal(dx_response_write(response, "567890", 6), DX_ERR_USAGE);
    write_text(response, "56789");
    dx_response_end(response);
    assert_true(raw_wait_answer(&raw, &answer, false));
    assert_int_equal(answer.status, 201);
    assert_int_equal(answer.body_len, 10);
    assert_memory_equal(answer.body, "0123456789", 10);
    assert_null(strstr(answer.head, "Transfer-Encoding"));
    expect_plain(&raw);
    expect_closed(DX_OK);
    memset(&told, 0, sizeof(told));
    assert_true(raw_send_text(&raw, LATER));
    response = answer_kept(200, 0);
    dx_response_end(response);
    assert_true(raw_wait_answer(&raw, &answer, false));
    assert_int_equal(answer.body_len, 0);
    expect_closed(DX_OK);
    raw_close(&raw);
}

/* Less than announced: the peer must not take it for the whole. */
static void test_too_little(void **state)
{
    struct raw raw;
    struct dx_response *response = begin(&raw, LATER PLAIN, 200, 10);

    (void)state;
    write_text(response, "012345678");
    dx_response_end(response);
    assert_int_equal(told.close_count, 0);
    assert_true(raw_wait_end(&raw));
    assert_true(raw.is_reset);
    expect_closed(DX_ERR_USAGE);
    raw_close(&raw);
}

static void test_http_1_0(void **state)
{
    struct raw raw;
    struct dx_response *response = begin(
        &raw, "GET /later HTTP/1.0\r\n" HOST "Connection: keep-alive\r\n\r\n", 200, DX_LEN_UNKNOWN);

    (void)state;
    write_text(response, "until");
    assert_true(raw_wait_answer(&raw, &answer, false));
    assert_true(answer_has(&answer, "Connection: close"));
    assert_null(strstr(answer.head, "Transfer-Encoding"));
    assert_null(strstr(answer.head, "Content-Length"));
    write_text(response, " the end");
    dx_response_end(response);
    assert_true(raw_wait_end(&raw));
    assert_false(raw.is_reset);
    expect_text(&raw, "until the end");
    expect_closed(DX_OK);
    raw_close(&raw);
    memset(&told, 0, sizeof(told));
    /* Not ended: only a reset can tell. */
    response = begin(&raw, "GET /later HTTP/1.0\r\n" HOST "\r\n", 200, DX_LEN_UNKNOWN);
    write_text(response, "until");
    assert_true(raw_wait_answer(&raw, &answer, false));
    dx_server_free(service.server);
    service.server = NULL;
    assert_int_equal(told.close_count, 1);
    assert_int_equal(told.err, DX_ERR_CLOSED);
    assert_true(raw_wait_end(&raw));
    assert_true(raw.is_reset);
    raw_close(&raw);
}

/* To HEAD and with 204 and 304 nothing but the head goes out, whatever is written. */
static void test_without_body(void **state)
{
    static const struct {
        const char *method, *version;
        uint16_t status;
        uint64_t len;
        const char *present, *absent;
    } table[] = {
        {"HEAD", "1.1", 200, DX_LEN_UNKNOWN, CHUNKED_HEAD, "Content-Length"},
        {"HEAD", "1.1", 200, 5, "Content-Length: 5", "Transfer-Encoding"},
        {"HEAD", "1.0", 200, DX_LEN_UNKNOWN, "Connection: keep-alive", "Transfer-Encoding"},
        {"GET", "1.1", 204, DX_LEN_UNKNOWN, "Connection: keep-alive", "Transfer-Encoding"},
        {"GET", "1.1", 204, 5, "Connection: keep-alive", "Content-Length"},
        {"GET", "1.1", 304, DX_LEN_UNKNOWN, "Connection: keep-alive", "Transfer-Encoding"},
        {"GET", "1.0", 304, DX_LEN_UNKNOWN, "Connection: keep-alive", "Content-Length"},
    };

    (void)state;
    for (size_t i = 0; i < 2 * sizeof(table) / sizeof(table[0]); i++) {
        struct dx_response *response;
        char text[256];
        struct raw raw;
        size_t row = i / 2;

        (void)snprintf(text, sizeof(text),
                       "%s /later HTTP/%s\r\n" HOST "Connection: keep-alive\r\n\r\n" PLAIN,
                       table[row].method, table[row].version);
        memset(&told, 0, sizeof(told));
        response = begin(&raw, text, table[row].status, table[row].len);
        if (i % 2 == 0)
            write_text(response, "12345");
        if (table[row].len != DX_LEN_UNKNOWN)
            assert_int_equal(dx_response_write(response, "123456", 6), DX_ERR_USAGE);
        dx_response_end(response);
        assert_true(raw_wait_answer(&raw, &answer, true));
        assert_int_equal(answer.status, table[row].status);
        assert_true(answer_has(&answer, table[row].present));
        assert_null(strstr(answer.head, table[row].absent));
        expect_plain(&raw);
        expect_closed(DX_OK);
        raw_close(&raw);
    }
}

/* From inside on_request, one behind the other, in every cut of the requests. */
static void test_pipelined_in_every_cut(void **state)
{
    static const char text[] =
        "POST /pieces HTTP/1.1\r\n" HOST "Content-Length: 3\r\n\r\none" PLAIN
        "POST /pieces HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n3\r\ntwo\r\n0\r\n\r\n"
        "POST /pieces HTTP/1.0\r\n" HOST "Content-Length: 5\r\n\r\nthree";
    static const char *const bodies[] = {"3\r\none\r\n0\r\n\r\n", "3\r\ntwo\r\n0\r\n\r\n"};
    size_t len = strlen(text);

    (void)state;
    for (size_t cut = 0; cut <= len; cut++) {
        struct raw raw;

        (void)raw_connect(&raw, &service, false);
        assert_true(raw_send(&raw, text, cut, cut > 0 ? cut : 0));
        assert_true(raw_send(&raw, text + cut, len - cut, cut > 0 ? 0 : 1));
        for (int i = 0; i < 2; i++) {
            assert_true(raw_wait_answer(&raw, &answer, true));
            assert_true(answer_has(&answer, CHUNKED_HEAD));
            expect_text(&raw, "5\r\nppppp\r\n4e1b\r\npp");
            assert_true(raw_wait_len(&raw, SERVICE_PIECES_LEN - 7 + 2));
            raw_consume(&raw, SERVICE_PIECES_LEN - 7 + 2);
            expect_text(&raw, bodies[i]);
            if (i == 0)
                expect_plain(&raw);
        }
        assert_true(raw_wait_answer(&raw, &answer, true));
        assert_true(answer_has(&answer, "Connection: close"));
        assert_true(raw_wait_end(&raw));
        assert_false(raw.is_reset);
        assert_int_equal(raw.len, SERVICE_PIECES_LEN + 5);
        assert_memory_equal(raw.in + SERVICE_PIECES_LEN, "three", 5);
        raw_close(&raw);
    }
    assert_int_equal(service.pieces_opened_count, 3 * (len + 1));
    assert_int_equal(service.pieces_closed_count, 3 * (len + 1));
    print_message("%zu cuts\n", len + 1);
}

static void test_wrong_use(void **state)
{
    static const struct dx_response_handlers no_size = {.size = 0};
    static const struct dx_header good = {"X", "a"}, line = {"X", "a\r\n"}, space = {"X ", "a"},
                                  ours = {"Date", "a"};
    static const struct {
        uint16_t status;
        const char *content_type;
        const struct dx_header *header;
        const struct dx_response_handlers *handlers;
        size_t size;
    } table[] = {
        {199, NULL, &good, &handlers, sizeof(struct dx_response_options)},
        {101, NULL, &good, &handlers, sizeof(struct dx_response_options)},
        {1000, NULL, &good, &handlers, sizeof(struct dx_response_options)},
        {200, NULL, &line, &handlers, sizeof(struct dx_response_options)},
        {200, NULL, &space, &handlers, sizeof(struct dx_response_options)},
        {200, NULL, &ours, &handlers, sizeof(struct dx_response_options)},
        {200, "text/plain\r\nX: y", &good, &handlers, sizeof(struct dx_response_options)},
        {200, NULL, &good, &no_size, sizeof(struct dx_response_options)},
        {200, NULL, &good, &handlers, 0},
    };
    struct dx_response_options options = dx_response_options_init();

    (void)state;
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        struct dx_response *response = NULL;
        struct raw raw;

        (void)raw_connect(&raw, &service, false);
        assert_true(raw_send_text(&raw, LATER PLAIN));
        options.status = table[i].status;
        options.content_type = table[i].content_type;
        options.size = table[i].size;
        options.headers = table[i].header;
        options.header_count = 1;
        options.len = 5;
        options.handlers = table[i].handlers;
        options.user = &told;
        assert_int_equal(dx_request_respond_in_pieces(take_kept(), &options, &response),
                         DX_ERR_USAGE);
        assert_null(response);
        assert_true(raw_wait_answer(&raw, &answer, false));
        assert_int_equal(answer.status, 500);
        expect_plain(&raw);
        raw_close(&raw);
    }
    assert_int_equal(told.close_count, 0);
}

/* ---- much ---- */

static size_t left_to_write;

/* As much as may wait; the sizes reach from a few bytes to what goes directly. */
static void write_until_congested(struct dx_response *response)
{
    static const size_t sizes[] = {1, 100, 16383, 16384, 40000, 65536, 7};
    static size_t next;

    while (left_to_write > 0 && !dx_response_is_congested(response)) {
        size_t at = left_to_write % 997;
        size_t len = sizes[next++ % 7];

        len = len > left_to_write ? left_to_write : len;
        len = len > sizeof(block) - at ? sizeof(block) - at : len;
        assert_int_equal(dx_response_write(response, block + at, len), DX_OK);
        left_to_write -= len;
    }
    if (left_to_write == 0)
        dx_response_end(response);
}

/* The same bytes again, in the client's memory. */
static size_t read_and_compare(struct raw *raw, size_t left, size_t *piece_at, size_t *piece_left)
{
    static const size_t sizes[] = {1, 100, 16383, 16384, 40000, 65536, 7};
    static size_t next;

    while (raw->len > 0 && left > 0) {
        size_t now;

        if (*piece_left == 0) {
            *piece_at = left % 997;
            *piece_left = sizes[next++ % 7];
            *piece_left = *piece_left > left ? left : *piece_left;
            *piece_left =
                *piece_left > sizeof(block) - *piece_at ? sizeof(block) - *piece_at : *piece_left;
        }
        now = raw->len < *piece_left ? raw->len : *piece_left;
        assert_memory_equal(raw->in, block + *piece_at, now);
        raw_consume(raw, now);
        *piece_at += now;
        *piece_left -= now;
        left -= now;
    }
    return left;
}

static void test_large_by_drain(void **state)
{
    const size_t all_len = 24 * 1024 * 1024;
    size_t left = all_len, piece_at = 0, piece_left = 0;
    struct raw raw;
    struct dx_response *response = begin(&raw, LATER PLAIN, 200, all_len);

    (void)state;
    told.drain = write_until_congested;
    left_to_write = all_len;
    write_until_congested(response);
    assert_true(dx_response_is_congested(response));
    assert_in_range(dx_loop_pool(service.loop)->used_len, 1048576, 2 * 1048576);
    assert_true(raw_wait_answer(&raw, &answer, true));
    while (left > 0) {
        assert_true(raw_wait_len(&raw, 1));
        left = read_and_compare(&raw, left, &piece_at, &piece_left);
    }
    expect_plain(&raw);
    expect_closed(DX_OK);
    assert_true(told.drain_count > 0);
    raw_close(&raw);
}

/* Who writes on all the same is stopped at four times max_queue. */
static void test_queue_full(void **state)
{
    struct raw raw;
    struct dx_response *response = begin(&raw, LATER, 200, DX_LEN_UNKNOWN);
    enum dx_err err = DX_OK;

    (void)state;
    block_peer(response);
    while (err == DX_OK) {
        err = dx_response_write(response, block, sizeof(block));
        assert_true(dx_loop_pool(service.loop)->used_len < 5 * 1048576);
    }
    assert_int_equal(err, DX_ERR_QUEUE_FULL);
    assert_int_equal(told.close_count, 0);
    expect_closed(DX_ERR_QUEUE_FULL);
    raw_close(&raw);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_chunked, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_known_length, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_too_little, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_http_1_0, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_without_body, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_pipelined_in_every_cut, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_wrong_use, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_large_by_drain, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_queue_full, set_up, tear_down),
    };

    return run_group(tests, NULL, NULL);
}
