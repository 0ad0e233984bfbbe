/*
 * client_outbox.c - sends a sensor's readings; readings made while the connection is down arrive
 * later.
 *
 * A reading stays in the outbox until a pong proves that the server has read it. So no reading is
 * lost, and after a break some may arrive twice: that is why they are numbered.
 *
 *     cc client_outbox.c $(pkg-config --cflags --libs duplex) -o client_outbox
 *     ./client_outbox ws://127.0.0.1:8080/ 20      sends 20 readings, ends when all have arrived
 */
#include <duplex/client.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define EACH_MS 100

static struct dx_websocket *websocket;
static struct dx_loop_timer *timer;
static int number, wanted;

static void on_due(void *user)
{
    size_t count, unproven;
    enum dx_err err;
    char text[32];

    (void)user;
    if (number < wanted) {
        snprintf(text, sizeof(text), "reading %d", ++number);
        err = dx_websocket_send(websocket, DX_OP_TEXT, text, strlen(text));
        if (err != DX_OK)
            fprintf(stderr, "%s was not queued: %s\n", text, dx_err_text(err));
    }
    dx_websocket_outbox(websocket, &count, &unproven);
    fprintf(stderr, "%d made, %zu not sent, %zu not confirmed\n", number, count - unproven,
            unproven);
    if (number == wanted && count == 0)
        dx_websocket_close(websocket, DX_CLOSE_NORMAL, NULL, 0);
    else
        dx_loop_timer_set(timer, EACH_MS);
}

static void on_close(struct dx_websocket *closed, const struct dx_close_event *close, void *user)
{
    (void)closed;
    (void)user;
    if (!close->will_reconnect)
        dx_loop_timer_unset(timer); /* nothing is left to do, so dx_loop_run returns */
}

int main(int argc, char **argv)
{
    struct dx_websocket_options options = dx_websocket_options_init();
    struct dx_reconnect_options reconnect = dx_reconnect_options_init();
    struct dx_outbox_options outbox = dx_outbox_options_init();
    struct dx_websocket_listener listener = dx_websocket_listener_init();
    size_t left, unproven;
    struct dx_loop *loop;

    wanted = argc > 2 ? atoi(argv[2]) : 0;
    reconnect.first_delay_ms = 200;
    reconnect.max_attempts = 50; /* in a row */
    options.reconnect = &reconnect;
    outbox.guarantee = DX_OUTBOX_UNTIL_PONG;
    outbox.max_count = 1000; /* then sending fails */
    options.outbox = &outbox;
    listener.on_close = on_close;
    options.listener = &listener;
    if (dx_loop_new(&loop) || dx_loop_timer_new(loop, on_due, NULL, &timer) ||
        dx_websocket_new(loop, argc > 1 ? argv[1] : "", &options, &websocket))
        return fprintf(stderr, "usage: client_outbox URL COUNT\n"), 2;
    dx_loop_timer_set(timer, 0);
    if (dx_loop_run(loop) != DX_OK)
        return 1;
    dx_websocket_outbox(websocket, &left, &unproven);
    if (left > 0)
        fprintf(stderr, "%zu have not arrived: %s\n", left, dx_websocket_last_error(websocket));
    return left > 0;
}
