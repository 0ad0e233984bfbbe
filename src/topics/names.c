/*
 * names.c - topics by name: buckets under SipHash-1-3 (Aumasson and Bernstein), so that clients who
 * choose names cannot make them collide. Not responsible for subscribers.
 */
#include "topics/topics.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#define FIRST_BUCKETS 16

static uint64_t rotate(uint64_t value, int by)
{
    return value << by | value >> (64 - by);
}

static void sip_round(uint64_t v[4])
{
    v[0] += v[1];
    v[1] = rotate(v[1], 13) ^ v[0];
    v[0] = rotate(v[0], 32);
    v[2] += v[3];
    v[3] = rotate(v[3], 16) ^ v[2];
    v[0] += v[3];
    v[3] = rotate(v[3], 21) ^ v[0];
    v[2] += v[1];
    v[1] = rotate(v[1], 17) ^ v[2];
    v[2] = rotate(v[2], 32);
}

static void sip_word(uint64_t v[4], uint64_t word)
{
    v[3] ^= word;
    sip_round(v);
    v[0] ^= word;
}

uint64_t dx_topic_names_hash(const struct dx_topic_names *names, const char *name, size_t name_len)
{
    uint64_t v[4] = {names->key[0] ^ 0x736f6d6570736575, names->key[1] ^ 0x646f72616e646f6d,
                     names->key[0] ^ 0x6c7967656e657261, names->key[1] ^ 0x7465646279746573};
    uint64_t last = (uint64_t)name_len << 56;
    size_t whole = name_len & ~(size_t)7;

    for (size_t i = 0; i < whole; i += 8) {
        uint64_t word;

        memcpy(&word, name + i, 8);
        sip_word(v, word);
    }
    for (size_t i = whole; i < name_len; i++)
        last |= (uint64_t)(uint8_t)name[i] << (8 * (i - whole));
    sip_word(v, last);
    v[2] ^= 0xff;
    for (int i = 0; i < 3; i++)
        sip_round(v);
    return v[0] ^ v[1] ^ v[2] ^ v[3];
}

enum dx_err dx_topic_names_init(struct dx_topic_names *names)
{
    struct dx_topic_names made = {.bucket_count = FIRST_BUCKETS};

    if (getrandom(made.key, sizeof(made.key), GRND_NONBLOCK) != (ssize_t)sizeof(made.key))
        return DX_ERR_SYSTEM;
    made.buckets = calloc(FIRST_BUCKETS, sizeof(struct dx_topic *));
    if (!made.buckets)
        return DX_ERR_NOMEM;
    *names = made;
    return DX_OK;
}

void dx_topic_names_release(struct dx_topic_names *names)
{
    free(names->buckets);
    names->buckets = NULL;
}

static struct dx_topic **bucket_of(const struct dx_topic_names *names, uint64_t hash)
{
    return &names->buckets[hash & (names->bucket_count - 1)];
}

struct dx_topic *dx_topic_names_find(const struct dx_topic_names *names, uint64_t hash,
                                     const char *name, size_t name_len)
{
    struct dx_topic *topic = *bucket_of(names, hash);

    while (topic && (topic->hash != hash || topic->name_len != name_len ||
                     memcmp(topic->name, name, name_len) != 0))
        topic = topic->next;
    return topic;
}

/*
 * Without memory the chains only grow longer. The key is not written: it is read without the lock.
 */
static void grow(struct dx_topic_names *names)
{
    struct dx_topic_names larger = *names;

    larger.bucket_count *= 2;
    larger.buckets = calloc(larger.bucket_count, sizeof(struct dx_topic *));
    if (!larger.buckets)
        return;
    for (size_t i = 0; i < names->bucket_count; i++) {
        while (names->buckets[i]) {
            struct dx_topic *topic = names->buckets[i];
            struct dx_topic **bucket = bucket_of(&larger, topic->hash);

            names->buckets[i] = topic->next;
            topic->next = *bucket;
            *bucket = topic;
        }
    }
    free(names->buckets);
    names->buckets = larger.buckets;
    names->bucket_count = larger.bucket_count;
}

enum dx_err dx_topic_names_add(struct dx_topic_names *names, uint64_t hash, const char *name,
                               size_t name_len, struct dx_topic **topic)
{
    struct dx_topic *made = malloc(sizeof(*made) + name_len);
    struct dx_topic **bucket;

    if (!made)
        return DX_ERR_NOMEM;
    if (names->count >= names->bucket_count)
        grow(names);
    bucket = bucket_of(names, hash);
    *made = (struct dx_topic){.next = *bucket, .hash = hash, .name_len = (uint8_t)name_len};
    memcpy(made->name, name, name_len);
    *bucket = made;
    names->count++;
    *topic = made;
    return DX_OK;
}

void dx_topic_names_remove(struct dx_topic_names *names, struct dx_topic *topic)
{
    struct dx_topic **at = bucket_of(names, topic->hash);

    while (*at != topic)
        at = &(*at)->next;
    *at = topic->next;
    names->count--;
    free(topic);
}
