/*
 * backoff.c - see backoff.h.
 */
#include "client/websocket/backoff.h"

uint32_t dx_backoff_delay(const struct dx_reconnect_options *options, uint32_t attempt,
                          uint32_t random)
{
    uint64_t most = options->first_delay_ms;

    for (uint32_t i = 1; i < attempt && most < options->max_delay_ms; i++)
        most *= 2;
    if (most > options->max_delay_ms)
        most = options->max_delay_ms;
    return (uint32_t)((most * random) >> 32);
}

/*
 * 408, 425 and 429 say themselves that later is better; what else is 4xx is about the request,
 * which would be the same.
 */
static bool is_passing(uint16_t status)
{
    return status >= 500 || status == 408 || status == 425 || status == 429;
}

static bool is_passing_code(uint16_t code)
{
    switch (code) {
    case DX_CLOSE_NORMAL:
    case DX_CLOSE_PROTOCOL_ERROR:
    case DX_CLOSE_UNSUPPORTED:
    case DX_CLOSE_INVALID_DATA:
    case DX_CLOSE_POLICY:
    case DX_CLOSE_TOO_BIG:
    case DX_CLOSE_MISSING_EXTENSION:
        return false;
    default:
        return true; /* 1001, 1005, 1006, 1011 to 1014, and what applications mean */
    }
}

/* What this machine or the network may have had at that moment only. */
static bool is_passing_error(enum dx_err err)
{
    switch (err) {
    case DX_ERR_TIMEOUT:
    case DX_ERR_RESET:
    case DX_ERR_CLOSED:
    case DX_ERR_NOMEM:
    case DX_ERR_TOO_MANY:
    case DX_ERR_SYSTEM:
    case DX_ERR_DESCRIPTORS:
        return true;
    default:
        return false;
    }
}

bool dx_backoff_is_worth_it(const struct dx_error_event *error, const struct dx_close_event *close)
{
    if (error == NULL)
        return is_passing_code(close->code);
    switch (error->step) {
    case DX_STEP_UPGRADE:
        return is_passing(error->http_status);
    case DX_STEP_PROXY:
        return error->http_status == 0 ? error->err != DX_ERR_REFUSED
                                       : is_passing(error->http_status);
    case DX_STEP_TLS:
    case DX_STEP_HANDSHAKE:
        return is_passing_error(error->err);
    case DX_STEP_PROTOCOL:
        return error->err == DX_ERR_TIMEOUT || error->err == DX_ERR_NOMEM;
    case DX_STEP_CONNECT: /* a blocked port, a path that is too long */
        return error->err != DX_ERR_ACCESS && error->err != DX_ERR_USAGE;
    case DX_STEP_CLOSED:
        return false;
    case DX_STEP_RESOLVE:
    case DX_STEP_HEARTBEAT:
    case DX_STEP_LOST:
        return true;
    }
    return true;
}
