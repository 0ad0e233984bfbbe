/*
 * by_id_threads_test.c - four threads send, close, call and count by id on a server of four loops,
 * while connections come and go, the server ends, and is freed. For the thread sanitizer as much as
 * for what it asserts: order, and that nothing is lost that was promised.
 */
#include "server/core/calls.h"

#include <duplex/metrics.h>
#include <duplex/request.h>

#include <netinet/in.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "support/test.h"

#define SERVER_THREADS 4
#define SENDERS 4
#define CLIENTS 4
#define KNOWN 8 /* ids that senders choose from: of connections that are open, or were */
#define OPENED_MAX 65536
#define ENOUGH 1500    /* connections, before the server ends */
#define CALLS_MIN 2000 /* of each sender */

static const char upgrade[] = "GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\n"
                              "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                              "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";

static struct dx_loop *loop;
static struct dx_server *server;
static uint16_t port;
static _Atomic uint64_t known[KNOWN];
static uint64_t opened_ids[OPENED_MAX];
static atomic_size_t opened, closed;
static atomic_uint calls_accepted, calls_made, calls_without, each_accepted, each_done, each_seen;
static atomic_uint messages_accepted, messages_seen, refused;
static atomic_bool ends; /* the server does: anything may fail from here on */
static atomic_bool senders_stop;

/* ---- the server's side: callbacks on all its threads ---- */

static void on_close(struct dx_connection *connection, const struct dx_close_info *info, void *user)
{
    (void)connection;
    (void)info;
    (void)user;
    atomic_fetch_add(&closed, 1);
}

static const struct dx_connection_handlers handlers = {.size = sizeof(handlers),
                                                       .on_close = on_close};

static void on_request(struct dx_request *request, void *user)
{
    struct dx_connection *connection;
    size_t at;

    (void)user;
    if (dx_request_accept(request, &handlers, NULL, &connection) != DX_OK)
        return;
    at = atomic_fetch_add(&opened, 1);
    if (at >= OPENED_MAX)
        abort();
    opened_ids[at] = dx_connection_id(connection);
    atomic_store(&known[at % KNOWN], dx_connection_id(connection));
}

static void on_call(struct dx_connection *connection, void *user)
{
    uint64_t *id = user;

    atomic_fetch_add(&calls_made, 1);
    if (connection == NULL)
        atomic_fetch_add(&calls_without, 1);
    else if (dx_connection_id(connection) != *id)
        abort();
    free(id);
}

static void on_each(struct dx_connection *connection, void *user)
{
    (void)user;
    if (dx_connection_id(connection) == 0)
        abort();
    atomic_fetch_add(&each_seen, 1);
}

static void on_done(void *user)
{
    (void)user;
    atomic_fetch_add(&each_done, 1);
}

/* ---- senders ---- */

static bool is_accepted(enum dx_err err)
{
    if (err != DX_OK && err != DX_ERR_QUEUE_FULL)
        abort(); /* nothing else can go wrong here */
    if (err != DX_OK)
        atomic_fetch_add(&refused, 1);
    return err == DX_OK;
}

static void call_one(uint64_t id)
{
    uint64_t *copy = malloc(sizeof(*copy));

    *copy = id;
    if (is_accepted(dx_server_call(server, id, on_call, copy)))
        atomic_fetch_add(&calls_accepted, 1);
    else
        free(copy);
}

static void count_all(void)
{
    static const size_t room = DX_METRICS_TEXT_MAX;
    char text[DX_METRICS_TEXT_MAX];
    struct dx_server_metrics metrics = dx_server_metrics_init();
    size_t len;

    dx_server_metrics(server, &metrics);
    if (metrics.websockets > dx_server_connection_count(server) + OPENED_MAX ||
        dx_server_metrics_text(server, text, room, &len) != DX_OK)
        abort();
}

/* A message says who has sent it, and which of his it is. */
static void send_one(uint64_t id, unsigned sender, unsigned number)
{
    char text[32];
    int len = snprintf(text, sizeof(text), "%u %u", sender, number);

    if (is_accepted(dx_server_send(server, id, DX_OP_TEXT, text, (size_t)len)))
        atomic_fetch_add(&messages_accepted, 1);
}

static void *run_sender(void *data)
{
    unsigned sender = *(unsigned *)data, random = sender + 1;

    for (unsigned number = 0; !atomic_load(&senders_stop); number++) {
        uint64_t id;

        random = random * 1103515245 + 12345;
        id = atomic_load(&known[(random >> 16) % KNOWN]);
        if (id == 0 || number % 64 == 0)
            usleep(1000); /* the others' turn: what is to be tested is not one thread's speed */
        if (id == 0)
            continue;
        send_one(id, sender, number);
        if (number % 5 == 0)
            call_one(id);
        if (number % 50 == 0)
            (void)is_accepted(dx_server_close_connection(server, id, 3000, "by id", 5));
        if (number % 100 == 0 &&
            is_accepted(dx_server_each_connection(server, on_each, on_done, NULL)))
            atomic_fetch_add(&each_accepted, 1);
        if (number % 1000 == 999)
            (void)is_accepted(dx_server_close_all(server, 3001, "all", 3));
        if (number % 20 == 0)
            count_all();
    }
    return NULL;
}

/* ---- clients: blocking ---- */

static bool receive(int fd, char *bytes, size_t len)
{
    while (len > 0) {
        ssize_t got = recv(fd, bytes, len, 0);

        if (got <= 0)
            return false;
        bytes += got;
        len -= (size_t)got;
    }
    return true;
}

static int connect_client(void)
{
    static const struct timeval patience = {1, 0};
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr = {htonl(INADDR_LOOPBACK)}};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    (void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    if (connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0)
        return fd;
    (void)close(fd);
    return -1;
}

static bool open_client(int fd)
{
    char text[1024];
    size_t len = 0;

    if (send(fd, upgrade, sizeof(upgrade) - 1, MSG_NOSIGNAL) != sizeof(upgrade) - 1)
        return false;
    do {
        if (len + 1 == sizeof(text) || !receive(fd, text + len, 1))
            return false;
        text[++len] = '\0';
    } while (strstr(text, "\r\n\r\n") == NULL);
    return strstr(text, " 101 ") != NULL;
}

/* Reads so many messages, or until the server closes. False: one was out of order, or is none. */
static bool read_messages(int fd, unsigned count)
{
    unsigned last[SENDERS] = {0}, sender, number;
    bool has_last[SENDERS] = {false};
    char head[2], text[128];

    while (count-- > 0 && receive(fd, head, 2)) {
        size_t len = (size_t)head[1];

        if (len > 125 || !receive(fd, text, len))
            return atomic_load(&ends);
        text[len] = '\0';
        if ((unsigned char)head[0] == 0x88) {
            (void)send(fd, "\x88\x80\0\0\0\0", 6, MSG_NOSIGNAL);
            return true;
        }
        if ((unsigned char)head[0] != 0x81 || sscanf(text, "%u %u", &sender, &number) != 2 ||
            sender >= SENDERS || (has_last[sender] && number <= last[sender]))
            return false;
        last[sender] = number;
        has_last[sender] = true;
        atomic_fetch_add(&messages_seen, 1);
    }
    return true;
}

static void *run_client(void *data)
{
    bool *is_right = data;

    for (unsigned round = 0; !atomic_load(&ends); round++) {
        int fd = connect_client();

        if (fd < 0)
            continue;
        if (open_client(fd) && !read_messages(fd, 5 + round % 40))
            *is_right = false;
        (void)close(fd);
    }
    return NULL;
}

/* ---- together ---- */

static void start_server(uint32_t threads)
{
    struct dx_server_options options = dx_server_options_init();
    struct dx_connection_options connection = dx_connection_options_init();
    struct dx_route route = dx_route_init();
    char why[128];

    route.on_request = on_request;
    route.wants_upgrades = true;
    options.threads = threads;
    connection.close_timeout_ms = 1000;
    options.connection = &connection;
    assert_int_equal(dx_loop_new(&loop), DX_OK);
    assert_int_equal(dx_server_new(loop, &options, &server), DX_OK);
    assert_int_equal(dx_server_route(server, "/", &route), DX_OK);
    assert_int_equal(dx_server_listen(server, "127.0.0.1:0", NULL, why, sizeof(why)), DX_OK);
    port = (uint16_t)atoi(strrchr(dx_server_url(server, 0), ':') + 1);
}

static void reset_counts(void)
{
    atomic_uint *const counts[] = {&calls_accepted, &calls_made, &calls_without,
                                   &each_accepted,  &each_done,  &each_seen,
                                   &messages_seen,  &refused,    &messages_accepted};

    for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++)
        atomic_store(counts[i], 0);
    for (int i = 0; i < KNOWN; i++)
        atomic_store(&known[i], 0);
    atomic_store(&opened, 0);
    atomic_store(&closed, 0);
    atomic_store(&ends, false);
    atomic_store(&senders_stop, false);
}

static void on_closed(void *user)
{
    (void)user;
    dx_loop_stop(loop);
}

static bool frees; /* without closing first */

static void look(void *user)
{
    struct dx_loop_timer **timer = user;

    if (atomic_load(&opened) < ENOUGH || atomic_load(&messages_accepted) < SENDERS * CALLS_MIN) {
        dx_loop_timer_set(*timer, 5);
        return;
    }
    atomic_store(&ends, true);
    if (frees)
        dx_loop_stop(loop);
    else
        dx_server_close(server, 20, on_closed, NULL);
}

static int compare(const void *one, const void *other)
{
    uint64_t first = *(const uint64_t *)one, second = *(const uint64_t *)other;

    return first < second ? -1 : first > second;
}

static void check_ids(void)
{
    size_t count = atomic_load(&opened);
    bool on_loop[SERVER_THREADS] = {false};

    qsort(opened_ids, count, sizeof(opened_ids[0]), compare);
    assert_true(opened_ids[0] != 0);
    for (size_t i = 0; i < count; i++) {
        assert_true(i == 0 || opened_ids[i] != opened_ids[i - 1]);
        assert_true((opened_ids[i] >> 26 & 63) < SERVER_THREADS);
        on_loop[opened_ids[i] >> 26 & 63] = true;
    }
    for (size_t i = 0; i < SERVER_THREADS; i++)
        assert_true(on_loop[i]);
}

/*
 * Senders go on while the server ends; they have to be done when it is freed, their calls need not.
 */
static void run(bool without_closing)
{
    pthread_t clients[CLIENTS], senders[SENDERS];
    unsigned numbers[SENDERS];
    bool are_right[CLIENTS];
    struct dx_loop_timer *timer;

    reset_counts();
    frees = without_closing;
    start_server(SERVER_THREADS);
    assert_int_equal(dx_loop_timer_new(loop, look, &timer, &timer), DX_OK);
    dx_loop_timer_set(timer, 5);
    for (unsigned i = 0; i < CLIENTS; i++) {
        are_right[i] = true;
        assert_int_equal(pthread_create(&clients[i], NULL, run_client, &are_right[i]), 0);
    }
    for (unsigned i = 0; i < SENDERS; i++) {
        numbers[i] = i;
        assert_int_equal(pthread_create(&senders[i], NULL, run_sender, &numbers[i]), 0);
    }
    assert_int_equal(dx_loop_run(loop), DX_OK);
    atomic_store(&senders_stop, true);
    for (int i = 0; i < SENDERS; i++)
        assert_int_equal(pthread_join(senders[i], NULL), 0);
    dx_server_free(server);
    for (int i = 0; i < CLIENTS; i++) {
        assert_int_equal(pthread_join(clients[i], NULL), 0);
        assert_true(are_right[i]);
    }
    dx_loop_timer_free(timer);
    dx_loop_free(loop);
    assert_int_equal(atomic_load(&opened), atomic_load(&closed));
    assert_int_equal(atomic_load(&calls_accepted), atomic_load(&calls_made));
    assert_int_equal(atomic_load(&each_accepted), atomic_load(&each_done));
    assert_true(atomic_load(&messages_seen) > 0 && atomic_load(&each_seen) > 0);
    check_ids();
    print_message("%zu connections, %u messages of %u, %u calls (%u too late), %u times each (%u "
                  "seen), %u refused\n",
                  atomic_load(&opened), atomic_load(&messages_seen),
                  atomic_load(&messages_accepted), atomic_load(&calls_made),
                  atomic_load(&calls_without), atomic_load(&each_done), atomic_load(&each_seen),
                  atomic_load(&refused));
}

static void test_while_the_server_ends(void **state)
{
    (void)state;
    run(false);
}

static void test_until_the_server_is_freed(void **state)
{
    (void)state;
    run(true);
}

/* ---- one of two loops takes no more ---- */

static sem_t is_held, may_go;

static void hold_loop(struct dx_connection *connection, void *user)
{
    (void)connection;
    (void)user;
    (void)sem_post(&is_held);
    while (sem_wait(&may_go) != 0)
        ;
}

static void turn_until(atomic_uint *count, unsigned wanted)
{
    while (atomic_load(count) < wanted) {
        assert_int_equal(dx_loop_dispatch(loop), DX_OK);
        usleep(500);
    }
}

static void count_call(struct dx_connection *connection, void *user)
{
    (void)connection;
    (void)user;
    atomic_fetch_add(&calls_made, 1);
}

/* Then nothing is done for any, on the loop that would have taken it neither. */
static void test_all_or_nothing(void **state)
{
    int fds[2];
    uint64_t far = 0;

    (void)state;
    reset_counts();
    start_server(2);
    assert_int_equal(sem_init(&is_held, 0, 0) + sem_init(&may_go, 0, 0), 0);
    for (size_t i = 0; i < 2; i++) {
        fds[i] = connect_client();
        assert_true(fds[i] >= 0);
        assert_int_equal(send(fds[i], upgrade, sizeof(upgrade) - 1, MSG_NOSIGNAL),
                         sizeof(upgrade) - 1);
        while (atomic_load(&known[i]) == 0) {
            assert_int_equal(dx_loop_dispatch(loop), DX_OK);
            usleep(500);
        }
        if ((atomic_load(&known[i]) >> 26 & 63) == 1)
            far = atomic_load(&known[i]);
    }
    assert_true(far != 0);
    assert_int_equal(dx_server_call(server, far, hold_loop, NULL), DX_OK);
    while (sem_wait(&is_held) != 0)
        ;
    for (unsigned i = 0; i < DX_CALLS_MAX; i++)
        assert_int_equal(dx_server_call(server, far, count_call, NULL), DX_OK);
    assert_int_equal(dx_server_call(server, far, count_call, NULL), DX_ERR_QUEUE_FULL);
    assert_int_equal(dx_server_each_connection(server, on_each, on_done, NULL), DX_ERR_QUEUE_FULL);
    assert_int_equal(dx_server_close_all(server, 1000, NULL, 0), DX_ERR_QUEUE_FULL);
    (void)sem_post(&may_go);
    turn_until(&calls_made, DX_CALLS_MAX);
    assert_int_equal(atomic_load(&each_seen), 0);
    assert_int_equal(atomic_load(&each_done), 0);
    assert_int_equal(dx_server_each_connection(server, on_each, on_done, NULL), DX_OK);
    turn_until(&each_done, 1);
    assert_int_equal(atomic_load(&each_seen), 2);
    assert_int_equal(atomic_load(&closed), 0);
    assert_int_equal(dx_server_connection_count(server), 2);
    dx_server_free(server);
    dx_loop_free(loop);
    for (size_t i = 0; i < 2; i++)
        (void)close(fds[i]);
    assert_int_equal(atomic_load(&closed), 2);
    (void)sem_destroy(&is_held);
    (void)sem_destroy(&may_go);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_while_the_server_ends),
        cmocka_unit_test(test_until_the_server_is_freed),
        cmocka_unit_test(test_all_or_nothing),
    };

    return run_group(tests, NULL, NULL);
}
