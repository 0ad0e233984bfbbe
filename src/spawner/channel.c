/*
 * channel.c - the spawner's end of the channel of one loop: requests in, reports out.
 *
 * A report that finds no room in the socket is kept as a bit in the entry of its program. So no
 * report is lost, and the table bounds what waits. Programs are started by start.c.
 */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "spawner/supervisor.h"

/*
 * Messages that are read before children are reaped again, so that a report never waits for a
 * thousand starts.
 */
enum { MESSAGES_A_TURN = 16 };

void dx_process_settle(struct dx_supervisor *supervisor, struct dx_process *process)
{
    const bool ended = process->state == DX_PROCESS_ENDED || process->state == DX_PROCESS_FAILED;

    if (ended && process->reports == 0 && !process->sweeping)
        dx_process_free(&supervisor->processes, process);
}

static bool send_note(int fd, uint64_t id, enum dx_spawn_type type, int32_t value, uint32_t step)
{
    const struct dx_spawn_note note = {.type = type, .step = step, .id = id, .value = value};

    return send(fd, &note, sizeof(note), MSG_NOSIGNAL | MSG_DONTWAIT) == (ssize_t)sizeof(note);
}

/* Sends the program's reports in order. False: one is left. */
static bool send_reports(int fd, struct dx_process *process)
{
    if (process->reports & DX_REPORT_STARTED) {
        if (!send_note(fd, process->id, DX_SPAWN_STARTED, process->pid, 0))
            return false;
        process->reports &= (uint8_t)~DX_REPORT_STARTED;
    }
    if (process->reports & DX_REPORT_FAILED) {
        if (!send_note(fd, process->id, DX_SPAWN_FAILED, process->value, process->step))
            return false;
        process->reports &= (uint8_t)~DX_REPORT_FAILED;
    }
    if (process->reports & DX_REPORT_EXITED) {
        if (!send_note(fd, process->id, DX_SPAWN_EXITED, process->value, 0))
            return false;
        process->reports &= (uint8_t)~DX_REPORT_EXITED;
    }
    return true;
}

/* If the server is gone, the next receive notices it, closes the channel and drops the list. */
void dx_channel_flush(struct dx_supervisor *supervisor, uint8_t index)
{
    struct dx_channel *channel = &supervisor->channels[index];

    while (channel->reports) {
        struct dx_process *process = channel->reports;

        if (!send_reports(channel->fd, process))
            return;
        channel->reports = process->next_report;
        if (!channel->reports)
            channel->reports_end = &channel->reports;
        process->reporting = false;
        dx_process_settle(supervisor, process);
    }
}

void dx_channel_report(struct dx_supervisor *supervisor, struct dx_process *process, uint8_t report)
{
    struct dx_channel *channel = &supervisor->channels[process->channel];

    if (channel->fd < 0)
        return;
    process->reports |= report;
    if (!channel->reports && send_reports(channel->fd, process))
        return;
    if (process->reporting)
        return;
    process->reporting = true;
    process->next_report = NULL;
    *channel->reports_end = process;
    channel->reports_end = &process->next_report;
}

static void drop_reports(struct dx_supervisor *supervisor, struct dx_channel *channel)
{
    while (channel->reports) {
        struct dx_process *process = channel->reports;

        channel->reports = process->next_report;
        process->reports = 0;
        process->reporting = false;
        dx_process_settle(supervisor, process);
    }
    channel->reports_end = &channel->reports;
}

void dx_channel_close(struct dx_supervisor *supervisor, uint8_t index)
{
    struct dx_channel *channel = &supervisor->channels[index];
    struct dx_process_table *table = &supervisor->processes;

    close(channel->fd);
    channel->fd = -1;
    drop_reports(supervisor, channel);
    for (uint32_t i = 0; i < table->used; i++)
        if (table->all[i].channel == index && table->all[i].state == DX_PROCESS_RUNNING)
            dx_process_signal(supervisor, &table->all[i], SIGKILL);
}

static void take_kill(struct dx_supervisor *supervisor, uint8_t index, size_t message_len)
{
    struct dx_spawn_note note;
    struct dx_process *process;

    if (message_len != sizeof(note))
        return;
    memcpy(&note, supervisor->message, sizeof(note));
    process = dx_process_find_id(&supervisor->processes, index, note.id);
    if (process && process->state == DX_PROCESS_RUNNING && note.value > 0 && note.value < NSIG)
        dx_process_signal(supervisor, process, note.value);
}

/* Takes the descriptors that came with a message; the spawner owns them now. */
static size_t take_descriptors(struct msghdr *header, int *descriptors, size_t count)
{
    size_t taken = 0;

    for (struct cmsghdr *control = CMSG_FIRSTHDR(header); control;
         control = CMSG_NXTHDR(header, control)) {
        const size_t held = (control->cmsg_len - CMSG_LEN(0)) / sizeof(int);

        if (control->cmsg_level != SOL_SOCKET || control->cmsg_type != SCM_RIGHTS)
            continue;
        for (size_t i = 0; i < held && taken < count; i++)
            memcpy(&descriptors[taken++], CMSG_DATA(control) + i * sizeof(int), sizeof(int));
    }
    return taken;
}

/* Other messages than START and KILL are dropped: a server of the same build never sends them. */
static void take_message(struct dx_supervisor *supervisor, uint8_t index, size_t message_len,
                         struct msghdr *header)
{
    int descriptors[DX_SPAWN_STREAMS + 1];
    const size_t count = take_descriptors(header, descriptors, DX_SPAWN_STREAMS + 1);
    uint32_t type = 0;

    if (message_len >= sizeof(type) && !(header->msg_flags & MSG_TRUNC))
        memcpy(&type, supervisor->message, sizeof(type));
    if (type == DX_SPAWN_START) {
        dx_process_start(supervisor, index, message_len, descriptors, count);
        return;
    }
    if (type == DX_SPAWN_KILL)
        take_kill(supervisor, index, message_len);
    for (size_t i = 0; i < count; i++)
        close(descriptors[i]);
}

void dx_channel_receive(struct dx_supervisor *supervisor, uint8_t index)
{
    _Alignas(struct cmsghdr) char control[CMSG_SPACE((DX_SPAWN_STREAMS + 1) * sizeof(int))];
    struct iovec bytes = {supervisor->message, sizeof(supervisor->message)};

    for (int i = 0; i < MESSAGES_A_TURN; i++) {
        struct msghdr header = {.msg_iov = &bytes,
                                .msg_iovlen = 1,
                                .msg_control = control,
                                .msg_controllen = sizeof(control)};
        const ssize_t got =
            recvmsg(supervisor->channels[index].fd, &header, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);

        if (got < 0 && (errno == EAGAIN || errno == EINTR || errno == ENOMEM || errno == ENOBUFS))
            return;
        if (got <= 0) {
            dx_channel_close(supervisor, index);
            return;
        }
        take_message(supervisor, index, (size_t)got, &header);
    }
}
