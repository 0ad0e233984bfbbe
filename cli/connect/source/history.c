/*
 * history.c - see history.h. Each line is appended with one write, so that sessions that run at the
 * same time lose nothing.
 */
#include "cli/connect/source/history.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define LINE_MAX_LEN 65536

char *cli_history_path(void)
{
    const char *state = getenv("XDG_STATE_HOME");
    const char *home = getenv("HOME");
    char *path = NULL;
    int len = -1;

    /* The specification asks for an absolute path, else it does not count. */
    if (state && *state == '/')
        len = asprintf(&path, "%s/duplex/history", state);
    else if (home && *home == '/')
        len = asprintf(&path, "%s/.local/state/duplex/history", home);
    return len < 0 ? NULL : path;
}

/* Like mkdir -p for the part before the last slash. */
static void make_directories(const char *path)
{
    char *copy = strdup(path);

    for (char *at = copy ? copy + 1 : NULL; at && (at = strchr(at, '/')) != NULL; at++) {
        *at = '\0';
        (void)!mkdir(copy, 0700);
        *at = '/';
    }
    free(copy);
}

static size_t count_lines(FILE *file)
{
    size_t count = 0;
    int byte;

    while ((byte = getc(file)) != EOF)
        count += byte == '\n';
    rewind(file);
    return count;
}

/* Writes the lines after the first `skipped` to a new file, which replaces the old one. */
static void rewrite(FILE *from, const char *path, size_t skipped)
{
    char *made = NULL;
    char *line = NULL;
    size_t room = 0;
    ssize_t len;
    FILE *to;
    int fd;

    if (asprintf(&made, "%s.%ld", path, (long)getpid()) < 0)
        return;
    fd = open(made, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    to = fd >= 0 ? fdopen(fd, "w") : NULL;
    while (to && (len = getline(&line, &room, from)) > 0)
        if (skipped > 0)
            skipped--;
        else
            (void)!fwrite(line, 1, (size_t)len, to);
    if (to && fclose(to) == 0)
        (void)!rename(made, path);
    else if (fd >= 0)
        (void)!unlink(made);
    free(line);
    free(made);
}

void cli_history_load(const char *path, void (*add)(void *user, const char *line), void *user)
{
    FILE *file = fopen(path, "re");
    char *line = NULL;
    size_t room = 0;
    size_t count, at = 0;
    ssize_t len;

    if (!file)
        return;
    count = count_lines(file);
    while ((len = getline(&line, &room, file)) > 0) {
        if (line[len - 1] == '\n')
            line[len - 1] = '\0';
        if (at++ + CLI_HISTORY_MAX >= count && *line)
            add(user, line);
    }
    free(line);
    if (count > 2 * CLI_HISTORY_MAX) {
        rewind(file);
        rewrite(file, path, count - CLI_HISTORY_MAX);
    }
    fclose(file);
}

void cli_history_append(const char *path, const char *line)
{
    char text[LINE_MAX_LEN];
    int len = snprintf(text, sizeof(text), "%s\n", line);
    int fd;

    if (len < 0 || (size_t)len >= sizeof(text))
        return;
    fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY, 0600);
    if (fd < 0 && errno == ENOENT) {
        make_directories(path);
        fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY, 0600);
    }
    if (fd < 0)
        return;
    (void)!write(fd, text, (size_t)len);
    close(fd);
}
