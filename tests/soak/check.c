/*
 * check.c - what one client sees, held against the numbers that its subscriptions began and ended
 * with: in order, nothing twice, nothing left out, nothing from before or after. A client that was
 * made slow may miss messages, and no more.
 */
#include "soak.h"

#include <string.h>

struct soak_sums soak_sums;

struct soak_subscription *soak_view_find(struct soak_view *view, unsigned topic)
{
    for (size_t i = 0; i < SOAK_SUBSCRIPTIONS; i++)
        if (view->subscriptions[i].stage != STAGE_OUT && view->subscriptions[i].topic == topic)
            return &view->subscriptions[i];
    return NULL;
}

static void complain(struct soak_view *view, const char *what)
{
    if (!view->wrong)
        view->wrong = what;
}

/* A message that it was left out of: the next one's number is past it. */
static void skip_excepted(struct soak_view *view, struct soak_subscription *subscription)
{
    struct soak_notice *excepted = &view->excepted;
    uint8_t publisher = excepted->publisher;

    if (excepted->kind == 0 || excepted->topic != subscription->topic)
        return;
    if (!subscription->is_seen[publisher] && subscription->latest[publisher] == excepted->number)
        subscription->latest[publisher]++;
    if (subscription->next[publisher] == excepted->number)
        subscription->next[publisher]++;
    if (subscription->next[publisher] > excepted->number)
        excepted->kind = 0;
}

static void judge_first(struct soak_view *view, struct soak_subscription *subscription,
                        const struct soak_notice *notice)
{
    uint8_t publisher = notice->publisher;

    if (notice->number < subscription->next[publisher])
        complain(view, "a message from before the subscription");
    else if (notice->number > subscription->latest[publisher])
        complain(view, "the first message is not the first that was published");
}

void soak_view_message(struct soak_view *view, const struct soak_notice *notice)
{
    struct soak_subscription *subscription = soak_view_find(view, notice->topic);
    uint8_t publisher = notice->publisher;

    soak_sums.messages++;
    /* What waited for a slow one may come when it has left; nobody else is given anything then. */
    if (!subscription) {
        if (!view->is_slow)
            complain(view, "a message of a topic that it is not subscribed to");
        return;
    }
    if (subscription->stage == STAGE_JOINING) {
        complain(view, "a message overtook the subscription");
        return;
    }
    skip_excepted(view, subscription);
    if (view->is_slow) {
        if (notice->number < subscription->next[publisher])
            complain(view, "a message came twice, or late, to a slow one");
    } else if (!subscription->is_seen[publisher]) {
        judge_first(view, subscription, notice);
    } else if (notice->number < subscription->next[publisher]) {
        complain(view, "a message came twice, or late");
    } else if (notice->number > subscription->next[publisher]) {
        complain(view, "a message was lost");
    }
    subscription->is_seen[publisher] = true;
    subscription->next[publisher] = notice->number + 1;
    skip_excepted(view, subscription);
}

void soak_view_subscribed(struct soak_view *view, const struct soak_notice *notice)
{
    struct soak_subscription *subscription = soak_view_find(view, notice->topic);

    if (!subscription || subscription->stage != STAGE_JOINING) {
        complain(view, "an answer to no question");
        return;
    }
    subscription->stage = STAGE_IN;
    memset(subscription->is_seen, 0, sizeof(subscription->is_seen));
    memcpy(subscription->next, notice->before, sizeof(subscription->next));
    memcpy(subscription->latest, notice->after, sizeof(subscription->latest));
}

static void judge_end(struct soak_view *view, const struct soak_subscription *subscription,
                      const struct soak_notice *notice, size_t publisher)
{
    uint32_t next = subscription->next[publisher];

    if (next > notice->after[publisher])
        complain(view, "a message from after the subscription");
    else if (subscription->is_seen[publisher]
                 ? next < notice->before[publisher]
                 : subscription->latest[publisher] < notice->before[publisher])
        complain(view, "the last messages were lost");
}

void soak_view_unsubscribed(struct soak_view *view, const struct soak_notice *notice)
{
    struct soak_subscription *subscription = soak_view_find(view, notice->topic);

    if (!subscription || subscription->stage != STAGE_LEAVING) {
        complain(view, "an answer to no question");
        return;
    }
    skip_excepted(view, subscription);
    for (size_t i = 0; i < SOAK_PUBLISHERS && !view->is_slow; i++)
        judge_end(view, subscription, notice, i);
    soak_sums.stretches += !view->is_slow;
    subscription->stage = STAGE_OUT;
    /*
     * The number that was left out may have been this topic's, and has not been passed: no other
     * stretch will.
     */
    if (view->excepted.topic == notice->topic)
        view->excepted.kind = 0;
}
