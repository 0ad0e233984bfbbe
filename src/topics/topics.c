/*
 * topics.c - a set of topics, and publishing: a message is encoded once and added, under one lock,
 * to the queue of each loop that has subscribers, so that the order is the same on all of them.
 * Sending it is part.c and give.c.
 */
#include "topics/topics.h"
#include "base/sized.h"
#include "ws/frame.h"

#include <stdlib.h>
#include <string.h>

enum dx_err dx_topics_new(const struct dx_topics_options *options, struct dx_topics **topics)
{
    struct dx_topics_options own = dx_topics_options_init();
    struct dx_topics *made;
    enum dx_err err;

    err = DX_SIZED_COPY(struct dx_topics_options, max_backlog, &own, options);
    if (err)
        return err;
    if ((unsigned)own.slow_policy > DX_SLOW_DISCONNECT)
        return DX_ERR_USAGE;
    made = calloc(1, sizeof(*made));
    if (!made)
        return DX_ERR_NOMEM;
    made->options = own;
    err = dx_topic_names_init(&made->names);
    if (!err && pthread_mutex_init(&made->lock, NULL) != 0) {
        dx_topic_names_release(&made->names);
        err = DX_ERR_SYSTEM;
    }
    if (err) {
        free(made);
        return err;
    }
    *topics = made;
    return DX_OK;
}

void dx_topics_free(struct dx_topics *topics)
{
    if (!topics)
        return;
    pthread_mutex_destroy(&topics->lock);
    dx_topic_names_release(&topics->names);
    free(topics);
}

/* Publishes to a topic without subscribers: only counts that. False: it has some. */
static bool publish_to_none(struct dx_topics *topics, uint64_t hash, const char *name,
                            size_t name_len)
{
    bool has;

    pthread_mutex_lock(&topics->lock);
    has = dx_topic_names_find(&topics->names, hash, name, name_len) != NULL;
    topics->published += !has;
    pthread_mutex_unlock(&topics->lock);
    return !has;
}

static enum dx_err encode(enum dx_opcode opcode, const void *data, size_t len,
                          struct dx_shared **frame)
{
    size_t header_len = dx_frame_header_len(len, false);
    uint8_t *bytes;
    enum dx_err err;

    if (len > UINT32_MAX - header_len)
        return DX_ERR_TOO_BIG;
    err = dx_shared_new(header_len + len, frame, &bytes);
    if (err)
        return err;
    (void)dx_frame_header_write(bytes, (uint8_t)(DX_FRAME_FIN | opcode), len, NULL);
    if (len > 0)
        memcpy(bytes + header_len, data, len);
    return DX_OK;
}

/* Queues the message for all loops or for none. */
static enum dx_err spread(struct dx_topic *topic, struct dx_shared *frame, uint32_t payload_len,
                          uint64_t except)
{
    struct dx_presence *presence;

    for (presence = topic->presences; presence; presence = presence->next) {
        enum dx_err err = dx_part_prepare(presence->part);

        if (err)
            return err;
    }
    for (presence = topic->presences; presence; presence = presence->next)
        dx_part_queue(presence, frame, payload_len, except);
    return DX_OK;
}

enum dx_err dx_topics_publish(struct dx_topics *topics, const char *name, size_t name_len,
                              enum dx_opcode opcode, const void *data, size_t len, uint64_t except)
{
    struct dx_shared *frame;
    struct dx_topic *topic;
    enum dx_err err;
    uint64_t hash;

    if (name_len == 0 || name_len > DX_TOPIC_NAME_MAX ||
        (opcode != DX_OP_TEXT && opcode != DX_OP_BINARY))
        return DX_ERR_USAGE;
    hash = dx_topic_names_hash(&topics->names, name, name_len);
    /*
     * The message is encoded between two looks at the topic: not without subscribers, nor under the
     * lock.
     */
    if (publish_to_none(topics, hash, name, name_len))
        return DX_OK;
    err = encode(opcode, data, len, &frame);
    if (err)
        return err;
    pthread_mutex_lock(&topics->lock);
    topic = dx_topic_names_find(&topics->names, hash, name, name_len);
    if (topic)
        err = spread(topic, frame, (uint32_t)len, except);
    topics->published += err == DX_OK;
    pthread_mutex_unlock(&topics->lock);
    dx_shared_drop(frame);
    return err;
}

size_t dx_topics_subscriber_count(struct dx_topics *topics, const char *name, size_t name_len)
{
    const struct dx_topic *topic;
    uint64_t hash;
    size_t count;

    if (name_len == 0 || name_len > DX_TOPIC_NAME_MAX)
        return 0;
    hash = dx_topic_names_hash(&topics->names, name, name_len);
    pthread_mutex_lock(&topics->lock);
    topic = dx_topic_names_find(&topics->names, hash, name, name_len);
    count = topic ? topic->subscriber_count : 0;
    pthread_mutex_unlock(&topics->lock);
    return count;
}
