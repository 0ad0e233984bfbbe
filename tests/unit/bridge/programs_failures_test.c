/*
 * programs_failures_test.c - each allocation, and each system call with each of its errors, fails
 * in its turn while clients and programs talk.
 *
 * What a client then sees is one of the documented outcomes: a status, a close code, or the end of
 * the stream; the next client is served; no program, no connection, no descriptor and no memory is
 * left; nothing hangs.
 */
#include "support/bridge/program_bench.h"
#include "support/failing/allocator.h"
#include "support/failing/system.h"
#include "support/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <uv.h>

/* Any wait that comes to this is a hang. */
#define HANG_MS (PATIENCE_MS - 500)

#define POURED_LEN 600000

enum outcome { RIGHT, REFUSED, CLOSED, CUT };

struct scenario {
    const char *name;
    const char *script;
    enum outcome (*run)(void);
    void (*prepare)(void); /* of the bench, before it starts */
    bool is_whole_life;    /* of the server, too */
};

static struct program_bench bench;
static struct raw raw;
static struct answer answer;
static const char *running; /* for messages */
static size_t running_nth;
static bool is_injecting;
static char address[64];

static void inject(bool is_on)
{
    is_injecting = is_on;
    failing_allocator_pause(!is_on);
    failing_system_pause(!is_on);
}

/* ---- a client that is content with every documented outcome ---- */

static _Noreturn void hang(const char *where)
{
    inject(false);
    fail_msg("%s, failure %zu (call %d, errno %d): %s hangs", running, running_nth,
             (int)failing_system_last(), failing_system_code(), where);
    abort();
}

static enum outcome cut(const char *where)
{
    if (!raw.is_ended)
        hang(where);
    return CUT;
}

static void judge_status(unsigned status)
{
    if (status != 500 && status != 503)
        fail_msg("%s, failure %zu: status %u", running, running_nth, status);
}

/* Asks for the program in pieces of so many bytes. RIGHT: the WebSocket is open. */
static enum outcome ask(size_t piece)
{
    char request[1024];
    size_t len = upgrade_write(request, sizeof(request), &bench.service, "/", "");

    if (!raw_connect(&raw, &bench.service, true))
        return CUT;
    if (!raw_send(&raw, request, len, piece) || !raw_wait_answer(&raw, &answer, false))
        return cut("the answer");
    if (answer.status == 101)
        return RIGHT;
    judge_status(answer.status);
    return REFUSED;
}

static bool say(uint8_t first, const char *text, size_t piece)
{
    uint8_t frame[256];

    return raw_send(&raw, frame, frame_write(frame, first, text, strlen(text)), piece);
}

/* Reads messages until there are `len` bytes of them. */
static enum outcome hear(size_t len)
{
    struct frame frame;
    size_t got = 0;

    while (got < len) {
        if (!raw_wait_frame(&raw, &frame))
            return cut("a message");
        if (frame.first == 0x88) {
            unsigned code =
                frame.len < 2 ? 1005 : (unsigned)(frame.payload[0] << 8 | frame.payload[1]);

            if (code != 1011 && code != 1013 && code != 1000 && (code < 4001 || code > 4364))
                fail_msg("%s, failure %zu: close code %u", running, running_nth, code);
            return CLOSED;
        }
        if ((frame.first & 0x0f) <= 2)
            got += frame.len;
    }
    return got == len ? RIGHT : CUT;
}

/*
 * Expects the Close with this code (any documented one is an outcome, too), answers it unless the
 * client was first.
 */
static enum outcome end(unsigned code, bool is_first)
{
    uint8_t body[2] = {(uint8_t)(code >> 8), (uint8_t)code};
    enum outcome outcome = RIGHT;
    uint8_t bytes[16];
    struct frame frame;

    do {
        if (!raw_wait_frame(&raw, &frame))
            return cut("the Close");
    } while (frame.first != 0x88);
    if (frame.len < 2 || memcmp(frame.payload, body, 2) != 0)
        outcome = CLOSED;
    if (!is_first)
        (void)raw_send(&raw, bytes, frame_write(bytes, 0x88, body, 2), 0);
    if (!raw_wait_end(&raw))
        hang("the end");
    return outcome;
}

/* ---- scenarios ---- */

static enum outcome talk_in_pieces(size_t piece)
{
    enum outcome outcome = ask(piece);

    for (int i = 0; i < 3 && outcome == RIGHT; i++) {
        if (!say(0x81, "one", piece) || !say(0x01, "tw", piece) || !say(0x89, "", piece) ||
            !say(0x80, "o", piece))
            return cut("a message to it");
        outcome = hear(6);
    }
    if (outcome == RIGHT && !say(0x88, "\x03\xe9", piece))
        return cut("the Close to it");
    return outcome == RIGHT ? end(1001, true) : outcome;
}

static enum outcome run_talk(void)
{
    return talk_in_pieces(0);
}

static enum outcome run_talk_byte_by_byte(void)
{
    return talk_in_pieces(1);
}

static enum outcome end_by_itself(size_t piece)
{
    enum outcome outcome = ask(piece);

    if (outcome == RIGHT && !say(0x81, "word", piece))
        return cut("a message to it");
    if (outcome == RIGHT)
        outcome = hear(4);
    return outcome == RIGHT ? end(4003, false) : outcome;
}

static enum outcome run_program_ends(void)
{
    return end_by_itself(0);
}

static enum outcome run_program_ends_byte_by_byte(void)
{
    return end_by_itself(1);
}

static enum outcome run_client_vanishes(void)
{
    enum outcome outcome = ask(0);

    if (outcome == RIGHT && !say(0x81, "word", 0))
        return cut("a message to it");
    if (outcome == RIGHT)
        outcome = hear(4);
    raw_close(&raw);
    if (!program_bench_wait_count(&bench, 0))
        hang("the end of the program");
    return outcome;
}

/* It does not even wait for the program. */
static enum outcome run_client_does_not_wait(void)
{
    char request[1024];
    size_t len = upgrade_write(request, sizeof(request), &bench.service, "/", "");
    bool is_sent = raw_connect(&raw, &bench.service, true) && raw_send(&raw, request, len, 0);

    service_turn(&bench.service, 1);
    raw_close(&raw);
    service_turn(&bench.service, 5);
    return is_sent ? RIGHT : CUT;
}

static enum outcome run_refused_at_the_cap(void)
{
    enum outcome outcome = ask(0);
    struct raw first = raw;

    if (outcome != RIGHT)
        return outcome;
    outcome = ask(0);
    raw_close(&first);
    if (outcome == RIGHT) /* the first one's program had gone */
        return CLOSED;
    return outcome == REFUSED && answer.status == 503 ? RIGHT : outcome;
}

static enum outcome run_slow_client(void)
{
    enum outcome outcome = ask(0);

    if (outcome != RIGHT)
        return outcome;
    service_turn(&bench.service, 10);
    outcome = hear(POURED_LEN);
    return outcome == RIGHT ? end(1000, false) : outcome;
}

/* The program reads nothing; the client sends more than all buffers hold, and goes. */
static enum outcome run_full_stdin(void)
{
    static uint8_t frame[50100];
    static uint8_t text[50000];
    enum outcome outcome = ask(0);
    size_t len;

    memset(text, 'x', sizeof(text));
    len = frame_write(frame, 0x82, text, sizeof(text));
    for (int i = 0; i < 4 && outcome == RIGHT; i++)
        if (!raw_send(&raw, frame, len, 0))
            return cut("a message to it");
    service_turn(&bench.service, 5);
    raw_close(&raw);
    if (!program_bench_wait_count(&bench, 0))
        hang("the end of the program");
    return outcome;
}

static enum outcome hear_both_streams(size_t piece)
{
    enum outcome outcome = ask(piece);

    if (outcome == RIGHT && !say(0x81, "ping", piece))
        return cut("a ping to it");
    if (outcome == RIGHT && !say(0x81, "go", piece))
        return cut("a message to it");
    if (outcome == RIGHT)
        outcome = hear(4 + 3 + 9000 + 5);
    return outcome == RIGHT ? end(1000, false) : outcome;
}

static enum outcome run_both_streams(void)
{
    return hear_both_streams(0);
}

static enum outcome run_both_streams_byte_by_byte(void)
{
    return hear_both_streams(1);
}

static enum outcome run_server_closes(void)
{
    enum outcome outcome = ask(0);

    if (outcome == RIGHT && !say(0x81, "word", 0))
        outcome = cut("a message to it");
    if (outcome == RIGHT)
        outcome = hear(4);
    dx_server_close(bench.service.server, 0, NULL, NULL);
    if (outcome == RIGHT)
        outcome = end(1001, false);
    raw_close(&raw);
    if (!program_bench_close(&bench))
        hang("the server's end");
    return outcome;
}

static void limit_to_one(void)
{
    bench.programs_options.max_programs = 1;
}

static void be_small(void)
{
    bench.setup.connection.max_queue = 65536;
}

static void be_binary(void)
{
    bench.options.framing = DX_FRAMING_BINARY;
}

static void join_streams(void)
{
    bench.options.stderr_to = DX_STDERR_CLIENT;
    bench.options.answers_text_ping = true;
    bench.options.flush_after_ms = 20;
}

static void frame_by_length(void)
{
    bench.options.framing = DX_FRAMING_LENGTH;
}

static const struct scenario scenarios[] = {
    {"talk", "exec cat", run_talk, NULL, false},
    {"talk, byte by byte", "exec cat", run_talk_byte_by_byte, NULL, false},
    {"the program ends", "read x; echo said >&2; echo $x; exit 3", run_program_ends, NULL, false},
    {"the program ends, byte by byte", "read x; echo said >&2; echo $x; exit 3",
     run_program_ends_byte_by_byte, NULL, false},
    {"lengths", "exec cat", run_talk, frame_by_length, false},
    {"lengths, byte by byte", "exec cat", run_talk_byte_by_byte, frame_by_length, false},
    {"the client vanishes", "exec cat", run_client_vanishes, NULL, false},
    {"the client does not wait", "exec cat", run_client_does_not_wait, NULL, false},
    {"refused at the cap", "exec cat", run_refused_at_the_cap, limit_to_one, false},
    {"a slow client", "yes abcde | tr -d '\\n' | head -c 600000", run_slow_client, be_small, false},
    {"a full stdin", "trap '' INT; exec sleep 60", run_full_stdin, be_binary, false},
    {"both streams",
     "printf out; read x; head -c 9000 /dev/zero | tr '\\0' a >&2; echo; echo right >&2",
     run_both_streams, join_streams, false},
    {"both streams, byte by byte",
     "printf out; read x; head -c 9000 /dev/zero | tr '\\0' a >&2; echo; echo right >&2",
     run_both_streams_byte_by_byte, join_streams, false},
    {"the server closes", "exec cat", run_server_closes, NULL, true},
};

/* ---- failing in turn ---- */

struct failing {
    const char *name;
    void (*start)(size_t nth);
    bool (*stop)(void);
};

static const struct failing allocations = {"allocations", failing_allocator_start,
                                           failing_allocator_stop};
static const struct failing calls = {"system calls", failing_system_start, failing_system_stop};

static void init_bench(const struct scenario *scenario)
{
    program_bench_init(&bench);
    program_bench_script(&bench, scenario->script);
    bench.setup.address = address;
    bench.setup.connection.close_timeout_ms = 40;
    bench.setup.options.handshake_timeout_ms = 500;
    bench.programs_options.owns_children = false; /* that would clean up in a thread */
    for (size_t i = 0; i < 3; i++)
        bench.options.ladder_ms[i] = 20;
    if (scenario->prepare)
        scenario->prepare();
}

static bool serves(void *data)
{
    (void)data;
    return program_bench_serves(&bench);
}

static bool is_empty(void *data)
{
    (void)data;
    return dx_server_connection_count(bench.service.server) == 0 &&
           dx_programs_count(bench.programs) == 0;
}

/*
 * What was before is again: nobody is left, and the next client is served (a killed spawner takes
 * its time).
 */
static void expect_order(size_t descriptor_count)
{
    raw_close(&raw);
    if (!service_wait(&bench.service, is_empty, NULL, HANG_MS))
        hang("somebody who is left");
    if (!service_wait(&bench.service, serves, NULL, HANG_MS))
        hang("the next client");
    if (!service_wait(&bench.service, is_empty, NULL, HANG_MS))
        hang("the next client's end");
    if (program_descriptor_count() != descriptor_count)
        fail_msg("%s, failure %zu: %zu descriptors, before %zu", running, running_nth,
                 program_descriptor_count(), descriptor_count);
}

/* One visit with the `nth` failing. Returns whether one failed. */
static bool visit(const struct scenario *scenario, const struct failing *failing, size_t nth,
                  enum outcome *outcome)
{
    uint64_t begin_ms = clock_ms();
    bool has_failed;

    running = scenario->name;
    running_nth = nth;
    is_injecting = true;
    failing->start(nth);
    *outcome = scenario->run();
    has_failed = failing->stop();
    is_injecting = false;
    if (!has_failed && *outcome != RIGHT)
        fail_msg("%s goes wrong by itself: %d", scenario->name, (int)*outcome);
    if (clock_ms() - begin_ms > HANG_MS)
        hang("a visit");
    return has_failed;
}

static size_t fail_visits(const struct scenario *scenario, const struct failing *failing,
                          size_t *seen)
{
    size_t nth = 0, descriptor_count;
    enum outcome outcome;

    init_bench(scenario);
    assert_true(program_bench_start(&bench));
    assert_true(program_bench_serves(&bench));
    assert_true(service_wait(&bench.service, is_empty, NULL, HANG_MS));
    descriptor_count = program_descriptor_count();
    while (visit(scenario, failing, ++nth, &outcome)) {
        *seen += outcome != RIGHT;
        expect_order(descriptor_count);
    }
    expect_order(descriptor_count);
    program_bench_stop(&bench);
    assert_int_equal(failing_allocator_live(), 0);
    return nth - 1;
}

/* The server's own life is part of it. */
static bool live(const struct scenario *scenario, const struct failing *failing, size_t nth,
                 enum outcome *outcome)
{
    bool has_failed;

    running = scenario->name;
    running_nth = nth;
    *outcome = CUT;
    init_bench(scenario);
    is_injecting = true;
    failing->start(nth);
    if (program_bench_start(&bench)) {
        *outcome = scenario->run();
        service_stop(&bench.service);
    }
    has_failed = failing->stop();
    is_injecting = false;
    raw_close(&raw);
    assert_int_equal(program_children_count(getpid()), 0);
    assert_int_equal(failing_allocator_live(), 0);
    return has_failed;
}

static size_t fail_lives(const struct scenario *scenario, const struct failing *failing,
                         size_t *seen)
{
    size_t nth = 0, descriptor_count = program_descriptor_count();
    enum outcome outcome;

    while (live(scenario, failing, ++nth, &outcome)) {
        *seen += outcome != RIGHT;
        assert_int_equal(program_descriptor_count(), descriptor_count);
    }
    assert_int_equal(outcome, RIGHT);
    return nth - 1;
}

static size_t fail_each(const struct failing *failing)
{
    size_t sum = 0;

    for (size_t i = 0; i < sizeof(scenarios) / sizeof(scenarios[0]); i++) {
        const struct scenario *scenario = &scenarios[i];
        size_t count, seen = 0;

        count = scenario->is_whole_life ? fail_lives(scenario, failing, &seen)
                                        : fail_visits(scenario, failing, &seen);
        print_message("%s: %zu %s failed in turn, %zu seen by the client\n", scenario->name, count,
                      failing->name, seen);
        sum += count;
    }
    print_message("injected %zu failures\n", sum);
    return sum;
}

static void test_allocations(void **state)
{
    (void)state;
    assert_true(fail_each(&allocations) > 100);
}

static void test_system_calls(void **state)
{
    (void)state;
    assert_true(fail_each(&calls) > 500);
}

/*
 * ---- the loop's own allocations fail, too; only its realloc may not: libuv ends the process then
 * ----
 */

static void *uv_malloc(size_t len)
{
    return malloc(len);
}

static void *uv_calloc(size_t count, size_t len)
{
    return calloc(count, len);
}

static void *uv_realloc(void *old, size_t len)
{
    bool was_injecting = is_injecting;
    void *block;

    inject(false);
    block = realloc(old, len);
    inject(was_injecting);
    return block;
}

static void uv_free(void *block)
{
    free(block);
}

/* One argument: `allocations`, or which of their errors the system calls give. */
int main(int argc, char **argv)
{
    const struct CMUnitTest of_allocations[] = {cmocka_unit_test(test_allocations)};
    const struct CMUnitTest of_calls[] = {cmocka_unit_test(test_system_calls)};

    (void)snprintf(address, sizeof(address), "unix:/tmp/duplex-programs-%d", (int)getpid());
    if (uv_replace_allocator(uv_malloc, uv_realloc, uv_calloc, uv_free) != 0)
        return 1;
    if (argc > 1 && strcmp(argv[1], "allocations") == 0)
        return run_group(of_allocations, NULL, NULL);
    failing_system_choose(argc > 1 ? (unsigned)atoi(argv[1]) : 0);
    return run_group(of_calls, NULL, NULL);
}
