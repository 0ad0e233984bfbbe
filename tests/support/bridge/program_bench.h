/*
 * program_bench.h - a real server with programs behind it, and raw clients, in one thread (see
 * service.h).
 *
 * The route "/" has the program that the test names; "/cat" has cat, so that a test can see that
 * the server still serves.
 */
#ifndef TESTS_PROGRAM_BENCH_H
#define TESTS_PROGRAM_BENCH_H

#include <sys/types.h>

#include <duplex/program.h>

#include "support/server/service.h"

struct program_bench {
    struct service service;
    struct dx_programs *programs;
    /* The test sets these between program_bench_init and program_bench_start. */
    struct service_setup setup;
    struct dx_programs_options programs_options;
    struct dx_program_options options; /* of "/"; its ladder is 100 ms a step */
    const char *argv[8];
    char mark[64]; /* "NAME=value" of this bench alone, in the environment of the program at "/" */
    const char *env[2]; /* the mark */
    bool is_closed;     /* dx_programs_close has called back */
};

void program_bench_init(struct program_bench *bench);

/** Makes "/" a shell that runs `script`. */
void program_bench_script(struct program_bench *bench, const char *script);

/** Starts on a free loopback port. False when anything failed: then all is undone. */
bool program_bench_start(struct program_bench *bench);

/** Init, script and start; fails the test when it does not start. */
void program_bench_run(struct program_bench *bench, const char *script);

/** Ends everything and, where no call was made to fail, asserts that no child is left. */
void program_bench_stop(struct program_bench *bench);

/** Ends as `duplex serve` does: the server, then the programs; waits for both. False: it hangs. */
bool program_bench_close(struct program_bench *bench);

/** Turns the loop until so many programs are counted. False: the time is over. */
bool program_bench_wait_count(struct program_bench *bench, size_t count);

/** Turns the loop until the log has the text. False: the time is over. */
bool program_bench_wait_log(struct program_bench *bench, const char *text);

/** Opens a WebSocket to a program; fails the test when it is refused. */
void program_open(struct program_bench *bench, struct raw *raw, const char *path);

/**
 * Asks for one, and returns the status of the answer; the connection stays open. 0: no answer came.
 */
unsigned program_ask(struct program_bench *bench, struct raw *raw, struct answer *answer);

/** Sends a masked frame. */
void program_send(struct raw *raw, uint8_t first, const void *payload, size_t len);

/** Expects a whole message: 't' or 'b', and its text. */
void program_expect(struct raw *raw, char kind, const char *text);

/** Expects nothing but the server's Close, answers it and expects the end of the stream. */
void program_expect_close(struct raw *raw, unsigned code, const char *reason);

/** A whole visit to "/cat": opens, echoes, leaves. */
bool program_bench_serves(struct program_bench *bench);

/**
 * Visits until one succeeds: a lost spawner takes its time to come back. False: the time is over.
 */
bool program_bench_wait_served(struct program_bench *bench);

/** The program that was started last and is left, on the server's own loop. NULL: none. */
struct dx_program *program_bench_last(struct program_bench *bench);

/**
 * Processes below this one that have `mark` ("NAME=value") in their environment, zombies not
 * counted.
 */
size_t program_marked_count(const char *mark);

/** Turns the loop until no process has the bench's mark. False: the time is over. */
bool program_bench_wait_gone(struct program_bench *bench);

/**
 * program_bench_stop, for a test's teardown: -1 when a process with the bench's mark is left, or 0.
 */
int program_bench_tear_down(struct program_bench *bench);

/** Open descriptors of this process. */
size_t program_descriptor_count(void);

/** Children of a process, zombies included. */
size_t program_children_count(pid_t pid);

/** The spawner's process: this process's one child. 0: there is none. */
pid_t program_spawner_pid(void);

#endif
