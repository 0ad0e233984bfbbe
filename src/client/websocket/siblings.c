/*
 * siblings.c - see siblings.h.
 */
#include "client/websocket/siblings.h"

#include "base/container.h"

#include <stdlib.h>
#include <string.h>

/* One a loop, made for its first websocket, freed with the loop. */
struct dx_siblings {
    struct dx_loop_slot slot;
    struct dx_sibling *first; /* in the order in which they joined */
    struct dx_sibling *last;
    bool is_ending;
};

static const char slot_key;

static void on_loop_free(struct dx_loop_slot *slot)
{
    struct dx_siblings *all = dx_container_of(slot, struct dx_siblings, slot);
    struct dx_sibling *next;

    all->is_ending = true;
    if (all->first == NULL) {
        free(all);
        return;
    }
    for (struct dx_sibling *at = all->first; at != NULL; at = next) {
        next = at->next;
        at->handlers->on_loop_free(at);
    }
}

static struct dx_siblings *find_or_make(struct dx_loop *loop)
{
    struct dx_loop_slot *slot = dx_loop_find_slot(loop, &slot_key);
    struct dx_siblings *made;

    if (slot != NULL)
        return dx_container_of(slot, struct dx_siblings, slot);
    made = calloc(1, sizeof(*made));
    if (made == NULL)
        return NULL;
    made->slot = (struct dx_loop_slot){.key = &slot_key, .on_loop_free = on_loop_free};
    dx_loop_add_slot(loop, &made->slot);
    return made;
}

enum dx_err dx_sibling_join(struct dx_sibling *sibling, struct dx_loop *loop,
                            const struct dx_sibling_handlers *handlers)
{
    struct dx_siblings *all = find_or_make(loop);

    if (all == NULL)
        return DX_ERR_NOMEM;
    *sibling = (struct dx_sibling){.handlers = handlers, .all = all, .previous = all->last};
    if (all->last != NULL)
        all->last->next = sibling;
    else
        all->first = sibling;
    all->last = sibling;
    return DX_OK;
}

void dx_sibling_leave(struct dx_sibling *sibling)
{
    struct dx_siblings *all = sibling->all;

    if (all == NULL)
        return;
    if (sibling->previous != NULL)
        sibling->previous->next = sibling->next;
    else
        all->first = sibling->next;
    if (sibling->next != NULL)
        sibling->next->previous = sibling->previous;
    else
        all->last = sibling->previous;
    sibling->all = NULL;
    if (all->is_ending && all->first == NULL)
        free(all);
}

bool dx_sibling_take_turn(struct dx_sibling *sibling, const char *host)
{
    struct dx_sibling *at = sibling->all->first;

    while (at != NULL && (at == sibling || !at->has_turn || strcmp(at->host, host) != 0))
        at = at->next;
    sibling->host = host;
    sibling->has_turn = at == NULL;
    return sibling->has_turn;
}

void dx_sibling_give_turn(struct dx_sibling *sibling)
{
    struct dx_sibling *at = sibling->all->first;
    const char *host = sibling->host;
    bool had_turn = sibling->has_turn;

    sibling->host = NULL;
    sibling->has_turn = false;
    if (!had_turn)
        return;
    while (at != NULL && (at->host == NULL || strcmp(at->host, host) != 0))
        at = at->next;
    if (at == NULL)
        return;
    at->has_turn = true;
    at->handlers->on_turn(at);
}
