/*
 * client_mirror.c - shares one connection to a server among any number of visitors: everybody gets
 * the server's messages, and the server gets theirs. Client and server run in one loop.
 *
 *     cc client_mirror.c $(pkg-config --cflags --libs duplex) -o client_mirror
 *     ./client_mirror wss://example.org/prices 8080
 */
#include <duplex/client.h>
#include <duplex/request.h>

#include <stdio.h>

static struct dx_server *server;
static struct dx_websocket *origin;

static void give(struct dx_connection *visitor, void *user)
{
    struct dx_message *message = (struct dx_message *)user;
    size_t len;
    const uint8_t *data = dx_message_data(message, &len);

    if (dx_connection_send(visitor, dx_message_opcode(message), data, len) != DX_OK)
        dx_connection_abort(visitor, DX_ERR_CLOSED, "the visitor reads too slowly");
}

static void forget(void *message)
{
    dx_message_drop((struct dx_message *)message);
}

/* The visitors are called later, so the message is kept until then. */
static void from_origin(struct dx_websocket *websocket, struct dx_message *message, void *user)
{
    struct dx_message *kept = dx_message_keep(message);

    (void)user;
    if (kept != NULL && dx_server_each_connection(server, give, forget, kept) == DX_OK)
        return;
    dx_message_drop(kept);
    dx_websocket_abort(websocket);
}

static void from_visitor(struct dx_connection *visitor, enum dx_opcode opcode, uint8_t *data,
                         size_t len, void *user)
{
    (void)user;
    if (dx_websocket_send(origin, opcode, data, len) != DX_OK)
        dx_connection_close(visitor, DX_CLOSE_TRY_AGAIN, "no origin server", 16);
}

static void on_close(struct dx_websocket *websocket, const struct dx_close_event *close, void *user)
{
    (void)user;
    fprintf(stderr, "client_mirror: %s: closed with %d\n", dx_websocket_url(websocket),
            close->code);
    if (!close->will_reconnect)
        dx_server_close(server, 0, NULL, NULL); /* dx_loop_run returns after the last one */
}

int main(int argc, char **argv)
{
    struct dx_websocket_options options = dx_websocket_options_init();
    struct dx_reconnect_options reconnect = dx_reconnect_options_init();
    struct dx_websocket_listener listener = dx_websocket_listener_init();
    struct dx_connection_handlers handlers = dx_connection_handlers_init();
    struct dx_route route = dx_route_init_websocket(&handlers);
    struct dx_loop *loop;
    char why[256] = "the origin's URL is invalid";

    options.reconnect = &reconnect;
    listener.on_message = from_origin;
    listener.on_close = on_close;
    options.listener = &listener;
    handlers.on_message = from_visitor;
    if (argc != 3 || dx_loop_new(&loop) || dx_server_new(loop, NULL, &server) ||
        dx_server_route(server, "/", &route) ||
        dx_server_listen(server, argv[2], NULL, why, sizeof(why)) ||
        dx_websocket_new(loop, argv[1], &options, &origin))
        return fprintf(stderr, "client_mirror: %s\n", why), 2;
    fprintf(stderr, "%s\n", dx_server_url(server, 0));
    return dx_loop_run(loop) != DX_OK || dx_websocket_last_error(origin) != NULL;
}
