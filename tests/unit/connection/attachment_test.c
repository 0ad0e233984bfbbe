/*
 * attachment_test.c - guests of a connection: when they are told of room and of the end, and what
 * they may do then; shared frames.
 */
#include "base/shared.h"
#include "connection/connection_parts.h"
#include "support/connection/peer_bench.h"
#include "support/failing/system.h"
#include "support/test.h"
#include "unit/connection/frames.h"

#include <string.h>
#include <unistd.h>

struct guest {
    struct dx_attachment attachment;
    struct bench *bench;
    char name;
    void (*act)(struct guest *guest);
    struct guest *other;
};

static void on_gone(struct dx_attachment *attachment, struct dx_connection *connection)
{
    struct guest *guest = (struct guest *)attachment;

    assert_ptr_equal(connection, guest->bench->connection);
    assert_null(attachment->next);
    assert_null(dx_connection_find_attachment(connection, attachment->owner));
    assert_int_equal(dx_connection_send(connection, DX_OP_TEXT, "x", 1), DX_ERR_CLOSED);
    assert_int_equal(dx_connection_attach(connection, attachment), DX_ERR_CLOSED);
    bench_note(guest->bench, "gone %c;", guest->name);
}

static void on_writable(struct dx_attachment *attachment, struct dx_connection *connection)
{
    struct guest *guest = (struct guest *)attachment;

    assert_ptr_equal(connection, guest->bench->connection);
    bench_note(guest->bench, "room %c;", guest->name);
    if (guest->act)
        guest->act(guest);
}

static struct guest guest_on(struct bench *bench, char name)
{
    return (struct guest){
        .attachment = {.owner = bench, .on_gone = on_gone, .on_writable = on_writable},
        .bench = bench,
        .name = name};
}

static void attach(struct bench *bench, struct guest *guest)
{
    assert_int_equal(dx_connection_attach(bench->connection, &guest->attachment), DX_OK);
}

static void note_end(struct dx_connection *connection, const struct dx_close_info *info)
{
    struct bench *bench = dx_connection_user(connection);

    (void)info;
    bench_note(bench, "owner gone;");
}

static void test_found_by_owner_and_told_of_the_end_first(void **unused)
{
    struct bench bench;
    struct guest a, b, c;
    int owner;

    (void)unused;
    bench_init(&bench);
    bench_open(&bench);
    bench.kind.on_gone = note_end;
    a = guest_on(&bench, 'a');
    b = guest_on(&bench, 'b');
    b.attachment.owner = &owner;
    c = guest_on(&bench, 'c');
    c.attachment.owner = &c;
    assert_null(dx_connection_find_attachment(bench.connection, &bench));
    attach(&bench, &a);
    attach(&bench, &b);
    attach(&bench, &c);
    assert_ptr_equal(dx_connection_find_attachment(bench.connection, &bench), &a);
    assert_ptr_equal(dx_connection_find_attachment(bench.connection, &owner), &b);
    dx_connection_detach(bench.connection, &c.attachment);
    dx_connection_detach(bench.connection, &c.attachment);
    assert_null(dx_connection_find_attachment(bench.connection, &c));
    assert_int_equal(dx_connection_close(bench.connection, 1000, NULL, 0), DX_OK);
    assert_int_equal(dx_connection_attach(bench.connection, &c.attachment), DX_ERR_CLOSED);
    bench_put_frame(&bench, CLOSE, CLOSE_1000, 2);
    assert_true(bench_until(&bench, bench_peer_has_ended));
    close(bench.peer);
    bench.peer = -1;
    assert_true(bench_until(&bench, bench_is_closed));
    assert_string_equal(bench.journal, "gone b;gone a;owner gone;close:1000/1000 clean;");
    bench_release(&bench);
}

static struct dx_shared *text_frame(size_t payload_len)
{
    struct dx_shared *frame;
    uint8_t *bytes;

    assert_true(payload_len > 125 && payload_len < 65536);
    assert_int_equal(dx_shared_new(payload_len + 4, &frame, &bytes), DX_OK);
    memcpy(bytes, (uint8_t[]){TEXT, 126, (uint8_t)(payload_len >> 8), (uint8_t)payload_len}, 4);
    memset(bytes + 4, 'z', payload_len);
    return frame;
}

/*
 * A short frame (copied) and a long one (named) stand between messages as they were sent, and leave
 * in one call.
 */
static void test_shared_frames_keep_their_place(void **unused)
{
    struct dx_connection_metrics counts = dx_connection_metrics_init();
    struct dx_shared *small = text_frame(200), *large = text_frame(30000);
    struct bench bench;
    size_t at = 0;

    (void)unused;
    bench_init(&bench);
    bench_open(&bench);
    bench_quiet(&bench);
    failing_system_start(0);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(dx_connection_send(bench.connection, DX_OP_TEXT, "a", 1), DX_OK);
        assert_int_equal(dx_connection_send_shared(bench.connection, small, 200), DX_OK);
        assert_int_equal(dx_connection_send_shared(bench.connection, large, 30000), DX_OK);
    }
    dx_shared_drop(small);
    dx_shared_drop(large);
    assert_true(bench_until_wire(&bench, 2 * (3 + 204 + 30004)));
    assert_int_equal(failing_system_count(CALL_SENDMSG) + failing_system_count(CALL_SEND), 1);
    failing_system_stop();
    for (int i = 0; i < 2; i++) {
        assert_memory_equal(bench.wire + at,
                            "\x81\x01"
                            "a\x81\x7e\0\xc8z",
                            8);
        assert_memory_equal(bench.wire + at + 3 + 204, "\x81\x7e\x75\x30z", 5);
        at += 3 + 204 + 30004;
    }
    dx_connection_metrics(bench.connection, &counts);
    assert_int_equal(counts.messages_out, 6);
    assert_int_equal(counts.bytes_out, 2 * (1 + 200 + 30000));
    bench_release(&bench);
}

/*
 * A block of its own for each of ten thousand subscribers would be 160 MiB: only what waits already
 * is copied behind.
 */
static void test_a_shared_frame_takes_no_block(void **unused)
{
    struct dx_shared *frame = text_frame(200);
    struct bench bench;

    (void)unused;
    bench_init(&bench);
    bench_open(&bench);
    bench_quiet(&bench);
    assert_int_equal(dx_connection_send_shared(bench.connection, frame, 200), DX_OK);
    assert_true(dx_loop_pool(bench.loop)->used_len < 100);
    bench_quiet(&bench);
    assert_int_equal(dx_connection_send(bench.connection, DX_OP_TEXT, "a", 1), DX_OK);
    assert_int_equal(dx_connection_send_shared(bench.connection, frame, 200), DX_OK);
    assert_ptr_equal(bench.connection->output.first, bench.connection->output.last);
    dx_shared_drop(frame);
    bench_release(&bench);
}

static void test_not_for_clients_nor_inside_a_message_nor_behind_a_close(void **unused)
{
    struct dx_shared *frame = text_frame(200);
    struct bench bench;
    struct guest a;

    (void)unused;
    bench_init(&bench);
    bench.role = DX_ROLE_CLIENT;
    bench_open(&bench);
    assert_int_equal(dx_connection_send_shared(bench.connection, frame, 200), DX_ERR_USAGE);
    bench_release(&bench);

    bench_init(&bench);
    bench_open(&bench);
    a = guest_on(&bench, 'a');
    attach(&bench, &a);
    assert_true(dx_connection_has_room(bench.connection));
    assert_int_equal(dx_connection_send_fragment(bench.connection, DX_OP_TEXT, "a", 1, false),
                     DX_OK);
    assert_int_equal(dx_connection_send_shared(bench.connection, frame, 200), DX_ERR_STATE);
    bench_quiet(&bench);
    assert_string_equal(bench.journal, "");
    assert_int_equal(dx_connection_send_fragment(bench.connection, DX_OP_TEXT, "b", 1, true),
                     DX_OK);
    bench_quiet(&bench);
    assert_string_equal(bench.journal, "room a;");
    assert_wire(&bench, "\x01\x01"
                        "a\x80\x01"
                        "b");
    assert_int_equal(dx_connection_close(bench.connection, 1000, NULL, 0), DX_OK);
    assert_int_equal(dx_connection_send_shared(bench.connection, frame, 200), DX_ERR_CLOSED);
    bench_quiet(&bench);
    assert_string_equal(bench.journal, "room a;");
    dx_shared_drop(frame);
    bench_release(&bench);
}

/* Fills the queue while the peer reads nothing, until there is no room for guests. */
static void fill(struct bench *bench)
{
    static uint8_t block[10000];

    bench->peer_has_ended = true;
    do {
        assert_int_equal(dx_connection_send(bench->connection, DX_OP_BINARY, block, sizeof(block)),
                         DX_OK);
        bench_turn(bench, 0);
    } while (dx_connection_has_room(bench->connection));
    bench->peer_has_ended = false;
}

static void test_room_comes_at_half_of_the_queue(void **unused)
{
    struct bench bench;
    struct guest a, b;
    size_t half;

    (void)unused;
    bench_init(&bench);
    bench.options.max_queue = 100001;
    half = bench.options.max_queue / 2;
    bench_open(&bench);
    a = guest_on(&bench, 'a');
    b = guest_on(&bench, 'b');
    b.attachment.on_writable = NULL;
    b.attachment.owner = &b;
    attach(&bench, &a);
    attach(&bench, &b);
    fill(&bench);
    assert_true(dx_connection_buffered_amount(bench.connection) >= half);
    bench.peer_has_ended = true;
    bench_turn(&bench, 1);
    assert_string_equal(bench.journal, "");
    bench.peer_has_ended = false;
    bench_quiet(&bench);
    assert_string_equal(bench.journal, "room a;");
    /* Nobody asked, so nobody is told. */
    assert_int_equal(dx_connection_send(bench.connection, DX_OP_BINARY, "x", 1), DX_OK);
    bench_quiet(&bench);
    assert_string_equal(bench.journal, "room a;");
    bench_release(&bench);
}

static void detach_both(struct guest *guest)
{
    dx_connection_detach(guest->bench->connection, &guest->attachment);
    dx_connection_detach(guest->bench->connection, &guest->other->attachment);
}

static void abort_it(struct guest *guest)
{
    dx_connection_abort(guest->bench->connection, DX_ERR_CLOSED, "by a guest");
}

static void fill_again(struct guest *guest)
{
    static uint8_t block[10000];

    while (dx_connection_has_room(guest->bench->connection))
        assert_int_equal(
            dx_connection_send(guest->bench->connection, DX_OP_BINARY, block, sizeof(block)),
            DX_OK);
    guest->act = NULL;
}

static void run_with(void (*act)(struct guest *), const char *journal)
{
    struct bench bench;
    struct guest a, b, c;

    bench_init(&bench);
    bench.options.max_queue = 100000;
    bench_open(&bench);
    a = guest_on(&bench, 'a');
    b = guest_on(&bench, 'b');
    c = guest_on(&bench, 'c');
    b.attachment.owner = &b;
    c.attachment.owner = &c;
    c.act = act;
    c.other = &b;
    attach(&bench, &a);
    attach(&bench, &b);
    attach(&bench, &c);
    fill(&bench);
    bench_quiet(&bench);
    bench_quiet(&bench);
    assert_string_equal(bench.journal, journal);
    bench_release(&bench);
}

static void test_what_a_guest_may_do(void **unused)
{
    (void)unused;
    run_with(NULL, "room c;room b;room a;");
    run_with(detach_both, "room c;room a;");
    run_with(abort_it, "room c;gone c;gone b;gone a;close:1006/0 DX_ERR_CLOSED;");
    run_with(fill_again, "room c;room b;room a;room c;room b;room a;");
}

static void fill_at_drain(struct bench *bench, char what)
{
    static uint8_t block[10000];

    while (what == 'd' && !dx_connection_is_congested(bench->connection))
        assert_int_equal(dx_connection_send(bench->connection, DX_OP_BINARY, block, sizeof(block)),
                         DX_OK);
}

static void await_room(struct guest *guest)
{
    fill_at_drain(guest->bench, 'd');
    assert_false(dx_connection_has_room(guest->bench->connection));
}

/* An owner and a guest that both take all they can get: neither starves. */
static void test_owner_and_guests_take_turns(void **unused)
{
    struct bench bench;
    struct guest a;
    int drain_count = 0, room_count = 0;

    (void)unused;
    bench_init(&bench);
    bench.options.max_queue = 100000;
    bench.act = fill_at_drain;
    bench_open(&bench);
    a = guest_on(&bench, 'a');
    a.act = await_room;
    attach(&bench, &a);
    fill_at_drain(&bench, 'd');
    await_room(&a);
    for (int i = 0; i < 400; i++)
        bench_turn(&bench, 0);
    for (const char *at = bench.journal; (at = strstr(at, "drain;")) != NULL; at++)
        drain_count++;
    for (const char *at = bench.journal; (at = strstr(at, "room a;")) != NULL; at++)
        room_count++;
    print_message("%d drains, %d times room\n", drain_count, room_count);
    assert_true(drain_count > 4 && room_count > 4);
    assert_true(drain_count <= room_count * 2 + 1 && room_count <= drain_count * 2 + 1);
    bench_release(&bench);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_found_by_owner_and_told_of_the_end_first),
        cmocka_unit_test(test_shared_frames_keep_their_place),
        cmocka_unit_test(test_a_shared_frame_takes_no_block),
        cmocka_unit_test(test_not_for_clients_nor_inside_a_message_nor_behind_a_close),
        cmocka_unit_test(test_room_comes_at_half_of_the_queue),
        cmocka_unit_test(test_what_a_guest_may_do),
        cmocka_unit_test(test_owner_and_guests_take_turns),
    };

    return run_group(tests, NULL, NULL);
}
