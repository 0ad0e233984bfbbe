/*
 * program.c - looks a program up in PATH and finds why it cannot run.
 */
#include "cli/serve/program.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static enum cli_program_state look_at(const char *path)
{
    struct stat status;

    if (stat(path, &status) != 0)
        return CLI_PROGRAM_MISSING;
    if (S_ISDIR(status.st_mode))
        return CLI_PROGRAM_DIRECTORY;
    if (!S_ISREG(status.st_mode) || faccessat(AT_FDCWD, path, X_OK, AT_EACCESS) != 0)
        return CLI_PROGRAM_FORBIDDEN;
    return CLI_PROGRAM_FOUND;
}

static enum cli_program_state look_in(const char *directory, size_t directory_len, const char *name)
{
    char path[PATH_MAX];
    int len = snprintf(path, sizeof(path), "%.*s/%s", (int)directory_len, directory, name);

    return len < (int)sizeof(path) ? look_at(path) : CLI_PROGRAM_MISSING;
}

static enum cli_program_state look_in_path(const char *name)
{
    const char *search = getenv("PATH");
    enum cli_program_state state = CLI_PROGRAM_NOT_IN_PATH;

    if (!search)
        search = "/bin:/usr/bin";
    for (const char *at = search;; at++) {
        size_t len = strcspn(at, ":");
        enum cli_program_state here = look_in(len ? at : ".", len ? len : 1, name);

        if (here == CLI_PROGRAM_FOUND)
            return here;
        if (here == CLI_PROGRAM_FORBIDDEN)
            state = here;
        at += len;
        if (*at == '\0')
            return state;
    }
}

enum cli_program_state cli_program_look_up(const char *name)
{
    if (*name == '\0')
        return CLI_PROGRAM_MISSING;
    return strchr(name, '/') ? look_at(name) : look_in_path(name);
}
