/*
 * client_embed_poll.c - a client in your own poll loop, without any callback: sends its standard
 * input as one message of unlimited length, and reads no faster than the server does.
 *
 *     cc client_embed_poll.c $(pkg-config --cflags --libs duplex) -o client_embed_poll
 *     tar c . | ./client_embed_poll ws://127.0.0.1:8080/backup
 */
#include <duplex/client.h>

#include <poll.h>
#include <stdio.h>
#include <unistd.h>

static void read_some(struct dx_websocket *websocket)
{
    char bytes[16384];
    ssize_t len = read(STDIN_FILENO, bytes, sizeof(bytes));

    if (len < 0 ||
        dx_websocket_send_fragment(websocket, DX_OP_BINARY, bytes, (size_t)len, len == 0) != DX_OK)
        dx_websocket_abort(websocket);
    else if (len == 0)
        dx_websocket_close(websocket, DX_CLOSE_NORMAL, "that was all", 12);
}

int main(int argc, char **argv)
{
    struct dx_websocket_options options = dx_websocket_options_init();
    struct dx_connection_options connection = dx_connection_options_init_client();
    struct dx_websocket *websocket;
    struct pollfd fds[2];
    struct dx_loop *loop;
    const char *why;

    connection.max_queue = 262144;
    options.connection = &connection;
    if (argc != 2 || dx_loop_new(&loop) || dx_websocket_new(loop, argv[1], &options, &websocket))
        return fprintf(stderr, "usage: client_embed_poll URL <FILE\n"), 2;
    fds[0].events = fds[1].events = POLLIN;
    fds[1].fd = dx_loop_fd(loop);
    while (dx_websocket_ready_state(websocket) != DX_READY_STATE_CLOSED) {
        bool wants_more = dx_websocket_ready_state(websocket) == DX_READY_STATE_OPEN &&
                          !dx_websocket_is_congested(websocket);

        fds[0].fd = wants_more ? STDIN_FILENO : -1; /* poll ignores negative descriptors */
        fds[0].revents = 0;
        if (poll(fds, 2, dx_loop_timeout_ms(loop)) > 0 && fds[0].revents != 0)
            read_some(websocket);
        if (dx_loop_dispatch(loop) != DX_OK)
            break;
    }
    why = dx_websocket_last_error(websocket);
    if (why != NULL)
        fprintf(stderr, "client_embed_poll: not everything arrived: %s\n", why);
    dx_websocket_free(websocket);
    dx_loop_free(loop);
    return why != NULL;
}
