/*
 * client_threads.c - four threads send a thousand numbers each through one WebSocket. They wait
 * while its queue is full.
 *
 *     cc client_threads.c $(pkg-config --cflags --libs duplex) -pthread -o client_threads
 *     ./client_threads ws://127.0.0.1:8080/
 */
#include <duplex/client.h>

#include <pthread.h>
#include <stdio.h>

static struct dx_websocket *websocket;
static pthread_t threads[4];
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* guards the variables below */
static pthread_cond_t has_room = PTHREAD_COND_INITIALIZER;
static int started, working = 4;
static bool is_over;

static void *work(void *user)
{
    enum dx_err err = DX_OK;

    pthread_mutex_lock(&lock);
    for (int32_t i = 1; i <= 1000 && err == DX_OK; i++)
        while (!is_over && (err = dx_websocket_send(websocket, DX_OP_BINARY, &i, sizeof(i))) ==
                               DX_ERR_QUEUE_FULL)
            pthread_cond_wait(&has_room, &lock); /* the others send meanwhile */
    /* The Close is sent after everything that was queued before. */
    if (err != DX_OK || (--working == 0 && dx_websocket_close(websocket, 1000, NULL, 0) != DX_OK))
        dx_websocket_abort(websocket);
    pthread_mutex_unlock(&lock);
    return user;
}

static void on_open(struct dx_websocket *opened, void *user)
{
    while (started < 4 && pthread_create(&threads[started], NULL, work, user) == 0)
        started++;
    if (started < 4)
        dx_websocket_abort(opened);
}

static void on_drain(struct dx_websocket *drained, void *user)
{
    (void)user;
    pthread_mutex_lock(&lock);
    is_over = dx_websocket_ready_state(drained) == DX_READY_STATE_CLOSED;
    pthread_cond_broadcast(&has_room);
    pthread_mutex_unlock(&lock);
}

int main(int argc, char **argv)
{
    struct dx_websocket_options options = dx_websocket_options_init();
    struct dx_connection_options connection = dx_connection_options_init_client();
    struct dx_websocket_listener listener = dx_websocket_listener_init();
    struct dx_loop *loop;
    const char *why;

    connection.max_queue = 16384;
    options.connection = &connection;
    listener.on_open = on_open;
    listener.on_drain = on_drain;
    options.listener = &listener;
    if (dx_loop_new(&loop) || dx_websocket_new(loop, argc > 1 ? argv[1] : "", &options, &websocket))
        return fprintf(stderr, "usage: client_threads URL\n"), 2;
    if (dx_loop_run(loop) == DX_OK)
        on_drain(websocket, NULL); /* wakes the threads that still wait */
    while (started > 0)
        pthread_join(threads[--started], NULL);
    why = dx_websocket_last_error(websocket);
    if (why != NULL || dx_websocket_buffered_amount(websocket) > 0)
        return fprintf(stderr, "not all was sent: %s\n", why != NULL ? why : "closed"), 1;
    return 0;
}
