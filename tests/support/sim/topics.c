/*
 * topics.c - what is published carries its topic and its number there: a subscriber gets them in
 * order, each once, and lacks none between two that it gets unless the set says that it dropped
 * some.
 */
#include "support/sim/topics.h"

#include "support/sim/talker.h"

#include <string.h>

#define TOPICS 3
#define ADDRESSED TOPICS /* stands for a topic: what is sent to one connection by its id */
#define LINKS 16
#define NUMBERS 256 /* at most so many are published to a topic */
#define HEAD_LEN 8

struct expectation {
    uint16_t numbers[NUMBERS]; /* published while the link was subscribed */
    uint16_t count, got;
    bool is_subscribed;
};

static struct expectation expectations[LINKS][TOPICS + 1];
static uint16_t published[TOPICS];
static struct sim_side *sides[LINKS];

void sim_topics_begin(void)
{
    memset(expectations, 0, sizeof(expectations));
    memset(published, 0, sizeof(published));
    memset(sides, 0, sizeof(sides));
}

static const char *const names[TOPICS] = {"a", "news", "a topic with a longer name"};

static void subscribe(struct sim_side *side, uint32_t topic)
{
    enum dx_err err = dx_topics_subscribe(sim_manners.topics, side->connection, names[topic],
                                          strlen(names[topic]));

    if (err != DX_OK && err != DX_ERR_CLOSED && !sim_manners.is_scarce)
        sim_fail("link %d: dx_topics_subscribe says %s", side->link->number, dx_err_name(err));
    if (err != DX_OK)
        return;
    sides[side->link->number] = side;
    expectations[side->link->number][topic].is_subscribed = true;
}

static void unsubscribe(struct sim_side *side, uint32_t topic)
{
    struct expectation *expectation = &expectations[side->link->number][topic];
    bool was = dx_topics_unsubscribe(sim_manners.topics, side->connection, names[topic],
                                     strlen(names[topic]));

    if (was && !expectation->is_subscribed)
        sim_fail("link %d was subscribed and did not ask for it", side->link->number);
    expectation->is_subscribed = false;
}

static void note_published(uint32_t topic, const struct sim_side *except)
{
    for (int link = 0; link < LINKS; link++) {
        struct expectation *expectation = &expectations[link][topic];

        if (expectation->is_subscribed && sides[link] != except)
            expectation->numbers[expectation->count++] = published[topic];
    }
}

static void publish(struct sim_side *side, uint32_t topic)
{
    static uint8_t bytes[HEAD_LEN + 65536];
    struct sim_message filling = sim_message_draw(side->stream, 4000);
    bool is_excepted = sim_happens(side->stream, 200);
    enum dx_err err;

    if (published[topic] + 1 == NUMBERS)
        return;
    published[topic]++;
    bytes[0] = SIM_PUBLISHED;
    bytes[1] = (uint8_t)topic;
    memcpy(bytes + 2, &published[topic], sizeof(published[topic]));
    memcpy(bytes + HEAD_LEN, sim_message_bytes(&filling), filling.len);
    sim_trace("link %d publishes %u to topic %u", side->link->number, published[topic], topic);
    note_published(topic, is_excepted ? side : NULL);
    err = dx_topics_publish(sim_manners.topics, names[topic], strlen(names[topic]), DX_OP_BINARY,
                            bytes, HEAD_LEN + filling.len,
                            is_excepted ? dx_connection_id(side->connection) : 0);
    if (err != DX_OK && err != DX_ERR_QUEUE_FULL && !sim_manners.is_scarce)
        sim_fail("dx_topics_publish says %s", dx_err_name(err));
}

void sim_topics_act(struct sim_side *side)
{
    uint32_t topic = sim_below(side->stream, TOPICS);
    uint32_t chance = sim_below(side->stream, 1000);

    if (sim_manners.topics == NULL || side->stream != SIM_SERVER || side->link->is_hostile ||
        side->connection == NULL)
        return;
    if (chance < 150)
        subscribe(side, topic);
    else if (chance < 200)
        unsubscribe(side, topic);
    else if (chance < 600)
        publish(side, topic);
}

size_t sim_topics_address(const struct sim_side *side, uint8_t bytes[SIM_ADDRESSED_ROOM])
{
    struct expectation *expectation = &expectations[side->link->number][ADDRESSED];
    struct sim_message filling = sim_message_draw(SIM_SERVER, SIM_ADDRESSED_ROOM - HEAD_LEN);

    if (expectation->count == NUMBERS)
        return 0;
    expectation->numbers[expectation->count] = (uint16_t)(expectation->count + 1);
    expectation->count++;
    bytes[0] = SIM_PUBLISHED;
    bytes[1] = ADDRESSED;
    memcpy(bytes + 2, &expectation->count, sizeof(expectation->count));
    memcpy(bytes + HEAD_LEN, sim_message_bytes(&filling), filling.len);
    return HEAD_LEN + filling.len;
}

/* Whether a message that should have come may be missing. */
static bool may_lack(uint8_t topic)
{
    struct dx_topics_metrics counts = dx_topics_metrics_init();

    if (topic == ADDRESSED)
        return true; /* what the connection refuses is not told */
    dx_topics_metrics(sim_manners.topics, &counts);
    return sim_manners.is_scarce || sim_manners.is_cramped || counts.dropped > 0;
}

bool sim_topics_take(struct sim_side *side, enum dx_opcode opcode, const uint8_t *data, size_t len)
{
    struct expectation *expectation;
    uint16_t number;

    if (opcode != DX_OP_BINARY || len < HEAD_LEN || data[0] != SIM_PUBLISHED)
        return false;
    if (side->stream != SIM_CLIENT || data[1] > ADDRESSED)
        sim_fail("link %d: a published message that nobody published", side->link->number);
    memcpy(&number, data + 2, sizeof(number));
    expectation = &expectations[side->link->number][data[1]];
    while (expectation->got < expectation->count &&
           expectation->numbers[expectation->got] < number && may_lack(data[1]))
        expectation->got++;
    if (expectation->got == expectation->count || expectation->numbers[expectation->got] != number)
        sim_fail("link %d: number %u of topic %u came, it should be %u", side->link->number, number,
                 data[1],
                 expectation->got < expectation->count ? expectation->numbers[expectation->got]
                                                       : 0);
    expectation->got++;
    side->published_count++;
    sim_counts.messages++;
    sim_counts.bytes += len;
    return true;
}
