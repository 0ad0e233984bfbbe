/*
 * addressed.c - what an application does with ids, its own and those of connections that have gone.
 */
#include "support/sim/addressed.h"

#include "support/sim/talker.h"
#include "support/sim/topics.h"

#define IDS 16

static struct sim_side *sides[IDS];
static uint64_t ids[IDS];       /* of each link, also when it has gone */
static unsigned promised, kept; /* calls */

void sim_addressed_begin(void)
{
    for (int i = 0; i < IDS; i++)
        ids[i] = 0;
    promised = kept = 0;
}

void sim_addressed_check(void)
{
    if (promised != kept)
        sim_fail("%u of %u calls by id came", kept, promised);
}

static void judge(enum dx_err err, const char *call)
{
    if (err != DX_OK && err != DX_ERR_QUEUE_FULL && !sim_manners.is_scarce)
        sim_fail("%s says %s", call, dx_err_name(err));
}

/* An id names the connection it was given for, or nothing any more. */
static void on_called(struct dx_connection *connection, void *user)
{
    const struct sim_side *side = user;

    kept++;
    if (connection != NULL && (connection != side->connection || side->close_count > 0))
        sim_fail("link %d: its id names another connection", side->link->number);
    if (connection == NULL && side->connection != NULL)
        sim_fail("link %d: its id names nothing, and it is open", side->link->number);
}

static void on_each(struct dx_connection *connection, void *user)
{
    const struct sim_side *side = dx_connection_user(connection);

    (void)user;
    if (side->connection != connection || side->close_count > 0)
        sim_fail("a connection is named that is not open");
}

static void on_done(void *user)
{
    (void)user;
    kept++;
}

static void send_to(struct sim_side *side, uint64_t id)
{
    static uint8_t bytes[SIM_ADDRESSED_ROOM];
    size_t len = sim_topics_address(side, bytes);

    if (len > 0)
        judge(dx_server_send(sim_manners.server, id, DX_OP_BINARY, bytes, len), "dx_server_send");
}

static void act_on(struct sim_side *side, uint64_t id)
{
    uint32_t kind = sim_below(SIM_SERVER, 100);
    enum dx_err err = DX_OK;

    sim_trace("link %d: by id, %u", side->link->number, kind);
    if (kind < 60) {
        send_to(side, id);
    } else if (kind < 80) {
        err = dx_server_call(sim_manners.server, id, on_called, side);
        promised += err == DX_OK;
    } else if (kind < 95) {
        err = dx_server_each_connection(sim_manners.server, on_each, on_done, NULL);
        promised += err == DX_OK;
    } else if (sim_happens(SIM_SERVER, sim_manners.closes * 4u)) {
        err = dx_server_close_connection(sim_manners.server, id, 1000, "by id", 5);
    } else if (sim_happens(SIM_SERVER, sim_manners.closes)) {
        err = dx_server_close_all(sim_manners.server, 1001, NULL, 0);
    }
    judge(err, "a call by id");
}

void sim_addressed_act(struct sim_side *side)
{
    uint32_t number = sim_below(SIM_SERVER, IDS);

    if (!sim_manners.is_addressed || sim_manners.server == NULL || side->stream != SIM_SERVER ||
        side->link->is_hostile || side->connection == NULL)
        return;
    sides[side->link->number] = side;
    ids[side->link->number] = dx_connection_id(side->connection);
    if (ids[side->link->number] == 0)
        sim_fail("link %d: a server's connection without an id", side->link->number);
    /* Its own, or that of another link, which may have gone. */
    if (sim_happens(SIM_SERVER, 500) || ids[number] == 0)
        number = (uint32_t)side->link->number;
    if (sim_happens(SIM_SERVER, 300))
        act_on(sides[number], ids[number]);
}
