/*
 * files.c - static files. Not responsible for how a file is found safely: that is net/file.h; nor for how it leaves:
 * http_send.c. No listings, no ranges.
 */
#include "server/files.h"

#include "http/date.h"
#include "http/list.h"
#include "http/mime.h"
#include "net/file.h"
#include "server/reply.h"
#include "server/request.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define INDEX_NAME "index.html"
#define ETAG_ROOM 48
#define PATH_ROOM 4096 /* a longer name is none (PATH_MAX) */

struct dx_files {
    int directory_fd;
};

struct dx_file_body {
    int fd;
    uint64_t at;
    uint64_t left;
};

/* ---- the directory ---- */

enum dx_err dx_files_new(const char *directory, struct dx_files **files)
{
    struct dx_files *made = malloc(sizeof(*made));
    enum dx_err err;

    if (made == NULL)
        return DX_ERR_NOMEM;
    err = dx_directory_open(directory, &made->directory_fd);
    if (err != DX_OK) {
        free(made);
        return err;
    }
    *files = made;
    return DX_OK;
}

void dx_files_free(struct dx_files *files)
{
    if (files == NULL)
        return;
    (void)close(files->directory_fd);
    free(files);
}

/* ---- a file on its way ---- */

enum dx_err dx_file_body_new(int fd, uint64_t len, struct dx_file_body **body)
{
    struct dx_file_body *made = malloc(sizeof(*made));

    if (made == NULL)
        return DX_ERR_NOMEM;
    *made = (struct dx_file_body){fd, 0, len};
    *body = made;
    return DX_OK;
}

void dx_file_body_free(struct dx_file_body *body)
{
    if (body == NULL)
        return;
    (void)close(body->fd);
    free(body);
}

enum dx_err dx_file_body_read(const struct dx_file_body *body, void *bytes, size_t room,
                              size_t *len)
{
    size_t wanted = body->left < room ? (size_t)body->left : room;
    ssize_t got;

    do
        got = pread(body->fd, bytes, wanted, (off_t)body->at);
    while (got < 0 && errno == EINTR);
    if (got <= 0)
        return got == 0 ? DX_ERR_CLOSED : DX_ERR_SYSTEM;
    *len = (size_t)got;
    return DX_OK;
}

void dx_file_body_advance(struct dx_file_body *body, size_t len)
{
    body->at += len;
    body->left -= len;
}

uint64_t dx_file_body_left(const struct dx_file_body *body)
{
    return body->left;
}

/* ---- which file ---- */

/* Whether each segment is a name that may be served: not empty (but the last), not hidden, no backslash in it. */
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

/* Opens `path` as a file, or as a directory's index; `*is_directory` says that it was the latter without its slash. */
static enum dx_err open_file(const struct dx_files *files, const char *path, struct dx_file *file,
                             bool *is_directory)
{
    size_t len = strlen(path);
    bool has_slash = len == 0 || path[len - 1] == '/';
    char name[PATH_ROOM];
    enum dx_err err = DX_ERR_NOT_FOUND;

    *is_directory = false;
    if (!is_servable(path) || len + sizeof("/" INDEX_NAME) > sizeof(name))
        return DX_ERR_NOT_FOUND;
    if (!has_slash)
        err = dx_file_open(files->directory_fd, path, file);
    if (err != DX_ERR_NOT_FOUND)
        return err;
    (void)snprintf(name, sizeof(name), "%s%s" INDEX_NAME, path, has_slash ? "" : "/");
    err = dx_file_open(files->directory_fd, name, file);
    *is_directory = err == DX_OK && !has_slash;
    return err;
}

/* ---- whether the peer has it already ---- */

static bool lists_etag(const struct dx_head *head, const char *etag)
{
    struct dx_slice member;
    struct dx_list list;

    dx_list_init(&list, head, "If-None-Match");
    while (dx_list_next(&list, &member) == DX_LIST_MEMBER)
        if (dx_slice_is(member, "*") || dx_slice_is(member, etag) ||
            dx_slice_is(member, etag + strlen("W/")))
            return true;
    return false;
}

static bool is_unchanged(const struct dx_head *head, const struct dx_file *file, const char *etag)
{
    struct dx_slice since;
    struct timespec now;
    int64_t since_s;

    if (dx_head_count(head, "If-None-Match") > 0)
        return lists_etag(head, etag);
    if (!dx_head_find(head, "If-Modified-Since", &since))
        return false;
    (void)clock_gettime(CLOCK_REALTIME, &now);
    return dx_date_read(since, now.tv_sec, &since_s) == DX_OK && file->modified_s <= since_s;
}

/* ---- answers ---- */

static void refuse(struct dx_request *request, enum dx_err err)
{
    if (err == DX_ERR_NOT_FOUND || err == DX_ERR_ACCESS)
        dx_request_refuse(request, 404, "there is no such file", NULL);
    else
        dx_request_refuse(request, 503, dx_err_text(err), "Retry-After: 1\r\n");
}

/* A page's relative links need the slash. */
static void redirect(struct dx_request *request)
{
    struct dx_slice path = request->target.path;
    char headers[PATH_ROOM + 32];
    int len = snprintf(headers, sizeof(headers), "Location: %.*s/\r\n", (int)path.len,
                       (const char *)path.data);

    if (len >= (int)sizeof(headers))
        refuse(request, DX_ERR_NOT_FOUND);
    else
        dx_request_respond(request, 301, "text/plain; charset=utf-8", headers, "moved\n", 6);
}

static void send_file(struct dx_request *request, const char *name, struct dx_file *file)
{
    char date[DX_DATE_LEN + 1], etag[ETAG_ROOM], headers[160];
    struct dx_http_connection *http = request->http;
    struct dx_reply reply = {.status = 200,
                             .content_type = dx_mime_type(name),
                             .headers = headers,
                             .len = file->len,
                             .is_head = dx_request_is_head(request),
                             .keeps_alive = request->keeps_alive};

    dx_date_write(file->modified_s, date);
    (void)snprintf(etag, sizeof(etag), "W/\"%" PRIx64 "-%" PRIx64 "\"", (uint64_t)file->modified_s,
                   file->len);
    (void)snprintf(headers, sizeof(headers),
                   "Last-Modified: %s\r\nETag: %s\r\nCache-Control: no-cache\r\n", date, etag);
    if (is_unchanged(&request->head, file, etag))
        reply = (struct dx_reply){
            .status = 304, .headers = headers, .keeps_alive = request->keeps_alive};
    if (reply.status == 304 || reply.is_head || file->len == 0) {
        (void)close(file->fd);
    } else if (dx_file_body_new(file->fd, file->len, &reply.file) != DX_OK) {
        (void)close(file->fd);
        refuse(request, DX_ERR_NOMEM);
        return;
    }
    http->request = NULL;
    dx_reply_send(http, &reply);
    dx_request_free(request);
}

void dx_files_answer(const struct dx_files *files, struct dx_request *request)
{
    const char *method = dx_request_method(request);
    const char *path = request->path + request->route->path_len;
    struct dx_file file;
    bool is_directory;
    enum dx_err err;

    if (strcmp(method, "GET") != 0 && strcmp(method, "HEAD") != 0) {
        dx_request_refuse(request, 405, "files are read with GET and HEAD", "Allow: GET, HEAD\r\n");
        return;
    }
    if (*path == '/')
        path++;
    err = open_file(files, path, &file, &is_directory);
    if (err != DX_OK) {
        refuse(request, err);
    } else if (is_directory || request->path_len == request->route->path_len) {
        bool is_named = is_directory || request->route->path_len > 1;

        if (!is_named) {
            send_file(request, INDEX_NAME, &file);
            return;
        }
        (void)close(file.fd);
        redirect(request);
    } else {
        send_file(request, *path == '\0' || path[strlen(path) - 1] == '/' ? INDEX_NAME : path,
                  &file);
    }
}
