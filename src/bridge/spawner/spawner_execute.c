/*
 * spawner_execute.c - executes the spawner with its descriptors at their numbers.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bridge/spawner/spawner_internal.h"

enum {
    ARGUMENT_LEN = 24,
    SEND_BUFFER_LEN = 256 * 1024, /* enough for the largest START, or a hundred usual ones */
};

/* The descriptors of the new process: a pidfd of this one, and its ends of the channels. */
struct passed {
    uint32_t count;
    int fds[1 + DX_SPAWN_CHANNELS_MAX];
};

static enum dx_err error_of(int error)
{
    switch (error) {
    case EMFILE:
    case ENFILE:
        return DX_ERR_DESCRIPTORS;
    case ENOMEM:
    case ENOBUFS:
        return DX_ERR_NOMEM;
    default:
        return DX_ERR_SYSTEM;
    }
}

static enum dx_err error_of_spawn(int error)
{
    switch (error) {
    case ENOENT:
    case ENOTDIR:
        return DX_ERR_NOT_FOUND;
    case EACCES:
    case EPERM:
        return DX_ERR_ACCESS;
    case ENOMEM:
        return DX_ERR_NOMEM;
    default:
        return DX_ERR_SPAWN;
    }
}

/*
 * Moves `fd` above all numbers that descriptors are moved to, so that none is overwritten too
 * early.
 */
static enum dx_err add(struct passed *passed, int fd, int lowest)
{
    int moved = fd;
    int error;

    if (fd < lowest) {
        moved = fcntl(fd, F_DUPFD_CLOEXEC, lowest);
        error = errno;
        close(fd);
        /* EINVAL: the number is above the limit. */
        if (moved < 0)
            return error == EINVAL ? DX_ERR_DESCRIPTORS : error_of(error);
    }
    passed->fds[passed->count++] = moved;
    return DX_OK;
}

static enum dx_err open_channel(struct passed *passed, int lowest, int *own)
{
    const int len = SEND_BUFFER_LEN;
    int pair[2];
    enum dx_err err;

    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair) < 0)
        return error_of(errno);
    /* If the buffer is smaller than this, starts only wait earlier. */
    setsockopt(pair[0], SOL_SOCKET, SO_SNDBUF, &len, sizeof(len));
    setsockopt(pair[1], SOL_SOCKET, SO_SNDBUF, &len, sizeof(len));
    err = add(passed, pair[1], lowest);
    if (err != DX_OK)
        close(pair[0]);
    else
        *own = pair[0];
    return err;
}

static enum dx_err open_all(struct dx_spawner *spawner, struct passed *passed)
{
    const int lowest = DX_SPAWN_FD_CHANNEL + (int)spawner->channel_count;
    const int self = dx_pidfd_open(getpid());
    enum dx_err err;

    if (self < 0)
        return error_of(errno);
    err = add(passed, self, lowest);
    for (uint32_t i = 0; i < spawner->channel_count && err == DX_OK; i++)
        err = open_channel(passed, lowest, &spawner->channel_fds[i]);
    return err;
}

/* In a session of its own it gets no signal of the terminal, which are for the server to answer. */
static int set_attributes(posix_spawnattr_t *attributes)
{
    sigset_t set;
    int error;

    sigfillset(&set);
    error = posix_spawnattr_setsigdefault(attributes, &set);
    sigemptyset(&set);
    if (error == 0)
        error = posix_spawnattr_setsigmask(attributes, &set);
    if (error == 0)
        error = posix_spawnattr_setflags(
            attributes, POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSID);
    return error;
}

static int spawn(struct dx_spawner *spawner, const struct passed *passed)
{
    char channels[ARGUMENT_LEN];
    char limit[ARGUMENT_LEN];
    char name[] = "duplex-spawner";
    char version[] = DX_SPAWN_VERSION;
    char *const arguments[] = {name, version, channels, limit, NULL};
    char *const variables[] = {NULL};
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    int error;

    snprintf(channels, sizeof(channels), "%" PRIu32, spawner->channel_count);
    snprintf(limit, sizeof(limit), "%" PRIu64, spawner->descriptor_limit);
    error = posix_spawn_file_actions_init(&actions);
    if (error != 0)
        return error;
    error = posix_spawnattr_init(&attributes);
    if (error == 0) {
        for (uint32_t i = 0; i < passed->count && error == 0; i++)
            error = posix_spawn_file_actions_adddup2(&actions, passed->fds[i],
                                                     DX_SPAWN_FD_SERVER + (int)i);
        if (error == 0)
            error = set_attributes(&attributes);
        if (error == 0)
            error = posix_spawn(&spawner->pid, spawner->path, &actions, &attributes, arguments,
                                variables);
        posix_spawnattr_destroy(&attributes);
    }
    posix_spawn_file_actions_destroy(&actions);
    return error;
}

static void close_own(struct dx_spawner *spawner)
{
    for (uint32_t i = 0; i < spawner->channel_count; i++) {
        if (spawner->channel_fds[i] >= 0)
            close(spawner->channel_fds[i]);
        spawner->channel_fds[i] = -1;
    }
}

/* Without a pidfd, waiting for it could not be bounded. It ends when its channels are closed. */
static enum dx_err open_pidfd(struct dx_spawner *spawner)
{
    int error;

    spawner->pidfd = dx_pidfd_open(spawner->pid);
    if (spawner->pidfd >= 0)
        return DX_OK;
    error = errno;
    kill(spawner->pid, SIGKILL);
    while (waitpid(spawner->pid, NULL, 0) < 0 && errno == EINTR)
        ;
    return error_of(error);
}

enum dx_err dx_spawner_execute(struct dx_spawner *spawner)
{
    struct passed passed = {0};
    enum dx_err err;
    int error;

    for (uint32_t i = 0; i < spawner->channel_count; i++)
        spawner->channel_fds[i] = -1;
    err = open_all(spawner, &passed);
    if (err == DX_OK) {
        error = spawn(spawner, &passed);
        err = error == 0 ? open_pidfd(spawner) : error_of_spawn(error);
    }
    for (uint32_t i = 0; i < passed.count; i++)
        close(passed.fds[i]);
    if (err != DX_OK) {
        spawner->pid = 0;
        close_own(spawner);
    }
    return err;
}
