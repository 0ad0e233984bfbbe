/*
 * range_test.c - which part a Range header asks for. Each row says why.
 */
#include "feed.h"

#include "http/range.h"

static struct dx_head head;

static void parse(const char *lines)
{
    static char text[16384];
    int len = snprintf(text, sizeof(text), "GET / HTTP/1.1\r\n%s\r\n", lines);

    assert_int_equal(feed(&head, DX_HEAD_REQUEST, text, (size_t)len), DX_HEAD_DONE);
}

static void assert_range(const char *lines, uint64_t len, enum dx_range_kind kind, uint64_t at,
                         uint64_t count, const char *why)
{
    uint64_t found_at = 7777, found_count = 7777;
    enum dx_range_kind found;

    parse(lines);
    found = dx_range_read(&head, len, &found_at, &found_count);
    if (kind != DX_RANGE_PART)
        at = count = 7777; /* untouched */
    if (found != kind || found_at != at || found_count != count)
        fail_msg("%s (%s): %d, %llu from %llu", lines, why, found, (unsigned long long)found_count,
                 (unsigned long long)found_at);
}

static void parts(void **state)
{
    static const struct {
        const char *value;
        uint64_t len;
        uint64_t at;
        uint64_t count;
        const char *why;
    } rows[] = {
        {"bytes=0-0", 10, 0, 1, "the first byte"},
        {"bytes=0-9", 10, 0, 10, "all, asked for as a part"},
        {"bytes=3-5", 10, 3, 3, "both ends count"},
        {"bytes=9-", 10, 9, 1, "open end, the last byte"},
        {"bytes=0-", 10, 0, 10, "open end, everything"},
        {"bytes=5-100", 10, 5, 5, "the end is cut to the length"},
        {"bytes=5-10", 10, 5, 5, "one beyond the end"},
        {"bytes=-1", 10, 9, 1, "the last byte"},
        {"bytes=-10", 10, 0, 10, "as many as there are"},
        {"bytes=-11", 10, 0, 10, "more than there are"},
        {"bytes=0-18446744073709551615", 10, 0, 10, "G68: last is 2^64 - 1"},
        {"bytes=0-18446744073709551616", 10, 0, 10, "G68: last is 2^64"},
        {"bytes=-18446744073709551616", 10, 0, 10, "G68: suffix of 2^64"},
        {"bytes=0-99999999999999999999999999999999999999999", 10, 0, 10, "G68: 41 digits"},
        {"bytes=18446744073709551613-18446744073709551614", UINT64_MAX, UINT64_MAX - 2, 2,
         "no wrap at the end of 64 bits"},
        {"BYTES=1-2", 10, 1, 2, "RFC 9110 14.1: unit names ignore case"},
        {"bytes= 1-2 ", 10, 1, 2, "blanks around a member"},
        {"bytes=,1-2,", 10, 1, 2, "empty members are no ranges"},
        {"bytes=000001-000002", 10, 1, 2, "leading zeros"},
    };
    char line[256];

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        (void)snprintf(line, sizeof(line), "Range: %s\r\n", rows[i].value);
        assert_range(line, rows[i].len, DX_RANGE_PART, rows[i].at, rows[i].count, rows[i].why);
    }
}

static void others(void **state)
{
    static const struct {
        const char *lines;
        uint64_t len;
        enum dx_range_kind kind;
        const char *why;
    } rows[] = {
        {"", 10, DX_RANGE_WHOLE, "no header"},
        {"Range: bytes=10-\r\n", 10, DX_RANGE_UNSATISFIABLE, "begins at the end"},
        {"Range: bytes=10-12\r\n", 10, DX_RANGE_UNSATISFIABLE, "begins at the end, closed"},
        {"Range: bytes=-0\r\n", 10, DX_RANGE_UNSATISFIABLE, "G68: bytes=-0"},
        {"Range: bytes=18446744073709551616-\r\n", 10, DX_RANGE_UNSATISFIABLE,
         "G68: first is 2^64"},
        {"Range: bytes=18446744073709551616-18446744073709551617\r\n", 10, DX_RANGE_UNSATISFIABLE,
         "G68: both beyond 64 bits"},
        {"Range: bytes=0-\r\n", 0, DX_RANGE_UNSATISFIABLE, "an empty file has no first byte"},
        {"Range: bytes=0-0\r\n", 0, DX_RANGE_UNSATISFIABLE, "an empty file has no first byte"},
        {"Range: bytes=-5\r\n", 0, DX_RANGE_WHOLE, "the last bytes of nothing are nothing"},
        {"Range: bytes=-0\r\n", 0, DX_RANGE_UNSATISFIABLE, "a suffix of nothing is none"},
        {"Range: bytes=5-4\r\n", 10, DX_RANGE_WHOLE, "ends before it begins: malformed"},
        {"Range: bytes=\r\n", 10, DX_RANGE_WHOLE, "no range"},
        {"Range: bytes=,,\r\n", 10, DX_RANGE_WHOLE, "only empty members"},
        {"Range: bytes=-\r\n", 10, DX_RANGE_WHOLE, "no number"},
        {"Range: bytes=5\r\n", 10, DX_RANGE_WHOLE, "no dash"},
        {"Range: bytes=--5\r\n", 10, DX_RANGE_WHOLE, "two dashes"},
        {"Range: bytes=1-2-3\r\n", 10, DX_RANGE_WHOLE, "three numbers"},
        {"Range: bytes=1 - 2\r\n", 10, DX_RANGE_WHOLE, "blanks inside"},
        {"Range: bytes=+1-2\r\n", 10, DX_RANGE_WHOLE, "a sign"},
        {"Range: bytes=0x1-2\r\n", 10, DX_RANGE_WHOLE, "not decimal"},
        {"Range: bytes=a-b\r\n", 10, DX_RANGE_WHOLE, "letters"},
        {"Range: bytes =1-2\r\n", 10, DX_RANGE_WHOLE, "a blank before ="},
        {"Range: byte=1-2\r\n", 10, DX_RANGE_WHOLE, "another unit"},
        {"Range: pages=1-2\r\n", 10, DX_RANGE_WHOLE, "another unit"},
        {"Range: 1-2\r\n", 10, DX_RANGE_WHOLE, "no unit"},
        {"Range: \"bytes=1-2\r\n", 10, DX_RANGE_WHOLE, "a quote"},
        {"Range: bytes=\"1-2\r\n", 10, DX_RANGE_WHOLE, "a quoted string that does not end"},
        {"Range: bytes=0-1,3-4\r\n", 10, DX_RANGE_WHOLE, "several"},
        {"Range: bytes=0-5,2-7\r\n", 10, DX_RANGE_WHOLE, "G68: overlapping"},
        {"Range: bytes=0-,0-,0-\r\n", 10, DX_RANGE_WHOLE, "G68: the whole, three times"},
        {"Range: bytes=0-1, x\r\n", 10, DX_RANGE_WHOLE, "several, one of them malformed"},
        {"Range: bytes=20-,30-\r\n", 10, DX_RANGE_WHOLE, "several, none satisfiable"},
        {"Range: bytes=0-1\r\nRange: bytes=3-4\r\n", 10, DX_RANGE_WHOLE, "two lines"},
        {"Range: bytes=0-1\r\nRange: bytes=0-1\r\n", 10, DX_RANGE_WHOLE, "two equal lines"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        assert_range(rows[i].lines, rows[i].len, rows[i].kind, 0, 0, rows[i].why);
}

static void thousand_ranges(void **state)
{
    static char lines[16000];
    size_t len = (size_t)sprintf(lines, "Range: bytes=0-0");

    (void)state;
    for (int i = 1; i < 1000; i++)
        len += (size_t)sprintf(lines + len, ",%d-", i);
    (void)strcpy(lines + len, "\r\n");
    assert_range(lines, 5000, DX_RANGE_WHOLE, 0, 0, "G68: 1000 ranges");
}

/* Every part of every length up to 12, against the definition. */
static void all_small_ranges(void **state)
{
    unsigned count = 0;

    (void)state;
    for (uint64_t len = 0; len <= 12; len++)
        for (uint64_t first = 0; first <= 14; first++)
            for (uint64_t last = first; last <= 14; last++) {
                uint64_t end = last + 1 < len ? last + 1 : len;
                char line[64];

                (void)snprintf(line, sizeof(line), "Range: bytes=%d-%d\r\n", (int)first, (int)last);
                if (first < len)
                    assert_range(line, len, DX_RANGE_PART, first, end - first, "exhaustive");
                else
                    assert_range(line, len, DX_RANGE_UNSATISFIABLE, 0, 0, "exhaustive");
                count++;
            }
    print_message("%u ranges, %u parses\n", count, feed_count);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parts),
        cmocka_unit_test(others),
        cmocka_unit_test(thousand_ranges),
        cmocka_unit_test(all_small_ranges),
    };

    return run_group(tests, NULL, NULL);
}
