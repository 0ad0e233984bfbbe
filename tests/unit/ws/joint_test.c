/*
 * joint_test.c - a client and a server, joined in memory: what one is told to send, the other sees,
 * in whatever pieces it travels, and with each allocation failing.
 */
#include "support/failing/allocator.h"
#include "support/test.h"
#include "support/ws/journal.h"
#include "ws/endpoint_internal.h"

#include <stdlib.h>
#include <string.h>

enum action { END, SEND, PART, LAST, PING, PONG, CLOSE, TRAVEL, BLOCK, UNBLOCK };

/* What the active side does; `text` in place of bytes, `len` bytes of filler when it is NULL. */
struct step {
    enum action action;
    enum dx_opcode opcode;
    const char *text;
    size_t len;
    uint16_t code;
    bool is_reply; /* the other side does it */
};

#define STEPS_MAX 10

static const struct script {
    const char *name;
    struct step steps[STEPS_MAX];
    const char *seen;  /* by the passive side */
    const char *reply; /* seen by the active side */
} scripts[] = {
    {"a text", {{SEND, DX_OP_TEXT, "Hello", 5, 0, false}}, "[1:Hello]", ""},
    {"both ways",
     {{SEND, DX_OP_TEXT, "Hello", 5, 0, false},
      {SEND, DX_OP_BINARY, "\1\2", 2, 0, true},
      {SEND, DX_OP_BINARY, "", 0, 0, false}},
     "[1:Hello] [2:]",
     "[2:\\x01\\x02]"},
    {"fragments with a ping between",
     {{PART, DX_OP_TEXT, "He", 2, 0, false},
      {PING, 0, "p", 1, 0, false},
      {PART, DX_OP_TEXT, "", 0, 0, false},
      {LAST, DX_OP_TEXT, "llo", 3, 0, false}},
     "[1:He ping(p) llo]",
     "pong(p)"},
    {"every length form",
     {{SEND, DX_OP_BINARY, NULL, 125, 0, false},
      {SEND, DX_OP_BINARY, NULL, 126, 0, false},
      {SEND, DX_OP_BINARY, NULL, 65535, 0, false},
      {SEND, DX_OP_BINARY, NULL, 65536, 0, false}},
     "[2:<125 bytes da11c72f>] [2:<126 bytes 78fc8efd>] [2:<65535 bytes 71c3da47>] "
     "[2:<65536 bytes 5e509dc5>]",
     ""},
    {"a Close and its answer",
     {{SEND, DX_OP_TEXT, "last", 4, 0, false}, {CLOSE, 0, "bye", 3, 4000, false}},
     "[1:last] close(4000 bye)",
     "close(4000)"},
    {"a Close without a code", {{CLOSE, 0, "", 0, 1005, false}}, "close()", "close()"},
    {"both close at once",
     {{CLOSE, 0, "one", 3, 1001, false}, {CLOSE, 0, "two", 3, 1000, true}},
     "close(1001 one)",
     "close(1000 two)"},
    {"data on its way while the other closes",
     {{SEND, DX_OP_TEXT, "late", 4, 0, true}, {CLOSE, 0, "", 0, 1000, false}},
     "close(1000)",
     "[1:late] close(1000)"},
    {"a Close inside a message",
     {{PART, DX_OP_TEXT, "begun", 5, 0, false}, {CLOSE, 0, "", 0, 1001, false}},
     "[1:begun close(1001)",
     "close(1001)"},
    {"pings to one who is blocked",
     {{BLOCK, 0, NULL, 0, 0, true},
      {PING, 0, "1", 1, 0, false},
      {PING, 0, "2", 1, 0, false},
      {TRAVEL, 0, NULL, 0, 0, false},
      {UNBLOCK, 0, NULL, 0, 0, true},
      {PING, 0, "3", 1, 0, false}},
     "ping(1) ping(2) ping(3)",
     "pong(2) pong(3)"},
    {"an unsolicited pong", {{PONG, 0, "beat", 4, 0, false}}, "pong(beat)", ""},
};

struct side {
    struct dx_endpoint_config config;
    struct dx_output output;
    struct dx_endpoint endpoint;
    struct journal journal;
    bool is_out_of_memory;
};

struct joint {
    struct dx_pool pool;
    struct side sides[2]; /* active, passive */
    size_t piece;         /* bytes that travel at once */
};

static bool fill_key(uint8_t *bytes, size_t len, void *context)
{
    uint8_t *counter = context;

    for (size_t i = 0; i < len; i++)
        bytes[i] = *counter += 77;
    return true;
}

static void side_init(struct side *side, struct dx_pool *pool, enum dx_role role, uint8_t *counter)
{
    side->config = (struct dx_endpoint_config){
        .role = role,
        .max_message = 65536,
        .max_fragments = 10,
        .fill_random = fill_key,
        .random_user = counter,
    };
    dx_output_init(&side->output, pool);
    dx_endpoint_init(&side->endpoint, &side->config, &side->output);
}

static void note(struct side *side, const struct dx_event *event)
{
    failing_allocator_pause(true);
    journal_event(&side->journal, event);
    failing_allocator_pause(false);
}

static void did(struct side *side, enum dx_err err)
{
    if (err == DX_ERR_NOMEM)
        side->is_out_of_memory = true;
    else if (err != DX_ERR_CLOSED)
        assert_int_equal(err, DX_OK);
}

static void pull(struct side *side)
{
    struct dx_event event;

    while (dx_endpoint_next(&side->endpoint, &event) != DX_EVENT_NONE) {
        note(side, &event);
        if (event.type == DX_EVENT_CLOSE)
            did(side, dx_endpoint_close(&side->endpoint, event.code, NULL, 0));
        if (event.type == DX_EVENT_FAIL) {
            assert_int_equal(event.err, DX_ERR_NOMEM);
            side->is_out_of_memory = true;
        }
    }
}

static bool travel_once(struct side *from, struct side *to, size_t piece)
{
    static uint8_t buffer[65536];
    struct dx_slice slice;

    if (dx_output_peek(&from->output, &slice, 1) == 0)
        return false;
    if (slice.len > piece)
        slice.len = piece;
    memcpy(buffer, slice.data, slice.len);
    dx_output_consume(&from->output, slice.len);
    dx_endpoint_feed(&to->endpoint, buffer, slice.len);
    pull(to);
    return true;
}

static void travel(struct joint *joint)
{
    bool has_moved;

    do {
        has_moved = travel_once(&joint->sides[0], &joint->sides[1], joint->piece);
        has_moved |= travel_once(&joint->sides[1], &joint->sides[0], joint->piece);
    } while (has_moved);
}

static void act(struct joint *joint, const struct step *step)
{
    static const uint8_t filler[65536];
    struct side *side = &joint->sides[step->is_reply];
    struct dx_endpoint *endpoint = &side->endpoint;
    const void *data = step->text != NULL ? (const void *)step->text : filler;

    switch (step->action) {
    case SEND:
        did(side, dx_endpoint_send(endpoint, step->opcode, data, step->len));
        break;
    case PART:
    case LAST:
        did(side, dx_endpoint_send_fragment(endpoint, step->opcode, data, step->len,
                                            step->action == LAST));
        break;
    case PING:
        did(side, dx_endpoint_ping(endpoint, data, step->len));
        break;
    case PONG:
        did(side, dx_endpoint_pong(endpoint, data, step->len));
        break;
    case CLOSE:
        did(side, dx_endpoint_close(endpoint, step->code, step->text, step->len));
        break;
    case BLOCK:
    case UNBLOCK:
        dx_endpoint_set_blocked(endpoint, step->action == BLOCK);
        side->is_out_of_memory |=
            step->action == UNBLOCK && dx_endpoint_aside(endpoint, ASIDE_PONG) != NULL;
        break;
    case TRAVEL:
        travel(joint);
        break;
    case END:
        break;
    }
}

static void check_journals(struct joint *joint, const struct script *script)
{
    const char *seen = journal_text(&joint->sides[1].journal);
    const char *reply = journal_text(&joint->sides[0].journal);

    if (joint->sides[0].is_out_of_memory || joint->sides[1].is_out_of_memory)
        return; /* said so, and only so */
    if (strcmp(seen, script->seen) != 0 || strcmp(reply, script->reply) != 0)
        fail_msg("%s, pieces of %zu\n  got:    %s | %s\n  wanted: %s | %s", script->name,
                 joint->piece, seen, reply, script->seen, script->reply);
}

/* Returns whether an allocation was failed. */
static bool run(const struct script *script, enum dx_role active, size_t piece, size_t nth)
{
    struct joint joint = {.piece = piece};
    uint8_t counter = 0;
    bool has_failed;

    failing_allocator_start(nth);
    dx_pool_init(&joint.pool, 0, 64 << 20);
    side_init(&joint.sides[0], &joint.pool, active, &counter);
    side_init(&joint.sides[1], &joint.pool,
              active == DX_ROLE_CLIENT ? DX_ROLE_SERVER : DX_ROLE_CLIENT, &counter);
    for (size_t i = 0; i < STEPS_MAX && script->steps[i].action != END; i++)
        act(&joint, &script->steps[i]);
    travel(&joint);
    for (size_t i = 0; i < 2; i++) {
        dx_endpoint_release(&joint.sides[i].endpoint);
        dx_output_clear(&joint.sides[i].output);
    }
    dx_pool_release(&joint.pool);
    has_failed = failing_allocator_stop();
    assert_int_equal(failing_allocator_live(), 0);
    assert_int_equal(joint.pool.used_len, 0);
    check_journals(&joint, script);
    journal_release(&joint.sides[0].journal);
    journal_release(&joint.sides[1].journal);
    return has_failed;
}

static void every_script(void **state)
{
    static const size_t pieces[] = {1, 2, 3, 5, 7, 14, 100, 1000, 65536};
    unsigned run_count = 0, failure_count = 0;

    (void)state;
    for (size_t i = 0; i < sizeof(scripts) / sizeof(scripts[0]); i++) {
        for (int active = 0; active < 2; active++) {
            for (size_t piece = 0; piece < sizeof(pieces) / sizeof(pieces[0]); piece++) {
                run(&scripts[i], (enum dx_role)active, pieces[piece], 0);
                run_count++;
            }
            for (size_t nth = 1; run(&scripts[i], (enum dx_role)active, 3, nth); nth++)
                failure_count++;
        }
    }
    print_message("joint: %u runs, %u allocations failed\n", run_count, failure_count);
    print_message("injected %u failures\n", failure_count);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_script),
    };

    return run_group(tests, NULL, NULL);
}
