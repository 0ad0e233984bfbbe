/*
 * two_copies.c - two copies of the shared library in one process, as two plug-ins of somebody's
 * would bring them: each runs an echo server on a thread of its own until the input ends, and both
 * are unloaded.
 *
 *     two_copies LIBRARY LIBRARY     prints a URL each on stderr
 */
#include <duplex/request.h>
#include <duplex/server.h>

#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

struct copy {
    void *library;
    struct dx_loop *loop;
    struct dx_server *server;
    struct dx_connection_handlers handlers;
    pthread_t thread;
    __typeof__(&dx_loop_new) loop_new;
    __typeof__(&dx_loop_run) loop_run;
    __typeof__(&dx_loop_stop) loop_stop;
    __typeof__(&dx_loop_free) loop_free;
    __typeof__(&dx_server_new) server_new;
    __typeof__(&dx_server_free) server_free;
    __typeof__(&dx_server_route) server_route;
    __typeof__(&dx_server_listen) server_listen;
    __typeof__(&dx_server_url) server_url;
    __typeof__(&dx_request_accept) request_accept;
    __typeof__(&dx_connection_send) connection_send;
    __typeof__(&dx_connection_user) connection_user;
};

static struct copy copies[2];

static void *symbol(void *library, const char *name)
{
    void *found = dlsym(library, name);

    if (!found) {
        fprintf(stderr, "%s\n", dlerror());
        exit(2);
    }
    return found;
}

#define LOAD(copy, noun, verb)                                                                     \
 (*(void **)&(copy)->noun##_##verb = symbol((copy)->library, "dx_" #noun "_" #verb))

static void load(struct copy *copy, const char *path)
{
    copy->library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (!copy->library) {
        fprintf(stderr, "%s\n", dlerror());
        exit(2);
    }
    LOAD(copy, loop, new);
    LOAD(copy, loop, run);
    LOAD(copy, loop, stop);
    LOAD(copy, loop, free);
    LOAD(copy, server, new);
    LOAD(copy, server, free);
    LOAD(copy, server, route);
    LOAD(copy, server, listen);
    LOAD(copy, server, url);
    LOAD(copy, request, accept);
    LOAD(copy, connection, send);
    LOAD(copy, connection, user);
}

static void echo(struct copy *copy, struct dx_connection *connection, enum dx_opcode opcode,
                 const uint8_t *data, size_t len)
{
    if (copy->connection_user(connection) != copy ||
        copy->connection_send(connection, opcode, data, len) != DX_OK)
        exit(3);
}

static void on_message_of_first(struct dx_connection *connection, enum dx_opcode opcode,
                                uint8_t *data, size_t len, void *user)
{
    (void)user;
    echo(&copies[0], connection, opcode, data, len);
}

static void on_message_of_second(struct dx_connection *connection, enum dx_opcode opcode,
                                 uint8_t *data, size_t len, void *user)
{
    (void)user;
    echo(&copies[1], connection, opcode, data, len);
}

static void on_request(struct dx_request *request, void *user)
{
    struct copy *copy = user;
    struct dx_connection *connection;

    if (copy->request_accept(request, &copy->handlers, copy, &connection) != DX_OK)
        exit(10);
}

static void *run(void *data)
{
    struct copy *copy = data;

    if (copy->loop_run(copy->loop) != DX_OK)
        exit(4);
    copy->server_free(copy->server);
    copy->loop_free(copy->loop);
    return NULL;
}

static void start(struct copy *copy)
{
    struct dx_route route = dx_route_init();
    char why[256] = "no server could be made";

    route.on_request = on_request;
    route.user = copy;
    route.wants_upgrades = true;
    if (copy->loop_new(&copy->loop) || copy->server_new(copy->loop, NULL, &copy->server) ||
        copy->server_route(copy->server, "/", &route) ||
        copy->server_listen(copy->server, "127.0.0.1:0", NULL, why, sizeof(why))) {
        fprintf(stderr, "%s\n", why);
        exit(5);
    }
    fprintf(stderr, "%s\n", copy->server_url(copy->server, 0));
    if (pthread_create(&copy->thread, NULL, run, copy) != 0)
        exit(6);
}

int main(int argc, char **argv)
{
    char byte;
    int i;

    if (argc != 3)
        return 1;
    for (i = 0; i < 2; i++)
        load(&copies[i], argv[i + 1]);
    if (copies[0].loop_new == copies[1].loop_new)
        return 7; /* one copy, twice */
    copies[0].handlers.size = sizeof(copies[0].handlers);
    copies[0].handlers.on_message = on_message_of_first;
    copies[1].handlers.size = sizeof(copies[1].handlers);
    copies[1].handlers.on_message = on_message_of_second;
    for (i = 0; i < 2; i++)
        start(&copies[i]);
    if (read(0, &byte, 1) != 0)
        return 8;
    for (i = 0; i < 2; i++) {
        copies[i].loop_stop(copies[i].loop);
        pthread_join(copies[i].thread, NULL);
    }
    for (i = 0; i < 2; i++)
        if (dlclose(copies[i].library) != 0)
            return 9;
    return 0;
}
