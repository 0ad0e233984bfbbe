/*
 * codec.c - see codec.h.
 */
#include "cli/text/codec.h"

#include "base/base64.h"
#include "base/text.h"

void cli_hex_encode(struct cli_buffer *to, const uint8_t *bytes, size_t len)
{
    static const char digits[] = "0123456789abcdef";
    char *at = cli_buffer_reserve(to, len * 2);

    for (size_t i = 0; at && i < len; i++) {
        *at++ = digits[bytes[i] >> 4];
        *at++ = digits[bytes[i] & 15];
    }
    if (at)
        cli_buffer_commit(to, len * 2);
}

void cli_base64_encode(struct cli_buffer *to, const uint8_t *bytes, size_t len)
{
    char *at = cli_buffer_reserve(to, DX_BASE64_LEN(len));

    if (!at)
        return;
    dx_base64_encode(bytes, len, at);
    cli_buffer_commit(to, DX_BASE64_LEN(len));
}

bool cli_hex_decode(struct cli_buffer *to, const char *text, size_t len)
{
    int high = -1;

    for (size_t i = 0; i < len; i++) {
        int digit;

        if (text[i] == ' ' || text[i] == '\t')
            continue;
        digit = dx_text_hex_value((uint8_t)text[i]);
        if (digit < 0)
            return false;
        if (high < 0) {
            high = digit;
        } else {
            char whole = (char)(high * 16 + digit);

            cli_buffer_put(to, &whole, 1);
            high = -1;
        }
    }
    return high < 0;
}

bool cli_base64_decode(struct cli_buffer *to, const char *text, size_t len)
{
    size_t room = len / 4 * 3 + 3;
    char *at = cli_buffer_reserve(to, room);
    size_t decoded_len;

    if (!at)
        return true; /* recorded in the buffer */
    if (dx_base64_decode_loose(dx_slice_of_len(text, len), (uint8_t *)at, room, &decoded_len) !=
        DX_OK)
        return false;
    cli_buffer_commit(to, decoded_len);
    return true;
}
