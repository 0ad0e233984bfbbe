/*
 * spawner_path.c - finds executables: the spawner's own, and those of programs.
 */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bridge/spawner/spawner_internal.h"

#define SPAWNER_NAME "duplex-spawner"

/* As execvp without PATH. */
#define DEFAULT_PATH_LIST "/bin:/usr/bin"

char *dx_spawner_locate(const char *path)
{
    /*
     * In the folder of the running program, as in the build; where it was installed, even if moved.
     */
    static const char *const places[] = {"/" SPAWNER_NAME, "/../libexec/duplex/" SPAWNER_NAME};
    char own[PATH_MAX];
    char there[PATH_MAX + 64];
    ssize_t len;

    if (path)
        return strdup(path);
    len = readlink("/proc/self/exe", own, sizeof(own) - 1);
    own[len > 0 ? len : 0] = '\0';
    for (size_t i = 0; len > 0 && i < sizeof(places) / sizeof(places[0]); i++) {
        const char *slash = strrchr(own, '/');
        int directory_len = slash ? (int)(slash - own) : 0;

        snprintf(there, sizeof(there), "%.*s%s", directory_len, own, places[i]);
        if (slash && access(there, X_OK) == 0)
            return strdup(there);
    }
    return strdup(DX_SPAWNER_INSTALLED);
}

static enum dx_err check(const char *path)
{
    struct stat status;

    if (stat(path, &status) < 0)
        return errno == EACCES ? DX_ERR_ACCESS : DX_ERR_NOT_FOUND;
    if (!S_ISREG(status.st_mode) || access(path, X_OK) < 0)
        return DX_ERR_ACCESS;
    return DX_OK;
}

/*
 * Writes directory/name and checks that it can be run. A relative directory is relative to the
 * current one.
 */
static enum dx_err try_in(const char *directory, size_t directory_len, const char *name, char *out,
                          size_t out_len)
{
    char current[PATH_MAX] = "";
    const char *separator = "/";
    int len;

    if (directory_len == 0 || directory[0] != '/') {
        if (!getcwd(current, sizeof(current)))
            return DX_ERR_SYSTEM;
        if (directory_len == 0)
            separator = "";
    }
    len = snprintf(out, out_len, "%s%s%.*s/%s", current, current[0] ? separator : "",
                   (int)directory_len, directory, name);
    if (len < 0 || (size_t)len >= out_len)
        return DX_ERR_TOO_BIG;
    return check(out);
}

static enum dx_err find_absolute(const char *name, char *out, size_t out_len)
{
    if (strlen(name) >= out_len)
        return DX_ERR_TOO_BIG;
    memcpy(out, name, strlen(name) + 1);
    return check(out);
}

enum dx_err dx_program_find(const char *name, const char *path_list, char *out, size_t out_len)
{
    const char *at = path_list ? path_list : DEFAULT_PATH_LIST;
    enum dx_err result = DX_ERR_NOT_FOUND;

    if (name[0] == '\0')
        return DX_ERR_NOT_FOUND;
    if (name[0] == '/')
        return find_absolute(name, out, out_len);
    if (strchr(name, '/'))
        return try_in("", 0, name, out, out_len);
    for (;;) {
        const size_t len = strcspn(at, ":");
        const enum dx_err err = try_in(at, len, name, out, out_len);

        if (err == DX_OK || err == DX_ERR_TOO_BIG || err == DX_ERR_SYSTEM)
            return err;
        if (err == DX_ERR_ACCESS)
            result = err;
        if (at[len] == '\0')
            return result;
        at += len + 1;
    }
}
