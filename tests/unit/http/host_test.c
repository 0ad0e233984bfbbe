/*
 * host_test.c - hosts in every notation, authorities, loopback.
 */
#include <stdlib.h>

#include "http/host.h"

#include "support/test.h"

/* The normal form, or "-" when refused. */
static const char *normal(const char *text)
{
    static struct dx_host host;
    const char *detail = NULL;

    if (dx_host_parse(dx_slice_of(text), &host, &detail))
        return host.text;
    assert_non_null(detail);
    return "-";
}

static const struct {
    const char *text;
    const char *normal;
} normal_rows[] = {
    {"Example.ORG", "example.org"},
    {"a_b.c-d", "a_b.c-d"},
    {"a.", "a."},
    {"xn--bcher-kva.example", "xn--bcher-kva.example"},
    {"1a.2b", "1a.2b"},
    {"127.0.0.1", "127.0.0.1"},
    {"127.0.0.1.", "127.0.0.1"},
    {"127.1", "127.0.0.1"},
    {"127.0.1", "127.0.0.1"},
    {"127.65534", "127.0.255.254"},
    {"2130706433", "127.0.0.1"},
    {"0x7f.1", "127.0.0.1"},
    {"0X7F.0x0.0.0x1", "127.0.0.1"},
    {"0177.0.0.01", "127.0.0.1"},
    {"0x", "0.0.0.0"},
    {"0", "0.0.0.0"},
    {"4294967295", "255.255.255.255"},
    {"4294967296", "-"},
    {"99999999999999999999999", "-"},
    {"256.0.0.1", "-"},
    {"1.2.3.256", "-"},
    {"1.2.65536", "-"},
    {"1.2.3.4.5", "-"},
    {"1.2.3.08", "-"},
    {"1..2", "-"},
    {".1", "-"},
    {"a.1", "-"},
    {"a.0x1", "-"},
    {"a.0xg", "a.0xg"},
    {"[::]", "::"},
    {"[::1]", "::1"},
    {"[1::]", "1::"},
    {"[0:0:0:0:0:0:0:1]", "::1"},
    {"[2001:DB8:0:0:1:0:0:1]", "2001:db8::1:0:0:1"},
    {"[1:0:0:2:0:0:0:3]", "1:0:0:2::3"},
    {"[1:0:2:3:4:5:6:7]", "1:0:2:3:4:5:6:7"},
    {"[::ffff:1.2.3.4]", "::ffff:102:304"},
    {"[1:2:3:4:5:6:7::]", "1:2:3:4:5:6:7:0"},
    {"[1:2:3:4:5:6:1.2.3.4]", "1:2:3:4:5:6:102:304"},
    {"[0001:00ab::]", "1:ab::"},
    {"[]", "-"},
    {"[:]", "-"},
    {"[::1", "-"},
    {"[", "-"},
    {"[:::]", "-"},
    {"[1]", "-"},
    {"[1:]", "-"},
    {"[:1]", "-"},
    {"[1::2::3]", "-"},
    {"[12345::]", "-"},
    {"[1:2:3:4:5:6:7]", "-"},
    {"[1:2:3:4:5:6:7:8:9]", "-"},
    {"[1:2:3:4:5:6:7:8::]", "-"},
    {"[::g]", "-"},
    {"[::1.2.3]", "-"},
    {"[::1.2.3.4.5]", "-"},
    {"[::1.2.3.256]", "-"},
    {"[::1.2.3.04]", "-"},
    {"[::1.2.3.1000]", "-"},
    {"[::1..3.4]", "-"},
    {"[1:2:3:4:5:6:7:1.2.3.4]", "-"},
    {"[::1.2.3.4:1]", "-"},
    {"[fe80::1%eth0]", "-"},
    {"::1", "-"},
    {"", "-"},
    {"a b", "-"},
    {"a@b", "-"},
    {"a/b", "-"},
    {"a\\b", "-"},
    {"a:b", "-"},
    {"a?b", "-"},
    {"a#b", "-"},
    {"a%b", "-"},
    {"a^b", "-"},
    {"a|b", "-"},
    {"<a>", "-"},
    {"a\x01", "-"},
    {"a\x7f", "-"},
    {"b\xc3\xbc"
     "cher",
     "-"},
};

static void normal_forms(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(normal_rows) / sizeof(normal_rows[0]); i++)
        assert_string_equal(normal(normal_rows[i].text), normal_rows[i].normal);
}

static void lengths(void **state)
{
    char text[DX_HOST_MAX + 2];

    (void)state;
    memset(text, 'a', sizeof(text));
    text[DX_HOST_MAX] = 0;
    assert_string_equal(normal(text), text);
    text[DX_HOST_MAX] = 'a';
    text[DX_HOST_MAX + 1] = 0;
    assert_string_equal(normal(text), "-");
}

static void ports(void **state)
{
    static const struct {
        const char *text;
        int port; /* -1: none; -2: refused */
    } rows[] = {
        {"a", -1},          {"a:", -1},      {"a:0", 0},      {"a:80", 80},   {"a:00080", 80},
        {"a:65535", 65535}, {"a:65536", -2}, {"a:99999", -2}, {"a:-1", -2},   {"a:8x", -2},
        {"a: 8", -2},       {":80", -2},     {"[::1]", -1},   {"[::1]:", -1}, {"[::1]:443", 443},
        {"[::1]443", -2},   {"::1:443", -2}, {"a:1:2", -2},   {"", -2},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct dx_authority authority;
        const char *detail = NULL;

        if (rows[i].port == -2) {
            assert_false(dx_authority_parse(dx_slice_of(rows[i].text), &authority, &detail));
            assert_non_null(detail);
            continue;
        }
        assert_true(dx_authority_parse(dx_slice_of(rows[i].text), &authority, &detail));
        assert_int_equal(authority.has_port, rows[i].port >= 0);
        assert_int_equal(authority.port, rows[i].port >= 0 ? rows[i].port : 0);
    }
}

static void loopback(void **state)
{
    static const struct {
        const char *text;
        bool is_loopback;
    } rows[] = {
        {"localhost", true},
        {"LocalHost", true},
        {"localhost.", true},
        {"a.localhost", true},
        {"a.b.localhost.", true},
        {"127.0.0.1", true},
        {"127.255.255.255", true},
        {"0x7f.1", true},
        {"[::1]", true},
        {".localhost", false},
        {"alocalhost", false},
        {"localhost.evil", false},
        {"localhost.evil.example", false},
        {"128.0.0.1", false},
        {"0.0.0.0", false},
        {"[::]", false},
        {"[::2]", false},
        {"127.0.0.1.evil", false},
        {"local", false},
        {".", false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct dx_host host;
        const char *detail;

        assert_true(dx_host_parse(dx_slice_of(rows[i].text), &host, &detail));
        if (dx_host_is_loopback(&host) != rows[i].is_loopback)
            fail_msg("%s", rows[i].text);
    }
}

static void equality(void **state)
{
    struct dx_host a;
    struct dx_host b;
    const char *detail;

    (void)state;
    assert_true(dx_host_parse(dx_slice_of("A.example"), &a, &detail));
    assert_true(dx_host_parse(dx_slice_of("a.EXAMPLE"), &b, &detail));
    assert_true(dx_host_equal(&a, &b));
    assert_true(dx_host_parse(dx_slice_of("a.example."), &b, &detail));
    assert_false(dx_host_equal(&a, &b));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(normal_forms), cmocka_unit_test(lengths),  cmocka_unit_test(ports),
        cmocka_unit_test(loopback),     cmocka_unit_test(equality),
    };

    return run_group(tests, NULL, NULL);
}
