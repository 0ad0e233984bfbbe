/*
 * hostile_test.c - every rule about frames, fragments, text and closing, one row a rule: what the
 * peer sends, what the endpoint says of it, and everything that it puts on the wire.
 *
 * Each row runs for a server and, mirrored, for a client, cut in every way, and with each
 * allocation failing. The rows' names are referred to elsewhere (tests/project/guards.py): keep
 * them.
 */
#include "support/test.h"
#include "support/ws/frame_row.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* clang-format off */
#define NOTHING_BEFORE .events = "", .out = ""
#define BIG "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0123456789abc"
#define FAILS(close_code, sentence) .code = (close_code), .detail = (sentence)

#define RSV FAILS(1002, "a reserved bit is set and no extension gives it a meaning")
#define OPCODE FAILS(1002, "the opcode is reserved")
#define FRAGMENTED_CONTROL FAILS(1002, "a control frame is fragmented")
#define LONG_CONTROL FAILS(1002, "a control frame is longer than 125 bytes")
#define NOT_MINIMAL FAILS(1002, "a payload length is not in its shortest form")
#define LENGTH_BIT FAILS(1002, "the highest bit of a payload length is set")
#define TOO_BIG FAILS(1009, "a message is larger than the limit")
#define TOO_MANY FAILS(1008, "a message has more fragments than the limit allows")
#define INSIDE FAILS(1002, "a message begins inside another one")
#define NOTHING_OPEN FAILS(1002, "a continuation frame continues no message")
#define NOT_MASKED FAILS(1002, "a frame from a client is not masked")
#define MASKED FAILS(1002, "a frame from a server is masked")
#define BAD_TEXT FAILS(1007, "a text message is not UTF-8")
#define BAD_REASON FAILS(1007, "the close reason is not UTF-8")
#define BAD_CODE FAILS(1002, "the close code must not be used")
#define HALF_CODE FAILS(1002, "the body of a Close is one byte long")

static const struct frame_row rows[] = {
    {"B21 unmasked client frame", SERVER, {WRONG_MASK(0x81, "Hello")}, NOTHING_BEFORE, NOT_MASKED},
    {"B21 unmasked client frame, binary, empty", SERVER, {WRONG_MASK(0x82, "")}, NOTHING_BEFORE, NOT_MASKED},
    {"B21 unmasked client frame, ping", SERVER, {WRONG_MASK(0x89, "abc")}, NOTHING_BEFORE, NOT_MASKED},
    {"B21 unmasked client frame, Close", SERVER, {WRONG_MASK(0x88, "\x03\xe8")}, NOTHING_BEFORE, NOT_MASKED},
    {"B21 unmasked client frame, continuation", SERVER, {FRAME(0x01, "ab"), WRONG_MASK(0x80, "cd")}, .events = "[1:ab", .out = "", NOT_MASKED},
    {"B21 masked server frame", CLIENT, {WRONG_MASK(0x81, "Hello")}, NOTHING_BEFORE, MASKED},
    {"B21 masked server frame, ping", CLIENT, {WRONG_MASK(0x89, "")}, NOTHING_BEFORE, MASKED},
    {"B21 all-zero and other masking keys are fine", BOTH, {FRAME(0x81, "Hello"), FRAME(0x82, "\x37\xfa\x21\x3d")}, .events = "[1:Hello] [2:7\\xfa!=]", .out = "text(Hello) binary(7\\xfa!=)"},

    {"B22 RSV1 without extension", BOTH, {FRAME(0xc1, "Hello")}, NOTHING_BEFORE, RSV},
    {"B22 RSV2", BOTH, {FRAME(0xa1, "Hello")}, NOTHING_BEFORE, RSV},
    {"B22 RSV3", BOTH, {FRAME(0x91, "Hello")}, NOTHING_BEFORE, RSV},
    {"B22 RSV all, binary", BOTH, {FRAME(0xf2, "Hello")}, NOTHING_BEFORE, RSV},
    {"B22 RSV1 on a ping", BOTH, {FRAME(0xc9, "x")}, NOTHING_BEFORE, RSV},
    {"B22 RSV2 on a pong", BOTH, {FRAME(0xaa, "x")}, NOTHING_BEFORE, RSV},
    {"B22 RSV3 on a Close", BOTH, {FRAME(0x98, "")}, NOTHING_BEFORE, RSV},
    {"B22 RSV1 on a continuation", BOTH, {FRAME(0x01, "a"), FRAME(0xc0, "b")}, .events = "[1:a", .out = "", RSV},

    {"B23 opcode 3", BOTH, {FRAME(0x83, "")}, NOTHING_BEFORE, OPCODE},
    {"B23 opcode 4", BOTH, {FRAME(0x84, "abc")}, NOTHING_BEFORE, OPCODE},
    {"B23 opcode 5", BOTH, {FRAME(0x05, "")}, NOTHING_BEFORE, OPCODE},
    {"B23 opcode 6", BOTH, {FRAME(0x86, "")}, NOTHING_BEFORE, OPCODE},
    {"B23 opcode 7", BOTH, {FRAME(0x87, "")}, NOTHING_BEFORE, OPCODE},
    {"B23 opcode B", BOTH, {FRAME(0x8b, "")}, NOTHING_BEFORE, OPCODE},
    {"B23 opcode C", BOTH, {FRAME(0x8c, "abc")}, NOTHING_BEFORE, OPCODE},
    {"B23 opcode D", BOTH, {FRAME(0x8d, "")}, NOTHING_BEFORE, OPCODE},
    {"B23 opcode E", BOTH, {FRAME(0x8e, "")}, NOTHING_BEFORE, OPCODE},
    {"B23 opcode F", BOTH, {FRAME(0x8f, "")}, NOTHING_BEFORE, OPCODE},
    {"B23 opcode 3 inside a message", BOTH, {FRAME(0x01, "ab"), FRAME(0x83, "")}, .events = "[1:ab", .out = "", OPCODE},
    {"B23 opcode B inside a message", BOTH, {FRAME(0x01, "ab"), FRAME(0x8b, "")}, .events = "[1:ab", .out = "", OPCODE},

    {"B24 fragmented ping", BOTH, {FRAME(0x09, "abc"), FRAME(0x80, "d")}, NOTHING_BEFORE, FRAGMENTED_CONTROL},
    {"B24 fragmented pong", BOTH, {FRAME(0x0a, "abc"), FRAME(0x80, "d")}, NOTHING_BEFORE, FRAGMENTED_CONTROL},
    {"B24 fragmented Close", BOTH, {FRAME(0x08, "\x03\xe8"), FRAME(0x80, "d")}, NOTHING_BEFORE, FRAGMENTED_CONTROL},
    {"B24 ping of 126 bytes", BOTH, {FRAME(0x89, BIG "d")}, NOTHING_BEFORE, LONG_CONTROL},
    {"B24 Close of 126 bytes", BOTH, {FRAME(0x88, "\x03\xe8" BIG)}, NOTHING_BEFORE, LONG_CONTROL},
    {"B24 pong with a 16-bit length of 5", BOTH, {LONG_FORM(0x8a, "abcde", 16)}, NOTHING_BEFORE, LONG_CONTROL},
    {"B24 ping with a 64-bit length of 5", BOTH, {LONG_FORM(0x89, "abcde", 64)}, NOTHING_BEFORE, LONG_CONTROL},
    {"B24 ping of 125 bytes is fine", BOTH, {FRAME(0x89, BIG)}, .events = "ping(" BIG ")", .out = "pong(<125 bytes 6d1d6e0e>)"},

    {"B25 16-bit length of 0", BOTH, {LONG_FORM(0x81, "", 16)}, NOTHING_BEFORE, NOT_MINIMAL},
    {"B25 16-bit length of 125", BOTH, {LONG_FORM(0x82, BIG, 16)}, NOTHING_BEFORE, NOT_MINIMAL},
    {"B25 64-bit length of 5", BOTH, {LONG_FORM(0x81, "Hello", 64)}, NOTHING_BEFORE, NOT_MINIMAL},
    {"B25 64-bit length of 65535", BOTH, {HEADER(0x82, 65535, 64)}, NOTHING_BEFORE, NOT_MINIMAL},
    {"B25 16-bit length of 126 is fine", BOTH, {FRAME(0x82, BIG "d")}, .events = "[2:<126 bytes 2f54d0de>]", .out = "binary(<126 bytes 2f54d0de>)"},

    {"B26 highest bit of the length", BOTH, {HEADER(0x82, UINT64_C(0x8000000000000000), 64)}, NOTHING_BEFORE, LENGTH_BIT},
    {"B26 highest bit of a small length", BOTH, {HEADER(0x81, UINT64_C(0x8000000000000005), 64)}, NOTHING_BEFORE, LENGTH_BIT},
    {"B26 all bits of the length", BOTH, {HEADER(0x81, UINT64_MAX, 64)}, NOTHING_BEFORE, LENGTH_BIT},

    {"B27 1 GiB announced", BOTH, {HEADER(0x82, 1 << 30, 64)}, NOTHING_BEFORE, TOO_BIG},
    {"B27 2^62 announced", BOTH, {HEADER(0x81, UINT64_C(1) << 62, 64)}, NOTHING_BEFORE, TOO_BIG},
    {"B27 2^63 - 1 announced", BOTH, {HEADER(0x81, UINT64_C(0x7fffffffffffffff), 64)}, NOTHING_BEFORE, TOO_BIG},
    {"B27 one byte over the limit, short", BOTH, {FRAME(0x81, "123456")}, .max_message = 5, NOTHING_BEFORE, TOO_BIG},
    {"B27 one byte over the limit, 16 bits", BOTH, {HEADER(0x81, 301, 16)}, .max_message = 300, NOTHING_BEFORE, TOO_BIG},
    {"B27 the limit itself is fine", BOTH, {FRAME(0x81, "12345")}, .max_message = 5, .events = "[1:12345]", .out = "text(12345)"},
    {"B27 control frames do not count", BOTH, {FRAME(0x89, "123456"), FRAME(0x81, "12345")}, .max_message = 5, .events = "ping(123456) [1:12345]", .out = "pong(123456) text(12345)"},

    {"B29 text inside a text message", BOTH, {FRAME(0x01, "ab"), FRAME(0x81, "cd")}, .events = "[1:ab", .out = "", INSIDE},
    {"B29 binary inside a text message", BOTH, {FRAME(0x01, "ab"), FRAME(0x02, "cd")}, .events = "[1:ab", .out = "", INSIDE},
    {"B29 text inside a message of an empty fragment", BOTH, {FRAME(0x02, ""), FRAME(0x81, "cd")}, .events = "", .out = "", INSIDE},

    {"B30 continuation of nothing", BOTH, {FRAME(0x80, "ab"), FRAME(0x81, "cd")}, NOTHING_BEFORE, NOTHING_OPEN},
    {"B30 continuation of nothing, not final", BOTH, {FRAME(0x00, "ab"), FRAME(0x80, "cd")}, NOTHING_BEFORE, NOTHING_OPEN},
    {"B30 continuation of a finished message", BOTH, {FRAME(0x81, "ab"), FRAME(0x80, "cd")}, .events = "[1:ab]", .out = "text(ab)", NOTHING_OPEN},
    {"B30 continuation of a finished fragmented message", BOTH, {FRAME(0x01, "ab"), FRAME(0x80, "cd"), FRAME(0x80, "")}, .events = "[1:abcd]", .out = "text(abcd)", NOTHING_OPEN},

    {"C34 as many fragments as allowed", BOTH, {FRAME(0x02, "a"), FRAME(0x00, "b"), FRAME(0x80, "c")}, .repeat = 2, .max_fragments = 4, .events = "[2:abbc]", .out = "binary(abbc)"},
    {"C34 one fragment more than allowed", BOTH, {FRAME(0x02, "a"), FRAME(0x00, "b"), FRAME(0x80, "c")}, .repeat = 3, .max_fragments = 4, .events = "[2:abbb", .out = "", TOO_MANY},
    {"C34 100,000 fragments of one byte", BOTH, {FRAME(0x01, "a"), FRAME(0x00, "b")}, .repeat = 100000, .events = "[1:<16384 bytes b2bb1dc6>", .out = "", TOO_MANY},
    {"C35 100,000 empty fragments", BOTH, {FRAME(0x01, ""), FRAME(0x00, "")}, .repeat = 100000, .events = "", .out = "", TOO_MANY},
    {"C35 empty fragments count", BOTH, {FRAME(0x02, ""), FRAME(0x00, ""), FRAME(0x80, "c")}, .repeat = 3, .max_fragments = 4, NOTHING_BEFORE, TOO_MANY},
    {"C36 pings between fragments", BOTH, {FRAME(0x01, "He"), FRAME(0x89, "1"), FRAME(0x00, "ll"), FRAME(0x89, "2"), FRAME(0x00, ""), FRAME(0x8a, "3"), FRAME(0x80, "o")}, .events = "[1:He ping(1) ll ping(2) pong(3) o]", .out = "pong(1) pong(2) text(Hello)"},
    {"C38 sum over the limit by one in the last fragment", BOTH, {FRAME(0x01, "ab"), FRAME(0x00, "cd"), FRAME(0x80, "ef")}, .max_message = 5, .events = "[1:abcd", .out = "", TOO_BIG},
    {"C38 sum of the limit itself is fine", BOTH, {FRAME(0x01, "ab"), FRAME(0x00, "cd"), FRAME(0x80, "e")}, .max_message = 5, .events = "[1:abcde]", .out = "text(abcde)"},
    {"C38 the next message counts from nothing", BOTH, {FRAME(0x01, "ab"), FRAME(0x80, "cde"), FRAME(0x02, "123"), FRAME(0x80, "45")}, .max_message = 5, .events = "[1:abcde] [2:12345]", .out = "text(abcde) binary(12345)"},
    {"C38 the next small message counts from nothing", BOTH, {FRAME(0x01, "ab"), FRAME(0x80, "cde"), FRAME(0x81, "12345")}, .max_message = 5, .events = "[1:abcde] [1:12345]", .out = "text(abcde) text(12345)"},

    {"D39 overlong", BOTH, {FRAME(0x81, "ab\xc0\xaf" "c")}, .events = "[1:ab", .out = "", BAD_TEXT},
    {"D39 surrogate", BOTH, {FRAME(0x81, "ab\xed\xa0\x80" "c")}, .events = "[1:ab\\xed", .out = "", BAD_TEXT},
    {"D39 above U+10FFFF", BOTH, {FRAME(0x81, "ab\xf4\x90\x80\x80")}, .events = "[1:ab\\xf4", .out = "", BAD_TEXT},
    {"D39 cut at the end of the message", BOTH, {FRAME(0x81, "ab\xe2\x82")}, .events = "[1:ab\\xe2", .out = "", BAD_TEXT},
    {"D39 cut at the end of a fragmented message", BOTH, {FRAME(0x01, "ab"), FRAME(0x80, "\xe2\x82")}, .events = "[1:ab\\xe2", .out = "", BAD_TEXT},
    {"D39 cut before an empty last fragment", BOTH, {FRAME(0x01, "ab\xe2"), FRAME(0x80, "")}, .events = "[1:ab\\xe2", .out = "", BAD_TEXT},
    {"D39 ASCII after a begun code point", BOTH, {FRAME(0x01, "ab\xe2"), FRAME(0x80, "cd")}, .events = "[1:ab\\xe2", .out = "", BAD_TEXT},
    {"D39 one bad byte alone", BOTH, {FRAME(0x81, "\xff")}, NOTHING_BEFORE, BAD_TEXT},
    {"D39 bad byte in a long text", BOTH, {FRAME(0x81, BIG BIG "\x80" BIG)}, .events = "[1:<250 bytes aaad476f>", .out = "", BAD_TEXT},
    {"D40 invalid byte in the first fragment", BOTH, {FRAME(0x01, "ab\xff"), FRAME(0x89, "ping"), FRAME(0x80, "cd")}, .events = "[1:ab", .out = "", BAD_TEXT},
    {"D40 invalid byte before the frame is whole", BOTH, {BEGUN(0x81, "ab\xff", 100)}, .events = "[1:ab", .out = "", BAD_TEXT},
    {"D41 code point over fragments", BOTH, {FRAME(0x01, "\xf0"), FRAME(0x00, "\x9f\x98"), FRAME(0x89, "x"), FRAME(0x80, "\x80!")}, .events = "[1:\\xf0\\x9f\\x98 ping(x) \\x80!]", .out = "pong(x) text(\\xf0\\x9f\\x98\\x80!)"},
    {"D41 code points of every length", BOTH, {FRAME(0x81, "a\xc2\x80\xdf\xbf\xe0\xa0\x80\xed\x9f\xbf\xef\xbf\xbf\xf0\x90\x80\x80\xf4\x8f\xbf\xbf")}, .events = "[1:a\\xc2\\x80\\xdf\\xbf\\xe0\\xa0\\x80\\xed\\x9f\\xbf\\xef\\xbf\\xbf\\xf0\\x90\\x80\\x80\\xf4\\x8f\\xbf\\xbf]", .out = "text(a\\xc2\\x80\\xdf\\xbf\\xe0\\xa0\\x80\\xed\\x9f\\xbf\\xef\\xbf\\xbf\\xf0\\x90\\x80\\x80\\xf4\\x8f\\xbf\\xbf)"},
    {"D42 NUL and BOM pass", BOTH, {FRAME(0x81, "\xef\xbb\xbf" "a\0b")}, .events = "[1:\\xef\\xbb\\xbfa\\x00b]", .out = "text(\\xef\\xbb\\xbfa\\x00b)"},
    {"D42 anything passes in binary and pings", BOTH, {FRAME(0x82, "\xff\xfe"), FRAME(0x89, "\xc0\x80")}, .events = "[2:\\xff\\xfe] ping(\\xc0\\x80)", .out = "binary(\\xff\\xfe) pong(\\xc0\\x80)"},
    {"D43 close reason that is not UTF-8", BOTH, {FRAME(0x88, "\x03\xe8" "ab\xff")}, NOTHING_BEFORE, BAD_REASON},
    {"D43 close reason cut inside a code point", BOTH, {FRAME(0x88, "\x03\xe8" "ab\xe2\x82")}, NOTHING_BEFORE, BAD_REASON},
    {"D43 close reason with a surrogate", BOTH, {FRAME(0x88, "\x03\xe8\xed\xa0\x80")}, NOTHING_BEFORE, BAD_REASON},

    {"E44 Close of one byte", BOTH, {FRAME(0x88, "\x03")}, NOTHING_BEFORE, HALF_CODE},
    {"E45 code 0", BOTH, {FRAME(0x88, "\x00\x00")}, NOTHING_BEFORE, BAD_CODE},
    {"E45 code 999", BOTH, {FRAME(0x88, "\x03\xe7")}, NOTHING_BEFORE, BAD_CODE},
    {"E45 code 1004", BOTH, {FRAME(0x88, "\x03\xec")}, NOTHING_BEFORE, BAD_CODE},
    {"E45 code 1005", BOTH, {FRAME(0x88, "\x03\xed")}, NOTHING_BEFORE, BAD_CODE},
    {"E45 code 1006", BOTH, {FRAME(0x88, "\x03\xee")}, NOTHING_BEFORE, BAD_CODE},
    {"E45 code 1015", BOTH, {FRAME(0x88, "\x03\xf7")}, NOTHING_BEFORE, BAD_CODE},
    {"E45 code 1016", BOTH, {FRAME(0x88, "\x03\xf8")}, NOTHING_BEFORE, BAD_CODE},
    {"E45 code 2999", BOTH, {FRAME(0x88, "\x0b\xb7")}, NOTHING_BEFORE, BAD_CODE},
    {"E45 code 5000", BOTH, {FRAME(0x88, "\x13\x88")}, NOTHING_BEFORE, BAD_CODE},
    {"E45 code 65535, with a reason", BOTH, {FRAME(0x88, "\xff\xff" "bye")}, NOTHING_BEFORE, BAD_CODE},
    {"E45 code 1000 is fine", BOTH, {FRAME(0x88, "\x03\xe8")}, .events = "close(1000)", .out = "close(1000)"},
    {"E45 code 1014 is fine", BOTH, {FRAME(0x88, "\x03\xf6" "gw")}, .events = "close(1014 gw)", .out = "close(1014)"},
    {"E45 code 3000 is fine", BOTH, {FRAME(0x88, "\x0b\xb8")}, .events = "close(3000)", .out = "close(3000)"},
    {"E45 code 4999 is fine", BOTH, {FRAME(0x88, "\x13\x87" "bye")}, .events = "close(4999 bye)", .out = "close(4999)"},
    {"E45 no code is fine", BOTH, {FRAME(0x88, "")}, .events = "close()", .out = "close()"},
    {"E46 data after a Close", BOTH, {FRAME(0x88, "\x03\xe8"), FRAME(0x81, "late"), FRAME(0x89, "late")}, .events = "close(1000)", .out = "close(1000)"},
    {"E46 garbage after a Close", BOTH, {FRAME(0x88, "\x03\xe9" "bye"), FRAME(0xff, "\xff\xff\xff")}, .events = "close(1001 bye)", .out = "close(1001)"},
    {"E46 data after a failure", BOTH, {FRAME(0x83, ""), FRAME(0x81, "late"), FRAME(0x88, "\x03\xe8")}, NOTHING_BEFORE, OPCODE},
    {"E46 Close inside a message", BOTH, {FRAME(0x01, "ab"), FRAME(0x88, "\x03\xe8"), FRAME(0x80, "cd")}, .events = "[1:ab close(1000)", .out = "close(1000)"},
    {"E49 ten Closes", BOTH, {FRAME(0x88, "\x03\xe8"), FRAME(0x88, "\x03\xe9")}, .repeat = 9, .events = "close(1000)", .out = "close(1000)"},
};
/* clang-format on */

/* B31: whatever it is, it ends in a verdict or in waiting, the same however it was cut. */
static void random_bytes(void **state)
{
    uint64_t seed = 7;

    (void)state;
    for (int round = 0; round < 600; round++) {
        uint8_t bytes[48];
        struct scenario scenario = {
            .name = "B31 random bytes",
            .role = round % 2 ? DX_ROLE_CLIENT : DX_ROLE_SERVER,
            .max_message = 300,
            .max_fragments = 3,
            .in = bytes,
            .in_len = 2 + (size_t)(round % (int)(sizeof(bytes) - 1)),
        };

        for (size_t i = 0; i < sizeof(bytes); i++) {
            seed = seed * 6364136223846793005u + 1442695040888963407u;
            bytes[i] = (uint8_t)(seed >> 56);
        }
        /* Most random bytes end at the first: give some a frame to begin with. */
        if (round % 4 != 0) {
            bytes[0] = (uint8_t)("\x01\x02\x81\x82\x89\x88"[round % 6]);
            bytes[1] = (uint8_t)((round % 2 ? 0 : 0x80) | (round % 13));
        }
        scenario_check(&scenario, NULL, NULL);
    }
}

static void print_counts(void **state)
{
    (void)state;
    if (scenario_is_writing_seeds())
        return;
    scenario_print_counts("hostile table");
    assert_true(scenario_counts.run_count >= 200000);
}

int main(int argc, char **argv)
{
    enum { ROW_COUNT = sizeof(rows) / sizeof(rows[0]) };
    static struct CMUnitTest tests[ROW_COUNT + 2];

    for (size_t i = 0; i < ROW_COUNT; i++)
        tests[i] = (struct CMUnitTest){.name = rows[i].name,
                                       .test_func = frame_row_test,
                                       .initial_state = (void *)(uintptr_t)&rows[i]};
    tests[ROW_COUNT] = (struct CMUnitTest){.name = "B31 random bytes", .test_func = random_bytes};
    tests[ROW_COUNT + 1] =
        (struct CMUnitTest){.name = "enough was tried", .test_func = print_counts};
    if (argc > 2 && strcmp(argv[1], "--seeds") == 0)
        scenario_write_seeds(argv[2]);
    return run_group(tests, NULL, NULL);
}
