/*
 * codec.c - see codec.h.
 */
#include "cli/text/codec.h"

#include <string.h>

static const char digits[] = "0123456789abcdef";
static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void cli_hex_encode(struct cli_buffer *to, const uint8_t *bytes, size_t len)
{
    char *at = cli_buffer_reserve(to, len * 2 + 1);

    for (size_t i = 0; at && i < len; i++) {
        *at++ = digits[bytes[i] >> 4];
        *at++ = digits[bytes[i] & 15];
    }
    if (at)
        to->len += len * 2;
}

void cli_base64_encode(struct cli_buffer *to, const uint8_t *bytes, size_t len)
{
    char *at = cli_buffer_reserve(to, (len / 3 + 1) * 4);

    for (size_t i = 0; at && i < len; i += 3) {
        size_t count = len - i < 3 ? len - i : 3;
        uint32_t group = (uint32_t)bytes[i] << 16;

        if (count > 1)
            group |= (uint32_t)bytes[i + 1] << 8;
        if (count > 2)
            group |= bytes[i + 2];
        *at++ = letters[group >> 18];
        *at++ = letters[group >> 12 & 63];
        *at++ = count > 1 ? letters[group >> 6 & 63] : '=';
        *at++ = count > 2 ? letters[group & 63] : '=';
        to->len += 4;
    }
}

bool cli_hex_decode(struct cli_buffer *to, const char *text, size_t len)
{
    int high = -1;

    for (size_t i = 0; i < len; i++) {
        char byte = text[i];
        const char *digit;

        if (byte == ' ' || byte == '\t')
            continue;
        if (byte >= 'A' && byte <= 'F')
            byte = (char)(byte - 'A' + 'a');
        digit = byte ? strchr(digits, byte) : NULL;
        if (!digit)
            return false;
        if (high < 0) {
            high = (int)(digit - digits);
        } else {
            char whole = (char)(high * 16 + (int)(digit - digits));

            cli_buffer_put(to, &whole, 1);
            high = -1;
        }
    }
    return high < 0;
}

bool cli_base64_decode(struct cli_buffer *to, const char *text, size_t len)
{
    uint32_t group = 0;
    unsigned bits = 0;
    size_t count = len;

    while (count > 0 && len - count < 2 && text[count - 1] == '=')
        count--;
    if (count % 4 == 1 || (count < len && len % 4 != 0))
        return false;
    for (size_t i = 0; i < count; i++) {
        const char *letter = text[i] ? strchr(letters, text[i]) : NULL;

        if (!letter)
            return false;
        group = group << 6 | (uint32_t)(letter - letters);
        bits += 6;
        if (bits >= 8) {
            char byte = (char)(group >> (bits - 8) & 255);

            cli_buffer_put(to, &byte, 1);
            bits -= 8;
        }
    }
    return true;
}
