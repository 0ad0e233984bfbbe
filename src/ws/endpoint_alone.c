/*
 * endpoint_alone.c - an endpoint with everything it needs in one allocation, for programs with
 * their own input and output (<duplex/endpoint.h>). A connection does not use it, because its loop
 * has one pool for all.
 */
#include "ws/endpoint.h"

#include "base/sized.h"

#include <stdlib.h>

#define KEPT_BLOCKS 1

struct alone {
    struct dx_endpoint endpoint; /* first, because the owner's pointer leads here */
    struct dx_endpoint_config config;
    struct dx_output output;
    struct dx_pool pool;
};

enum dx_err dx_endpoint_new(const struct dx_endpoint_options *options,
                            struct dx_endpoint **endpoint)
{
    struct dx_endpoint_options own = dx_endpoint_options_init(DX_ROLE_SERVER);
    struct alone *alone;
    enum dx_err err = DX_SIZED_COPY(struct dx_endpoint_options, user, &own, options);

    if (err != DX_OK)
        return err;
    if (own.max_fragments == 0 || own.max_output < DX_BLOCK_SIZE ||
        (own.role == DX_ROLE_CLIENT && own.fill_random == NULL))
        return DX_ERR_USAGE;
    alone = calloc(1, sizeof(*alone));
    if (alone == NULL)
        return DX_ERR_NOMEM;
    alone->config = (struct dx_endpoint_config){.role = own.role,
                                                .max_message = own.max_message,
                                                .max_fragments = own.max_fragments,
                                                .fill_random = own.fill_random,
                                                .random_user = own.user};
    dx_pool_init(&alone->pool, KEPT_BLOCKS, own.max_output);
    dx_output_init(&alone->output, &alone->pool);
    dx_endpoint_init(&alone->endpoint, &alone->config, &alone->output);
    *endpoint = &alone->endpoint;
    return DX_OK;
}

void dx_endpoint_free(struct dx_endpoint *endpoint)
{
    struct alone *alone = (struct alone *)(void *)endpoint;

    if (alone == NULL)
        return;
    dx_endpoint_release(endpoint);
    dx_output_clear(&alone->output);
    dx_pool_release(&alone->pool);
    free(alone);
}

size_t dx_endpoint_output(const struct dx_endpoint *endpoint, struct dx_slice *slices,
                          size_t max_count)
{
    return dx_output_peek(endpoint->output, slices, max_count);
}

void dx_endpoint_output_sent(struct dx_endpoint *endpoint, size_t len)
{
    dx_output_consume(endpoint->output, len);
}

size_t dx_endpoint_buffered_amount(const struct dx_endpoint *endpoint)
{
    return endpoint->output->len;
}
