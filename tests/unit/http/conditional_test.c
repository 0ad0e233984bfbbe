/*
 * conditional_test.c - preconditions, in the order of RFC 9110 13.2.2. Each row says why.
 */
#include "feed.h"

#include "http/conditional.h"

#define NOW 1700000000
#define MODIFIED 784111777
#define DATE "Sun, 06 Nov 1994 08:49:37 GMT"
#define BEFORE "Sun, 06 Nov 1994 08:49:36 GMT"
#define AFTER "Sun, 06 Nov 1994 08:49:38 GMT"

static struct dx_head head;

static const struct dx_validators strong = {"\"a\\b\"", MODIFIED, true};
static const struct dx_validators weak = {"W/\"a\\b\"", MODIFIED, false};

static void parse(const char *lines)
{
    static char text[1024];
    int len = snprintf(text, sizeof(text), "GET / HTTP/1.1\r\n%s\r\n", lines);

    assert_int_equal(feed(&head, DX_HEAD_REQUEST, text, (size_t)len), DX_HEAD_DONE);
}

#define OK DX_CONDITION_HOLDS
#define SAME DX_CONDITION_NOT_MODIFIED
#define FAILED DX_CONDITION_FAILED

static const struct {
    const char *lines;
    enum dx_condition with_strong;
    enum dx_condition with_weak;
    const char *why;
} rows[] = {
    {"", OK, OK, "none"},
    {"If-None-Match: \"a\\b\"\r\n", SAME, SAME, "weak comparison; a backslash is no escape"},
    {"If-None-Match: W/\"a\\b\"\r\n", SAME, SAME, "weak comparison"},
    {"If-None-Match: \"x\", W/\"a\\b\"\r\n", SAME, SAME, "second of a list"},
    {"If-None-Match: \"x,y\",\"a\\b\"\r\n", SAME, SAME, "a comma inside a tag"},
    {"If-None-Match: ,, \"a\\b\" ,\r\n", SAME, SAME, "empty members"},
    {"If-None-Match: \"x\"\r\nIf-None-Match: \"a\\b\"\r\n", SAME, SAME, "second line"},
    {"If-None-Match: *\r\n", SAME, SAME, "anything that is there"},
    {"If-None-Match: \"\"\r\n", OK, OK, "the empty tag is another"},
    {"If-None-Match: \"a\"\r\n", OK, OK, "another tag"},
    {"If-None-Match: a\\b\r\n", OK, OK, "no quotes"},
    {"If-None-Match: \"a\\b\r\n", OK, OK, "no end"},
    {"If-None-Match: w/\"a\\b\"\r\n", OK, OK, "the W is a capital (8.8.3)"},
    {"If-None-Match: x, \"a\\b\"\r\n", OK, OK, "broken before the match"},
    {"If-None-Match: \"a\\b\", x\r\n", SAME, SAME, "broken behind the match"},
    {"If-None-Match:\r\n", OK, OK, "empty"},
    {"If-None-Match: \"x\"\r\nIf-Modified-Since: " DATE "\r\n", OK, OK,
     "the tag is asked, not the date"},
    {"If-Modified-Since: " DATE "\r\n", SAME, SAME, "that very date"},
    {"If-Modified-Since: " AFTER "\r\n", SAME, SAME, "not modified since"},
    {"If-Modified-Since: " BEFORE "\r\n", OK, OK, "modified a second later"},
    {"If-Modified-Since: Sunday, 06-Nov-94 08:49:37 GMT\r\n", SAME, SAME, "RFC 850's form"},
    {"If-Modified-Since: Sun Nov  6 08:49:37 1994\r\n", SAME, SAME, "asctime's form"},
    {"If-Modified-Since: yesterday\r\n", OK, OK, "no date"},
    {"If-Modified-Since: " DATE "\r\nIf-Modified-Since: " DATE "\r\n", OK, OK, "two dates"},
    {"If-Match: \"a\\b\"\r\n", OK, FAILED, "strong comparison: ours must be strong"},
    {"If-Match: W/\"a\\b\"\r\n", FAILED, FAILED, "strong comparison: theirs must be"},
    {"If-Match: \"x\", \"a\\b\"\r\n", OK, FAILED, "second of a list"},
    {"If-Match: *\r\n", OK, OK, "it is there"},
    {"If-Match: \"x\"\r\n", FAILED, FAILED, "another tag"},
    {"If-Match: nonsense\r\n", FAILED, FAILED, "what cannot be read is not held to match"},
    {"If-Match: \"x\"\r\nIf-None-Match: \"a\\b\"\r\n", FAILED, FAILED, "If-Match comes first"},
    {"If-Match: *\r\nIf-None-Match: \"a\\b\"\r\n", SAME, SAME, "both hold: 304"},
    {"If-Match: *\r\nIf-Unmodified-Since: " BEFORE "\r\n", OK, OK,
     "with If-Match the date is not asked"},
    {"If-Unmodified-Since: " DATE "\r\n", OK, OK, "that very date"},
    {"If-Unmodified-Since: " AFTER "\r\n", OK, OK, "unmodified since"},
    {"If-Unmodified-Since: " BEFORE "\r\n", FAILED, FAILED, "modified a second later"},
    {"If-Unmodified-Since: never\r\n", OK, OK, "no date"},
    {"If-Unmodified-Since: " BEFORE "\r\nIf-None-Match: \"a\\b\"\r\n", FAILED, FAILED,
     "412 comes before 304"},
    {"If-Unmodified-Since: " DATE "\r\nIf-Modified-Since: " DATE "\r\n", SAME, SAME,
     "both are judged"},
};

static void preconditions(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        enum dx_condition first, second;

        parse(rows[i].lines);
        first = dx_condition_judge(&head, &strong, NOW);
        second = dx_condition_judge(&head, &weak, NOW);
        if (first != rows[i].with_strong || second != rows[i].with_weak)
            fail_msg("%s (%s): %d, %d", rows[i].lines, rows[i].why, first, second);
    }
    print_message("%zu rows, %u parses\n", sizeof(rows) / sizeof(rows[0]), feed_count);
}

static void if_range(void **state)
{
    static const struct {
        const char *lines;
        bool with_strong;
        bool with_weak;
        const char *why;
    } ranges[] = {
        {"", true, true, "none: the range may be followed"},
        {"If-Range: \"a\\b\"\r\n", true, false, "strong comparison"},
        {"If-Range: W/\"a\\b\"\r\n", false, false, "a weak tag never does"},
        {"If-Range: \"x\"\r\n", false, false, "another tag"},
        {"If-Range: \"a\\b\", \"x\"\r\n", false, false, "not a list"},
        {"If-Range: *\r\n", false, false, "not a star"},
        {"If-Range: " DATE "\r\n", true, false, "that very date, if it is strong"},
        {"If-Range: " AFTER "\r\n", false, false, "exactly, not since"},
        {"If-Range: " BEFORE "\r\n", false, false, "exactly, not since"},
        {"If-Range: nonsense\r\n", false, false, "what cannot be read holds nothing"},
        {"If-Range:\r\n", false, false, "empty"},
        {"If-Range: \"a\\b\"\r\nIf-Range: \"a\\b\"\r\n", false, false, "twice"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(ranges) / sizeof(ranges[0]); i++) {
        parse(ranges[i].lines);
        if (dx_condition_if_range(&head, &strong, NOW) != ranges[i].with_strong ||
            dx_condition_if_range(&head, &weak, NOW) != ranges[i].with_weak)
            fail_msg("%s (%s)", ranges[i].lines, ranges[i].why);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(preconditions),
        cmocka_unit_test(if_range),
    };

    return run_group(tests, NULL, NULL);
}
