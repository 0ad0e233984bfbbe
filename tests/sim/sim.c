/*
 * sim.c - runs simulated worlds, each from its seed, and says which one failed and how to see it
 * again.
 *
 *   sim                   seeds 1 to 2,000
 *   sim --seeds N [--from SEED] [--jobs N] [--stop]    --stop: a job ends with its first failure
 *   sim SEED              that one, with the trace of all that happens
 *
 * The worlds run in child processes, so that a crash or a loop that never ends names its seed, too.
 */
#include "support/sim/link.h"
#include "support/sim/world.h"

#include <inttypes.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define JOBS_MAX 64
#define FAILURES_MAX 10   /* of one job; then it gives up */
#define WORLD_SECONDS 120 /* a world that needs more has hung */

/* What a child tells its parent. */
struct job {
    _Atomic uint64_t seed; /* that is being run */
    atomic_bool has_said;  /* why it failed */
    uint64_t next, end;    /* seeds left: next .. end - 1 */
    uint64_t failures;
    struct sim_counts counts;
    pid_t child;
    time_t since;
    uint64_t since_seed;
};

static struct job *job; /* the child's own */
static const char *program;
static uint64_t failures_max = FAILURES_MAX;

static void print_failure(uint64_t seed, const char *what)
{
    printf("sim: seed %" PRIu64 " failed: %s; replay: %s %" PRIu64 "\n", seed, what, program, seed);
    fflush(stdout);
}

static void report(const char *what)
{
    print_failure(job->seed, what);
    job->has_said = true;
    _exit(1);
}

static void run_child(void)
{
    sim_on_failure(report);
    sim_counts = job->counts;
    for (; job->next < job->end; job->next++) {
        job->seed = job->next;
        sim_world_run(job->seed, false);
        job->counts = sim_counts;
    }
    fflush(stdout);
    _exit(0);
}

static void start(struct job *started)
{
    pid_t child;

    fflush(stdout);
    started->has_said = false;
    started->seed = started->next;
    started->since = time(NULL);
    started->since_seed = 0;
    child = fork();
    if (child < 0) {
        perror("sim: fork");
        exit(2);
    }
    if (child == 0) {
        job = started;
        run_child();
    }
    started->child = child; /* only here: the memory is shared */
}

/* True when the job goes on. */
static bool end_of_child(struct job *ended, int status)
{
    char what[100];

    ended->child = 0;
    if (status == 0)
        return false;
    if (!ended->has_said) {
        if (WIFSIGNALED(status))
            (void)snprintf(what, sizeof(what), "ended by signal %d", WTERMSIG(status));
        else
            (void)snprintf(what, sizeof(what), "ended with status %d", WEXITSTATUS(status));
        print_failure(ended->seed, what);
    }
    ended->next = ended->seed + 1;
    if (++ended->failures >= failures_max || ended->next >= ended->end)
        return false;
    start(ended);
    return true;
}

/* A seed that does not change for long hangs. */
static void look_after(struct job *watched)
{
    if (watched->child == 0)
        return;
    if (watched->seed != watched->since_seed) {
        watched->since_seed = watched->seed;
        watched->since = time(NULL);
    } else if (time(NULL) - watched->since > WORLD_SECONDS) {
        print_failure(watched->seed, "it hangs");
        watched->has_said = true;
        kill(watched->child, SIGKILL);
        watched->since = time(NULL);
    }
}

static void wait_for_all(struct job *jobs, int count)
{
    const struct timespec moment = {0, 20000000};
    int left = count;

    while (left > 0) {
        for (int i = 0; i < count; i++) {
            int status;

            if (jobs[i].child != 0 && waitpid(jobs[i].child, &status, WNOHANG) == jobs[i].child)
                left -= !end_of_child(&jobs[i], status);
            look_after(&jobs[i]);
        }
        (void)nanosleep(&moment, NULL);
    }
}

static void add_counts(struct sim_counts *sum, const struct sim_counts *counts)
{
    const uint64_t *from = (const uint64_t *)counts;
    uint64_t most = sum->most_turns > counts->most_turns ? sum->most_turns : counts->most_turns;
    uint64_t *to = (uint64_t *)sum;

    for (size_t i = 0; i < sizeof(*sum) / sizeof(*to); i++)
        to[i] += from[i];
    sum->most_turns = most;
}

static int run_all(uint64_t first, uint64_t count, int job_count)
{
    struct job *jobs = mmap(NULL, JOBS_MAX * sizeof(*jobs), PROT_READ | PROT_WRITE,
                            MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    struct sim_counts sum = {0};
    uint64_t failures = 0;

    if (jobs == MAP_FAILED) {
        perror("sim: mmap");
        return 2;
    }
    for (int i = 0; i < job_count; i++) {
        jobs[i].next = first + count * (uint64_t)i / (uint64_t)job_count;
        jobs[i].end = first + count * (uint64_t)(i + 1) / (uint64_t)job_count;
        start(&jobs[i]);
    }
    wait_for_all(jobs, job_count);
    for (int i = 0; i < job_count; i++) {
        add_counts(&sum, &jobs[i].counts);
        failures += jobs[i].failures;
    }
    printf("sim: %" PRIu64 " worlds, %" PRIu64 " WebSockets, %" PRIu64 " clean ends, %" PRIu64
           " messages (%" PRIu64 " MiB), %" PRIu64 " plain answers\n"
           "sim: %" PRIu64 " cuts, %" PRIu64 " resets, %" PRIu64 " half-closes, %" PRIu64
           " refusals, %" PRIu64 " hostile clients, %" PRIu64 " turns, at most %" PRIu64
           " a world\n",
           sum.worlds, sum.connections, sum.clean, sum.messages, sum.bytes >> 20, sum.requests,
           sum.cuts, sum.resets, sum.half_closes, sum.refusals, sum.hostile, sum.turns,
           sum.most_turns);
    printf("injected %" PRIu64 " failures\n", sum.allocations);
    printf("sim: %" PRIu64 " seeds, %" PRIu64 " failed\n", count, failures);
    return failures > 0;
}

static int replay(uint64_t seed)
{
    static struct job own;

    job = &own;
    own.seed = seed;
    setvbuf(stdout, NULL, _IOLBF, 0);
    sim_on_failure(report);
    sim_world_run(seed, true);
    printf("sim: seed %" PRIu64 " passed\n", seed);
    return 0;
}

int main(int argc, char **argv)
{
    uint64_t first = 1, count = 2000;
    int job_count = 2;

    program = argv[0];
    sim_begin(1, false);
    sim_tables_init();
    sim_counts = (struct sim_counts){0};
    if (argc == 2 && argv[1][0] != '-')
        return replay(strtoull(argv[1], NULL, 10));
    if (argc > 1 && strcmp(argv[argc - 1], "--stop") == 0) {
        failures_max = 1;
        argc--;
    }
    for (int i = 1; i + 1 < argc; i += 2) {
        if (strcmp(argv[i], "--seeds") == 0)
            count = strtoull(argv[i + 1], NULL, 10);
        else if (strcmp(argv[i], "--from") == 0)
            first = strtoull(argv[i + 1], NULL, 10);
        else if (strcmp(argv[i], "--jobs") == 0)
            job_count = atoi(argv[i + 1]);
    }
    if (argc % 2 == 0 || job_count < 1 || job_count > JOBS_MAX || count < (uint64_t)job_count) {
        fprintf(stderr, "usage: sim [SEED | --seeds N --from SEED --jobs N --stop]\n");
        return 2;
    }
    return run_all(first, count, job_count);
}
