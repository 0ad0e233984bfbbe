/*
 * text.c - valid text passes unchanged; only invalid text is copied and repaired.
 */
#include "bridge/framing/text.h"

#include <stdlib.h>
#include <string.h>

/* How many bytes at the end are a code point whose rest may still come. */
static size_t unfinished_len(const uint8_t *data, size_t len)
{
    for (size_t tail_len = 1; tail_len <= DX_TEXT_ROOM && tail_len <= len; tail_len++) {
        struct dx_utf8 utf8 = {0};

        if ((data[len - tail_len] & 0xc0) == 0x80)
            continue; /* inside a code point: look further back for its first byte */
        if (dx_utf8_feed(&utf8, data + len - tail_len, tail_len) == tail_len)
            return dx_utf8_is_complete(&utf8) ? 0 : tail_len;
        return 0;
    }
    return 0;
}

static enum dx_err repair(struct dx_text *text, const uint8_t *in, size_t len, bool is_last,
                          size_t room, struct dx_text_piece *piece)
{
    uint8_t *owned = malloc(room + DX_UTF8_REPAIR_ROOM(len));

    if (!owned)
        return DX_ERR_NOMEM;
    piece->owned = owned;
    piece->data = owned + room;
    piece->len =
        dx_utf8_repair(&text->repair, in, len, is_last, piece->data, &piece->replaced_count);
    return DX_OK;
}

enum dx_err dx_text_pass(struct dx_text *text, enum dx_invalid_utf8 policy, uint8_t *in, size_t len,
                         bool is_last, size_t room, struct dx_text_piece *piece)
{
    size_t held_len = text->repair.held_len;
    uint8_t *data = in - held_len;
    size_t data_len = len + held_len;
    size_t tail_len;

    memcpy(data, text->repair.held, held_len);
    tail_len = is_last ? 0 : unfinished_len(data, data_len);
    *piece = (struct dx_text_piece){.data = data, .len = data_len - tail_len};
    if (dx_utf8_is_valid(data, piece->len)) {
        memcpy(text->repair.held, data + piece->len, tail_len);
        text->repair.held_len = (uint8_t)tail_len;
        return DX_OK;
    }
    if (policy == DX_INVALID_UTF8_CLOSE) {
        struct dx_utf8 utf8 = {0};

        piece->len = dx_utf8_feed(&utf8, data, piece->len);
        piece->len -= unfinished_len(data, piece->len);
        return DX_ERR_UTF8;
    }
    return repair(text, in, len, is_last, room, piece);
}
