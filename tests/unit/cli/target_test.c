/*
 * target_test.c - the short forms of a URL that `duplex connect` takes.
 */
#include <stdint.h>
#include <string.h>

#include "support/test.h"

#include "cli/connect/target.h"

static void test_completed(void **state)
{
    static const char *const rows[][2] = {
        {"8090", "ws://localhost:8090"},
        {":8090", "ws://localhost:8090"},
        {":8090/chat?a=b", "ws://localhost:8090/chat?a=b"},
        {"8090/chat", "ws://localhost:8090/chat"},
        {"/chat", "ws://localhost:8080/chat"},
        {"/", "ws://localhost:8080/"},
        {"localhost", "ws://localhost"},
        {"localhost:8090/chat", "ws://localhost:8090/chat"},
        {"127.0.0.1:8090", "ws://127.0.0.1:8090"},
        {"[::1]:8090", "ws://[::1]:8090"},
        {"ws://example.org/", "ws://example.org/"},
        {"ftp://example.org/", "ftp://example.org/"}, /* refused later, by its scheme */
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char url[64];

        assert_true(cli_target_complete(rows[i][0], url, sizeof(url)));
        assert_string_equal(url, rows[i][1]);
    }
}

/* Between ws and wss the person has to choose. */
static void test_others(void **state)
{
    static const char *const rows[] = {
        "",
        ":",
        ":chat",
        "123456",
        "12a",
        "example.org",
        "example.org:8090",
        "localhosts:1",
        "127.0.0.10:80",
        "::1",
    };
    char url[64];

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        assert_false(cli_target_complete(rows[i], url, sizeof(url)));
}

static void test_room(void **state)
{
    char url[20];

    (void)state;
    assert_true(cli_target_complete("8090", url, sizeof(url)));
    assert_false(cli_target_complete("8090/", url, sizeof(url)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_completed),
        cmocka_unit_test(test_others),
        cmocka_unit_test(test_room),
    };

    return run_group(tests, NULL, NULL);
}
