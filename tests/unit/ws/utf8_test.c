/*
 * utf8_test.c - the validator against the definition (RFC 3629 section 4) code point by code point,
 * whole and in pieces, and the repair against the WHATWG decoder's rule.
 */
#include "ws/simd/simd.h"
#include <duplex/frame.h>

#include "ws/simd/utf8.h"

#include <stdlib.h>
#include <string.h>

#include "support/test.h"

/*
 * How long the code point at the start is by the table of RFC 3629, 0 for none, SIZE_MAX when it is
 * cut but right so far.
 */
static size_t code_point_len(const uint8_t *at, size_t len)
{
    static const struct {
        uint8_t first_low, first_high, second_low, second_high;
        size_t len;
    } rows[] = {
        {0x00, 0x7f, 0, 0, 1},       {0xc2, 0xdf, 0x80, 0xbf, 2}, {0xe0, 0xe0, 0xa0, 0xbf, 3},
        {0xe1, 0xec, 0x80, 0xbf, 3}, {0xed, 0xed, 0x80, 0x9f, 3}, {0xee, 0xef, 0x80, 0xbf, 3},
        {0xf0, 0xf0, 0x90, 0xbf, 4}, {0xf1, 0xf3, 0x80, 0xbf, 4}, {0xf4, 0xf4, 0x80, 0x8f, 4},
    };

    for (size_t row = 0; row < sizeof(rows) / sizeof(rows[0]); row++) {
        if (at[0] < rows[row].first_low || at[0] > rows[row].first_high)
            continue;
        for (size_t i = 1; i < rows[row].len; i++) {
            if (i == len)
                return SIZE_MAX;
            if (at[i] < (i == 1 ? rows[row].second_low : 0x80) ||
                at[i] > (i == 1 ? rows[row].second_high : 0xbf))
                return 0;
        }
        return rows[row].len;
    }
    return 0;
}

/* The index of the first byte that cannot stand there; len when none; *is_complete for the end. */
static size_t reference(const uint8_t *data, size_t len, bool *is_complete)
{
    size_t at = 0;

    *is_complete = true;
    while (at < len) {
        size_t code_point = code_point_len(data + at, len - at);

        if (code_point == SIZE_MAX) {
            *is_complete = false;
            return len;
        }
        if (code_point == 0) {
            for (size_t cut = 1; cut < len - at; cut++)
                if (code_point_len(data + at, cut) == 0)
                    return at + cut - 1;
            return code_point_len(data + at, len - at - 1) == 0 && len - at > 1 ? at : len - 1;
        }
        at += code_point;
    }
    return len;
}

static void check(const uint8_t *data, size_t len)
{
    bool is_complete;
    size_t wanted = reference(data, len, &is_complete);

    for (size_t piece = 1; piece <= len + 1; piece = piece < 4 ? piece + 1 : piece * 5) {
        struct dx_utf8 utf8 = {0};
        size_t at = 0;

        while (at < len) {
            size_t part = len - at < piece ? len - at : piece;
            size_t accepted = dx_utf8_feed(&utf8, data + at, part);

            at += accepted;
            if (accepted < part)
                break;
        }
        assert_int_equal(at, wanted);
        if (wanted == len)
            assert_int_equal(dx_utf8_is_complete(&utf8), is_complete);
    }
    assert_int_equal(dx_utf8_is_valid(data, len), wanted == len && is_complete);
}

static void all_sequences_of_up_to_three_bytes(void **state)
{
    (void)state;
    for (unsigned value = 0; value < 1u << 24; value += value < 0xc00000 ? 61 : 3) {
        uint8_t data[3] = {(uint8_t)(value >> 16), (uint8_t)(value >> 8), (uint8_t)value};
        bool is_complete;
        size_t wanted = reference(data, 3, &is_complete);
        struct dx_utf8 utf8 = {0};

        assert_int_equal(dx_utf8_feed(&utf8, data, 3), wanted);
        if (wanted == 3)
            assert_int_equal(dx_utf8_is_complete(&utf8), is_complete);
    }
}

static size_t encode(uint8_t *out, uint32_t code_point)
{
    if (code_point < 0x80) {
        out[0] = (uint8_t)code_point;
        return 1;
    }
    if (code_point < 0x800) {
        out[0] = (uint8_t)(0xc0 | code_point >> 6);
        out[1] = (uint8_t)(0x80 | (code_point & 0x3f));
        return 2;
    }
    if (code_point < 0x10000) {
        out[0] = (uint8_t)(0xe0 | code_point >> 12);
        out[1] = (uint8_t)(0x80 | (code_point >> 6 & 0x3f));
        out[2] = (uint8_t)(0x80 | (code_point & 0x3f));
        return 3;
    }
    out[0] = (uint8_t)(0xf0 | code_point >> 18);
    out[1] = (uint8_t)(0x80 | (code_point >> 12 & 0x3f));
    out[2] = (uint8_t)(0x80 | (code_point >> 6 & 0x3f));
    out[3] = (uint8_t)(0x80 | (code_point & 0x3f));
    return 4;
}

static void every_code_point_and_no_surrogate(void **state)
{
    (void)state;
    for (uint32_t code_point = 0; code_point < 0x110000; code_point++) {
        uint8_t data[4];
        size_t len = encode(data, code_point);

        assert_int_equal(dx_utf8_is_valid(data, len), code_point < 0xd800 || code_point > 0xdfff);
    }
}

static uint32_t random_of(uint64_t *seed)
{
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    *seed ^= *seed << 17;
    return (uint32_t)(*seed >> 16);
}

static uint32_t random_code_point(uint64_t *seed)
{
    static const uint32_t above[] = {0x80, 0x800, 0xd800, 0x110000};
    uint32_t code_point = random_of(seed) % above[random_of(seed) % 4];

    return code_point >= 0xd800 && code_point < 0xe000 ? code_point - 0x800 : code_point;
}

/* Long texts, so that the wide loop runs; most with a byte or two spoilt. */
static void long_texts_whole_and_in_pieces(void **state)
{
    uint64_t seed = 88172645463325252u;

    (void)state;
    for (int round = 0; round < 30000; round++) {
        uint8_t data[700];
        size_t len = 0, limit = random_of(&seed) % (sizeof(data) - 4);

        while (len < limit)
            len += encode(data + len, random_code_point(&seed));
        for (unsigned spoil = random_of(&seed) % 3; spoil > 0 && len > 0; spoil--)
            data[random_of(&seed) % len] ^= (uint8_t)(1u << random_of(&seed) % 8);
        check(data, len);
    }
}

/* An offence at each place around the blocks of the wide loop. */
static void an_offence_at_each_place(void **state)
{
    static const char *const offences[] = {
        "\x80", "\xc0\xaf",     "\xe0\x80\xaf", "\xed\xa0\x80", "\xf4\x90\x80", "\xf5\x80\x80\x80",
        "\xff", "\xf0\x8f\xbf", "\xe2\x82",     "\xf0\x9f\x98"};

    (void)state;
    for (size_t i = 0; i < sizeof(offences) / sizeof(offences[0]); i++) {
        size_t offence_len = strlen(offences[i]);

        for (size_t len = offence_len; len < 200; len += 1 + len / 40) {
            for (size_t at = 0; at + offence_len <= len; at++) {
                uint8_t data[200];

                memset(data, 'x', len);
                memcpy(data + at, offences[i], offence_len);
                check(data, len);
            }
        }
    }
}

static void a_cut_never_splits_a_code_point(void **state)
{
    static const uint8_t text[] = "a\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80z";
    static const size_t wanted[] = {0, 1, 1, 3, 3, 3, 6, 6, 6, 6, 10};

    (void)state;
    for (size_t limit = 0; limit < sizeof(wanted) / sizeof(wanted[0]); limit++)
        assert_int_equal(dx_utf8_cut(text, limit), wanted[limit]);
}

#define MARK "\xef\xbf\xbd"

static const struct {
    const char *in, *out;
    size_t replaced_count;
} repairs[] = {
    {"plain", "plain", 0},
    {"\xe4\xbd\xa0\xe5\xa5\xbd", "\xe4\xbd\xa0\xe5\xa5\xbd", 0},
    {"\xff", MARK, 1},
    {"a\x80"
     "b",
     "a" MARK "b", 1},
    {"\xc0\xaf", MARK MARK, 2},
    {"\xe0\x80\xaf", MARK MARK MARK, 3},
    {"\xed\xa0\x80", MARK MARK MARK, 3},
    {"\xf4\x90\x80\x80", MARK MARK MARK MARK, 4},
    {"\xf0\x9f\x98", MARK, 1},
    {"\xf0\x9f\x98x", MARK "x", 1},
    {"\xe2\x82\xe2\x82\xac", MARK "\xe2\x82\xac", 1},
    {"\xf0\x9f\xf0\x9f\x98\x80", MARK "\xf0\x9f\x98\x80", 1},
    {"\xc3\xc3\xa4", MARK "\xc3\xa4", 1},
    {"\xf1\x80\xbf\xc0\xf1\x80\xe1\xa4", MARK MARK MARK MARK, 4},
};

static void repair_in_pieces(const char *in, size_t piece, const char *wanted, size_t count)
{
    struct dx_utf8_repair repair = {0};
    uint8_t out[64];
    size_t len = strlen(in), at = 0, out_len = 0, replaced_count = 0;

    while (at < len) {
        size_t part = len - at < piece ? len - at : piece;

        out_len += dx_utf8_repair(&repair, (const uint8_t *)in + at, part, false, out + out_len,
                                  &replaced_count);
        at += part;
    }
    out_len += dx_utf8_repair(&repair, NULL, 0, true, out + out_len, &replaced_count);
    assert_int_equal(out_len, strlen(wanted));
    assert_memory_equal(out, wanted, out_len);
    assert_int_equal(replaced_count, count);
    assert_int_equal(repair.held_len, 0);
}

static void repair_is_the_same_however_it_is_cut(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(repairs) / sizeof(repairs[0]); i++)
        for (size_t piece = 1; piece <= 12; piece++)
            repair_in_pieces(repairs[i].in, piece, repairs[i].out, repairs[i].replaced_count);
}

static void repaired_text_is_valid_and_fits(void **state)
{
    uint64_t seed = 42;

    (void)state;
    for (int round = 0; round < 20000; round++) {
        uint8_t in[90], out[DX_UTF8_REPAIR_ROOM(sizeof(in))];
        size_t len = random_of(&seed) % sizeof(in), replaced_count = 0, out_len;
        struct dx_utf8_repair repair = {0};

        for (size_t i = 0; i < len; i++)
            in[i] = (uint8_t)(random_of(&seed) % 3 ? random_of(&seed) | 0x80 : random_of(&seed));
        out_len = dx_utf8_repair(&repair, in, len, true, out, &replaced_count);
        assert_true(out_len <= DX_UTF8_REPAIR_ROOM(len));
        assert_true(dx_utf8_is_valid(out, out_len));
        assert_int_equal(replaced_count == 0, dx_utf8_is_valid(in, len));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_sequences_of_up_to_three_bytes),
        cmocka_unit_test(every_code_point_and_no_surrogate),
        cmocka_unit_test(long_texts_whole_and_in_pieces),
        cmocka_unit_test(an_offence_at_each_place),
        cmocka_unit_test(a_cut_never_splits_a_code_point),
        cmocka_unit_test(repair_is_the_same_however_it_is_cut),
        cmocka_unit_test(repaired_text_is_valid_and_fits),
    };

    return run_group(tests, NULL, NULL);
}
