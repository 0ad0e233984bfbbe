/*
 * tunnel_test.c - what is said to proxies and what their answers mean, whole, byte by byte and cut
 * at each position, and with each allocation failing.
 */
#include "client/tunnel/tunnel.h"

#include "support/failing/allocator.h"
#include "support/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BYTES(text) text, sizeof(text) - 1

/* One exchange: what we must send, then what comes. */
struct turn {
    const char *sent;
    size_t sent_len;
    const char *came;
    size_t came_len;
};

static const struct row {
    const char *why;
    struct dx_tunnel_target target;
    struct turn turns[3];
    enum dx_tunnel_status status;
    enum dx_err err;
    uint16_t http_status;
    const char *left; /* behind the last answer: the target's first bytes */
} rows[] = {
    {"CONNECT",
     {DX_TUNNEL_CONNECT, "a.example", 443, NULL, NULL},
     {{BYTES("CONNECT a.example:443 HTTP/1.1\r\nHost: a.example:443\r\n\r\n"),
       BYTES("HTTP/1.1 200 Connection established\r\n\r\nfirst")}},
     DX_TUNNEL_OPEN,
     DX_OK,
     200,
     "first"},
    {"CONNECT to an IPv6 address",
     {DX_TUNNEL_CONNECT, "::1", 80, NULL, NULL},
     {{BYTES("CONNECT [::1]:80 HTTP/1.1\r\nHost: [::1]:80\r\n\r\n"),
       BYTES("HTTP/1.0 200 OK\r\n\r\n")}},
     DX_TUNNEL_OPEN,
     DX_OK,
     200,
     ""},
    {"CONNECT with a password",
     {DX_TUNNEL_CONNECT, "a", 1, "Aladdin", "open sesame"},
     {{BYTES("CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n"
             "Proxy-Authorization: Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==\r\n\r\n"),
       BYTES("HTTP/1.1 200 OK\r\n\r\n")}},
     DX_TUNNEL_OPEN,
     DX_OK,
     200,
     ""},
    {"an announced body is not one",
     {DX_TUNNEL_CONNECT, "a", 1, NULL, NULL},
     {{BYTES("CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\n"),
       BYTES("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nframe")}},
     DX_TUNNEL_OPEN,
     DX_OK,
     200,
     "frame"},
    {"an interim answer",
     {DX_TUNNEL_CONNECT, "a", 1, NULL, NULL},
     {{BYTES("CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\n"),
       BYTES("HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 204 No Content\r\n\r\nx")}},
     DX_TUNNEL_OPEN,
     DX_OK,
     204,
     "x"},
    {"407",
     {DX_TUNNEL_CONNECT, "a", 1, NULL, NULL},
     {{BYTES("CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\n"),
       BYTES("HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 2\r\n\r\n")}},
     DX_TUNNEL_FAILED,
     DX_ERR_REFUSED,
     407,
     ""},
    {"502",
     {DX_TUNNEL_CONNECT, "a", 1, NULL, NULL},
     {{BYTES("CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\n"),
       BYTES("HTTP/1.1 502 Bad Gateway\r\n\r\n")}},
     DX_TUNNEL_FAILED,
     DX_ERR_REFUSED,
     502,
     ""},
    {"no HTTP",
     {DX_TUNNEL_CONNECT, "a", 1, NULL, NULL},
     {{BYTES("CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\n"), BYTES("SSH-2.0-x\r\n")}},
     DX_TUNNEL_FAILED,
     DX_ERR_PROTOCOL,
     0,
     ""},
    {"SOCKS5 with a name",
     {DX_TUNNEL_SOCKS5, "a.example", 443, NULL, NULL},
     {{BYTES("\5\1\0"), BYTES("\5\0")},
      {BYTES("\5\1\0\3\11a.example\1\273"), BYTES("\5\0\0\1\177\0\0\1\0\1hello")}},
     DX_TUNNEL_OPEN,
     DX_OK,
     0,
     "hello"},
    {"SOCKS5 with IPv4",
     {DX_TUNNEL_SOCKS5, "127.0.0.1", 80, NULL, NULL},
     {{BYTES("\5\1\0"), BYTES("\5\0")},
      {BYTES("\5\1\0\1\177\0\0\1\0\120"), BYTES("\5\0\0\3\3abc\0\1")}},
     DX_TUNNEL_OPEN,
     DX_OK,
     0,
     ""},
    {"SOCKS5 with IPv6",
     {DX_TUNNEL_SOCKS5, "::1", 80, NULL, NULL},
     {{BYTES("\5\1\0"), BYTES("\5\0")},
      {BYTES("\5\1\0\4\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\1\0\120"),
       BYTES("\5\0\0\4\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\1\0\1x")}},
     DX_TUNNEL_OPEN,
     DX_OK,
     0,
     "x"},
    {"SOCKS5 with a password",
     {DX_TUNNEL_SOCKS5, "a", 80, "me", "pw"},
     {{BYTES("\5\2\0\2"), BYTES("\5\2")},
      {BYTES("\1\2me\2pw"), BYTES("\1\0")},
      {BYTES("\5\1\0\3\1a\0\120"), BYTES("\5\0\0\1\0\0\0\0\0\0")}},
     DX_TUNNEL_OPEN,
     DX_OK,
     0,
     ""},
    {"SOCKS5 with a password that is not wanted",
     {DX_TUNNEL_SOCKS5, "a", 80, "me", NULL},
     {{BYTES("\5\2\0\2"), BYTES("\5\0")},
      {BYTES("\5\1\0\3\1a\0\120"), BYTES("\5\0\0\1\0\0\0\0\0\0")}},
     DX_TUNNEL_OPEN,
     DX_OK,
     0,
     ""},
    {"SOCKS5, the wrong password",
     {DX_TUNNEL_SOCKS5, "a", 80, "me", ""},
     {{BYTES("\5\2\0\2"), BYTES("\5\2")}, {BYTES("\1\2me\0"), BYTES("\1\1")}},
     DX_TUNNEL_FAILED,
     DX_ERR_REFUSED,
     0,
     ""},
    {"SOCKS5, no way to authenticate",
     {DX_TUNNEL_SOCKS5, "a", 80, NULL, NULL},
     {{BYTES("\5\1\0"), BYTES("\5\377")}},
     DX_TUNNEL_FAILED,
     DX_ERR_REFUSED,
     0,
     ""},
    {"SOCKS5, a password is wanted that we have not",
     {DX_TUNNEL_SOCKS5, "a", 80, NULL, NULL},
     {{BYTES("\5\1\0"), BYTES("\5\2")}},
     DX_TUNNEL_FAILED,
     DX_ERR_REFUSED,
     0,
     ""},
    {"SOCKS5, refused",
     {DX_TUNNEL_SOCKS5, "a", 80, NULL, NULL},
     {{BYTES("\5\1\0"), BYTES("\5\0")}, {BYTES("\5\1\0\3\1a\0\120"), BYTES("\5\5")}},
     DX_TUNNEL_FAILED,
     DX_ERR_REFUSED,
     0,
     ""},
    {"SOCKS5, an address of no kind",
     {DX_TUNNEL_SOCKS5, "a", 80, NULL, NULL},
     {{BYTES("\5\1\0"), BYTES("\5\0")}, {BYTES("\5\1\0\3\1a\0\120"), BYTES("\5\0\0\2\0\0\0")}},
     DX_TUNNEL_FAILED,
     DX_ERR_PROTOCOL,
     0,
     ""},
    {"SOCKS4",
     {DX_TUNNEL_SOCKS5, "a", 80, NULL, NULL},
     {{BYTES("\5\1\0"), BYTES("\0\132")}},
     DX_TUNNEL_FAILED,
     DX_ERR_PROTOCOL,
     0,
     ""},
    {"SOCKS5 that answers too early",
     {DX_TUNNEL_SOCKS5, "a", 80, NULL, NULL},
     {{BYTES("\5\1\0"), BYTES("\5\0\5\0\0\1\0\0\0\0\0\0")}},
     DX_TUNNEL_FAILED,
     DX_ERR_PROTOCOL,
     0,
     ""},
};

static unsigned long run_count;

/* Feeds `came` in pieces: up to `cut`, then `step` bytes at a time. Returns the last status. */
static enum dx_tunnel_status feed(struct dx_tunnel *tunnel, const struct turn *turn, size_t cut,
                                  size_t step, size_t *left)
{
    enum dx_tunnel_status status = DX_TUNNEL_MORE;
    size_t at = 0;

    while (at < turn->came_len && status == DX_TUNNEL_MORE) {
        size_t len = at < cut ? cut - at : step, used = 0;
        /* Of its own size, so that a sanitizer sees a read behind it. */
        uint8_t *bytes;

        if (len > turn->came_len - at)
            len = turn->came_len - at;
        failing_allocator_pause(true);
        bytes = malloc(len);
        memcpy(bytes, turn->came + at, len);
        failing_allocator_pause(false);
        status = dx_tunnel_feed(tunnel, bytes, len, &used);
        failing_allocator_pause(true);
        free(bytes);
        failing_allocator_pause(false);
        at += status == DX_TUNNEL_OPEN ? used : len;
    }
    *left = turn->came_len - at;
    return status;
}

/* False: no memory. */
static bool run(const struct row *row, size_t cut, size_t step)
{
    enum dx_tunnel_status status = DX_TUNNEL_MORE;
    struct dx_tunnel tunnel;
    size_t left = 0;
    enum dx_err err = dx_tunnel_init(&tunnel, &row->target);

    run_count++;
    if (err == DX_ERR_NOMEM) {
        dx_tunnel_release(&tunnel);
        return false;
    }
    assert_int_equal(err, DX_OK);
    for (size_t i = 0; i < 3 && row->turns[i].sent != NULL && status == DX_TUNNEL_MORE; i++) {
        struct dx_slice out = dx_tunnel_output(&tunnel);

        if (out.len != row->turns[i].sent_len || memcmp(out.data, row->turns[i].sent, out.len) != 0)
            fail_msg("%s: turn %zu sends something else", row->why, i);
        dx_tunnel_sent(&tunnel, 1);
        dx_tunnel_sent(&tunnel, out.len - 1);
        assert_int_equal(dx_tunnel_output(&tunnel).len, 0);
        status = feed(&tunnel, &row->turns[i], cut, step, &left);
    }
    if (status == DX_TUNNEL_FAILED && tunnel.err == DX_ERR_NOMEM) {
        dx_tunnel_release(&tunnel);
        return false;
    }
    if (status != row->status || tunnel.err != row->err || tunnel.http_status != row->http_status)
        fail_msg("%s: status %d, %s, %u", row->why, (int)status, dx_err_name(tunnel.err),
                 tunnel.http_status);
    assert_true((tunnel.detail != NULL) == (status == DX_TUNNEL_FAILED));
    if (status == DX_TUNNEL_OPEN && cut > 100 && step > 100)
        assert_int_equal(left, strlen(row->left));
    dx_tunnel_release(&tunnel);
    return true;
}

static void dialogues_at_every_cut(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        assert_true(run(&rows[i], 1000, 1000));
        assert_true(run(&rows[i], 0, 1));
        for (size_t cut = 1; cut < 100; cut++)
            assert_true(run(&rows[i], cut, 1000));
    }
    printf("tunnel: %zu inputs, %lu inputs x cuts\n", sizeof(rows) / sizeof(rows[0]), run_count);
}

static void each_allocation_failing(void **state)
{
    size_t injected = 0;

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        for (size_t nth = 1;; nth++) {
            bool is_whole, has_failed;

            failing_allocator_start(nth);
            is_whole = run(&rows[i], 1000, 1000);
            has_failed = failing_allocator_stop();
            assert_int_equal(failing_allocator_live(), 0);
            assert_true(is_whole != has_failed);
            if (!has_failed)
                break;
            injected++;
        }
    printf("injected %zu failures\n", injected);
}

static void targets_that_must_not_get_out(void **state)
{
    static char long_text[DX_TUNNEL_HOST_MAX + 2];
    const struct dx_tunnel_target bad[] = {
        {DX_TUNNEL_CONNECT, "", 1, NULL, NULL},     {DX_TUNNEL_CONNECT, "a\r\nX: y", 1, NULL, NULL},
        {DX_TUNNEL_CONNECT, "a b", 1, NULL, NULL},  {DX_TUNNEL_CONNECT, long_text, 1, NULL, NULL},
        {DX_TUNNEL_CONNECT, "a", 1, "na:me", "x"},  {DX_TUNNEL_CONNECT, "a", 1, "na\nme", "x"},
        {DX_TUNNEL_CONNECT, "a", 1, "name", "x\r"}, {DX_TUNNEL_SOCKS5, "a", 1, "", "x"},
        {DX_TUNNEL_SOCKS5, "a", 1, long_text, "x"}, {DX_TUNNEL_SOCKS5, "a", 1, "name", long_text},
    };

    (void)state;
    memset(long_text, 'a', sizeof(long_text) - 1);
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct dx_tunnel tunnel;

        if (dx_tunnel_init(&tunnel, &bad[i]) != DX_ERR_USAGE)
            fail_msg("row %zu was taken", i);
    }
}

static void an_answer_has_an_end(void **state)
{
    struct dx_tunnel_target target = {DX_TUNNEL_CONNECT, "a", 1, NULL, NULL};
    static const char line[] = "HTTP/1.1 100 Continue\r\n\r\n";
    enum dx_tunnel_status status = DX_TUNNEL_MORE;
    struct dx_tunnel tunnel;
    size_t sum = 0, used;

    (void)state;
    assert_int_equal(dx_tunnel_init(&tunnel, &target), DX_OK);
    dx_tunnel_sent(&tunnel, dx_tunnel_output(&tunnel).len);
    while (status == DX_TUNNEL_MORE) {
        status = dx_tunnel_feed(&tunnel, (const uint8_t *)line, sizeof(line) - 1, &used);
        sum += sizeof(line) - 1;
    }
    assert_int_equal(status, DX_TUNNEL_FAILED);
    assert_int_equal(tunnel.err, DX_ERR_PROTOCOL);
    assert_in_range(sum, DX_TUNNEL_HEAD_MAX, DX_TUNNEL_HEAD_MAX + sizeof(line));
    assert_int_equal(dx_tunnel_feed(&tunnel, NULL, 0, &used), DX_TUNNEL_FAILED);
    dx_tunnel_release(&tunnel);
    dx_tunnel_release(&tunnel);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(dialogues_at_every_cut),
        cmocka_unit_test(each_allocation_failing),
        cmocka_unit_test(targets_that_must_not_get_out),
        cmocka_unit_test(an_answer_has_an_end),
    };

    return run_group(tests, NULL, NULL);
}
