/*
 * embed_uv.c - a server on your own uv_loop_t, together with your own handles: a timer sends the
 * seconds to every client, and a signal shuts everything down in order.
 *
 *     cc embed_uv.c $(pkg-config --cflags --libs duplex-uv) -o embed_uv && ./embed_uv 8080
 */
#include <duplex/request.h>
#include <duplex/topics.h>
#include <duplex/uv.h>

#include <signal.h>
#include <stdio.h>
#include <string.h>

static struct dx_topics *topics;
static struct dx_server *server;
static uv_timer_t each_second;
static uv_signal_t interrupt;

static void on_request(struct dx_request *request, void *user)
{
    struct dx_connection *peer;

    (void)user;
    if (dx_request_accept(request, NULL, NULL, &peer) == DX_OK &&
        dx_topics_subscribe(topics, peer, "clock", 5) != DX_OK)
        (void)dx_connection_close(peer, DX_CLOSE_TRY_AGAIN, "full", 4);
}

static void on_second(uv_timer_t *timer)
{
    static unsigned seconds;
    char text[16];

    snprintf(text, sizeof(text), "%u", ++seconds);
    if (dx_topics_publish(topics, "clock", 5, DX_OP_TEXT, text, strlen(text), 0) != DX_OK)
        uv_timer_stop(timer);
}

static void on_interrupt(uv_signal_t *signal, int number)
{
    (void)number;
    uv_close((uv_handle_t *)&each_second, NULL);
    uv_close((uv_handle_t *)signal, NULL);
    dx_server_close(server, 0, NULL, NULL); /* uv_run returns after the last connection */
}

int main(int argc, char **argv)
{
    uv_loop_t *uv = uv_default_loop();
    struct dx_route route = dx_route_init_websocket(NULL);
    struct dx_loop *loop;
    char why[256] = "no server could be made";

    route.on_request = on_request;
    if (uv == NULL || dx_loop_new_on_uv(uv, &loop) || dx_server_new(loop, NULL, &server) ||
        dx_topics_new(NULL, &topics) || dx_server_route(server, "/", &route) ||
        dx_server_listen(server, argc > 1 ? argv[1] : "8080", NULL, why, sizeof(why)) ||
        uv_timer_init(uv, &each_second) || uv_timer_start(&each_second, on_second, 1000, 1000) ||
        uv_signal_init(uv, &interrupt) || uv_signal_start(&interrupt, on_interrupt, SIGTERM))
        return fprintf(stderr, "embed_uv: %s\n", why), 1;
    fprintf(stderr, "%s\n", dx_server_url(server, 0));
    uv_run(uv, UV_RUN_DEFAULT);

    dx_server_free(server);
    dx_topics_free(topics);
    dx_loop_free(loop);
    uv_run(uv, UV_RUN_DEFAULT); /* closes the loop's own handles */
    return uv_loop_close(uv) == 0 ? 0 : 1;
}
