/*
 * listeners.c - the addresses of a server, and which loop gets an accepted connection. Listening
 * itself is net/socket/listener.h.
 */
#include "server/server.h"

#include "net/tls/tls.h"
#include "server/core/log.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define URL_ROOM (DX_ADDRESS_TEXT_MAX + 32)

static struct dx_shard *least_loaded(const struct dx_server *server)
{
    struct dx_shard *least = server->shards[0];

    for (size_t index = 1; index < server->shard_count; index++)
        if (atomic_load(&server->shards[index]->stream_count) < atomic_load(&least->stream_count))
            least = server->shards[index];
    return least;
}

static struct dx_server_listener *owner_of(const struct dx_listener *listener)
{
    struct dx_server *server = listener->user;
    struct dx_server_listener *owner = server->listeners;

    while (owner != NULL && owner->listener != listener)
        owner = owner->next;
    return owner;
}

static void on_accept(struct dx_listener *listener, int fd, const struct dx_address *peer)
{
    struct dx_server_listener *owner = owner_of(listener);

    dx_shard_give(least_loaded(owner->server), fd, peer, owner);
}

/*
 * No descriptor is left: answers without parsing the request, which is read so that closing sends
 * no reset that overtakes the answer.
 */
static void on_refuse(struct dx_listener *listener, int fd, const struct dx_address *peer)
{
    static const char answer[] = "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n"
                                 "Retry-After: 1\r\nConnection: close\r\n\r\n";
    const struct dx_server_listener *owner = owner_of(listener);
    struct dx_loop *loop = owner->server->loop;
    struct dx_log_line line;

    if (owner->tls == NULL) {
        (void)recv(fd, dx_loop_read_buffer(loop), DX_READ_SIZE, MSG_DONTWAIT);
        (void)send(fd, answer, sizeof(answer) - 1, MSG_DONTWAIT | MSG_NOSIGNAL);
    }
    dx_shard_count_refusal(owner->server->shards[0], true);
    if (owner->tls == NULL)
        dx_shard_count_response(owner->server->shards[0], 503);
    dx_log_line_init(&line);
    dx_log_line_peer(&line, peer);
    dx_log_line_number(&line, "status", 503);
    dx_log_line_text(&line, "why", "no descriptor is free");
    dx_server_log(owner->server, DX_LOG_WARN, "refused", &line);
}

static const struct dx_listener_handlers handlers = {on_accept, on_refuse};

/* ---- addresses ---- */

static bool is_unspecified(const struct dx_address *address)
{
    static const uint8_t zero[16] = {0};

    return memcmp(address->bytes, zero, sizeof(zero)) == 0;
}

/* A URL to click on: a wildcard address is shown as the loopback address. */
static char *url_of(const struct dx_address *address, const char *text, bool is_tls)
{
    bool is_ipv6 = address->family == DX_ADDRESS_IPV6 && text[0] != '*'; /* "*" is both families */
    char host[DX_ADDRESS_TEXT_MAX], url[URL_ROOM];
    const char *shown = host;

    if (address->family == DX_ADDRESS_UNIX)
        return strdup(text);
    dx_address_host(address, host);
    if (is_unspecified(address))
        shown = is_ipv6 ? "::1" : "127.0.0.1";
    (void)snprintf(url, sizeof(url), "%s://%s%s%s:%u/", is_tls ? "https" : "http",
                   is_ipv6 ? "[" : "", shown, is_ipv6 ? "]" : "", (unsigned)address->port);
    return strdup(url);
}

static struct dx_server_listener *make(struct dx_server *server, struct dx_listener *listener,
                                       const char *text, struct dx_tls *tls)
{
    struct dx_server_listener *made = calloc(1, sizeof(*made));

    if (made == NULL)
        return NULL;
    made->url = url_of(&listener->address, text, tls != NULL);
    if (made->url == NULL) {
        free(made);
        return NULL;
    }
    made->server = server;
    made->listener = listener;
    /* A client of a unix socket may be a proxy for the whole world. */
    made->is_loopback =
        listener->address.family != DX_ADDRESS_UNIX && dx_address_is_loopback(&listener->address);
    made->tls = tls;
    if (tls != NULL)
        dx_tls_keep(tls);
    return made;
}

static void free_owner(struct dx_server_listener *owner)
{
    dx_listener_free(owner->listener);
    dx_tls_free(owner->tls);
    free(owner->url);
    free(owner);
}

static void append(struct dx_server *server, struct dx_server_listener *owner)
{
    struct dx_server_listener **at = &server->listeners;

    while (*at != NULL)
        at = &(*at)->next;
    *at = owner;
}

/* Makes an owner for each listener in the list, or frees them all. */
static struct dx_server_listener *own_all(struct dx_server *server, struct dx_listener *list,
                                          const char *text, struct dx_tls *tls)
{
    struct dx_server_listener *first = NULL, **at = &first, *next_owner;
    struct dx_listener *next;

    for (; list != NULL; list = next) {
        next = list->next;
        *at = make(server, list, text, tls);
        if (*at == NULL)
            break;
        at = &(*at)->next;
    }
    if (list == NULL)
        return first;
    for (; first != NULL; first = next_owner) {
        next_owner = first->next;
        free_owner(first);
    }
    for (; list != NULL; list = next) {
        next = list->next;
        dx_listener_free(list);
    }
    return NULL;
}

static size_t count(const struct dx_server *server)
{
    size_t found = 0;

    for (const struct dx_server_listener *owner = server->listeners; owner != NULL;
         owner = owner->next)
        found++;
    return found;
}

enum dx_err dx_server_listen(struct dx_server *server, const char *address, struct dx_tls *tls,
                             char *why, size_t why_len)
{
    struct dx_server_listener *owners;
    struct dx_listener *list;
    enum dx_err err;

    if (why_len > 0)
        why[0] = '\0';
    if (atomic_load(&server->state) != DX_SERVER_OPEN)
        return DX_ERR_STATE;
    if (count(server) >= DX_SERVER_LISTENERS_MAX)
        return DX_ERR_TOO_MANY;
    err = dx_listener_open(server->loop, address, &handlers, server, &list, why, why_len);
    if (err != DX_OK)
        return err;
    owners = own_all(server, list, address, tls);
    if (owners == NULL)
        return DX_ERR_NOMEM;
    append(server, owners);
    return DX_OK;
}

const char *dx_server_url(const struct dx_server *server, size_t index)
{
    const struct dx_server_listener *owner = server->listeners;

    for (; owner != NULL && index > 0; index--)
        owner = owner->next;
    return owner != NULL ? owner->url : NULL;
}

void dx_server_stop_listening(struct dx_server *server)
{
    for (struct dx_server_listener *owner = server->listeners; owner != NULL; owner = owner->next) {
        dx_listener_free(owner->listener);
        owner->listener = NULL;
    }
}

void dx_server_free_listeners(struct dx_server *server)
{
    struct dx_server_listener *next;

    for (struct dx_server_listener *owner = server->listeners; owner != NULL; owner = next) {
        next = owner->next;
        free_owner(owner);
    }
    server->listeners = NULL;
}
