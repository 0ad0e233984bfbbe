/*
 * fan_server.c - what one says all others get, by <duplex/topics.h>: the server of the fan-out
 * rows.
 *
 *     fan_server PORT THREADS [apart]
 *
 * With "apart" a thread of its own publishes, one that has no loop; it is handed what was said.
 */
#include <duplex/request.h>
#include <duplex/topics.h>

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

enum { SAID_MAX = 1024, WAITING_MAX = 256 };

struct said {
    uint64_t id;
    size_t len;
    uint8_t data[SAID_MAX];
};

static struct dx_topics *topics;

static void publish(const void *data, size_t len, uint64_t except)
{
    if (dx_topics_publish(topics, "all", 3, DX_OP_TEXT, data, len, except) != DX_OK)
        abort();
}

/* ---- a thread that publishes ---- */

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t is_filled = PTHREAD_COND_INITIALIZER;
static struct said waiting[WAITING_MAX];
static size_t first, count;

static void hand_over(const void *data, size_t len, uint64_t id)
{
    (void)pthread_mutex_lock(&mutex);
    if (count == WAITING_MAX || len > SAID_MAX)
        abort();
    struct said *said = &waiting[(first + count++) % WAITING_MAX];
    said->id = id;
    said->len = len;
    memcpy(said->data, data, len);
    (void)pthread_cond_signal(&is_filled);
    (void)pthread_mutex_unlock(&mutex);
}

static _Noreturn void *publish_apart(void *unused)
{
    (void)unused;
    for (;;) {
        (void)pthread_mutex_lock(&mutex);
        while (count == 0)
            (void)pthread_cond_wait(&is_filled, &mutex);
        struct said said = waiting[first];
        first = (first + 1) % WAITING_MAX;
        count--;
        (void)pthread_mutex_unlock(&mutex);
        publish(said.data, said.len, said.id);
    }
}

/* ---- the server ---- */

static void on_message(struct dx_connection *peer, enum dx_opcode opcode, uint8_t *data, size_t len,
                       void *user)
{
    (void)opcode;
    (void)user;
    publish(data, len, dx_connection_id(peer));
}

static void on_message_apart(struct dx_connection *peer, enum dx_opcode opcode, uint8_t *data,
                             size_t len, void *user)
{
    (void)opcode;
    (void)user;
    hand_over(data, len, dx_connection_id(peer));
}

static void on_request(struct dx_request *request, void *handlers)
{
    struct dx_connection *peer;
    if (dx_request_accept(request, handlers, NULL, &peer) != DX_OK ||
        dx_topics_subscribe(topics, peer, "all", 3) != DX_OK)
        abort();
}

static void raise_descriptor_limit(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max;
        (void)setrlimit(RLIMIT_NOFILE, &limit);
    }
}

int main(int argc, char **argv)
{
    struct dx_connection_handlers handlers = dx_connection_handlers_init();
    struct dx_route route = dx_route_init_websocket(&handlers);
    struct dx_server_options options = dx_server_options_init();
    struct dx_connection_options connection = dx_connection_options_init();
    struct dx_loop *loop;
    struct dx_server *server;
    char address[64];
    char why[256] = "no server could be made";
    if (argc < 3)
        return fprintf(stderr, "usage: fan_server PORT THREADS [apart]\n"), 2;
    raise_descriptor_limit();
    (void)snprintf(address, sizeof address, "127.0.0.1:%s", argv[1]);
    options.threads = (uint32_t)strtoul(argv[2], NULL, 10);
    connection.ping_interval_ms = 0; /* the subscribers say nothing */
    options.connection = &connection;
    handlers.on_message = argc > 3 ? on_message_apart : on_message;
    route.on_request = on_request;
    if (dx_loop_new(&loop) || dx_server_new(loop, &options, &server) ||
        dx_topics_new(NULL, &topics) || dx_server_route(server, "/", &route) ||
        dx_server_listen(server, address, NULL, why, sizeof why))
        return fprintf(stderr, "fan_server: %s\n", why), 1;
    pthread_t publisher;
    if (argc > 3 && pthread_create(&publisher, NULL, publish_apart, NULL) != 0)
        return 1;
    return dx_loop_run(loop) != DX_OK;
}
