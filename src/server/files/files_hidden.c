/*
 * files_hidden.c - files of a directory that are never served. They are known by name, because a
 * program that is edited may get another inode. The name is enough: links are not followed, and
 * paths with dots are refused.
 */
#include "server/files/files_parts.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

/*
 * The part of `path` below the directory `root`; NULL: it is elsewhere. Both without links and
 * dots.
 */
static const char *name_beneath(const char *root, const char *path)
{
    size_t len = strlen(root);

    if (len == 1)
        return path + 1;
    return strncmp(path, root, len) == 0 && path[len] == '/' ? path + len + 1 : NULL;
}

enum dx_err dx_files_hide(struct dx_files *files, const char *directory, const char *const *paths)
{
    char root[PATH_MAX], path[PATH_MAX];

    if (paths == NULL)
        return DX_OK;
    if (realpath(directory, root) == NULL)
        return DX_ERR_NOT_FOUND;
    for (; *paths != NULL; paths++) {
        const char *name = realpath(*paths, path) != NULL ? name_beneath(root, path) : NULL;

        if (name != NULL) {
            enum dx_err err = dx_buf_append(&files->hidden, name, strlen(name) + 1);

            if (err != DX_OK)
                return err;
        }
    }
    return DX_OK;
}

bool dx_files_is_hidden(const struct dx_files *files, const char *name)
{
    const char *at = (const char *)files->hidden.data;

    for (const char *end = at + files->hidden.len; at < end; at += strlen(at) + 1)
        if (strcmp(at, name) == 0)
            return true;
    return false;
}
