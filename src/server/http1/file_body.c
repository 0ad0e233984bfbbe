/*
 * file_body.c - a file on its way out. Not responsible for which file, nor for what the head says.
 *
 * Measured over loopback (CPU of the sender, µs a file): up to 16 KiB one read and one sendmsg with the head cost 2 to 7, the head
 * alone and sendfile behind it 5 to 9; at 64 KiB it is 17 against 12, and 64 KiB a call is as good as any more. So the first bytes
 * are read and leave with the head, as one packet where they are all, and the kernel sends the rest from its cache. TLS must
 * have them in user space.
 */
#include "server/http1/file_body.h"

#include "server/http1/http_connection.h"
#include "server/core/log.h"
#include "server/admission/peer.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FIRST_LEN 16384
#define SLICES_MAX 8

struct dx_file_body {
    int fd;
    bool must_be_read; /* its file system knows no sendfile */
    uint64_t at;
    uint64_t left;
};

enum dx_err dx_file_body_new(int fd, uint64_t at, uint64_t len, struct dx_file_body **body)
{
    struct dx_file_body *made = malloc(sizeof(*made));

    if (made == NULL)
        return DX_ERR_NOMEM;
    *made = (struct dx_file_body){.fd = fd, .at = at, .left = len};
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

static size_t at_most(const struct dx_file_body *body, size_t room)
{
    return body->left < room ? (size_t)body->left : room;
}

/* Reads without going on. */
static enum dx_err read_next(const struct dx_file_body *body, void *bytes, size_t room, size_t *len)
{
    ssize_t got;

    do
        got = pread(body->fd, bytes, at_most(body, room), (off_t)body->at);
    while (got < 0 && errno == EINTR);
    if (got <= 0)
        return got == 0 ? DX_ERR_CLOSED : DX_ERR_SYSTEM;
    *len = (size_t)got;
    return DX_OK;
}

static void advance(struct dx_file_body *body, size_t len)
{
    body->at += len;
    body->left -= len;
}

/* The length is announced, so only the connection's end can tell: never padding, never a next answer. */
static void give_up(struct dx_http_connection *http)
{
    char peer[DX_PEER_TEXT_ROOM];
    struct dx_log_line line;

    dx_peer_text(&http->peer, peer);
    dx_log_line_init(&line);
    dx_log_line_text(&line, "peer", peer);
    dx_server_log(http->shard->server, DX_LOG_WARN, "a file could not be sent to its end", &line);
    dx_http_connection_close(http, true);
}

static bool is_sent(struct dx_http_connection *http)
{
    if (http->file->left > 0)
        return false;
    dx_file_body_free(http->file);
    http->file = NULL;
    return true;
}

/* One slice through the loop's read buffer. False: the connection is cut. */
static bool write_slice(struct dx_http_connection *http)
{
    uint8_t *buffer = dx_loop_read_buffer(http->shard->loop);
    struct dx_slice slice = {buffer, 0};
    size_t put;

    if (read_next(http->file, buffer, DX_READ_SIZE, &slice.len) != DX_OK) {
        give_up(http);
        return false;
    }
    if (!dx_http_send_put(http, &slice, 1, &put))
        return false;
    advance(http->file, put);
    http->moved_len += put;
    return true;
}

/* One slice from the kernel's cache. False: the connection is cut. */
static bool send_slice(struct dx_http_connection *http)
{
    struct dx_file_body *body = http->file;
    size_t put = 0;

    switch (
        dx_stream_send_file(&http->stream, body->fd, body->at, at_most(body, DX_READ_SIZE), &put)) {
    case DX_OK:
        advance(body, put);
        http->moved_len += put;
        http->turn_len += put;
        return true;
    case DX_ERR_AGAIN:
        return true;
    case DX_ERR_STATE:
        body->must_be_read = true;
        return true;
    case DX_ERR_CLOSED:
    case DX_ERR_SYSTEM:
        give_up(http);
        return false;
    default:
        dx_http_connection_close(http, true);
        return false;
    }
}

static bool must_be_read(const struct dx_http_connection *http)
{
    return http->stream.tls != NULL || http->file->must_be_read;
}

bool dx_file_body_go_on(struct dx_http_connection *http)
{
    if (!(must_be_read(http) ? write_slice(http) : send_slice(http)))
        return false;
    if (is_sent(http))
        return true;
    dx_http_send_wait(http);
    return false;
}

/* Sends slices; what the peer does not take of them is kept. False: the connection is cut. */
static bool send_slices(struct dx_http_connection *http, const struct dx_slice *slices,
                        size_t count)
{
    size_t put = 0;

    if (http->output.len == 0 && /* else a 100 waits */
        !dx_http_send_put(http, slices, count, &put))
        return false;
    if (dx_http_send_keep(http, slices, count, put) == DX_OK)
        return true;
    dx_http_connection_close(http, true); /* part of an answer may be out: no other can follow */
    return false;
}

/* Head and first bytes in one call. False: the connection is cut. */
static bool send_first(struct dx_http_connection *http, const struct dx_slice *slices, size_t count)
{
    struct dx_slice all[SLICES_MAX];
    uint8_t bytes[FIRST_LEN];

    memcpy(all, slices, count * sizeof(*slices));
    all[count] = (struct dx_slice){bytes, 0};
    if (read_next(http->file, bytes, sizeof(bytes), &all[count].len) != DX_OK) {
        give_up(http);
        return false;
    }
    advance(http->file, all[count].len);
    http->turn_len += all[count].len;
    return send_slices(http, all, count + 1);
}

void dx_file_body_begin(struct dx_http_connection *http, const struct dx_slice *slices,
                        size_t count)
{
    /* A peer that asks for many files at once gets no more of this turn than another. */
    bool may_begin = http->turn_len < DX_READ_SIZE;

    if (!(may_begin ? send_first : send_slices)(http, slices, count))
        return;
    /* What TLS sends goes through the read buffer, where more requests may still lie: in a later turn. */
    if (http->output.len == 0 && http->file->left > 0 && http->turn_len < DX_READ_SIZE &&
        !must_be_read(http) && !send_slice(http))
        return;
    if (is_sent(http) && http->output.len == 0) {
        dx_http_connection_on_sent(http);
        return;
    }
    dx_http_send_set_deadline(http);
    dx_http_send_wait(http);
}
