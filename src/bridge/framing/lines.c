/*
 * lines.c - cuts text at newlines and frames each line.
 */
#include "bridge/framing/lines.h"
#include "bridge/framing/lines_ascii.h"

#include <stdlib.h>

/* Text that is not ASCII goes the general way in pieces of this length, so that looking for ASCII again costs next to nothing. */
#define GENERAL_MAX 4096

void dx_lines_release(struct dx_lines *lines)
{
    free(lines->carry);
    *lines = (struct dx_lines){0};
}

enum dx_err dx_frame_out(struct dx_endpoint *endpoint, enum dx_opcode opcode, const uint8_t *data,
                         size_t len, bool is_last, struct dx_framed *framed)
{
    size_t room = DX_FRAME_HEADER_MAX + (len <= DX_BLOCK_ROOM - DX_FRAME_HEADER_MAX ? len : 0);
    size_t header_len;
    uint8_t *at;
    enum dx_err err = dx_output_reserve(endpoint->output, room, &at);

    if (err == DX_OK)
        err = dx_endpoint_begin_frame(endpoint, opcode, len, is_last, at, &header_len);
    if (err != DX_OK)
        return err;
    framed->message_count += is_last;
    framed->payload_len += len;
    if (room > DX_FRAME_HEADER_MAX || len == 0) {
        if (len > 0)
            memcpy(at + header_len, data, len);
        dx_output_commit(endpoint->output, header_len + len);
        return DX_OK;
    }
    dx_output_commit(endpoint->output, header_len);
    return dx_output_append(endpoint->output, data, len);
}

static enum dx_err send_line(struct dx_lines *lines, struct dx_endpoint *endpoint,
                             const uint8_t *data, size_t len, bool is_last,
                             struct dx_framed *framed)
{
    enum dx_err err = dx_frame_out(endpoint, DX_OP_TEXT, data, len, is_last, framed);

    if (err == DX_OK)
        lines->is_in_message = !is_last;
    return err;
}

/* Keeps `len` bytes for the next call. The memory is given back as soon as nothing is kept: an idle program holds none. */
enum dx_err dx_lines_keep(struct dx_lines *lines, const uint8_t *data, size_t len)
{
    uint8_t *carry;

    if (len == 0) {
        free(lines->carry);
        lines->carry = NULL;
        lines->carry_len = 0;
        return DX_OK;
    }
    carry = realloc(lines->carry, len);
    if (!carry)
        return DX_ERR_NOMEM;
    memcpy(carry, data, len);
    lines->carry = carry;
    lines->carry_len = (uint16_t)len;
    return DX_OK;
}

/* What is left behind the last newline: kept, or sent on as a fragment when it is long or goes on with one. */
static enum dx_err handle_rest(struct dx_lines *lines, struct dx_endpoint *endpoint,
                               const uint8_t *data, size_t len, struct dx_framed *framed)
{
    size_t held_len = len > 0 && data[len - 1] == '\r' ? 1 : 0; /* it may belong to \r\n */
    enum dx_err err = DX_OK;

    if (!lines->is_in_message && len <= DX_LINES_CARRY_MAX)
        return dx_lines_keep(lines, data, len);
    if (len > held_len)
        err = send_line(lines, endpoint, data, len - held_len, false, framed);
    return err == DX_OK ? dx_lines_keep(lines, data + len - held_len, held_len) : err;
}

static enum dx_err send_lines(struct dx_lines *lines, struct dx_endpoint *endpoint,
                              const uint8_t *data, size_t len, struct dx_framed *framed)
{
    const uint8_t *end = data + len;
    const uint8_t *newline;

    while (data < end && (newline = memchr(data, '\n', (size_t)(end - data))) != NULL) {
        size_t line_len = (size_t)(newline - data);
        enum dx_err err;

        if (line_len > 0 && data[line_len - 1] == '\r')
            line_len--;
        err = send_line(lines, endpoint, data, line_len, true, framed);
        if (err != DX_OK)
            return err;
        data = newline + 1;
    }
    return handle_rest(lines, endpoint, data, (size_t)(end - data), framed);
}

/* The general way: any bytes, any endpoint. */
static enum dx_err feed_any(struct dx_lines *lines, struct dx_endpoint *endpoint,
                            enum dx_invalid_utf8 policy, uint8_t *data, size_t len,
                            struct dx_framed *framed)
{
    struct dx_text_piece piece;
    enum dx_err passed =
        dx_text_pass(&lines->text, policy, data, len, false, DX_LINES_CARRY_MAX, &piece);
    enum dx_err err = DX_OK;

    if (passed != DX_OK && passed != DX_ERR_UTF8)
        return passed;
    framed->replaced_count += piece.replaced_count;
    if (piece.len > 0) {
        uint8_t *begin = piece.data - lines->carry_len;

        if (lines->carry_len > 0)
            memcpy(begin, lines->carry, lines->carry_len);
        err = send_lines(lines, endpoint, begin, piece.len + lines->carry_len, framed);
    }
    free(piece.owned);
    return err == DX_OK ? passed : err;
}

/* Whether the next bytes begin a line whose frame dx_endpoint_begin_frame would allow. */
static bool may_pack(const struct dx_lines *lines, const struct dx_endpoint *endpoint)
{
    return !dx_lines_is_partial(lines) && endpoint->config->role == DX_ROLE_SERVER &&
           !dx_endpoint_is_sending(endpoint) && !dx_endpoint_close_is_sent(endpoint) &&
           !dx_endpoint_is_failed(endpoint);
}

/*
 * Frames usual lines, as many as come, and returns how many bytes they were. Memory that cannot be had is no error here: the
 * general way finds out whether it is needed.
 */
static size_t pack(struct dx_output *output, const uint8_t *data, size_t len,
                   struct dx_framed *framed)
{
    struct dx_packed packed = {.missing_room = DX_ASCII_LINE_ROOM(0)};
    size_t taken_len = 0;
    uint8_t *at;

    while (packed.missing_room > 0 &&
           dx_output_reserve(output, packed.missing_room, &at) == DX_OK) {
        packed =
            dx_lines_pack_ascii(data + taken_len, len - taken_len, at, dx_output_tail_room(output));
        dx_output_commit(output, packed.out_len);
        taken_len += packed.in_len;
        framed->message_count += packed.message_count;
        framed->payload_len += packed.payload_len;
    }
    return taken_len;
}

/* How much goes the general way before the short one is tried again: a begun line's end, else some whole lines. */
static size_t general_len(const struct dx_lines *lines, const uint8_t *data, size_t len)
{
    const uint8_t *newline;

    if (len <= GENERAL_MAX)
        return len;
    newline =
        dx_lines_is_partial(lines) ? memchr(data, '\n', len) : memrchr(data, '\n', GENERAL_MAX);
    return newline ? (size_t)(newline - data) + 1 : len;
}

enum dx_err dx_lines_feed(struct dx_lines *lines, struct dx_endpoint *endpoint,
                          enum dx_invalid_utf8 policy, uint8_t *data, size_t len,
                          struct dx_framed *framed)
{
    enum dx_err err = DX_OK;

    while (err == DX_OK && len > 0) {
        size_t part = may_pack(lines, endpoint) ? pack(endpoint->output, data, len, framed) : 0;

        data += part;
        len -= part;
        part = general_len(lines, data, len);
        if (part > 0)
            err = feed_any(lines, endpoint, policy, data, part, framed);
        data += part;
        len -= part;
    }
    return err;
}

bool dx_lines_is_partial(const struct dx_lines *lines)
{
    return lines->carry_len > 0 || lines->is_in_message || lines->text.repair.held_len > 0;
}

enum dx_err dx_lines_flush(struct dx_lines *lines, struct dx_endpoint *endpoint,
                           enum dx_invalid_utf8 policy, bool is_end, struct dx_framed *framed)
{
    uint8_t buffer[DX_LINES_ROOM + 1];
    struct dx_text_piece piece;
    enum dx_err err;

    if (is_end && lines->text.repair.held_len > 0) {
        err = dx_text_pass(&lines->text, policy, buffer + DX_LINES_ROOM, 0, true,
                           DX_LINES_CARRY_MAX, &piece);
        if (err != DX_OK)
            return err;
        framed->replaced_count += piece.replaced_count;
        if (lines->carry_len > 0)
            memcpy(piece.data - lines->carry_len, lines->carry, lines->carry_len);
        err = send_line(lines, endpoint, piece.data - lines->carry_len,
                        piece.len + lines->carry_len, true, framed);
        free(piece.owned);
    } else if (lines->carry_len > 0 || lines->is_in_message) {
        err = send_line(lines, endpoint, lines->carry, lines->carry_len, true, framed);
    } else {
        return DX_OK;
    }
    return err == DX_OK ? dx_lines_keep(lines, NULL, 0) : err;
}
