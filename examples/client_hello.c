/*
 * client_hello.c - sends a message to a server, prints the answer, and closes.
 *
 *     cc client_hello.c $(pkg-config --cflags --libs duplex) -o client_hello
 *     ./client_hello ws://127.0.0.1:8080/ hello
 */
#include <duplex/client.h>

#include <stdio.h>
#include <string.h>

static void on_open(struct dx_websocket *websocket, void *text)
{
    if (dx_websocket_send(websocket, DX_OP_TEXT, text, strlen((const char *)text)) != DX_OK)
        dx_websocket_abort(websocket);
}

static void on_message(struct dx_websocket *websocket, struct dx_message *message, void *text)
{
    size_t len;
    const uint8_t *data = dx_message_data(message, &len);

    (void)text;
    printf("%.*s\n", (int)len, (const char *)data);
    dx_websocket_close(websocket, DX_CLOSE_NORMAL, NULL, 0);
}

int main(int argc, char **argv)
{
    struct dx_websocket_options options = dx_websocket_options_init();
    struct dx_websocket_listener listener = dx_websocket_listener_init();
    struct dx_websocket *websocket;
    struct dx_loop *loop;
    const char *why;

    if (argc != 3)
        return fprintf(stderr, "usage: client_hello URL TEXT\n"), 2;
    listener.on_open = on_open;
    listener.on_message = on_message;
    options.listener = &listener;
    options.user = argv[2];
    if (dx_loop_new(&loop) || dx_websocket_new(loop, argv[1], &options, &websocket) ||
        dx_loop_run(loop)) /* returns when it is closed */
        return fprintf(stderr, "client_hello: %s cannot be opened\n", argv[1]), 1;
    why = dx_websocket_last_error(websocket);
    if (why != NULL)
        fprintf(stderr, "client_hello: %s\n", why);
    return why != NULL;
}
