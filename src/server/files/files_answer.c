/*
 * files_answer.c - the answer to a request for a file: 200, 206, 304, or an error. Not responsible
 * for which file it is (files_find.c), nor for how it is sent (the transport).
 */
#include "server/files/files_parts.h"

#include "http/date.h"
#include "http/mime.h"
#include "http/range.h"
#include "server/exchange/request.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define OWN_LINES_ROOM 320 /* Last-Modified, ETag, Accept-Ranges, Content-Range, Content-Encoding */
#define LINES_ROOM (OWN_LINES_ROOM + DX_FILES_LINES_MAX + 64)
#define LOCATION_ROOM 8448 /* a path and query of a request line, and the header's name */

/* An answer with a file. */
struct answer {
    unsigned status;
    uint64_t at;
    uint64_t len;
    int fd; /* -1: nothing of it is sent */
    const char *content_type;
    const char *lines; /* of headers; or NULL */
};

/* ---- answers without a file ---- */

/* An ordinary outcome, which is logged as information, not as a warning. */
static void decline(struct dx_request *request, uint16_t status, const char *text,
                    const struct dx_header *header)
{
    dx_request_log(request, DX_LOG_INFO, "refused", status, text);
    dx_request_respond(request, status, "text/plain; charset=utf-8", header, header != NULL, text,
                       strlen(text));
}

/* Relative links of a page need the slash. The query is kept. */
static void redirect(struct dx_request *request)
{
    const struct dx_target *target = &request->target;
    char location[LOCATION_ROOM];
    const struct dx_header header = {"Location", location};
    int len =
        snprintf(location, sizeof(location), "%.*s/%s%.*s", (int)target->path.len,
                 (const char *)target->path.data, target->has_query ? "?" : "",
                 (int)target->query.len, target->has_query ? (const char *)target->query.data : "");

    if (len >= (int)sizeof(location))
        dx_request_refuse(request, 404, "there is no such file", NULL, 0);
    else
        dx_request_respond(request, 301, "text/plain; charset=utf-8", &header, 1, "moved\n", 6);
}

/* ---- answers with a file ---- */

/* Takes over the file: sends it or closes it. */
static void answer_with(struct dx_request *request, const struct answer *answer)
{
    struct dx_exchange *exchange = request->exchange;
    struct dx_reply reply = {.status = answer->status,
                             .content_type = answer->content_type,
                             .added = dx_slice_of(answer->lines != NULL ? answer->lines : ""),
                             .len = answer->len,
                             .is_head = dx_request_is_head(request),
                             .keeps_alive = request->keeps_alive};

    if (answer->fd >= 0 && (reply.is_head || answer->len == 0)) {
        (void)close(answer->fd);
    } else if (answer->fd >= 0 &&
               dx_file_body_new(answer->fd, answer->at, answer->len, &reply.file) != DX_OK) {
        (void)close(answer->fd);
        dx_request_refuse(request, 503, "the server is short of memory", &dx_reply_retry, 1);
        return;
    }
    exchange->request = NULL;
    dx_exchange_answer(exchange, &reply);
    dx_request_free(request);
}

/*
 * The site's own page for missing files. It does not represent what was requested: it has no
 * validators and no ranges.
 */
static bool answer_own_page(const struct dx_files *files, struct dx_request *request)
{
    char lines[LINES_ROOM];
    struct answer answer = {.status = 404, .lines = lines};
    struct dx_file file;

    if (files->not_found == NULL ||
        dx_file_open(files->directory_fd, files->not_found, &file) != DX_OK)
        return false;
    answer.fd = file.fd;
    answer.len = file.len;
    answer.content_type = dx_mime_type(files->not_found);
    (void)snprintf(lines, sizeof(lines), "Cache-Control: no-cache\r\n%s", files->headers);
    dx_request_log(request, DX_LOG_INFO, "refused", 404, "there is no such file");
    answer_with(request, &answer);
    return true;
}

static void refuse(const struct dx_files *files, struct dx_request *request, enum dx_err err)
{
    if (err != DX_ERR_NOT_FOUND && err != DX_ERR_ACCESS)
        dx_request_refuse(request, 503, dx_err_text(err), &dx_reply_retry, 1);
    else if (!answer_own_page(files, request))
        dx_request_refuse(request, 404, "there is no such file", NULL, 0);
}

static void write_lines(const struct dx_files *files, const struct dx_validators *validators,
                        char lines[LINES_ROOM])
{
    char date[DX_DATE_LEN + 1];

    dx_date_write(validators->modified_s, date);
    (void)snprintf(lines, LINES_ROOM, "Last-Modified: %s\r\nETag: %s\r\n%s", date, validators->etag,
                   files->lines);
}

static void add_line(char lines[LINES_ROOM], const char *line)
{
    size_t len = strlen(lines);

    (void)snprintf(lines + len, LINES_ROOM - len, "%s", line);
}

/* Applies the Range, if there is a valid one. Only GET has ranges (RFC 9110 section 14.2). */
static void choose_part(struct dx_request *request, const struct dx_validators *validators,
                        int64_t now_s, uint64_t len, struct answer *answer)
{
    uint64_t at, count;

    if (dx_head_count(&request->head, "Range") == 0 || dx_request_is_head(request) ||
        !dx_condition_if_range(&request->head, validators, now_s))
        return;
    switch (dx_range_read(&request->head, len, &at, &count)) {
    case DX_RANGE_PART:
        answer->status = 206;
        answer->at = at;
        answer->len = count;
        break;
    case DX_RANGE_UNSATISFIABLE:
        answer->status = 416;
        break;
    case DX_RANGE_WHOLE:
        break;
    }
}

static void answer_unsatisfiable(struct dx_request *request, const struct dx_found_file *found)
{
    char range[64];
    const struct dx_header header = {"Content-Range", range};

    (void)close(found->file.fd);
    (void)snprintf(range, sizeof(range), "bytes */%" PRIu64, found->file.len);
    decline(request, 416, "the file has no such range\n", &header);
}

/* 200 or 206. */
static void answer_found(struct dx_request *request, const struct dx_found_file *found,
                         const struct answer *answer, char lines[LINES_ROOM])
{
    char line[96];

    add_line(lines, "Accept-Ranges: bytes\r\n");
    if (found->coding != NULL) {
        (void)snprintf(line, sizeof(line), "Content-Encoding: %s\r\n", found->coding);
        add_line(lines, line);
    }
    if (answer->status == 206) {
        (void)snprintf(line, sizeof(line),
                       "Content-Range: bytes %" PRIu64 "-%" PRIu64 "/%" PRIu64 "\r\n", answer->at,
                       answer->at + answer->len - 1, found->file.len);
        add_line(lines, line);
    }
    answer_with(request, answer);
}

static void answer_file(const struct dx_files *files, struct dx_request *request,
                        const struct dx_found_file *found)
{
    char etag[DX_FILES_ETAG_ROOM], lines[LINES_ROOM];
    struct answer answer = {.status = 200,
                            .len = found->file.len,
                            .fd = found->file.fd,
                            .content_type = dx_mime_type(found->name),
                            .lines = lines};
    struct dx_validators validators;
    struct timespec now;

    (void)clock_gettime(CLOCK_REALTIME, &now);
    dx_files_validate(found, now.tv_sec, etag, &validators);
    write_lines(files, &validators, lines);
    switch (dx_condition_judge(&request->head, &validators, now.tv_sec)) {
    case DX_CONDITION_FAILED:
        (void)close(found->file.fd);
        decline(request, 412, "the file is not in the state that was asked for\n", NULL);
        return;
    case DX_CONDITION_NOT_MODIFIED:
        (void)close(found->file.fd);
        answer_with(request, &(struct answer){.status = 304, .fd = -1, .lines = lines});
        return;
    case DX_CONDITION_HOLDS:
        break;
    }
    choose_part(request, &validators, now.tv_sec, found->file.len, &answer);
    if (answer.status == 416)
        answer_unsatisfiable(request, found);
    else
        answer_found(request, found, &answer, lines);
}

void dx_files_answer(struct dx_request *request, void *data)
{
    static const struct dx_header vary = {"Vary", "Accept-Encoding"};
    const struct dx_files *files = data;
    size_t route_len = dx_request_route_len(request);
    const char *path = request->path + (route_len > 1 ? route_len : 0);
    bool lacks_slash = *path == '\0'; /* the route's path, without a slash */
    struct dx_found_file found;
    enum dx_err err;

    err = dx_files_find(files, path + (*path == '/'), &request->head, &found);
    if (err != DX_OK) {
        refuse(files, request, err);
    } else if (lacks_slash || found.lacks_slash) {
        (void)close(found.file.fd);
        redirect(request);
    } else if (!found.is_acceptable) {
        (void)close(found.file.fd);
        decline(request, 406, "the file is not there in a coding that is accepted\n", &vary);
    } else {
        answer_file(files, request, &found);
    }
}
