/*
 * server.c - the soak's server: commands of connections on four loops, publishers beside them, and
 * the counts at the end.
 *
 * A topic with an even number is published to under a lock of its own, all by publisher 0, so that
 * its numbers are its order; in the others each publisher counts for itself.
 */
#include "soak.h"

#include <duplex/request.h>
#include <duplex/topics.h>

#include <dirent.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FILLING_LEN 600
#define FLOOD_LEN 60000
#define FLOOD_EACH 2 /* every so many messages of a thread one for the flood */
#define JAM_LEN 60000

/* What a connection's user pointer names. */
struct visitor {
    bool is_in_message;
    bool is_closed;
};

struct counter {
    atomic_uint begun; /* messages whose publishing has begun, or ended */
    atomic_uint done;
};

static struct counter counters[SOAK_TOPICS + 1][SOAK_PUBLISHERS];
static pthread_mutex_t locks[SOAK_TOPICS + 1];
static struct dx_topics *topics;
static struct dx_loop *loop;
static struct dx_server *server;
static atomic_uint opened, closed, closed_twice, loops, refused, failed;
static atomic_bool ends;
static _Thread_local unsigned own_publisher; /* 0: not given yet */

static size_t name_of(unsigned topic, char name[16])
{
    return (size_t)snprintf(name, 16, "topic %u", topic);
}

/* ---- publishing, on any thread ---- */

static bool publish_as(unsigned publisher, unsigned topic, size_t len, uint64_t except,
                       uint32_t *number)
{
    static const uint8_t zeros[FLOOD_LEN];
    struct counter *counter = &counters[topic][publisher];
    struct soak_notice notice = {.kind = 'M', .publisher = (uint8_t)publisher};
    uint8_t bytes[FLOOD_LEN];
    char name[16];
    size_t name_len = name_of(topic, name);
    enum dx_err err;

    *number = atomic_load(&counter->done);
    notice.topic = (uint16_t)topic;
    notice.number = *number;
    memcpy(bytes, zeros, len);
    memcpy(bytes, &notice, SOAK_MESSAGE_LEN);
    atomic_store(&counter->begun, *number + 1);
    err = dx_topics_publish(topics, name, name_len, DX_OP_BINARY, bytes, len, except);
    if (err == DX_OK)
        atomic_store(&counter->done, *number + 1);
    else
        atomic_store(&counter->begun, *number);
    if (err == DX_ERR_QUEUE_FULL)
        atomic_fetch_add(&refused, 1);
    else if (err)
        atomic_fetch_add(&failed, 1);
    return err == DX_OK;
}

static bool publish(unsigned topic, size_t len, uint64_t except, uint8_t *publisher,
                    uint32_t *number)
{
    bool is_done;

    if (topic % 2 == 1) {
        *publisher = (uint8_t)own_publisher;
        return publish_as(own_publisher, topic, len, except, number);
    }
    *publisher = 0;
    pthread_mutex_lock(&locks[topic]);
    is_done = publish_as(0, topic, len, except, number);
    pthread_mutex_unlock(&locks[topic]);
    return is_done;
}

struct publisher {
    pthread_t thread;
    const struct soak_plan *plan;
    unsigned number;
};

static void *run_publisher(void *data)
{
    const struct publisher *publisher = data;
    uint64_t random = (uint64_t)publisher->plan->seed << 8 | publisher->number;
    uint8_t by;
    uint32_t number;

    own_publisher = publisher->number;
    while (!atomic_load(&ends)) {
        unsigned topic = soak_random(&random) % SOAK_TOPICS;
        size_t burst = soak_random(&random) % 8 == 0 ? 8 : 1;

        for (size_t i = 0; i < burst; i++)
            (void)publish(topic, SOAK_MESSAGE_LEN + soak_random(&random) % FILLING_LEN, 0, &by,
                          &number);
        if (soak_random(&random) % FLOOD_EACH == 0)
            (void)publish(SOAK_FLOOD, FLOOD_LEN, 0, &by, &number);
        /* The pace: bursts count, so that the rate is the plan's on average. */
        usleep((useconds_t)(burst * SOAK_THREADS * 1000000 / publisher->plan->publish_rate));
    }
    return NULL;
}

/* ---- commands, on the connection's thread ---- */

static void read_counters(unsigned topic, bool are_done, uint32_t numbers[SOAK_PUBLISHERS])
{
    for (size_t i = 0; i < SOAK_PUBLISHERS; i++)
        numbers[i] = are_done ? atomic_load(&counters[topic][i].done)
                              : atomic_load(&counters[topic][i].begun);
}

static void answer(struct dx_connection *connection, const struct soak_notice *notice)
{
    enum dx_err err =
        dx_connection_send(connection, DX_OP_BINARY, notice, sizeof(struct soak_notice));

    if (err && err != DX_ERR_CLOSED && err != DX_ERR_QUEUE_FULL)
        atomic_fetch_add(&failed, 1);
}

static void change_subscription(struct dx_connection *connection, uint8_t command, uint16_t topic)
{
    struct soak_notice notice = {.kind = command, .topic = topic};
    char name[16];
    size_t name_len = name_of(topic, name);
    enum dx_err err = DX_OK;

    read_counters(topic, true, notice.before);
    if (command == COMMAND_SUBSCRIBE)
        err = dx_topics_subscribe(topics, connection, name, name_len);
    else if (!dx_topics_unsubscribe(topics, connection, name, name_len))
        err = DX_ERR_NOT_FOUND;
    read_counters(topic, false, notice.after);
    if (err == DX_ERR_CLOSED) /* for slowness */
        return;
    if (err || dx_topics_is_subscribed(topics, connection, name, name_len) !=
                   (command == COMMAND_SUBSCRIBE))
        atomic_fetch_add(&failed, 1);
    answer(connection, &notice);
}

static void publish_for(struct dx_connection *connection, uint8_t command, uint16_t topic)
{
    struct soak_notice notice = {.kind = command, .topic = topic};
    uint64_t except = command == COMMAND_PUBLISH_EXCEPT ? dx_connection_id(connection) : 0;

    if (!publish(topic, SOAK_MESSAGE_LEN + 100, except, &notice.publisher, &notice.number))
        notice.kind = COMMAND_PUBLISH; /* nothing was left out */
    answer(connection, &notice);
}

static void fragment(struct dx_connection *connection)
{
    struct visitor *visitor = dx_connection_user(connection);

    enum dx_err err =
        dx_connection_send_fragment(connection, DX_OP_TEXT, "fragment", 8, visitor->is_in_message);

    if (err && err != DX_ERR_CLOSED)
        atomic_fetch_add(&failed, 1);
    visitor->is_in_message = !visitor->is_in_message;
}

/* As much as makes published messages wait; the peer does not read for a while. */
static void jam(struct dx_connection *connection)
{
    static const uint8_t bytes[JAM_LEN];
    struct soak_notice notice = {.kind = COMMAND_JAM};
    char name[16];
    size_t name_len = name_of(SOAK_FLOOD, name);
    enum dx_err err;

    answer(connection, &notice);
    err = dx_topics_subscribe(topics, connection, name, name_len);
    if (err && err != DX_ERR_CLOSED)
        atomic_fetch_add(&failed, 1);
    for (int i = 0; i < 200 && dx_connection_buffered_amount(connection) < 4 * JAM_LEN; i++)
        if (dx_connection_send(connection, DX_OP_TEXT, bytes, sizeof(bytes)) != DX_OK)
            return;
}

static void on_message(struct dx_connection *connection, enum dx_opcode opcode, uint8_t *data,
                       size_t len, void *user)
{
    uint16_t topic = 0;

    (void)user;
    (void)opcode;
    if (len == 3)
        memcpy(&topic, data + 1, sizeof(topic));
    if (len == 0 || topic > SOAK_TOPICS) {
        atomic_fetch_add(&failed, 1);
    } else if (data[0] == COMMAND_SUBSCRIBE || data[0] == COMMAND_UNSUBSCRIBE) {
        change_subscription(connection, data[0], topic);
    } else if (data[0] == COMMAND_PUBLISH || data[0] == COMMAND_PUBLISH_EXCEPT) {
        publish_for(connection, data[0], topic);
    } else if (data[0] == COMMAND_FRAGMENT) {
        fragment(connection);
    } else if (data[0] == COMMAND_JAM) {
        jam(connection);
    } else if (data[0] == COMMAND_CLOSE) {
        (void)dx_connection_close(connection, DX_CLOSE_NORMAL, "as you say", 10);
    } else if (data[0] == COMMAND_ABORT) {
        dx_connection_abort(connection, DX_ERR_CLOSED, "as you say");
    }
}

static void on_close(struct dx_connection *connection, const struct dx_close_info *info, void *user)
{
    struct visitor *visitor = user;

    (void)connection;
    (void)info;
    if (visitor->is_closed)
        atomic_fetch_add(&closed_twice, 1);
    visitor->is_closed = true;
    atomic_fetch_add(&closed, 1);
    free(visitor);
}

static const struct dx_connection_handlers handlers = {
    .size = sizeof(handlers), .on_message = on_message, .on_close = on_close};

static void on_request(struct dx_request *request, void *user)
{
    struct visitor *visitor = calloc(1, sizeof(*visitor));
    struct dx_connection *connection;

    (void)user;
    if (own_publisher == 0)
        own_publisher = SOAK_THREADS + atomic_fetch_add(&loops, 1);
    if (!visitor || own_publisher >= SOAK_PUBLISHERS ||
        dx_request_accept(request, &handlers, visitor, &connection) != DX_OK) {
        atomic_fetch_add(&failed, 1);
        free(visitor);
        return;
    }
    atomic_fetch_add(&opened, 1);
}

/* ---- together ---- */

static void on_closed(void *user)
{
    (void)user;
    dx_loop_stop(loop);
}

static void on_control(int fd, void *user)
{
    struct dx_loop_watch **watch = user;

    (void)fd;
    dx_loop_watch_free(*watch);
    *watch = NULL;
    dx_server_close(server, 0, on_closed, NULL);
}

static bool start(const struct soak_plan *plan, int control_fd)
{
    struct dx_server_options options = dx_server_options_init();
    struct dx_connection_options connection = dx_connection_options_init();
    struct dx_topics_options topics_options = dx_topics_options_init();
    const struct dx_route route = {
        .size = sizeof(route), .on_request = on_request, .wants_upgrades = true};
    char why[128];
    enum dx_err err;
    uint16_t port;

    options.threads = SOAK_LOOPS;
    options.max_connections = 16000;
    options.handshake_timeout_ms = 60000; /* a busy machine is not what is tested */
    options.max_memory = (uint64_t)1 << 30;
    connection.max_queue = 524288;
    options.connection = &connection;
    topics_options.slow_policy = (enum dx_slow_policy)plan->policy;
    topics_options.max_pending = 1048576;
    topics_options.max_subscriptions = SOAK_SUBSCRIPTIONS + 1;
    topics_options.max_topics = SOAK_TOPICS + 1;
    err = dx_loop_new(&loop);
    if (!err)
        err = dx_topics_new(&topics_options, &topics);
    if (!err)
        err = dx_server_new(loop, &options, &server);
    if (!err)
        err = dx_server_route(server, "/", &route);
    if (!err)
        err = dx_server_listen(server, "127.0.0.1:0", NULL, why, sizeof(why));
    if (err) {
        fprintf(stderr, "server: %s\n", dx_err_text(err));
        return false;
    }
    port = (uint16_t)atoi(strrchr(dx_server_url(server, 0), ':') + 1);
    return write(control_fd, &port, sizeof(port)) == (ssize_t)sizeof(port);
}

static size_t count_descriptors(void)
{
    DIR *directory = opendir("/proc/self/fd");
    size_t count = 0;

    while (directory && readdir(directory))
        count++;
    if (directory)
        (void)closedir(directory);
    return count;
}

static bool report(const struct dx_topics_metrics *counts, size_t before, size_t after)
{
    bool is_right = atomic_load(&opened) == atomic_load(&closed) &&
                    atomic_load(&closed_twice) == 0 && atomic_load(&failed) == 0 &&
                    counts->topics == 0 && counts->subscriptions == 0 && before == after;

    printf("server: %u connections opened, %u closed, %u of these twice; %u calls failed; "
           "%zu descriptors before, %zu after\n",
           atomic_load(&opened), atomic_load(&closed), atomic_load(&closed_twice),
           atomic_load(&failed), before, after);
    printf("server: %llu published (%u refused), %llu delivered, %llu dropped, %llu disconnected; "
           "%zu topics and %zu subscriptions left\n",
           (unsigned long long)counts->published, atomic_load(&refused),
           (unsigned long long)counts->delivered, (unsigned long long)counts->dropped,
           (unsigned long long)counts->disconnected, counts->topics, counts->subscriptions);
    return is_right;
}

bool soak_serve(const struct soak_plan *plan, int control_fd)
{
    struct publisher publishers[SOAK_THREADS];
    struct dx_topics_metrics counts = dx_topics_metrics_init();
    struct dx_loop_watch *watch;
    size_t before;

    /* libuv opens a pipe with the first loop of a process and keeps it. */
    if (dx_loop_new(&loop) != DX_OK)
        return false;
    dx_loop_free(loop);
    before = count_descriptors();
    for (size_t i = 0; i <= SOAK_TOPICS; i++)
        pthread_mutex_init(&locks[i], NULL);
    if (!start(plan, control_fd) ||
        dx_loop_watch_new(loop, control_fd, on_control, &watch, &watch)) {
        fputs("server: it could not be started\n", stderr);
        return false;
    }
    for (unsigned i = 0; i < SOAK_THREADS; i++) {
        publishers[i] = (struct publisher){.plan = plan, .number = i};
        if (pthread_create(&publishers[i].thread, NULL, run_publisher, &publishers[i]) != 0)
            abort();
    }
    if (dx_loop_run(loop))
        abort();
    /* They go on to the end of the last connection. */
    atomic_store(&ends, true);
    for (size_t i = 0; i < SOAK_THREADS; i++)
        (void)pthread_join(publishers[i].thread, NULL);
    dx_topics_metrics(topics, &counts);
    dx_topics_free(topics);
    dx_server_free(server);
    dx_loop_free(loop);
    for (size_t i = 0; i <= SOAK_TOPICS; i++)
        pthread_mutex_destroy(&locks[i]);
    return report(&counts, before, count_descriptors());
}
