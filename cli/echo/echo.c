/*
 * echo.c - the command `duplex echo`: sends each message back.
 */
#include <duplex/request.h>

#include <string.h>

#include "cli/command.h"
#include "cli/commands.h"
#include "cli/server/service.h"

/* The client that does not read its own echoes is not read from either. */
static void send_back(struct dx_connection *connection, enum dx_opcode opcode, const uint8_t *data,
                      size_t len)
{
    if (dx_connection_send(connection, opcode, data, len) != DX_OK)
        return; /* it is closing, or being cut for lack of memory */
    if (dx_connection_is_congested(connection))
        dx_connection_pause(connection);
}

static void on_message(struct dx_connection *connection, enum dx_opcode opcode, uint8_t *data,
                       size_t len)
{
    send_back(connection, opcode, data, len);
}

/* --text-pong: the tutorials' heartbeat. */
static void on_message_or_ping(struct dx_connection *connection, enum dx_opcode opcode,
                               uint8_t *data, size_t len)
{
    if (opcode == DX_OP_TEXT && len == 4 && memcmp(data, "ping", 4) == 0)
        send_back(connection, opcode, (const uint8_t *)"pong", 4);
    else
        send_back(connection, opcode, data, len);
}

static void on_drain(struct dx_connection *connection)
{
    dx_connection_resume(connection);
}

static void on_request(struct dx_request *request, void *user)
{
    static const struct dx_connection_handlers echo = {.on_message = on_message,
                                                       .on_drain = on_drain};
    static const struct dx_connection_handlers echo_or_pong = {.on_message = on_message_or_ping,
                                                               .on_drain = on_drain};
    const struct cli_config *config = user;
    struct dx_connection *connection;

    /* When it fails the peer has gone, or was answered already. */
    (void)!dx_request_accept(request, config->text_pong ? &echo_or_pong : &echo, NULL, &connection);
}

static struct dx_route route = {.on_request = on_request, .wants_upgrades = true};

static int add_routes(struct cli_service *service)
{
    enum dx_err err;

    route.user = (void *)service->config;
    err = dx_server_route(service->server, "/", &route);
    return err == DX_OK ? 0 : cli_service_fail(service, "server", dx_err_text(err));
}

int cli_echo(const struct cli_config *config)
{
    return cli_service_run(config, add_routes);
}
