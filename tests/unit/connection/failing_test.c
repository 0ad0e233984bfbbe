/*
 * failing_test.c - a whole life of a connection, with each allocation and each system call of it
 * failing in turn.
 *
 * However it fails: a documented error, on_close exactly once, nothing left and nothing waiting.
 */
#include "base/shared.h"
#include "connection/connection_parts.h"
#include "support/connection/peer_bench.h"
#include "support/failing/allocator.h"
#include "support/failing/system.h"
#include "support/test.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <uv.h>

struct plan {
    enum dx_role role;
    enum bench_transport transport;
    bool is_chunked;
};

static const struct plan plans[] = {
    {DX_ROLE_SERVER, BENCH_UNIX, false}, {DX_ROLE_SERVER, BENCH_TCP, false},
    {DX_ROLE_CLIENT, BENCH_UNIX, false}, {DX_ROLE_CLIENT, BENCH_TCP, false},
    {DX_ROLE_SERVER, BENCH_TCP, true},
};

static uint8_t payload[200000];
static size_t failed_count;
static size_t early_count;
static bool is_injecting;

static void set_injection(bool is_on)
{
    is_injecting = is_on;
    failing_allocator_pause(!is_on);
    failing_system_pause(!is_on);
}

static void answer(struct bench *bench, char what)
{
    struct dx_connection *connection = bench->connection;

    if (what == 'm') {
        (void)!dx_connection_send(connection, DX_OP_TEXT, "answer", 6);
        dx_connection_pause(connection);
        (void)!dx_connection_ping(connection, "x", 1);
    }
}

static void on_chunk(struct dx_connection *connection, enum dx_opcode opcode, uint8_t *data,
                     size_t len, bool is_first, bool is_last, void *user)
{
    (void)is_first;
    (void)!dx_connection_send_fragment(connection, opcode, data, len, is_last);
    (void)user;
}

/* Each message that was queued is told of once, in order, before on_close. */
static uintptr_t queued_count;
static uintptr_t told_count;

static void on_sent(struct dx_connection *connection, enum dx_err err, void *user)
{
    struct bench *bench = dx_connection_user(connection);

    assert_int_equal((uintptr_t)user, told_count);
    assert_int_equal(bench->close_count, 0);
    assert_true(err == DX_OK || bench->connection->is_dead);
    told_count++;
}

struct guest {
    struct dx_attachment attachment;
    struct dx_shared *frame;
    int gone_count;
};

static void on_gone(struct dx_attachment *attachment, struct dx_connection *connection)
{
    struct bench *bench = dx_connection_user(connection);

    assert_int_equal(bench->close_count, 0);
    ((struct guest *)attachment)->gone_count++;
}

static void on_writable(struct dx_attachment *attachment, struct dx_connection *connection)
{
    (void)!dx_connection_send_shared(connection, ((struct guest *)attachment)->frame, 1);
}

static struct guest guest;

static void forget_counts(void)
{
    uint8_t *frame;

    queued_count = 0;
    told_count = 0;
    guest = (struct guest){
        .attachment = {.owner = &guest, .on_gone = on_gone, .on_writable = on_writable}};
    assert_int_equal(dx_shared_new(3, &guest.frame, &frame), DX_OK);
    memcpy(frame, "\x82\x01w", 3);
}

static void attach(struct bench *bench)
{
    if (dx_connection_attach(bench->connection, &guest.attachment) != DX_OK)
        guest.gone_count++;
}

/* One that is copied, and one that is named. */
static void send_shared(struct bench *bench)
{
    static const size_t lens[] = {1, 5000};

    for (size_t i = 0; i < 2 && bench->connection && bench->role == DX_ROLE_SERVER; i++) {
        struct dx_shared *frame;
        uint8_t *bytes;

        set_injection(false);
        assert_int_equal(dx_shared_new(lens[i] + (i ? 4 : 2), &frame, &bytes), DX_OK);
        memcpy(bytes, i ? "\x82\x7e\x13\x88" : "\x82\x01", i ? 4 : 2);
        memset(bytes + (i ? 4 : 2), 's', lens[i]);
        set_injection(true);
        (void)!dx_connection_send_shared(bench->connection, frame, lens[i]);
        (void)dx_connection_has_room(bench->connection);
        set_injection(false);
        dx_shared_drop(frame);
    }
}

static void send_with(struct bench *bench)
{
    size_t len = queued_count % 2 ? 10 : sizeof(payload);

    if (!bench->connection)
        return;
    set_injection(true);
    if (dx_connection_send_with(bench->connection, DX_OP_BINARY, payload, len, on_sent,
                                (void *)queued_count) == DX_OK)
        queued_count++;
    set_injection(false);
}

static void turns(struct bench *bench, int count)
{
    for (int i = 0; i < count && bench->loop; i++) {
        set_injection(true);
        (void)!dx_loop_dispatch(bench->loop);
        set_injection(false);
        bench_turn(bench, 0);
    }
}

static void put(struct bench *bench, uint8_t first, const void *data, size_t len)
{
    uint8_t header[14] = {first};
    uint8_t mask = bench->role == DX_ROLE_SERVER ? 0x80 : 0;
    size_t at = 2;

    header[1] = (uint8_t)(mask | (len < 126 ? len : 127));
    if (len >= 126)
        for (int shift = 56; shift >= 0; shift -= 8)
            header[at++] = (uint8_t)(len >> shift);
    at += mask ? 4 : 0;
    (void)!send(bench->peer, header, at, MSG_NOSIGNAL);
    for (size_t done = 0; done < len && bench->connection;) {
        size_t part = len - done < 30000 ? len - done : 30000;
        ssize_t sent = send(bench->peer, (const uint8_t *)data + done, part, MSG_NOSIGNAL);

        if (sent > 0)
            done += (size_t)sent;
        else if (errno != EAGAIN)
            return;
        turns(bench, 1);
    }
}

static void resume(struct bench *bench)
{
    if (bench->connection)
        dx_connection_resume(bench->connection);
    turns(bench, 2);
}

/* Opens, talks in every way, closes. Injection is on only around the library's own work. */
static enum dx_err live(struct bench *bench, const struct plan *plan)
{
    enum dx_err err;

    bench_init(bench);
    bench->role = plan->role;
    bench->transport = plan->transport;
    bench->act = answer;
    bench->head = "HTTP/1.1 101 Switching Protocols\r\n\r\n";
    bench->early = plan->role == DX_ROLE_SERVER ? "\x81\x81\0\0\0\0e"
                                                : "\x81\x01"
                                                  "e";
    bench->early_len = plan->role == DX_ROLE_SERVER ? 7 : 3;
    bench->options.ping_interval_ms = 1;
    bench->options.close_timeout_ms = 5;
    bench->options.max_message = 1000000;
    if (plan->is_chunked)
        bench->handlers.on_chunk = on_chunk;
    bench_connect(bench);
    forget_counts();
    set_injection(true);
    err = bench_try_open(bench);
    set_injection(false);
    if (err)
        return err;
    attach(bench);
    turns(bench, 3);
    send_shared(bench);
    resume(bench);
    put(bench, 0x81, "one", 3);
    put(bench, 0x81, "two", 3);
    turns(bench, 2);
    resume(bench);
    resume(bench);
    put(bench, 0x02, payload, sizeof(payload));
    put(bench, 0x89, "ping", 4);
    put(bench, 0x80, payload, sizeof(payload));
    turns(bench, 2);
    resume(bench);
    for (int i = 0; i < 20 && bench->connection; i++) {
        send_with(bench);
        send_shared(bench);
    }
    turns(bench, 10);
    /* The pings' deadline passes. */
    usleep(3000);
    turns(bench, 3);
    put(bench, 0x88,
        "\x03\xe8"
        "because",
        9);
    turns(bench, 5);
    resume(bench);
    return DX_OK;
}

static void check(struct bench *bench, enum dx_err err, bool has_failed)
{
    failed_count += has_failed;
    early_count += err != DX_OK;
    if (err)
        assert_true(err == DX_ERR_NOMEM || err == DX_ERR_DESCRIPTORS || err == DX_ERR_SYSTEM);
    if (bench->peer >= 0 && bench->connection) {
        close(bench->peer);
        bench->peer = -1;
    }
    /* The close timeout ends what the peer's end does not; more than this would be a hang. */
    for (uint64_t end_ms = clock_ms() + PATIENCE_MS; bench->connection;) {
        assert_true(clock_ms() < end_ms);
        if (dx_connection_buffered_amount(bench->connection) == 0)
            dx_connection_resume(bench->connection);
        bench_turn(bench, 5);
    }
    assert_int_equal(told_count, queued_count);
    if (!err)
        assert_int_equal(guest.gone_count, 1);
    dx_shared_drop(guest.frame);
    if (!has_failed) {
        assert_int_equal(err, DX_OK);
        assert_non_null(strstr(bench->journal, "close:1000/1000 clean;"));
    }
    bench_release(bench);
}

static int fd_count(void)
{
    int count = 0;

    for (int fd = 0; fd < 200; fd++)
        count += lseek(fd, 0, SEEK_CUR) >= 0 || errno != EBADF;
    return count;
}

static void sweep(bool fails_memory)
{
    struct dx_loop *first;
    int before;

    /* libuv keeps two descriptors for the process with its first loop. */
    assert_int_equal(dx_loop_new(&first), DX_OK);
    dx_loop_free(first);
    before = fd_count();
    for (size_t i = 0; i < sizeof(plans) / sizeof(plans[0]); i++) {
        bool has_failed = true;

        for (size_t nth = 1; has_failed; nth++) {
            struct bench bench;
            enum dx_err err;

            failing_allocator_start(fails_memory ? nth : 0);
            failing_system_start(fails_memory ? 0 : nth);
            set_injection(false);
            err = live(&bench, &plans[i]);
            has_failed = failing_system_stop();
            has_failed |= failing_allocator_stop();
            check(&bench, err, has_failed);
            assert_int_equal(failing_allocator_live(), 0);
            assert_int_equal(fd_count(), before);
        }
    }
}

static void test_each_allocation(void **unused)
{
    (void)unused;
    failed_count = 0;
    early_count = 0;
    sweep(true);
    print_message("%zu allocations failed, %zu before there was a connection\n", failed_count,
                  early_count);
    print_message("injected %zu failures\n", failed_count);
    assert_true(failed_count > 50);
}

static void test_each_system_call(void **unused)
{
    (void)unused;
    failed_count = 0;
    early_count = 0;
    sweep(false);
    print_message("%zu system calls failed, %zu before there was a connection\n", failed_count,
                  early_count);
    print_message("injected %zu failures\n", failed_count);
    assert_true(failed_count > 100);
}

static void test_no_randomness_for_a_client(void **unused)
{
    struct bench bench;

    (void)unused;
    bench_init(&bench);
    bench.role = DX_ROLE_CLIENT;
    bench_open(&bench);
    failing_system_start(0);
    failing_system_fail_all(CALL_GETRANDOM, EAGAIN);
    assert_int_equal(dx_connection_send(bench.connection, DX_OP_TEXT, "x", 1), DX_ERR_SYSTEM);
    failing_system_stop();
    bench_quiet(&bench);
    assert_int_equal(bench.wire_len, 0);
    assert_int_equal(dx_connection_send(bench.connection, DX_OP_TEXT, "x", 1), DX_OK);
    assert_true(bench_until_wire(&bench, 7));
    bench_release(&bench);
}

/*
 * libuv aborts the program when growing its table of descriptors finds no memory (once, at the
 * loop's making); realloc is that table's alone.
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
    void *block;

    failing_allocator_pause(true);
    block = realloc(old, len);
    failing_allocator_pause(!is_injecting);
    return block;
}

static void uv_free(void *block)
{
    free(block);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_allocation),
        cmocka_unit_test(test_each_system_call),
        cmocka_unit_test(test_no_randomness_for_a_client),
    };

    if (uv_replace_allocator(uv_malloc, uv_realloc, uv_calloc, uv_free) != 0)
        return 1;
    return run_group(tests, NULL, NULL);
}
