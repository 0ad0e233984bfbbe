/*
 * message.c - see message.h. Most messages are looked at and forgotten: those are never copied.
 */
#include "client/websocket/message.h"

#include <stdlib.h>
#include <string.h>

enum dx_opcode dx_message_opcode(const struct dx_message *message)
{
    return message->opcode;
}

const uint8_t *dx_message_data(const struct dx_message *message, size_t *len)
{
    *len = message->len;
    return message->data;
}

void dx_message_view_init(struct dx_message *message, enum dx_opcode opcode, const uint8_t *data,
                          size_t len)
{
    *message = (struct dx_message){.opcode = opcode, .data = data, .len = len};
}

void dx_message_view_end(struct dx_message *message)
{
    dx_message_drop(message->kept);
}

static bool is_view(const struct dx_message *message)
{
    return atomic_load(&message->references) == 0;
}

static struct dx_message *copy(const struct dx_message *view)
{
    struct dx_message *made = malloc(sizeof(*made) + view->len);
    uint8_t *bytes;

    if (made == NULL)
        return NULL;
    bytes = (uint8_t *)(made + 1);
    *made = (struct dx_message){.opcode = view->opcode, .data = bytes, .len = view->len};
    atomic_init(&made->references, 1); /* the view's */
    if (view->len > 0)
        memcpy(bytes, view->data, view->len);
    return made;
}

struct dx_message *dx_message_keep(struct dx_message *message)
{
    if (is_view(message)) {
        if (message->kept == NULL)
            message->kept = copy(message);
        message = message->kept;
    }
    if (message != NULL)
        atomic_fetch_add(&message->references, 1);
    return message;
}

void dx_message_drop(struct dx_message *message)
{
    if (message != NULL && atomic_fetch_sub(&message->references, 1) == 1)
        free(message);
}
