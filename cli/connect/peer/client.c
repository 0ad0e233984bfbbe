/*
 * client.c - the server that a URL names, as the peer: makes the library's websocket of the command
 * line's options.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <duplex/tls_client.h>
#include <duplex/version.h>

#include "base/container.h"
#include "cli/connect/peer/peer.h"
#include "cli/connect/peer/proxy.h"
#include "cli/options/complaint.h"
#include "cli/options/header.h"
#include "cli/text/buffer.h"
#include "cli/text/codec.h"

#define MAX_QUEUE 1048576
#define HEARTBEAT_MS 30000 /* of --heartbeat-text alone */

struct client {
    struct cli_peer peer;
    struct cli_peer_setup setup;
    struct dx_websocket *websocket;
    struct dx_tls_client *tls;
    struct dx_header *headers;
    size_t header_count;
    char *login;               /* the value of Authorization */
    char *cookies;             /* the value of Cookie */
    struct cli_buffer message; /* one that has come in part */
    char *heartbeat;           /* copy of --heartbeat-text, cut in two */
    int keylog_fd;
};

static struct client *client_of(struct cli_peer *peer)
{
    return dx_container_of(peer, struct client, peer);
}

static int fail(struct client *client, const char *what, const char *why)
{
    return cli_screen_complain(client->setup.screen, CLI_EXIT_RESOURCE, what, "%s", why);
}

/* ---- what the session asks for ---- */

static enum dx_err send_message(struct cli_peer *peer, enum dx_opcode opcode, const void *data,
                                size_t len)
{
    return dx_websocket_send(client_of(peer)->websocket, opcode, data, len);
}

static enum dx_err ping(struct cli_peer *peer, const void *data, size_t len)
{
    return dx_websocket_ping(client_of(peer)->websocket, data, len);
}

static enum dx_err close_it(struct cli_peer *peer, uint16_t code, const char *reason, size_t len)
{
    return dx_websocket_close(client_of(peer)->websocket, code, reason, len);
}

static void abort_it(struct cli_peer *peer)
{
    dx_websocket_abort(client_of(peer)->websocket);
}

static void pause_it(struct cli_peer *peer, bool is_paused)
{
    if (is_paused)
        dx_websocket_pause(client_of(peer)->websocket);
    else
        dx_websocket_resume(client_of(peer)->websocket);
}

static bool is_waiting(struct cli_peer *peer)
{
    size_t count, unproven;

    dx_websocket_outbox(client_of(peer)->websocket, &count, &unproven);
    return count > 0 || dx_websocket_buffered_amount(client_of(peer)->websocket) > 0;
}

static void free_it(struct cli_peer *peer)
{
    struct client *client = client_of(peer);

    dx_websocket_free(client->websocket);
    dx_tls_client_free(client->tls);
    if (client->login)
        explicit_bzero(client->login, strlen(client->login));
    free(client->login);
    free(client->cookies);
    free(client->heartbeat);
    free(client->headers);
    cli_buffer_release(&client->message);
    if (client->keylog_fd >= 0)
        close(client->keylog_fd);
    free(client);
}

/* ---- what the websocket tells ---- */

static const struct cli_peer_events *events_of(void *user)
{
    return ((struct client *)user)->setup.events;
}

static void on_open(struct dx_websocket *websocket, void *user)
{
    const struct cli_peer_events *events = events_of(user);

    events->on_open(events->user, &(struct cli_opening){.websocket = websocket});
}

/* In pieces, so that a long message on its way is a sign of life. */
static void on_chunk(struct dx_websocket *websocket, enum dx_opcode opcode, const uint8_t *data,
                     size_t len, bool is_first, bool is_last, void *user)
{
    struct client *client = user;
    struct cli_buffer *message = &client->message;
    const struct cli_peer_events *events = client->setup.events;

    (void)websocket;
    if (is_first && is_last) {
        events->on_message(events->user, opcode, data, len);
        return;
    }
    if (is_first)
        cli_buffer_clear(message);
    cli_buffer_put(message, data, len);
    events->on_piece(events->user);
    if (message->has_failed)
        events->on_failure(events->user, fail(client, "memory", dx_err_text(DX_ERR_NOMEM)));
    else if (is_last)
        events->on_message(events->user, opcode, message->bytes.data, message->bytes.len);
    if (is_last)
        cli_buffer_clear(message);
}

static void on_error(struct dx_websocket *websocket, const struct dx_error_event *error, void *user)
{
    const struct cli_peer_events *events = events_of(user);

    (void)websocket;
    events->on_error(events->user, error);
}

static void on_close(struct dx_websocket *websocket, const struct dx_close_event *close, void *user)
{
    const struct cli_peer_events *events = events_of(user);

    (void)websocket;
    events->on_close(events->user, close);
}

static void on_drain(struct dx_websocket *websocket, void *user)
{
    const struct cli_peer_events *events = events_of(user);

    (void)websocket;
    events->on_drain(events->user);
}

static void on_pong(struct dx_websocket *websocket, const uint8_t *data, size_t len, void *user)
{
    const struct cli_peer_events *events = events_of(user);

    (void)websocket;
    events->on_control(events->user, false, data, len);
}

static void on_ping(struct dx_websocket *websocket, const uint8_t *data, size_t len, void *user)
{
    const struct cli_peer_events *events = events_of(user);

    (void)websocket;
    events->on_control(events->user, true, data, len);
}

static void on_request(struct dx_websocket *websocket, const char *head, size_t len, void *user)
{
    const struct cli_peer_events *events = events_of(user);

    (void)websocket;
    events->on_request(events->user, head, len);
}

/* ---- headers ---- */

static char *make_basic(struct dx_slice login)
{
    struct cli_buffer value = {0};

    cli_buffer_put_text(&value, "Basic ");
    cli_base64_encode(&value, login.data, login.len);
    cli_buffer_put(&value, "", 1);
    if (value.has_failed)
        cli_buffer_release(&value);
    return cli_buffer_text(&value);
}

static char *make_bearer(const char *token)
{
    char *value;

    return asprintf(&value, "Bearer %s", token) < 0 ? NULL : value;
}

static char *join_cookies(const struct cli_list *cookies)
{
    const char *const *items = cookies->items;
    struct cli_buffer value = {0};

    for (size_t i = 0; i < cookies->count; i++) {
        cli_buffer_put_text(&value, i > 0 ? "; " : "");
        cli_buffer_put_text(&value, items[i]);
    }
    cli_buffer_put(&value, "", 1);
    if (value.has_failed)
        cli_buffer_release(&value);
    return cli_buffer_text(&value);
}

static bool make_headers(struct client *client)
{
    const struct cli_connect_config *config = client->setup.config;
    const struct cli_header *given = config->headers.items;
    const struct dx_url_login *of_url = &client->setup.url->login;
    struct dx_slice login =
        config->user ? dx_slice_of(config->user) : dx_slice_of_len(of_url->text, of_url->len);

    client->headers = calloc(config->headers.count + 2, sizeof(*client->headers));
    if (!client->headers)
        return false;
    for (size_t i = 0; i < config->headers.count; i++)
        client->headers[client->header_count++] = (struct dx_header){given[i].name, given[i].value};
    if (config->bearer || login.len > 0) {
        client->login = config->bearer ? make_bearer(config->bearer) : make_basic(login);
        if (!client->login)
            return false;
        client->headers[client->header_count++] =
            (struct dx_header){"Authorization", client->login};
    }
    if (config->cookies.count > 0) {
        client->cookies = join_cookies(&config->cookies);
        if (!client->cookies)
            return false;
        client->headers[client->header_count++] = (struct dx_header){"Cookie", client->cookies};
    }
    return true;
}

/* ---- TLS ---- */

static void on_keylog(const char *line, void *user)
{
    struct client *client = user;
    char text[512];
    int len = snprintf(text, sizeof(text), "%s\n", line);

    if (len > 0 && (size_t)len < sizeof(text))
        (void)!write(client->keylog_fd, text, (size_t)len);
}

/* Only when something is asked for: the library makes the usual one for the first wss. */
static int make_tls(struct client *client)
{
    const struct cli_connect_config *config = client->setup.config;
    struct dx_tls_client_options options = dx_tls_client_options_init();
    char why[256] = "";

    if (!config->ca && !config->cert && !config->server_name && !config->is_insecure &&
        !config->keylog)
        return 0;
    options.ca_path = config->ca;
    options.certificate_path = config->cert;
    options.key_path = config->key;
    options.server_name = config->server_name;
    options.is_insecure = config->is_insecure;
    if (config->keylog) {
        client->keylog_fd =
            open(config->keylog, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY, 0600);
        if (client->keylog_fd < 0)
            return fail(client, "--keylog", strerror(errno));
        options.on_keylog = on_keylog;
        options.user = client;
    }
    if (dx_tls_client_new(&options, &client->tls, why, sizeof(why)) != DX_OK)
        return fail(client, config->cert ? "--ca, --cert, --key" : "--ca", why);
    return 0;
}

/* ---- options ---- */

static bool set_heartbeat(struct client *client, struct dx_websocket_options *options,
                          struct dx_connection_options *connection)
{
    const struct cli_connect_config *config = client->setup.config;
    char *slash;

    connection->ping_interval_ms = config->heartbeat_ms;
    connection->pong_timeout_ms = config->heartbeat_ms;
    if (!config->heartbeat_text)
        return true;
    client->heartbeat = strdup(config->heartbeat_text);
    if (!client->heartbeat)
        return false;
    slash = strchr(client->heartbeat, '/'); /* checked before */
    *slash = '\0';
    options->heartbeat_text = client->heartbeat;
    options->heartbeat_answer = slash + 1;
    if (config->heartbeat_ms == 0) {
        connection->ping_interval_ms = HEARTBEAT_MS;
        connection->pong_timeout_ms = HEARTBEAT_MS;
    }
    return true;
}

static const struct dx_websocket_listener listener = {.size = sizeof(listener),
                                                      .on_open = on_open,
                                                      .on_chunk = on_chunk,
                                                      .on_error = on_error,
                                                      .on_close = on_close,
                                                      .on_drain = on_drain,
                                                      .on_pong = on_pong,
                                                      .on_ping = on_ping,
                                                      .on_request = on_request};

static void set_options(struct client *client, struct dx_websocket_options *options)
{
    const struct cli_connect_config *config = client->setup.config;

    options->protocols = config->subprotocols.items;
    options->protocol_count = config->subprotocols.count;
    options->headers = client->headers;
    options->header_count = client->header_count;
    options->origin = config->origin;
    options->user_agent = "duplex/" DX_VERSION;
    options->unix_path = config->unix_path;
    options->tls = client->tls;
    options->connect_timeout_ms = config->handshake_timeout_ms;
    options->max_redirects = config->max_redirects;
    options->greeting = config->on_open;
    options->hears_while_closing = true;
    options->listener = &listener;
    options->user = client;
}

static void set_connection(const struct cli_connect_config *config,
                           struct dx_connection_options *connection)
{
    connection->max_message = config->max_message;
    connection->max_queue = MAX_QUEUE;
    connection->close_timeout_ms = config->close_timeout_ms;
    /* Who is slow is waited for: --timeout says how long. */
    connection->message_timeout_ms = 0;
    connection->write_timeout_ms = 0;
}

/* ---- the proxy ---- */

static const char *choose_proxy(const struct client *client, const char **what)
{
    const struct cli_connect_config *config = client->setup.config;

    *what = "--proxy";
    if (config->proxy)
        return strcmp(config->proxy, "none") == 0 ? NULL : config->proxy;
    return config->unix_path ? NULL : cli_proxy_of_environment(client->setup.url, what);
}

/* The library says only that something is wrong: is it the proxy? */
static int complain_of_use(struct client *client, struct dx_websocket_options *options,
                           const char *what)
{
    struct dx_websocket *tried;

    if (options->proxy) {
        options->proxy = NULL;
        if (dx_websocket_new(client->setup.loop, client->setup.url->text, options, &tried) ==
            DX_OK) {
            dx_websocket_free(tried);
            return cli_screen_complain(
                client->setup.screen, CLI_EXIT_USAGE, what, "%s",
                "not a proxy (write http://HOST:PORT, https://, socks5:// or socks5h://)");
        }
    }
    return cli_screen_complain(client->setup.screen, CLI_EXIT_USAGE, client->setup.url->text, "%s",
                               "not the URL of a WebSocket " CLI_URL_FORMS);
}

static int start(struct client *client)
{
    struct dx_websocket_options options = dx_websocket_options_init();
    struct dx_connection_options connection = dx_connection_options_init_client();
    const struct dx_reconnect_options reconnect = dx_reconnect_options_init();
    const struct dx_outbox_options outbox = dx_outbox_options_init();
    const struct cli_connect_config *config = client->setup.config;
    const char *target = client->setup.url->text;
    const char *what;
    int exit_status;
    enum dx_err err;

    if (!make_headers(client) || !set_heartbeat(client, &options, &connection))
        return fail(client, "headers", dx_err_text(DX_ERR_NOMEM));
    exit_status = make_tls(client);
    if (exit_status != 0)
        return exit_status;
    set_options(client, &options);
    set_connection(config, &connection);
    options.connection = &connection;
    options.reconnect = config->reconnects ? &reconnect : NULL;
    options.outbox = config->reconnects ? &outbox : NULL;
    options.proxy = choose_proxy(client, &what);
    err = dx_websocket_new(client->setup.loop, target, &options, &client->websocket);
    if (err == DX_ERR_USAGE)
        return complain_of_use(client, &options, what);
    return err == DX_OK ? 0 : fail(client, target, dx_err_text(err));
}

int cli_peer_connect(const struct cli_peer_setup *setup, struct cli_peer **peer)
{
    struct client *client = calloc(1, sizeof(*client));
    int exit_status;

    if (!client)
        return cli_screen_complain(setup->screen, CLI_EXIT_RESOURCE, "memory", "out of memory");
    client->peer = (struct cli_peer){.send = send_message,
                                     .ping = ping,
                                     .close = close_it,
                                     .abort = abort_it,
                                     .pause = pause_it,
                                     .is_waiting = is_waiting,
                                     .free = free_it};
    client->setup = *setup;
    client->keylog_fd = -1;
    exit_status = start(client);
    if (exit_status != 0)
        free_it(&client->peer);
    else
        *peer = &client->peer;
    return exit_status;
}
