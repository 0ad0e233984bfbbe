/*
 * caller.c - a program of one version that uses a library of another. It uses every struct that has
 * a size, each at the very end of memory that may be touched. abi.py compiles it with today's
 * headers and with headers whose structs are longer, and runs both with both libraries.
 *
 *     caller SPAWNER         everything is as a library of any version has it
 *     caller SPAWNER WHICH   as that, but the later member of this struct is set
 */
#include <duplex/blocking.h>
#include <duplex/endpoint.h>
#include <duplex/files.h>
#include <duplex/handshake.h>
#include <duplex/metrics.h>
#include <duplex/program.h>
#include <duplex/request.h>
#include <duplex/tls_client.h>
#include <duplex/topics.h>

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#define PAGE 4096

static const char *which = ""; /* the struct whose later member is set */
static const char *spawner;
static struct dx_loop *loop;
static struct dx_server *server;
static int failures;

/* ---- structs, each right before memory that ends the program when it is touched ---- */

static void *at_the_end(size_t size)
{
    char *pages = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if (pages == MAP_FAILED || mprotect(pages + PAGE, PAGE, PROT_NONE) != 0)
        exit(3);
    memset(pages, 0xa5, PAGE);
    return pages + PAGE - size;
}

#ifdef ABI_LATER
# define SET_LATER(name, pointer) ((pointer)->abi_later = strcmp(which, # name) == 0)
#else
# define SET_LATER(name, pointer) ((void)0)
#endif

/* A struct with its defaults, in a variable. */
#define MAKE_WITH(name, variable, init)                                                            \
 struct name *variable = at_the_end(sizeof(*variable));                                            \
 *variable = (init);                                                                               \
 SET_LATER(name, variable)
#define MAKE(name, variable) MAKE_WITH(name, variable, name##_init())

/* ---- what is expected ---- */

static void expect(bool is_so, const char *what)
{
    if (is_so)
        return;
    printf("%s%s%s\n", what, which[0] != '\0' ? ", with a later member of " : "", which);
    failures++;
}

/* What a function says that takes these structs: their names, with a space after each. */
static bool goes(enum dx_err err, const char *function, const char *structs)
{
    const char *found = which[0] != '\0' ? strstr(structs, which) : NULL;
    bool has_later = found != NULL && found[strlen(which)] == ' ';
    char line[128];

    (void)snprintf(line, sizeof(line), "%s: %s", function, dx_err_name(err));
    expect(err == (has_later ? DX_ERR_USAGE : DX_OK), line);
    return err == DX_OK;
}

#define GOES(function, arguments, structs) goes(function arguments, #function, structs)

/* ---- a server and its connections ---- */

static struct {
    bool was_logged, was_asked, has_opened, was_tried, has_drained;
    int messages, pings, closes;
    uint16_t code;
    struct dx_connection_metrics *metrics;
} seen;

static int here; /* its address is the user of every callback */

static void write_log(enum dx_log_level level, const char *message,
                      const struct dx_log_field *fields, size_t count, void *user)
{
    (void)level;
    (void)message;
    (void)fields;
    (void)count;
    seen.was_logged = user == &here;
}

static void on_message(struct dx_connection *connection, enum dx_opcode opcode, uint8_t *data,
                       size_t len, void *user)
{
    seen.messages += user == &here;
    expect(dx_connection_send(connection, opcode, data, len) == DX_OK, "dx_connection_send");
}

static void on_ping(struct dx_connection *connection, const uint8_t *data, size_t len, void *user)
{
    (void)connection;
    (void)data;
    (void)len;
    seen.pings += user == &here;
}

static void on_close(struct dx_connection *connection, const struct dx_close_info *info, void *user)
{
    MAKE(dx_connection_metrics, metrics);

    dx_connection_metrics(connection, metrics);
    seen.metrics = metrics;
    seen.closes += user == &here;
    seen.code = info->sent_code;
}

static void on_upgrade(struct dx_request *request, void *user)
{
    MAKE(dx_connection_handlers, handlers);
    MAKE(dx_tls_facts, facts);
    struct dx_connection *connection;

    handlers->on_message = on_message;
    handlers->on_ping = on_ping;
    handlers->on_close = on_close;
    expect(!dx_request_is_tls(request) || (dx_request_tls(request, facts) && facts->cipher != NULL),
           "dx_request_tls");
    if (GOES(dx_request_accept, (request, handlers, user, &connection), "dx_connection_handlers "))
        expect(!dx_connection_tls(connection, facts) || facts->client_fingerprint[0] == '\0',
               "dx_connection_tls");
}

static void on_response_close(struct dx_response *response, enum dx_err err, void *user)
{
    (void)response;
    seen.closes += err == DX_OK && user == &here;
}

static void on_plain(struct dx_request *request, void *user)
{
    MAKE(dx_response_handlers, handlers);
    MAKE(dx_response_options, options);
    struct dx_response *response;

    handlers->on_close = on_response_close;
    options->status = 401;
    options->len = 2;
    options->handlers = handlers;
    options->user = user;
    if (!GOES(dx_request_respond_in_pieces, (request, options, &response),
              "dx_response_handlers dx_response_options "))
        return;
    expect(dx_response_write(response, "no", 2) == DX_OK, "dx_response_write");
    dx_response_end(response);
}

static bool add_routes(void)
{
    MAKE(dx_connection_options, connection);
    MAKE(dx_route, upgrades);
    MAKE(dx_route, plain);
    MAKE(dx_files_options, files);

    connection->max_message = 4;
    upgrades->on_request = on_upgrade;
    upgrades->user = &here;
    upgrades->wants_upgrades = true;
    upgrades->connection = connection;
    plain->on_request = on_plain;
    plain->user = &here;
    plain->wants_plain = true;
    plain->methods = "GET";
    return GOES(dx_server_route, (server, "/", upgrades), "dx_route dx_connection_options ") &&
           GOES(dx_server_route, (server, "/", plain), "dx_route ") &&
           GOES(dx_server_route_files, (server, "/files", "/", files), "dx_files_options ");
}

static bool make_server(struct dx_tls *tls)
{
    MAKE(dx_server_options, options);
    MAKE(dx_connection_options, connection);
    MAKE(dx_log_sink, sink);

    sink->write = write_log;
    sink->user = &here;
    sink->level = DX_LOG_DEBUG;
    options->connection = connection;
    options->log = sink;
    expect(dx_loop_new(&loop) == DX_OK, "dx_loop_new");
    return GOES(dx_server_new, (loop, options, &server),
                "dx_server_options dx_connection_options dx_log_sink ") &&
           add_routes() && dx_server_listen(server, "127.0.0.1:0", tls, NULL, 0) == DX_OK;
}

static void end_server(void)
{
    if (server != NULL) {
        MAKE(dx_server_metrics, metrics);

        dx_server_metrics(server, metrics);
        expect(which[0] != '\0' || (metrics->requests == 1 && metrics->bytes_out <= 4),
               "dx_server_metrics");
        dx_server_free(server);
    }
    dx_loop_free(loop);
    server = NULL;
    loop = NULL;
}

/* ---- a client ---- */

static void on_open(struct dx_websocket *websocket, void *user)
{
    MAKE(dx_tls_facts, facts);

    seen.has_opened = user == &here;
    expect(!dx_websocket_tls(websocket, facts) || strcmp(facts->version, "TLSv1.3") == 0,
           "dx_websocket_tls");
    expect(dx_websocket_ping(websocket, "?", 1) == DX_OK, "dx_websocket_ping");
    expect(dx_websocket_send(websocket, DX_OP_TEXT, "1234", 4) == DX_OK, "dx_websocket_send");
}

static void on_answer(struct dx_websocket *websocket, struct dx_message *message, void *user)
{
    (void)message;
    (void)user;
    expect(dx_websocket_send(websocket, DX_OP_TEXT, "12345", 5) == DX_OK, "dx_websocket_send");
}

static void on_end(struct dx_websocket *websocket, const struct dx_close_event *close, void *user)
{
    (void)websocket;
    (void)user;
    if (!close->will_reconnect)
        dx_loop_stop(loop);
}

static void on_opening(struct dx_websocket *websocket, const char *head, size_t len, void *user)
{
    (void)websocket;
    (void)head;
    (void)len;
    seen.was_asked = user == &here;
}

static bool on_attempt(struct dx_websocket *websocket, uint32_t attempt, const char **url,
                       void *user)
{
    (void)websocket;
    (void)attempt;
    (void)url;
    seen.was_tried = user == &here;
    return false;
}

static const char *client_structs = "dx_websocket_options dx_connection_options "
                                    "dx_reconnect_options dx_outbox_options dx_websocket_listener ";

static void run_client(const char *url, struct dx_tls_client *tls)
{
    MAKE(dx_websocket_options, options);
    MAKE_WITH(dx_connection_options, connection, dx_connection_options_init_client());
    MAKE(dx_reconnect_options, reconnect);
    MAKE(dx_outbox_options, outbox);
    MAKE(dx_websocket_listener, listener);
    struct dx_websocket *websocket;

    listener->on_open = on_open;
    listener->on_message = on_answer;
    listener->on_close = on_end;
    listener->on_request = on_opening;
    reconnect->first_delay_ms = 1;
    reconnect->on_attempt = on_attempt;
    reconnect->user = &here;
    options->tls = tls;
    options->connection = connection;
    options->reconnect = reconnect;
    options->outbox = outbox;
    options->listener = listener;
    options->user = &here;
    if (!GOES(dx_websocket_new, (loop, url, options, &websocket), client_structs))
        return;
    expect(dx_loop_run(loop) == DX_OK, "dx_loop_run");
    dx_websocket_free(websocket);
}

/* Nothing listens there: it would try again. */
static void test_reconnect(void)
{
    memset(&seen, 0, sizeof(seen));
    expect(dx_loop_new(&loop) == DX_OK, "dx_loop_new");
    run_client("ws://127.0.0.1:1/", NULL);
    expect(seen.was_tried || which[0] != '\0', "on_attempt is called");
    dx_loop_free(loop);
}

static void test_added_listener(void)
{
    MAKE(dx_websocket_listener, listener);
    struct dx_websocket *websocket;

    expect(dx_loop_new(&loop) == DX_OK &&
               dx_websocket_new(loop, "ws://127.0.0.1:1/", NULL, &websocket) == DX_OK,
           "dx_websocket_new");
    (void)goes(dx_websocket_add_listener(websocket, listener, NULL), "dx_websocket_add_listener",
               "dx_websocket_listener ");
    dx_websocket_free(websocket);
    dx_loop_free(loop);
}

static void talk(const char *scheme, struct dx_tls *tls, struct dx_tls_client *client)
{
    char url[64];

    memset(&seen, 0, sizeof(seen));
    if (make_server(tls)) {
        (void)snprintf(url, sizeof(url), "%s%s", scheme, strchr(dx_server_url(server, 0), ':'));
        run_client(url, client);
    }
    end_server();
    if (which[0] != '\0')
        return;
    expect(seen.was_asked && seen.has_opened, "the listener is called");
    expect(seen.messages == 1 && seen.pings == 1 && seen.closes == 1, "the handlers are called");
    expect(seen.code == DX_CLOSE_TOO_BIG, "the route's max_message is 4");
    expect(seen.was_logged, "the sink is called");
    expect(seen.metrics != NULL && seen.metrics->bytes_out == 4, "dx_connection_metrics");
}

static void test_tls(void)
{
    MAKE(dx_tls_options, options);
    MAKE(dx_tls_client_options, client_options);
    char fingerprint[DX_TLS_FINGERPRINT_ROOM];
    struct dx_tls_client *client;
    struct dx_tls *tls;
    enum dx_err err;

    options->certificate_path = options->key_path = "/nowhere";
    err = dx_tls_new_with(options, &tls, NULL, 0);
    (void)goes(err == DX_ERR_NOT_FOUND ? DX_OK : err, "dx_tls_new_with", "dx_tls_options ");
    client_options->is_insecure = true;
    if (!GOES(dx_tls_client_new, (client_options, &client, NULL, 0), "dx_tls_client_options "))
        return;
    expect(dx_tls_new_self_signed(NULL, 0, 1, &tls, fingerprint) == DX_OK,
           "dx_tls_new_self_signed");
    talk("wss", tls, client);
    dx_tls_client_free(client);
    dx_tls_free(tls);
}

/* ---- a plain answer, and calls that wait ---- */

static void on_plain_answer(int fd, void *user)
{
    char text[1024];
    ssize_t len = read(fd, text, sizeof(text) - 1);

    (void)user;
    text[len > 0 ? len : 0] = '\0';
    seen.code = (uint16_t)strtoul(text + strlen("HTTP/1.1 "), NULL, 10);
    seen.messages = strstr(text, "\r\n\r\nno") != NULL;
    dx_loop_stop(loop);
}

static void ask(void)
{
    static const char request[] = "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n";
    struct sockaddr_in address = {.sin_family = AF_INET};
    struct dx_loop_watch *watch;
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port =
        htons((uint16_t)strtoul(strrchr(dx_server_url(server, 0), ':') + 1, NULL, 10));
    expect(connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0 &&
               write(fd, request, strlen(request)) == (ssize_t)strlen(request) &&
               dx_loop_watch_new(loop, fd, on_plain_answer, NULL, &watch) == DX_OK &&
               dx_loop_run(loop) == DX_OK,
           "a plain request");
    dx_loop_watch_free(watch);
    close(fd);
}

static void test_answer(void)
{
    memset(&seen, 0, sizeof(seen));
    if (make_server(NULL))
        ask();
    end_server();
    expect(which[0] != '\0' || (seen.code == 401 && seen.messages == 1 && seen.closes == 1),
           "the answer in pieces");
}

static void test_blocking(void)
{
    MAKE(dx_websocket_options, options);
    MAKE_WITH(dx_connection_options, connection, dx_connection_options_init_client());
    MAKE(dx_websocket_listener, listener);
    struct dx_blocking *blocking;
    enum dx_err err;

    options->connection = connection;
    options->listener = listener;
    err = dx_blocking_connect("ws://127.0.0.1:1/", options, 2000, &blocking, NULL, 0);
    if (err == DX_ERR_CONNECT) /* nothing listens there */
        err = DX_OK;
    (void)goes(err, "dx_blocking_connect",
               "dx_websocket_options dx_connection_options dx_websocket_listener ");
}

/* ---- without a loop ---- */

static bool fill(uint8_t *bytes, size_t len, void *user)
{
    memset(bytes, 7, len);
    return user == &here;
}

static void test_endpoint(void)
{
    MAKE_WITH(dx_endpoint_options, options, dx_endpoint_options_init(DX_ROLE_CLIENT));
    struct dx_endpoint *endpoint;

    options->fill_random = fill;
    options->user = &here;
    if (!GOES(dx_endpoint_new, (options, &endpoint), "dx_endpoint_options "))
        return;
    expect(dx_endpoint_send(endpoint, DX_OP_TEXT, "x", 1) == DX_OK, "dx_endpoint_send");
    dx_endpoint_free(endpoint);
}

static void test_handshake(void)
{
    static const struct dx_header extra = {"X-Extra", "1"};
    static const uint8_t nonce[DX_HANDSHAKE_NONCE_LEN] = {1};
    MAKE_WITH(dx_handshake_request, request, dx_handshake_request_init("host", "/"));
    MAKE(dx_handshake_upgrade, upgrade);
    MAKE(dx_handshake_response, response);
    char key[DX_HANDSHAKE_KEY_LEN + 1] = "", text[1024], answer[DX_HANDSHAKE_ANSWER_ROOM];
    size_t len, answer_len;

    request->headers = &extra;
    request->header_count = 1;
    if (!GOES(dx_handshake_request_write, (request, nonce, key, text, sizeof(text), &len),
              "dx_handshake_request "))
        return;
    expect(memmem(text, len, "X-Extra: 1\r\n", 12) != NULL, "the request's last member counts");
    expect(dx_handshake_answer((uint8_t *)text, len, NULL, 0, upgrade, answer, sizeof(answer),
                               &answer_len) == DX_OK,
           "dx_handshake_answer");
    expect(upgrade->head_len == len && upgrade->subprotocol == NULL, "dx_handshake_upgrade");
    expect(dx_handshake_response_read(request, key, (uint8_t *)answer, answer_len, response) ==
               DX_OK,
           "dx_handshake_response_read");
    expect(response->status == 101 && response->detail == NULL, "dx_handshake_response");
}

static void test_topics(void)
{
    MAKE(dx_topics_options, options);
    MAKE(dx_topics_metrics, metrics);
    struct dx_topics *topics;

    if (!GOES(dx_topics_new, (options, &topics), "dx_topics_options "))
        return;
    expect(dx_topics_publish(topics, "t", 1, DX_OP_TEXT, "x", 1, 0) == DX_OK, "dx_topics_publish");
    dx_topics_metrics(topics, metrics);
    expect(metrics->published == 1 && metrics->disconnected == 0, "dx_topics_metrics");
    dx_topics_free(topics);
}

static void test_programs(void)
{
    static const char *const argv[] = {"true", NULL};
    static char *const inherited[] = {"PATH=/usr/bin:/bin", NULL};
    MAKE(dx_programs_options, options);
    MAKE(dx_program_options, program);
    struct dx_programs *programs;

    expect(dx_loop_new(&loop) == DX_OK && dx_server_new(loop, NULL, &server) == DX_OK, "a server");
    options->spawner_path = spawner;
    options->inherited = inherited;
    options->descriptor_limit = 1024;
    program->argv = argv;
    program->page = "";
    if (GOES(dx_programs_new, (server, options, &programs), "dx_programs_options ")) {
        (void)goes(dx_programs_route(programs, "/", program), "dx_programs_route",
                   "dx_program_options ");
        dx_programs_free(programs);
    }
    dx_server_free(server);
    dx_loop_free(loop);
    server = NULL;
}

int main(int argc, char **argv)
{
    if (argc < 2)
        return 2;
    spawner = argv[1];
    which = argc > 2 ? argv[2] : "";
    talk("ws", NULL, NULL);
    test_reconnect();
    test_added_listener();
    test_tls();
    test_answer();
    test_blocking();
    test_endpoint();
    test_handshake();
    test_topics();
    test_programs();
    return failures > 0;
}
