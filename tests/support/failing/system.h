/*
 * system.h - system calls that fail on demand, and are counted.
 *
 * A test program that wants it is linked with -Wl,--wrap for the calls in system.c (failing_system
 * in meson.build). Only what happens while it is on is counted and can fail. One thread.
 */
#ifndef TESTS_FAILING_SYSTEM_H
#define TESTS_FAILING_SYSTEM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum failing_call {
    CALL_RECV,
    CALL_SENDMSG,
    CALL_SEND,
    CALL_EPOLL_CTL,
    CALL_EPOLL_CREATE1,
    CALL_ACCEPT4,
    CALL_SOCKET,
    CALL_BIND,
    CALL_LISTEN,
    CALL_GETSOCKNAME,
    CALL_GETRANDOM,
    CALL_FCHMOD,
    CALL_OPEN,
    /* programs.c */
    CALL_PIPE2,
    CALL_READ,
    CALL_WRITEV,
    CALL_FCNTL,
    CALL_SOCKETPAIR,
    CALL_PIDFD_OPEN,
    CALL_POSIX_SPAWN,
    /* files.c */
    CALL_OPENAT2,
    CALL_FSTAT,
    CALL_PREAD,
    CALL_SENDFILE,
    /* connecting.c */
    CALL_CONNECT,
    CALL_GETSOCKOPT,
    CALL_GETPEERNAME,
    CALL_COUNT
};

/*
 * Each call has up to so many errors that a system can give at any time: the first is for good, the
 * others may pass.
 */
#define FAILING_KINDS 3

/** Calls count from now on; the `nth` one (1 is the next) of any kind fails, none for 0. */
void failing_system_start(size_t nth);

/**
 * Which of its errors a call gives when its turn has come: 0, as it is at first, to FAILING_KINDS -
 * 1. A call that has no such error is not counted. */
void failing_system_choose(unsigned kind);

/** From now on each call of that kind fails with this errno; 0 ends it. */
void failing_system_fail_all(enum failing_call call, int code);

/** Only the next one of that kind. */
void failing_system_fail_next(enum failing_call call, int code);

/** Stops; returns whether a call was failed since the start. */
bool failing_system_stop(void);

/** Switches it off and on in between, for a test's own calls. */
void failing_system_pause(bool paused);

/** For wrappers: whether this call is to fail, with errno set. */
bool failing_system_hits(enum failing_call call);

/** In connecting.c: connecting begins at this port of 127.0.0.1; 0: where the system likes. */
void failing_connecting_bind(uint16_t port);

/** The last one that failed, and its error. */
enum failing_call failing_system_last(void);
int failing_system_code(void);

/** How often that call was made since the start. */
size_t failing_system_count(enum failing_call call);

#endif
