/*
 * client_ticker.c - prints a server's messages, and reconnects when the connection is lost or the
 * answer to "ping" is late. Each attempt reads the token from the file again. It gives up when a
 * token is refused.
 *
 *     cc client_ticker.c $(pkg-config --cflags --libs duplex) -o client_ticker
 *     ./client_ticker ws://127.0.0.1:8080/live TOKEN-FILE
 */
#include <duplex/client.h>

#include <stdio.h>

static const char *plain_url, *token_path;
static char url_with_token[1024];

static bool add_token(struct dx_websocket *websocket, uint32_t attempt, const char **url,
                      void *user)
{
    FILE *file = fopen(token_path, "r");
    char token[256];
    bool is_read = file != NULL && fscanf(file, "%255s", token) == 1;

    (void)websocket; /* NULL at the first attempt */
    (void)attempt;
    (void)user;
    if (file != NULL)
        fclose(file);
    *url = url_with_token;
    return is_read && snprintf(url_with_token, sizeof(url_with_token), "%s?token=%s", plain_url,
                               token) < (int)sizeof(url_with_token);
}

static void show(struct dx_websocket *websocket, struct dx_message *message, void *user)
{
    size_t len;
    const uint8_t *text = dx_message_data(message, &len);

    (void)websocket;
    (void)user;
    printf("%.*s\n", (int)len, (const char *)text);
    fflush(stdout);
}

static void on_close(struct dx_websocket *websocket, const struct dx_close_event *close, void *user)
{
    const char *why = dx_websocket_last_error(websocket);

    (void)user;
    fprintf(stderr, "client_ticker: %s; %s\n", why != NULL ? why : "closed by the server",
            close->will_reconnect ? "reconnecting soon" : "giving up");
}

int main(int argc, char **argv)
{
    struct dx_websocket_options options = dx_websocket_options_init();
    struct dx_connection_options connection = dx_connection_options_init_client();
    struct dx_reconnect_options reconnect = dx_reconnect_options_init();
    struct dx_websocket_listener listener = dx_websocket_listener_init();
    struct dx_websocket *websocket;
    struct dx_loop *loop;
    const char *url;

    reconnect.first_delay_ms = 1000;
    reconnect.on_attempt = add_token;
    options.reconnect = &reconnect;
    connection.ping_interval_ms = 1000;
    connection.pong_timeout_ms = 1000;
    options.connection = &connection;
    options.heartbeat_text = "ping"; /* NULL: ping frames */
    options.heartbeat_answer = "pong";
    listener.on_message = show;
    listener.on_close = on_close;
    options.listener = &listener;
    plain_url = argv[1];
    token_path = argv[argc - 1];
    if (argc != 3 || !add_token(NULL, 0, &url, NULL))
        return fprintf(stderr, "usage: client_ticker URL TOKEN-FILE\n"), 2;
    if (dx_loop_new(&loop) || dx_websocket_new(loop, url, &options, &websocket))
        return fprintf(stderr, "client_ticker: %s cannot be opened\n", plain_url), 1;
    return dx_loop_run(loop) != DX_OK || dx_websocket_last_error(websocket) != NULL;
}
