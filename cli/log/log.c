/*
 * log.c - writes lines to a descriptor without ever waiting for it.
 *
 * A pipe or terminal is opened again with O_NONBLOCK: setting it on the inherited descriptor would
 * change it for the shell and all other processes that share it. Where opening again is refused, a
 * line is written only when poll() says that there is room.
 */
#include "cli/log/log.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/log/log_line.h"

#define PAIRS_MAX 32

struct cli_log {
    int fd;
    bool owns_fd;
    bool colour;
    enum dx_log_level level;
    enum cli_log_format format;
    pthread_mutex_t lock; /* for `lost`, and for the order of lines */
    uint64_t lost;        /* lines since the last one that was written */
};

static bool wants_colour(const struct cli_log_config *config)
{
    const char *no_colour = getenv("NO_COLOR");
    const char *terminal = getenv("TERM");

    return !config->file && config->format == CLI_LOG_TEXT && isatty(STDERR_FILENO) &&
           !(no_colour && *no_colour) && !(terminal && strcmp(terminal, "dumb") == 0);
}

/* A non-blocking descriptor of stderr where that can be had, else stderr itself. */
static int open_stderr(void)
{
    struct stat status;
    int fd = -1;

    if (fstat(STDERR_FILENO, &status) == 0 && (S_ISFIFO(status.st_mode) || isatty(STDERR_FILENO)))
        fd = open("/proc/self/fd/2", O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    return fd >= 0 ? fd : STDERR_FILENO;
}

struct cli_log *cli_log_open(const struct cli_log_config *config)
{
    struct cli_log *log = malloc(sizeof(*log));
    int fd;

    if (!log) {
        errno = ENOMEM;
        return NULL;
    }
    if (config->file)
        fd = open(config->file, O_WRONLY | O_APPEND | O_CREAT | O_NONBLOCK | O_NOCTTY | O_CLOEXEC,
                  0666);
    else
        fd = open_stderr();
    if (fd < 0) {
        int error = errno;

        free(log);
        errno = error;
        return NULL;
    }
    *log = (struct cli_log){.fd = fd,
                            .owns_fd = fd != STDERR_FILENO,
                            .colour = wants_colour(config),
                            .level = config->level,
                            .format = config->format};
    pthread_mutex_init(&log->lock, NULL);
    signal(SIGPIPE, SIG_IGN);
    return log;
}

void cli_log_close(struct cli_log *log)
{
    if (!log)
        return;
    if (log->owns_fd)
        close(log->fd);
    pthread_mutex_destroy(&log->lock);
    free(log);
}

/* True if all of it was written. Only a full disk or terminal can take a part of a line. */
static bool write_now(const struct cli_log *log, const struct cli_log_line *line)
{
    struct pollfd room = {.fd = log->fd, .events = POLLOUT};

    if (poll(&room, 1, 0) != 1 || !(room.revents & POLLOUT))
        return false;
    return write(log->fd, line->text, line->len) == (ssize_t)line->len;
}

static void say_lost(struct cli_log *log, const struct timespec *now)
{
    struct cli_log_line line;
    char count[24];
    int len = snprintf(count, sizeof(count), "%" PRIu64, log->lost);
    struct dx_log_field field = {"lines", count, (size_t)len};

    cli_log_line_format(&line, log->format, log->colour, now, DX_LOG_WARN, "log lines were lost",
                        &field, 1);
    if (write_now(log, &line))
        log->lost = 0;
}

static void write_line(enum dx_log_level level, const char *message,
                       const struct dx_log_field *fields, size_t field_count, void *user)
{
    struct cli_log *log = user;
    struct cli_log_line line;
    struct timespec now;
    int error = errno;

    if (level > log->level)
        return;
    clock_gettime(CLOCK_REALTIME, &now);
    cli_log_line_format(&line, log->format, log->colour, &now, level, message, fields, field_count);
    pthread_mutex_lock(&log->lock);
    if (log->lost > 0)
        say_lost(log, &now);
    if (log->lost > 0 || !write_now(log, &line))
        log->lost++;
    pthread_mutex_unlock(&log->lock);
    errno = error;
}

struct dx_log_sink cli_log_sink(struct cli_log *log)
{
    return (struct dx_log_sink){
        .size = sizeof(struct dx_log_sink), .write = write_line, .user = log, .level = log->level};
}

void cli_log_say(struct cli_log *log, enum dx_log_level level, const char *message, ...)
{
    struct dx_log_field fields[PAIRS_MAX];
    size_t count = 0;
    const char *name;
    va_list args;

    va_start(args, message);
    while (count < PAIRS_MAX && (name = va_arg(args, const char *)) != NULL) {
        const char *value = va_arg(args, const char *);

        fields[count++] = (struct dx_log_field){name, value, strlen(value)};
    }
    va_end(args);
    write_line(level, message, fields, count, log);
}
