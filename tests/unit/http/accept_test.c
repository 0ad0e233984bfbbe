/*
 * accept_test.c - Accept-Encoding: weights, names, "*". Each row says why.
 */
#include "feed.h"

#include "http/accept.h"

static struct dx_head head;

static void weights(void **state)
{
    static const struct {
        const char *lines;
        struct dx_codings expected; /* br, gzip, identity, refuses_identity */
        const char *why;
    } rows[] = {
        {"", {0, 0, 0, false}, "no header: the bytes as they are"},
        {"Accept-Encoding:\r\n", {0, 0, 0, false}, "empty: identity alone"},
        {"Accept-Encoding: gzip\r\n", {0, 1000, 0, false}, "no weight is 1"},
        {"Accept-Encoding: gzip, deflate, br, zstd\r\n", {1000, 1000, 0, false}, "a browser's"},
        {"Accept-Encoding: GZIP, Br\r\n", {1000, 1000, 0, false}, "names ignore case"},
        {"Accept-Encoding: x-gzip\r\n", {0, 1000, 0, false}, "RFC 9110 8.4.1.3"},
        {"Accept-Encoding: gzip\r\nAccept-Encoding: br\r\n", {1000, 1000, 0, false}, "two lines"},
        {"Accept-Encoding: br;q=0.5, gzip;q=0.75\r\n", {500, 750, 0, false}, "weights"},
        {"Accept-Encoding: br ; q=0.5 ,gzip;Q=1.000\r\n", {500, 1000, 0, false}, "blanks, case"},
        {"Accept-Encoding: br;q=0, gzip;q=0.001\r\n", {0, 1, 0, false}, "not, and hardly"},
        {"Accept-Encoding: br;q=0.000\r\n", {0, 0, 0, false}, "zero in full"},
        {"Accept-Encoding: br;q=1.\r\n", {1000, 0, 0, false}, "a point without decimals"},
        {"Accept-Encoding: br;q=1.001\r\n", {0, 0, 0, false}, "above 1: no member"},
        {"Accept-Encoding: br;q=0.1234\r\n", {0, 0, 0, false}, "four decimals: no member"},
        {"Accept-Encoding: br;q=2, gzip\r\n", {0, 1000, 0, false}, "the others stay"},
        {"Accept-Encoding: br;q=-1\r\n", {0, 0, 0, false}, "a sign"},
        {"Accept-Encoding: br;q=\r\n", {0, 0, 0, false}, "no weight"},
        {"Accept-Encoding: br;q\r\n", {0, 0, 0, false}, "no weight"},
        {"Accept-Encoding: br;q=0,5\r\n", {0, 0, 0, false}, "a comma is no point: br;q=0"},
        {"Accept-Encoding: br;q=.5\r\n", {0, 0, 0, false}, "no digit before the point"},
        {"Accept-Encoding: br;q=0x1\r\n", {0, 0, 0, false}, "not decimal"},
        {"Accept-Encoding: br;level=5\r\n", {0, 0, 0, false}, "another parameter"},
        {"Accept-Encoding: *\r\n", {1000, 1000, 1000, false}, "everything"},
        {"Accept-Encoding: *;q=0.5, gzip\r\n", {500, 1000, 500, false}, "the rest, less"},
        {"Accept-Encoding: *;q=0\r\n", {0, 0, 0, true}, "nothing at all"},
        {"Accept-Encoding: gzip, *;q=0\r\n", {0, 1000, 0, true}, "gzip alone"},
        {"Accept-Encoding: identity, *;q=0\r\n", {0, 0, 1000, false}, "identity alone"},
        {"Accept-Encoding: identity;q=0\r\n", {0, 0, 0, true}, "anything but that"},
        {"Accept-Encoding: identity;q=0.0, br\r\n", {1000, 0, 0, true}, "anything but that"},
        {"Accept-Encoding: identity;q=0, *\r\n", {1000, 1000, 0, true}, "named before *"},
        {"Accept-Encoding: gzip;q=0.2, identity;q=0.8\r\n", {0, 200, 800, false}, "rather not"},
        {"Accept-Encoding: brotli, gzipped\r\n", {0, 0, 0, false}, "other names"},
        {"Accept-Encoding: ;q=1, gzip\r\n", {0, 1000, 0, false}, "a member without name"},
        {"Accept-Encoding: br, \"\r\n", {1000, 0, 0, false}, "broken behind it"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char text[256];
        int len = snprintf(text, sizeof(text), "GET / HTTP/1.1\r\n%s\r\n", rows[i].lines);
        struct dx_codings found;

        assert_int_equal(feed(&head, DX_HEAD_REQUEST, text, (size_t)len), DX_HEAD_DONE);
        dx_codings_read(&head, &found);
        if (found.br != rows[i].expected.br || found.gzip != rows[i].expected.gzip ||
            found.identity != rows[i].expected.identity ||
            found.refuses_identity != rows[i].expected.refuses_identity)
            fail_msg("%s (%s): br %u gzip %u identity %u %d", rows[i].lines, rows[i].why, found.br,
                     found.gzip, found.identity, found.refuses_identity);
    }
    print_message("%zu rows, %u parses\n", sizeof(rows) / sizeof(rows[0]), feed_count);
}

static void preference(void **state)
{
    const struct dx_codings unsaid = {.gzip = 1}, less = {.gzip = 200, .identity = 800};
    const struct dx_codings same = {.gzip = 500, .identity = 500};

    (void)state;
    assert_true(dx_codings_prefer(&unsaid, unsaid.gzip));
    assert_false(dx_codings_prefer(&unsaid, unsaid.br));
    assert_false(dx_codings_prefer(&less, less.gzip));
    assert_true(dx_codings_prefer(&same, same.gzip));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(weights),
        cmocka_unit_test(preference),
    };

    return run_group(tests, NULL, NULL);
}
