/*
 * hang_up.c - detects that the peer has gone while reading is paused.
 *
 * The watch reports a FIN that has arrived. But a peer that filled our receive window before it
 * closed cannot deliver its FIN: data without room is ahead of it. A segment from us provokes an
 * answer, and a closed socket answers with RST. So while the kernel holds unread input, an
 * unsolicited pong (RFC 6455 section 5.5.3: a one-way heartbeat) is sent from time to time. Cost: a
 * send of two bytes, 20 times a second for a local peer; for others twice a second after the first
 * second.
 */
#include "connection/connection_parts.h"

#include "net/socket/address.h"

#include <sys/ioctl.h>

#define SOON_MS 50
#define LATER_MS 500
#define SOON_COUNT 20
#define NEVER_COUNT UINT8_MAX /* in probe_count: a unix socket, whose end the watch reports */

bool dx_connection_is_probing(const struct dx_connection *connection)
{
    return connection->is_paused && !connection->hang_up_is_told && !connection->has_ended &&
           connection->writing == DX_WRITING_FLOWING && !connection->is_draining &&
           connection->probe_count != NEVER_COUNT && dx_connection_is_open(connection);
}

uint32_t dx_connection_probe_interval(const struct dx_connection *connection)
{
    return connection->probe_count < SOON_COUNT ? SOON_MS : LATER_MS;
}

/* Counts the probes of remote peers: their interval grows later, that of local peers never. */
static void count_probe(struct dx_connection *connection)
{
    struct sockaddr_storage from = {.ss_family = AF_UNSPEC};
    socklen_t len = sizeof(from);
    struct dx_address peer;

    if (connection->probe_count >= SOON_COUNT ||
        getpeername(connection->stream.watch.fd, (struct sockaddr *)&from, &len) != 0)
        return;
    dx_address_init(&peer, &from);
    if (peer.family == DX_ADDRESS_UNIX)
        connection->probe_count = NEVER_COUNT;
    else if (!dx_address_is_loopback(&peer))
        connection->probe_count++;
}

void dx_connection_probe(struct dx_connection *connection)
{
    int unread = 0;

    connection->heard_ms = dx_connection_now(connection);
    count_probe(connection);
    if (connection->probe_count == NEVER_COUNT)
        return;
    /* Nothing unread: the window has room for the peer's FIN. */
    if (ioctl(connection->stream.watch.fd, FIONREAD, &unread) != 0 || unread == 0)
        return;
    /* Out of memory: the next probe tries again. */
    (void)!dx_endpoint_pong(&connection->endpoint, NULL, 0);
}

void dx_connection_note_hang_up(struct dx_connection *connection)
{
    if (connection->hang_up_is_told || connection->has_ended) {
        /* Reported in spite of DX_WATCH_QUIET: both directions are closed. */
        dx_watch_stop(dx_connection_loop(connection), &connection->stream.watch);
        connection->is_unwatched = true;
        if (connection->writing == DX_WRITING_BLOCKED)
            dx_connection_end(connection, DX_ERR_RESET, "the peer reset the connection", true);
        return;
    }
    connection->hang_up_is_told = true;
    if (connection->handlers->on_hang_up)
        connection->handlers->on_hang_up(connection, connection->user);
}
