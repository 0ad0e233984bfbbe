/*
 * utf8.c - validates and repairs UTF-8 (RFC 3629; RFC 6455 8.1). The wide loops for long runs are
 * in utf8_*.c.
 */
#include "ws/simd/utf8.h"

#include <duplex/frame.h>

#include "ws/simd/simd.h"

#include <string.h>

#define HIGH_BITS 0x8080808080808080u

/* What may follow a lead byte. False: no code point begins with it. */
static inline bool begin_code_point(struct dx_utf8 *utf8, uint8_t lead)
{
    utf8->low = 0x80;
    utf8->high = 0xbf;
    if (lead < 0xc2 || lead > 0xf4)
        return false;
    utf8->need = lead < 0xe0 ? 1 : lead < 0xf0 ? 2 : 3;
    if (lead == 0xe0)
        utf8->low = 0xa0; /* below: an overlong form */
    else if (lead == 0xed)
        utf8->high = 0x9f; /* above: a surrogate */
    else if (lead == 0xf0)
        utf8->low = 0x90; /* below: an overlong form */
    else if (lead == 0xf4)
        utf8->high = 0x8f; /* above: beyond U+10FFFF */
    return true;
}

static inline bool continue_code_point(struct dx_utf8 *utf8, uint8_t byte)
{
    if (byte < utf8->low || byte > utf8->high)
        return false;
    utf8->need--;
    utf8->low = 0x80;
    utf8->high = 0xbf;
    return true;
}

static size_t skip_ascii(const uint8_t *data, size_t at, size_t len)
{
    for (; at + 16 <= len; at += 16) {
        uint64_t words[2];

        memcpy(words, data + at, 16);
        if (((words[0] | words[1]) & HIGH_BITS) != 0)
            break;
    }
    while (at < len && data[at] < 0x80)
        at++;
    return at;
}

size_t dx_utf8_feed(struct dx_utf8 *utf8, const uint8_t *data, size_t len)
{
    size_t at = 0;

    while (at < len && utf8->need > 0) {
        if (!continue_code_point(utf8, data[at]))
            return at;
        at++;
    }
    if (len - at >= DX_UTF8_WIDE_MIN)
        at += dx_simd_get()->utf8_prefix(data + at, len - at);
    while (at < len) {
        at = skip_ascii(data, at, len);
        if (at == len)
            break;
        if (!begin_code_point(utf8, data[at]))
            return at;
        at++;
        while (at < len && utf8->need > 0) {
            if (!continue_code_point(utf8, data[at]))
                return at;
            at++;
        }
    }
    return at;
}

bool dx_utf8_is_valid(const void *text, size_t len)
{
    struct dx_utf8 utf8 = {0};

    return dx_utf8_feed(&utf8, text, len) == len && dx_utf8_is_complete(&utf8);
}

size_t dx_utf8_cut(const uint8_t *data, size_t limit)
{
    while (limit > 0 && (data[limit] & 0xc0) == 0x80)
        limit--;
    return limit;
}

static size_t put_replacement(uint8_t *out, size_t *replaced_count)
{
    static const uint8_t replacement[3] = {0xef, 0xbf, 0xbd};

    memcpy(out, replacement, sizeof(replacement));
    (*replaced_count)++;
    return sizeof(replacement);
}

/* Where the incomplete code point at the end of `len` valid bytes begins. */
static size_t incomplete_start(const uint8_t *data, size_t len)
{
    do
        len--;
    while (data[len] < 0xc0);
    return len;
}

/*
 * Takes the bytes of `in` that continue the held ones: all of them if the code point is completed
 * (it is written) or still incomplete (they are held), none if the next byte cannot continue it (it
 * is replaced). Returns how many were taken.
 */
static size_t finish_held(struct dx_utf8_repair *repair, const uint8_t *in, size_t len,
                          uint8_t *out, size_t *out_len, size_t *replaced_count)
{
    struct dx_utf8 utf8 = {0};
    size_t at = 0;

    (void)dx_utf8_feed(&utf8, repair->held, repair->held_len);
    while (at < len && utf8.need > 0) {
        if (!continue_code_point(&utf8, in[at])) {
            *out_len += put_replacement(out, replaced_count);
            repair->held_len = 0;
            return at;
        }
        if (utf8.need > 0)
            repair->held[repair->held_len++] = in[at];
        at++;
    }
    if (utf8.need == 0) {
        memcpy(out, repair->held, repair->held_len);
        out[repair->held_len] = in[at - 1];
        *out_len += (size_t)repair->held_len + 1;
        repair->held_len = 0;
    }
    return at;
}

size_t dx_utf8_repair(struct dx_utf8_repair *repair, const uint8_t *in, size_t len, bool is_last,
                      uint8_t *out, size_t *replaced_count)
{
    size_t at = 0, out_len = 0;

    if (repair->held_len > 0)
        at = finish_held(repair, in, len, out, &out_len, replaced_count);
    while (at < len) {
        struct dx_utf8 utf8 = {0};
        size_t accepted = dx_utf8_feed(&utf8, in + at, len - at);
        size_t valid = utf8.need > 0 ? incomplete_start(in + at, accepted) : accepted;

        memcpy(out + out_len, in + at, valid);
        out_len += valid;
        if (accepted == len - at) {
            repair->held_len = (uint8_t)(accepted - valid);
            memcpy(repair->held, in + at + valid, repair->held_len);
            break;
        }
        /*
         * The incomplete code point is replaced, and the byte that ended it is examined again; or
         * that byte alone is replaced.
         */
        out_len += put_replacement(out + out_len, replaced_count);
        at += accepted > valid ? accepted : accepted + 1;
    }
    if (is_last && repair->held_len > 0) {
        out_len += put_replacement(out + out_len, replaced_count);
        repair->held_len = 0;
    }
    return out_len;
}
