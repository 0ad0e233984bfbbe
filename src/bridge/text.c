/*
 * text.c - valid text goes through untouched; only what is not valid is copied and repaired.
 */
#include "bridge/text.h"

#include <stdlib.h>
#include <string.h>

/* How long a sequence its first byte announces; 0 for a byte that begins none. */
static size_t sequence_len(uint8_t lead)
{
    if (lead >= 0xc2 && lead <= 0xdf)
        return 2;
    if ((lead & 0xf0) == 0xe0)
        return 3;
    return lead >= 0xf0 && lead <= 0xf4 ? 4 : 0;
}

/* How many bytes at the end may be the begin of a code point. Whether they are, the next call's check tells. */
static size_t unfinished_len(const uint8_t *data, size_t len)
{
    for (size_t back = 1; back <= DX_TEXT_ROOM && back <= len; back++) {
        uint8_t byte = data[len - back];

        if ((byte & 0xc0) == 0x80)
            continue;
        return sequence_len(byte) > back ? back : 0;
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
    if (policy == DX_INVALID_UTF8_CLOSE)
        return DX_ERR_UTF8;
    return repair(text, in, len, is_last, room, piece);
}
