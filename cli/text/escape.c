/*
 * escape.c - which characters may be shown, and \xNN for all others (UTF-8: RFC 3629).
 */
#include "cli/text/escape.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

/* Length of the UTF-8 character at `text` and its code point; 0 when there is none. */
static size_t decode(const unsigned char *text, size_t len, uint32_t *point)
{
    static const uint32_t smallest[] = {0, 0, 0x80, 0x800, 0x10000};
    size_t need = text[0] < 0x80   ? 1
                  : text[0] < 0xc2 ? 0
                  : text[0] < 0xe0 ? 2
                  : text[0] < 0xf0 ? 3
                                   : 4;
    uint32_t value;

    if (need == 0 || text[0] > 0xf4 || need > len)
        return 0;
    value = need == 1 ? text[0] : text[0] & (0x7fu >> need);
    for (size_t i = 1; i < need; i++) {
        if ((text[i] & 0xc0) != 0x80)
            return 0;
        value = value << 6 | (text[i] & 0x3fu);
    }
    if (value < smallest[need] || value > 0x10ffff || (value >= 0xd800 && value <= 0xdfff))
        return 0;
    *point = value;
    return need;
}

/* Controls, and characters that show nothing but change what is shown. */
static bool is_dangerous(uint32_t point)
{
    static const struct {
        uint32_t first, last;
    } ranges[] = {
        {0x00, 0x1f},     {0x7f, 0x9f},     {0xad, 0xad},       {0x61c, 0x61c},
        {0x180e, 0x180e}, {0x200b, 0x200f}, {0x2028, 0x202e},   {0x2060, 0x206f},
        {0xfeff, 0xfeff}, {0xfff9, 0xfffb}, {0xe0000, 0xe0fff},
    };

    for (size_t i = 0; i < sizeof(ranges) / sizeof(ranges[0]); i++)
        if (point >= ranges[i].first && point <= ranges[i].last)
            return true;
    return false;
}

size_t cli_escape_next(const char *text, size_t len, char out[static CLI_ESCAPE_MAX],
                       size_t *out_len)
{
    static const char digits[] = "0123456789abcdef";
    const unsigned char *bytes = (const unsigned char *)text;
    uint32_t point = 0;
    size_t taken = decode(bytes, len, &point);

    if (taken > 0 && !is_dangerous(point)) {
        memcpy(out, text, taken);
        *out_len = taken;
        return taken;
    }
    if (taken == 0)
        taken = 1;
    for (size_t i = 0; i < taken; i++) {
        out[4 * i] = '\\';
        out[4 * i + 1] = 'x';
        out[4 * i + 2] = digits[bytes[i] >> 4];
        out[4 * i + 3] = digits[bytes[i] & 15];
    }
    *out_len = 4 * taken;
    return taken;
}

void cli_escape(const char *text, size_t len, char *out, size_t size)
{
    static const char more[] = "...";
    size_t used = 0;

    while (len > 0) {
        char piece[CLI_ESCAPE_MAX];
        size_t piece_len;
        size_t taken = cli_escape_next(text, len, piece, &piece_len);

        if (used + piece_len + (taken < len ? sizeof(more) : 1) > size) {
            memcpy(out + used, more, sizeof(more));
            return;
        }
        memcpy(out + used, piece, piece_len);
        used += piece_len;
        text += taken;
        len -= taken;
    }
    out[used] = '\0';
}

struct cli_shown cli_shown_part(const char *text, size_t len)
{
    struct cli_shown shown;

    cli_escape(text, len, shown.text, sizeof(shown.text));
    return shown;
}

struct cli_shown cli_shown(const char *text)
{
    return cli_shown_part(text, strlen(text));
}
