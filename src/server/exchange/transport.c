/*
 * transport.c - what every transport needs of its shard. Its operations are its own.
 */
#include "server/exchange/transport.h"

void dx_transport_insert(struct dx_transport *transport)
{
    struct dx_shard *shard = transport->shard;

    transport->next = shard->transports;
    transport->previous_next = &shard->transports;
    if (transport->next != NULL)
        transport->next->previous_next = &transport->next;
    shard->transports = transport;
}

void dx_transport_remove(struct dx_transport *transport)
{
    *transport->previous_next = transport->next;
    if (transport->next != NULL)
        transport->next->previous_next = transport->previous_next;
}

bool dx_transport_begin_half_open(struct dx_transport *transport)
{
    transport->is_half_open =
        dx_half_open_add(&transport->shard->server->half_open, &transport->peer);
    return transport->is_half_open;
}

void dx_transport_end_half_open(struct dx_transport *transport)
{
    if (transport->is_half_open)
        dx_half_open_remove(&transport->shard->server->half_open, &transport->peer);
    transport->is_half_open = false;
}
