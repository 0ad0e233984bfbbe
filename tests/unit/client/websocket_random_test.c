/*
 * websocket_random_test.c - anything at any moment: random calls, inside callbacks too, against a
 * server that answers, talks, breaks the rules or goes at random. Nothing crashes or leaks (the
 * sanitizers look), and what is told keeps its grammar.
 */
#include "support/client/websocket_bench.h"
#include "support/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SEED_COUNT 800
#define STEP_COUNT 120

static struct websocket_bench bench;
static uint64_t seed;
static bool was_told; /* open or error since the last close */
static bool is_over;  /* closed for good: nothing may come */
static size_t event_count, call_count;
static struct dx_websocket_listener extra;

static unsigned draw(unsigned count)
{
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    return (unsigned)(seed >> 33) % count;
}

static void call(struct dx_websocket *websocket)
{
    static const uint8_t bytes[70000];
    enum dx_opcode opcode = draw(2) ? DX_OP_TEXT : DX_OP_BINARY;
    enum dx_err err = DX_OK;

    call_count++;
    switch (draw(14)) {
    case 0:
        err = dx_websocket_close(websocket, draw(2) ? 1000 : 0, NULL, 0);
        break;
    case 1:
        if (draw(3) == 0)
            dx_websocket_abort(websocket);
        break;
    case 2:
        dx_websocket_pause(websocket);
        break;
    case 3:
    case 4:
        dx_websocket_resume(websocket);
        break;
    case 5:
        if (draw(3) == 0) {
            dx_websocket_free(websocket);
            bench.websocket = NULL;
        }
        break;
    case 6:
        err = dx_websocket_send_fragment(websocket, opcode, bytes, draw(300), draw(2));
        break;
    case 7:
        err = dx_websocket_ping(websocket, bytes, draw(126));
        break;
    case 8:
        err = dx_websocket_add_listener(websocket, &extra, &bench);
        break;
    case 9:
        dx_websocket_remove_listener(websocket, &extra, &bench);
        break;
    default:
        err = dx_websocket_send(websocket, opcode, bytes, draw(4) ? draw(100) : sizeof(bytes));
        break;
    }
    (void)err; /* any is fine */
}

/*
 * No close without an open or an error before it; nothing once it is over; nothing once it was
 * freed.
 */
static void act(struct websocket_bench *self, char what)
{
    event_count++;
    self->journal[0] = '\0';
    if (is_over || self->websocket == NULL)
        fail_msg("event %d: '%c' comes too late", (int)event_count, what);
    if (what == 'o' || what == 'e')
        was_told = true;
    if (what == 'c') {
        assert_true(was_told);
        was_told = false;
        is_over = !self->close.will_reconnect;
    }
    if (draw(3) == 0)
        call(self->websocket);
}

static void serve(void)
{
    static const char *const frames[] = {"\x81\x02hi",
                                         "\x82\x01x",
                                         "\x89\x01p",
                                         "\x8a\x01q",
                                         "\x01\x01"
                                         "a",
                                         "\x80\x01"
                                         "b",
                                         "\x81\x04pong"};
    const char *frame = frames[draw(7)];

    if (bench.peer < 0)
        return;
    if (websocket_bench_find_request(&bench)) {
        if (draw(8) == 0)
            websocket_bench_put(&bench, "HTTP/1.1 503 x\r\nContent-Length: 0\r\n\r\n", 38);
        else
            websocket_bench_answer(&bench, "", frame, draw(4) ? 0 : 2 + (size_t)frame[1]);
    }
    switch (draw(12)) {
    case 0:
        websocket_bench_hang_up(&bench, draw(2));
        break;
    case 1:
        websocket_bench_put(&bench, "\xff", draw(4) == 0);
        break;
    case 2:
        websocket_bench_put_frame(&bench, BENCH_CLOSE, "\x03\xe9", draw(2) * 2);
        break;
    case 3:
        bench.in_len = bench.has_asked ? 0 : bench.in_len;
        break;
    default:
        websocket_bench_put(&bench, frame, draw(3) ? 2 + (size_t)frame[1] : 0);
        break;
    }
}

static void choose_options(void)
{
    struct dx_websocket_options *options = &bench.options;

    options->strict_browser = draw(2);
    options->hears_while_closing = draw(2);
    options->reconnect = draw(2) ? &bench.reconnect : NULL;
    bench.reconnect.first_delay_ms = bench.reconnect.max_delay_ms = 1 + draw(3);
    options->outbox = options->reconnect != NULL && draw(2) ? &bench.outbox : NULL;
    bench.outbox.guarantee = draw(2) ? DX_OUTBOX_UNSENT : DX_OUTBOX_UNTIL_PONG;
    bench.outbox.when_full = (enum dx_outbox_full)draw(3);
    bench.outbox.max_len = draw(2) ? 100000 : 16777216;
    options->greeting = draw(2) ? "hello" : NULL;
    bench.connection.max_queue = draw(2) ? 50000 : 16777216;
    bench.connection.close_timeout_ms = 1 + draw(20);
    bench.connection.ping_interval_ms = draw(2) ? 1 + draw(5) : 0;
    bench.connection.pong_timeout_ms = 1 + draw(10);
    options->heartbeat_text = draw(3) ? NULL : "ping";
    options->heartbeat_answer = options->heartbeat_text != NULL ? "pong" : NULL;
}

static void run(uint64_t number)
{
    seed = number * 7919 + 1;
    was_told = false;
    is_over = false;
    websocket_bench_init(&bench);
    bench.act = act;
    extra = bench.events;
    extra.on_close = NULL; /* the first one keeps the books */
    extra.on_error = NULL;
    extra.on_open = NULL;
    choose_options();
    websocket_bench_start(&bench, NULL);
    for (int step = 0; step < STEP_COUNT; step++) {
        if (bench.websocket != NULL && draw(3) == 0)
            call(bench.websocket);
        websocket_bench_turn(&bench, draw(16) == 0);
        serve();
    }
    websocket_bench_release(&bench);
}

static void test_anything(void **state)
{
    (void)state;
    for (uint64_t number = 1; number <= SEED_COUNT; number++)
        run(number);
    print_message("%d seeds: %zu calls, %zu events\n", SEED_COUNT, call_count, event_count);
    assert_true(event_count > SEED_COUNT * 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_anything)};

    return run_group(tests, NULL, NULL);
}
