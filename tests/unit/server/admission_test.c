/*
 * admission_test.c - who may come in under which options: Origin and Host, on loopback listeners,
 * on others, on unix sockets.
 */
#include "support/server/service.h"
#include "support/test.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define ALL "*:0"
#define LOOPBACK NULL
#define UNIX "unix"

static const struct row {
    const char *address;
    const char *origins[2];
    const char *host_rule;
    const char *host;
    const char *origin; /* NULL: none is sent */
    unsigned status;
} rows[] = {
    /* without options */
    {LOOPBACK, {0}, NULL, "localhost", NULL, 101},
    {LOOPBACK, {0}, NULL, "app.localhost:3000", "http://app.localhost:3000", 101},
    {LOOPBACK, {0}, NULL, "127.0.0.1:1", "http://127.0.0.1:3000", 101},
    {LOOPBACK, {0}, NULL, "[::1]", "https://localhost", 101},
    {LOOPBACK, {0}, NULL, "localhost", "https://good.example", 403},
    {LOOPBACK, {0}, NULL, "localhost", "chrome-extension://abcdef", 403},
    {LOOPBACK, {0}, NULL, "evil.example", "http://evil.example", 421},
    {LOOPBACK, {0}, NULL, "192.0.2.1", NULL, 421},
    {ALL, {0}, NULL, "good.example", NULL, 101},
    {ALL, {0}, NULL, "good.example", "http://good.example", 101},
    {ALL, {0}, NULL, "good.example", "https://good.example", 101},
    {ALL, {0}, NULL, "good.example:8080", "http://good.example:8080", 101},
    {ALL, {0}, NULL, "good.example:8080", "http://good.example", 403},
    {ALL, {0}, NULL, "good.example", "http://good.example:8080", 403},
    {ALL, {0}, NULL, "good.example", "http://localhost", 403},
    {ALL, {0}, NULL, "good.example", "null", 403},
    {UNIX, {0}, NULL, "good.example", "https://good.example", 101},
    {UNIX, {0}, NULL, "good.example", "http://localhost", 403},
    /* --origin */
    {LOOPBACK, {"same"}, NULL, "localhost", "http://localhost", 101},
    {LOOPBACK, {"same"}, NULL, "localhost", "http://localhost:3000", 403},
    {LOOPBACK, {"any"}, NULL, "localhost", "https://evil.example", 101},
    {LOOPBACK, {"any"}, NULL, "localhost", "null", 101},
    {LOOPBACK, {"null"}, NULL, "localhost", "null", 101},
    {LOOPBACK, {"null"}, NULL, "localhost", "http://localhost", 403},
    {LOOPBACK, {"null"}, NULL, "localhost", NULL, 101},
    {LOOPBACK, {"https://*.example.org"}, NULL, "localhost", "https://a.b.example.org", 101},
    {LOOPBACK, {"https://*.example.org"}, NULL, "localhost", "https://example.org", 403},
    {LOOPBACK, {"https://*.example.org"}, NULL, "localhost", "http://a.example.org", 403},
    {LOOPBACK, {"https://*.example.org"}, NULL, "localhost", "https://a.example.org:8443", 403},
    {LOOPBACK, {"https://*.example.org"}, NULL, "localhost", "https://evilexample.org", 403},
    {LOOPBACK, {"same", "https://good.example"}, NULL, "localhost", "https://good.example", 101},
    {LOOPBACK, {"same", "https://good.example"}, NULL, "localhost", "http://localhost", 101},
    /* --host */
    {LOOPBACK, {0}, "good.example", "good.example:80", NULL, 101},
    {LOOPBACK, {0}, "good.example", "GOOD.example", NULL, 101},
    {LOOPBACK, {0}, "good.example", "evil.good.example", NULL, 421},
    {ALL, {0}, "good.example", "good.example", NULL, 101},
    {ALL, {0}, "good.example", "127.0.0.1", NULL, 101},
    {ALL, {0}, "good.example", "evil.example", NULL, 421},
    {UNIX, {0}, "good.example", "evil.example", NULL, 421},
};

static void check_row(const struct row *row)
{
    static struct service service;
    static struct answer answer;
    struct service_setup setup = service_setup_init();
    char text[512], origin[128] = "", path[64];
    struct raw raw;

    (void)snprintf(path, sizeof(path), "unix:/tmp/duplex-admission-%d", (int)getpid());
    setup.address = row->address != NULL && strcmp(row->address, UNIX) == 0 ? path : row->address;
    setup.options.origins = row->origins;
    setup.options.origin_count = row->origins[0] == NULL ? 0 : row->origins[1] == NULL ? 1 : 2;
    setup.options.hosts = &row->host_rule;
    setup.options.host_count = row->host_rule != NULL;
    assert_true(service_start(&service, &setup));
    if (row->origin != NULL)
        (void)snprintf(origin, sizeof(origin), "Origin: %s\r\n", row->origin);
    (void)snprintf(text, sizeof(text),
                   "GET / HTTP/1.1\r\nHost: %s\r\n%sUpgrade: websocket\r\nConnection: Upgrade\r\n"
                   "Sec-WebSocket-Version: 13\r\n"
                   "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
                   row->host, origin);
    (void)raw_connect(&raw, &service, false);
    assert_true(raw_send_text(&raw, text));
    assert_true(raw_wait_answer(&raw, &answer, false));
    if (answer.status != row->status)
        fail_msg("%s %s asks for %s: %u", row->origins[0] != NULL ? row->origins[0] : "default",
                 row->origin != NULL ? row->origin : "a program", row->host, answer.status);
    assert_int_equal(service.log_count, row->status != 101);
    raw_close(&raw);
    service_stop(&service);
}

static void test_each_row(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        check_row(&rows[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_each_row)};

    return run_group(tests, NULL, NULL);
}
