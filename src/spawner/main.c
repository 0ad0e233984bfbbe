/*
 * main.c - duplex-spawner: the only process that starts, signals and reaps the server's programs.
 *
 *     duplex-spawner VERSION CHANNELS DESCRIPTOR-LIMIT
 *
 * Only the server starts it. It reads requests from its channels (base/spawn_wire.h) and is a
 * subreaper of everything that its programs leave behind. When the server is gone it kills all
 * descendants and exits. It is linked with libc only, has one thread, and neither allocates nor
 * writes anything.
 */
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <time.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "spawner/supervisor.h"

enum { EXIT_BAD_START = 2 };

enum { POLL_SERVER = 0, POLL_SIGNAL = 1, POLL_CHANNEL = 2 };

static struct dx_supervisor supervisor;

static bool parse_number(const char *text, uint64_t max, uint64_t *out)
{
    uint64_t value = 0;

    for (const char *at = text; *at; at++) {
        const uint64_t digit = (uint64_t)(*at - '0');

        if (*at < '0' || *at > '9' || value > (max - digit) / 10)
            return false;
        value = value * 10 + digit;
    }
    *out = value;
    return text[0] != '\0';
}

static bool parse_arguments(int argc, char **argv)
{
    uint64_t channels;

    if (argc != 4 || strcmp(argv[1], DX_SPAWN_VERSION) != 0 ||
        !parse_number(argv[2], DX_SPAWN_CHANNELS_MAX, &channels) || channels == 0)
        return false;
    supervisor.channel_count = (uint32_t)channels;
    return parse_number(argv[3], UINT64_MAX, &supervisor.descriptor_limit);
}

/*
 * Keeps the descriptors that it was started with, and no others. stdin and stdout become /dev/null;
 * stderr stays, for sanitizers.
 */
static bool adopt_descriptors(void)
{
    const unsigned int count = DX_SPAWN_FD_CHANNEL + supervisor.channel_count;
    int null;

    for (unsigned int fd = DX_SPAWN_FD_SERVER; fd < count; fd++)
        if (fcntl((int)fd, F_SETFD, FD_CLOEXEC) < 0)
            return false;
    close_range(count, UINT_MAX, 0);
    null = open("/dev/null", O_RDWR | O_CLOEXEC);
    if (null < 0 || dup2(null, STDIN_FILENO) < 0 || dup2(null, STDOUT_FILENO) < 0)
        return false;
    if (fcntl(STDERR_FILENO, F_GETFD) < 0 && dup2(null, STDERR_FILENO) < 0)
        return false;
    /* If 0, 1 or 2 was closed, `null` has that number now and stays. */
    if (null > STDERR_FILENO)
        close(null);
    supervisor.server_fd = DX_SPAWN_FD_SERVER;
    for (uint32_t i = 0; i < supervisor.channel_count; i++) {
        struct dx_channel *channel = &supervisor.channels[i];

        channel->fd = DX_SPAWN_FD_CHANNEL + (int)i;
        channel->reports_end = &channel->reports;
    }
    return true;
}

/*
 * All signals are blocked: only SIGKILL ends the spawner before its work is done. And programs
 * start with default dispositions without a system call for each.
 */
static bool adopt_signals(void)
{
    const struct sigaction standard = {.sa_handler = SIG_DFL};
    sigset_t set;

    for (int number = 1; number < NSIG; number++)
        sigaction(number, &standard, NULL);
    /*
     * posix_spawn leaves libc's two internal signals ignored, and sigaction refuses to change them.
     */
    for (int number = __SIGRTMIN; number < SIGRTMIN; number++)
        syscall(SYS_rt_sigaction, number, &(const uint64_t[4]){0}, NULL, sizeof(uint64_t));
    sigfillset(&set);
    sigdelset(&set, SIGSEGV);
    sigdelset(&set, SIGBUS);
    sigdelset(&set, SIGILL);
    sigdelset(&set, SIGFPE);
    sigdelset(&set, SIGABRT);
    if (sigprocmask(SIG_SETMASK, &set, NULL) < 0)
        return false;
    sigemptyset(&set);
    sigaddset(&set, SIGCHLD);
    supervisor.signal_fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
    return supervisor.signal_fd >= 0;
}

static bool set_up(int argc, char **argv)
{
    if (!parse_arguments(argc, argv) || !adopt_descriptors() || !adopt_signals())
        return false;
    setsid(); /* fails for a process that has a session of its own already */
    /*
     * A program can stop its parent. SIGCONT wakes it when the server ends, because there is work
     * then.
     */
    (void)prctl(PR_SET_PDEATHSIG, SIGCONT);
    supervisor.sweep_at_ns = INT64_MAX;
    supervisor.pid = getpid();
    supervisor.has_proc = dx_children_readable();
    return prctl(PR_SET_CHILD_SUBREAPER, 1) == 0;
}

static int wait_for_work(struct pollfd *polls)
{
    const int64_t wait = dx_sweep_wait_ns(&supervisor);
    const struct timespec timeout = {(time_t)(wait / INT64_C(1000000000)),
                                     (long)(wait % INT64_C(1000000000))};

    polls[POLL_SERVER] = (struct pollfd){.fd = supervisor.server_fd, .events = POLLIN};
    polls[POLL_SIGNAL] = (struct pollfd){.fd = supervisor.signal_fd, .events = POLLIN};
    for (uint32_t i = 0; i < supervisor.channel_count; i++) {
        const struct dx_channel *channel = &supervisor.channels[i];
        const short events = channel->reports ? POLLIN | POLLOUT : POLLIN;

        polls[POLL_CHANNEL + i] = (struct pollfd){.fd = channel->fd, .events = events};
    }
    return ppoll(polls, POLL_CHANNEL + supervisor.channel_count, wait < 0 ? NULL : &timeout, NULL);
}

static void drain_signals(void)
{
    struct signalfd_siginfo info;

    while (read(supervisor.signal_fd, &info, sizeof(info)) > 0)
        ;
}

static bool has_server(const struct pollfd *polls)
{
    if (polls[POLL_SERVER].revents)
        return false;
    for (uint32_t i = 0; i < supervisor.channel_count; i++)
        if (supervisor.channels[i].fd >= 0)
            return true;
    return false;
}

static void serve_channels(const struct pollfd *polls)
{
    for (uint8_t i = 0; i < supervisor.channel_count; i++) {
        if (polls[POLL_CHANNEL + i].revents & POLLOUT)
            dx_channel_flush(&supervisor, i);
        if (polls[POLL_CHANNEL + i].revents & ~POLLOUT)
            dx_channel_receive(&supervisor, i);
    }
}

static void run(void)
{
    struct pollfd polls[POLL_CHANNEL + DX_SPAWN_CHANNELS_MAX];

    do {
        if (wait_for_work(polls) < 0)
            continue;
        if (polls[POLL_SIGNAL].revents) {
            drain_signals();
            dx_reap_children(&supervisor);
        }
        serve_channels(polls);
        dx_sweep_run(&supervisor);
    } while (has_server(polls));
}

int main(int argc, char **argv)
{
    if (!set_up(argc, argv))
        return EXIT_BAD_START;
    run();
    dx_end_everything(&supervisor);
    /*
     * There is nothing to wake for any more. LeakSanitizer stops this process at its end; a SIGCONT
     * at that moment would take the stop back, and it would wait for ever.
     */
    (void)prctl(PR_SET_PDEATHSIG, 0);
    return 0;
}
