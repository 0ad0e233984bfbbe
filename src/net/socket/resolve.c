/*
 * resolve.c - see resolve.h.
 */
#include "net/socket/resolve.h"

#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <netdb.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#define DETAIL_ROOM 320
#define STACK_LEN (256 * 1024)
#define POST_AGAIN_US 10000 /* delay before posting again when the loop's queue is full */

/* Owned by the loop's thread. If cancelled while the look-up runs, the look-up's thread owns it. */
struct dx_resolve {
    struct dx_loop *loop;
    struct dx_turn_task task; /* reports a result that needed no thread */
    void (*on_resolved)(void *user, const struct dx_resolved *resolved);
    void *user;
    pthread_mutex_t lock;
    bool is_cancelled; /* under the lock */
    bool is_away;      /* under the lock: the thread has not posted its result */
    bool has_thread;   /* to be joined after it has posted; detached if cancelled before */
    pthread_t thread;
    int family;
    uint16_t port;
    enum dx_err err;
    size_t count;
    union dx_socket_address addresses[DX_RESOLVE_ADDRESSES_MAX];
    char detail[DETAIL_ROOM];
    char host[DX_RESOLVE_HOST_MAX + 1];
};

static void destroy(struct dx_resolve *resolve)
{
    (void)pthread_mutex_destroy(&resolve->lock);
    free(resolve);
}

/* ---- results ---- */

static void add(struct dx_resolve *resolve, const struct sockaddr *from)
{
    union dx_socket_address *address = &resolve->addresses[resolve->count];

    if (resolve->count == DX_RESOLVE_ADDRESSES_MAX ||
        (resolve->family != AF_UNSPEC && resolve->family != from->sa_family))
        return;
    if (from->sa_family == AF_INET6) {
        memcpy(&address->ipv6, from, sizeof(address->ipv6));
        address->ipv6.sin6_port = htons(resolve->port);
    } else if (from->sa_family == AF_INET) {
        memcpy(&address->ipv4, from, sizeof(address->ipv4));
        address->ipv4.sin_port = htons(resolve->port);
    } else {
        return;
    }
    resolve->count++;
}

/*
 * The first address at or after `from` whose family is `family` (is_wanted) or any other (not
 * is_wanted); `count` when there is none.
 */
static size_t find_family(const struct dx_resolve *resolve, size_t from, sa_family_t family,
                          bool is_wanted)
{
    while (from < resolve->count && (resolve->addresses[from].any.sa_family == family) != is_wanted)
        from++;
    return from;
}

/* Alternates the families, starting with the first; keeps the system's order within a family. */
static void interleave(struct dx_resolve *resolve)
{
    for (size_t at = 1; at < resolve->count; at++) {
        sa_family_t before = resolve->addresses[at - 1].any.sa_family;
        size_t found = find_family(resolve, at, before, false);
        union dx_socket_address moved;

        if (found == resolve->count)
            return;
        moved = resolve->addresses[found];
        memmove(&resolve->addresses[at + 1], &resolve->addresses[at], (found - at) * sizeof(moved));
        resolve->addresses[at] = moved;
    }
}

static void fail(struct dx_resolve *resolve, enum dx_err err, const char *why)
{
    resolve->err = err;
    (void)snprintf(resolve->detail, sizeof(resolve->detail), "%s: %s", resolve->host, why);
}

static void tell(struct dx_resolve *resolve)
{
    struct dx_resolved resolved;

    if (resolve->err == DX_OK && resolve->count == 0)
        fail(resolve, DX_ERR_RESOLVE, "no address of the requested family");
    interleave(resolve);
    resolved = (struct dx_resolved){resolve->err, resolve->err == DX_OK ? NULL : resolve->detail,
                                    resolve->addresses, resolve->count};
    dx_loop_let_go(resolve->loop);
    resolve->on_resolved(resolve->user, &resolved);
    destroy(resolve);
}

/* ---- without a thread ---- */

static bool is_localhost(const char *host)
{
    static const char name[] = "localhost";
    size_t len = strlen(host);

    if (len > 1 && host[len - 1] == '.')
        len--;
    if (len < sizeof(name) - 1 ||
        strncasecmp(host + len - (sizeof(name) - 1), name, sizeof(name) - 1) != 0)
        return false;
    return len == sizeof(name) - 1 || host[len - sizeof(name)] == '.';
}

static bool parse_ipv6(const char *host, struct sockaddr_in6 *address)
{
    char text[DX_RESOLVE_HOST_MAX + 1];
    char *zone;

    (void)snprintf(text, sizeof(text), "%s", host);
    zone = strchr(text, '%');
    if (zone != NULL) {
        *zone++ = '\0';
        address->sin6_scope_id = if_nametoindex(zone);
        if (address->sin6_scope_id == 0)
            address->sin6_scope_id = (uint32_t)strtoul(zone, NULL, 10);
    }
    return inet_pton(AF_INET6, text, &address->sin6_addr) == 1;
}

/* False: the host is a name that must be looked up. */
static bool find_at_once(struct dx_resolve *resolve)
{
    /* Unions, so that a copy of either form stays within the object. */
    union dx_socket_address ipv4 = {.ipv4 = {.sin_family = AF_INET}};
    union dx_socket_address ipv6 = {.ipv6 = {.sin6_family = AF_INET6}};
    bool is_local = is_localhost(resolve->host);
    bool is_ipv4 = inet_pton(AF_INET, resolve->host, &ipv4.ipv4.sin_addr) == 1;
    bool is_ipv6 = !is_ipv4 && parse_ipv6(resolve->host, &ipv6.ipv6);

    if (is_local) {
        ipv4.ipv4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        ipv6.ipv6.sin6_addr = in6addr_loopback;
    }
    if (is_ipv6 || is_local)
        add(resolve, &ipv6.any);
    if (is_ipv4 || is_local)
        add(resolve, &ipv4.any);
    return is_ipv4 || is_ipv6 || is_local;
}

static void on_task(struct dx_turn_task *task)
{
    tell(dx_container_of(task, struct dx_resolve, task));
}

/* ---- on a thread ---- */

/*
 * The thread has posted its result and only has to return. Wait for that, so that a process which
 * ends now does not end amid its last steps: what the system frees there would count as a leak.
 */
static void join(struct dx_resolve *resolve)
{
    (void)pthread_join(resolve->thread, NULL);
    resolve->has_thread = false;
}

static void on_back(void *data)
{
    struct dx_resolve *resolve = data;

    join(resolve);
    tell(resolve);
}

static void look_up(struct dx_resolve *resolve)
{
    struct addrinfo hints = {.ai_family = resolve->family, .ai_socktype = SOCK_STREAM};
    struct addrinfo *found = NULL;
    int code = getaddrinfo(resolve->host, NULL, &hints, &found);

    if (code == EAI_MEMORY)
        fail(resolve, DX_ERR_NOMEM, gai_strerror(code));
    else if (code != 0)
        fail(resolve, DX_ERR_RESOLVE, code == EAI_SYSTEM ? strerror(errno) : gai_strerror(code));
    for (struct addrinfo *at = found; at != NULL; at = at->ai_next)
        add(resolve, at->ai_addr);
    if (found != NULL)
        freeaddrinfo(found);
}

/*
 * False: cancelled, or the loop's queue is full. The loop exists while this is not cancelled: its
 * owner cancels before freeing it.
 */
static bool hand_over(struct dx_resolve *resolve, bool *is_cancelled)
{
    bool is_told;

    (void)pthread_mutex_lock(&resolve->lock);
    *is_cancelled = resolve->is_cancelled;
    is_told = !*is_cancelled && dx_loop_post(resolve->loop, on_back, resolve) == DX_OK;
    if (is_told)
        resolve->is_away = false;
    (void)pthread_mutex_unlock(&resolve->lock);
    return is_told;
}

static void *run_thread(void *data)
{
    struct dx_resolve *resolve = data;
    bool is_cancelled, is_told;

    look_up(resolve);
    do {
        is_told = hand_over(resolve, &is_cancelled);
        if (!is_told && !is_cancelled)
            (void)usleep(POST_AGAIN_US);
    } while (!is_told && !is_cancelled);
    if (is_cancelled)
        destroy(resolve);
    return NULL;
}

/* The thread blocks all signals: they are for the host program's threads. */
static enum dx_err start_thread(struct dx_resolve *resolve)
{
    pthread_attr_t attributes;
    sigset_t all, old;
    int failed = pthread_attr_init(&attributes);

    if (failed != 0)
        return DX_ERR_NOMEM;
    (void)pthread_attr_setstacksize(&attributes, STACK_LEN);
    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &old);
    resolve->has_thread = true;
    resolve->is_away = true;
    failed = pthread_create(&resolve->thread, &attributes, run_thread, resolve);
    (void)pthread_sigmask(SIG_SETMASK, &old, NULL);
    (void)pthread_attr_destroy(&attributes);
    return failed == 0 ? DX_OK : DX_ERR_SYSTEM;
}

enum dx_err dx_resolve_start(struct dx_loop *loop, const char *host, uint16_t port, int family,
                             void (*on_resolved)(void *user, const struct dx_resolved *resolved),
                             void *user, struct dx_resolve **resolve)
{
    size_t len = strlen(host);
    struct dx_resolve *made;
    enum dx_err err;

    if (len == 0 || len > DX_RESOLVE_HOST_MAX)
        return DX_ERR_USAGE;
    made = calloc(1, sizeof(*made));
    if (made == NULL)
        return DX_ERR_NOMEM;
    made->loop = loop;
    made->task.run = on_task;
    made->on_resolved = on_resolved;
    made->user = user;
    made->family = family;
    made->port = port;
    memcpy(made->host, host, len + 1);
    if (pthread_mutex_init(&made->lock, NULL) != 0) {
        free(made);
        return DX_ERR_SYSTEM;
    }
    if (find_at_once(made)) {
        dx_loop_flush_later(loop, &made->task);
    } else {
        err = start_thread(made);
        if (err != DX_OK) {
            destroy(made);
            return err;
        }
    }
    dx_loop_hold(loop);
    *resolve = made;
    return DX_OK;
}

void dx_resolve_cancel(struct dx_resolve *resolve)
{
    bool is_away;

    if (resolve == NULL)
        return;
    dx_loop_let_go(resolve->loop);
    dx_loop_flush_cancel(resolve->loop, &resolve->task);
    (void)pthread_mutex_lock(&resolve->lock);
    is_away = resolve->is_away;
    resolve->is_cancelled = true;
    if (is_away)
        (void)pthread_detach(resolve->thread);
    (void)pthread_mutex_unlock(&resolve->lock);
    if (is_away)
        return; /* the thread frees it */
    if (resolve->has_thread) {
        dx_loop_post_cancel(resolve->loop, resolve);
        join(resolve);
    }
    destroy(resolve);
}
