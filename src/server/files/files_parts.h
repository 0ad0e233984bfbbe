/*
 * files_parts.h - what the files files*.c share.
 */
#ifndef DX_SERVER_FILES_PARTS_H
#define DX_SERVER_FILES_PARTS_H

#include "base/buf.h"
#include "http/conditional.h"
#include "net/socket/file.h"
#include "server/files/files.h"

#define DX_FILES_LINES_MAX 4096   /* the options' Cache-Control and headers together */
#define DX_FILES_HIDDEN_MAX 65536 /* bytes of hidden names */
#define DX_FILES_PATH_ROOM 4096   /* PATH_MAX: longer names cannot exist */
#define DX_FILES_ETAG_ROOM 32

struct dx_files {
    int directory_fd;
    bool is_precompressed;
    const char *index;     /* NULL: directories are 404 */
    const char *not_found; /* NULL: none */
    const char *headers;   /* the option's lines, or "" */
    struct dx_buf hidden;  /* names in the directory, each with its NUL */
    const char *lines;     /* of each answer with a file: Cache-Control, Vary, the option's */
    char text[];           /* all of these strings */
};

/* A file that was requested. */
struct dx_found_file {
    struct dx_file file; /* the caller closes it */
    const char *name;    /* its extension gives its type */
    const char *coding;  /* NULL: the bytes as they are */
    bool is_acceptable;  /* false: the peer refuses the only coding there is */
    bool lacks_slash;    /* a directory's index, requested without the slash */
};

/**
 * Finds the file for `path`, relative and decoded, in the coding that the request prefers.
 *
 * Returns DX_OK, or:
 *   DX_ERR_NOT_FOUND, DX_ERR_ACCESS   there is no file to serve
 *   DX_ERR_AGAIN, DX_ERR_DESCRIPTORS, DX_ERR_NOMEM, DX_ERR_SYSTEM
 */
DX_MUST_CHECK enum dx_err dx_files_find(const struct dx_files *files, const char *path,
                                        const struct dx_head *head, struct dx_found_file *found);

/**
 * Hides those of `paths` (ends with NULL; or NULL) that are beneath the directory, by their names
 * there.
 *
 * Returns DX_OK, or:
 *   DX_ERR_TOO_BIG     the names have more than DX_FILES_HIDDEN_MAX bytes
 *   DX_ERR_NOT_FOUND   the directory has been removed
 *   DX_ERR_NOMEM
 */
DX_MUST_CHECK enum dx_err dx_files_hide(struct dx_files *files, const char *directory,
                                        const char *const *paths);

/** Whether the file of that name is hidden. */
bool dx_files_is_hidden(const struct dx_files *files, const char *name);

/** The validators of this state of the file, in this coding; the tag is written to `etag`. */
void dx_files_validate(const struct dx_found_file *found, int64_t now_s,
                       char etag[DX_FILES_ETAG_ROOM], struct dx_validators *validators);

#endif
