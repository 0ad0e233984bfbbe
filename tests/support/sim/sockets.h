/*
 * sockets.h - the simulated network: descriptors, listening sockets, and wires of two byte pipes
 * with weather on them.
 *
 * The calls that the library makes are in calls.c; here is what they do, and what a test arranges.
 * Semantics are Linux's TCP where a peer can tell: what was read away before a reset stays read,
 * what is in flight is lost; a socket that is closed with unread input, or without time to linger,
 * resets its peer; data for a closed socket is answered by a reset; an end of stream stands behind
 * data for which the window has no room.
 */
#ifndef TESTS_SIM_SOCKETS_H
#define TESTS_SIM_SOCKETS_H

#include "support/sim/machine.h"

#define SIM_FD_FIRST 1000000 /* descriptors above this one are simulated */
#define SIM_FD_MAX 256
#define SIM_WIRES_MAX 64
#define SIM_NEVER UINT64_MAX

/* How a wire behaves. Chances are in a thousand. */
struct sim_weather {
    uint32_t capacity; /* bytes of one direction that its sender may be ahead of its reader */
    uint32_t window;   /* of them, what the reader's side holds; an end of stream needs room, too */
    uint32_t latency_us;  /* at least */
    uint32_t jitter_us;   /* more than that, at most, for each segment */
    uint32_t segment_len; /* a write is cut into segments of 1 to so many bytes */
    uint16_t short_writes;
    uint16_t short_reads;
    uint16_t interrupts; /* EINTR */
    uint16_t failures;   /* ENOBUFS */
    bool is_remote;      /* the peer's address is of another machine */
};

enum sim_cut {
    SIM_CUT_NONE,
    SIM_CUT_RESET,   /* both ends are reset */
    SIM_CUT_ONE,     /* one end is reset, for the other the wire is silent */
    SIM_CUT_SILENCE, /* nothing arrives any more, and nobody is told */
};

/* What the whole machine suffers. Chances are in a thousand. */
struct sim_troubles {
    uint16_t spurious;  /* readiness that is none */
    uint16_t late;      /* readiness that is told in a later turn */
    uint16_t refusals;  /* of a connect */
    uint16_t aborted;   /* a connection is gone when it is accepted */
    uint16_t failures;  /* accept4, epoll_ctl, getrandom for want of memory or entropy */
    uint64_t hungry_us; /* when descriptors run out ... */
    uint64_t fed_us;    /* ... and until when */
};

void sim_sockets_reset(void);
struct sim_troubles *sim_troubles(void);

/** A connected client's descriptor, or -1: refused. The peer waits to be accepted. */
int sim_connect(bool is_ipv6, uint16_t port, const struct sim_weather *weather);

/**
 * What will befall the wire of this client's descriptor: at a moment, and when so many bytes have
 * been sent in one direction.
 */
void sim_cut_at(int fd, enum sim_cut cut, uint64_t us, uint64_t byte_count);
/**
 * What is sent from `from_us` on arrives at `until_us` at the earliest, in that direction (0: to
 * the client).
 */
void sim_stall(int fd, int direction, uint64_t from_us, uint64_t until_us);
/** Whether the wire was cut; it goes with its descriptors. */
bool sim_is_cut(int fd);
/** A number for the wire, for traces; -1 when `fd` is no connected socket. */
int sim_wire_number(int fd);

/** Since when nothing arrives on that wire any more; SIM_NEVER. */
uint64_t sim_silent_since(int wire_number);

/** When something will next happen by itself; SIM_NEVER. */
uint64_t sim_sockets_next_us(void);

/** Descriptors that are open. */
size_t sim_open_count(void);

/* ---- for calls.c and poll.c ---- */

enum sim_kind { SIM_FREE, SIM_PLAIN, SIM_SOCKET, SIM_LISTENER, SIM_STREAM, SIM_EPOLL };

enum sim_kind sim_kind_of(int fd);
/** These return -1 and set errno as the system calls do. */
int sim_new_plain(void);
int sim_new_socket(bool is_ipv6);
int sim_new_epoll(void);
int sim_bind(int fd, uint16_t port);
int sim_listen(int fd);
int sim_accept(int fd);
int sim_shut(int fd);
int sim_close(int fd);
long sim_recv(int fd, void *bytes, size_t len);
long sim_send(int fd, const void *bytes, size_t len);
void sim_do_not_linger(int fd);
size_t sim_unread_len(int fd);
size_t sim_unsent_len(int fd);
uint64_t sim_acknowledged_len(int fd);
/* The address of the socket or of its peer. */
struct sim_address {
    bool is_ipv6;
    bool is_remote;
    uint16_t port;
};
bool sim_own_address(int fd, struct sim_address *address);
bool sim_peer_address(int fd, struct sim_address *address);
/** EPOLLIN …, as far as it is true. */
uint32_t sim_ready(int fd);

/* ---- poll.c ---- */
struct epoll_event;
int sim_epoll_ctl(int epoll_fd, int operation, int fd, struct epoll_event *event);
int sim_epoll_wait(int epoll_fd, struct epoll_event *events, int room);
/** Whether a wait would bring something. */
bool sim_epoll_is_ready(int epoll_fd);
void sim_epoll_opened(int epoll_fd);
void sim_epoll_closed(int epoll_fd);
/** A descriptor is gone: out of all sets. */
void sim_epoll_forget(int fd);
void sim_epoll_reset(void);

#endif
