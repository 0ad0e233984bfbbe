/*
 * spawner_message.c - START messages: measured, written, sent.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "bridge/spawner/spawner_internal.h"

/* Adds the strings of `list` to count and length. Stops above the limits of a message. */
static void measure(char *const *list, size_t *count, size_t *len)
{
    for (; *list && *len <= DX_SPAWN_MESSAGE_MAX && *count <= DX_SPAWN_STRINGS_MAX; list++) {
        *len += strlen(*list) + 1;
        ++*count;
    }
}

static char *write_string(char *at, const char *string)
{
    const size_t len = strlen(string) + 1;

    memcpy(at, string, len);
    return at + len;
}

static void write_strings(char *at, const struct dx_child_spec *spec)
{
    at = write_string(at, spec->path);
    if (spec->directory)
        at = write_string(at, spec->directory);
    for (char *const *argument = spec->argv; *argument; argument++)
        at = write_string(at, *argument);
    for (char *const *variable = spec->env; *variable; variable++)
        at = write_string(at, *variable);
}

enum dx_err dx_spawner_message_new(const struct dx_child_spec *spec, uint64_t id,
                                   struct dx_spawner_queued **out)
{
    struct dx_spawn_start start = {.type = DX_SPAWN_START, .id = id};
    struct dx_spawner_queued *message;
    size_t arguments = 0;
    size_t variables = 0;
    size_t len;

    if (!spec->path || spec->path[0] != '/' || !spec->argv || !spec->argv[0] || !spec->env)
        return DX_ERR_USAGE;
    len = strlen(spec->path) + 1 + (spec->directory ? strlen(spec->directory) + 1 : 0);
    measure(spec->argv, &arguments, &len);
    measure(spec->env, &variables, &len);
    if (len > DX_SPAWN_MESSAGE_MAX - sizeof(start) || arguments + variables > DX_SPAWN_STRINGS_MAX)
        return DX_ERR_TOO_BIG;
    message = malloc(sizeof(*message) + sizeof(start) + len);
    if (!message)
        return DX_ERR_NOMEM;
    start.flags = spec->directory ? DX_SPAWN_IN_DIRECTORY : 0;
    start.argument_count = (uint32_t)arguments;
    start.variable_count = (uint32_t)variables;
    start.strings_len = (uint32_t)len;
    *message = (struct dx_spawner_queued){.fds = {-1, -1, -1}, .len = sizeof(start) + len};
    memcpy(message->bytes, &start, sizeof(start));
    write_strings(message->bytes + sizeof(start), spec);
    *out = message;
    return DX_OK;
}

int dx_spawner_message_send(int fd, const struct dx_spawner_queued *message, const int *fds)
{
    _Alignas(struct cmsghdr) char control[CMSG_SPACE(DX_SPAWN_STREAMS * sizeof(int))] = {0};
    struct iovec bytes = {(void *)(uintptr_t)message->bytes, message->len};
    struct msghdr header = {.msg_iov = &bytes,
                            .msg_iovlen = 1,
                            .msg_control = control,
                            .msg_controllen = sizeof(control)};
    struct cmsghdr *rights = CMSG_FIRSTHDR(&header);

    rights->cmsg_level = SOL_SOCKET;
    rights->cmsg_type = SCM_RIGHTS;
    rights->cmsg_len = CMSG_LEN(DX_SPAWN_STREAMS * sizeof(int));
    memcpy(CMSG_DATA(rights), fds, DX_SPAWN_STREAMS * sizeof(int));
    if (sendmsg(fd, &header, MSG_NOSIGNAL | MSG_DONTWAIT) >= 0)
        return 0;
    return errno == EINTR ? EAGAIN : errno;
}

void dx_spawner_message_free(struct dx_spawner_queued *message)
{
    if (!message)
        return;
    for (int i = 0; i < DX_SPAWN_STREAMS; i++)
        if (message->fds[i] >= 0)
            close(message->fds[i]);
    free(message);
}
