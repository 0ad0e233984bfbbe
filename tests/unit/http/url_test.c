/*
 * url_test.c - URLs and their one normal form.
 */
#include <stdio.h>
#include <stdlib.h>

#include "http/url/url.h"

#include "support/test.h"

static char text[DX_URL_MAX + 1];
static struct dx_url url;

/* The normal form, or "-" when refused. */
static const char *normal(const char *given)
{
    const char *detail = NULL;

    if (dx_url_parse(dx_slice_of(given), &url, text, &detail) == DX_OK) {
        assert_int_equal(strlen(text), url.len);
        return text;
    }
    assert_non_null(detail);
    return "-";
}

static const struct {
    const char *given;
    const char *normal;
} normal_rows[] = {
    {"ws://example.org", "ws://example.org/"},
    {"WSS://Example.ORG:443/A/b?C=d", "wss://example.org/A/b?C=d"},
    {"ws://h:80/", "ws://h/"},
    {"ws://h:443/", "ws://h:443/"},
    {"wss://h:80/", "wss://h:80/"},
    {"http://h:80", "http://h/"},
    {"https://h:443/x", "https://h/x"},
    {"ws://h:", "ws://h/"},
    {"ws://h:0/", "ws://h:0/"},
    {"ws://h:00080/", "ws://h/"},
    {"ws://h:65535", "ws://h:65535/"},
    {"  ws://h/a  ", "ws://h/a"},
    {"ws:h", "ws://h/"},
    {"ws:/h/a", "ws://h/a"},
    {"ws:////h/a", "ws://h/a"},
    {"ws:\\\\h\\a\\b", "ws://h/a/b"},
    {"ws://h?q", "ws://h/?q"},
    {"ws://h/?", "ws://h/?"},
    {"ws://h/a?b?c", "ws://h/a?b?c"},
    {"ws://h/a/./b/../c", "ws://h/a/c"},
    {"ws://h/a/b/..", "ws://h/a/"},
    {"ws://h/a/b/.", "ws://h/a/b/"},
    {"ws://h/../../a", "ws://h/a"},
    {"ws://h/%2e/%2E%2e/.%2e/a", "ws://h/a"},
    {"ws://h/a/%2e%2E", "ws://h/"},
    {"ws://h/...", "ws://h/..."},
    {"ws://h/%2e%2e%2e", "ws://h/%2e%2e%2e"},
    {"ws://h//a//", "ws://h//a//"},
    {"ws://h/a//../b", "ws://h/a/b"},
    {"ws://h/?../..", "ws://h/?../.."},
    {"ws://h/a b", "ws://h/a%20b"},
    {"ws://h/\"<>^`{}|'", "ws://h/%22%3C%3E%5E%60%7B%7D|'"},
    {"ws://h/?\"<>^`{}|'", "ws://h/?%22%3C%3E^`{}|%27"},
    {"ws://h/\xe4\xbd\xa0?\xe5\xa5\xbd", "ws://h/%E4%BD%A0?%E5%A5%BD"},
    {"ws://h/%zz%2", "ws://h/%zz%2"},
    {"ws://ex%61mple/", "ws://example/"},
    {"ws://0x7f.1/", "ws://127.0.0.1/"},
    {"ws://[::FFFF:1.2.3.4]:80/", "ws://[::ffff:102:304]/"},
    {"ws://[::1]:8080", "ws://[::1]:8080/"},
    {"ws://h:65536", "-"},
    {"ws://h:x", "-"},
    {"ws://h:-1", "-"},
    {"ws://", "-"},
    {"ws:///", "-"},
    {"ws://?q", "-"},
    {"ws://:80", "-"},
    {"", "-"},
    {"  ", "-"},
    {"h", "-"},
    {"/a", "-"},
    {"//h/a", "-"},
    {"ftp://h", "-"},
    {"wsx://h", "-"},
    {"://h", "-"},
    {"ws ://h", "-"},
    {"ws://u@h", "-"},
    {"ws://u:p@h/", "-"},
    {"ws://@h", "-"},
    {"ws://h/#", "-"},
    {"ws://h/#f", "-"},
    {"ws://h#f", "-"},
    {"ws://h/\r\nX: y", "-"},
    {"ws://h/\n", "-"},
    {"ws://h\t/", "-"},
    {"ws://h/\x7f", "-"},
    {"ws://h/\xff", "-"},
    {"ws://b\xc3\xbc"
     "cher/",
     "-"},
    {"ws://b%C3%BCcher/", "-"},
    {"ws://a b/", "-"},
    {"ws://a%20b/", "-"},
    {"ws://a%/", "-"},
    {"ws://a%4/", "-"},
    {"ws://a%00/", "-"},
    {"ws://a%40b/", "-"},
    {"ws://a%3A80/", "-"},
    {"ws://%5B::1]/", "-"},
    {"ws://a|b/", "-"},
    {"ws://1.2.3.256/", "-"},
    {"ws://[fe80::1%25eth0]/", "-"},
    {"ws://[::1/", "-"},
};

static void normal_forms(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(normal_rows) / sizeof(normal_rows[0]); i++)
        assert_string_equal(normal(normal_rows[i].given), normal_rows[i].normal);
}

static void the_parts(void **state)
{
    (void)state;
    assert_string_equal(normal("wss://[::1]:8443/a/b?c"), "wss://[::1]:8443/a/b?c");
    assert_true(url.is_secure);
    assert_true(url.is_websocket);
    assert_int_equal(url.port, 8443);
    assert_true(url.has_port);
    assert_string_equal(url.host.text, "::1");
    assert_string_equal(text + url.target_at, "/a/b?c");
    assert_int_equal(url.path_len, 4);
    assert_string_equal(normal("http://h"), "http://h/");
    assert_false(url.is_secure);
    assert_false(url.is_websocket);
    assert_int_equal(url.port, 80);
    assert_false(url.has_port);
}

static void what_is_refused_says_why(void **state)
{
    static const struct {
        const char *given;
        const char *detail;
    } rows[] = {
        {"example.org", "a URL begins with ws:// or wss://"},
        {"ftp://h", "the URL's scheme is none of ws, wss, http, https"},
        {"ws://h/#x", "a WebSocket URL has no fragment (#...)"},
        {"ws://u:p@h/", "a name or password in the URL: there are options for them"},
        {"ws://h:70000", "malformed port"},
        {"ws://", "the host is empty"},
        {"ws://h/\x01", "a control character in the URL"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const char *detail = NULL;

        assert_int_equal(dx_url_parse(dx_slice_of(rows[i].given), &url, text, &detail),
                         DX_ERR_USAGE);
        assert_string_equal(detail, rows[i].detail);
    }
}

/* Nothing is read or written past the longest host that there can be. */
static void the_host_has_a_limit(void **state)
{
    static char given[1024];
    const char *detail;

    (void)state;
    for (size_t len = 250; len < 300; len++) {
        struct dx_slice slice = {(uint8_t *)given, 5 + len};

        memset(given, 'a', sizeof(given));
        memcpy(given, "ws://", 5);
        assert_int_equal(dx_url_parse(slice, &url, text, &detail),
                         len <= DX_HOST_MAX ? DX_OK : DX_ERR_USAGE);
        memcpy(given + 5 + len, ":65535", 6);
        slice.len += 6;
        assert_int_equal(dx_url_parse(slice, &url, text, &detail),
                         len <= DX_HOST_MAX ? DX_OK : DX_ERR_USAGE);
    }
}

static void the_length_has_a_limit(void **state)
{
    static char given[DX_URL_MAX + 2];
    const char *detail = NULL;

    (void)state;
    memset(given, 'a', sizeof(given));
    memcpy(given, "ws://h/", 7);
    assert_int_equal(
        dx_url_parse((struct dx_slice){(uint8_t *)given, DX_URL_MAX}, &url, text, &detail), DX_OK);
    assert_int_equal(strlen(text), DX_URL_MAX);
    assert_int_equal(
        dx_url_parse((struct dx_slice){(uint8_t *)given, DX_URL_MAX + 1}, &url, text, &detail),
        DX_ERR_TOO_BIG);
    assert_string_equal(detail, "the URL is too long");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(normal_forms),
        cmocka_unit_test(the_parts),
        cmocka_unit_test(what_is_refused_says_why),
        cmocka_unit_test(the_host_has_a_limit),
        cmocka_unit_test(the_length_has_a_limit),
    };

    return run_group(tests, NULL, NULL);
}
