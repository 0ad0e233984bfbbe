/*
 * reentry_test.c - each thing that may be called, from inside each callback, on a server's and on a
 * client's connection.
 */
#include "base/shared.h"
#include "connection/connection_parts.h"
#include "support/connection/peer_bench.h"
#include "support/failing/system.h"
#include "support/test.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum deed {
    SEND,
    SEND_LARGE,
    FRAGMENT,
    PING,
    CLOSE,
    ABORT,
    PAUSE,
    RESUME,
    TWICE,
    FLUSH,
    SEND_WITH,
    SHARED,
    GUEST,
    DEED_COUNT
};

static const char *const deed_names[] = {"send",      "send large", "fragment", "ping",  "close",
                                         "abort",     "pause",      "resume",   "twice", "flush",
                                         "send with", "shared",     "guest"};
static const char callbacks[] = "mkcpdhswgx";

static enum deed deed;
static char callback;
static int done_count;
static uint8_t large[100000];

static struct dx_attachment guest;
static struct dx_shared *frame;
static int queued_count;
static int told_count;

static void act(struct bench *bench, char what);

static void on_sent(struct dx_connection *connection, enum dx_err err, void *user)
{
    (void)err;
    (void)user;
    told_count++;
    act(dx_connection_user(connection), 's');
}

static void send_with(struct dx_connection *connection, size_t len)
{
    queued_count +=
        dx_connection_send_with(connection, DX_OP_BINARY, large, len, on_sent, NULL) == DX_OK;
}

static void on_writable(struct dx_attachment *attachment, struct dx_connection *connection)
{
    (void)attachment;
    act(dx_connection_user(connection), 'w');
}

static void on_gone(struct dx_attachment *attachment, struct dx_connection *connection)
{
    (void)attachment;
    act(dx_connection_user(connection), 'g');
}

static void attach(struct dx_connection *connection)
{
    guest = (struct dx_attachment){.owner = &guest, .on_gone = on_gone, .on_writable = on_writable};
    (void)!dx_connection_attach(connection, &guest);
}

static void do_deed(struct dx_connection *connection)
{
    switch (deed) {
    case SEND:
        (void)!dx_connection_send(connection, DX_OP_TEXT, "x", 1);
        break;
    case SEND_LARGE:
        for (int i = 0; i < 5; i++)
            (void)!dx_connection_send(connection, DX_OP_BINARY, large, sizeof(large));
        break;
    case FRAGMENT:
        (void)!dx_connection_send_fragment(connection, DX_OP_TEXT, "x", 1, false);
        (void)!dx_connection_send_fragment(connection, DX_OP_TEXT, large, 20000, true);
        break;
    case PING:
        (void)!dx_connection_ping(connection, "x", 1);
        break;
    case CLOSE:
        assert_int_equal(dx_connection_close(connection, 1000, NULL, 0), DX_OK);
        break;
    case ABORT:
        dx_connection_abort(connection, DX_ERR_STATE, "so be it");
        break;
    case PAUSE:
        dx_connection_pause(connection);
        break;
    case RESUME:
        dx_connection_pause(connection);
        dx_connection_resume(connection);
        dx_connection_resume(connection);
        break;
    case TWICE:
        dx_connection_close(connection, 1001, NULL, 0);
        dx_connection_abort(connection, DX_ERR_STATE, "so be it");
        dx_connection_close(connection, 1000, NULL, 0);
        dx_connection_abort(connection, DX_ERR_CLOSED, "again");
        break;
    case FLUSH:
        dx_connection_flush(connection);
        break;
    case SEND_WITH:
        send_with(connection, 1);
        send_with(connection, sizeof(large));
        break;
    case SHARED:
        (void)!dx_connection_send_shared(connection, frame, 1);
        (void)dx_connection_has_room(connection);
        break;
    case GUEST:
        dx_connection_detach(connection, &guest);
        attach(connection);
        break;
    case DEED_COUNT:
        break;
    }
}

static void act(struct bench *bench, char what)
{
    if (what == callback && done_count < 3) {
        done_count++;
        do_deed(bench->connection);
    }
}

static void on_chunk(struct dx_connection *connection, enum dx_opcode opcode, uint8_t *data,
                     size_t len, bool is_first, bool is_last, void *user)
{
    (void)connection;
    (void)opcode;
    (void)data;
    (void)len;
    (void)is_first;
    (void)is_last;
    act(user, 'k');
}

/* A peer's life in which every callback comes. */
static void live(struct bench *bench)
{
    static uint8_t block[60000];

    attach(bench->connection);
    send_with(bench->connection, 5);
    bench_put_frame(bench, 0x81, "one", 3);
    bench_put_frame(bench, 0x8a, "pong", 4);
    bench_put_frame(bench, 0x02, block, sizeof(block));
    bench_put_frame(bench, 0x80, block, sizeof(block));
    bench_quiet(bench);
    if (bench->connection) {
        while (bench->connection && !dx_connection_is_congested(bench->connection) &&
               dx_connection_send(bench->connection, DX_OP_BINARY, block, sizeof(block)) == DX_OK)
            ;
        if (bench->connection)
            (void)dx_connection_has_room(bench->connection);
        bench_quiet(bench);
    }
    if (bench->connection && callback == 'h')
        dx_connection_pause(bench->connection);
    bench_put_frame(bench, 0x88, "\x03\xe8", 2);
    bench_quiet(bench);
    (void)shutdown(bench->peer, SHUT_WR);
    bench_quiet(bench);
    if (bench->connection && callback != 'm')
        dx_connection_resume(bench->connection);
    bench_quiet(bench);
}

static void run(enum dx_role role)
{
    struct bench bench;

    done_count = 0;
    queued_count = 0;
    told_count = 0;
    bench_init(&bench);
    bench.role = role;
    bench.act = act;
    bench.options.max_queue = 200000;
    bench.options.close_timeout_ms = 20;
    if (callback == 'k')
        bench.handlers.on_chunk = on_chunk;
    if (callback == 'c')
        bench.handlers.on_peer_close = bench_on_peer_close;
    bench_open(&bench);
    live(&bench);
    if (done_count == 0)
        print_message("%s in %c of role %d: the callback did not come: %s\n", deed_names[deed],
                      callback, (int)role, bench.journal);
    assert_true(done_count > 0 || callback == 'x' || callback == 'g');
    bench_release(&bench);
    assert_true(done_count > 0);
    assert_int_equal(told_count, queued_count);
}

static void test_each_from_each(void **unused)
{
    int run_count = 0;
    uint8_t *bytes;

    (void)unused;
    assert_int_equal(dx_shared_new(3, &frame, &bytes), DX_OK);
    memcpy(bytes, "\x82\x01s", 3);
    for (int role = 0; role < 2; role++) {
        for (const char *at = callbacks; *at; at++) {
            for (int i = 0; i < DEED_COUNT; i++) {
                deed = (enum deed)i;
                callback = *at;
                run(role ? DX_ROLE_CLIENT : DX_ROLE_SERVER);
                run_count++;
            }
        }
    }
    dx_shared_drop(frame);
    print_message("%d deeds in callbacks\n", run_count);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_from_each),
    };

    return run_group(tests, NULL, NULL);
}
