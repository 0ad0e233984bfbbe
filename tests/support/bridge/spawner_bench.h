/*
 * spawner_bench.h - a spawner with one channel under test, and children that count what they are
 * told.
 *
 * In cmocka tests: what goes wrong in here fails the test.
 */
#ifndef DX_TESTS_SPAWNER_BENCH_H
#define DX_TESTS_SPAWNER_BENCH_H

#include "bridge/spawner/spawner.h"
#include "support/clock.h"

struct spawner_bench {
    struct dx_spawner *spawner;
    struct dx_spawner_channel *channel;
    bool wants_write;
    int lost_count;
};

struct bench_child {
    struct dx_child child;
    int started_count;
    int failed_count;
    int exited_count;
    int error;
    enum dx_spawn_step step;
    int status;
};

/** Starts the built spawner with one channel. `descriptor_limit` as of dx_spawner_options. */
void bench_open(struct spawner_bench *bench, bool owns_children, uint64_t descriptor_limit);

/** Stops it. */
void bench_close(struct spawner_bench *bench);

/** Attaches the bench to a channel that was made elsewhere. */
void bench_attach(struct spawner_bench *bench, struct dx_spawner_channel *channel);

/** Waits for the channel and serves it once; false if nothing came within `timeout_ms`. */
bool bench_turn(struct spawner_bench *bench, int timeout_ms);

/** Serves the channel until `*count` is `wanted`; fails the test after 30 s. */
void bench_until(struct spawner_bench *bench, const int *count, int wanted);

/** Starts `argv` with an empty environment and all three streams on /dev/null. */
enum dx_err bench_start(struct spawner_bench *bench, struct bench_child *child,
                        const char *const *argv);

/** The same with stdout on `out`, and the environment `env`. */
enum dx_err bench_start_to(struct spawner_bench *bench, struct bench_child *child,
                           const char *const *argv, const char *const *env, int out);

/** Starts evasive in `mode`, with `mark` in its environment, and waits until it is ready. */
void bench_start_evasive(struct spawner_bench *bench, struct bench_child *child, const char *mode,
                         const char *mark);

/** How many processes have `mark` ("NAME=value") in their environment; zombies have none. */
size_t marked_count(const char *mark);

/**
 * Waits until no process has `mark`, at most 10 s; returns the milliseconds, -1 if some were left.
 */
int64_t marked_gone_ms(const char *mark);

/** Open descriptors of a process. */
size_t descriptor_count(pid_t pid);

/** Waits until a process has `wanted` open descriptors; fails the test after 30 s. */
void descriptors_until(pid_t pid, size_t wanted);

/** Children of a process, zombies included. */
size_t children_count(pid_t pid);

#endif
