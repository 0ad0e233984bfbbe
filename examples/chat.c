/*
 * chat.c - a chat room: every visitor gets every message, in the same order.
 *
 *     cc chat.c $(pkg-config --cflags --libs duplex) -o chat && ./chat 8080
 */
#include <duplex/request.h>
#include <duplex/topics.h>

#include <stdio.h>

static struct dx_topics *topics;

static void on_message(struct dx_connection *peer, enum dx_opcode opcode, uint8_t *data, size_t len,
                       void *user)
{
    (void)user;
    if (dx_topics_publish(topics, "room", 4, opcode, data, len, 0) != DX_OK)
        (void)dx_connection_close(peer, DX_CLOSE_TRY_AGAIN, "busy", 4);
}

static void on_request(struct dx_request *request, void *handlers)
{
    struct dx_connection *peer;

    if (dx_request_accept(request, (struct dx_connection_handlers *)handlers, NULL, &peer) != DX_OK)
        return;
    if (dx_topics_subscribe(topics, peer, "room", 4) != DX_OK)
        (void)dx_connection_close(peer, DX_CLOSE_TRY_AGAIN, "full", 4);
}

int main(int argc, char **argv)
{
    struct dx_connection_handlers handlers = dx_connection_handlers_init();
    struct dx_route route = dx_route_init_websocket(&handlers);
    struct dx_loop *loop;
    struct dx_server *server;
    char why[256] = "no server could be made";

    handlers.on_message = on_message;
    route.on_request = on_request;
    if (dx_loop_new(&loop) || dx_server_new(loop, NULL, &server) || dx_topics_new(NULL, &topics) ||
        dx_server_route(server, "/", &route) ||
        dx_server_listen(server, argc > 1 ? argv[1] : "8080", NULL, why, sizeof(why)))
        return fprintf(stderr, "chat: %s\n", why), 1;
    fprintf(stderr, "%s\n", dx_server_url(server, 0));
    return dx_loop_run(loop) != DX_OK;
}
