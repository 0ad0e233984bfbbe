/*
 * server.c - the client of --listen, as the peer: a server that admits the first client and refuses
 * the others.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <duplex/request.h>

#include "base/container.h"
#include "cli/connect/peer/peer.h"
#include "cli/options/complaint.h"

#define MAX_QUEUE 1048576

struct server {
    struct cli_peer peer;
    struct cli_peer_setup setup;
    struct dx_server *server;
    struct dx_connection *connection; /* NULL: no client yet, or it has gone */
    bool is_taken;
};

static struct server *server_of(struct cli_peer *peer)
{
    return dx_container_of(peer, struct server, peer);
}

static const struct cli_peer_events *events_of(void *user)
{
    return ((struct server *)user)->setup.events;
}

/* ---- what the session asks for ---- */

static enum dx_err send_message(struct cli_peer *peer, enum dx_opcode opcode, const void *data,
                                size_t len)
{
    struct dx_connection *connection = server_of(peer)->connection;

    if (!connection)
        return DX_ERR_CLOSED;
    if (opcode == DX_OP_TEXT && !dx_utf8_is_valid(data, len))
        return DX_ERR_UTF8;
    if (dx_connection_is_congested(connection))
        return DX_ERR_QUEUE_FULL;
    return dx_connection_send(connection, opcode, data, len);
}

static enum dx_err ping(struct cli_peer *peer, const void *data, size_t len)
{
    struct dx_connection *connection = server_of(peer)->connection;

    return connection ? dx_connection_ping(connection, data, len) : DX_ERR_CLOSED;
}

static enum dx_err close_it(struct cli_peer *peer, uint16_t code, const char *reason, size_t len)
{
    struct dx_connection *connection = server_of(peer)->connection;

    if (!connection)
        return DX_OK;
    return dx_connection_close(connection, code == 0 ? DX_CLOSE_NO_STATUS : code, reason, len);
}

static void abort_it(struct cli_peer *peer)
{
    if (server_of(peer)->connection)
        dx_connection_abort(server_of(peer)->connection, DX_ERR_CLOSED, "it was ended");
}

static void pause_it(struct cli_peer *peer, bool is_paused)
{
    struct dx_connection *connection = server_of(peer)->connection;

    if (connection && is_paused)
        dx_connection_pause(connection);
    else if (connection)
        dx_connection_resume(connection);
}

static bool is_waiting(struct cli_peer *peer)
{
    struct dx_connection *connection = server_of(peer)->connection;

    return connection && dx_connection_buffered_amount(connection) > 0;
}

static void free_it(struct cli_peer *peer)
{
    dx_server_free(server_of(peer)->server);
    free(server_of(peer));
}

/* ---- what the connection tells ---- */

static void on_message(struct dx_connection *connection, enum dx_opcode opcode, uint8_t *data,
                       size_t len, void *user)
{
    const struct cli_peer_events *events = events_of(user);

    (void)connection;
    events->on_message(events->user, opcode, data, len);
}

static void on_drain(struct dx_connection *connection, void *user)
{
    const struct cli_peer_events *events = events_of(user);

    (void)connection;
    events->on_drain(events->user);
}

static void on_pong(struct dx_connection *connection, const uint8_t *data, size_t len, void *user)
{
    const struct cli_peer_events *events = events_of(user);

    (void)connection;
    events->on_control(events->user, false, data, len);
}

static void on_ping(struct dx_connection *connection, const uint8_t *data, size_t len, void *user)
{
    const struct cli_peer_events *events = events_of(user);

    (void)connection;
    events->on_control(events->user, true, data, len);
}

static enum dx_failure_step step_of(enum dx_err err)
{
    switch (err) {
    case DX_ERR_PROTOCOL:
    case DX_ERR_UTF8:
    case DX_ERR_TOO_BIG:
    case DX_ERR_TOO_MANY:
        return DX_STEP_PROTOCOL;
    case DX_ERR_TIMEOUT:
        return DX_STEP_HEARTBEAT;
    default:
        return DX_STEP_LOST;
    }
}

static void on_close(struct dx_connection *connection, const struct dx_close_info *info, void *user)
{
    struct server *server = user;
    const struct cli_peer_events *events = server->setup.events;
    struct dx_error_event error = {
        .step = step_of(info->err),
        .err = info->err,
        .detail = info->detail ? info->detail : "the connection ended without a Close frame"};
    struct dx_close_event close = {.code = info->was_clean ? info->code : DX_CLOSE_ABNORMAL,
                                   .reason = info->was_clean ? info->reason : "",
                                   .reason_len = info->was_clean ? info->reason_len : 0,
                                   .was_clean = info->was_clean};

    (void)connection;
    server->connection = NULL;
    if (!info->was_clean)
        events->on_error(events->user, &error);
    events->on_close(events->user, &close);
}

/* ---- the client ---- */

static void on_request(struct dx_request *request, void *user)
{
    static const struct dx_header retry = {"Retry-After", "1"};
    static const struct dx_connection_handlers handlers = {.size = sizeof(handlers),
                                                           .on_message = on_message,
                                                           .on_drain = on_drain,
                                                           .on_pong = on_pong,
                                                           .on_ping = on_ping,
                                                           .on_close = on_close};
    struct server *server = user;
    const struct cli_peer_events *events = server->setup.events;
    const char *greeting = server->setup.config->on_open;
    char peer[DX_HOST_ROOM + 8];
    char target[512];

    if (server->is_taken) {
        dx_request_refuse(request, 503, "another client is connected already", &retry, 1);
        return;
    }
    snprintf(peer, sizeof(peer), "%s:%u", dx_request_peer_host(request),
             (unsigned)dx_request_peer_port(request));
    snprintf(target, sizeof(target), "%s", dx_request_target(request));
    if (dx_request_accept(request, &handlers, server, &server->connection) != DX_OK)
        return; /* it has gone: the next one may come */
    server->is_taken = true;
    if (greeting &&
        dx_connection_send(server->connection, DX_OP_TEXT, greeting, strlen(greeting)) != DX_OK)
        cli_screen_note(server->setup.screen, "--on-open was not sent");
    events->on_open(events->user, &(struct cli_opening){.address = peer, .target = target});
}

/* ---- the beginning ---- */

static void announce(const struct server *server)
{
    const char *url;

    if (server->setup.config->is_quiet)
        return;
    fputs("duplex connect: waiting on", stderr);
    for (size_t i = 0; (url = dx_server_url(server->server, i)) != NULL; i++)
        fprintf(stderr, "%s %s", i > 0 ? "," : "", url);
    fputc('\n', stderr);
}

static void set_connection(const struct cli_connect_config *config,
                           struct dx_connection_options *connection)
{
    connection->max_message = config->max_message;
    connection->max_queue = MAX_QUEUE;
    connection->message_timeout_ms = 0;
    connection->write_timeout_ms = 0;
    connection->close_timeout_ms = config->close_timeout_ms;
    connection->ping_interval_ms = config->heartbeat_ms;
    connection->pong_timeout_ms = config->heartbeat_ms;
}

static void set_options(const struct cli_connect_config *config, struct dx_server_options *options)
{
    static const char *const any[] = {"any"};

    options->handshake_timeout_ms = config->handshake_timeout_ms;
    options->origins = any;
    options->origin_count = 1;
    options->subprotocols = config->subprotocols.items;
    options->subprotocol_count = config->subprotocols.count;
}

static int start(struct server *server)
{
    const struct cli_connect_config *config = server->setup.config;
    const struct cli_screen *screen = server->setup.screen;
    const char *const *addresses = config->listen.items;
    struct dx_server_options options = dx_server_options_init();
    struct dx_connection_options connection = dx_connection_options_init();
    struct dx_route route = dx_route_init();
    char why[256] = "";
    enum dx_err err;

    set_connection(config, &connection);
    options.connection = &connection;
    set_options(config, &options);
    route.on_request = on_request;
    route.user = server;
    route.wants_upgrades = true;
    err = dx_server_new(server->setup.loop, &options, &server->server);
    if (err == DX_OK)
        err = dx_server_route(server->server, "/", &route);
    if (err != DX_OK)
        return cli_screen_complain(screen, CLI_EXIT_RESOURCE, "server", "%s", dx_err_text(err));
    for (size_t i = 0; i < config->listen.count; i++) {
        err = dx_server_listen(server->server, addresses[i], NULL, why, sizeof(why));
        if (err != DX_OK)
            return cli_screen_complain(screen, CLI_EXIT_RESOURCE, addresses[i], "%s",
                                       *why ? why : dx_err_text(err));
    }
    announce(server);
    return 0;
}

int cli_peer_listen(const struct cli_peer_setup *setup, struct cli_peer **peer)
{
    struct server *server = calloc(1, sizeof(*server));
    int exit_status;

    if (!server)
        return cli_screen_complain(setup->screen, CLI_EXIT_RESOURCE, "memory", "out of memory");
    server->peer = (struct cli_peer){.send = send_message,
                                     .ping = ping,
                                     .close = close_it,
                                     .abort = abort_it,
                                     .pause = pause_it,
                                     .is_waiting = is_waiting,
                                     .free = free_it};
    server->setup = *setup;
    exit_status = start(server);
    if (exit_status != 0)
        free_it(&server->peer);
    else
        *peer = &server->peer;
    return exit_status;
}
