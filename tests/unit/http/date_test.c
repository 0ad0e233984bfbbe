/*
 * date_test.c - HTTP dates, against the C library's calendar.
 */
#include <stdlib.h>
#include <time.h>

#include "http/date.h"

#include "support/test.h"

#define NOW 1800000000 /* 2027-01-15 */

static void every_day_agrees_with_the_c_library(void **state)
{
    char text[DX_DATE_LEN + 1];
    char expected[64];
    int64_t read;
    unsigned count = 0;

    (void)state;
    /* Steps of a day less 4321 seconds, so that the hours change too; then the last days of all. */
    for (int64_t seconds = 0; seconds <= DX_DATE_MAX;
         seconds += seconds < 8000000000 ? 82079 : 86400 * 29) {
        time_t moment = (time_t)seconds;
        struct tm tm;

        assert_non_null(gmtime_r(&moment, &tm));
        assert_int_equal(strftime(expected, sizeof(expected), "%a, %d %b %Y %H:%M:%S GMT", &tm),
                         DX_DATE_LEN);
        dx_date_write(seconds, text);
        assert_string_equal(text, expected);
        assert_int_equal(dx_date_read(dx_slice_of(text), NOW, &read), DX_OK);
        assert_int_equal(read, seconds);
        count++;
    }
    assert_true(count > 97000);
}

static void the_ends(void **state)
{
    char text[DX_DATE_LEN + 1];

    (void)state;
    dx_date_write(-1, text);
    assert_string_equal(text, "Thu, 01 Jan 1970 00:00:00 GMT");
    dx_date_write(DX_DATE_MAX, text);
    assert_string_equal(text, "Fri, 31 Dec 9999 23:59:59 GMT");
    dx_date_write(INT64_MAX, text);
    assert_string_equal(text, "Fri, 31 Dec 9999 23:59:59 GMT");
}

static void the_three_forms(void **state)
{
    static const struct {
        const char *text;
        int64_t seconds;
    } rows[] = {
        {"Sun, 06 Nov 1994 08:49:37 GMT", 784111777},
        {"Sunday, 06-Nov-94 08:49:37 GMT", 784111777},
        {"Sun Nov  6 08:49:37 1994", 784111777},
        {"Wed Nov 16 08:49:37 1994", 784975777},
        {"Wednesday, 15-Jan-77 00:00:00 GMT", 3377894400},
        {"Saturday, 15-Jan-78 00:00:00 GMT", 253670400},
        {"Thu, 29 Feb 2024 23:59:60 GMT", 1709251200},
        {"Mon, 01 Jan 1900 00:00:00 GMT", -2208988800},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        int64_t seconds;

        assert_int_equal(dx_date_read(dx_slice_of(rows[i].text), NOW, &seconds), DX_OK);
        assert_int_equal(seconds, rows[i].seconds);
    }
}

static void what_is_no_date(void **state)
{
    static const char *const texts[] = {"",
                                        "Sun",
                                        "Sun, 06 Nov 1994 08:49:37",
                                        "Sun, 06 Nov 1994 08:49:37 UTC",
                                        "Sun, 06 Nov 1994 08:49:37 GMT ",
                                        "sun, 06 Nov 1994 08:49:37 GMT",
                                        "Sun, 6 Nov 1994 08:49:37 GMT",
                                        "Sun, 06 Nox 1994 08:49:37 GMT",
                                        "Sun, 00 Nov 1994 08:49:37 GMT",
                                        "Sun, 31 Nov 1994 08:49:37 GMT",
                                        "Sun, 29 Feb 2023 08:49:37 GMT",
                                        "Sun, 06 Nov 1994 24:00:00 GMT",
                                        "Sun, 06 Nov 1994 08:60:00 GMT",
                                        "Sun, 06 Nov 1994 08:49:61 GMT",
                                        "Sun, 0x Nov 1994 08:49:37 GMT",
                                        "Sun; 06 Nov 1994 08:49:37 GMT",
                                        "Sun, 06-Nov 1994 08:49:37 GMT",
                                        "Sun, 06 Nov-1994 08:49:37 GMT",
                                        "Sun, 06 Nov 1994-08:49:37 GMT",
                                        "Sun, 06 Nov 1994 0x:49:37 GMT",
                                        "Sun, 06 Nov 1994 08-49:37 GMT",
                                        "Sun, 06 Nov 1994 08:x9:37 GMT",
                                        "Sun, 06 Nov 1994 08:49-37 GMT",
                                        "Sun, 06 Nov 1994 08:49:3x GMT",
                                        "Sunday, x6-Nov-94 08:49:37 GMT",
                                        "Sunday, 06-Nox-94 08:49:37 GMT",
                                        "Sunday, 06-Nov 94 08:49:37 GMT",
                                        "Sunday, 06-Nov-x4 08:49:37 GMT",
                                        "Sunday, 06-Nov-94x08:49:37 GMT",
                                        "Sunday, 06-Nov-94 08:49:x7 GMT",
                                        "Sunday, 06-Nov-94 08:49:37 UTC",
                                        "Someday, 06-Nov-94 08:49:37 GMT",
                                        "Sunday 06-Nov-94 08:49:37 GMT",
                                        "Sun Nox  6 08:49:37 1994",
                                        "Sun Nov16 08:49:37 1994",
                                        "Sun Nov xx 08:49:37 1994",
                                        "Sun Nov  x 08:49:37 1994",
                                        "Sun Nov  6x08:49:37 1994",
                                        "Sun Nov  6 08:49:x7 1994",
                                        "Sun Nov  6 08:49:37x1994",
                                        "Sun Nov  6 08:49:37 199x",
                                        "Sun, 06 Nov 94 08:49:37 GMT",
                                        "Sunday, 06 Nov 94 08:49:37 GMT",
                                        "Sunday, 06-Nov-1994 08:49:37 GMT",
                                        "Sun Nov 6 08:49:37 1994",
                                        "Sun Nov  6 08:49:37 1994 GMT",
                                        "Sun, 06 Nov -994 08:49:37 GMT",
                                        "Sun, 06 Nov 0000 08:49:37 GMT"};
    int64_t seconds = 4711;

    (void)state;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        if (dx_date_read(dx_slice_of(texts[i]), NOW, &seconds) != DX_ERR_PROTOCOL)
            fail_msg("%s", texts[i]);
    assert_int_equal(seconds, 4711);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_day_agrees_with_the_c_library),
        cmocka_unit_test(the_ends),
        cmocka_unit_test(the_three_forms),
        cmocka_unit_test(what_is_no_date),
    };

    return run_group(tests, NULL, NULL);
}
