/*
 * origin_test.c - what --origin, --host and --subprotocol take; each origin taken here is one that
 * the library takes.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "support/test.h"

#include "cli/options/origin.h"
#include "http/host.h"
#include "http/origin.h"

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

static const char not_an_origin[] =
    "not an origin (write same, any, null, https://HOST[:PORT] or https://*.HOST)";
static const char with_path[] =
    "an origin has no path (write it up to the host or port, without a / after it)";

static struct dx_slice slice_of(const char *text)
{
    return (struct dx_slice){(const uint8_t *)text, strlen(text)};
}

/* "same" and "any" are words of the option, the others patterns of the library. */
static void takes_origins(void **state)
{
    static const char *const rows[] = {
        "same",
        "any",
        "null",
        "http://localhost",
        "http://localhost:3000",
        "https://example.org",
        "https://*.example.org",
        "https://*.example.org:8443",
        "http://127.0.0.1:65535",
        "http://[::1]:3000",
        "http://[2001:db8::1]",
        "https://xn--fsqu00a.xn--0zwm56d",
        "chrome-extension://abcdefghijklmnop",
        "moz-extension://0e2f",
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        assert_null(cli_origin_check(rows[i]));
        assert_true(i < 2 || dx_origin_is_pattern(slice_of(rows[i])));
    }
}

static void refuses_origins(void **state)
{
    static const struct {
        const char *text;
        const char *problem;
    } rows[] = {
        {"", not_an_origin},
        {"*", not_an_origin},
        {"Same", not_an_origin},
        {"example.org", not_an_origin},
        {"ftp://x", not_an_origin},
        {"ws://example.org", not_an_origin},
        {"file://", not_an_origin},
        {"-extension://x", not_an_origin},
        {"https://", not_an_origin},
        {"https://*", not_an_origin},
        {"https://*.", not_an_origin},
        {"https://*.1.2.3.4", not_an_origin},
        {"https://a.*.org", not_an_origin},
        {"https://*.*.org", not_an_origin},
        {"https://user@example.org", not_an_origin},
        {"https://example.org:", not_an_origin},
        {"https://example.org:0", not_an_origin},
        {"https://example.org:080", not_an_origin},
        {"https://example.org:65536", not_an_origin},
        {"https://example.org:*", not_an_origin},
        {"https://1.2.3", not_an_origin},
        {"https://[::1", not_an_origin},
        {"https://::1", not_an_origin},
        {"https://[::1%lo]", not_an_origin},
        {"https://ex ample.org", not_an_origin},
        {"https://\xe4\xbe\x8b.org", not_an_origin},
        {"https://example.org/", with_path},
        {"https://example.org/chat", with_path},
        {"https://Example.org", "an origin is in lower case (write it so)"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        const char *problem = cli_origin_check(rows[i].text);

        if (!problem)
            fail_msg("%s was taken", rows[i].text);
        assert_string_equal(problem, rows[i].problem);
    }
}

static void judges_hosts(void **state)
{
    static const char not_a_host[] =
        "not a host name (write a name such as www.example.org, or an address)";
    static const struct {
        const char *text;
        const char *problem;
    } rows[] = {
        {"example.org", NULL},
        {"Example.org", NULL},
        {"10.0.0.1", NULL},
        {"[::1]", NULL},
        {"", not_a_host},
        {"*", not_a_host},
        {"*.example.org", not_a_host},
        {"http://example.org", not_a_host},
        {"example.org/", not_a_host},
        {"user@example.org", not_a_host},
        {"10.0.0.256", not_a_host},
        {"example.org:80", "no port here (write the name alone)"},
        {"[::1]:80", "no port here (write the name alone)"},
        {"::1", "an IPv6 address needs brackets (write [IPv6])"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        const char *problem = cli_host_check(rows[i].text);
        const char *detail;
        struct dx_host host;

        if (rows[i].problem) {
            assert_string_equal(problem, rows[i].problem);
        } else {
            assert_null(problem);
            assert_true(dx_host_parse(slice_of(rows[i].text), &host, &detail));
        }
    }
}

static void judges_subprotocols(void **state)
{
    static const char bad[] = "not a subprotocol (write letters, digits or any of !#$%&'*+-.^_`|~)";

    (void)state;
    assert_null(cli_subprotocol_check("graphql-transport-ws"));
    assert_null(cli_subprotocol_check("v1.a!#$%&'*+-.^_`|~Z9"));
    assert_string_equal(cli_subprotocol_check(""), bad);
    assert_string_equal(cli_subprotocol_check("a b"), bad);
    assert_string_equal(cli_subprotocol_check("a/b"), bad);
    assert_string_equal(cli_subprotocol_check("\xc3\xa9"), bad);
    assert_string_equal(cli_subprotocol_check("a\n"), bad);
    assert_string_equal(cli_subprotocol_check("a,b"),
                        "one name at a time (repeat the option for each)");
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(takes_origins),
        cmocka_unit_test(refuses_origins),
        cmocka_unit_test(judges_hosts),
        cmocka_unit_test(judges_subprotocols),
    };

    return run_group(tests, NULL, NULL);
}
