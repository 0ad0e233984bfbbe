/*
 * counts.c - what a set of topics counts. Any thread.
 */
#include "topics/topics.h"

#include "base/sized.h"

static void add(atomic_uint_fast64_t *count, uint64_t more)
{
    if (more > 0)
        atomic_fetch_add_explicit(count, more, memory_order_relaxed);
}

void dx_topics_tally(struct dx_topics *topics, const struct dx_tally *tally)
{
    add(&topics->delivered, tally->delivered);
    add(&topics->dropped, tally->dropped);
    add(&topics->disconnected, tally->disconnected);
}

void dx_topics_metrics(struct dx_topics *topics, struct dx_topics_metrics *metrics)
{
    struct dx_topics_metrics own = dx_topics_metrics_init();

    pthread_mutex_lock(&topics->lock);
    own.topics = topics->names.count;
    own.subscriptions = topics->subscription_count;
    own.published = topics->published;
    pthread_mutex_unlock(&topics->lock);
    own.delivered = atomic_load_explicit(&topics->delivered, memory_order_relaxed);
    own.dropped = atomic_load_explicit(&topics->dropped, memory_order_relaxed);
    own.disconnected = atomic_load_explicit(&topics->disconnected, memory_order_relaxed);
    dx_sized_fill(metrics, &own, sizeof(own));
}
