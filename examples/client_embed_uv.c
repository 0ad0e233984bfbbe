/*
 * client_embed_uv.c - a client on your own uv_loop_t, together with your own handles: a timer pings
 * the server, and each round-trip time is printed.
 *
 *     cc client_embed_uv.c $(pkg-config --cflags --libs duplex-uv) -o client_embed_uv
 *     ./client_embed_uv ws://127.0.0.1:8080/ 10      pings ten times
 */
#include <duplex/client.h>
#include <duplex/uv.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static uv_timer_t timer;
static int wanted;

static void ping(uv_timer_t *due)
{
    struct dx_websocket *websocket = (struct dx_websocket *)due->data;
    uint64_t now = uv_hrtime();

    if (dx_websocket_ping(websocket, &now, sizeof(now)) != DX_OK)
        dx_websocket_abort(websocket);
}

static void on_open(struct dx_websocket *websocket, void *user)
{
    (void)user;
    timer.data = websocket;
    uv_timer_start(&timer, ping, 0, 100);
}

static void on_pong(struct dx_websocket *websocket, const uint8_t *data, size_t len, void *user)
{
    uint64_t sent;

    (void)user;
    if (len != sizeof(sent)) /* an unsolicited pong */
        return;
    memcpy(&sent, data, sizeof(sent));
    printf("%.3f ms\n", (double)(uv_hrtime() - sent) / 1e6);
    if (--wanted == 0)
        dx_websocket_close(websocket, DX_CLOSE_NORMAL, NULL, 0);
}

static void on_close(struct dx_websocket *websocket, const struct dx_close_event *close, void *user)
{
    (void)websocket;
    (void)close;
    (void)user;
    uv_close((uv_handle_t *)&timer, NULL); /* uv_run returns when nothing is left */
}

int main(int argc, char **argv)
{
    struct dx_websocket_options options = dx_websocket_options_init();
    struct dx_websocket_listener listener = dx_websocket_listener_init();
    struct dx_websocket *websocket;
    struct dx_loop *loop;
    uv_loop_t uv;

    listener.on_open = on_open;
    listener.on_pong = on_pong;
    listener.on_close = on_close;
    options.listener = &listener;
    if (argc != 3 || (wanted = atoi(argv[2])) < 1 || uv_loop_init(&uv) ||
        uv_timer_init(&uv, &timer) || dx_loop_new_on_uv(&uv, &loop) ||
        dx_websocket_new(loop, argv[1], &options, &websocket))
        return fprintf(stderr, "usage: client_embed_uv URL COUNT\n"), 2;
    uv_run(&uv, UV_RUN_DEFAULT);
    if (wanted > 0)
        fprintf(stderr, "client_embed_uv: it was closed before all pongs arrived\n");
    dx_websocket_free(websocket);
    dx_loop_free(loop);
    uv_run(&uv, UV_RUN_DEFAULT); /* closes the loop's own handles */
    return uv_loop_close(&uv) != 0 || wanted > 0;
}
