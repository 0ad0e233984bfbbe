/*
 * echo.c - the command `duplex echo`: sends each message back.
 */
#include "cli/echo/echo.h"

#include <duplex/request.h>

#include <string.h>

#include "cli/options/items.h"
#include "cli/server/page.h"
#include "cli/server/service.h"

/* ---- options ---- */

#define FIELD(name) offsetof(struct cli_echo_config, name)

static const struct cli_option admission_options[] = {
    {.name = "origin",
     .kind = CLI_LIST,
     .field = FIELD(server.admission.origins),
     .item = &cli_item_origin,
     .choices = cli_origin_words,
     .placeholder = "ORIGIN",
     .preset = "any",
     .help = "origins: same, any, null, https://*.example.org; repeatable",
     .more = CLI_ORIGIN_MORE},
    {.name = NULL},
};

static const struct cli_option limit_options[] = {
    {.name = "max-message",
     .kind = CLI_SIZE,
     .field = FIELD(server.limits.max_message),
     .placeholder = "SIZE",
     .preset = "16M",
     .smallest = 1,
     .help = "maximum length of a message from a client",
     .more = "All fragments together. A longer message closes the connection with code 1009."},
    {.name = "max-queue",
     .kind = CLI_SIZE,
     .field = FIELD(server.limits.max_queue),
     .placeholder = "SIZE",
     .preset = "1M",
     .smallest = 1024,
     .largest = CLI_QUEUE_LARGEST,
     .help = "output that waits for a client before its input is paused",
     .more = "At four times this size the connection is aborted."},
    {.name = NULL},
};

static const struct cli_option running_options[] = {
    {.name = "text-pong",
     .kind = CLI_FLAG,
     .field = FIELD(answers_text_ping),
     .preset_note = "off",
     .help = "answer the text message ping with pong",
     .more = "Pages use this as a heartbeat, because they cannot send WebSocket pings."},
    {.name = NULL},
};

static const struct cli_group groups[] = {
    {CLI_LISTENING_TITLE, cli_listening_options, FIELD(server)},
    {CLI_ADMISSION_TITLE, admission_options, 0},
    {CLI_ADMISSION_TITLE, cli_admission_options, FIELD(server)},
    {CLI_LIMITS_TITLE, limit_options, 0},
    {CLI_LIMITS_TITLE, cli_limits_options, FIELD(server)},
    {CLI_TIMES_TITLE, cli_times_options, FIELD(server)},
    {CLI_RUNNING_TITLE, running_options, 0},
    {CLI_RUNNING_TITLE, cli_running_options, FIELD(server)},
    {CLI_LOG_TITLE, cli_log_options, FIELD(server.log)},
    CLI_GENERAL_GROUP,
    {.options = NULL},
};

static const struct cli_foreign *const foreign_words[] = {cli_server_foreign, NULL};

static bool check(const struct cli_config *general, struct cli_complaint *complaint)
{
    const struct cli_echo_config *config = (const struct cli_echo_config *)general;

    return cli_server_check(&config->server, complaint);
}

/* ---- the server ---- */

/* While a client does not read its echoes, it is not read from either. */
static void send_back(struct dx_connection *connection, enum dx_opcode opcode, const uint8_t *data,
                      size_t len)
{
    if (dx_connection_send(connection, opcode, data, len) != DX_OK)
        return; /* it is closing, or being aborted for lack of memory */
    if (dx_connection_is_congested(connection))
        dx_connection_pause(connection);
}

static void on_message(struct dx_connection *connection, enum dx_opcode opcode, uint8_t *data,
                       size_t len, void *user)
{
    (void)user;
    send_back(connection, opcode, data, len);
}

/* --text-pong: the tutorials' heartbeat. */
static void on_message_or_ping(struct dx_connection *connection, enum dx_opcode opcode,
                               uint8_t *data, size_t len, void *user)
{
    (void)user;
    if (opcode == DX_OP_TEXT && len == 4 && memcmp(data, "ping", 4) == 0)
        send_back(connection, opcode, (const uint8_t *)"pong", 4);
    else
        send_back(connection, opcode, data, len);
}

static void on_drain(struct dx_connection *connection, void *user)
{
    (void)user;
    dx_connection_resume(connection);
}

static void on_request(struct dx_request *request, void *user)
{
    static const struct dx_connection_handlers echo = {
        .size = sizeof(echo), .on_message = on_message, .on_drain = on_drain};
    static const struct dx_connection_handlers echo_or_pong = {
        .size = sizeof(echo_or_pong), .on_message = on_message_or_ping, .on_drain = on_drain};
    const struct cli_echo_config *config = user;
    struct dx_connection *connection;

    /* If it fails, the peer has gone or was answered already. */
    (void)!dx_request_accept(request, config->answers_text_ping ? &echo_or_pong : &echo, NULL,
                             &connection);
}

/* A browser that opens the address gets a page that sends messages to it. */
static void on_page(struct dx_request *request, void *user)
{
    (void)user;
    dx_request_respond(request, 200, "text/html; charset=utf-8", &cli_echo_page.header, 1,
                       cli_echo_page.html, cli_echo_page.len);
}

static int add_routes(struct cli_service *service, const void *config)
{
    struct dx_route echo = dx_route_init();
    struct dx_route page = dx_route_init();
    enum dx_err err;

    echo.on_request = on_request;
    echo.user = (void *)config;
    echo.wants_upgrades = true;
    page.on_request = on_page;
    page.wants_plain = true;
    page.methods = "GET";
    err = dx_server_route(service->server, "/", &echo);
    if (err == DX_OK)
        err = dx_server_route(service->server, "/", &page);
    return err == DX_OK ? 0 : cli_fail(service->name, "server", dx_err_text(err));
}

static int run(const struct cli_config *general)
{
    const struct cli_echo_config *config = (const struct cli_echo_config *)general;

    return cli_service_run("echo", &config->server, add_routes, config);
}

const struct cli_command cli_echo = {
    .name = "echo",
    .synopsis = "duplex echo [options]\n",
    .summary = "answer each message with itself",
    .about = "An echo server: each WebSocket message comes back as it was sent. A browser that\n"
             "opens the address gets a page to try it.\n",
    .examples = "  duplex echo\n"
                "  duplex echo --port=9000 --max-message=100M\n",
    .groups = groups,
    .config_len = sizeof(struct cli_echo_config),
    .foreign = foreign_words,
    .check = check,
    .run = run,
};
