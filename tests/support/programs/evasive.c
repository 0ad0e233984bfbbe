/*
 * evasive.c - a program that is hard to get rid of: one way by each word on its command line.
 *
 *     evasive MODE        writes one byte to stdout once everything that the mode makes is in place
 *
 *     ignore          ignores every signal that can be ignored
 *     grandchild      a child in its group that ignores them, too
 *     group           a child in another group of its session, which ignores them, too
 *     polite          a child in another group of its session, which says "T" at SIGTERM; the
 *     leader ends
 *     stubborn        a child in another group of its session, which ignores them; the leader ends
 *     daemon          forks twice into a session of its own, closes every descriptor, and the
 *     leader ends
 *     undying         clears its parent-death signal, ignores signals
 *     runaway         forks itself away every 2 ms in a session of its own, ignores signals
 *     session-runaway the same within the session of the program
 *     subreaper       is a subreaper itself, with an orphan below it
 *     stopped         stops itself
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

static void ignore_signals(void)
{
    for (int number = 1; number < NSIG; number++)
        signal(number, SIG_IGN);
    signal(SIGCHLD, SIG_DFL);
}

static void say_ready(void)
{
    if (write(STDOUT_FILENO, "r", 1) != 1)
        _exit(3);
}

static _Noreturn void wait_for_ever(void)
{
    for (;;)
        pause();
}

static _Noreturn void ready_and_wait(void)
{
    say_ready();
    wait_for_ever();
}

static void ignore_all(void)
{
    ignore_signals();
    ready_and_wait();
}

static void grandchild(void)
{
    ignore_signals();
    if (fork() == 0)
        ready_and_wait();
    wait_for_ever();
}

static void group(void)
{
    ignore_signals();
    if (fork() == 0) {
        setpgid(0, 0);
        ready_and_wait();
    }
    wait_for_ever();
}

static void say_term(int number)
{
    (void)number;
    _exit(write(STDOUT_FILENO, "T", 1) == 1 ? 0 : 3);
}

/* The parent ends when the child is in its group and ready. */
static void leave_child(void)
{
    int settled[2];
    char byte;

    if (pipe(settled) < 0)
        _exit(3);
    if (fork() == 0) {
        setpgid(0, 0);
        say_ready();
        close(settled[0]);
        close(settled[1]);
        wait_for_ever();
    }
    close(settled[1]);
    if (read(settled[0], &byte, 1) != 0)
        _exit(3);
}

static void polite(void)
{
    signal(SIGTERM, say_term);
    leave_child();
}

static void stubborn(void)
{
    ignore_signals();
    leave_child();
}

/*
 * The parent returns once its child has a session of its own: what is left in the old one gets
 * SIGTERM.
 */
static pid_t fork_into_session(void)
{
    const struct timespec one_ms = {0, 1000000};
    const pid_t pid = fork();

    if (pid == 0)
        setsid();
    else
        while (getsid(pid) == getsid(0))
            nanosleep(&one_ms, NULL);
    return pid;
}

static void daemonise(void)
{
    if (fork_into_session() != 0)
        return;
    if (fork() != 0)
        return;
    ignore_signals();
    say_ready();
    for (int fd = 0; fd < 64; fd++)
        close(fd);
    wait_for_ever();
}

static void undying(void)
{
    prctl(PR_SET_PDEATHSIG, 0);
    ignore_all();
}

static void run_away(void)
{
    const struct timespec two_ms = {0, 2000000};

    ignore_signals();
    say_ready();
    for (;;) {
        nanosleep(&two_ms, NULL);
        if (fork() != 0)
            _exit(0);
    }
}

static void runaway(void)
{
    if (fork_into_session() != 0)
        return;
    run_away();
}

static void subreaper(void)
{
    prctl(PR_SET_PDEATHSIG, 0);
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    ignore_signals();
    if (fork() == 0) {
        if (fork() == 0) {
            setsid();
            ready_and_wait();
        }
        _exit(0);
    }
    wait_for_ever();
}

/* A signal may come between its word and its stop: it must not be the end. */
static void stopped(void)
{
    prctl(PR_SET_PDEATHSIG, 0);
    ignore_signals();
    say_ready();
    raise(SIGSTOP);
    wait_for_ever();
}

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        void (*run)(void);
    } modes[] = {
        {"ignore", ignore_all},   {"grandchild", grandchild}, {"group", group},
        {"polite", polite},       {"stubborn", stubborn},     {"daemon", daemonise},
        {"undying", undying},     {"runaway", runaway},       {"session-runaway", run_away},
        {"subreaper", subreaper}, {"stopped", stopped},
    };

    for (size_t i = 0; argc == 2 && i < sizeof(modes) / sizeof(modes[0]); i++) {
        if (strcmp(argv[1], modes[i].name) == 0) {
            modes[i].run();
            return 0;
        }
    }
    return 2;
}
