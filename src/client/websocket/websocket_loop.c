/*
 * websocket_loop.c - what the websockets of one loop have to do with each other: turns at connecting to a host, where a browser
 * takes turns (RFC 6455 section 4.1), and the end of their loop.
 */
#include "client/websocket/websocket_parts.h"

#include <stdlib.h>
#include <string.h>

/* One a loop, made for its first websocket, freed with the loop. */
struct dx_websockets {
    struct dx_loop_slot slot;
    struct dx_websocket *first; /* in the order in which they were made */
    struct dx_websocket *last;
    bool is_ending;
};

static const char slot_key;

static void end_all(struct dx_loop_slot *slot)
{
    struct dx_websockets *all = (struct dx_websockets *)(void *)slot;
    struct dx_websocket *next;

    all->is_ending = true;
    if (all->first == NULL) {
        free(all);
        return;
    }
    for (struct dx_websocket *at = all->first; at != NULL; at = next) {
        next = at->next;
        dx_websocket_end_with_loop(at);
    }
}

enum dx_err dx_websocket_enlist(struct dx_websocket *websocket)
{
    struct dx_websockets *all =
        (struct dx_websockets *)(void *)dx_loop_find_slot(websocket->loop, &slot_key);

    if (all == NULL) {
        all = calloc(1, sizeof(*all));
        if (all == NULL)
            return DX_ERR_NOMEM;
        all->slot = (struct dx_loop_slot){.key = &slot_key, .on_loop_free = end_all};
        dx_loop_add_slot(websocket->loop, &all->slot);
    }
    websocket->all = all;
    websocket->previous = all->last;
    if (all->last != NULL)
        all->last->next = websocket;
    else
        all->first = websocket;
    all->last = websocket;
    return DX_OK;
}

void dx_websocket_delist(struct dx_websocket *websocket)
{
    struct dx_websockets *all = websocket->all;

    if (all == NULL)
        return;
    if (websocket->previous != NULL)
        websocket->previous->next = websocket->next;
    else
        all->first = websocket->next;
    if (websocket->next != NULL)
        websocket->next->previous = websocket->previous;
    else
        all->last = websocket->previous;
    if (all->is_ending && all->first == NULL)
        free(all);
}

static bool is_same_host(const struct dx_websocket *one, const struct dx_websocket *other)
{
    return strcmp(one->parsed.host.text, other->parsed.host.text) == 0;
}

bool dx_websocket_take_turn(struct dx_websocket *websocket)
{
    struct dx_websocket *at = websocket->all->first;

    if (!websocket->settings.options.strict_browser)
        return true;
    while (at != NULL && (at == websocket || !at->has_turn || !is_same_host(at, websocket)))
        at = at->next;
    websocket->has_turn = at == NULL;
    websocket->awaits_turn = at != NULL;
    return websocket->has_turn;
}

void dx_websocket_give_turn(struct dx_websocket *websocket)
{
    struct dx_websocket *at = websocket->all->first;

    websocket->awaits_turn = false;
    if (!websocket->has_turn)
        return;
    websocket->has_turn = false;
    while (at != NULL && (!at->awaits_turn || !is_same_host(at, websocket)))
        at = at->next;
    if (at != NULL)
        dx_websocket_connect_in_turn(at);
}
