/*
 * client_embed_glib.c - a client in a GLib main loop: sends each line that is typed, and shows each
 * message that arrives.
 *
 * It replaces GLib's poll function. embed_glib.c adds a GSource instead, which can have a priority.
 *
 *     cc client_embed_glib.c $(pkg-config --cflags --libs duplex glib-2.0) -o client_embed_glib
 *     ./client_embed_glib ws://127.0.0.1:8080/
 */
#include <duplex/client.h>

#include <glib.h>

static GMainLoop *main_loop;
static struct dx_loop *loop;
static struct dx_websocket *websocket;

/* GLib calls this to wait for its descriptors, which include ours. */
static gint wait_for_both(GPollFD *fds, guint count, gint timeout_ms)
{
    /* unsigned: -1, no timeout, becomes the maximum */
    gint ready = g_poll(fds, count, (gint)MIN((guint)timeout_ms, (guint)dx_loop_timeout_ms(loop)));

    if (dx_loop_dispatch(loop) != DX_OK ||
        dx_websocket_ready_state(websocket) == DX_READY_STATE_CLOSED)
        g_main_loop_quit(main_loop);
    return ready;
}

static gboolean on_typed(GIOChannel *input, GIOCondition condition, gpointer user)
{
    gsize end;
    gchar *line = NULL;
    bool is_line = g_io_channel_read_line(input, &line, NULL, &end, NULL) == G_IO_STATUS_NORMAL;

    (void)condition;
    (void)user;
    if (!is_line)
        dx_websocket_close(websocket, DX_CLOSE_NORMAL, NULL, 0);
    else if (dx_websocket_send(websocket, DX_OP_TEXT, line, end) != DX_OK)
        g_printerr("not sent: %s", line);
    g_free(line);
    return is_line;
}

static void on_open(struct dx_websocket *opened, void *user)
{
    GIOChannel *input = g_io_channel_unix_new(0);

    (void)opened;
    g_io_add_watch(input, (GIOCondition)(G_IO_IN | G_IO_HUP), on_typed, user);
    g_io_channel_unref(input);
}

static void on_message(struct dx_websocket *from, struct dx_message *message, void *user)
{
    size_t len;
    const char *text = (const char *)dx_message_data(message, &len);

    (void)from;
    (void)user;
    g_print("%.*s\n", (int)len, text);
}

int main(int argc, char **argv)
{
    struct dx_websocket_options options = dx_websocket_options_init();
    struct dx_websocket_listener listener = dx_websocket_listener_init();

    listener.on_open = on_open;
    listener.on_message = on_message;
    options.listener = &listener;
    if (dx_loop_new(&loop) || dx_websocket_new(loop, argc > 1 ? argv[1] : "", &options, &websocket))
        return g_printerr("usage: client_embed_glib URL\n"), 2;
    GPollFD ours = {dx_loop_fd(loop), G_IO_IN, 0};
    g_main_context_add_poll(NULL, &ours, G_PRIORITY_DEFAULT);
    g_main_context_set_poll_func(NULL, wait_for_both);
    main_loop = g_main_loop_new(NULL, FALSE);
    g_main_loop_run(main_loop);
    const char *why = dx_websocket_last_error(websocket);
    g_printerr("%s\n", why != NULL ? why : "closed");
    return why != NULL;
}
