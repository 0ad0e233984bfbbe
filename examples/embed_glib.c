/*
 * embed_glib.c - a server in a GLib main loop, as GTK programs have: a GSource with one descriptor
 * and a timeout.
 *
 *     cc embed_glib.c $(pkg-config --cflags --libs duplex glib-2.0) -o embed_glib
 *     ./embed_glib 8080
 */
#include <duplex/request.h>
#include <duplex/topics.h>

#include <glib.h>
#include <stdio.h>
#include <string.h>

static struct dx_topics *topics;

/* ---- the loop as a GSource ---- */

struct loop_source {
    GSource base; /* first, so that a GSource pointer is one to this struct */
    struct dx_loop *loop;
    gpointer tag;
};

static gboolean prepare(GSource *source, gint *timeout_ms)
{
    *timeout_ms = dx_loop_timeout_ms(((struct loop_source *)source)->loop);
    return *timeout_ms == 0;
}

static gboolean check(GSource *source)
{
    struct loop_source *own = (struct loop_source *)source;

    return g_source_query_unix_fd(source, own->tag) != 0 || dx_loop_timeout_ms(own->loop) == 0;
}

static gboolean dispatch(GSource *source, GSourceFunc callback, gpointer user)
{
    (void)callback;
    (void)user;
    return dx_loop_dispatch(((struct loop_source *)source)->loop) == DX_OK ? G_SOURCE_CONTINUE
                                                                           : G_SOURCE_REMOVE;
}

static GSourceFuncs functions = {prepare, check, dispatch, NULL, NULL, NULL};

static void attach(struct dx_loop *loop)
{
    GSource *source = g_source_new(&functions, sizeof(struct loop_source));
    struct loop_source *own = (struct loop_source *)source;

    own->loop = loop;
    own->tag = g_source_add_unix_fd(source, dx_loop_fd(loop), G_IO_IN);
    g_source_attach(source, NULL);
    g_source_unref(source);
}

/* ---- the server ---- */

static void on_request(struct dx_request *request, void *user)
{
    struct dx_connection *peer;

    (void)user;
    if (dx_request_accept(request, NULL, NULL, &peer) == DX_OK &&
        dx_topics_subscribe(topics, peer, "clock", 5) != DX_OK)
        (void)dx_connection_close(peer, DX_CLOSE_TRY_AGAIN, "full", 4);
}

static gboolean on_second(gpointer user)
{
    static unsigned seconds;
    char text[16];

    (void)user;
    snprintf(text, sizeof(text), "%u", ++seconds);
    return dx_topics_publish(topics, "clock", 5, DX_OP_TEXT, text, strlen(text), 0) == DX_OK;
}

int main(int argc, char **argv)
{
    GMainLoop *main_loop = g_main_loop_new(NULL, FALSE);
    struct dx_route route = dx_route_init_websocket(NULL);
    struct dx_loop *loop;
    struct dx_server *server;
    char why[256] = "no server could be made";

    route.on_request = on_request;
    if (dx_loop_new(&loop) || dx_server_new(loop, NULL, &server) || dx_topics_new(NULL, &topics) ||
        dx_server_route(server, "/", &route) ||
        dx_server_listen(server, argc > 1 ? argv[1] : "8080", NULL, why, sizeof(why)))
        return fprintf(stderr, "embed_glib: %s\n", why), 1;
    fprintf(stderr, "%s\n", dx_server_url(server, 0));
    attach(loop);
    g_timeout_add(1000, on_second, NULL);
    g_main_loop_run(main_loop);
    return 0;
}
