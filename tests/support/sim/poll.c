/*
 * poll.c - epoll sets: level-triggered, in an order that chance decides, sometimes late, sometimes
 * for nothing.
 */
#include "support/sim/sockets.h"

#include <errno.h>
#include <sys/epoll.h>

#define SETS 16

struct item {
    int fd;
    uint32_t events;
    epoll_data_t data;
};

struct set {
    int epoll_fd; /* 0: free */
    int count;
    struct item items[SIM_FD_MAX];
};

static struct set sets[SETS];

void sim_epoll_reset(void)
{
    for (int i = 0; i < SETS; i++)
        sets[i].epoll_fd = sets[i].count = 0;
}

static struct set *set_of(int epoll_fd)
{
    for (int i = 0; i < SETS; i++)
        if (sets[i].epoll_fd == epoll_fd)
            return &sets[i];
    sim_fail("%d is no epoll set", epoll_fd);
}

void sim_epoll_opened(int epoll_fd)
{
    struct set *set = set_of(0);

    set->epoll_fd = epoll_fd;
    set->count = 0;
}

void sim_epoll_closed(int epoll_fd)
{
    set_of(epoll_fd)->epoll_fd = 0;
}

static struct item *find(struct set *set, int fd)
{
    for (int i = 0; i < set->count; i++)
        if (set->items[i].fd == fd)
            return &set->items[i];
    return NULL;
}

void sim_epoll_forget(int fd)
{
    for (int i = 0; i < SETS; i++) {
        struct item *item = sets[i].epoll_fd != 0 ? find(&sets[i], fd) : NULL;

        if (item != NULL)
            *item = sets[i].items[--sets[i].count];
    }
}

static int fail_with(int code)
{
    errno = code;
    return -1;
}

int sim_epoll_ctl(int epoll_fd, int operation, int fd, struct epoll_event *event)
{
    struct set *set = set_of(epoll_fd);
    struct item *item;

    (void)sim_kind_of(fd);
    item = find(set, fd);
    if (operation != EPOLL_CTL_DEL && sim_happens(SIM_SYSTEM, sim_troubles()->failures))
        return fail_with(ENOMEM);
    if (operation == EPOLL_CTL_ADD) {
        if (item != NULL)
            return fail_with(EEXIST);
        set->items[set->count++] = (struct item){fd, event->events, event->data};
        return 0;
    }
    if (item == NULL)
        return fail_with(ENOENT);
    if (operation == EPOLL_CTL_DEL)
        *item = set->items[--set->count];
    else
        *item = (struct item){fd, event->events, event->data};
    return 0;
}

static uint32_t ready_of(const struct item *item)
{
    return sim_ready(item->fd) & (item->events | EPOLLERR | EPOLLHUP);
}

bool sim_epoll_is_ready(int epoll_fd)
{
    struct set *set = set_of(epoll_fd);

    for (int i = 0; i < set->count; i++)
        if (ready_of(&set->items[i]) != 0)
            return true;
    return false;
}

int sim_epoll_wait(int epoll_fd, struct epoll_event *events, int room)
{
    struct set *set = set_of(epoll_fd);
    int count = 0;

    for (int i = 0; i < set->count && count < room; i++) {
        uint32_t ready = ready_of(&set->items[i]);

        if (ready == 0 && sim_happens(SIM_SYSTEM, sim_troubles()->spurious))
            ready = set->items[i].events & (EPOLLIN | EPOLLOUT);
        else if (ready != 0 && sim_happens(SIM_SYSTEM, sim_troubles()->late))
            ready = 0;
        if (ready != 0) {
            int at = (int)sim_below(SIM_SYSTEM, (uint32_t)count + 1);

            events[count++] = events[at];
            events[at].events = ready;
            events[at].data = set->items[i].data;
        }
    }
    return count;
}
