/*
 * files_find.c - which file a path names, in which coding, and its validators. Not responsible for
 * opening a file safely (net/socket/file.h).
 */
#include "server/files/files_parts.h"

#include "base/base64.h"
#include "base/sha1.h"
#include "http/accept.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define CODING_ROOM 4 /* ".br" */
#define TAG_LEN 12    /* bytes of a tag's digest */

/*
 * When an inode has not changed for so many seconds, the next change gets another time: every clock
 * that stamps files is finer than this, including FAT's.
 */
#define SETTLED_S 2

/* ---- names ---- */

/*
 * Whether each segment may be served: no dotfile, no backslash, and only the last one may be empty.
 */
static bool is_servable(const char *path)
{
    for (const char *segment = path; *segment != '\0';) {
        size_t len = strcspn(segment, "/");

        if (len == 0 || segment[0] == '.' || memchr(segment, '\\', len) != NULL)
            return false;
        segment += len + (segment[len] == '/');
    }
    return true;
}

/* Opens `path` as a file, or as the index of a directory; `name` is what was opened. */
static enum dx_err open_plain(const struct dx_files *files, const char *path,
                              char name[DX_FILES_PATH_ROOM], struct dx_found_file *found)
{
    size_t len = strlen(path);
    bool has_slash = len == 0 || path[len - 1] == '/';
    size_t index_len = files->index != NULL ? strlen(files->index) : 0;
    enum dx_err err = DX_ERR_NOT_FOUND;

    if (!is_servable(path) || len + 1 + index_len + CODING_ROOM > DX_FILES_PATH_ROOM)
        return DX_ERR_NOT_FOUND;
    memcpy(name, path, len + 1);
    found->name = path;
    if (dx_files_is_hidden(files, name))
        return DX_ERR_NOT_FOUND;
    if (!has_slash)
        err = dx_file_open(files->directory_fd, name, &found->file);
    if (err != DX_ERR_NOT_FOUND || files->index == NULL)
        return err;
    if (!has_slash)
        name[len++] = '/';
    memcpy(name + len, files->index, index_len + 1);
    found->name = files->index;
    found->lacks_slash = !has_slash;
    if (dx_files_is_hidden(files, name))
        return DX_ERR_NOT_FOUND;
    return dx_file_open(files->directory_fd, name, &found->file);
}

/* ---- codings ---- */

static bool is_older(const struct timespec *one, const struct timespec *other)
{
    return one->tv_sec != other->tv_sec ? one->tv_sec < other->tv_sec
                                        : one->tv_nsec < other->tv_nsec;
}

/* Takes the coded file beside it instead, if there is one that is not older. */
static bool take_coded(const struct dx_files *files, char *name, const char *suffix,
                       const char *coding, struct dx_found_file *found)
{
    size_t len = strlen(name);
    struct dx_file coded;
    enum dx_err err;

    memcpy(name + len, suffix, CODING_ROOM);
    err = dx_files_is_hidden(files, name) ? DX_ERR_NOT_FOUND
                                          : dx_file_open(files->directory_fd, name, &coded);
    name[len] = '\0';
    if (err != DX_OK)
        return false;
    if (is_older(&coded.modified, &found->file.modified)) {
        (void)close(coded.fd);
        return false;
    }
    (void)close(found->file.fd);
    found->file = coded;
    found->coding = coding;
    return true;
}

static void choose_coding(const struct dx_files *files, char *name, const struct dx_head *head,
                          struct dx_found_file *found)
{
    struct dx_codings codings;
    bool wants_br, wants_gzip;

    dx_codings_read(head, &codings);
    wants_br = dx_codings_prefer(&codings, codings.br);
    wants_gzip = dx_codings_prefer(&codings, codings.gzip);
    if (wants_gzip && codings.gzip > codings.br && take_coded(files, name, ".gz", "gzip", found))
        return;
    if (wants_br && take_coded(files, name, ".br", "br", found))
        return;
    if (wants_gzip && codings.gzip <= codings.br && take_coded(files, name, ".gz", "gzip", found))
        return;
    found->is_acceptable = !codings.refuses_identity;
}

enum dx_err dx_files_find(const struct dx_files *files, const char *path,
                          const struct dx_head *head, struct dx_found_file *found)
{
    char name[DX_FILES_PATH_ROOM];
    enum dx_err err;

    *found = (struct dx_found_file){.is_acceptable = true};
    err = open_plain(files, path, name, found);
    if (err == DX_OK && files->is_precompressed && !found->lacks_slash)
        choose_coding(files, name, head, found);
    return err;
}

/* ---- validators ---- */

/*
 * The tag is made of the inode, its length and both its times. The time of modification alone is
 * not enough: archives and copies set it, often to the same for all files and versions. It is a
 * digest, so that clients do not learn inode numbers.
 */
static void write_tag(const struct dx_found_file *found, char *text)
{
    const struct dx_file *file = &found->file;
    const uint64_t state[] = {
        file->device,
        file->inode,
        file->len,
        (uint64_t)file->modified.tv_sec,
        (uint64_t)file->modified.tv_nsec,
        (uint64_t)file->changed.tv_sec,
        (uint64_t)file->changed.tv_nsec,
        found->coding != NULL ? (uint64_t)found->coding[0] : 0,
    };
    uint8_t digest[DX_SHA1_LEN];
    struct dx_sha1 sha1;

    dx_sha1_init(&sha1);
    dx_sha1_update(&sha1, state, sizeof(state));
    dx_sha1_final(&sha1, digest);
    dx_base64_encode(digest, TAG_LEN, text);
    text[DX_BASE64_LEN(TAG_LEN)] = '\0';
}

/*
 * A strong tag must never have stood for other bytes (RFC 9110 section 8.8.1). Within the
 * granularity of the clock a file may change twice and look the same, so the tag is weak until that
 * time is over. The tag itself stays the same, and matches in If-None-Match.
 */
void dx_files_validate(const struct dx_found_file *found, int64_t now_s,
                       char etag[DX_FILES_ETAG_ROOM], struct dx_validators *validators)
{
    int64_t modified_s = found->file.modified.tv_sec;
    bool is_settled = found->file.changed.tv_sec < now_s - SETTLED_S;
    char tag[DX_BASE64_LEN(TAG_LEN) + 1];

    write_tag(found, tag);
    (void)snprintf(etag, DX_FILES_ETAG_ROOM, "%s\"%s\"", is_settled ? "" : "W/", tag);
    *validators = (struct dx_validators){
        .etag = etag,
        /* Never later than now (RFC 9110 section 8.8.2.1). */
        .modified_s = modified_s < now_s ? modified_s : now_s,
        .is_date_strong = is_settled && modified_s < now_s - SETTLED_S,
    };
}
