/*
 * spawner.c - the spawner's process: started, found dead, cleaned up after, started again, stopped.
 *
 * The messages are in spawner_channel.c.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bridge/spawner/spawner_internal.h"

static struct dx_spawner *new_spawner(const struct dx_spawner_options *options)
{
    struct dx_spawner *spawner =
        calloc(1, sizeof(*spawner) + options->channel_count * sizeof(spawner->channels[0]));

    if (!spawner)
        return NULL;
    spawner->descriptor_limit = options->descriptor_limit;
    spawner->channel_count = options->channel_count;
    spawner->owns_children = options->owns_children;
    spawner->pidfd = -1;
    for (uint32_t i = 0; i < options->channel_count; i++) {
        struct dx_spawner_channel *channel = &spawner->channels[i];

        channel->spawner = spawner;
        channel->index = i;
        channel->fd = -1;
        channel->slot_max = DX_SPAWN_PROGRAMS_MAX / options->channel_count;
        channel->first_free = DX_SPAWNER_NO_SLOT;
        channel->first_kill = DX_SPAWNER_NO_SLOT;
        channel->queue_end = &channel->queue;
    }
    spawner->path = dx_spawner_locate(options->path);
    if (spawner->path && pthread_mutex_init(&spawner->lock, NULL) == 0)
        return spawner;
    free(spawner->path);
    free(spawner);
    return NULL;
}

static void free_spawner(struct dx_spawner *spawner)
{
    if (spawner->made_subreaper)
        prctl(PR_SET_CHILD_SUBREAPER, 0);
    pthread_mutex_destroy(&spawner->lock);
    free(spawner->path);
    free(spawner);
}

static enum dx_err become_subreaper(struct dx_spawner *spawner)
{
    int already = 0;

    if (!spawner->owns_children)
        return DX_OK;
    if (prctl(PR_GET_CHILD_SUBREAPER, &already) < 0 || prctl(PR_SET_CHILD_SUBREAPER, 1) < 0)
        return DX_ERR_SYSTEM;
    spawner->made_subreaper = !already;
    return DX_OK;
}

static void take_fd(struct dx_spawner *spawner, struct dx_spawner_channel *channel)
{
    channel->fd = spawner->channel_fds[channel->index];
    channel->generation = spawner->generation;
    channel->is_lost = false;
    channel->wants_write = false;
    spawner->channel_fds[channel->index] = -1;
}

enum dx_err dx_spawner_start(const struct dx_spawner_options *options, struct dx_spawner **out)
{
    struct dx_spawner *spawner;
    enum dx_err err;

    if (options->channel_count < 1 || options->channel_count > DX_SPAWN_CHANNELS_MAX)
        return DX_ERR_USAGE;
    spawner = new_spawner(options);
    if (!spawner)
        return DX_ERR_NOMEM;
    err = become_subreaper(spawner);
    if (err == DX_OK)
        err = dx_spawner_execute(spawner);
    if (err != DX_OK) {
        free_spawner(spawner);
        return err;
    }
    for (uint32_t i = 0; i < spawner->channel_count; i++)
        take_fd(spawner, &spawner->channels[i]);
    *out = spawner;
    return DX_OK;
}

struct dx_spawner_channel *dx_spawner_channel(struct dx_spawner *spawner, uint32_t index)
{
    return &spawner->channels[index];
}

pid_t dx_spawner_pid(struct dx_spawner *spawner)
{
    pid_t pid;

    pthread_mutex_lock(&spawner->lock);
    pid = spawner->pid;
    pthread_mutex_unlock(&spawner->lock);
    return pid;
}

/* ---- the end of the process ---- */

/* Only this reaps it, so the process id is still its own. */
static void reap_process(struct dx_spawner *spawner)
{
    while (waitpid(spawner->pid, NULL, 0) < 0 && errno == EINTR)
        ;
    close(spawner->pidfd);
    spawner->pidfd = -1;
    spawner->pid = 0;
}

static void *clean(void *argument)
{
    struct dx_spawner *spawner = argument;

    dx_orphans_end(DX_SPAWNER_CLEAN_MS);
    pthread_mutex_lock(&spawner->lock);
    spawner->state = DX_SPAWNER_LOST;
    pthread_mutex_unlock(&spawner->lock);
    return NULL;
}

/*
 * Cleaning takes a thread of its own: it may take long. It blocks all signals, which are for the
 * threads of the host program.
 */
static void begin_cleaning(struct dx_spawner *spawner)
{
    sigset_t all;
    sigset_t old;

    spawner->state = DX_SPAWNER_CLEANING;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &old);
    spawner->has_cleaner = pthread_create(&spawner->cleaner, NULL, clean, spawner) == 0;
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    if (spawner->has_cleaner)
        return;
    /* Without a thread, ending the children matters more than the delay of this one loop. */
    dx_orphans_end(DX_SPAWNER_CLEAN_MS);
    spawner->state = DX_SPAWNER_LOST;
}

static void close_channel_fds(struct dx_spawner *spawner)
{
    for (uint32_t i = 0; i < spawner->channel_count; i++) {
        if (spawner->channel_fds[i] >= 0)
            close(spawner->channel_fds[i]);
        spawner->channel_fds[i] = -1;
    }
}

void dx_spawner_lose(struct dx_spawner *spawner, uint32_t generation)
{
    pthread_mutex_lock(&spawner->lock);
    if (spawner->state == DX_SPAWNER_RUNNING && spawner->generation == generation) {
        close_channel_fds(spawner);
        /*
         * A spawner that is alive but has closed a channel would keep programs that have no client.
         */
        dx_pidfd_kill(spawner->pidfd);
        reap_process(spawner);
        spawner->state = DX_SPAWNER_LOST;
        if (spawner->owns_children)
            begin_cleaning(spawner);
    }
    pthread_mutex_unlock(&spawner->lock);
}

static void join_cleaner(struct dx_spawner *spawner)
{
    if (spawner->has_cleaner)
        pthread_join(spawner->cleaner, NULL);
    spawner->has_cleaner = false;
}

static enum dx_err run_again(struct dx_spawner *spawner)
{
    enum dx_err err;

    if (spawner->state == DX_SPAWNER_CLEANING)
        return DX_ERR_AGAIN;
    if (spawner->state == DX_SPAWNER_RUNNING)
        return DX_OK;
    join_cleaner(spawner);
    err = dx_spawner_execute(spawner);
    if (err != DX_OK)
        return err;
    spawner->generation++;
    spawner->state = DX_SPAWNER_RUNNING;
    return DX_OK;
}

enum dx_err dx_spawner_channel_reopen(struct dx_spawner_channel *channel)
{
    struct dx_spawner *spawner = channel->spawner;
    enum dx_err err;

    if (channel->fd >= 0)
        return DX_ERR_STATE;
    pthread_mutex_lock(&spawner->lock);
    err = run_again(spawner);
    if (err == DX_OK)
        take_fd(spawner, channel);
    pthread_mutex_unlock(&spawner->lock);
    return err;
}

void dx_spawner_stop(struct dx_spawner *spawner)
{
    struct pollfd exit_poll;

    if (!spawner)
        return;
    for (uint32_t i = 0; i < spawner->channel_count; i++)
        dx_spawner_channel_release(&spawner->channels[i]);
    close_channel_fds(spawner);
    join_cleaner(spawner);
    if (spawner->pid != 0) {
        exit_poll = (struct pollfd){.fd = spawner->pidfd, .events = POLLIN};
        if (poll(&exit_poll, 1, DX_SPAWNER_STOP_MS) == 0)
            dx_pidfd_kill(spawner->pidfd);
        reap_process(spawner);
    }
    if (spawner->owns_children)
        dx_orphans_end(DX_SPAWNER_CLEAN_MS);
    free_spawner(spawner);
}

const char *dx_spawn_step_text(enum dx_spawn_step step)
{
    static const char *const texts[] = {
        [DX_SPAWN_STEP_NONE] = "nothing",
        [DX_SPAWN_STEP_MESSAGE] = "request",
        [DX_SPAWN_STEP_DESCRIPTORS] = "descriptors",
        [DX_SPAWN_STEP_PROCESS] = "process",
        [DX_SPAWN_STEP_SESSION] = "session",
        [DX_SPAWN_STEP_STREAMS] = "standard streams",
        [DX_SPAWN_STEP_DIRECTORY] = "working directory",
        [DX_SPAWN_STEP_LIMIT] = "descriptor limit",
        [DX_SPAWN_STEP_PARENT] = "parent",
        [DX_SPAWN_STEP_EXEC] = "exec",
        [DX_SPAWN_STEP_SPAWNER] = "spawner",
        [DX_SPAWN_STEP_INTERPRETER] = "interpreter",
    };

    return (size_t)step < sizeof(texts) / sizeof(texts[0]) ? texts[step] : "unknown step";
}
