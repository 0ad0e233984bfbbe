/*
 * attachment.c - guests of a connection (topics, completions): they learn when it has room and when
 * it ends.
 *
 * A linked list: a connection without guests pays eight bytes and one check per turn.
 */
#include "connection/connection_parts.h"

enum dx_err dx_connection_attach(struct dx_connection *connection, struct dx_attachment *attachment)
{
    if (dx_connection_is_closing(connection))
        return DX_ERR_CLOSED;
    attachment->next = connection->attachments;
    connection->attachments = attachment;
    return DX_OK;
}

void dx_connection_detach(struct dx_connection *connection, struct dx_attachment *attachment)
{
    struct dx_attachment **place = &connection->attachments;

    while (*place && *place != attachment)
        place = &(*place)->next;
    if (*place)
        *place = attachment->next;
}

struct dx_attachment *dx_connection_find_attachment(const struct dx_connection *connection,
                                                    const void *owner)
{
    struct dx_attachment *attachment = connection->attachments;

    while (attachment && attachment->owner != owner)
        attachment = attachment->next;
    return attachment;
}

static bool has_room(const struct dx_connection *connection)
{
    size_t max_queue = dx_connection_options(connection)->max_queue;

    return (max_queue == 0 || connection->output.len < max_queue / 2 ||
            connection->output.len == 0) &&
           !dx_endpoint_is_sending(&connection->endpoint);
}

bool dx_connection_has_room(struct dx_connection *connection)
{
    if (has_room(connection))
        return true;
    connection->room_is_awaited = true;
    return false;
}

/*
 * From its callback a guest may send, detach itself or another, and abort the connection: a marker
 * in the list keeps the position.
 */
static void tell_room(struct dx_connection *connection)
{
    struct dx_attachment mark = {.next = NULL};
    struct dx_attachment *attachment = connection->attachments;

    if (!connection->room_is_awaited || !has_room(connection))
        return;
    connection->room_is_awaited = false;
    while (attachment && !connection->is_dead) {
        mark.next = attachment->next;
        attachment->next = &mark;
        if (attachment->on_writable)
            attachment->on_writable(attachment, connection);
        attachment = mark.next;
        dx_connection_detach(connection, &mark);
    }
}

/*
 * The owner comes first, unless it left the guests no room the last time: an owner that fills the
 * queue on each drain would starve them.
 */
void dx_connection_tell_takers(struct dx_connection *connection)
{
    bool had_room = connection->room_is_awaited && has_room(connection);
    bool was_their_turn = connection->guests_are_next;

    if (was_their_turn)
        tell_room(connection);
    if (!connection->is_dead)
        dx_connection_tell_drain(connection);
    if (!connection->is_dead)
        tell_room(connection);
    if (had_room)
        connection->guests_are_next = !was_their_turn && connection->room_is_awaited;
}

void dx_connection_tell_gone(struct dx_connection *connection)
{
    while (connection->attachments) {
        struct dx_attachment *attachment = connection->attachments;

        connection->attachments = attachment->next;
        attachment->next = NULL;
        attachment->on_gone(attachment, connection);
    }
}
