/*
 * client_chunks.c - writes one message of any length to a file as it arrives, in constant memory.
 *
 *     cc client_chunks.c $(pkg-config --cflags --libs duplex) -o client_chunks
 *     ./client_chunks ws://127.0.0.1:8080/backup backup.tar
 */
#include <duplex/client.h>

#include <inttypes.h>
#include <stdio.h>

struct copy {
    FILE *file;
    uint64_t len;
    bool is_whole;
};

static void on_chunk(struct dx_websocket *websocket, enum dx_opcode opcode, const uint8_t *data,
                     size_t len, bool is_first, bool is_last, void *user)
{
    struct copy *copy = (struct copy *)user;

    (void)opcode;
    (void)is_first;
    if (fwrite(data, 1, len, copy->file) != len || (is_last && fflush(copy->file) != 0)) {
        perror("client_chunks");
        dx_websocket_abort(websocket);
        return;
    }
    copy->len += len;
    copy->is_whole = is_last;
    if (is_last) /* later messages are not wanted */
        dx_websocket_close(websocket, DX_CLOSE_NORMAL, NULL, 0);
}

int main(int argc, char **argv)
{
    struct dx_websocket_options options = dx_websocket_options_init();
    struct dx_connection_options connection = dx_connection_options_init_client();
    struct dx_websocket_listener listener = dx_websocket_listener_init();
    struct copy copy = {argc > 2 ? fopen(argv[2], "wb") : NULL, 0, false};
    struct dx_websocket *websocket;
    struct dx_loop *loop;

    if (copy.file == NULL)
        return fprintf(stderr, "client_chunks: give a URL and a FILE that can be written\n"), 2;
    listener.on_chunk = on_chunk;
    options.listener = &listener;
    options.user = &copy;
    connection.max_message = 0; /* no limit */
    options.connection = &connection;
    if (dx_loop_new(&loop) || dx_websocket_new(loop, argv[1], &options, &websocket)) {
        fprintf(stderr, "client_chunks: %s cannot be opened\n", argv[1]);
    } else if (dx_loop_run(loop) == DX_OK && !copy.is_whole) {
        const char *why = dx_websocket_last_error(websocket);

        fprintf(stderr, "client_chunks: the message is incomplete: %s\n",
                why != NULL ? why : "it was closed");
    }
    fclose(copy.file);
    if (!copy.is_whole)
        return remove(argv[2]), 1;
    printf("%" PRIu64 " bytes\n", copy.len);
    return 0;
}
