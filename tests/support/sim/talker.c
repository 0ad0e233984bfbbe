/*
 * talker.c - one end of a WebSocket at work.
 */
#include "support/sim/talker.h"

#include "support/sim/memory.h"
#include "support/sim/sockets.h"
#include "support/sim/topics.h"
#include "support/sim/addressed.h"

#include "connection/connection.h"

#include <stdio.h>
#include <string.h>

#define ANSWER_MS 200 /* to the peer's Close */
#define IDLE_MS 5000  /* between two deeds of one that has nothing more to say */

struct sim_manners sim_manners;

#define SIDES_MAX 32
static struct sim_side *open_sides[SIDES_MAX];

static void act(struct sim_side *side);

/* ---- sending ---- */

static bool is_right_error(const struct sim_side *side, enum dx_err err)
{
    switch (err) {
    case DX_OK:
    case DX_ERR_CLOSED:
    case DX_ERR_QUEUE_FULL:
        return true;
    case DX_ERR_STATE:
        return side->is_fragmenting;
    case DX_ERR_TOO_MANY:
        return sim_manners.is_scarce || sim_manners.is_cramped;
    case DX_ERR_NOMEM:
    case DX_ERR_SYSTEM:
        return sim_manners.is_scarce;
    default:
        return false;
    }
}

static void judge(struct sim_side *side, enum dx_err err, const char *call)
{
    if (!is_right_error(side, err))
        sim_fail("link %d, at the %s: %s says %s", side->link->number, side->name, call,
                 dx_err_name(err));
    if (err == DX_ERR_QUEUE_FULL)
        side->link->is_disturbed = true;
    if (side->connection != NULL && dx_connection_is_congested(side->connection))
        side->owes_drain = true;
}

static void on_sent(struct dx_connection *connection, enum dx_err err, void *user)
{
    struct sim_side *side = dx_connection_user(connection);

    (void)err;
    if (side->close_count > 0)
        sim_fail("link %d: a completion after on_close", side->link->number);
    if ((uint32_t)(uintptr_t)user != side->sent_told)
        sim_fail("link %d: completion %u comes before %u", side->link->number,
                 (unsigned)(uintptr_t)user, side->sent_told);
    side->sent_told++;
}

/*
 * A send that failed has sent nothing, or, where the rest of a begun frame found no memory, has
 * ended the connection.
 */
static void note_unsent(struct sim_side *side, struct sim_message message)
{
    if (side->is_fragmenting || !dx_connection_is_closing(side->connection))
        return;
    message.is_whole = false;
    sim_note_sent(side, message);
}

static void send_whole(struct sim_side *side)
{
    struct sim_message message = sim_message_draw(side->stream, sim_manners.message_max);
    const uint8_t *bytes = sim_message_bytes(&message);
    bool is_told = sim_happens(side->stream, 300);
    enum dx_err err;

    if (is_told)
        err = dx_connection_send_with(side->connection, message.opcode, bytes, message.len, on_sent,
                                      (void *)(uintptr_t)side->sent_with);
    else
        err = dx_connection_send(side->connection, message.opcode, bytes, message.len);
    judge(side, err, "dx_connection_send");
    if (err != DX_OK) {
        if (err == DX_ERR_NOMEM || err == DX_ERR_TOO_MANY)
            note_unsent(side, message);
        return;
    }
    side->sent_with += is_told;
    sim_trace("link %d, %s: sends message %zu, %u bytes", side->link->number, side->name,
              side->out.sent_count, message.len);
    sim_note_sent(side, message);
}

/* Goes on with the message in fragments, or begins one. */
static void send_fragment(struct sim_side *side)
{
    struct sim_message message = side->is_fragmenting
                                     ? *sim_last_sent(side)
                                     : sim_message_draw(side->stream, sim_manners.message_max);
    uint32_t left = message.len - (side->is_fragmenting ? side->fragment_at : 0);
    uint32_t at = message.len - left;
    uint32_t len = sim_manners.is_ending ? left : sim_below(side->stream, left + 1);
    bool is_last = len == left && (sim_manners.is_ending || sim_happens(side->stream, 700));
    enum dx_err err = dx_connection_send_fragment(side->connection, message.opcode,
                                                  sim_message_bytes(&message) + at, len, is_last);

    judge(side, err, "dx_connection_send_fragment");
    if (err != DX_OK) {
        if (err == DX_ERR_NOMEM || err == DX_ERR_TOO_MANY)
            note_unsent(side, message);
        return;
    }
    sim_trace("link %d, %s: sends %u bytes of message %zu%s", side->link->number, side->name, len,
              side->out.sent_count - side->is_fragmenting, is_last ? ", its end" : "");
    if (!side->is_fragmenting) {
        message.is_whole = false;
        sim_note_sent(side, message);
    }
    side->is_fragmenting = !is_last;
    side->fragment_at = at + len;
    sim_last_sent(side)->is_whole = is_last;
}

static void send_ping(struct sim_side *side)
{
    uint32_t number = side->ping_count + 1;
    enum dx_err err = dx_connection_ping(side->connection, &number, sizeof(number));

    judge(side, err, "dx_connection_ping");
    side->ping_count += err == DX_OK;
}

static void send_something(struct sim_side *side)
{
    if (sim_manners.heeds_congestion && dx_connection_is_congested(side->connection))
        return;
    if (side->is_fragmenting || sim_happens(side->stream, 150))
        send_fragment(side);
    else if (sim_happens(side->stream, 100))
        send_ping(side);
    else
        send_whole(side);
}

/* ---- the rest ---- */

static void close_side(struct sim_side *side)
{
    static const uint16_t codes[] = {1000, 1001, 1008, 3000, 4999, 1005};
    uint16_t code = codes[sim_below(side->stream, 6)];

    sim_trace("link %d, %s: close %u", side->link->number, side->name, code);
    if (dx_connection_close(side->connection, code, "bye", code == 1005 ? 0 : 3) != DX_OK)
        sim_fail("link %d: a good code is refused", side->link->number);
}

static void abort_side(struct sim_side *side)
{
    sim_trace("link %d, %s: abort", side->link->number, side->name);
    side->has_aborted = true;
    side->link->is_disturbed = true;
    dx_connection_abort(side->connection, DX_ERR_CLOSED, "the application has had enough");
}

static void resume(struct sim_side *side)
{
    sim_trace("link %d, %s: resumes", side->link->number, side->name);
    side->is_paused = false;
    side->patient_us = sim_now_us();
    dx_connection_resume(side->connection);
}

static void set_timer(struct sim_side *side, int max_ms)
{
    dx_loop_timer_set(side->timer, sim_magnitude(side->stream, 0, (uint32_t)max_ms));
}

static void pause(struct sim_side *side)
{
    sim_trace("link %d, %s: pauses", side->link->number, side->name);
    side->is_paused = true;
    side->patient_us = SIM_NEVER;
    dx_connection_pause(side->connection);
    if (side->timer != NULL)
        set_timer(side, sim_manners.pause_max_ms);
}

static void end(struct sim_side *side)
{
    if (side->is_fragmenting && sim_happens(side->stream, 800))
        send_fragment(side);
    if (side->stream == SIM_CLIENT || side->asked_to_close ||
        sim_happens(side->stream, sim_manners.servers_close))
        close_side(side);
}

static void act(struct sim_side *side)
{
    if (sim_happens(side->stream, sim_manners.aborts)) {
        abort_side(side);
    } else if (side->asked_to_close || sim_happens(side->stream, sim_manners.closes)) {
        close_side(side);
    } else if (!side->is_paused && sim_happens(side->stream, sim_manners.pauses)) {
        pause(side);
    } else {
        uint32_t count = sim_magnitude(side->stream, 0, 6);

        sim_topics_act(side);
        sim_addressed_act(side);
        /* What is begun goes on, or a deadline would end it. */
        for (; count > 0 && (side->wishes > 0 || side->is_fragmenting); count--) {
            side->wishes -= side->wishes > 0;
            send_something(side);
        }
    }
}

static void on_due(void *user)
{
    struct sim_side *side = user;

    if (side->connection == NULL)
        return;
    /* A server's end may wait for long until its peer has gone. */
    if (side->wishes == 0 || (sim_manners.is_ending && side->stream == SIM_SERVER))
        side->delay_max_ms = IDLE_MS;
    if (side->is_paused)
        resume(side);
    else if (sim_manners.is_ending)
        end(side);
    else
        act(side);
    set_timer(side, side->is_paused ? sim_manners.pause_max_ms : side->delay_max_ms);
}

/* ---- handlers ---- */

static struct sim_side *side_of(const struct dx_connection *connection, void *user)
{
    struct sim_side *side = user;

    if (user != dx_connection_user(connection))
        sim_fail("link %d: a callback with another user", side->link->number);
    if (side->close_count > 0)
        sim_fail("link %d: a callback after on_close", side->link->number);
    if (side->connection != NULL && side->connection != connection)
        sim_fail("link %d: a callback of another connection", side->link->number);
    return side;
}

/* Inside of one connection's callback others are aborted and closed. */
static void meddle(struct sim_side *side)
{
    struct sim_side *other = open_sides[sim_below(side->stream, SIDES_MAX)];

    if (other == NULL || other->connection == NULL || other->has_aborted ||
        dx_connection_loop(other->connection) != dx_connection_loop(side->connection))
        return;
    if (sim_happens(side->stream, sim_manners.aborts * 20u))
        abort_side(other);
    else if (sim_happens(side->stream, sim_manners.closes))
        close_side(other);
    else
        send_something(other);
}

static void note_open(struct sim_side *side)
{
    for (int i = 0; i < SIDES_MAX; i++)
        if (open_sides[i] == NULL) {
            open_sides[i] = side;
            return;
        }
}

static void note_gone(const struct sim_side *side)
{
    for (int i = 0; i < SIDES_MAX; i++)
        if (open_sides[i] == side)
            open_sides[i] = NULL;
}

void sim_talkers_begin(void)
{
    memset(open_sides, 0, sizeof(open_sides));
}

/* Inside of a callback everything is allowed, too. */
static void react(struct sim_side *side)
{
    if (sim_manners.end_now != NULL && side->stream == SIM_SERVER) {
        void (*call)(void *user) = sim_manners.end_now;

        sim_manners.end_now = NULL;
        call(NULL);
    }
    if (side->connection != NULL && sim_happens(side->stream, 100))
        meddle(side);
    if (side->connection == NULL || side->has_aborted || !sim_happens(side->stream, 250))
        return;
    if (side->is_paused && sim_happens(side->stream, 500))
        resume(side);
    else
        act(side);
}

static void on_message(struct dx_connection *connection, enum dx_opcode opcode, uint8_t *data,
                       size_t len, void *user)
{
    struct sim_side *side = side_of(connection, user);

    if (side->has_aborted)
        sim_fail("link %d: a message after an abort", side->link->number);
    if (side->is_paused)
        sim_fail("link %d, at the %s: a message during a pause", side->link->number, side->name);
    if (!side->link->is_hostile && !sim_topics_take(side, opcode, data, len))
        sim_check_message(side, opcode, data, len);
    /* It may be changed: nothing of it may be needed afterwards. */
    memset(data, 0x55, len);
    react(side);
}

static void on_chunk(struct dx_connection *connection, enum dx_opcode opcode, uint8_t *data,
                     size_t len, bool is_first, bool is_last, void *user)
{
    struct sim_side *side = side_of(connection, user);

    if (side->has_aborted || side->is_paused)
        sim_fail("link %d, at the %s: a chunk after an abort or during a pause", side->link->number,
                 side->name);
    if (!side->link->is_hostile)
        sim_check_chunk(side, opcode, data, len, is_first, is_last);
    memset(data, 0x55, len);
    react(side);
}

static void on_peer_close(struct dx_connection *connection, uint16_t code, const char *reason,
                          size_t reason_len, void *user)
{
    struct sim_side *side = side_of(connection, user);

    (void)reason;
    sim_trace("link %d, %s: the peer's Close, %u", side->link->number, side->name, code);
    if (side->asked_to_close)
        sim_fail("link %d: on_peer_close again", side->link->number);
    if (!side->link->is_hostile && (code == DX_CLOSE_NO_STATUS) != (reason_len == 0) &&
        code != DX_CLOSE_GOING_AWAY && code < 3000 && code != 1008 && code != 1000)
        sim_fail("link %d: code %u with a reason of %zu bytes", side->link->number, code,
                 reason_len);
    side->asked_to_close = true;
    if (side->timer != NULL)
        set_timer(side, ANSWER_MS);
    if (sim_happens(side->stream, 300))
        close_side(side);
}

static void on_drain(struct dx_connection *connection, void *user)
{
    struct sim_side *side = side_of(connection, user);

    if (!side->owes_drain && sim_manners.topics == NULL && !sim_manners.is_addressed)
        sim_fail("link %d, at the %s: on_drain without congestion", side->link->number, side->name);
    side->owes_drain = false;
    react(side);
}

static void on_pong(struct dx_connection *connection, const uint8_t *data, size_t len, void *user)
{
    struct sim_side *side = side_of(connection, user);
    uint32_t number = 0;

    if (len == 0 || side->link->is_hostile)
        return;
    if (len == sizeof(number))
        memcpy(&number, data, len);
    if (number <= side->pong_count || number > side->ping_count)
        sim_fail("link %d, at the %s: a pong that answers nothing", side->link->number, side->name);
    side->pong_count = number;
    react(side);
}

static void on_hang_up(struct dx_connection *connection, void *user)
{
    struct sim_side *side = side_of(connection, user);

    if (side->hung_up || !side->is_paused)
        sim_fail("link %d, at the %s: on_hang_up again, or not during a pause", side->link->number,
                 side->name);
    side->hung_up = true;
    react(side);
}

static void on_close(struct dx_connection *connection, const struct dx_close_info *info, void *user)
{
    struct sim_side *side = side_of(connection, user);

    struct dx_connection_metrics counts = dx_connection_metrics_init();

    dx_connection_metrics(connection, &counts);
    sim_check_close(side, info, &counts);
    note_gone(side);
    dx_loop_timer_free(side->timer);
    side->timer = NULL;
}

/* Of every set. */
#define HANDLERS                                                                                   \
 .size = sizeof(struct dx_connection_handlers), .on_drain = on_drain, .on_pong = on_pong,          \
 .on_hang_up = on_hang_up, .on_close = on_close

const struct dx_connection_handlers *sim_talker_handlers(enum sim_stream stream)
{
    static const struct dx_connection_handlers sets[] = {
        {.on_message = on_message, HANDLERS},
        {.on_message = on_message, .on_peer_close = on_peer_close, HANDLERS},
        {.on_chunk = on_chunk, HANDLERS},
        {.on_chunk = on_chunk, .on_peer_close = on_peer_close, HANDLERS},
    };

    /*
     * A client that may get what is published takes whole messages: the oracle knows them by their
     * first byte.
     */
    if (stream == SIM_CLIENT && (sim_manners.topics != NULL || sim_manners.is_addressed))
        return &sets[sim_below(stream, 2)];
    return &sets[sim_below(stream, 4)];
}

void sim_talker_open(struct sim_side *side, struct dx_connection *connection)
{
    sim_counts.connections++;
    side->was_open = true;
    side->patient_us = sim_now_us();
    side->connection = connection;
    side->delay_max_ms = (int)sim_magnitude(side->stream, 1, 500);
    side->wishes = sim_magnitude(side->stream, 0, 250);
    dx_connection_set_user(connection, side);
    sim_trace("link %d, %s: open", side->link->number, side->name);
    sim_memory_hold();
    if (dx_loop_timer_new(dx_connection_loop(connection), on_due, side, &side->timer) != DX_OK)
        sim_fail("the machine itself has no memory");
    sim_memory_let_go();
    set_timer(side, side->delay_max_ms);
    note_open(side);
    react(side);
}
