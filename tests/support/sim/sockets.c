/*
 * sockets.c - descriptors and wires.
 */
#include "support/sim/sockets.h"

#include "support/sim/memory.h"
#include "support/sim/wire.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>

#define BACKLOG 32
#define GIVE_UP_US                                                                                 \
 100000000 /* what a sender retransmits so long in vain ends its socket: ETIMEDOUT */

struct listener {
    struct sim_wire *waiting[BACKLOG];
    uint64_t waiting_us[BACKLOG];
    unsigned count;
    bool is_listening;
    struct sim_address at;
};

struct file {
    enum sim_kind kind;
    bool is_clients; /* not the server's: does not count where descriptors are short */
    struct sim_end *end;
    struct listener *listener;
};

static struct file files[SIM_FD_MAX];
static struct sim_troubles troubles;
static int top; /* numbers from here on were never given */
static size_t open_count, servers_count, hungry_limit;
static int next_wire;
static uint16_t next_port;

void sim_sockets_reset(void)
{
    memset(files, 0, sizeof(files));
    troubles = (struct sim_troubles){.hungry_us = SIM_NEVER};
    open_count = servers_count = hungry_limit = 0;
    top = next_wire = 0;
    next_port = 20000;
    sim_epoll_reset();
    sim_wires_reset();
}

struct sim_troubles *sim_troubles(void)
{
    return &troubles;
}

size_t sim_open_count(void)
{
    return open_count;
}

static struct file *file_of(int fd)
{
    if (fd < SIM_FD_FIRST || fd >= SIM_FD_FIRST + SIM_FD_MAX ||
        files[fd - SIM_FD_FIRST].kind == SIM_FREE)
        sim_fail("descriptor %d is used and not open", fd);
    return &files[fd - SIM_FD_FIRST];
}

static struct sim_end *end_of(int fd)
{
    struct file *file = file_of(fd);

    if (file->kind != SIM_STREAM)
        sim_fail("descriptor %d is used as a connected socket", fd);
    return file->end;
}

enum sim_kind sim_kind_of(int fd)
{
    return file_of(fd)->kind;
}

int sim_wire_number(int fd)
{
    return file_of(fd)->kind == SIM_STREAM ? end_of(fd)->wire->number : -1;
}

static bool is_hungry(void)
{
    if (sim_now_us() < troubles.hungry_us || sim_now_us() >= troubles.fed_us)
        return false;
    if (hungry_limit == 0)
        hungry_limit = servers_count;
    return servers_count >= hungry_limit;
}

/*
 * The lowest free number, as the system gives it: a number that is used after its close meets
 * somebody else's.
 */
static int new_file(enum sim_kind kind, bool is_clients)
{
    if (!is_clients && is_hungry()) {
        errno = EMFILE;
        return -1;
    }
    for (int i = 0; i < SIM_FD_MAX; i++) {
        if (files[i].kind != SIM_FREE)
            continue;
        files[i] = (struct file){.kind = kind, .is_clients = is_clients};
        top = top > i ? top : i + 1;
        open_count++;
        servers_count += !is_clients;
        return SIM_FD_FIRST + i;
    }
    sim_fail("more than %d descriptors", SIM_FD_MAX);
}

int sim_new_plain(void)
{
    return new_file(SIM_PLAIN, false);
}

int sim_new_epoll(void)
{
    int fd = new_file(SIM_EPOLL, false);

    if (fd >= 0)
        sim_epoll_opened(fd);
    return fd;
}

/* ---- listening ---- */

int sim_new_socket(bool is_ipv6)
{
    int fd = new_file(SIM_SOCKET, false);
    struct listener *listener;

    if (fd < 0)
        return -1;
    sim_memory_hold();
    listener = calloc(1, sizeof(*listener));
    sim_memory_let_go();
    if (listener == NULL)
        sim_fail("the machine itself has no memory");
    listener->at.is_ipv6 = is_ipv6;
    file_of(fd)->listener = listener;
    return fd;
}

int sim_bind(int fd, uint16_t port)
{
    struct listener *own = file_of(fd)->listener;

    for (int i = 0; i < SIM_FD_MAX; i++) {
        const struct listener *other = files[i].listener;

        if (port != 0 && files[i].kind == SIM_LISTENER && other->at.port == port &&
            other->at.is_ipv6 == own->at.is_ipv6) {
            errno = EADDRINUSE;
            return -1;
        }
    }
    own->at.port = port != 0 ? port : next_port++;
    return 0;
}

int sim_listen(int fd)
{
    file_of(fd)->kind = SIM_LISTENER;
    return 0;
}

static struct listener *find_listener(bool is_ipv6, uint16_t port)
{
    for (int i = 0; i < SIM_FD_MAX; i++)
        if (files[i].kind == SIM_LISTENER && files[i].listener->at.port == port &&
            files[i].listener->at.is_ipv6 == is_ipv6)
            return files[i].listener;
    return NULL;
}

int sim_connect(bool is_ipv6, uint16_t port, const struct sim_weather *weather)
{
    struct listener *listener = find_listener(is_ipv6, port);
    struct sim_wire *wire;
    int fd;

    if (listener == NULL || listener->count == BACKLOG || sim_happens(SIM_NET, troubles.refusals)) {
        sim_counts.refusals++;
        return -1;
    }
    wire = sim_wire_new(weather, &listener->at, next_port++, next_wire++);
    if (next_wire > SIM_WIRES_MAX)
        sim_fail("more than %d wires", SIM_WIRES_MAX);
    fd = new_file(SIM_STREAM, true);
    file_of(fd)->end = &wire->ends[0];
    listener->waiting_us[listener->count] = sim_arrival_us(weather);
    listener->waiting[listener->count++] = wire;
    return fd;
}

static struct sim_wire *take_waiting(struct listener *listener)
{
    struct sim_wire *wire = listener->waiting[0];

    listener->count--;
    memmove(listener->waiting, listener->waiting + 1, listener->count * sizeof(wire));
    memmove(listener->waiting_us, listener->waiting_us + 1,
            listener->count * sizeof(listener->waiting_us[0]));
    return wire;
}

int sim_accept(int fd)
{
    struct listener *listener = file_of(fd)->listener;
    struct sim_wire *wire;
    int accepted;

    if (listener->count == 0 || listener->waiting_us[0] > sim_now_us()) {
        errno = EAGAIN;
        return -1;
    }
    if (sim_happens(SIM_SYSTEM, troubles.failures)) {
        sim_counts.refusals++;
        errno = ENOMEM;
        return -1;
    }
    if (sim_happens(SIM_SYSTEM, troubles.aborted)) {
        sim_counts.refusals++;
        sim_end_drop(&take_waiting(listener)->ends[1]);
        errno = ECONNABORTED;
        return -1;
    }
    accepted = new_file(SIM_STREAM, false);
    if (accepted < 0) {
        sim_counts.refusals++;
        return -1;
    }
    wire = take_waiting(listener);
    file_of(accepted)->end = &wire->ends[1];
    sim_trace("wire %d accepted as %d", wire->number, accepted);
    return accepted;
}

bool sim_own_address(int fd, struct sim_address *address)
{
    struct file *file = file_of(fd);

    if (file->kind == SIM_LISTENER || file->kind == SIM_SOCKET)
        *address = file->listener->at;
    else if (file->kind == SIM_STREAM)
        *address = file->end == &file->end->wire->ends[0] ? file->end->wire->client
                                                          : file->end->wire->server;
    return file->kind != SIM_PLAIN && file->kind != SIM_EPOLL;
}

bool sim_peer_address(int fd, struct sim_address *address)
{
    const struct sim_end *end = end_of(fd);

    if (end->is_reset)
        return false;
    *address = end == &end->wire->ends[0] ? end->wire->server : end->wire->client;
    return true;
}

void sim_cut_at(int fd, enum sim_cut kind, uint64_t us, uint64_t byte_count)
{
    struct sim_wire *wire = end_of(fd)->wire;

    wire->cut = kind;
    wire->cut_us = us;
    wire->cut_byte_count = byte_count;
}

void sim_stall(int fd, int direction, uint64_t from_us, uint64_t until_us)
{
    struct sim_pipe *pipe = &end_of(fd)->wire->ends[direction].in;

    pipe->stall_from_us = from_us;
    pipe->stall_until_us = until_us;
}

bool sim_is_cut(int fd)
{
    return end_of(fd)->wire->is_cut;
}

uint64_t sim_sockets_next_us(void)
{
    uint64_t next = SIM_NEVER;

    for (int i = 0; i < top; i++) {
        const struct listener *listener = files[i].listener;

        if (files[i].kind == SIM_STREAM)
            next = sim_earlier(next, sim_end_next_us(files[i].end));
        else if (files[i].kind == SIM_LISTENER && listener->count > 0 &&
                 listener->waiting_us[0] > sim_now_us())
            next = sim_earlier(next, listener->waiting_us[0]);
    }
    return next;
}

long sim_recv(int fd, void *bytes, size_t len)
{
    return sim_end_recv(end_of(fd), bytes, len);
}

long sim_send(int fd, const void *bytes, size_t len)
{
    return sim_end_send(end_of(fd), bytes, len);
}

int sim_shut(int fd)
{
    return sim_end_shut(end_of(fd));
}

uint64_t sim_acknowledged_len(int fd)
{
    return sim_end_acknowledged_len(end_of(fd));
}

size_t sim_unsent_len(int fd)
{
    return sim_end_unsent_len(end_of(fd));
}

void sim_do_not_linger(int fd)
{
    end_of(fd)->lingers_not = true;
}

static void close_listener(struct listener *listener)
{
    while (listener->count > 0)
        sim_end_drop(&take_waiting(listener)->ends[1]);
    free(listener);
}

int sim_close(int fd)
{
    struct file *file = file_of(fd);
    struct file closed = *file;

    sim_epoll_forget(fd);
    if (closed.kind == SIM_EPOLL)
        sim_epoll_closed(fd);
    *file = (struct file){.kind = SIM_FREE};
    open_count--;
    servers_count -= !closed.is_clients;
    if (closed.kind == SIM_STREAM)
        sim_end_close(closed.end);
    else if (closed.listener != NULL)
        close_listener(closed.listener);
    return 0;
}

size_t sim_unread_len(int fd)
{
    struct sim_end *end = end_of(fd);

    sim_end_settle(end);
    return sim_pipe_readable(&end->in, &end->wire->weather);
}

uint32_t sim_ready(int fd)
{
    struct file *file = file_of(fd);

    if (file->kind == SIM_LISTENER)
        return file->listener->count > 0 && file->listener->waiting_us[0] <= sim_now_us() ? EPOLLIN
                                                                                          : 0;
    return file->kind == SIM_STREAM ? sim_end_ready(file->end) : 0;
}
