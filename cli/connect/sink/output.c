/*
 * output.c - see output.h.
 *
 * A pipe or terminal is opened again with O_NONBLOCK: setting the flag on the inherited descriptor
 * would change it for the shell, too. Where opening is refused, small pieces are written when
 * poll() reports room.
 */
#include "cli/connect/sink/output.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define SOON 65536 /* this much is written before the end of the turn */
#define PIECE 4096 /* what a pipe that polls as writable takes without blocking */

static void flush(struct cli_output *output);

void cli_output_init(struct cli_output *output, struct dx_loop *loop, void (*on_change)(void *user),
                     void *user)
{
    struct stat status;

    *output = (struct cli_output){
        .loop = loop, .fd = STDOUT_FILENO, .on_change = on_change, .user = user};
    if (fstat(STDOUT_FILENO, &status) < 0)
        return;
    output->is_socket = S_ISSOCK(status.st_mode);
    output->never_waits = S_ISREG(status.st_mode) || S_ISCHR(status.st_mode);
    if (S_ISFIFO(status.st_mode) || isatty(STDOUT_FILENO)) {
        int fd = open("/proc/self/fd/1", O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);

        output->never_waits = fd >= 0;
        output->owns_fd = fd >= 0;
        output->fd = fd >= 0 ? fd : STDOUT_FILENO;
    }
}

/* Returns what write() does; EAGAIN when it would block. */
static ssize_t write_some(const struct cli_output *output)
{
    const char *rest = cli_buffer_text(&output->waiting) + output->sent;
    size_t len = cli_buffer_len(&output->waiting) - output->sent;

    if (output->is_socket)
        return send(output->fd, rest, len, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (!output->never_waits) {
        struct pollfd room = {.fd = output->fd, .events = POLLOUT};

        if (poll(&room, 1, 0) != 1) {
            errno = EAGAIN;
            return -1;
        }
        len = len < PIECE ? len : PIECE;
    }
    return write(output->fd, rest, len);
}

static void on_writable(int fd, void *user)
{
    (void)fd;
    flush(user);
}

static void note_blocked(struct cli_output *output)
{
    if (output->watch)
        return;
    if (dx_loop_watch_new_for_output(output->loop, output->fd, on_writable, output,
                                     &output->watch) != DX_OK) {
        output->error = errno ? errno : ENOMEM;
    }
    output->on_change(output->user);
}

/* Moving the rest costs less than what has been written. */
static void note_sent(struct cli_output *output, size_t len)
{
    output->sent += len;
    if (output->sent == cli_buffer_len(&output->waiting) ||
        output->sent > cli_buffer_len(&output->waiting) / 2) {
        cli_buffer_drop(&output->waiting, output->sent);
        output->sent = 0;
    }
}

static void flush(struct cli_output *output)
{
    while (cli_buffer_len(&output->waiting) > 0 && output->error == 0) {
        ssize_t len = write_some(output);

        if (len >= 0) {
            note_sent(output, (size_t)len);
        } else if (errno == EAGAIN) {
            note_blocked(output);
            return;
        } else if (errno != EINTR) {
            output->error = errno;
        }
    }
    if (output->error)
        note_sent(output, cli_buffer_len(&output->waiting) - output->sent);
    if (output->watch || output->error) {
        dx_loop_watch_free(output->watch);
        output->watch = NULL;
        output->on_change(output->user);
    }
}

static void on_post(void *data)
{
    struct cli_output *output = data;

    output->is_posted = false;
    if (!output->watch)
        flush(output);
}

void cli_output_commit(struct cli_output *output)
{
    if (output->waiting.has_failed && output->error == 0) {
        output->error = ENOMEM;
        output->on_change(output->user);
    }
    if (cli_buffer_len(&output->waiting) == 0 || output->watch)
        return;
    if (cli_buffer_len(&output->waiting) >= SOON ||
        (!output->is_posted && dx_loop_post(output->loop, on_post, output) != DX_OK)) {
        flush(output);
        return;
    }
    output->is_posted = true;
}

bool cli_output_is_blocked(const struct cli_output *output)
{
    return output->watch != NULL;
}

static long now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

bool cli_output_finish(struct cli_output *output, int ms)
{
    long due = now_ms() + ms;

    while (cli_buffer_len(&output->waiting) > 0 && output->error == 0) {
        struct pollfd room = {.fd = output->fd, .events = POLLOUT};
        long left = due - now_ms();
        ssize_t len;

        if (left <= 0)
            return false;
        (void)poll(&room, 1, (int)left);
        len = write_some(output);
        if (len >= 0)
            note_sent(output, (size_t)len);
        else if (errno != EAGAIN && errno != EINTR)
            output->error = errno;
    }
    return output->error == 0;
}

void cli_output_release(struct cli_output *output)
{
    dx_loop_watch_free(output->watch);
    output->watch = NULL;
    if (output->owns_fd)
        close(output->fd);
    cli_buffer_release(&output->waiting);
}
