/*
 * files.c - a page's static files, and the WebSocket that the page connects to, on one port.
 *
 *     cc files.c $(pkg-config --cflags --libs duplex) -o files && ./files DIRECTORY 8080
 */
#include <duplex/files.h>
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
    struct dx_files_options files_options = dx_files_options_init();
    struct dx_connection_handlers handlers = dx_connection_handlers_init();
    struct dx_route route = dx_route_init_websocket(&handlers);
    struct dx_loop *loop;
    struct dx_server *server;
    char why[256] = "no server could be made, or there is no such directory";

    if (argc < 2)
        return fprintf(stderr, "usage: files DIRECTORY [ADDRESS]\n"), 2;
    handlers.on_message = on_message;
    files_options.cache_control = "max-age=60";
    files_options.not_found = "404.html";
    if (dx_loop_new(&loop) || dx_server_new(loop, NULL, &server) ||
        dx_server_route(server, "/socket", &route) ||
        dx_server_route_files(server, "/", argv[1], &files_options) ||
        dx_server_listen(server, argc > 2 ? argv[2] : "8080", NULL, why, sizeof(why)))
        return fprintf(stderr, "files: %s\n", why), 1;
    fprintf(stderr, "%s\n", dx_server_url(server, 0));
    return dx_loop_run(loop) != DX_OK;
}
