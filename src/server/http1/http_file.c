/*
 * http_file.c - a file on its way out. Not responsible for which file, nor for what the head says.
 *
 * Measured over loopback (CPU of the sender, µs a file): up to 16 KiB one read and one sendmsg with
 * the head cost 2 to 7, the head alone and then sendfile 5 to 9; at 64 KiB it is 17 against 12, and
 * 64 KiB a call is as good as any more. So the first bytes are read and leave with the head, as one
 * packet where they are all, and the kernel sends the rest from its cache. TLS needs them in user
 * space.
 */
#include "server/core/log.h"
#include "server/http1/http_connection.h"

#include <string.h>

#define FIRST_LEN 16384
#define SLICES_MAX 8

/*
 * The length is announced, so only the connection's end can show the failure: no padding, no other
 * answer.
 */
static void give_up(struct dx_http_connection *http)
{
    struct dx_log_line line;

    dx_log_line_init(&line);
    dx_log_line_peer(&line, &http->transport.peer);
    dx_server_log(http->transport.shard->server, DX_LOG_WARN, "a file could not be sent to its end",
                  &line);
    dx_http_connection_close(http, true);
}

static bool free_when_sent(struct dx_http_connection *http)
{
    if (http->file->left > 0)
        return false;
    dx_file_body_free(http->file);
    http->file = NULL;
    return true;
}

/* One slice through the loop's read buffer. False: the connection is closed. */
static bool write_slice(struct dx_http_connection *http)
{
    uint8_t *buffer = dx_loop_read_buffer(dx_http_connection_loop(http));
    struct dx_slice slice = {buffer, 0};
    size_t put;

    if (dx_file_body_read(http->file, buffer, DX_READ_SIZE, &slice.len) != DX_OK) {
        give_up(http);
        return false;
    }
    if (!dx_http_write(http, &slice, 1, &put))
        return false;
    dx_file_body_advance(http->file, put);
    http->moved_len += put;
    return true;
}

/* One slice from the kernel's cache. False: the connection is closed. */
static bool send_slice(struct dx_http_connection *http)
{
    struct dx_file_body *body = http->file;
    size_t len = dx_file_body_at_most(body, DX_READ_SIZE);
    size_t put = 0;

    switch (dx_stream_send_file(&http->transport.stream, body->fd, body->at, len, &put)) {
    case DX_OK:
        dx_file_body_advance(body, put);
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
    return http->transport.stream.tls != NULL || http->file->must_be_read;
}

bool dx_http_file_continue(struct dx_http_connection *http)
{
    if (!(must_be_read(http) ? write_slice(http) : send_slice(http)))
        return false;
    if (free_when_sent(http))
        return true;
    dx_http_write_wait(http);
    return false;
}

/* Head and first bytes in one call. False: the connection is closed. */
static bool write_first(struct dx_http_connection *http, const struct dx_slice *slices,
                        size_t count)
{
    struct dx_slice all[SLICES_MAX];
    uint8_t bytes[FIRST_LEN];

    memcpy(all, slices, count * sizeof(*slices));
    all[count] = (struct dx_slice){bytes, 0};
    if (dx_file_body_read(http->file, bytes, sizeof(bytes), &all[count].len) != DX_OK) {
        give_up(http);
        return false;
    }
    dx_file_body_advance(http->file, all[count].len);
    http->turn_len += all[count].len;
    return dx_http_write_or_keep(http, all, count + 1);
}

bool dx_http_file_begin(struct dx_http_connection *http, const struct dx_slice *slices,
                        size_t count)
{
    const struct dx_output *output = &http->exchange.output;
    /* A peer that asks for many files at once gets no more of this turn than another. */
    bool may_begin = http->turn_len < DX_READ_SIZE;

    if (!(may_begin ? write_first : dx_http_write_or_keep)(http, slices, count))
        return false;
    /*
     * What TLS sends goes through the read buffer, where more requests may still lie: in a later
     * turn.
     */
    if (output->len == 0 && http->file->left > 0 && http->turn_len < DX_READ_SIZE &&
        !must_be_read(http) && !send_slice(http))
        return false;
    (void)free_when_sent(http);
    return true;
}
