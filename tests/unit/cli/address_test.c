/*
 * address_test.c - the six spellings of an address to listen on, and near misses.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "support/test.h"

#include "cli/options/address.h"

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))
#define NAME_63 "a23456789012345678901234567890123456789012345678901234567890123"

static const char not_an_address[] =
    "not an address (write PORT, HOST:PORT, [IPv6]:PORT, *:PORT, unix:PATH or fd:N)";
static const char not_a_port[] = "not a port (write a number from 0 to 65535)";

static void reads_addresses(void **state)
{
    static const struct {
        const char *text;
        enum cli_address_kind kind;
        uint16_t port;
        int fd;
    } rows[] = {
        {"8080", CLI_ADDRESS_LOOPBACK, 8080, -1},
        {"0", CLI_ADDRESS_LOOPBACK, 0, -1},
        {"127.0.0.1:80", CLI_ADDRESS_HOST, 80, -1},
        {"localhost:80", CLI_ADDRESS_HOST, 80, -1},
        {"my_host-1.example.org:65535", CLI_ADDRESS_HOST, 65535, -1},
        {"0.0.0.0:1", CLI_ADDRESS_HOST, 1, -1},
        {"0a:1", CLI_ADDRESS_HOST, 1, -1},
        {NAME_63 ".org:1", CLI_ADDRESS_HOST, 1, -1},
        {"[::1]:80", CLI_ADDRESS_HOST, 80, -1},
        {"[::]:0", CLI_ADDRESS_HOST, 0, -1},
        {"[fe80::1%eth0]:80", CLI_ADDRESS_HOST, 80, -1},
        {"[::ffff:127.0.0.1]:80", CLI_ADDRESS_HOST, 80, -1},
        {"*:80", CLI_ADDRESS_ANY, 80, -1},
        {"unix:/run/x", CLI_ADDRESS_UNIX, 0, -1},
        {"unix:x:1", CLI_ADDRESS_UNIX, 0, -1},
        {"fd:3", CLI_ADDRESS_FD, 0, 3},
        {"fd:2147483647", CLI_ADDRESS_FD, 0, INT32_MAX},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct cli_address address;

        assert_null(cli_address_parse(rows[i].text, &address));
        assert_int_equal(address.kind, rows[i].kind);
        assert_int_equal(address.port, rows[i].port);
        assert_int_equal(address.fd, rows[i].fd);
    }
}

static void refuses_addresses(void **state)
{
    static const struct {
        const char *text;
        const char *problem;
    } rows[] = {
        {"", not_an_address},
        {"http", not_an_address},
        {"localhost", not_an_address},
        {"127.0.0.1", not_an_address},
        {"-1", not_an_address},
        {"8080 ", not_an_address},
        {"http://localhost:80", not_an_address},
        {"a b:80", not_an_address},
        {"a..b:80", not_an_address},
        {".a:80", not_an_address},
        {"1.2.3:80", not_an_address},
        {"1.2.3.256:80", not_an_address},
        {"a.1:80", not_an_address},
        {"a.0x1f:80", not_an_address},
        {NAME_63 "4:1", not_an_address},
        {"**:80", not_an_address},
        {"70000", not_a_port},
        {"localhost:", not_a_port},
        {"localhost:70000", not_a_port},
        {"localhost:http", not_a_port},
        {"*:", not_a_port},
        {"[::1]:x", not_a_port},
        {":8080", "no host (write PORT alone for loopback, *:PORT for all addresses)"},
        {"::1", "an IPv6 address needs brackets (write [IPv6]:PORT)"},
        {"fe80::1", "an IPv6 address needs brackets (write [IPv6]:PORT)"},
        {"2001:db8::1", "an IPv6 address needs brackets (write [IPv6]:PORT)"},
        {"[::1", "bracket not closed (write [IPv6]:PORT)"},
        {"[::1]", "no port (write [IPv6]:PORT)"},
        {"[::1]80", "no port (write [IPv6]:PORT)"},
        {"[]:80", "not an IPv6 address (write [IPv6]:PORT, for example [::1]:8080)"},
        {"[1.2.3.4]:80", "not an IPv6 address (write [IPv6]:PORT, for example [::1]:8080)"},
        {"[fe80::1%]:80", "not an IPv6 address (write [IPv6]:PORT, for example [::1]:8080)"},
        {"unix:", "no path (write unix:PATH)"},
        {"fd:", "not a descriptor (write fd:N with the number of an inherited socket)"},
        {"fd:x", "not a descriptor (write fd:N with the number of an inherited socket)"},
        {"fd:-1", "not a descriptor (write fd:N with the number of an inherited socket)"},
        {"fd:2147483648", "not a descriptor (write fd:N with the number of an inherited socket)"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct cli_address address = {.fd = 77};
        const char *problem = cli_address_parse(rows[i].text, &address);

        if (!problem)
            fail_msg("%s was taken", rows[i].text);
        assert_string_equal(problem, rows[i].problem);
        assert_int_equal(address.fd, 77);
    }
}

static void bounds_the_path_of_a_unix_socket(void **state)
{
    char text[128] = "unix:";
    struct cli_address address;

    (void)state;
    memset(text + 5, 'p', 107);
    assert_null(cli_address_parse(text, &address));
    text[112] = 'p';
    assert_string_equal(cli_address_parse(text, &address),
                        "too long for a Unix socket (at most 107 bytes)");
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_addresses),
        cmocka_unit_test(refuses_addresses),
        cmocka_unit_test(bounds_the_path_of_a_unix_socket),
    };

    return run_group(tests, NULL, NULL);
}
