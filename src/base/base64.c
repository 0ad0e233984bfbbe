/*
 * base64.c - encodes and decodes base64 (RFC 4648 section 4).
 */
#include "base/base64.h"

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void dx_base64_encode(const void *data, size_t len, char *text)
{
    const uint8_t *bytes = data;

    for (; len > 0; text += 4) {
        size_t part = len < 3 ? len : 3;
        uint32_t group = (uint32_t)bytes[0] << 16;

        if (part > 1)
            group |= (uint32_t)bytes[1] << 8;
        if (part > 2)
            group |= bytes[2];
        text[0] = alphabet[group >> 18];
        text[1] = alphabet[group >> 12 & 63];
        text[2] = part > 1 ? alphabet[group >> 6 & 63] : '=';
        text[3] = part > 2 ? alphabet[group & 63] : '=';
        bytes += part;
        len -= part;
    }
}

/* The value of a character of the alphabet, or 64. */
static uint32_t value_of(uint8_t character)
{
    if (character >= 'A' && character <= 'Z')
        return (uint32_t)character - 'A';
    if (character >= 'a' && character <= 'z')
        return (uint32_t)character - 'a' + 26;
    if (character >= '0' && character <= '9')
        return (uint32_t)character - '0' + 52;
    if (character == '+')
        return 62;
    return character == '/' ? 63 : 64;
}

static size_t padding_of(struct dx_slice text)
{
    if (text.len == 0 || text.data[text.len - 1] != '=')
        return 0;
    return text.data[text.len - 2] == '=' ? 2 : 1;
}

/*
 * Reads four characters, of which the last `padding` are ignored. False: a character is not in the
 * alphabet, or, if `is_strict`, unused bits are not zero.
 */
static bool read_group(const uint8_t *text, size_t padding, bool is_strict, uint32_t *group)
{
    uint32_t bits = 0;

    for (size_t i = 0; i < 4 - padding; i++) {
        uint32_t value = value_of(text[i]);

        if (value > 63)
            return false;
        bits |= value << (18 - 6 * i);
    }
    *group = bits;
    return !is_strict || (bits & ((UINT32_C(1) << (8 * padding)) - 1)) == 0;
}

/* The last group of `text`, whose padding may be missing, has `padding` characters less. */
static enum dx_err decode(struct dx_slice text, size_t padding, bool is_strict, uint8_t *bytes,
                          size_t room, size_t *len)
{
    size_t group_count = (text.len + 3) / 4;
    size_t total = group_count * 3 - padding;
    size_t written = 0;
    uint32_t group;

    for (size_t i = 0; i < group_count; i++)
        if (!read_group(text.data + 4 * i, i + 1 == group_count ? padding : 0, is_strict, &group))
            return DX_ERR_PROTOCOL;
    if (total > room)
        return DX_ERR_TOO_BIG;
    for (size_t i = 0; i < group_count; i++) {
        (void)read_group(text.data + 4 * i, i + 1 == group_count ? padding : 0, is_strict, &group);
        for (unsigned shift = 16; written < total && shift <= 16; shift -= 8)
            bytes[written++] = (uint8_t)(group >> shift);
    }
    *len = total;
    return DX_OK;
}

enum dx_err dx_base64_decode(struct dx_slice text, uint8_t *bytes, size_t room, size_t *len)
{
    if (text.len % 4 != 0)
        return DX_ERR_PROTOCOL;
    return decode(text, padding_of(text), true, bytes, room, len);
}

enum dx_err dx_base64_decode_loose(struct dx_slice text, uint8_t *bytes, size_t room, size_t *len)
{
    if (text.len % 4 == 1)
        return DX_ERR_PROTOCOL;
    return decode(text, text.len % 4 == 0 ? padding_of(text) : 4 - text.len % 4, false, bytes, room,
                  len);
}
