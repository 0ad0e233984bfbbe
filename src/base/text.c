/*
 * text.c - see text.h.
 */
#include "base/text.h"

bool dx_text_equal_nocase(struct dx_slice a, struct dx_slice b)
{
    if (a.len != b.len)
        return false;
    for (size_t i = 0; i < a.len; i++)
        if (dx_text_lower(a.data[i]) != dx_text_lower(b.data[i]))
            return false;
    return true;
}

bool dx_text_is_nocase(struct dx_slice slice, const char *text)
{
    return dx_text_equal_nocase(slice, dx_slice_of(text));
}

static bool is_blank(uint8_t byte)
{
    return byte == ' ' || byte == '\t';
}

struct dx_slice dx_text_trim(struct dx_slice slice)
{
    while (slice.len > 0 && is_blank(slice.data[0])) {
        slice.data++;
        slice.len--;
    }
    while (slice.len > 0 && is_blank(slice.data[slice.len - 1]))
        slice.len--;
    return slice;
}

bool dx_text_is_token_byte(uint8_t byte)
{
    /* One bit a character 0x00-0x7f: digits, letters and ! # $ % & ' * + - . ^ _ ` | ~ */
    static const uint32_t bits[4] = {0, 0x03ff6cfa, 0xc7fffffe, 0x57ffffff};

    return byte < 128 && (bits[byte / 32] >> (byte % 32) & 1);
}

bool dx_text_is_token(struct dx_slice slice)
{
    for (size_t i = 0; i < slice.len; i++)
        if (!dx_text_is_token_byte(slice.data[i]))
            return false;
    return slice.len > 0;
}

static enum dx_err parse_number(struct dx_slice slice, unsigned base, uint64_t max, uint64_t *value)
{
    uint64_t sum = 0;
    bool is_too_big = false;

    if (slice.len == 0)
        return DX_ERR_PROTOCOL;
    for (size_t i = 0; i < slice.len; i++) {
        int digit = dx_text_hex_value(slice.data[i]);

        if (digit < 0 || (unsigned)digit >= base)
            return DX_ERR_PROTOCOL;
        if (sum > (UINT64_MAX - (unsigned)digit) / base)
            is_too_big = true;
        else
            sum = sum * base + (unsigned)digit;
    }
    if (is_too_big || sum > max)
        return DX_ERR_TOO_BIG;
    *value = sum;
    return DX_OK;
}

enum dx_err dx_text_parse_decimal(struct dx_slice slice, uint64_t max, uint64_t *value)
{
    return parse_number(slice, 10, max, value);
}

enum dx_err dx_text_parse_hex(struct dx_slice slice, uint64_t max, uint64_t *value)
{
    return parse_number(slice, 16, max, value);
}

/* How many bytes a character with this first byte has, and which second bytes are valid. */
static size_t utf8_begin(uint8_t first, uint8_t *low, uint8_t *high)
{
    *low = first == 0xe0 ? 0xa0 : first == 0xf0 ? 0x90 : 0x80;
    *high = first == 0xed ? 0x9f : first == 0xf4 ? 0x8f : 0xbf;
    if (first < 0x80)
        return 1;
    if (first < 0xc2)
        return 0;
    if (first < 0xe0)
        return 2;
    if (first < 0xf0)
        return 3;
    return first < 0xf5 ? 4 : 0;
}

size_t dx_text_utf8_char(struct dx_slice slice, uint32_t *code_point)
{
    uint8_t low;
    uint8_t high;
    size_t len = slice.len > 0 ? utf8_begin(slice.data[0], &low, &high) : 0;
    uint32_t value;

    if (len == 0 || len > slice.len)
        return 0;
    value = len == 1 ? slice.data[0] : slice.data[0] & (0x7fu >> len);
    for (size_t i = 1; i < len; i++) {
        if (slice.data[i] < low || slice.data[i] > high)
            return 0;
        value = value << 6 | (slice.data[i] & 0x3fu);
        low = 0x80;
        high = 0xbf;
    }
    *code_point = value;
    return len;
}

bool dx_text_is_utf8(struct dx_slice slice)
{
    uint32_t code_point;

    while (slice.len > 0) {
        size_t len = dx_text_utf8_char(slice, &code_point);

        if (len == 0)
            return false;
        slice.data += len;
        slice.len -= len;
    }
    return true;
}

/* Controls, and invisible characters that change how others are shown. */
static bool is_harmful(uint32_t code_point)
{
    static const struct {
        uint32_t first;
        uint32_t last;
    } ranges[] = {
        {0x00, 0x1f},     {0x7f, 0x9f},     {0xad, 0xad},       {0x61c, 0x61c},
        {0x180e, 0x180e}, {0x200b, 0x200f}, {0x2028, 0x202e},   {0x2060, 0x206f},
        {0xfeff, 0xfeff}, {0xfff9, 0xfffb}, {0xe0000, 0xe0fff},
    };

    for (size_t i = 0; i < sizeof(ranges) / sizeof(ranges[0]); i++)
        if (code_point >= ranges[i].first && code_point <= ranges[i].last)
            return true;
    return false;
}

size_t dx_text_escape_char(struct dx_slice slice, char text[DX_TEXT_ESCAPED_CHAR_MAX], size_t *len)
{
    static const char digits[] = "0123456789abcdef";
    uint32_t code_point = 0;
    size_t taken = dx_text_utf8_char(slice, &code_point);

    if (taken > 0 && !is_harmful(code_point)) {
        memcpy(text, slice.data, taken);
        *len = taken;
        return taken;
    }
    if (taken == 0)
        taken = 1;
    for (size_t i = 0; i < taken; i++) {
        text[4 * i] = '\\';
        text[4 * i + 1] = 'x';
        text[4 * i + 2] = digits[slice.data[i] >> 4];
        text[4 * i + 3] = digits[slice.data[i] & 15];
    }
    *len = 4 * taken;
    return taken;
}

size_t dx_text_escape(struct dx_slice slice, char *text, size_t room, bool *is_cut)
{
    size_t written = 0;

    while (slice.len > 0) {
        char escaped[DX_TEXT_ESCAPED_CHAR_MAX];
        size_t len;
        size_t taken = dx_text_escape_char(slice, escaped, &len);

        if (len > room - written)
            break;
        memcpy(text + written, escaped, len);
        written += len;
        slice.data += taken;
        slice.len -= taken;
    }
    if (is_cut)
        *is_cut = slice.len > 0;
    return written;
}
