/*
 * chunked_test.c - chunked bodies, good and bad, each whole, byte by byte and cut at each position:
 * one outcome, one body, and what stands behind it untouched. RFC 9112 section 7.1; row 69.
 */
#include "http/chunked.h"

#include <stdio.h>
#include <stdlib.h>

#include "support/test.h"

#define BEHIND "GET / HTTP/1.1\r\n"
#define BODY_ROOM 70000

struct outcome {
    enum dx_chunked_step step;
    const char *detail;
    char body[BODY_ROOM];
    size_t body_len;
    size_t used;
};

static size_t feed_count;

/* Each portion in memory of its own. */
static void feed_portion(struct dx_chunked *chunked, const char *text, size_t len,
                         struct outcome *outcome)
{
    uint8_t *copy = malloc(len + 1);
    struct dx_slice input = {copy, len};
    struct dx_slice data;

    assert_non_null(copy);
    memcpy(copy, text, len);
    while ((outcome->step = dx_chunked_next(chunked, &input, &data)) == DX_CHUNKED_DATA) {
        assert_true(data.len > 0);
        memcpy(outcome->body + outcome->body_len, data.data, data.len);
        outcome->body_len += data.len;
    }
    outcome->used += len - input.len;
    outcome->detail = chunked->detail;
    free(copy);
}

/* `cut` 0: byte by byte. */
static void feed(const char *text, size_t len, size_t cut, struct outcome *outcome)
{
    struct dx_chunked chunked = {0};
    size_t at = 0;

    outcome->step = DX_CHUNKED_MORE;
    outcome->body_len = outcome->used = 0;
    feed_count++;
    while (at < len && outcome->step == DX_CHUNKED_MORE) {
        size_t now = cut == 0 ? 1 : at == 0 ? cut : len - at;

        feed_portion(&chunked, text + at, now, outcome);
        at += now;
    }
}

static void feed_all_ways(const char *text, size_t len, struct outcome *whole)
{
    static struct outcome other;
    size_t step = len > 2000 ? 97 : 1;

    feed(text, len, len, whole);
    for (size_t cut = 0; cut < len; cut += step) {
        feed(text, len, cut, &other);
        assert_int_equal(other.step, whole->step);
        assert_int_equal(other.body_len, whole->body_len);
        assert_memory_equal(other.body, whole->body, whole->body_len);
        if (whole->step != DX_CHUNKED_BAD)
            assert_int_equal(other.used, whole->used);
        else
            assert_string_equal(other.detail, whole->detail);
    }
}

static void test_good_bodies(void **state)
{
    static const struct {
        const char *text;
        const char *body;
    } table[] = {
        {"0\r\n\r\n", ""},
        {"5\r\nhello\r\n0\r\n\r\n", "hello"},
        {"5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n", "hello world"},
        {"A\r\n0123456789\r\n0\r\n\r\n", "0123456789"},
        {"a\r\n0123456789\r\n00\r\n\r\n", "0123456789"},
        {"0000000000000005\r\nhello\r\n0000\r\n\r\n", "hello"},
        {"5;a\r\nhello\r\n0\r\n\r\n", "hello"},
        {"5;a=b;c=\"d\\\"e\"\r\nhello\r\n0;last\r\n\r\n", "hello"},
        {"5 ;\ta\r\nhello\r\n0\r\n\r\n", "hello"},
        {"5\r\n\r\n\r\n\r\r\n0\r\n\r\n", "\r\n\r\n\r"},
        {"1\r\nx\r\n0\r\nX-Sum: 1\r\nB:\r\n\r\n", "x"},
    };
    static struct outcome outcome;

    (void)state;
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        char text[256];
        size_t len = (size_t)snprintf(text, sizeof(text), "%s" BEHIND, table[i].text);

        feed_all_ways(text, len, &outcome);
        if (outcome.step != DX_CHUNKED_DONE)
            fail_msg("%s: %s", table[i].text, outcome.detail);
        assert_int_equal(outcome.used, strlen(table[i].text));
        assert_int_equal(outcome.body_len, strlen(table[i].body));
        assert_memory_equal(outcome.body, table[i].body, outcome.body_len);
    }
    print_message("%zu parses\n", feed_count);
}

static void test_bad_bodies(void **state)
{
    static const char *const table[] = {
        "\r\n",
        "x\r\n",
        "-5\r\nhello\r\n0\r\n\r\n",
        "+5\r\nhello\r\n0\r\n\r\n",
        "0x5\r\nhello\r\n0\r\n\r\n",
        " 5\r\nhello\r\n0\r\n\r\n",
        "5 \r\nhello\r\n0\r\n\r\n",
        "5 x\r\nhello\r\n0\r\n\r\n",
        "5\nhello\r\n0\r\n\r\n",
        "5\rhello\r\n0\r\n\r\n",
        "5\r\nhello0\r\n\r\n",
        "5\r\nhello\n0\r\n\r\n",
        "5\r\nhello\rx0\r\n\r\n",
        "5\r\nhelloX\r\n0\r\n\r\n",
        "5;a\nhello\r\n0\r\n\r\n",
        "5;a\rb\r\nhello\r\n0\r\n\r\n",
        "5;a\x01\r\nhello\r\n0\r\n\r\n",
        "5;a\x7f\r\nhello\r\n0\r\n\r\n",
        "0\r\nX\r\n\r\n",
        "0\r\n: x\r\n\r\n",
        "0\r\nX : y\r\n\r\n",
        "0\r\n folded\r\n\r\n",
        "0\r\nX: a\nY: b\r\n\r\n",
        "0\r\nX: a\x01\r\n\r\n",
        "0\r\nX: a\rY\r\n\r\n",
        "0\r\n\rX",
        "0\r\n\n",
        "8000000000000000\r\n",
        "FFFFFFFFFFFFFFFF\r\n",
        "10000000000000000\r\n",
        "00000000000000005\r\nhello\r\n0\r\n\r\n",
    };
    static struct outcome outcome;

    (void)state;
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        feed_all_ways(table[i], strlen(table[i]), &outcome);
        if (outcome.step != DX_CHUNKED_BAD)
            fail_msg("%s is taken", table[i]);
        assert_non_null(outcome.detail);
    }
    print_message("%zu parses\n", feed_count);
}

/* The largest size that is taken, and the sum of extensions, also when each is short. */
static void test_limits(void **state)
{
    static char text[40000];
    static struct outcome outcome;
    size_t len;

    (void)state;
    feed("7fffffffffffffff\r\n", 18, 18, &outcome);
    assert_int_equal(outcome.step, DX_CHUNKED_MORE);
    for (size_t extra = 0; extra < 2; extra++) {
        size_t all = DX_CHUNKED_EXTENSIONS_MAX + extra;

        len = (size_t)sprintf(text, "1;");
        memset(text + len, 'e', all);
        len += all;
        len += (size_t)sprintf(text + len, "\r\nx\r\n0\r\n\r\n");
        feed_all_ways(text, len, &outcome);
        assert_int_equal(outcome.step, extra ? DX_CHUNKED_BAD : DX_CHUNKED_DONE);
        all = DX_CHUNKED_TRAILERS_MAX + extra - strlen("X:\r\n\r\n");
        len = (size_t)sprintf(text, "0\r\nX:");
        memset(text + len, 't', all);
        len += all;
        len += (size_t)sprintf(text + len, "\r\n\r\n");
        feed_all_ways(text, len, &outcome);
        assert_int_equal(outcome.step, extra ? DX_CHUNKED_BAD : DX_CHUNKED_DONE);
    }
    len = 0;
    for (int i = 0; i < 3000; i++)
        len += (size_t)sprintf(text + len, "1;ab\r\nx\r\n");
    feed_all_ways(text, len, &outcome);
    assert_int_equal(outcome.step, DX_CHUNKED_BAD);
    assert_string_equal(outcome.detail, "too many chunk extensions");
}

static void test_announced(void **state)
{
    struct dx_chunked chunked = {0};
    struct dx_slice input = dx_slice_of("5\r"), data;

    (void)state;
    assert_int_equal(dx_chunked_next(&chunked, &input, &data), DX_CHUNKED_MORE);
    assert_int_equal(dx_chunked_announced(&chunked), 0);
    input = dx_slice_of("\n");
    assert_int_equal(dx_chunked_next(&chunked, &input, &data), DX_CHUNKED_MORE);
    assert_int_equal(dx_chunked_announced(&chunked), 5);
    input = dx_slice_of("he");
    assert_int_equal(dx_chunked_next(&chunked, &input, &data), DX_CHUNKED_DATA);
    assert_int_equal(dx_chunked_announced(&chunked), 3);
    input = dx_slice_of("llo\r\n");
    assert_int_equal(dx_chunked_next(&chunked, &input, &data), DX_CHUNKED_DATA);
    assert_int_equal(dx_chunked_announced(&chunked), 0);
}

static void test_written_heads_are_read(void **state)
{
    static const uint64_t lens[] = {1,    9,    10,         15,         16,
                                    4095, 4096, UINT32_MAX, 1ull << 40, INT64_MAX};

    (void)state;
    for (size_t i = 0; i < sizeof(lens) / sizeof(lens[0]); i++) {
        struct dx_chunked chunked = {0};
        char head[DX_CHUNKED_HEAD_ROOM];
        struct dx_slice data, input = {(uint8_t *)head, dx_chunked_write_head(head, lens[i])};

        assert_true(input.len <= sizeof(head));
        assert_int_equal(dx_chunked_next(&chunked, &input, &data), DX_CHUNKED_MORE);
        assert_true(dx_chunked_announced(&chunked) == lens[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_good_bodies),
        cmocka_unit_test(test_bad_bodies),
        cmocka_unit_test(test_limits),
        cmocka_unit_test(test_announced),
        cmocka_unit_test(test_written_heads_are_read),
    };

    return run_group(tests, NULL, NULL);
}
