/*
 * start.c - checks a START message completely, then starts its program or reports FAILED.
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "spawner/launch.h"
#include "spawner/supervisor.h"

/* The strings of a message that have not been read. */
struct strings {
    char *next;
    char *end;
};

static char *take_string(struct strings *strings)
{
    char *string = strings->next;
    char *zero = memchr(string, '\0', (size_t)(strings->end - string));

    if (!zero)
        return NULL;
    strings->next = zero + 1;
    return string;
}

/* Points `list` to the next `count` strings and ends it with NULL. */
static bool take_list(struct strings *strings, char **list, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        list[i] = take_string(strings);
        if (!list[i])
            return false;
    }
    list[count] = NULL;
    return true;
}

/*
 * Fills `launch`, which then points into the message and into the list of strings of the
 * supervisor.
 */
static bool parse(struct dx_supervisor *supervisor, const struct dx_spawn_start *start,
                  size_t message_len, struct dx_launch *launch)
{
    char *const bytes = supervisor->message + sizeof(*start);
    struct strings strings = {bytes, supervisor->message + message_len};
    char **const arguments = supervisor->strings;

    if (start->strings_len != message_len - sizeof(*start) || start->argument_count == 0 ||
        start->argument_count > DX_SPAWN_STRINGS_MAX ||
        start->variable_count > DX_SPAWN_STRINGS_MAX - start->argument_count)
        return false;
    launch->path = take_string(&strings);
    if (!launch->path || launch->path[0] != '/')
        return false;
    if (start->flags & DX_SPAWN_IN_DIRECTORY) {
        launch->directory = take_string(&strings);
        if (!launch->directory)
            return false;
    }
    launch->arguments = arguments;
    launch->variables = arguments + start->argument_count + 1;
    return take_list(&strings, arguments, start->argument_count) &&
           take_list(&strings, arguments + start->argument_count + 1, start->variable_count) &&
           strings.next == strings.end;
}

static struct dx_launch_result start(struct dx_supervisor *supervisor,
                                     const struct dx_spawn_start *start, size_t message_len,
                                     const int *streams, size_t stream_count)
{
    struct dx_launch launch = {.descriptor_limit = supervisor->descriptor_limit};

    if (!parse(supervisor, start, message_len, &launch))
        return (struct dx_launch_result){0, DX_SPAWN_STEP_MESSAGE, EINVAL};
    /* Fewer arrive than were sent if this process has no free descriptor. */
    if (stream_count != DX_SPAWN_STREAMS)
        return (struct dx_launch_result){0, DX_SPAWN_STEP_DESCRIPTORS, EMFILE};
    memcpy(launch.streams, streams, sizeof(launch.streams));
    return dx_launch(&launch);
}

/* If a new leader has the pid of an ended one, the old session is empty: the number was free. */
static void forget_older(struct dx_supervisor *supervisor, int32_t pid)
{
    struct dx_process *older = dx_process_find_pid(&supervisor->processes, pid);

    if (older)
        older->drop_at_ns = 0;
}

static void report(struct dx_supervisor *supervisor, struct dx_process *process,
                   const struct dx_launch_result *result)
{
    if (result->pid == 0) {
        process->value = result->error;
        process->step = (uint8_t)result->step;
        dx_channel_report(supervisor, process, DX_REPORT_FAILED);
        dx_process_settle(supervisor, process);
        return;
    }
    forget_older(supervisor, result->pid);
    dx_process_run(&supervisor->processes, process, result->pid);
    dx_channel_report(supervisor, process, DX_REPORT_STARTED);
}

void dx_process_start(struct dx_supervisor *supervisor, uint8_t index, size_t message_len,
                      const int *streams, size_t stream_count)
{
    struct dx_spawn_start head;
    struct dx_launch_result result;
    struct dx_process *process = NULL;

    if (message_len >= sizeof(head)) {
        memcpy(&head, supervisor->message, sizeof(head));
        /*
         * An id in use belongs to another program. A full table: the server has exceeded its limit.
         */
        if (!dx_process_find_id(&supervisor->processes, index, head.id))
            process = dx_process_new(&supervisor->processes, index, head.id);
    }
    if (process)
        result = start(supervisor, &head, message_len, streams, stream_count);
    /* Before the report: when the server gets it, only the program holds the streams. */
    for (size_t i = 0; i < stream_count; i++)
        close(streams[i]);
    if (process)
        report(supervisor, process, &result);
}
