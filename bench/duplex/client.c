/*
 * client.c - <duplex/client.h> as the client rows measure it.
 *
 *     client receive URL WARMUP COUNT          messages that come; processor time of each
 *     client send URL WARMUP COUNT WINDOW      messages of 20 bytes that are echoed, WINDOW of them
 *     under way client chunks URL                        one message in pieces; how many bytes came
 *     client hold URL                          opens connections up to each number that comes on
 *     stdin
 *
 * Prints one JSON object, hold one a line. peers/ws_client.mjs and peers/websockets_client.py do
 * the same.
 */
#include <duplex/client.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

enum { HELD_MAX = 19000, OPENING_MAX = 64 };

static const char payload[] = "abcdefghijklmnopqrst"; /* 20 bytes */

static struct dx_loop *loop;
static uint64_t warmup, wanted, seen, window;
static double cpu_before, wall_before;
static uint64_t bytes, chunks;
static struct dx_websocket_options options;
static struct dx_connection_options connection;
static struct dx_websocket_listener listener;
static const char *url;
static unsigned opened, opening, goal;

static void fail(const char *what)
{
    fprintf(stderr, "client: %s\n", what);
    exit(1);
}

static double seconds_of(clockid_t clock)
{
    struct timespec now;
    (void)clock_gettime(clock, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void on_error(struct dx_websocket *websocket, const struct dx_error_event *error, void *user)
{
    (void)websocket;
    (void)user;
    fail(error->detail);
}

static void on_close(struct dx_websocket *websocket, const struct dx_close_event *close, void *user)
{
    (void)websocket;
    (void)user;
    if (!close->was_clean)
        fail("the connection did not end cleanly");
}

/* ---- receive and send ---- */

static void count(void)
{
    seen++;
    if (seen == warmup) {
        cpu_before = seconds_of(CLOCK_PROCESS_CPUTIME_ID);
        wall_before = seconds_of(CLOCK_MONOTONIC);
    }
    if (seen < warmup + wanted)
        return;
    double cpu = seconds_of(CLOCK_PROCESS_CPUTIME_ID) - cpu_before;
    double wall = seconds_of(CLOCK_MONOTONIC) - wall_before;
    printf("{\"cpu_us\": %.5f, \"rate\": %.0f}\n", cpu * 1e6 / (double)wanted,
           (double)wanted / wall);
    (void)fflush(stdout);
    _exit(0); /* the server of a flood has no end */
}

static void on_message(struct dx_websocket *websocket, struct dx_message *message, void *user)
{
    size_t len;
    (void)websocket;
    (void)user;
    (void)dx_message_data(message, &len);
    if (len != sizeof payload - 1)
        fail("a message of another length came");
    count();
}

static void send_one(struct dx_websocket *websocket)
{
    if (dx_websocket_send(websocket, DX_OP_TEXT, payload, sizeof payload - 1) != DX_OK)
        fail("a message could not be sent");
}

static void on_echo(struct dx_websocket *websocket, struct dx_message *message, void *user)
{
    on_message(websocket, message, user);
    send_one(websocket);
}

static void on_open_send(struct dx_websocket *websocket, void *user)
{
    (void)user;
    for (uint64_t i = 0; i < window; i++)
        send_one(websocket);
}

/* ---- chunks ---- */

static void on_chunk(struct dx_websocket *websocket, enum dx_opcode opcode, const uint8_t *data,
                     size_t len, bool is_first, bool is_last, void *user)
{
    (void)opcode;
    (void)data;
    (void)is_first;
    (void)user;
    bytes += len;
    chunks++;
    if (is_last && dx_websocket_close(websocket, 0, NULL, 0) != DX_OK)
        fail("cannot close");
}

static void on_close_chunks(struct dx_websocket *websocket, const struct dx_close_event *close,
                            void *user)
{
    on_close(websocket, close, user);
    printf("{\"bytes\": %llu, \"chunks\": %llu}\n", (unsigned long long)bytes,
           (unsigned long long)chunks);
    dx_loop_stop(loop);
}

/* ---- hold ---- */

static void open_more(void);

static void on_open_hold(struct dx_websocket *websocket, void *user)
{
    (void)websocket;
    (void)user;
    opened++;
    opening--;
    open_more();
}

static void open_more(void)
{
    struct dx_websocket *websocket;
    while (opened + opening < goal && opening < OPENING_MAX) {
        opening++;
        if (dx_websocket_new(loop, url, &options, &websocket) != DX_OK)
            fail("no websocket could be made");
    }
    if (opened < goal)
        return;
    printf("{\"open\": %u}\n", opened);
    (void)fflush(stdout);
}

static void on_line(int fd, void *user)
{
    char line[64];
    ssize_t got = read(fd, line, sizeof line - 1);
    (void)user;
    if (got <= 0)
        _exit(0);
    line[got] = '\0';
    goal = (unsigned)strtoul(line, NULL, 10);
    if (goal > HELD_MAX)
        fail("too many connections");
    open_more();
}

static void hold(void)
{
    struct dx_loop_watch *watch;
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max;
        (void)setrlimit(RLIMIT_NOFILE, &limit);
    }
    listener.on_open = on_open_hold;
    if (dx_loop_watch_new(loop, STDIN_FILENO, on_line, NULL, &watch) != DX_OK)
        fail("no watch");
}

static void take_arguments(int argc, char **argv)
{
    const char *mode = argc > 2 ? argv[1] : "";
    url = argv[2];
    listener.on_error = on_error;
    listener.on_close = on_close;
    listener.on_message = on_message;
    if (argc > 4) {
        warmup = strtoull(argv[3], NULL, 10);
        wanted = strtoull(argv[4], NULL, 10);
    }
    if (strcmp(mode, "send") == 0 && argc == 6) {
        window = strtoull(argv[5], NULL, 10);
        listener.on_open = on_open_send;
        listener.on_message = on_echo;
    } else if (strcmp(mode, "chunks") == 0 && argc == 3) {
        connection.max_message = UINT64_MAX;
        listener.on_chunk = on_chunk;
        listener.on_close = on_close_chunks;
    } else if (strcmp(mode, "hold") == 0 && argc == 3) {
        hold();
    } else if (strcmp(mode, "receive") != 0 || argc != 5) {
        fail("see the head of bench/duplex/client.c");
    }
}

int main(int argc, char **argv)
{
    struct dx_websocket *websocket;
    options = dx_websocket_options_init();
    connection = dx_connection_options_init_client();
    listener = dx_websocket_listener_init();
    options.connection = &connection;
    options.listener = &listener;
    if (dx_loop_new(&loop) != DX_OK)
        fail("no loop");
    take_arguments(argc, argv);
    if (strcmp(argv[1], "hold") != 0 && dx_websocket_new(loop, url, &options, &websocket) != DX_OK)
        fail("no websocket could be made");
    return dx_loop_run(loop) != DX_OK;
}
