/*
 * server.c - a server that uses as much of the library as one program can: threads, TLS, a unix
 * socket, files, topics, timers, posts. The test beside it reads with strace what that does to its
 * process. It speaks on descriptor 3 alone.
 *
 *     server DIRECTORY SOCKET     DIRECTORY has the files, SOCKET is the unix socket to listen on
 */
#include <duplex/files.h>
#include <duplex/metrics.h>
#include <duplex/request.h>
#include <duplex/server.h>
#include <duplex/tls.h>
#include <duplex/topics.h>

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct dx_loop *loop;
static struct dx_server *server;
static struct dx_topics *topics;
static struct dx_loop_timer *timer;
static struct dx_tls *tls;

static void say(const char *text)
{
    size_t len = strlen(text);

    if (write(3, text, len) != (ssize_t)len)
        _exit(3);
}

static void check(enum dx_err err, const char *what)
{
    if (err == DX_OK)
        return;
    say(what);
    say(": ");
    say(dx_err_text(err));
    say("\n");
    _exit(2);
}

static void on_message(struct dx_connection *connection, enum dx_opcode opcode, uint8_t *data,
                       size_t len, void *user)
{
    (void)user;
    if (dx_connection_send(connection, opcode, data, len) != DX_OK)
        dx_connection_abort(connection, DX_ERR_CLOSED, "the echo could not be sent");
}

static void on_subscriber_message(struct dx_connection *connection, enum dx_opcode opcode,
                                  uint8_t *data, size_t len, void *user)
{
    (void)connection;
    (void)user;
    check(dx_topics_publish(topics, "all", 3, opcode, data, len, 0), "publish");
}

static const struct dx_connection_handlers echo_handlers = {.size = sizeof(echo_handlers),
                                                            .on_message = on_message};
static const struct dx_connection_handlers topic_handlers = {.size = sizeof(topic_handlers),
                                                             .on_message = on_subscriber_message};

static void on_echo(struct dx_request *request, void *user)
{
    struct dx_connection *connection;

    (void)user;
    check(dx_request_accept(request, &echo_handlers, NULL, &connection), "accept");
}

static void on_topic(struct dx_request *request, void *user)
{
    struct dx_connection *connection;

    (void)user;
    check(dx_request_accept(request, &topic_handlers, NULL, &connection), "accept");
    check(dx_topics_subscribe(topics, connection, "all", 3), "subscribe");
}

static void on_plain(struct dx_request *request, void *user)
{
    (void)user;
    dx_request_respond(request, 200, "text/plain", NULL, 0, "plain\n", 6);
}

static void on_closed(void *user)
{
    (void)user;
    dx_loop_stop(loop);
}

static void stop(void *data)
{
    (void)data;
    dx_server_close(server, 0, on_closed, NULL);
}

static void on_due(void *user)
{
    (void)user;
    check(dx_loop_post(loop, stop, NULL), "post");
}

static void set_timer(void *data)
{
    (void)data;
    dx_loop_timer_set(timer, 10);
}

static void on_stop(struct dx_request *request, void *user)
{
    (void)user;
    dx_request_respond(request, 200, "text/plain", NULL, 0, "stopping\n", 9);
    check(dx_loop_post(loop, set_timer, NULL), "post");
}

static void add_route(const char *path, void (*on_request)(struct dx_request *, void *),
                      bool is_upgrade)
{
    struct dx_route route = dx_route_init();

    route.on_request = on_request;
    route.wants_upgrades = is_upgrade;
    route.wants_plain = !is_upgrade;
    check(dx_server_route(server, path, &route), path);
}

static void serve(const char *directory, const char *socket_path)
{
    struct dx_server_options options = dx_server_options_init();
    struct dx_topics_options of_topics = dx_topics_options_init();
    char fingerprint[DX_TLS_FINGERPRINT_ROOM];
    char address[256], why[256] = "";
    const char *url;
    size_t i;

    options.threads = 2;
    check(dx_server_new(loop, &options, &server), "server");
    check(dx_topics_new(&of_topics, &topics), "topics");
    check(dx_loop_timer_new(loop, on_due, NULL, &timer), "timer");
    check(dx_tls_new_self_signed(NULL, 0, 1, &tls, fingerprint), "certificate");
    add_route("/", on_echo, true);
    add_route("/topic", on_topic, true);
    add_route("/plain", on_plain, false);
    add_route("/stop", on_stop, false);
    check(dx_server_route_files(server, "/files", directory, NULL), "files");
    check(dx_server_route_metrics(server, "/metrics"), "metrics");
    check(dx_server_listen(server, "127.0.0.1:0", NULL, why, sizeof(why)), "listen");
    check(dx_server_listen(server, "127.0.0.1:0", tls, why, sizeof(why)), "listen with TLS");
    snprintf(address, sizeof(address), "unix:%s", socket_path);
    check(dx_server_listen(server, address, NULL, why, sizeof(why)), "listen on a unix socket");
    for (i = 0; (url = dx_server_url(server, i)) != NULL; i++) {
        say(url);
        say("\n");
    }
    say("ready\n");
}

int main(int argc, char **argv)
{
    if (argc != 3)
        return 1;
    say("begin\n");
    check(dx_loop_new(&loop), "loop");
    serve(argv[1], argv[2]);
    check(dx_loop_run(loop), "run");
    dx_server_free(server);
    dx_topics_free(topics);
    dx_loop_timer_free(timer);
    dx_tls_free(tls);
    dx_loop_free(loop);
    say("end\n");
    return 0;
}
