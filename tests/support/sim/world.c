/*
 * world.c - draws a world from its seed, runs its loops turn by turn, ends it, and looks whether
 * anything is left.
 */
#include "support/sim/world.h"

#include "support/sim/addressed.h"
#include "support/sim/memory.h"
#include "support/sim/raw.h"
#include "support/sim/service.h"
#include "support/sim/talker.h"
#include "support/sim/topics.h"
#include "support/sim/uv.h"

#include <string.h>

#define LINKS_MAX 8
#define RAWS_MAX 4
#define LOOPS_MAX 4
#define PIECES_MAX 64
#define TURNS_MAX 1000000 /* a world with more of them has a loop that spins */

struct world {
    struct dx_loop *loops[LOOPS_MAX]; /* the server's first */
    uv_loop_t *uvs[LOOPS_MAX];
    int loop_count;
    struct dx_server_options options;
    struct dx_connection_options server_connection;
    struct dx_connection_kind kinds[LOOPS_MAX]; /* of each loop's clients */
    struct dx_server *server;
    struct sim_link links[LINKS_MAX];
    struct sim_client clients[LINKS_MAX];
    int link_count;
    struct sim_raw raws[RAWS_MAX];
    int raw_count;
    bool is_gentle; /* nothing happens that excuses an unclean end */
    bool is_freed_early;
    bool is_closed_early;
    bool has_ended; /* dx_server_close has called back */
    uint64_t patience_us;
    uint64_t turns;
};

static struct world world;

static void must(enum dx_err err, const char *what)
{
    if (err != DX_OK)
        sim_fail("%s: %s", what, dx_err_name(err));
}

/* ---- drawing it ---- */

static struct sim_weather draw_weather(void)
{
    struct sim_weather weather = {.is_remote = sim_happens(SIM_NET, 500)};

    if (world.is_gentle) {
        weather.window = sim_between(SIM_NET, 8192, 131072);
        weather.capacity = weather.window + sim_between(SIM_NET, 8192, 131072);
        weather.latency_us = sim_magnitude(SIM_NET, 1, 20000);
        weather.jitter_us = sim_magnitude(SIM_NET, 0, 20000);
        weather.segment_len = sim_magnitude(SIM_NET, 1000, 65536);
    } else {
        /*
         * So many pieces at most, or a large message through a narrow wire would take all the time.
         */
        uint32_t least = 1 + sim_manners.message_max / PIECES_MAX;

        weather.window = sim_magnitude(SIM_NET, least, 131072);
        weather.capacity = weather.window + sim_magnitude(SIM_NET, least, 131072);
        weather.latency_us = sim_magnitude(SIM_NET, 1, 500000);
        weather.jitter_us = sim_magnitude(SIM_NET, 0, 500000);
        weather.segment_len = sim_magnitude(SIM_NET, 1, 65536);
    }
    weather.short_writes = (uint16_t)sim_magnitude(SIM_NET, 0, 500);
    weather.short_reads = (uint16_t)sim_magnitude(SIM_NET, 0, 500);
    weather.interrupts = (uint16_t)sim_magnitude(SIM_NET, 0, 100);
    weather.failures = sim_manners.is_scarce ? (uint16_t)sim_magnitude(SIM_NET, 0, 5) : 0;
    return weather;
}

static void draw_troubles(void)
{
    struct sim_troubles *troubles = sim_troubles();

    troubles->spurious = (uint16_t)sim_magnitude(SIM_SYSTEM, 0, 100);
    troubles->late = (uint16_t)sim_magnitude(SIM_SYSTEM, 0, 300);
    if (world.is_gentle)
        return;
    troubles->refusals = (uint16_t)sim_magnitude(SIM_SYSTEM, 0, 100);
    troubles->aborted = (uint16_t)sim_magnitude(SIM_SYSTEM, 0, 100);
    if (sim_manners.is_scarce)
        troubles->failures = (uint16_t)sim_magnitude(SIM_SYSTEM, 0, 20);
    if (sim_happens(SIM_SYSTEM, 150)) {
        troubles->hungry_us = sim_now_us() + sim_magnitude(SIM_SYSTEM, 0, 2000000);
        troubles->fed_us = troubles->hungry_us + sim_magnitude(SIM_SYSTEM, 0, 20000000);
    }
}

static void draw_manners(void)
{
    sim_manners = (struct sim_manners){
        .message_max = sim_magnitude(SIM_SERVER, 0, SIM_MESSAGE_MAX),
        .aborts = world.is_gentle ? 0 : (uint16_t)sim_magnitude(SIM_SERVER, 0, 30),
        .closes = (uint16_t)sim_magnitude(SIM_SERVER, 0, 50),
        .pauses = (uint16_t)sim_magnitude(SIM_SERVER, 0, 200),
        .servers_close = sim_happens(SIM_SERVER, 500) ? 300 : 0,
        .pause_max_ms = world.is_gentle ? 300 : (int)sim_magnitude(SIM_SERVER, 1, 20000),
        .heeds_congestion = world.is_gentle || sim_happens(SIM_SERVER, 900),
        .is_scarce = !world.is_gentle && sim_happens(SIM_SERVER, 250),
        .is_cramped = !world.is_gentle && sim_happens(SIM_SERVER, 50),
    };
}

static struct dx_connection_options draw_options(enum sim_stream stream)
{
    struct dx_connection_options options = dx_connection_options_init();

    options.max_queue = sim_magnitude(stream, 1024, 1048576);
    if (world.is_gentle)
        return options;
    options.message_timeout_ms = sim_magnitude(stream, 500, 60000);
    options.write_timeout_ms = sim_magnitude(stream, 500, 30000);
    options.close_timeout_ms = sim_magnitude(stream, 100, 5000);
    options.ping_interval_ms = sim_happens(stream, 200) ? 0 : sim_magnitude(stream, 100, 30000);
    options.pong_timeout_ms = sim_magnitude(stream, 100, 30000);
    return options;
}

/* Longer than all deadlines of a connection together may take. */
static uint64_t patience_of(const struct dx_connection_options *options)
{
    uint64_t writes = options->max_queue / 4096 + SIM_MESSAGE_MAX / 16384 + 8;

    return UINT64_C(1000) *
           (options->message_timeout_ms + writes * options->write_timeout_ms +
            options->close_timeout_ms * 3 + options->ping_interval_ms + options->pong_timeout_ms);
}

static void make_loops(void)
{
    world.loop_count = 1 + (int)sim_below(SIM_CLIENT, LOOPS_MAX);
    for (int i = 0; i < world.loop_count; i++) {
        struct dx_connection_options options = draw_options(SIM_CLIENT);

        must(dx_loop_new(&world.loops[i]), "dx_loop_new");
        world.uvs[i] = sim_uv_loop(i);
        dx_connection_kind_init(&world.kinds[i], DX_ROLE_CLIENT, &options);
        world.kinds[i].endpoint.random_user = world.loops[i];
        world.patience_us += patience_of(&options);
    }
}

static void make_server(void)
{
    world.options = dx_server_options_init();
    world.server_connection = draw_options(SIM_SERVER);
    world.options.connection = &world.server_connection;
    world.options.handshake_timeout_ms =
        world.is_gentle ? 60000 : sim_magnitude(SIM_SERVER, 500, 10000);
    world.options.max_connections = sim_happens(SIM_SERVER, 50) && !world.is_gentle ? 3 : 100;
    if (sim_manners.is_cramped)
        world.options.max_memory = sim_magnitude(SIM_SERVER, 100000, 2000000);
    world.patience_us +=
        patience_of(&world.server_connection) + UINT64_C(1000) * world.options.handshake_timeout_ms;
    world.server = sim_service_new(world.loops[0], &world.options, world.links, world.link_count);
    if (world.server == NULL && !sim_manners.is_scarce && !sim_troubles()->fed_us)
        sim_fail("no server is made");
}

static void make_topics(void)
{
    struct dx_topics_options options = dx_topics_options_init();

    sim_topics_begin();
    if (!sim_happens(SIM_SERVER, 400))
        return;
    if (!world.is_gentle) {
        options.slow_policy = (enum dx_slow_policy)sim_below(SIM_SERVER, 3);
        options.max_pending = sim_magnitude(SIM_SERVER, 1000, 1000000);
    }
    if (dx_topics_new(&options, &sim_manners.topics) != DX_OK)
        sim_manners.topics = NULL;
}

static void draw_fate(struct sim_client *client)
{
    client->cut_after_us = SIM_NEVER;
    client->cut_byte_count = SIM_NEVER;
    if (world.is_gentle || sim_happens(SIM_NET, 500))
        return;
    client->link->is_disturbed = true;
    client->cut = (enum sim_cut)(SIM_CUT_RESET + sim_below(SIM_NET, 3));
    if (sim_happens(SIM_NET, 500))
        client->cut_after_us = sim_magnitude(SIM_NET, 0, 5000000);
    else
        client->cut_byte_count = sim_magnitude(SIM_NET, 1, 500000);
    if (sim_happens(SIM_NET, 300))
        client->stall_us = sim_magnitude(SIM_NET, 1000, 90000000);
}

static void make_clients(void)
{
    static const char *const modes[] = {"now", "now", "now", "later", "refused"};

    for (int i = 0; i < world.link_count; i++) {
        struct sim_client *client = &world.clients[i];
        int loop = (int)sim_below(SIM_CLIENT, (uint32_t)world.loop_count);

        client->link = &world.links[i];
        client->loop = world.loops[loop];
        client->kind = &world.kinds[loop];
        client->link->client.options = &client->kind->options;
        client->link->server.options = &world.server_connection;
        client->weather = draw_weather();
        client->link->capacity = client->weather.capacity;
        client->is_ipv6 = sim_happens(SIM_NET, 300);
        draw_fate(client);
        sim_client_start(client, modes[sim_below(SIM_CLIENT, 5)],
                         sim_magnitude(SIM_CLIENT, 0, 1000));
    }
    world.raw_count = (int)sim_magnitude(SIM_CLIENT, 0, RAWS_MAX);
    for (int i = 0; i < world.raw_count; i++) {
        struct sim_raw *raw = &world.raws[i];

        raw->number = i;
        raw->loop = world.loops[sim_below(SIM_CLIENT, (uint32_t)world.loop_count)];
        raw->weather = draw_weather();
        sim_raw_start(raw, sim_happens(SIM_CLIENT, 600), sim_magnitude(SIM_CLIENT, 0, 1000));
    }
}

static void make(void)
{
    memset(&world, 0, sizeof(world));
    world.is_gentle = sim_happens(SIM_NET, 350);
    draw_manners();
    world.patience_us = 500000000;
    make_loops();
    draw_troubles();
    world.link_count = 1 + (int)sim_below(SIM_CLIENT, LINKS_MAX);
    for (int i = 0; i < world.link_count; i++)
        sim_link_init(&world.links[i], i);
    /* Seldom from the first allocation on: most of these worlds would not begin. */
    if (sim_manners.is_scarce && sim_happens(SIM_MEMORY, 100))
        sim_memory_fail(sim_magnitude(SIM_MEMORY, 5, 1000));
    sim_talkers_begin();
    sim_addressed_begin();
    make_topics();
    make_server();
    sim_manners.server = world.server;
    sim_manners.is_addressed = sim_happens(SIM_SERVER, 400);
    if (sim_manners.is_scarce)
        sim_memory_fail(sim_magnitude(SIM_MEMORY, 5, 1000));
    make_clients();
    sim_trace("%d loops, %d links, %d raw%s%s%s", world.loop_count, world.link_count,
              world.raw_count, world.is_gentle ? ", gentle" : "",
              sim_manners.is_scarce ? ", scarce" : "",
              sim_manners.topics != NULL ? ", topics" : "");
}

/* ---- running it ---- */

static void advance(uint64_t limit_us)
{
    uint64_t next_us = sim_sockets_next_us();

    for (int i = 0; i < world.loop_count; i++) {
        int timeout_ms = dx_loop_timeout_ms(world.loops[i]);
        uint64_t due_us = (sim_now_us() / 1000 + (uint64_t)timeout_ms) * 1000;

        if (timeout_ms >= 0 && due_us < next_us)
            next_us = due_us;
    }
    sim_advance_to(next_us < limit_us ? next_us : limit_us);
}

/* A turn of one of the loops that have something to do, or the clock moves on. */
static void step(uint64_t limit_us)
{
    struct dx_loop *ready[LOOPS_MAX];
    uint32_t count = 0;

    for (int i = 0; i < world.loop_count; i++)
        if (sim_uv_is_ready(world.uvs[i]) || dx_loop_timeout_ms(world.loops[i]) == 0 ||
            sim_happens(SIM_SYSTEM, 1))
            ready[count++] = world.loops[i];
    if (count == 0) {
        advance(limit_us);
        return;
    }
    must(dx_loop_dispatch(ready[sim_below(SIM_SYSTEM, count)]), "dx_loop_dispatch");
    /* Work takes time. */
    sim_advance_to(sim_now_us() + sim_below(SIM_SYSTEM, 20));
    if (++world.turns > TURNS_MAX)
        sim_fail("a loop spins");
}

/* Runs until `is_done` or the moment comes; tells which. */
static bool run(bool (*is_done)(void), uint64_t limit_us)
{
    while (!is_done()) {
        if (sim_now_us() >= limit_us)
            return false;
        step(limit_us);
    }
    return true;
}

static bool never(void)
{
    return false;
}

static bool are_clients_gone(void)
{
    for (int i = 0; i < world.link_count; i++)
        if (!world.clients[i].is_done || world.links[i].client.connection != NULL)
            return false;
    for (int i = 0; i < world.raw_count; i++)
        if (!world.raws[i].is_done)
            return false;
    return true;
}

static bool are_all_gone(void)
{
    return are_clients_gone() &&
           (world.server == NULL || dx_server_connection_count(world.server) == 0);
}

static bool has_ended(void)
{
    return world.has_ended;
}

/* ---- ending it ---- */

static void on_ended(void *user)
{
    (void)user;
    if (world.has_ended)
        sim_fail("dx_server_close calls back again");
    world.has_ended = true;
    sim_trace("the server has ended");
}

/* Calls are made in a turn, as an application's are: between turns the loop's time stands still. */
static void post(void (*call)(void *user))
{
    sim_memory_hold();
    must(dx_loop_post(world.loops[0], call, NULL), "dx_loop_post");
    sim_memory_let_go();
}

static void close_server(void *user)
{
    uint32_t drain_ms = sim_magnitude(SIM_SERVER, 0, 3000);

    (void)user;
    sim_trace("dx_server_close, %u ms", drain_ms);
    dx_server_close(world.server, drain_ms, on_ended, NULL);
}

static void free_server(void *user)
{
    (void)user;
    sim_trace("dx_server_free");
    dx_server_free(world.server);
    world.server = NULL;
    sim_manners.server = NULL;
}

/* From outside of all callbacks, or from inside one. */
static void call_once(void (*call)(void *user))
{
    if (sim_happens(SIM_SERVER, 500))
        sim_manners.end_now = call;
    else
        post(call);
}

static bool has_no_server(void)
{
    return world.server == NULL;
}

static void end_early(void)
{
    if (world.server == NULL)
        return;
    if (sim_happens(SIM_SERVER, world.is_gentle ? 0 : 100)) {
        world.is_freed_early = true;
        call_once(free_server);
    } else if (sim_happens(SIM_SERVER, 150)) {
        world.is_closed_early = true;
        call_once(close_server);
    }
}

static void end_server(void)
{
    if (world.server == NULL)
        return;
    if (sim_manners.end_now != NULL) {
        post(sim_manners.end_now);
        sim_manners.end_now = NULL;
        world.is_closed_early = !world.is_freed_early;
    }
    if (world.is_freed_early) {
        (void)run(has_no_server, sim_now_us() + 1000000);
        return;
    }
    if (!world.is_closed_early && sim_happens(SIM_SERVER, 800))
        post(close_server);
    else if (!world.is_closed_early)
        world.has_ended = true; /* freed as it is */
    if (!run(has_ended, sim_now_us() + world.patience_us))
        sim_fail("dx_server_close does not end");
    if (sim_happens(SIM_SERVER, 500)) {
        free_server(NULL);
    } else {
        post(free_server);
        (void)run(has_no_server, sim_now_us() + 1000000);
    }
}

static void name_those_left(void)
{
    for (int i = 0; i < world.link_count; i++) {
        const struct sim_link *link = &world.links[i];

        if (link->client.connection != NULL)
            sim_fail("link %d: the client's end does not end", i);
        if (!world.clients[i].is_done)
            sim_fail("link %d: the client's handshake does not end", i);
        if (link->server.connection != NULL)
            sim_fail("link %d: the server's end does not end", i);
    }
    sim_fail("something does not end");
}

static void live(void)
{
    bool pings = world.server_connection.ping_interval_ms > 0;

    /* Now and then for long: so that deadlines end what nobody else does. */
    (void)run(never,
              sim_now_us() + sim_magnitude(SIM_SERVER, 1000,
                                           sim_happens(SIM_SERVER, 300) ? 300000000 : 5000000));
    end_early();
    (void)run(never, sim_now_us() + sim_magnitude(SIM_SERVER, 1000, 5000000));
    sim_trace("everybody shall end");
    sim_manners.is_ending = true;
    if (!run(pings ? are_all_gone : are_clients_gone, sim_now_us() + world.patience_us))
        name_those_left();
    end_server();
    /* What the last turn has put off. */
    (void)run(never, sim_now_us() + 1000000);
}

/* ---- after it ---- */

static void check_loops(void)
{
    for (int i = 0; i < world.loop_count; i++) {
        if (dx_pool_used(dx_loop_pool(world.loops[i])) != 0)
            sim_fail("loop %d: %zu bytes of its pool are still used", i,
                     dx_pool_used(dx_loop_pool(world.loops[i])));
        if (dx_loop_wheel(world.loops[i])->count != 0)
            sim_fail("loop %d: %zu timers are still set", i, dx_loop_wheel(world.loops[i])->count);
        if (dx_loop_timeout_ms(world.loops[i]) != -1)
            sim_fail("loop %d: something is still to be done", i);
    }
}

static void unmake(long live_count)
{
    bool has_to_be_clean = world.is_gentle && !world.is_freed_early;

    dx_topics_free(sim_manners.topics);
    sim_memory_fail(0);
    for (int i = 0; i < world.link_count; i++) {
        sim_check_link(&world.links[i], has_to_be_clean);
        sim_link_release(&world.links[i]);
        dx_loop_timer_free(world.clients[i].timer);
    }
    sim_service_end();
    sim_addressed_check();
    for (int i = 0; i < world.raw_count; i++) {
        sim_raw_check(&world.raws[i], has_to_be_clean && !world.is_closed_early);
        sim_raw_release(&world.raws[i]);
    }
    check_loops();
    for (int i = 0; i < world.loop_count; i++)
        dx_loop_free(world.loops[i]);
    if (sim_open_count() != 0)
        sim_fail("%zu descriptors are still open", sim_open_count());
    if (sim_memory_live() != live_count)
        sim_fail("%ld blocks of memory are still there", sim_memory_live() - live_count);
}

void sim_world_run(uint64_t seed, bool traces)
{
    long live_count = sim_memory_live();

    sim_begin(seed, traces);
    make();
    live();
    unmake(live_count);
    if (world.turns > sim_counts.most_turns)
        sim_counts.most_turns = world.turns;
    sim_trace("done: %llu turns", (unsigned long long)world.turns);
}
