/*
 * autobahn_test.c - the 247 cases of groups 1 to 7 and 10 of the Autobahn test suite, from their
 * published descriptions, through an echoing owner, for both roles.
 *
 * Where the suite writes in pieces of some size, every cut stands for it. Cases that it judges
 * leniently (a Close without a code, the peer just hanging up) are held here to the exact code.
 */
#include "support/test.h"
#include "support/ws/frame_row.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const enum dx_role roles[] = {DX_ROLE_SERVER, DX_ROLE_CLIENT};

/* clang-format off */
#define CLOSE_1000 FRAME(0x88, "\x03\xe8")
#define CLOSED "close(1000)"
#define FAILS(close_code, sentence) .code = (close_code), .detail = (sentence)
#define FE25 "\xfe\xfe\xfe\xfe\xfe\xfe\xfe\xfe\xfe\xfe\xfe\xfe\xfe\xfe\xfe\xfe\xfe\xfe\xfe\xfe\xfe\xfe\xfe\xfe\xfe"
#define FE125 FE25 FE25 FE25 FE25 FE25
#define SHOWN_25 "\\xfe\\xfe\\xfe\\xfe\\xfe\\xfe\\xfe\\xfe\\xfe\\xfe\\xfe\\xfe\\xfe\\xfe\\xfe\\xfe\\xfe\\xfe\\xfe\\xfe\\xfe\\xfe\\xfe\\xfe\\xfe"
#define SHOWN_125 SHOWN_25 SHOWN_25 SHOWN_25 SHOWN_25 SHOWN_25
#define R123 "012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789012"

#define RSV FAILS(1002, "a reserved bit is set and no extension gives it a meaning")
#define OPCODE FAILS(1002, "the opcode is reserved")
#define FRAGMENTED_CONTROL FAILS(1002, "a control frame is fragmented")
#define LONG_CONTROL FAILS(1002, "a control frame is longer than 125 bytes")
#define NOTHING_OPEN FAILS(1002, "a continuation frame continues no message")
#define INSIDE FAILS(1002, "a message begins inside another one")
#define BAD_TEXT FAILS(1007, "a text message is not UTF-8")
#define BAD_CODE FAILS(1002, "the close code must not be used")
#define NOTHING_BEFORE .events = "", .out = ""

#define HELLO_BEFORE .events = "[1:Hello, world!]", .out = "text(Hello, world!)"
#define FRAGMENTS_ECHOED .events = "[1:fragment1fragment2] " CLOSED, .out = "text(fragment1fragment2) " CLOSED
#define PONG_THEN_ECHO .events = "[1:fragment1 ping(ping payload) fragment2] " CLOSED, .out = "pong(ping payload) text(fragment1fragment2) " CLOSED
#define FIVE_FRAGMENTS .events = "[1:fragment1fragment2 ping(pongme 1!) fragment3fragment4 ping(pongme 2!) fragment5] " CLOSED, .out = "pong(pongme 1!) pong(pongme 2!) text(fragment1fragment2fragment3fragment4fragment5) " CLOSED
#define TEN_PINGS FRAME(0x89, "payload-0"), FRAME(0x89, "payload-1"), FRAME(0x89, "payload-2"), FRAME(0x89, "payload-3"), FRAME(0x89, "payload-4"), FRAME(0x89, "payload-5"), FRAME(0x89, "payload-6"), FRAME(0x89, "payload-7"), FRAME(0x89, "payload-8"), FRAME(0x89, "payload-9")
#define TEN(name) name "(payload-0) " name "(payload-1) " name "(payload-2) " name "(payload-3) " name "(payload-4) " name "(payload-5) " name "(payload-6) " name "(payload-7) " name "(payload-8) " name "(payload-9) "
#define MICRO "Hello-\xc2\xb5@\xc3\x9f\xc3\xb6\xc3\xa4"
#define MICRO_REST "\xc3\xbc\xc3\xa0\xc3\xa1-UTF-8!!"
#define MICRO_SHOWN "Hello-\\xc2\\xb5@\\xc3\\x9f\\xc3\\xb6\\xc3\\xa4\\xc3\\xbc\\xc3\\xa0\\xc3\\xa1-UTF-8!!"
#define KOSME "\xce\xba\xe1\xbd\xb9\xcf\x83\xce\xbc\xce\xb5"
#define KOSME_SHOWN "\\xce\\xba\\xe1\\xbd\\xb9\\xcf\\x83\\xce\\xbc\\xce\\xb5"
#define CODE(id, two_bytes, shown) {id, BOTH, {FRAME(0x88, two_bytes)}, .events = "close(" shown ")", .out = "close(" shown ")"}
#define BAD(id, two_bytes) {id, BOTH, {FRAME(0x88, two_bytes)}, NOTHING_BEFORE, BAD_CODE}

static const struct frame_row rows[] = {
    {"2.1", BOTH, {FRAME(0x89, ""), CLOSE_1000}, .events = "ping() " CLOSED, .out = "pong() " CLOSED},
    {"2.2", BOTH, {FRAME(0x89, "Hello, world!"), CLOSE_1000}, .events = "ping(Hello, world!) " CLOSED, .out = "pong(Hello, world!) " CLOSED},
    {"2.3", BOTH, {FRAME(0x89, "\x00\xff\xfe\xfd\xfc\xfb\x00\xff"), CLOSE_1000}, .events = "ping(\\x00\\xff\\xfe\\xfd\\xfc\\xfb\\x00\\xff) " CLOSED, .out = "pong(\\x00\\xff\\xfe\\xfd\\xfc\\xfb\\x00\\xff) " CLOSED},
    {"2.4", BOTH, {FRAME(0x89, FE125), CLOSE_1000}, .events = "ping(" SHOWN_125 ") " CLOSED, .out = "pong(<125 bytes f046f9d1>) " CLOSED},
    {"2.5", BOTH, {FRAME(0x89, FE125 "\xfe")}, NOTHING_BEFORE, LONG_CONTROL},
    {"2.6", BOTH, {FRAME(0x89, FE125), CLOSE_1000}, .events = "ping(" SHOWN_125 ") " CLOSED, .out = "pong(<125 bytes f046f9d1>) " CLOSED},
    {"2.7", BOTH, {FRAME(0x8a, ""), CLOSE_1000}, .events = "pong() " CLOSED, .out = CLOSED},
    {"2.8", BOTH, {FRAME(0x8a, "unsolicited pong payload"), CLOSE_1000}, .events = "pong(unsolicited pong payload) " CLOSED, .out = CLOSED},
    {"2.9", BOTH, {FRAME(0x8a, "unsolicited pong payload"), FRAME(0x89, "ping payload"), CLOSE_1000}, .events = "pong(unsolicited pong payload) ping(ping payload) " CLOSED, .out = "pong(ping payload) " CLOSED},
    {"2.10", BOTH, {TEN_PINGS, CLOSE_1000}, .events = TEN("ping") CLOSED, .out = TEN("pong") CLOSED},
    {"2.11", BOTH, {TEN_PINGS, CLOSE_1000}, .events = TEN("ping") CLOSED, .out = TEN("pong") CLOSED},

    {"3.1", BOTH, {FRAME(0x91, "Hello, world!")}, NOTHING_BEFORE, RSV},
    {"3.2", BOTH, {FRAME(0x81, "Hello, world!"), FRAME(0xa1, "Hello, world!"), FRAME(0x89, "")}, HELLO_BEFORE, RSV},
    {"3.3", BOTH, {FRAME(0x81, "Hello, world!"), FRAME(0xb1, "Hello, world!"), FRAME(0x89, "")}, HELLO_BEFORE, RSV},
    {"3.4", BOTH, {FRAME(0x81, "Hello, world!"), FRAME(0xc1, "Hello, world!"), FRAME(0x89, "")}, HELLO_BEFORE, RSV},
    {"3.5", BOTH, {FRAME(0xd2, "\x00\xff\xfe\xfd\xfc\xfb\x00\xff")}, NOTHING_BEFORE, RSV},
    {"3.6", BOTH, {FRAME(0xe2, "Hello, world!")}, NOTHING_BEFORE, RSV},
    {"3.7", BOTH, {FRAME(0xf8, "")}, NOTHING_BEFORE, RSV},

    {"4.1.1", BOTH, {FRAME(0x83, "")}, NOTHING_BEFORE, OPCODE},
    {"4.1.2", BOTH, {FRAME(0x84, "reserved opcode payload")}, NOTHING_BEFORE, OPCODE},
    {"4.1.3", BOTH, {FRAME(0x81, "Hello, world!"), FRAME(0x85, ""), FRAME(0x89, "")}, HELLO_BEFORE, OPCODE},
    {"4.1.4", BOTH, {FRAME(0x81, "Hello, world!"), FRAME(0x86, "Hello, world!"), FRAME(0x89, "")}, HELLO_BEFORE, OPCODE},
    {"4.1.5", BOTH, {FRAME(0x81, "Hello, world!"), FRAME(0x87, "Hello, world!"), FRAME(0x89, "")}, HELLO_BEFORE, OPCODE},
    {"4.2.1", BOTH, {FRAME(0x8b, "")}, NOTHING_BEFORE, OPCODE},
    {"4.2.2", BOTH, {FRAME(0x8c, "reserved opcode payload")}, NOTHING_BEFORE, OPCODE},
    {"4.2.3", BOTH, {FRAME(0x81, "Hello, world!"), FRAME(0x8d, ""), FRAME(0x89, "")}, HELLO_BEFORE, OPCODE},
    {"4.2.4", BOTH, {FRAME(0x81, "Hello, world!"), FRAME(0x8e, "Hello, world!"), FRAME(0x89, "")}, HELLO_BEFORE, OPCODE},
    {"4.2.5", BOTH, {FRAME(0x81, "Hello, world!"), FRAME(0x8f, "Hello, world!"), FRAME(0x89, "")}, HELLO_BEFORE, OPCODE},

    {"5.1", BOTH, {FRAME(0x09, "fragment1"), FRAME(0x80, "fragment2")}, NOTHING_BEFORE, FRAGMENTED_CONTROL},
    {"5.2", BOTH, {FRAME(0x0a, "fragment1"), FRAME(0x80, "fragment2")}, NOTHING_BEFORE, FRAGMENTED_CONTROL},
    {"5.3", BOTH, {FRAME(0x01, "fragment1"), FRAME(0x80, "fragment2"), CLOSE_1000}, FRAGMENTS_ECHOED},
    {"5.4", BOTH, {FRAME(0x01, "fragment1"), FRAME(0x80, "fragment2"), CLOSE_1000}, FRAGMENTS_ECHOED},
    {"5.5", BOTH, {FRAME(0x01, "fragment1"), FRAME(0x80, "fragment2"), CLOSE_1000}, FRAGMENTS_ECHOED},
    {"5.6", BOTH, {FRAME(0x01, "fragment1"), FRAME(0x89, "ping payload"), FRAME(0x80, "fragment2"), CLOSE_1000}, PONG_THEN_ECHO},
    {"5.7", BOTH, {FRAME(0x01, "fragment1"), FRAME(0x89, "ping payload"), FRAME(0x80, "fragment2"), CLOSE_1000}, PONG_THEN_ECHO},
    {"5.8", BOTH, {FRAME(0x01, "fragment1"), FRAME(0x89, "ping payload"), FRAME(0x80, "fragment2"), CLOSE_1000}, PONG_THEN_ECHO},
    {"5.9", BOTH, {FRAME(0x80, "non-continuation payload"), FRAME(0x81, "Hello, world!")}, NOTHING_BEFORE, NOTHING_OPEN},
    {"5.10", BOTH, {FRAME(0x80, "non-continuation payload"), FRAME(0x81, "Hello, world!")}, NOTHING_BEFORE, NOTHING_OPEN},
    {"5.11", BOTH, {FRAME(0x80, "non-continuation payload"), FRAME(0x81, "Hello, world!")}, NOTHING_BEFORE, NOTHING_OPEN},
    {"5.12", BOTH, {FRAME(0x00, "non-continuation payload"), FRAME(0x81, "Hello, world!")}, NOTHING_BEFORE, NOTHING_OPEN},
    {"5.13", BOTH, {FRAME(0x00, "non-continuation payload"), FRAME(0x81, "Hello, world!")}, NOTHING_BEFORE, NOTHING_OPEN},
    {"5.14", BOTH, {FRAME(0x00, "non-continuation payload"), FRAME(0x81, "Hello, world!")}, NOTHING_BEFORE, NOTHING_OPEN},
    {"5.15", BOTH, {FRAME(0x01, "fragment1"), FRAME(0x80, "fragment2"), FRAME(0x00, "fragment3"), FRAME(0x81, "fragment4")}, .events = "[1:fragment1fragment2]", .out = "text(fragment1fragment2)", NOTHING_OPEN},
    {"5.16", BOTH, {FRAME(0x00, "fragment1"), FRAME(0x01, "fragment2"), FRAME(0x80, "fragment3"), FRAME(0x00, "fragment4"), FRAME(0x01, "fragment5"), FRAME(0x80, "fragment6")}, NOTHING_BEFORE, NOTHING_OPEN},
    {"5.17", BOTH, {FRAME(0x80, "fragment1"), FRAME(0x01, "fragment2"), FRAME(0x80, "fragment3"), FRAME(0x80, "fragment4"), FRAME(0x01, "fragment5"), FRAME(0x80, "fragment6")}, NOTHING_BEFORE, NOTHING_OPEN},
    {"5.18", BOTH, {FRAME(0x01, "fragment1"), FRAME(0x81, "fragment2")}, .events = "[1:fragment1", .out = "", INSIDE},
    {"5.19", BOTH, {FRAME(0x01, "fragment1"), FRAME(0x00, "fragment2"), FRAME(0x89, "pongme 1!"), FRAME(0x00, "fragment3"), FRAME(0x00, "fragment4"), FRAME(0x89, "pongme 2!"), FRAME(0x80, "fragment5"), CLOSE_1000}, FIVE_FRAGMENTS},
    {"5.20", BOTH, {FRAME(0x01, "fragment1"), FRAME(0x00, "fragment2"), FRAME(0x89, "pongme 1!"), FRAME(0x00, "fragment3"), FRAME(0x00, "fragment4"), FRAME(0x89, "pongme 2!"), FRAME(0x80, "fragment5"), CLOSE_1000}, FIVE_FRAGMENTS},

    {"6.1.1", BOTH, {FRAME(0x81, ""), CLOSE_1000}, .events = "[1:] " CLOSED, .out = "text() " CLOSED},
    {"6.1.2", BOTH, {FRAME(0x01, ""), FRAME(0x00, ""), FRAME(0x80, ""), CLOSE_1000}, .events = "[1:] " CLOSED, .out = "text() " CLOSED},
    {"6.1.3", BOTH, {FRAME(0x01, ""), FRAME(0x00, "middle frame payload"), FRAME(0x80, ""), CLOSE_1000}, .events = "[1:middle frame payload] " CLOSED, .out = "text(middle frame payload) " CLOSED},
    {"6.2.1", BOTH, {FRAME(0x81, MICRO MICRO_REST), CLOSE_1000}, .events = "[1:" MICRO_SHOWN "] " CLOSED, .out = "text(" MICRO_SHOWN ") " CLOSED},
    {"6.2.2", BOTH, {FRAME(0x01, MICRO), FRAME(0x80, MICRO_REST), CLOSE_1000}, .events = "[1:" MICRO_SHOWN "] " CLOSED, .out = "text(" MICRO_SHOWN ") " CLOSED},
    {"6.3.1", BOTH, {FRAME(0x81, KOSME "\xed\xa0\x80\x65\x64\x69\x74\x65\x64")}, .events = "[1:" KOSME_SHOWN "\\xed", .out = "", BAD_TEXT},
    {"6.4.1", BOTH, {FRAME(0x01, KOSME), FRAME(0x00, "\xf4\x90\x80\x80"), FRAME(0x80, "\x65\x64\x69\x74\x65\x64")}, .events = "[1:" KOSME_SHOWN "\\xf4", .out = "", BAD_TEXT},
    {"6.4.2", BOTH, {FRAME(0x01, KOSME "\xf4"), FRAME(0x00, "\x90"), FRAME(0x80, "\x80\x80\x65\x64\x69\x74\x65\x64")}, .events = "[1:" KOSME_SHOWN "\\xf4", .out = "", BAD_TEXT},
    {"6.4.3", BOTH, {BEGUN(0x81, KOSME "\xf4\x90\x80\x80", 21)}, .events = "[1:" KOSME_SHOWN "\\xf4", .out = "", BAD_TEXT},
    {"6.4.4", BOTH, {BEGUN(0x81, KOSME "\xf4\x90", 21)}, .events = "[1:" KOSME_SHOWN "\\xf4", .out = "", BAD_TEXT},

    {"7.1.1", BOTH, {FRAME(0x81, "Hello World!"), CLOSE_1000}, .events = "[1:Hello World!] " CLOSED, .out = "text(Hello World!) " CLOSED},
    {"7.1.2", BOTH, {CLOSE_1000, FRAME(0x88, "")}, .events = CLOSED, .out = CLOSED},
    {"7.1.3", BOTH, {CLOSE_1000, FRAME(0x89, "")}, .events = CLOSED, .out = CLOSED},
    {"7.1.4", BOTH, {CLOSE_1000, FRAME(0x81, "Hello World!")}, .events = CLOSED, .out = CLOSED},
    {"7.1.5", BOTH, {FRAME(0x01, "fragment1"), CLOSE_1000, FRAME(0x80, "fragment2")}, .events = "[1:fragment1 " CLOSED, .out = CLOSED},
    {"7.3.1", BOTH, {FRAME(0x88, "")}, .events = "close()", .out = "close()"},
    {"7.3.2", BOTH, {FRAME(0x88, "a")}, NOTHING_BEFORE, FAILS(1002, "the body of a Close is one byte long")},
    {"7.3.3", BOTH, {CLOSE_1000}, .events = CLOSED, .out = CLOSED},
    {"7.3.4", BOTH, {FRAME(0x88, "\x03\xe8Hello World!")}, .events = "close(1000 Hello World!)", .out = CLOSED},
    {"7.3.5", BOTH, {FRAME(0x88, "\x03\xe8" R123)}, .events = "close(1000 " R123 ")", .out = CLOSED},
    {"7.3.6", BOTH, {FRAME(0x88, "\x03\xe8" R123 "3")}, NOTHING_BEFORE, LONG_CONTROL},
    {"7.5.1", BOTH, {FRAME(0x88, "\x03\xe8" KOSME "\xed\xa0\x80\x65\x64\x69\x74\x65\x64")}, NOTHING_BEFORE, FAILS(1007, "the close reason is not UTF-8")},
    CODE("7.7.1", "\x03\xe8", "1000"), CODE("7.7.2", "\x03\xe9", "1001"), CODE("7.7.3", "\x03\xea", "1002"),
    CODE("7.7.4", "\x03\xeb", "1003"), CODE("7.7.5", "\x03\xef", "1007"), CODE("7.7.6", "\x03\xf0", "1008"),
    CODE("7.7.7", "\x03\xf1", "1009"), CODE("7.7.8", "\x03\xf2", "1010"), CODE("7.7.9", "\x03\xf3", "1011"),
    CODE("7.7.10", "\x0b\xb8", "3000"), CODE("7.7.11", "\x0f\x9f", "3999"), CODE("7.7.12", "\x0f\xa0", "4000"),
    CODE("7.7.13", "\x13\x87", "4999"),
    BAD("7.9.1", "\x00\x00"), BAD("7.9.2", "\x03\xe7"), BAD("7.9.3", "\x03\xec"), BAD("7.9.4", "\x03\xed"),
    BAD("7.9.5", "\x03\xee"), BAD("7.9.6", "\x03\xf8"), BAD("7.9.7", "\x04\x4c"), BAD("7.9.8", "\x07\xd0"),
    BAD("7.9.9", "\x0b\xb7"), BAD("7.13.1", "\x13\x88"), BAD("7.13.2", "\xff\xff"),
};

/* One text frame each: valid ones are echoed, for the others the endpoint fails the connection. */
static const struct utf8_row {
    const char *name;
    bool is_valid;
    const char *hex;
} utf8_rows[] = {
    /* 6.5: some valid UTF-8 sequences */
    {"6.5.1", true, "68656c6c6f24776f726c64"}, {"6.5.2", true, "68656c6c6fc2a2776f726c64"},
    {"6.5.3", true, "68656c6c6fe282ac776f726c64"}, {"6.5.4", true, "68656c6c6ff0a4ada2776f726c64"},
    {"6.5.5", true, "cebae1bdb9cf83cebcceb5"},
    /* 6.6: all prefixes of a valid UTF-8 string that contains multi-byte code points */
    {"6.6.1", false, "ce"}, {"6.6.2", true, "ceba"}, {"6.6.3", false, "cebae1"}, {"6.6.4", false, "cebae1bd"},
    {"6.6.5", true, "cebae1bdb9"}, {"6.6.6", false, "cebae1bdb9cf"}, {"6.6.7", true, "cebae1bdb9cf83"},
    {"6.6.8", false, "cebae1bdb9cf83ce"}, {"6.6.9", true, "cebae1bdb9cf83cebc"},
    {"6.6.10", false, "cebae1bdb9cf83cebcce"}, {"6.6.11", true, "cebae1bdb9cf83cebcceb5"},
    /* 6.7: first possible sequence of a certain length */
    {"6.7.1", true, "00"}, {"6.7.2", true, "c280"}, {"6.7.3", true, "e0a080"}, {"6.7.4", true, "f0908080"},
    /* 6.8: first possible sequence length 5/6 (invalid codepoints) */
    {"6.8.1", false, "f888808080"}, {"6.8.2", false, "fc8480808080"},
    /* 6.9: last possible sequence of a certain length */
    {"6.9.1", true, "7f"}, {"6.9.2", true, "dfbf"}, {"6.9.3", true, "efbfbf"}, {"6.9.4", true, "f48fbfbf"},
    /* 6.10: last possible sequence length 4/5/6 (invalid codepoints) */
    {"6.10.1", false, "f7bfbfbf"}, {"6.10.2", false, "fbbfbfbfbf"}, {"6.10.3", false, "fdbfbfbfbfbf"},
    /* 6.11: other boundary conditions */
    {"6.11.1", true, "ed9fbf"}, {"6.11.2", true, "ee8080"}, {"6.11.3", true, "efbfbd"},
    {"6.11.4", true, "f48fbfbf"}, {"6.11.5", false, "f4908080"},
    /* 6.12: unexpected continuation bytes */
    {"6.12.1", false, "80"}, {"6.12.2", false, "bf"}, {"6.12.3", false, "80bf"}, {"6.12.4", false, "80bf80"},
    {"6.12.5", false, "80bf80bf"}, {"6.12.6", false, "80bf80bf80"}, {"6.12.7", false, "80bf80bf80bf"},
    {"6.12.8", false, "808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9fa0a1a2a3a4a5a6a7a8a9aaabacadaeafb0b1b2b3b4b5b6b7b8b9babbbcbdbe"},
    /* 6.13: lonely start characters */
   
    {"6.13.1", false, "c020c120c220c320c420c520c620c720c820c920ca20cb20cc20cd20ce20cf20d020d120d220d320d420d520d620d720d820d920da20db20dc20dd20de20"},
    {"6.13.2", false, "e020e120e220e320e420e520e620e720e820e920ea20eb20ec20ed20ee20"},
    {"6.13.3", false, "f020f120f220f320f420f520f620"}, {"6.13.4", false, "f820f920fa20"},
    {"6.13.5", false, "fc20"},
    /* 6.14: sequences with last continuation byte missing */
    {"6.14.1", false, "c0"}, {"6.14.2", false, "e080"}, {"6.14.3", false, "f08080"},
    {"6.14.4", false, "f8808080"}, {"6.14.5", false, "fc80808080"}, {"6.14.6", false, "df"},
    {"6.14.7", false, "efbf"}, {"6.14.8", false, "f7bfbf"}, {"6.14.9", false, "fbbfbfbf"},
    {"6.14.10", false, "fdbfbfbfbf"},
    /* 6.15: concatenation of incomplete sequences */
    {"6.15.1", false, "c0e080f08080f8808080fc80808080dfefbff7bfbffbbfbfbffdbfbfbfbf"},
    /* 6.16: impossible bytes */
    {"6.16.1", false, "fe"}, {"6.16.2", false, "ff"}, {"6.16.3", false, "fefeffff"},
    /* 6.17: examples of an overlong ASCII character */
    {"6.17.1", false, "c0af"}, {"6.17.2", false, "e080af"}, {"6.17.3", false, "f08080af"},
    {"6.17.4", false, "f8808080af"}, {"6.17.5", false, "fc80808080af"},
    /* 6.18: maximum overlong sequences */
    {"6.18.1", false, "c1bf"}, {"6.18.2", false, "e09fbf"}, {"6.18.3", false, "f08fbfbf"},
    {"6.18.4", false, "f887bfbfbf"}, {"6.18.5", false, "fc83bfbfbfbf"},
    /* 6.19: overlong representation of the NUL character */
    {"6.19.1", false, "c080"}, {"6.19.2", false, "e08080"}, {"6.19.3", false, "f0808080"},
    {"6.19.4", false, "f880808080"}, {"6.19.5", false, "fc8080808080"},
    /* 6.20: single UTF-16 surrogates */
    {"6.20.1", false, "eda080"}, {"6.20.2", false, "edadbf"}, {"6.20.3", false, "edae80"},
    {"6.20.4", false, "edafbf"}, {"6.20.5", false, "edb080"}, {"6.20.6", false, "edbe80"},
    {"6.20.7", false, "edbfbf"},
    /* 6.21: paired UTF-16 surrogates */
    {"6.21.1", false, "eda080edb080"}, {"6.21.2", false, "eda080edbfbf"}, {"6.21.3", false, "edadbfedb080"},
    {"6.21.4", false, "edadbfedbfbf"}, {"6.21.5", false, "edae80edb080"}, {"6.21.6", false, "edae80edbfbf"},
    {"6.21.7", false, "edafbfedb080"}, {"6.21.8", false, "edafbfedbfbf"},
    /* 6.22: non-character code points (valid UTF-8) */
    {"6.22.1", true, "efbfbe"}, {"6.22.2", true, "efbfbf"}, {"6.22.3", true, "f09fbfbe"},
    {"6.22.4", true, "f09fbfbf"}, {"6.22.5", true, "f0afbfbe"}, {"6.22.6", true, "f0afbfbf"},
    {"6.22.7", true, "f0bfbfbe"}, {"6.22.8", true, "f0bfbfbf"}, {"6.22.9", true, "f18fbfbe"},
    {"6.22.10", true, "f18fbfbf"}, {"6.22.11", true, "f19fbfbe"}, {"6.22.12", true, "f19fbfbf"},
    {"6.22.13", true, "f1afbfbe"}, {"6.22.14", true, "f1afbfbf"}, {"6.22.15", true, "f1bfbfbe"},
    {"6.22.16", true, "f1bfbfbf"}, {"6.22.17", true, "f28fbfbe"}, {"6.22.18", true, "f28fbfbf"},
    {"6.22.19", true, "f29fbfbe"}, {"6.22.20", true, "f29fbfbf"}, {"6.22.21", true, "f2afbfbe"},
    {"6.22.22", true, "f2afbfbf"}, {"6.22.23", true, "f2bfbfbe"}, {"6.22.24", true, "f2bfbfbf"},
    {"6.22.25", true, "f38fbfbe"}, {"6.22.26", true, "f38fbfbf"}, {"6.22.27", true, "f39fbfbe"},
    {"6.22.28", true, "f39fbfbf"}, {"6.22.29", true, "f3afbfbe"}, {"6.22.30", true, "f3afbfbf"},
    {"6.22.31", true, "f3bfbfbe"}, {"6.22.32", true, "f3bfbfbf"}, {"6.22.33", true, "f48fbfbe"},
    {"6.22.34", true, "f48fbfbf"},
    /* 6.23: unicode specials (i.e. replacement char) */
    {"6.23.1", true, "efbfb9"}, {"6.23.2", true, "efbfba"}, {"6.23.3", true, "efbfbb"},
    {"6.23.4", true, "efbfbc"}, {"6.23.5", true, "efbfbd"}, {"6.23.6", true, "efbfbe"},
    {"6.23.7", true, "efbfbf"},
};
/* clang-format on */

static unsigned case_count;

static void count_row(void **state)
{
    frame_row_test(state);
    case_count++;
}

static size_t from_hex(const char *hex, uint8_t *bytes)
{
    size_t len = strlen(hex) / 2;

    for (size_t i = 0; i < len; i++) {
        char digits[3] = {hex[2 * i], hex[2 * i + 1], '\0'};

        bytes[i] = (uint8_t)strtoul(digits, NULL, 16);
    }
    return len;
}

static void show(const uint8_t *bytes, size_t len, char *text)
{
    for (size_t i = 0; i < len; i++)
        text += sprintf(text, bytes[i] < 0x20 || bytes[i] > 0x7e ? "\\x%02x" : "%c", bytes[i]);
}

static void utf8_case(void **state)
{
    const struct utf8_row *row = *state;
    uint8_t payload[128], bytes[256];
    char shown[600] = "", events[700], out[700];
    size_t len = from_hex(row->hex, payload);
    struct frame_text text = {.first = 0x81, .payload = (const char *)payload, .len = len};
    struct frame_text closing = {.first = 0x88, .payload = "\x03\xe8", .len = 2};

    show(payload, len, shown);
    snprintf(events, sizeof(events), "[1:%s] close(1000)", shown);
    snprintf(out, sizeof(out), "text(%s) close(1000)", shown);
    for (size_t i = 0; i < 2; i++) {
        struct scenario scenario = {.name = row->name, .role = roles[i], .in = bytes};

        scenario.in_len = frame_text_write(&text, roles[i], bytes);
        scenario.in_len += frame_text_write(&closing, roles[i], bytes + scenario.in_len);
        scenario_check(&scenario, row->is_valid ? events : NULL,
                       row->is_valid ? out : "close(1007 a text message is not UTF-8)");
    }
    case_count++;
}

/*
 * A message of `len` bytes `fill`, in frames of `fragment` bytes (0: one frame), then Close 1000.
 */
static void check_long(const char *name, uint8_t opcode, char fill, size_t len, size_t fragment)
{
    char *payload = malloc(len + 1), events[100], out[100];
    uint8_t *bytes = malloc(len + 4096);
    uint32_t sum = 2166136261u;

    assert_true(payload != NULL && bytes != NULL);
    memset(payload, fill, len);
    for (size_t i = 0; i < len; i++)
        sum = (sum ^ (uint8_t)fill) * 16777619u;
    if (len > 0)
        snprintf(events, sizeof(events), "[%d:<%zu bytes %08x>] close(1000)", opcode, len, sum);
    else
        snprintf(events, sizeof(events), "[%d:] close(1000)", opcode);
    if (len > 0)
        snprintf(out, sizeof(out), "%s(<%zu bytes %08x>) close(1000)",
                 opcode == 1 ? "text" : "binary", len, sum);
    else
        snprintf(out, sizeof(out), "%s() close(1000)", opcode == 1 ? "text" : "binary");
    for (size_t i = 0; i < 2; i++) {
        struct scenario scenario = {.name = name, .role = roles[i], .in = bytes};
        struct frame_text closing = {.first = 0x88, .payload = "\x03\xe8", .len = 2};
        size_t step = fragment == 0 ? len : fragment, at = 0;

        do {
            struct frame_text frame = {.first = at == 0 ? opcode : 0, .payload = payload + at};

            frame.len = len - at < step ? len - at : step;
            at += frame.len;
            frame.first |= at == len ? 0x80 : 0;
            scenario.in_len += frame_text_write(&frame, roles[i], bytes + scenario.in_len);
        } while (at < len);
        scenario.in_len += frame_text_write(&closing, roles[i], bytes + scenario.in_len);
        scenario_check(&scenario, events, out);
    }
    free(payload);
    free(bytes);
    case_count++;
}

static void group_1(void **state)
{
    static const size_t sizes[8] = {0, 125, 126, 127, 128, 65535, 65536, 65536};

    (void)state;
    for (size_t i = 0; i < 8; i++) {
        check_long("1.1", DX_OP_TEXT, '*', sizes[i], 0);
        check_long("1.2", DX_OP_BINARY, '\xfe', sizes[i], 0);
    }
}

static void case_10_1_1(void **state)
{
    (void)state;
    check_long("10.1.1", DX_OP_TEXT, '*', 65536, 1300);
}

/* A text in fragments of one byte each and an empty last one. */
static void check_single_bytes(const char *name, const char *text, const char *events,
                               const char *out)
{
    size_t len = strlen(text);
    uint8_t bytes[1024];

    for (size_t i = 0; i < 2; i++) {
        struct scenario scenario = {.name = name, .role = roles[i], .in = bytes};
        struct frame_text closing = {.first = 0x88, .payload = "\x03\xe8", .len = 2};

        for (size_t at = 0; at <= len; at++) {
            struct frame_text frame = {.first =
                                           (uint8_t)((at == 0 ? 1 : 0) | (at == len ? 0x80 : 0)),
                                       .payload = text + at,
                                       .len = at < len};

            scenario.in_len += frame_text_write(&frame, roles[i], bytes + scenario.in_len);
        }
        scenario.in_len += frame_text_write(&closing, roles[i], bytes + scenario.in_len);
        scenario_check(&scenario, events, out);
    }
    case_count++;
}

static void single_byte_fragments(void **state)
{
    (void)state;
    check_single_bytes("6.2.3", MICRO MICRO_REST, "[1:" MICRO_SHOWN "] " CLOSED,
                       "text(" MICRO_SHOWN ") " CLOSED);
    check_single_bytes("6.2.4", KOSME, "[1:" KOSME_SHOWN "] " CLOSED,
                       "text(" KOSME_SHOWN ") " CLOSED);
    check_single_bytes("6.3.2", KOSME "\xed\xa0\x80\x65\x64\x69\x74\x65\x64",
                       "[1:" KOSME_SHOWN "\\xed fail(1007 a text message is not UTF-8)",
                       "close(1007 a text message is not UTF-8)");
}

/*
 * 7.1.6: 256 KiB, a text, a Close, a ping, all at once; the owner here is quick, so both are
 * echoed.
 */
static void case_7_1_6(void **state)
{
    static char text[256 * 1024];
    static uint8_t bytes[256 * 1024 + 100];
    uint32_t sum = 2166136261u;
    char events[200], out[200];

    (void)state;
    for (size_t i = 0; i < sizeof(text); i++) {
        text[i] = "BAsd7&jh23"[i % 10];
        sum = (sum ^ (uint8_t)text[i]) * 16777619u;
    }
    snprintf(events, sizeof(events), "[1:<262144 bytes %08x>] [1:Hello World!] close(1000)", sum);
    snprintf(out, sizeof(out), "text(<262144 bytes %08x>) text(Hello World!) close(1000)", sum);
    for (size_t i = 0; i < 2; i++) {
        struct scenario scenario = {.name = "7.1.6", .role = roles[i], .in = bytes};
        struct frame_text frames[] = {{.first = 0x81, .payload = text, .len = sizeof(text)},
                                      FRAME(0x81, "Hello World!"),
                                      CLOSE_1000,
                                      FRAME(0x89, "")};

        for (size_t n = 0; n < 4; n++)
            scenario.in_len += frame_text_write(&frames[n], roles[i], bytes + scenario.in_len);
        scenario_check(&scenario, events, out);
    }
    case_count++;
}

static void print_counts(void **state)
{
    (void)state;
    if (scenario_is_writing_seeds())
        return;
    scenario_print_counts("autobahn");
    print_message("autobahn: %u cases of 247, both roles\n", case_count);
    assert_int_equal(case_count, 247);
}

int main(int argc, char **argv)
{
    static const struct CMUnitTest others[] = {
        cmocka_unit_test(group_1),      cmocka_unit_test(single_byte_fragments),
        cmocka_unit_test(case_7_1_6),   cmocka_unit_test(case_10_1_1),
        cmocka_unit_test(print_counts),
    };
    enum {
        ROW_COUNT = sizeof(rows) / sizeof(rows[0]),
        UTF8_COUNT = sizeof(utf8_rows) / sizeof(utf8_rows[0]),
        OTHER_COUNT = sizeof(others) / sizeof(others[0]),
    };
    static struct CMUnitTest tests[ROW_COUNT + UTF8_COUNT + OTHER_COUNT];
    size_t count = 0;

    for (size_t i = 0; i < ROW_COUNT; i++)
        tests[count++] = (struct CMUnitTest){.name = rows[i].name,
                                             .test_func = count_row,
                                             .initial_state = (void *)(uintptr_t)&rows[i]};
    for (size_t i = 0; i < UTF8_COUNT; i++)
        tests[count++] = (struct CMUnitTest){.name = utf8_rows[i].name,
                                             .test_func = utf8_case,
                                             .initial_state = (void *)(uintptr_t)&utf8_rows[i]};
    memcpy(tests + count, others, sizeof(others));
    if (argc > 2 && strcmp(argv[1], "--seeds") == 0)
        scenario_write_seeds(argv[2]);
    return run_group(tests, NULL, NULL);
}
