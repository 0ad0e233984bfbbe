/*
 * endpoint.c - life and questions of an endpoint. Receiving is in endpoint_receive.c, sending in endpoint_send.c.
 */
#include "ws/endpoint_internal.h"

#include "ws/frame.h"
#include "ws/simd.h"

#include <stdlib.h>

_Static_assert(sizeof(struct dx_endpoint) <= 144, "an idle connection is paid for in these bytes");

void dx_endpoint_init(struct dx_endpoint *endpoint, const struct dx_endpoint_config *config,
                      struct dx_output *output)
{
    *endpoint = (struct dx_endpoint){
        .config = config,
        .output = output,
        .simd = dx_simd_get(),
        .state = STATE_FIRST,
        .mask_flag = config->role == DX_ROLE_SERVER ? DX_FRAME_MASKED : 0,
    };
}

void dx_endpoint_set_transform_state(struct dx_endpoint *endpoint, void *state)
{
    endpoint->transform_state = state;
}

void dx_endpoint_release(struct dx_endpoint *endpoint)
{
    free(endpoint->control);
    endpoint->control = NULL;
    free(endpoint->pong);
    endpoint->pong = NULL;
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
