/*
 * lines.c - each line is a text message, without its \n or \r\n.
 *
 * A whole line is copied once, behind its frame header, into the connection's output, so that many
 * lines leave in one send. A long line leaves in fragments, in constant memory. lines_ascii.h is
 * the fast path.
 */
#include "bridge/framing/lines.h"
#include "bridge/framing/lines_ascii.h"

#include <stdlib.h>
#include <string.h>

/*
 * Text that is not ASCII takes the general path in pieces of this length; then ASCII is tried
 * again.
 */
#define GENERAL_MAX 4096

static bool is_partial(const struct dx_framing_state *lines)
{
    return lines->carry_len > 0 || lines->is_in_message || lines->text.repair.held_len > 0;
}

static enum dx_err send_line(struct dx_framing_state *lines, struct dx_endpoint *endpoint,
                             const uint8_t *data, size_t len, bool is_last,
                             struct dx_framed *framed)
{
    enum dx_err err = dx_frame_out(endpoint, DX_OP_TEXT, data, len, is_last, framed);

    if (err == DX_OK)
        lines->is_in_message = !is_last;
    return err;
}

enum dx_err dx_lines_keep(struct dx_framing_state *lines, const uint8_t *data, size_t len)
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

/*
 * What follows the last newline: kept, or sent as a fragment if it is long or continues a fragment.
 */
static enum dx_err handle_rest(struct dx_framing_state *lines, struct dx_endpoint *endpoint,
                               const uint8_t *data, size_t len, struct dx_framed *framed)
{
    size_t held_len = len > 0 && data[len - 1] == '\r' ? 1 : 0; /* it may be part of \r\n */
    enum dx_err err = DX_OK;

    if (!lines->is_in_message && len <= DX_LINES_CARRY_MAX)
        return dx_lines_keep(lines, data, len);
    if (len > held_len)
        err = send_line(lines, endpoint, data, len - held_len, false, framed);
    return err == DX_OK ? dx_lines_keep(lines, data + len - held_len, held_len) : err;
}

static enum dx_err send_lines(struct dx_framing_state *lines, struct dx_endpoint *endpoint,
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

/* The general path: any bytes, any endpoint. */
static enum dx_err feed_any(struct dx_framing_state *lines, struct dx_endpoint *endpoint,
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

/* Whether the next bytes begin a line, and dx_endpoint_begin_frame would allow its frame. */
static bool may_pack(const struct dx_framing_state *lines, const struct dx_endpoint *endpoint)
{
    return !is_partial(lines) && endpoint->config->role == DX_ROLE_SERVER &&
           !dx_endpoint_is_sending(endpoint) && !dx_endpoint_close_is_sent(endpoint) &&
           !dx_endpoint_is_failed(endpoint);
}

/*
 * The fast path: frames short ASCII lines, as many as come. Returns how many bytes they were.
 * Running out of memory is not an error here: the general path reports it if it needs memory, too.
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

/*
 * How much takes the general path before the fast one is tried again: up to the end of a partial
 * line, else some whole lines.
 */
static size_t general_len(const struct dx_framing_state *lines, const uint8_t *data, size_t len)
{
    const uint8_t *newline;

    if (len <= GENERAL_MAX)
        return len;
    newline = is_partial(lines) ? memchr(data, '\n', len) : memrchr(data, '\n', GENERAL_MAX);
    return newline ? (size_t)(newline - data) + 1 : len;
}

static enum dx_err feed(struct dx_framing_state *lines, struct dx_endpoint *endpoint,
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

static enum dx_err flush(struct dx_framing_state *lines, struct dx_endpoint *endpoint,
                         enum dx_invalid_utf8 policy, bool is_end, struct dx_framed *framed)
{
    uint8_t buffer[DX_FRAMING_ROOM + 1];
    struct dx_text_piece piece;
    enum dx_err err;

    if (is_end && lines->text.repair.held_len > 0) {
        err = dx_text_pass(&lines->text, policy, buffer + DX_FRAMING_ROOM, 0, true,
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

/* ---- to the program ---- */

/* Writes backslash, newline and carriage return as \\, \n and \r: one message stays one line. */
static enum dx_err append_escaped(struct dx_output *to, const uint8_t *data, size_t len)
{
    enum dx_err err = DX_OK;
    size_t begin = 0;

    for (size_t i = 0; i < len && err == DX_OK; i++) {
        const char *escape = data[i] == '\n'   ? "\\n"
                             : data[i] == '\r' ? "\\r"
                             : data[i] == '\\' ? "\\\\"
                                               : NULL;

        if (!escape)
            continue;
        err = dx_output_append(to, data + begin, i - begin);
        if (err == DX_OK)
            err = dx_output_append(to, escape, 2);
        begin = i + 1;
    }
    return err == DX_OK ? dx_output_append(to, data + begin, len - begin) : err;
}

static struct dx_framing_refusal write_piece(const struct dx_program_options *options,
                                             const struct dx_framing_piece *piece,
                                             struct dx_output *to)
{
    enum dx_err err;

    if (piece->opcode == DX_OP_BINARY)
        return (struct dx_framing_refusal){DX_CLOSE_UNSUPPORTED, "this program accepts text only"};
    if (options->newlines == DX_NEWLINES_REJECT && memchr(piece->data, '\n', piece->len))
        return (struct dx_framing_refusal){DX_CLOSE_UNSUPPORTED, "a newline inside a message"};
    if (options->newlines == DX_NEWLINES_ESCAPE)
        err = append_escaped(to, piece->data, piece->len);
    else
        err = dx_output_append(to, piece->data, piece->len);
    if (err == DX_OK && piece->is_last)
        err = dx_output_append(to, "\n", 1);
    return dx_framing_written(err);
}

const struct dx_framing_ops dx_framing_lines = {
    .feed = feed,
    .flush = flush,
    .is_partial = is_partial,
    .write = write_piece,
};
