/*
 * spawner_channel.c - the channel of one loop to the spawner: children by slot, messages that wait
 * to be sent, and answers.
 *
 * Starts are sent in order, and a signal never before the start of its program. The process of the
 * spawner is in spawner.c.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bridge/spawner/spawner_internal.h"

enum { FIRST_SLOTS = 16, NOTES_A_CALL = 256 };

static uint64_t id_of(const struct dx_spawner_channel *channel, uint32_t slot)
{
    return (uint64_t)channel->slots[slot].generation << 32 | slot;
}

static enum dx_err grow_slots(struct dx_spawner_channel *channel)
{
    uint32_t count = channel->slot_count ? channel->slot_count * 2 : FIRST_SLOTS;
    struct dx_spawner_slot *slots;

    if (count > channel->slot_max)
        count = channel->slot_max;
    if (count == channel->slot_count)
        return DX_ERR_TOO_MANY;
    slots = realloc(channel->slots, count * sizeof(*slots));
    if (!slots)
        return DX_ERR_NOMEM;
    for (uint32_t i = channel->slot_count; i < count; i++) {
        slots[i] = (struct dx_spawner_slot){.next_free = channel->first_free};
        channel->first_free = i;
    }
    channel->slots = slots;
    channel->slot_count = count;
    return DX_OK;
}

static void free_slot(struct dx_spawner_channel *channel, uint32_t slot)
{
    struct dx_spawner_slot *entry = &channel->slots[slot];

    entry->generation++;
    entry->child = NULL;
    entry->signal = 0;
    entry->in_use = false;
    entry->is_started = false;
    entry->next_free = channel->first_free;
    channel->first_free = slot;
}

static struct dx_child *take_child(struct dx_spawner_channel *channel, uint32_t slot)
{
    struct dx_child *child = channel->slots[slot].child;

    free_slot(channel, slot);
    if (child)
        child->channel = NULL;
    return child;
}

/* ---- messages that wait for room in the socket ---- */

static void update_want_write(struct dx_spawner_channel *channel)
{
    const bool wanted =
        !channel->is_lost && (channel->queue || channel->first_kill != DX_SPAWNER_NO_SLOT);

    if (wanted == channel->wants_write)
        return;
    channel->wants_write = wanted;
    if (channel->callbacks && channel->callbacks->on_want_write)
        channel->callbacks->on_want_write(channel->user, wanted);
}

static void drop_queued(struct dx_spawner_channel *channel)
{
    struct dx_spawner_queued *message = channel->queue;

    channel->queue = message->next;
    if (!channel->queue)
        channel->queue_end = &channel->queue;
    channel->queue_len -= message->len;
    dx_spawner_message_free(message);
}

static enum dx_err error_of(int error)
{
    switch (error) {
    case EPIPE:
    case ECONNRESET:
    case ENOTCONN:
        return DX_ERR_CLOSED;
    case ETOOMANYREFS:
    case EMFILE:
        return DX_ERR_DESCRIPTORS;
    case ENOMEM:
        return DX_ERR_NOMEM;
    case EMSGSIZE:
        return DX_ERR_TOO_BIG;
    default:
        return DX_ERR_SYSTEM;
    }
}

/* Owns the message if it succeeds. */
static enum dx_err queue_start(struct dx_spawner_channel *channel,
                               struct dx_spawner_queued *message, const int *fds)
{
    if (channel->queue_len + message->len > DX_SPAWNER_QUEUE_MAX)
        return DX_ERR_QUEUE_FULL;
    for (int i = 0; i < DX_SPAWN_STREAMS; i++) {
        message->fds[i] = fcntl(fds[i], F_DUPFD_CLOEXEC, 0);
        if (message->fds[i] < 0)
            return error_of(errno);
    }
    *channel->queue_end = message;
    channel->queue_end = &message->next;
    channel->queue_len += message->len;
    return DX_OK;
}

/* Owns the message in any case. */
static enum dx_err send_or_queue(struct dx_spawner_channel *channel,
                                 struct dx_spawner_queued *message, const int *fds)
{
    int error = channel->queue ? EAGAIN : dx_spawner_message_send(channel->fd, message, fds);
    enum dx_err err;

    if (error == EAGAIN || error == ENOBUFS) {
        err = queue_start(channel, message, fds);
        if (err == DX_OK)
            return DX_OK;
    } else {
        err = error == 0 ? DX_OK : error_of(error);
    }
    dx_spawner_message_free(message);
    return err;
}

/*
 * A signal that cannot be sent is tried again, whatever the error: a dead spawner is noticed soon.
 */
static bool send_kill(struct dx_spawner_channel *channel, uint32_t slot, int signal)
{
    const struct dx_spawn_note note = {
        .type = DX_SPAWN_KILL, .id = id_of(channel, slot), .value = signal};

    return send(channel->fd, &note, sizeof(note), MSG_NOSIGNAL | MSG_DONTWAIT) >= 0;
}

/* A queued start that the system refuses for good: its child has failed. */
static void fail_queued(struct dx_spawner_channel *channel, int error)
{
    struct dx_spawn_start start;
    struct dx_child *child;

    memcpy(&start, channel->queue->bytes, sizeof(start));
    drop_queued(channel);
    child = take_child(channel, (uint32_t)start.id);
    if (child)
        child->callbacks->on_failed(child, error, DX_SPAWN_STEP_MESSAGE);
}

static void flush_starts(struct dx_spawner_channel *channel)
{
    while (channel->queue) {
        const int error = dx_spawner_message_send(channel->fd, channel->queue, channel->queue->fds);

        if (error == 0)
            drop_queued(channel);
        else if (error == ETOOMANYREFS || error == EMSGSIZE)
            fail_queued(channel, error);
        else
            return;
    }
}

static void flush_kills(struct dx_spawner_channel *channel)
{
    while (!channel->queue && channel->first_kill != DX_SPAWNER_NO_SLOT) {
        struct dx_spawner_slot *entry = &channel->slots[channel->first_kill];

        if (entry->signal != 0 && !send_kill(channel, channel->first_kill, entry->signal))
            return;
        entry->signal = 0;
        entry->in_kills = false;
        channel->first_kill = entry->next_kill;
    }
}

/* ---- answers ---- */

static void lose(struct dx_spawner_channel *channel)
{
    channel->is_lost = true;
    channel->wants_write = false;
    dx_spawner_lose(channel->spawner, channel->generation);
    while (channel->queue)
        drop_queued(channel);
    for (uint32_t i = 0; i < channel->slot_count; i++) {
        const bool is_started = channel->slots[i].is_started;
        struct dx_child *child = channel->slots[i].in_use ? take_child(channel, i) : NULL;

        if (child && is_started)
            child->callbacks->on_exited(child, SIGKILL);
        else if (child)
            child->callbacks->on_failed(child, EPIPE, DX_SPAWN_STEP_SPAWNER);
    }
    if (channel->callbacks && channel->callbacks->on_lost)
        channel->callbacks->on_lost(channel->user);
    dx_spawner_channel_release(channel);
}

static void take_started(struct dx_spawner_channel *channel, uint32_t slot, int32_t pid)
{
    struct dx_child *child = channel->slots[slot].child;

    channel->slots[slot].is_started = true;
    if (!child)
        return;
    child->pid = pid;
    if (child->callbacks->on_started)
        child->callbacks->on_started(child);
}

static void take_note(struct dx_spawner_channel *channel, const struct dx_spawn_note *note)
{
    const uint32_t slot = (uint32_t)note->id;
    struct dx_child *child;

    if (slot >= channel->slot_count || !channel->slots[slot].in_use ||
        id_of(channel, slot) != note->id)
        return;
    if (note->type == DX_SPAWN_STARTED) {
        take_started(channel, slot, note->value);
    } else if (note->type == DX_SPAWN_FAILED) {
        child = take_child(channel, slot);
        if (child)
            child->callbacks->on_failed(child, note->value, (enum dx_spawn_step)note->step);
    } else if (note->type == DX_SPAWN_EXITED) {
        child = take_child(channel, slot);
        if (child)
            child->callbacks->on_exited(child, note->value);
    }
}

void dx_spawner_channel_ready(struct dx_spawner_channel *channel)
{
    if (channel->fd < 0)
        return;
    flush_starts(channel);
    flush_kills(channel);
    for (int i = 0; i < NOTES_A_CALL; i++) {
        struct dx_spawn_note note;
        const ssize_t got = recv(channel->fd, &note, sizeof(note), MSG_DONTWAIT);

        if (got == (ssize_t)sizeof(note)) {
            take_note(channel, &note);
        } else if (got < 0 && (errno == EAGAIN || errno == EINTR || errno == ENOMEM)) {
            break;
        } else if (got <= 0) {
            lose(channel);
            return;
        }
    }
    update_want_write(channel);
}

/* ---- calls of the owner ---- */

void dx_spawner_channel_attach(struct dx_spawner_channel *channel,
                               const struct dx_spawner_channel_callbacks *callbacks, void *user)
{
    channel->callbacks = callbacks;
    channel->user = user;
}

int dx_spawner_channel_fd(const struct dx_spawner_channel *channel)
{
    return channel->fd;
}

void dx_spawner_channel_release(struct dx_spawner_channel *channel)
{
    while (channel->queue)
        drop_queued(channel);
    for (uint32_t i = 0; i < channel->slot_count; i++)
        if (channel->slots[i].in_use)
            take_child(channel, i);
    free(channel->slots);
    channel->slots = NULL;
    channel->slot_count = 0;
    channel->first_free = DX_SPAWNER_NO_SLOT;
    channel->first_kill = DX_SPAWNER_NO_SLOT;
    if (channel->fd >= 0)
        close(channel->fd);
    channel->fd = -1;
}

enum dx_err dx_child_start(struct dx_spawner_channel *channel, struct dx_child *child,
                           const struct dx_child_callbacks *callbacks, void *user,
                           const struct dx_child_spec *spec)
{
    struct dx_spawner_queued *message = NULL;
    enum dx_err err = DX_OK;
    uint32_t slot;

    if (child->channel)
        return DX_ERR_STATE;
    if (channel->fd < 0 || channel->is_lost)
        return DX_ERR_CLOSED;
    if (channel->first_free == DX_SPAWNER_NO_SLOT)
        err = grow_slots(channel);
    if (err != DX_OK)
        return err;
    slot = channel->first_free;
    err = dx_spawner_message_new(spec, id_of(channel, slot), &message);
    if (err == DX_OK)
        err = send_or_queue(channel, message, spec->fds);
    if (err != DX_OK)
        return err;
    channel->first_free = channel->slots[slot].next_free;
    channel->slots[slot].in_use = true;
    channel->slots[slot].child = child;
    *child =
        (struct dx_child){.callbacks = callbacks, .user = user, .slot = slot, .channel = channel};
    update_want_write(channel);
    return DX_OK;
}

void *dx_child_user(const struct dx_child *child)
{
    return child->user;
}

bool dx_child_is_active(const struct dx_child *child)
{
    return child->channel != NULL;
}

void dx_child_kill(struct dx_child *child, int signal)
{
    struct dx_spawner_channel *channel = child->channel;
    struct dx_spawner_slot *entry;

    if (!channel || channel->is_lost || signal <= 0 || signal >= NSIG)
        return;
    entry = &channel->slots[child->slot];
    if (!channel->queue && !entry->in_kills && send_kill(channel, child->slot, signal))
        return;
    entry->signal = (uint8_t)signal;
    if (!entry->in_kills) {
        entry->in_kills = true;
        entry->next_kill = channel->first_kill;
        channel->first_kill = child->slot;
    }
    update_want_write(channel);
}

void dx_child_forget(struct dx_child *child)
{
    if (!child->channel)
        return;
    child->channel->slots[child->slot].child = NULL;
    child->channel = NULL;
}
