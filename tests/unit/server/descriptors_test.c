/*
 * descriptors_test.c - no descriptor is left: the loop rests instead of spinning, who is open is
 * served, who waits is told or waits, and all is as before when some are free. Turns of the loop
 * are counted, not time: a slow machine makes fewer of them.
 */
#include "net/socket/listener.h"
#include "server/server.h"
#include "support/server/service.h"
#include "support/test.h"

#include <duplex/metrics.h>

#include <poll.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#define REQUEST "GET /plain HTTP/1.1\r\nHost: localhost\r\n\r\n"
#define WAITING 40
#define PAUSES 8

/*
 * A pause's end, the accepting that fails, the one in reserve and its answer; and as many again for
 * good measure.
 */
#define TURNS_A_PAUSE 8

static struct service service;
static struct answer answer;
static struct rlimit limit;

/* Turns the loop as a host would, whenever it asks for it. */
static unsigned count_turns(uint64_t duration_ms)
{
    uint64_t end_ms = clock_ms() + duration_ms, now_ms;
    unsigned turns = 0;

    while ((now_ms = clock_ms()) < end_ms) {
        struct pollfd fd = {dx_loop_fd(service.loop), POLLIN, 0};
        int timeout_ms = dx_loop_timeout_ms(service.loop);

        if (timeout_ms < 0 || (uint64_t)timeout_ms > end_ms - now_ms)
            timeout_ms = (int)(end_ms - now_ms);
        (void)poll(&fd, 1, timeout_ms);
        assert_int_equal(dx_loop_dispatch(service.loop), DX_OK);
        turns++;
    }
    return turns;
}

/* From here on no descriptor above those that are open can be had. */
static void exhaust(int highest_fd)
{
    struct rlimit low = limit;

    low.rlim_cur = (rlim_t)highest_fd + 1;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &low), 0);
}

static void test_rest_and_recovery(void **state)
{
    struct service_setup setup = service_setup_init();
    struct dx_server_metrics metrics = dx_server_metrics_init();
    struct raw open, raws[WAITING];
    unsigned turns, refused = 0, served = 0;

    (void)state;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
    assert_true(service_start(&service, &setup));
    assert_true(raw_open(&open, &service, "/"));
    for (size_t i = 0; i < WAITING; i++)
        (void)raw_connect(&raws[i], &service, false);
    exhaust(raws[WAITING - 1].fd);
    for (size_t i = 0; i < WAITING; i++)
        assert_int_equal(send(raws[i].fd, REQUEST, strlen(REQUEST), MSG_NOSIGNAL), strlen(REQUEST));

    turns = count_turns(PAUSES * DX_ACCEPT_PAUSE_MS);
    print_message("%u turns in %u pauses\n", turns, PAUSES);
    assert_in_range(turns, 1, (PAUSES + 1) * TURNS_A_PAUSE);
    dx_server_metrics(service.server, &metrics);
    assert_in_range(metrics.streams_refused, 1, PAUSES + 1); /* one a pause: the one in reserve */
    assert_int_equal(metrics.responses[4], metrics.streams_refused);
    assert_int_equal(metrics.streams, 1);
    assert_true(raw_echo(&open, "still here"));

    assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
    for (size_t i = 0; i < WAITING; i++) {
        assert_true(raw_wait_answer(&raws[i], &answer, false));
        refused += answer.status == 503;
        served += answer.status == 200;
        raw_close(&raws[i]);
    }
    dx_server_metrics(service.server, &metrics);
    assert_int_equal(refused, metrics.streams_refused);
    assert_int_equal(refused + served, WAITING);
    assert_true(served > 0);
    raw_close(&open);
    service_stop(&service);
}

/* Those that end make room, without anybody raising a limit; then there is nothing to do at all. */
static void test_room_by_itself(void **state)
{
    struct service_setup setup = service_setup_init();
    struct raw open[4], raws[2];
    unsigned turns;

    (void)state;
    assert_true(service_start(&service, &setup));
    for (size_t i = 0; i < 4; i++)
        assert_true(raw_open(&open[i], &service, "/"));
    for (size_t i = 0; i < 2; i++)
        (void)raw_connect(&raws[i], &service, false);
    exhaust(raws[1].fd);
    (void)count_turns(DX_ACCEPT_PAUSE_MS / 2);
    for (size_t i = 0; i < 4; i++)
        raw_close(&open[i]);
    assert_true(raw_send_text(&raws[1], REQUEST));
    assert_true(raw_wait_answer(&raws[1], &answer, false));
    assert_int_equal(answer.status, 200);
    turns = count_turns(2 * DX_ACCEPT_PAUSE_MS);
    assert_in_range(turns, 1, 3 * TURNS_A_PAUSE);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
    for (size_t i = 0; i < 2; i++)
        raw_close(&raws[i]);
    service_stop(&service);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rest_and_recovery),
        cmocka_unit_test(test_room_by_itself),
    };

    return run_group(tests, NULL, NULL);
}
