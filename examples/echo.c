/*
 * echo.c - sends each message back.
 *
 *     cc echo.c $(pkg-config --cflags --libs duplex) -o echo && ./echo 8080
 */
#include <duplex/request.h>

#include <stdio.h>

static void on_message(struct dx_connection *peer, enum dx_opcode opcode, uint8_t *data, size_t len,
                       void *user)
{
    (void)user;
    if (dx_connection_send(peer, opcode, data, len) != DX_OK)
        dx_connection_abort(peer, DX_ERR_CLOSED, "the echo could not be sent");
}

int main(int argc, char **argv)
{
    struct dx_connection_handlers handlers = dx_connection_handlers_init();
    struct dx_route route = dx_route_init_websocket(&handlers);
    struct dx_loop *loop;
    struct dx_server *server;
    char why[256] = "no server could be made";

    handlers.on_message = on_message;
    if (dx_loop_new(&loop) || dx_server_new(loop, NULL, &server) ||
        dx_server_route(server, "/", &route) ||
        dx_server_listen(server, argc > 1 ? argv[1] : "8080", NULL, why, sizeof(why)))
        return fprintf(stderr, "echo: %s\n", why), 1;
    fprintf(stderr, "%s\n", dx_server_url(server, 0));
    return dx_loop_run(loop) != DX_OK;
}
