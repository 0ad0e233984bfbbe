/*
 * outbox.c - see outbox.h.
 */
#include "client/websocket/outbox.h"

#include <stdlib.h>
#include <string.h>

void dx_outbox_init(struct dx_outbox *outbox, const struct dx_outbox_options *options)
{
    *outbox = (struct dx_outbox){.options = *options};
}

static void remove_first(struct dx_outbox *outbox)
{
    struct dx_outbox_item *item = outbox->first;

    outbox->first = item->next;
    if (outbox->first == NULL)
        outbox->last = NULL;
    if (outbox->last_sent == item)
        outbox->last_sent = NULL;
    if (outbox->next_unsent == item) {
        outbox->next_unsent = item->next;
        outbox->unsent_len -= item->len;
    } else {
        outbox->sent_count--;
    }
    outbox->len -= item->len;
    outbox->count--;
    free(item);
}

void dx_outbox_release(struct dx_outbox *outbox)
{
    while (outbox->first != NULL)
        remove_first(outbox);
}

static bool fits(const struct dx_outbox *outbox, size_t len)
{
    return len <= outbox->options.max_len - outbox->len &&
           outbox->count < outbox->options.max_count;
}

/* Whether it would, if all that can be dropped were. */
static bool would_fit(const struct dx_outbox *outbox, size_t len)
{
    return len <= outbox->options.max_len - (outbox->len - outbox->unsent_len) &&
           outbox->sent_count < outbox->options.max_count;
}

bool dx_outbox_has_room(const struct dx_outbox *outbox, size_t len)
{
    if (fits(outbox, len) || len > outbox->options.max_len)
        return true;
    switch (outbox->options.when_full) {
    case DX_OUTBOX_DROP_NEWEST:
        return true;
    case DX_OUTBOX_DROP_OLDEST:
        return would_fit(outbox, len);
    case DX_OUTBOX_REFUSE:
        break;
    }
    return false;
}

/* What a connection has must stay where it is: a lost connection would have to send it again. */
static void drop_oldest(struct dx_outbox *outbox)
{
    struct dx_outbox_item *item = outbox->next_unsent;

    outbox->dropped_count++;
    if (item == outbox->first) {
        remove_first(outbox);
        return;
    }
    outbox->last_sent->next = item->next;
    if (outbox->last == item)
        outbox->last = outbox->last_sent;
    outbox->next_unsent = item->next;
    outbox->unsent_len -= item->len;
    outbox->len -= item->len;
    outbox->count--;
    free(item);
}

static enum dx_err make_room(struct dx_outbox *outbox, size_t len, bool *is_dropped)
{
    *is_dropped = false;
    if (fits(outbox, len))
        return DX_OK;
    if (len > outbox->options.max_len || outbox->options.when_full == DX_OUTBOX_REFUSE)
        return DX_ERR_QUEUE_FULL;
    if (outbox->options.when_full == DX_OUTBOX_DROP_NEWEST) {
        outbox->dropped_count++;
        *is_dropped = true;
        return DX_OK;
    }
    if (!would_fit(outbox, len))
        return DX_ERR_QUEUE_FULL;
    while (!fits(outbox, len))
        drop_oldest(outbox);
    return DX_OK;
}

enum dx_err dx_outbox_add(struct dx_outbox *outbox, enum dx_opcode opcode, const void *data,
                          size_t len)
{
    struct dx_outbox_item *item;
    bool is_dropped;
    enum dx_err err = make_room(outbox, len, &is_dropped);

    if (err != DX_OK || is_dropped)
        return err;
    item = malloc(sizeof(*item) + len);
    if (item == NULL)
        return DX_ERR_NOMEM;
    *item = (struct dx_outbox_item){.number = ++outbox->last_number, .opcode = opcode, .len = len};
    if (len > 0)
        memcpy(item->bytes, data, len);
    if (outbox->last != NULL)
        outbox->last->next = item;
    else
        outbox->first = item;
    outbox->last = item;
    if (outbox->next_unsent == NULL)
        outbox->next_unsent = item;
    outbox->len += len;
    outbox->unsent_len += len;
    outbox->count++;
    return DX_OK;
}

const struct dx_outbox_item *dx_outbox_next(const struct dx_outbox *outbox)
{
    return outbox->next_unsent;
}

void dx_outbox_note_sent(struct dx_outbox *outbox)
{
    outbox->last_sent = outbox->next_unsent;
    outbox->unsent_len -= outbox->next_unsent->len;
    outbox->next_unsent = outbox->next_unsent->next;
    outbox->sent_count++;
}

uint64_t dx_outbox_sent_number(const struct dx_outbox *outbox)
{
    if (outbox->sent_count == 0)
        return 0;
    return outbox->next_unsent != NULL ? outbox->next_unsent->number - 1 : outbox->last_number;
}

void dx_outbox_forget(struct dx_outbox *outbox, uint64_t number)
{
    while (outbox->first != NULL && outbox->first != outbox->next_unsent &&
           outbox->first->number <= number)
        remove_first(outbox);
}

void dx_outbox_rewind(struct dx_outbox *outbox)
{
    outbox->next_unsent = outbox->first;
    outbox->last_sent = NULL;
    outbox->unsent_len = outbox->len;
    outbox->sent_count = 0;
}
