/*
 * load.h - what the modes of the load generator share: options, clock, and how a run ends.
 *
 * The load generator is one process with one thread. It measures servers, so it must cost little
 * and the same against each of them: frames are made once, and nothing is allocated inside a
 * window. It speaks to 127.0.0.1 only, through plain sockets, and knows no more of RFC 6455 than it
 * needs. Every mode prints one JSON object on stdout; an error is one line on stderr and status 1.
 */
#ifndef DX_BENCH_LOAD_H
#define DX_BENCH_LOAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { DX_LOAD_PIDS_MAX = 8, DX_LOAD_CONNECTIONS_MAX = 19000, DX_LOAD_READ_LEN = 256 * 1024 };

struct dx_load_options {
    uint16_t port;
    bool raw;                   /* no opening handshake, no frames */
    bool tls;                   /* inside TLS: echo, idle and get */
    unsigned connections;       /* at once */
    unsigned window;            /* messages under way on each */
    size_t size;                /* payload bytes of a message */
    uint64_t count;             /* stop after this many, 0: by time */
    double warmup;              /* seconds before the window */
    double seconds;             /* length of the window */
    const char *path;           /* request target */
    const char *kind;           /* which attack */
    int pids[DX_LOAD_PIDS_MAX]; /* processes whose CPU time belongs to the result */
    size_t pid_count;
};

/* The modes. Each returns the process's exit status. */
int dx_load_echo(const struct dx_load_options *options);
int dx_load_rate(const struct dx_load_options *options);
int dx_load_lines(const struct dx_load_options *options);
int dx_load_ping(const struct dx_load_options *options);
int dx_load_idle(const struct dx_load_options *options);
int dx_load_attack(const struct dx_load_options *options);
int dx_load_fan(const struct dx_load_options *options);
int dx_load_get(const struct dx_load_options *options);

/* Prints "load: TEXT[: errno's text]" and ends the process with status 1. */
_Noreturn void dx_load_fail(const char *text, int error);

/* Nanoseconds of CLOCK_MONOTONIC. */
uint64_t dx_load_now(void);

/* Seconds between two values of dx_load_now. */
double dx_load_seconds(uint64_t from, uint64_t to);

/*
 * Nanoseconds on a processor of all threads of the processes named by --pid, from their schedstat.
 */
uint64_t dx_load_cpu(const struct dx_load_options *options);

/* As dx_load_cpu, of the children that these processes have reaped. */
uint64_t dx_load_children_cpu(const struct dx_load_options *options);

#endif
