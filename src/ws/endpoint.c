/*
 * endpoint.c - makes and releases an endpoint, and answers questions about it. Receiving is in
 * endpoint_receive.c, sending in endpoint_send.c.
 */
#include "ws/endpoint_internal.h"

#include "ws/frame.h"

#include <stdlib.h>

_Static_assert(sizeof(struct dx_endpoint) <= 96, "an idle connection is paid for in these bytes");

void dx_endpoint_init(struct dx_endpoint *endpoint, const struct dx_endpoint_config *config,
                      struct dx_output *output)
{
    *endpoint = (struct dx_endpoint){
        .config = config,
        .output = output,
        .state = STATE_FIRST,
        .mask_flag = config->role == DX_ROLE_SERVER ? DX_FRAME_MASKED : 0,
    };
}

void dx_endpoint_set_transform_state(struct dx_endpoint *endpoint, struct dx_transform_state *state)
{
    endpoint->transform_state = state;
}

void dx_endpoint_release(struct dx_endpoint *endpoint)
{
    free(endpoint->aside);
    endpoint->aside = NULL;
}

enum dx_err dx_endpoint_put_aside(struct dx_endpoint *endpoint, enum aside_place place,
                                  const uint8_t *data, size_t len)
{
    struct dx_control *control;

    if (endpoint->aside == NULL)
        endpoint->aside = calloc(1, sizeof(*endpoint->aside));
    if (endpoint->aside == NULL)
        return DX_ERR_NOMEM;
    control = &endpoint->aside->places[place];
    if (len > 0)
        memcpy(control->bytes + control->len, data, len);
    control->len = (uint8_t)(control->len + len);
    control->is_used = true;
    return DX_OK;
}

void dx_endpoint_drop_aside(struct dx_endpoint *endpoint, enum aside_place place)
{
    struct dx_aside *aside = endpoint->aside;

    if (aside == NULL)
        return;
    aside->places[place].is_used = false;
    aside->places[place].len = 0;
    if (!aside->places[ASIDE_FRAME].is_used && !aside->places[ASIDE_PONG].is_used)
        dx_endpoint_release(endpoint);
}

uint64_t dx_endpoint_payload_left(const struct dx_endpoint *endpoint)
{
    return endpoint->state == STATE_DATA ? endpoint->payload_left : 0;
}

bool dx_endpoint_is_in_message(const struct dx_endpoint *endpoint)
{
    if (endpoint->state == STATE_FIRST)
        return endpoint->fragment_count > 0;
    return endpoint->state != STATE_DEAF;
}

bool dx_endpoint_close_is_sent(const struct dx_endpoint *endpoint)
{
    return endpoint->close_is_sent;
}

bool dx_endpoint_close_is_received(const struct dx_endpoint *endpoint)
{
    return endpoint->close_is_received;
}

bool dx_endpoint_is_failed(const struct dx_endpoint *endpoint)
{
    return endpoint->is_failed;
}

bool dx_endpoint_is_sending(const struct dx_endpoint *endpoint)
{
    return endpoint->is_sending;
}
