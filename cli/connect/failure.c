/*
 * failure.c - see failure.h.
 */
#include "cli/connect/failure.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

#include "cli/options/complaint.h"

int cli_failure_status(const struct dx_error_event *error)
{
    static const int statuses[] = {
        [DX_STEP_RESOLVE] = CLI_EXIT_RESOLVE,   [DX_STEP_CONNECT] = CLI_EXIT_CONNECT,
        [DX_STEP_PROXY] = CLI_EXIT_CONNECT,     [DX_STEP_TLS] = CLI_EXIT_TLS,
        [DX_STEP_UPGRADE] = CLI_EXIT_REFUSED,   [DX_STEP_HANDSHAKE] = CLI_EXIT_PROTOCOL,
        [DX_STEP_PROTOCOL] = CLI_EXIT_PROTOCOL, [DX_STEP_HEARTBEAT] = CLI_EXIT_TIMEOUT,
        [DX_STEP_LOST] = CLI_EXIT_LOST,         [DX_STEP_CLOSED] = CLI_EXIT_UNEXPECTED,
    };
    bool is_short_of_descriptors =
        error->system_error == EMFILE &&
        (error->err == DX_ERR_DESCRIPTORS || error->err == DX_ERR_SYSTEM);

    if (error->err == DX_ERR_NOMEM || is_short_of_descriptors)
        return CLI_EXIT_RESOURCE;
    if (error->step == DX_STEP_HANDSHAKE && error->err == DX_ERR_TIMEOUT)
        return CLI_EXIT_TIMEOUT;
    if (error->step == DX_STEP_HANDSHAKE &&
        (error->err == DX_ERR_CLOSED || error->err == DX_ERR_RESET))
        return CLI_EXIT_LOST;
    return statuses[error->step];
}

static bool has_header(const struct dx_error_event *error, const char *name)
{
    for (size_t i = 0; i < error->header_count; i++)
        if (strcasecmp(error->headers[i].name, name) == 0)
            return true;
    return false;
}

static bool body_has(const struct dx_error_event *error, const char *words)
{
    return error->body_len > 0 && memmem(error->body, error->body_len, words, strlen(words));
}

/* Duplex, nginx, Apache httpd and Go answer plain HTTP on a TLS port with 400 and such a body. */
static bool is_plain_on_tls(const struct cli_url *url, const struct dx_error_event *error)
{
    return url && !url->parts.is_secure && error->http_status == 400 &&
           (body_has(error, "speaks TLS") || body_has(error, "HTTPS port") ||
            body_has(error, "SSL-enabled") || body_has(error, "HTTPS server"));
}

static const char *advice_for_answer(const struct cli_url *url, const struct dx_error_event *error)
{
    if (is_plain_on_tls(url, error))
        return "the port speaks TLS: write wss:// in place of ws://";
    switch (error->http_status) {
    case 401:
        return "log in with --user or --bearer";
    case 403:
        return "check the path, --origin and the login; -v shows the whole answer";
    case 421:
        return "the server does not serve this host name; duplex serve has --host=NAME for it";
    case 429:
        return "too many connections from this address; try again later";
    case 503:
        return has_header(error, "Retry-After")
                   ? "the server has no room now; try again later, or let --reconnect try"
                   : "the server is full or restarting; -v shows the whole answer";
    default:
        return error->http_status >= 300 && error->http_status < 400
                   ? "--max-redirects=N follows it"
                   : "check the path; -v shows the whole answer";
    }
}

static const char *advice_for_handshake(const struct cli_connect_config *config,
                                        const struct cli_url *url,
                                        const struct dx_error_event *error)
{
    bool has_no_answer = error->err == DX_ERR_CLOSED || error->err == DX_ERR_RESET;

    if (config->subprotocols.count > 0)
        return "check --subprotocol, and that a WebSocket server listens there";
    /* Many TLS servers cut a plain connection without a word. */
    if (has_no_answer && url && !url->parts.is_secure)
        return "check that a WebSocket server listens there; if the port speaks TLS, write wss://";
    return "check that a WebSocket server listens there";
}

static const char *advice_for_tls(const struct dx_error_event *error)
{
    if (error->detail && strstr(error->detail, "does not speak TLS"))
        return "write ws:// in place of wss://";
    return "--ca=FILE names whom to trust, --insecure skips verification";
}

const char *cli_failure_advice(const struct cli_connect_config *config, const struct cli_url *url,
                               const struct dx_error_event *error)
{
    static const char *const advice[] = {
        [DX_STEP_RESOLVE] = "check the name and the network",
        [DX_STEP_CONNECT] = "check that the server runs there",
        [DX_STEP_PROXY] = "check --proxy and the environment; --proxy=none connects directly",
        [DX_STEP_PROTOCOL] = "the server is at fault; -v shows more",
        [DX_STEP_HEARTBEAT] = "check the network, or give --heartbeat more time",
        [DX_STEP_LOST] = "--reconnect tries again",
        [DX_STEP_CLOSED] = "give it more time",
    };

    if (error->step == DX_STEP_UPGRADE)
        return advice_for_answer(url, error);
    if (error->err == DX_ERR_TOO_BIG && error->step == DX_STEP_PROTOCOL)
        return "--max-message=SIZE allows more";
    if (error->err == DX_ERR_TIMEOUT && error->step < DX_STEP_PROTOCOL)
        return "check the server, or give --handshake-timeout more time";
    if (error->step == DX_STEP_HANDSHAKE)
        return advice_for_handshake(config, url, error);
    return error->step == DX_STEP_TLS ? advice_for_tls(error) : advice[error->step];
}
