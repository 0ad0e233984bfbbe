/*
 * subscriber.c - subscribing and unsubscribing. A subscriber has its topics in a hash table of its
 * own; a topic's list has pointers to its subscribers. That is 8 to 32 bytes on one side and 21 to
 * 43 on the other, and everything in constant time.
 *
 * Pending messages are delivered before a topic's list changes. So a new subscriber gets none that
 * was published before it came, one that leaves misses none, and a topic that ends on a loop has no
 * message left there.
 */
#include "topics/topics.h"

#include <stdlib.h>
#include <string.h>

#define FIRST_PLACES 4
#define FIRST_SUBSCRIBERS 2

/* ---- a subscriber's places ---- */

static uint32_t first_place(const struct dx_subscriber *subscriber,
                            const struct dx_presence *presence)
{
    return (uint32_t)(((uint64_t)(uintptr_t)presence * 0x9e3779b97f4a7c15) >> 32) &
           (subscriber->place_room - 1);
}

static struct dx_place *find_place(const struct dx_subscriber *subscriber,
                                   const struct dx_presence *presence)
{
    uint32_t at;

    if (subscriber->place_room == 0)
        return NULL;
    at = first_place(subscriber, presence);
    while (subscriber->places[at].presence && subscriber->places[at].presence != presence)
        at = (at + 1) & (subscriber->place_room - 1);
    return subscriber->places[at].presence ? &subscriber->places[at] : NULL;
}

static void put_place(struct dx_subscriber *subscriber, struct dx_place place)
{
    uint32_t at = first_place(subscriber, place.presence);

    while (subscriber->places[at].presence)
        at = (at + 1) & (subscriber->place_room - 1);
    subscriber->places[at] = place;
}

/* Moves entries into the gap that are after it because their own place was taken. */
static void remove_place(struct dx_subscriber *subscriber, struct dx_place *place)
{
    uint32_t mask = subscriber->place_room - 1;
    uint32_t gap = (uint32_t)(place - subscriber->places);
    uint32_t at = gap;

    for (;;) {
        uint32_t wanted;

        at = (at + 1) & mask;
        if (!subscriber->places[at].presence)
            break;
        wanted = first_place(subscriber, subscriber->places[at].presence);
        if (((at - wanted) & mask) < ((at - gap) & mask))
            continue;
        subscriber->places[gap] = subscriber->places[at];
        gap = at;
    }
    subscriber->places[gap].presence = NULL;
    subscriber->place_count--;
}

/* At most three quarters of the places are taken. */
static enum dx_err reserve_place(struct dx_subscriber *subscriber)
{
    struct dx_subscriber grown = *subscriber;

    if (subscriber->place_room > 0 &&
        subscriber->place_count < subscriber->place_room - subscriber->place_room / 4)
        return DX_OK;
    if (subscriber->place_room > UINT32_MAX / 4)
        return DX_ERR_TOO_MANY;
    grown.place_room = grown.place_room ? grown.place_room * 2 : FIRST_PLACES;
    grown.places = calloc(grown.place_room, sizeof(struct dx_place));
    if (!grown.places)
        return DX_ERR_NOMEM;
    for (uint32_t i = 0; i < subscriber->place_room; i++)
        if (subscriber->places[i].presence)
            put_place(&grown, subscriber->places[i]);
    free(subscriber->places);
    subscriber->places = grown.places;
    subscriber->place_room = grown.place_room;
    return DX_OK;
}

/* ---- a topic's list on one loop ---- */

static enum dx_err resize(struct dx_presence *presence, uint32_t room)
{
    struct dx_subscriber **moved =
        realloc(presence->subscribers, room * sizeof(struct dx_subscriber *));

    if (!moved)
        return DX_ERR_NOMEM;
    presence->subscribers = moved;
    presence->room = room;
    return DX_OK;
}

static enum dx_err reserve_subscriber(struct dx_presence *presence)
{
    if (presence->count < presence->room)
        return DX_OK;
    if (presence->room > UINT32_MAX / 2)
        return DX_ERR_TOO_MANY;
    return resize(presence, presence->room ? presence->room * 2 : FIRST_SUBSCRIBERS);
}

static void enlist(struct dx_presence *presence, struct dx_subscriber *subscriber)
{
    put_place(subscriber, (struct dx_place){presence, presence->count});
    subscriber->place_count++;
    presence->subscribers[presence->count++] = subscriber;
}

/*
 * The last of the list takes the removed one's place. The presence is freed with its last
 * subscriber.
 */
static void delist(struct dx_presence *presence, uint32_t index)
{
    struct dx_subscriber *last = presence->subscribers[--presence->count];

    if (presence->count == 0) {
        free(presence->subscribers);
        free(presence);
        return;
    }
    if (index < presence->count) {
        presence->subscribers[index] = last;
        find_place(last, presence)->index = index;
    }
    /* A list that has shrunk is made smaller, if realloc can do that. */
    if (presence->count < presence->room / 4)
        (void)!resize(presence, presence->room / 2);
}

/* ---- under the lock ---- */

static struct dx_presence *find_presence(const struct dx_topic *topic, const struct dx_part *part)
{
    struct dx_presence *presence = topic ? topic->presences : NULL;

    while (presence && presence->part != part)
        presence = presence->next;
    return presence;
}

static enum dx_err add_presence(struct dx_topic *topic, struct dx_part *part,
                                struct dx_presence **presence)
{
    struct dx_presence *made = calloc(1, sizeof(*made));
    enum dx_err err;

    if (!made)
        return DX_ERR_NOMEM;
    made->topic = topic;
    made->part = part;
    err = reserve_subscriber(made);
    if (err) {
        free(made);
        return err;
    }
    made->next = topic->presences;
    topic->presences = made;
    *presence = made;
    return DX_OK;
}

struct name {
    const char *bytes;
    size_t len;
    uint64_t hash;
};

static enum dx_err add_topic(struct dx_topics *topics, struct dx_part *part,
                             const struct name *name, struct dx_presence **presence)
{
    struct dx_topic *topic;
    enum dx_err err;

    if (topics->names.count >= topics->options.max_topics)
        return DX_ERR_TOO_MANY;
    err = dx_topic_names_add(&topics->names, name->hash, name->bytes, name->len, &topic);
    if (err)
        return err;
    err = add_presence(topic, part, presence);
    if (err)
        dx_topic_names_remove(&topics->names, topic);
    return err;
}

/*
 * Finds or makes the presence for a subscriber, with room for it, and counts the subscription.
 * NULL: it is subscribed already.
 */
static enum dx_err prepare(struct dx_subscriber *subscriber, const struct name *name,
                           struct dx_presence **presence)
{
    struct dx_part *part = subscriber->part;
    struct dx_topics *topics = part->topics;
    struct dx_topic *topic =
        dx_topic_names_find(&topics->names, name->hash, name->bytes, name->len);
    struct dx_presence *found = find_presence(topic, part);
    enum dx_err err = DX_OK;

    *presence = NULL;
    if (found && find_place(subscriber, found))
        return DX_OK;
    if (subscriber->place_count >= topics->options.max_subscriptions)
        return DX_ERR_TOO_MANY;
    err = reserve_place(subscriber);
    if (err)
        return err;
    if (found)
        err = reserve_subscriber(found);
    else if (topic)
        err = add_presence(topic, part, &found);
    else
        err = add_topic(topics, part, name, &found);
    if (err)
        return err;
    found->topic->subscriber_count++;
    topics->subscription_count++;
    *presence = found;
    return DX_OK;
}

/*
 * Counts a subscription less. A loop without subscribers leaves the topic; a topic without loops
 * ends.
 */
static void count_out(struct dx_topics *topics, struct dx_presence *presence)
{
    struct dx_topic *topic = presence->topic;
    struct dx_presence **at = &topic->presences;

    topics->subscription_count--;
    topic->subscriber_count--;
    if (presence->count > 1)
        return;
    while (*at != presence)
        at = &(*at)->next;
    *at = presence->next;
    if (!topic->presences)
        dx_topic_names_remove(&topics->names, topic);
}

/* ---- a subscriber's life ---- */

static struct dx_subscriber *of_attachment(struct dx_attachment *attachment)
{
    return dx_container_of(attachment, struct dx_subscriber, attachment);
}

static void on_writable(struct dx_attachment *attachment, struct dx_connection *connection)
{
    (void)connection;
    dx_subscriber_resume(of_attachment(attachment));
}

static void on_gone(struct dx_attachment *attachment, struct dx_connection *connection)
{
    struct dx_subscriber *subscriber = of_attachment(attachment);
    struct dx_part *part = subscriber->part;
    struct dx_topics *topics = part->topics;
    struct dx_batch batch = {NULL, 0, 0};

    (void)connection;
    dx_subscriber_drop_pending(subscriber);
    pthread_mutex_lock(&topics->lock);
    for (uint32_t i = 0; i < subscriber->place_room; i++) {
        struct dx_presence *presence = subscriber->places[i].presence;

        if (!presence)
            continue;
        if (presence->count == 1 && dx_presence_is_queued(presence))
            dx_part_take_batch(part, &batch);
        count_out(topics, presence);
    }
    pthread_mutex_unlock(&topics->lock);
    dx_part_deliver(part, &batch);
    for (uint32_t i = 0; i < subscriber->place_room; i++)
        if (subscriber->places[i].presence)
            delist(subscriber->places[i].presence, subscriber->places[i].index);
    free(subscriber->places);
    free(subscriber);
    dx_part_leave(part);
}

static struct dx_subscriber *find_subscriber(const struct dx_topics *topics,
                                             const struct dx_connection *connection)
{
    struct dx_attachment *attachment = dx_connection_find_attachment(connection, topics);

    return attachment ? of_attachment(attachment) : NULL;
}

static enum dx_err make_subscriber(struct dx_topics *topics, struct dx_connection *connection,
                                   struct dx_subscriber **subscriber)
{
    struct dx_subscriber *made = calloc(1, sizeof(*made));
    enum dx_err err;

    if (!made)
        return DX_ERR_NOMEM;
    made->attachment = (struct dx_attachment){NULL, topics, on_gone, on_writable};
    made->connection = connection;
    made->id = dx_connection_id(connection);
    err = dx_part_join(topics, dx_connection_loop(connection), &made->part);
    if (err) {
        free(made);
        return err;
    }
    err = dx_connection_attach(connection, &made->attachment);
    if (err) {
        dx_part_leave(made->part);
        free(made);
        return err;
    }
    *subscriber = made;
    return DX_OK;
}

/* ---- public ---- */

static bool name_is_good(size_t name_len)
{
    return name_len > 0 && name_len <= DX_TOPIC_NAME_MAX;
}

static enum dx_err join(struct dx_subscriber *subscriber, const struct name *name)
{
    struct dx_topics *topics = subscriber->part->topics;
    struct dx_batch batch = {NULL, 0, 0};
    struct dx_presence *presence;
    enum dx_err err;

    pthread_mutex_lock(&topics->lock);
    err = prepare(subscriber, name, &presence);
    if (presence && dx_presence_is_queued(presence))
        dx_part_take_batch(subscriber->part, &batch);
    pthread_mutex_unlock(&topics->lock);
    dx_part_deliver(subscriber->part, &batch);
    if (presence)
        enlist(presence, subscriber);
    return err;
}

enum dx_err dx_topics_subscribe(struct dx_topics *topics, struct dx_connection *connection,
                                const char *name, size_t name_len)
{
    struct dx_subscriber *subscriber = find_subscriber(topics, connection);
    enum dx_err err = DX_OK;

    /* A client masks each frame with a key of its own: none can be shared. */
    if (!name_is_good(name_len) ||
        dx_connection_endpoint(connection)->config->role == DX_ROLE_CLIENT)
        return DX_ERR_USAGE;
    if (dx_connection_is_closing(connection))
        return DX_ERR_CLOSED;
    if (!subscriber)
        err = make_subscriber(topics, connection, &subscriber);
    if (err)
        return err;
    return join(subscriber, &(struct name){name, name_len,
                                           dx_topic_names_hash(&topics->names, name, name_len)});
}

/* The subscriber's place in the topic's list; NULL when it is not subscribed. Lock. */
static struct dx_place *find_subscription(struct dx_subscriber *subscriber, const char *name,
                                          size_t name_len)
{
    struct dx_topics *topics = subscriber->part->topics;
    uint64_t hash = dx_topic_names_hash(&topics->names, name, name_len);
    struct dx_topic *topic = dx_topic_names_find(&topics->names, hash, name, name_len);
    struct dx_presence *presence = find_presence(topic, subscriber->part);

    return presence ? find_place(subscriber, presence) : NULL;
}

bool dx_topics_unsubscribe(struct dx_topics *topics, struct dx_connection *connection,
                           const char *name, size_t name_len)
{
    struct dx_subscriber *subscriber = find_subscriber(topics, connection);
    struct dx_batch batch = {NULL, 0, 0};
    struct dx_place *place;
    struct dx_place found;

    if (!subscriber || !name_is_good(name_len))
        return false;
    pthread_mutex_lock(&topics->lock);
    place = find_subscription(subscriber, name, name_len);
    if (place) {
        if (dx_presence_is_queued(place->presence))
            dx_part_take_batch(subscriber->part, &batch);
        count_out(topics, place->presence);
    }
    pthread_mutex_unlock(&topics->lock);
    if (!place)
        return false;
    dx_part_deliver(subscriber->part, &batch);
    found = *place;
    remove_place(subscriber, place);
    delist(found.presence, found.index);
    return true;
}

bool dx_topics_is_subscribed(struct dx_topics *topics, const struct dx_connection *connection,
                             const char *name, size_t name_len)
{
    struct dx_subscriber *subscriber = find_subscriber(topics, connection);
    bool is_subscribed;

    if (!subscriber || !name_is_good(name_len))
        return false;
    pthread_mutex_lock(&topics->lock);
    is_subscribed = find_subscription(subscriber, name, name_len) != NULL;
    pthread_mutex_unlock(&topics->lock);
    return is_subscribed;
}
