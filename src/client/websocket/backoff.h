/*
 * backoff.h - when to try again: exponential, with full jitter, so that clients of a server that
 * comes back do not come all at once. No clock and no randomness of its own.
 */
#ifndef DX_CLIENT_BACKOFF_H
#define DX_CLIENT_BACKOFF_H

#include <duplex/client.h>

/**
 * The delay before attempt `attempt` (1 is the first after a loss): a random part of what it may be
 * at most; `random` is uniform over 32 bits.
 */
uint32_t dx_backoff_delay(const struct dx_reconnect_options *options, uint32_t attempt,
                          uint32_t random);

/**
 * Whether another attempt could end differently: false for what will stay as it is (a certificate,
 * 401, 1008 …). `error` may be NULL: a Close came.
 */
bool dx_backoff_is_worth_it(const struct dx_error_event *error, const struct dx_close_event *close);

#endif
