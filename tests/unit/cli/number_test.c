/*
 * number_test.c - every spelling of durations, sizes, counts and ports that is one, and those that
 * are none.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "support/test.h"

#include "cli/options/number.h"

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

static const char not_a_duration[] = "not a duration (write 250ms, 5s or 2m; 5 is 5 seconds)";
static const char not_a_size[] = "not a size (write bytes, or 64K, 1M, 1G)";
static const char not_a_count[] = "not a number (write a whole number such as 100)";
static const char not_a_port[] = "not a port (write a number from 0 to 65535)";

static void reads_durations(void **state)
{
    static const struct {
        const char *text;
        uint64_t ms;
    } rows[] = {
        {"0", 0},        {"1", 1000},    {"250ms", 250},      {"0ms", 0},
        {"5s", 5000},    {"2m", 120000}, {"1h", 3600000},     {"0.5", 500},
        {"0.001", 1},    {"1.5s", 1500}, {"0.25m", 15000},    {"00012", 12000},
        {"0.500s", 500}, {"0.001m", 60}, {"168h", 604800000}, {"604800", 604800000},
        {"2.000ms", 2},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        uint64_t ms = 77;

        assert_null(cli_duration_parse(rows[i].text, &ms));
        assert_int_equal(ms, rows[i].ms);
    }
}

static void refuses_durations(void **state)
{
    static const struct {
        const char *text;
        const char *problem;
    } rows[] = {
        {"", not_a_duration},
        {"s", not_a_duration},
        {"-1", not_a_duration},
        {"+1", not_a_duration},
        {" 1", not_a_duration},
        {"1 s", not_a_duration},
        {"1S", not_a_duration},
        {"1sec", not_a_duration},
        {"1d", not_a_duration},
        {"1.", not_a_duration},
        {".5", not_a_duration},
        {"1.s", not_a_duration},
        {"0.0001", not_a_duration},
        {"1.5ms", not_a_duration},
        {"1e3", not_a_duration},
        {"0x10", not_a_duration},
        {"1,5", not_a_duration},
        {"1s1s", not_a_duration},
        {"18446744073709551616", not_a_duration},
        {"169h", "too long (at most 168h)"},
        {"604800.001", "too long (at most 168h)"},
        {"604800001ms", "too long (at most 168h)"},
        {"18446744073709551615h", "too long (at most 168h)"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        uint64_t ms = 77;
        const char *problem = cli_duration_parse(rows[i].text, &ms);

        assert_non_null(problem);
        assert_string_equal(problem, rows[i].problem);
        assert_int_equal(ms, 77);
    }
}

static void reads_sizes(void **state)
{
    static const struct {
        const char *text;
        uint64_t size;
    } rows[] = {
        {"0", 0},
        {"1", 1},
        {"64K", 65536},
        {"64k", 65536},
        {"1M", 1048576},
        {"1m", 1048576},
        {"1G", 1073741824},
        {"3g", 3221225472},
        {"18446744073709551615", UINT64_MAX},
        {"17179869183G", UINT64_C(17179869183) << 30},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        uint64_t size = 77;

        assert_null(cli_size_parse(rows[i].text, &size));
        assert_true(size == rows[i].size);
    }
}

static void refuses_sizes(void **state)
{
    static const char *const rows[] = {
        "", "K", "12Q", "1KB", "1KiB", "-1", "1.5M", "1 K", "0x1", "1T", "18446744073709551616"};
    static const char *const large[] = {"17179869184G", "18446744073709551615K"};
    uint64_t size = 77;

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++)
        assert_string_equal(cli_size_parse(rows[i], &size), not_a_size);
    for (size_t i = 0; i < COUNT(large); i++)
        assert_string_equal(cli_size_parse(large[i], &size), "too large (at most 17179869183G)");
    assert_true(size == 77);
}

static void reads_counts_and_ports(void **state)
{
    static const char *const bad[] = {"", "x", "1x", "-1", "1.0", " 1", "0x1"};
    uint64_t count = 0;
    uint16_t port = 0;

    (void)state;
    assert_null(cli_count_parse("4294967295", &count));
    assert_true(count == UINT32_MAX);
    assert_string_equal(cli_count_parse("4294967296", &count), "too large (at most 4294967295)");
    assert_null(cli_port_parse("65535", &port));
    assert_int_equal(port, 65535);
    assert_null(cli_port_parse("0", &port));
    assert_int_equal(port, 0);
    assert_string_equal(cli_port_parse("65536", &port), not_a_port);
    for (size_t i = 0; i < COUNT(bad); i++) {
        assert_string_equal(cli_count_parse(bad[i], &count), not_a_count);
        assert_string_equal(cli_port_parse(bad[i], &port), not_a_port);
    }
    assert_true(count == UINT32_MAX);
    assert_int_equal(port, 0);
}

static void prints_what_it_reads(void **state)
{
    static const struct {
        uint64_t ms;
        const char *text;
    } durations[] = {{0, "0s"},     {1, "1ms"},     {1000, "1s"},   {1500, "1500ms"},
                     {60000, "1m"}, {61000, "61s"}, {3600000, "1h"}};
    static const struct {
        uint64_t size;
        const char *text;
    } sizes[] = {{0, "0"},       {1, "1"},        {1024, "1K"},
                 {1025, "1025"}, {1048576, "1M"}, {UINT64_C(1) << 40, "1024G"}};
    char text[CLI_NUMBER_TEXT_MAX];

    (void)state;
    for (size_t i = 0; i < COUNT(durations); i++) {
        uint64_t ms = 77;

        cli_duration_print(durations[i].ms, text);
        assert_string_equal(text, durations[i].text);
        assert_null(cli_duration_parse(text, &ms));
        assert_int_equal(ms, durations[i].ms);
    }
    for (size_t i = 0; i < COUNT(sizes); i++) {
        uint64_t size = 77;

        cli_size_print(sizes[i].size, text);
        assert_string_equal(text, sizes[i].text);
        assert_null(cli_size_parse(text, &size));
        assert_true(size == sizes[i].size);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_durations),
        cmocka_unit_test(refuses_durations),
        cmocka_unit_test(reads_sizes),
        cmocka_unit_test(refuses_sizes),
        cmocka_unit_test(reads_counts_and_ports),
        cmocka_unit_test(prints_what_it_reads),
    };

    return run_group(tests, NULL, NULL);
}
