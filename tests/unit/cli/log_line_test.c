/*
 * log_line_test.c - the exact bytes of a line, its limit, and that no value can break out of its
 * place.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/test.h"

#include "cli/log/log_line.h"

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))
#define FIELD(name, value)                                                                         \
 {                                                                                                 \
  name, value, sizeof(value) - 1                                                                   \
 }

static const struct timespec now = {.tv_sec = 1795244400, .tv_nsec = 123999999};

static const char *format(enum cli_log_format kind, bool colour, enum dx_log_level level,
                          const char *message, const struct dx_log_field *fields, size_t count)
{
    static struct cli_log_line line;
    static char text[CLI_LOG_LINE_MAX + 1];

    cli_log_line_format(&line, kind, colour, &now, level, message, fields, count);
    assert_true(line.len <= CLI_LOG_LINE_MAX);
    memcpy(text, line.text, line.len);
    text[line.len] = '\0';
    return text;
}

static void writes_levels(void **state)
{
    (void)state;
    assert_string_equal(format(CLI_LOG_TEXT, false, DX_LOG_ERROR, "m", NULL, 0),
                        "2026-11-21T07:00:00.123Z error m\n");
    assert_string_equal(format(CLI_LOG_TEXT, false, DX_LOG_WARN, "m", NULL, 0),
                        "2026-11-21T07:00:00.123Z warn  m\n");
    assert_string_equal(format(CLI_LOG_TEXT, false, DX_LOG_INFO, "m n", NULL, 0),
                        "2026-11-21T07:00:00.123Z info  m n\n");
    assert_string_equal(format(CLI_LOG_TEXT, true, DX_LOG_ERROR, "m", NULL, 0),
                        "2026-11-21T07:00:00.123Z \033[31merror\033[0m m\n");
    assert_string_equal(
        format(CLI_LOG_JSON, false, DX_LOG_DEBUG, "m", NULL, 0),
        "{\"time\":\"2026-11-21T07:00:00.123Z\",\"level\":\"debug\",\"message\":\"m\"}\n");
}

static void writes_fields(void **state)
{
    static const struct {
        struct dx_log_field field;
        const char *text;
        const char *json;
    } rows[] = {
        {FIELD("k", "v"), "k=v", "\"k\":\"v\""},
        {FIELD("k", ""), "k=\"\"", "\"k\":\"\""},
        {FIELD("k", "two words"), "k=\"two words\"", "\"k\":\"two words\""},
        {FIELD("k", "a=b"), "k=\"a=b\"", "\"k\":\"a=b\""},
        {FIELD("k", "\""), "k=\"\\\"\"", "\"k\":\"\\\"\""},
        {FIELD("k", "\\"), "k=\\\\", "\"k\":\"\\\\\\\\\""},
        {FIELD("k", "\\\" x"), "k=\"\\\\\\\" x\"", "\"k\":\"\\\\\\\\\\\" x\""},
        {FIELD("k", "a\nb"), "k=a\\x0ab", "\"k\":\"a\\\\x0ab\""},
        {FIELD("k", "\\x0a"), "k=\\\\x0a", "\"k\":\"\\\\\\\\x0a\""},
        {FIELD("k", "\x1b]52;c;\x07"), "k=\\x1b]52;c;\\x07", "\"k\":\"\\\\x1b]52;c;\\\\x07\""},
        {FIELD("k", "\xc2\x9b\xe2\x80\xae\xff"), "k=\\xc2\\x9b\\xe2\\x80\\xae\\xff",
         "\"k\":\"\\\\xc2\\\\x9b\\\\xe2\\\\x80\\\\xae\\\\xff\""},
        {FIELD("k", "\xe4\xbd\xa0"), "k=\xe4\xbd\xa0", "\"k\":\"\xe4\xbd\xa0\""},
        {FIELD("k", "a\0b"), "k=a\\x00b", "\"k\":\"a\\\\x00b\""},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        char wanted[256];

        snprintf(wanted, sizeof(wanted), "2026-11-21T07:00:00.123Z info  m %s\n", rows[i].text);
        assert_string_equal(format(CLI_LOG_TEXT, false, DX_LOG_INFO, "m", &rows[i].field, 1),
                            wanted);
        snprintf(
            wanted, sizeof(wanted),
            "{\"time\":\"2026-11-21T07:00:00.123Z\",\"level\":\"info\",\"message\":\"m\",%s}\n",
            rows[i].json);
        assert_string_equal(format(CLI_LOG_JSON, false, DX_LOG_INFO, "m", &rows[i].field, 1),
                            wanted);
    }
}

static void writes_fields_in_order(void **state)
{
    static const struct dx_log_field fields[] = {FIELD("a", "1"), FIELD("b", "2"), FIELD("c", "3")};

    (void)state;
    assert_string_equal(format(CLI_LOG_TEXT, false, DX_LOG_INFO, "m", fields, 3),
                        "2026-11-21T07:00:00.123Z info  m a=1 b=2 c=3\n");
}

/* A line of each length up to far above the limit stays within it, ends as it should, and has no
 * half of anything. */
static void stays_within_its_length(void **state)
{
    static const char *const units[] = {"x", "\n", "\\", "\"", "\xe4\xbd\xa0", "\xf3\xa0\x81\x81",
                                        " "};
    static char value[4 * 1100];
    size_t lines = 0;

    (void)state;
    for (size_t unit = 0; unit < COUNT(units); unit++) {
        size_t unit_len = strlen(units[unit]);

        for (size_t count = 0; count < 1100; count++) {
            struct dx_log_field fields[2] = {{"first", value, count * unit_len}, FIELD("k", "v")};
            const char *line;
            size_t len;

            if (count > 0)
                memcpy(value + (count - 1) * unit_len, units[unit], unit_len);
            line = format(CLI_LOG_JSON, false, DX_LOG_INFO, "m", fields, 2);
            len = strlen(line);
            assert_string_equal(line + len - 3, "\"}\n");
            if (len < 1000)
                assert_non_null(strstr(line, ",\"k\":\"v\"}"));
            else if (count > 1024)
                assert_non_null(strstr(line, "...\"}\n"));
            line = format(CLI_LOG_TEXT, false, DX_LOG_INFO, "m", fields, 2);
            len = strlen(line);
            assert_int_equal(line[len - 1], '\n');
            assert_ptr_equal(strchr(line, '\n'), line + len - 1);
            lines += 2;
        }
    }
    print_message("%zu lines\n", lines);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(writes_levels),
        cmocka_unit_test(writes_fields),
        cmocka_unit_test(writes_fields_in_order),
        cmocka_unit_test(stays_within_its_length),
    };

    return run_group(tests, NULL, NULL);
}
