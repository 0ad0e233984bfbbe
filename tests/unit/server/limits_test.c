/*
 * limits_test.c - slow, silent and too many: the handshake's deadline, half-open connections,
 * places, memory, descriptors.
 */
#include "net/loop/loop.h"
#include "server/http1/http_connection.h"
#include "support/server/service.h"
#include "support/test.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#define REQUEST "GET /plain HTTP/1.1\r\nHost: localhost\r\n\r\n"
#define TIMEOUT_MS 300

static struct service service;
static struct answer answer;

static void start(const struct service_setup *setup)
{
    assert_true(service_start(&service, setup));
}

static void start_short(void)
{
    struct service_setup setup = service_setup_init();

    setup.options.handshake_timeout_ms = TIMEOUT_MS;
    start(&setup);
}

/* Sends `text`, then a byte now and then, until the server has enough; returns after how long. */
static uint64_t wait_for_408(const char *text, bool drips)
{
    uint64_t begin_ms = clock_ms();
    struct raw raw;

    (void)raw_connect(&raw, &service, false);
    assert_true(raw_send_text(&raw, text));
    while (drips && raw.len == 0 && clock_ms() < begin_ms + PATIENCE_MS) {
        service_turn(&service, 20);
        (void)raw_send_text(&raw, "x");
    }
    assert_true(raw_wait_answer(&raw, &answer, false));
    assert_int_equal(answer.status, 408);
    assert_true(answer_has(&answer, "Connection: close"));
    assert_true(raw_wait_end(&raw));
    raw_close(&raw);
    return clock_ms() - begin_ms;
}

/* Row 19: silent, half a head, and a drip, which must not earn more time. */
static void test_deadline_is_absolute(void **state)
{
    static const struct {
        const char *text;
        bool drips;
    } table[] = {{"", false}, {"GET / HT", false}, {"GET / HTTP/1.1\r\nX: ", true}};

    (void)state;
    start_short();
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        /* A drip that earned time would go on for as long as this waits. */
        assert_in_range(wait_for_408(table[i].text, table[i].drips), TIMEOUT_MS - 10,
                        PATIENCE_MS - 1);
        assert_int_equal(service_log_has(&service, "status=408"), i + 1);
    }
    assert_int_equal(service.log_count, 3);
    service_stop(&service);
}

/*
 * A kept-alive connection that asks no more is closed without a word; one that begins to ask gets
 * 408.
 */
static void test_kept_alive_wait(void **state)
{
    struct raw idle, slow;

    (void)state;
    start_short();
    (void)raw_connect(&idle, &service, false);
    (void)raw_connect(&slow, &service, false);
    assert_true(raw_send_text(&idle, REQUEST));
    assert_true(raw_send_text(&slow, REQUEST "GET"));
    assert_true(raw_wait_answer(&idle, &answer, false));
    assert_true(raw_wait_answer(&slow, &answer, false));
    assert_int_equal(answer.status, 200);
    assert_true(raw_wait_end(&idle));
    assert_int_equal(idle.len, 0);
    assert_true(raw_wait_answer(&slow, &answer, false));
    assert_int_equal(answer.status, 408);
    assert_int_equal(service.log_count, 1);
    raw_close(&idle);
    raw_close(&slow);
    service_stop(&service);
}

static bool all_are_accepted(void *data)
{
    const size_t *wanted = data;

    return atomic_load(&service.server->stream_count) == *wanted;
}

/* One peer may have as many half-open connections as places are left: half of them. */
#define OF_ONE_PEER (DX_HALF_OPEN_MAX / 2)

/* Row 20. Linger is over when the refused one has closed; the others are as they were. */
static void test_half_open(void **state)
{
    static struct raw raws[OF_ONE_PEER];
    struct service_setup setup = service_setup_init();
    size_t count = OF_ONE_PEER;
    struct raw extra;

    (void)state;
    assert_true(sizeof(struct dx_http_connection) <= 1024);
    start(&setup);
    for (size_t i = 0; i < count; i++) {
        (void)raw_connect(&raws[i], &service, false);
        service_turn(&service, 0);
    }
    assert_true(service_wait(&service, all_are_accepted, &count, PATIENCE_MS));
    assert_int_equal(dx_loop_pool(service.loop)->used_len, 0);
    (void)raw_connect(&extra, &service, false);
    assert_true(raw_wait_answer(&extra, &answer, false));
    assert_int_equal(answer.status, 503);
    assert_true(answer_has(&answer, "Retry-After: 1"));
    assert_true(raw_wait_end(&extra));
    raw_close(&extra);
    assert_int_equal(service.log_count, 1);
    assert_true(raw_send_text(&raws[0], REQUEST));
    assert_true(raw_wait_answer(&raws[0], &answer, false));
    assert_int_equal(answer.status, 200);
    assert_true(raw_open(&extra, &service, "/"));
    raw_close(&extra);
    for (size_t i = 0; i < count; i++)
        raw_close(&raws[i]);
    service_stop(&service);
}

static int connect_from(const char *host)
{
    struct sockaddr_in own = {.sin_family = AF_INET}, to = own;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    assert_int_equal(inet_pton(AF_INET, host, &own.sin_addr), 1);
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    to.sin_port = htons(service.port);
    assert_int_equal(bind(fd, (struct sockaddr *)&own, sizeof(own)), 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof(to)), 0);
    return fd;
}

/*
 * One address has taken all that it gets, and says nothing; another is served, and so is the first
 * when it speaks.
 */
static void test_one_that_is_silent(void **state)
{
    struct service_setup setup = service_setup_init();
    static int silent[OF_ONE_PEER];
    size_t count = OF_ONE_PEER;
    struct raw raw;
    char byte;
    int extra;

    (void)state;
    assert_true(service_start(&service, &setup));
    for (size_t i = 0; i < OF_ONE_PEER; i++) {
        silent[i] = connect_from("127.0.0.2");
        service_turn(&service, 0);
    }
    assert_true(service_wait(&service, all_are_accepted, &count, PATIENCE_MS));
    extra = connect_from("127.0.0.2");
    (void)raw_connect(&raw, &service, false);
    assert_true(raw_send_text(&raw, "GET /plain HTTP/1.1\r\nHost: localhost\r\n\r\n"));
    assert_true(raw_wait_answer(&raw, &answer, false));
    assert_int_equal(answer.status, 200);
    raw_close(&raw);
    assert_true(raw_open(&raw, &service, "/"));
    assert_true(raw_echo(&raw, "served"));
    /* It was accepted before the one that was served. */
    assert_int_equal(recv(extra, &byte, 1, MSG_DONTWAIT), 1);
    assert_int_equal(service_log_has(&service, "status=503"), 1);
    (void)close(extra);
    raw_close(&raw);
    for (size_t i = 0; i < OF_ONE_PEER; i++)
        (void)close(silent[i]);
    count = 0;
    assert_true(service_wait(&service, all_are_accepted, &count, PATIENCE_MS));
    assert_int_equal(atomic_load(&service.server->half_open.count), 0);
    service_stop(&service);
}

/* Above max_connections a request is read and answered; a place that gets free can be had. */
static void test_places(void **state)
{
    struct service_setup setup = service_setup_init();
    struct raw first, second, third;
    char request[512];
    size_t len, one = 1;

    (void)state;
    setup.options.max_connections = 2;
    start(&setup);
    assert_true(raw_open(&first, &service, "/"));
    assert_true(raw_open(&second, &service, "/"));
    (void)raw_connect(&third, &service, false);
    len = upgrade_write(request, sizeof(request), &service, "/", "");
    assert_true(raw_send(&third, request, len, 0));
    assert_true(raw_wait_answer(&third, &answer, false));
    assert_int_equal(answer.status, 503);
    assert_true(answer_has(&answer, "Retry-After: 1"));
    assert_true(raw_wait_end(&third));
    raw_close(&third);
    assert_int_equal(service_log_has(&service, "status=503 why=no place is free"), 1);
    raw_close(&second);
    assert_true(service_wait(&service, all_are_accepted, &one, PATIENCE_MS));
    assert_true(raw_open(&second, &service, "/"));
    assert_true(raw_echo(&first, "first"));
    raw_close(&first);
    raw_close(&second);
    service_stop(&service);
}

/* Far above max_connections nothing is read any more. */
static void test_places_have_an_end(void **state)
{
    struct raw raws[DX_SERVER_SPARE_STREAMS + 2];
    struct service_setup setup = service_setup_init();
    size_t count = DX_SERVER_SPARE_STREAMS + 1;

    (void)state;
    setup.options.max_connections = 1;
    start(&setup);
    for (size_t i = 0; i < count; i++)
        (void)raw_connect(&raws[i], &service, false);
    assert_true(service_wait(&service, all_are_accepted, &count, PATIENCE_MS));
    (void)raw_connect(&raws[count], &service, false);
    assert_true(raw_wait_end(&raws[count]));
    assert_int_equal(raws[count].len, 0);
    assert_int_equal(service_log_has(&service, "DX_ERR_TOO_MANY"), 1);
    for (size_t i = 0; i <= count; i++)
        raw_close(&raws[i]);
    service_stop(&service);
}

/* Row 108: new handshakes get 503, plain requests and open connections go on. */
static void test_memory(void **state)
{
    struct service_setup setup = service_setup_init();
    size_t limit = 4 * 1024 * 1024, held = limit - limit / 16;
    struct dx_pool *pool;
    struct raw open, raw;
    char request[512];
    size_t len;

    (void)state;
    setup.options.max_memory = limit;
    start(&setup);
    pool = dx_loop_pool(service.loop);
    assert_true(raw_open(&open, &service, "/"));
    assert_int_equal(dx_pool_charge(pool, held), DX_OK);
    (void)raw_connect(&raw, &service, false);
    len = upgrade_write(request, sizeof(request), &service, "/", "");
    assert_true(raw_send(&raw, request, len, 0));
    assert_true(raw_wait_answer(&raw, &answer, false));
    assert_int_equal(answer.status, 503);
    raw_close(&raw);
    (void)raw_connect(&raw, &service, false);
    assert_true(raw_send_text(&raw, REQUEST));
    assert_true(raw_wait_answer(&raw, &answer, false));
    assert_int_equal(answer.status, 200);
    raw_close(&raw);
    assert_true(raw_echo(&open, "goes on"));
    dx_pool_uncharge(pool, held);
    assert_true(raw_open(&raw, &service, "/"));
    raw_close(&raw);
    raw_close(&open);
    service_stop(&service);
}

static uint64_t cpu_ms(void)
{
    struct rusage usage;

    assert_int_equal(getrusage(RUSAGE_SELF, &usage), 0);
    return (uint64_t)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1000 +
           (uint64_t)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1000;
}

/*
 * Row 106: no descriptor is left. The one in reserve says so; the loop rests; a freed one is used.
 */
static void test_descriptors(void **state)
{
    struct service_setup setup = service_setup_init();
    struct rlimit limit, low;
    struct raw open, refused, waiting;
    uint64_t before_ms;

    (void)state;
    start(&setup);
    assert_true(raw_open(&open, &service, "/"));
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
    (void)raw_connect(&refused, &service, false);
    (void)raw_connect(&waiting, &service, false);
    low = limit;
    low.rlim_cur = (rlim_t)waiting.fd + 1;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &low), 0);
    assert_true(raw_send_text(&refused, REQUEST));
    assert_true(raw_wait_answer(&refused, &answer, false));
    assert_int_equal(answer.status, 503);
    assert_true(answer_has(&answer, "Retry-After: 1"));
    before_ms = cpu_ms();
    service_turn(&service, 50);
    assert_in_range(cpu_ms() - before_ms, 0, 40); /* a loop that spins takes all 50 */
    assert_true(raw_echo(&open, "still here"));
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
    assert_true(raw_send_text(&waiting, REQUEST));
    assert_true(raw_wait_answer(&waiting, &answer, false));
    assert_true(answer.status == 200 || answer.status == 503);
    raw_close(&waiting);
    raw_close(&refused);
    assert_true(raw_open(&waiting, &service, "/"));
    raw_close(&waiting);
    raw_close(&open);
    service_stop(&service);
}

static void test_options(void **state)
{
    static const char *const bad[] = {"http://a/b", "*", "", "good.example"};
    static const char *const bad_hosts[] = {"a b", "", "a:1"};
    struct dx_server_options options = dx_server_options_init();
    struct dx_server *server = NULL;
    struct dx_loop *loop;

    (void)state;
    assert_int_equal(dx_loop_new(&loop), DX_OK);
    for (size_t i = 0; i < 4; i++) {
        options = dx_server_options_init();
        options.origins = &bad[i];
        options.origin_count = 1;
        assert_int_equal(dx_server_new(loop, &options, &server), DX_ERR_USAGE);
    }
    for (size_t i = 0; i < 3; i++) {
        options = dx_server_options_init();
        options.hosts = &bad_hosts[i];
        options.host_count = 1;
        assert_int_equal(dx_server_new(loop, &options, &server), DX_ERR_USAGE);
    }
    options = dx_server_options_init();
    options.threads = 0;
    assert_int_equal(dx_server_new(loop, &options, &server), DX_ERR_USAGE);
    options.threads = 65;
    assert_int_equal(dx_server_new(loop, &options, &server), DX_ERR_USAGE);
    options = dx_server_options_init();
    options.size = 0;
    assert_int_equal(dx_server_new(loop, &options, &server), DX_ERR_USAGE);
    assert_null(server);
    assert_int_equal(dx_server_new(loop, NULL, &server), DX_OK);
    assert_int_equal(dx_server_connection_count(server), 0);
    assert_null(dx_server_url(server, 0));
    dx_server_free(server);
    dx_server_free(NULL);
    dx_loop_free(loop);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_deadline_is_absolute),
        cmocka_unit_test(test_kept_alive_wait),
        cmocka_unit_test(test_half_open),
        cmocka_unit_test(test_one_that_is_silent),
        cmocka_unit_test(test_places),
        cmocka_unit_test(test_places_have_an_end),
        cmocka_unit_test(test_memory),
        cmocka_unit_test(test_descriptors),
        cmocka_unit_test(test_options),
    };

    return run_group(tests, NULL, NULL);
}
