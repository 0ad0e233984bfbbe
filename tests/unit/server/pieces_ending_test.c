/*
 * pieces_ending_test.c - all ways in which an answer in pieces ends: on_close comes once, with the
 * right error, never from inside, and the memory is back.
 */
#include "pieces.h"

#include <poll.h>

/* ---- peers that go, or stay and do nothing ---- */

static void test_peer_goes(void **state)
{
    const struct linger reset = {1, 0};

    (void)state;
    for (int i = 0; i < 6; i++) {
        struct raw raw;
        struct dx_response *response = begin(&raw, LATER, 200, DX_LEN_UNKNOWN);

        write_text(response, "hello");
        if (i / 2 == 1)
            block_peer(response);
        service_turn(&service, 5);
        assert_int_equal(told.close_count, 0);
        if (i % 2 == 1)
            (void)setsockopt(raw.fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
        if (i / 2 == 2) /* its end only */
            (void)shutdown(raw.fd, SHUT_WR);
        else
            raw_close(&raw);
        assert_true(service_wait(&service, has_closed, NULL, PATIENCE_MS));
        assert_true(told.err == DX_ERR_RESET || told.err == DX_ERR_CLOSED);
        expect_closed(told.err);
        raw_close(&raw);
        memset(&told, 0, sizeof(told));
    }
}

/* Behind the end its last question may have been asked. */
static void test_peer_ends_its_side_behind_the_end(void **state)
{
    struct raw raw;
    struct dx_response *response = begin(&raw, LATER, 200, DX_LEN_UNKNOWN);
    size_t len = 0;

    (void)state;
    block_peer(response);
    dx_response_end(response);
    service_turn(&service, 5);
    (void)shutdown(raw.fd, SHUT_WR);
    service_turn(&service, 20);
    assert_int_equal(told.close_count, 0);
    while (!raw.is_ended) {
        (void)raw_wait_len(&raw, 1);
        len += raw.len;
        if (raw.len >= 5 && memcmp(raw.in + raw.len - 5, "0\r\n\r\n", 5) == 0)
            break;
        raw_consume(&raw, raw.len);
    }
    assert_true(len > 1048576);
    assert_false(raw.is_reset);
    expect_closed(DX_OK);
    raw_close(&raw);
}

/*
 * What comes behind the request waits up to 64 KiB; a peer behind that which goes is noticed all
 * the same.
 */
static void test_early_bytes_have_a_bound(void **state)
{
    static char many[400000];
    const struct linger reset = {1, 0};
    struct raw raw;
    struct pollfd loop_fd = {dx_loop_fd(service.loop), POLLIN, 0};
    size_t put = 0;

    (void)state;
    (void)begin(&raw, LATER, 200, DX_LEN_UNKNOWN);
    for (size_t at = 0; at + strlen(PLAIN) < sizeof(many); at += strlen(PLAIN))
        memcpy(many + at, PLAIN, strlen(PLAIN));
    for (int i = 0; i < 50; i++) {
        ssize_t now = send(raw.fd, many + put, sizeof(many) - put, MSG_NOSIGNAL | MSG_DONTWAIT);

        put += now > 0 ? (size_t)now : 0;
        service_turn(&service, 1);
    }
    assert_in_range(dx_loop_pool(service.loop)->used_len, 65536, 3 * 65536);
    assert_int_equal(poll(&loop_fd, 1, 0), 0); /* what lies in the network wakes nobody */
    (void)setsockopt(raw.fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
    raw_close(&raw);
    expect_closed(DX_ERR_RESET);
}

static void test_write_deadline(void **state)
{
    (void)state;
    for (int is_ended = 0; is_ended < 2; is_ended++) {
        struct raw raw;
        struct dx_response *response = begin(&raw, LATER, 200, DX_LEN_UNKNOWN);
        uint64_t begin_ms = clock_ms();

        service_turn(&service, 300); /* silence of ours is no failure of the peer */
        assert_int_equal(told.close_count, 0);
        block_peer(response);
        if (is_ended)
            dx_response_end(response);
        expect_closed(DX_ERR_TIMEOUT);
        assert_true(clock_ms() - begin_ms >= 300 + 149);
        assert_int_equal(service_log_has(&service, "a peer did not take its answer in time"),
                         is_ended + 1);
        raw_close(&raw);
        memset(&told, 0, sizeof(told));
    }
}

/* ---- ending ---- */

static void abort_now(struct dx_response *response)
{
    dx_response_abort(response);
    assert_int_equal(told.close_count, 0);
    assert_int_equal(dx_response_write(response, "x", 1), DX_ERR_CLOSED);
    dx_response_abort(response);
    dx_response_end(response);
}

static void free_server(struct dx_response *response)
{
    (void)response;
    dx_server_free(service.server);
    service.server = NULL;
}

static void end_now(struct dx_response *response)
{
    dx_response_end(response);
    assert_int_equal(told.close_count, 0);
}

static void write_and_end(struct dx_response *response)
{
    write_text(response, "last words");
    dx_response_end(response);
}

/* Everything that may be done in on_drain. */
static void test_from_on_drain(void **state)
{
    static const struct {
        void (*drain)(struct dx_response *response);
        enum dx_err err;
    } table[] = {{abort_now, DX_ERR_CLOSED},
                 {end_now, DX_OK},
                 {write_and_end, DX_OK},
                 {free_server, DX_ERR_CLOSED}};

    (void)state;
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        struct raw raw;
        struct dx_response *response = begin(&raw, LATER, 200, DX_LEN_UNKNOWN);

        told.drain = table[i].drain;
        block_peer(response);
        while (!has_closed(NULL)) {
            (void)raw_wait_len(&raw, raw.len + 1);
            raw_consume(&raw, raw.len);
        }
        assert_int_equal(told.drain_count, 1);
        expect_closed(table[i].err);
        raw_close(&raw);
        memset(&told, 0, sizeof(told));
    }
}

static void free_server_in_close(void)
{
    dx_server_free(service.server);
    service.server = NULL;
}

static void test_free_in_on_close(void **state)
{
    (void)state;
    for (int i = 0; i < 2; i++) {
        struct raw raw;
        struct dx_response *response = begin(&raw, LATER, 200, DX_LEN_UNKNOWN);

        told.close = free_server_in_close;
        if (i == 0)
            dx_response_end(response);
        else
            dx_response_abort(response);
        expect_closed(i == 0 ? DX_OK : DX_ERR_CLOSED);
        assert_null(service.server);
        raw_close(&raw);
        service_stop(&service);
        assert_int_equal(set_up(NULL), 0);
    }
}

static void test_abort(void **state)
{
    struct raw raw;
    struct dx_response *response = begin(&raw, LATER PLAIN, 200, DX_LEN_UNKNOWN);

    (void)state;
    write_text(response, "some");
    assert_true(raw_wait_answer(&raw, &answer, false));
    abort_now(response);
    assert_true(raw_wait_end(&raw));
    assert_true(raw.is_reset);
    expect_closed(DX_ERR_CLOSED);
    raw_close(&raw);
}

static void test_free_while_open(void **state)
{
    struct raw raw;

    (void)state;
    (void)begin(&raw, LATER, 200, DX_LEN_UNKNOWN);
    dx_server_free(service.server);
    service.server = NULL;
    assert_int_equal(told.close_count, 1);
    expect_closed(DX_ERR_CLOSED);
    raw_close(&raw);
}

static void on_server_closed(void *user)
{
    (void)user;
    service.is_closed = true;
}

static bool server_has_closed(void *data)
{
    (void)data;
    return service.is_closed;
}

/* An answer on its way has close_timeout to end. */
static void test_server_close(void **state)
{
    struct dx_response *response;
    uint64_t begin_ms;
    struct raw raw;

    (void)state;
    response = begin(&raw, LATER PLAIN, 200, DX_LEN_UNKNOWN);
    dx_server_close(service.server, 0, on_server_closed, NULL);
    service_turn(&service, 50);
    write_text(response, "in time");
    dx_response_end(response);
    assert_true(raw_wait_answer(&raw, &answer, false));
    expect_text(&raw, "7\r\nin time\r\n0\r\n\r\n");
    assert_true(raw_wait_end(&raw));
    assert_int_equal(raw.len, 0);
    assert_false(raw.is_reset);
    raw_close(&raw);
    expect_closed(DX_OK);
    assert_true(service_wait(&service, server_has_closed, NULL, PATIENCE_MS));
    service_stop(&service);
    assert_int_equal(set_up_impatient(NULL), 0);
    response = begin(&raw, LATER, 200, DX_LEN_UNKNOWN);
    write_text(response, "too late");
    begin_ms = clock_ms();
    dx_server_close(service.server, 0, on_server_closed, NULL);
    expect_closed(DX_ERR_CLOSED);
    assert_true(clock_ms() - begin_ms >= 149);
    assert_int_equal(service_log_has(&service, "an answer in pieces was not ended in time"), 1);
    assert_true(service_wait(&service, server_has_closed, NULL, PATIENCE_MS));
    raw_close(&raw);
}

/* 0 is no limit here as everywhere. */
static void test_server_close_without_a_limit(void **state)
{
    struct service_setup setup = service_setup_init();
    struct dx_response *response;
    struct raw raw;

    (void)state;
    memset(&told, 0, sizeof(told));
    setup.connection.close_timeout_ms = 0;
    assert_true(service_start(&service, &setup));
    response = begin(&raw, LATER, 200, DX_LEN_UNKNOWN);
    dx_server_close(service.server, 0, on_server_closed, NULL);
    service_turn(&service, 50);
    write_text(response, "in time");
    dx_response_end(response);
    assert_true(raw_wait_answer(&raw, &answer, false));
    expect_text(&raw, "7\r\nin time\r\n0\r\n\r\n");
    raw_close(&raw);
    expect_closed(DX_OK);
    assert_true(service_wait(&service, server_has_closed, NULL, PATIENCE_MS));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_peer_goes, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_peer_ends_its_side_behind_the_end, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_early_bytes_have_a_bound, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_write_deadline, set_up_impatient, tear_down),
        cmocka_unit_test_setup_teardown(test_from_on_drain, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_free_in_on_close, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_abort, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_free_while_open, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_server_close, set_up_impatient, tear_down),
        cmocka_unit_test_teardown(test_server_close_without_a_limit, tear_down),
    };

    return run_group(tests, NULL, NULL);
}
