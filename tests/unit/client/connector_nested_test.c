/*
 * connector_nested_test.c - TLS to a proxy and TLS inside it, in any pieces, against OpenSSL on
 * both layers; and what is left in OpenSSL's hands behind an answer.
 */
#include "support/client/connector_tls_bench.h"
#include "support/test.h"

#include <stdio.h>
#include <string.h>

static struct connector_bench bench;
static struct dx_proxy proxy;

static int begin_all(void **state)
{
    static const struct tls_certificate certificates[] = {
        {.name = "good", .names = "IP:127.0.0.1,DNS:target.example"},
        {.name = "proxy", .names = "IP:127.0.0.1"},
        {.name = "other", .names = "DNS:other.example"},
    };

    (void)state;
    tls_files_begin();
    for (size_t i = 0; i < sizeof(certificates) / sizeof(certificates[0]); i++)
        tls_certificate_make(&certificates[i]);
    return 0;
}

static int end_all(void **state)
{
    (void)state;
    tls_files_end();
    return 0;
}

static void trust(const char *name)
{
    struct dx_tls_client_options options = dx_tls_client_options_init();

    options.ca_path = tls_file(name);
    bench_trust(&bench, &options);
}

static int begin(void **state)
{
    const char *detail;
    char text[64];

    (void)state;
    bench_begin(&bench);
    (void)snprintf(text, sizeof(text), "https://n:p@127.0.0.1:%u", (unsigned)bench_port(&bench));
    assert_int_equal(dx_proxy_parse(text, &proxy, &detail), DX_OK);
    bench.options.proxy = &proxy;
    bench.options.url = "wss://target.example/x";
    bench_serve(&bench, "good");
    trust("good.pem");
    return 0;
}

static int end(void **state)
{
    (void)state;
    bench_end(&bench);
    SSL_CTX_free(bench.server.context);
    dx_tls_client_free(bench.options.tls);
    return 0;
}

static const struct scripted_turn turns[] = {
    {.wait_for = "\r\n\r\n", .say = "HTTP/1.1 200 OK\r\n\r\n"},
    {.wait_for = "\r\n\r\n", .say = BENCH_101 "\r\n\x81\x02hi"}};
static const struct scripted_talk through = {turns, 2, SCRIPTED_STAYS, true, 1, false};

static void tls_inside_tls(void **state)
{
    const char *heard;
    size_t cut;

    (void)state;
    for (cut = 0; cut <= 160; cut++) {
        bench.server.cut = cut;
        bench.server.is_bytewise = cut == 160;
        scripted_server_restart(&bench.server);
        assert_int_equal(bench_run(&bench, &through, 1), DX_OK);
        assert_string_equal(bench.seen.detail, "");
        assert_true(bench.seen.is_open);
        assert_true(bench.seen.has_tls);
        assert_true(bench.seen.facts.is_resumed || cut == 0);
        heard = scripted_server_heard(&bench.server, 0);
        assert_memory_equal(heard, "CONNECT target.example:443 HTTP/1.1\r\n", 37);
        assert_non_null(strstr(heard, "GET /x HTTP/1.1\r\nHost: target.example\r\n"));
    }
    printf("%zu cuts\n", cut);
}

/* A wss proxy and a ws target: one layer only, the proxy's. */
static void a_plain_target_behind_a_secure_proxy(void **state)
{
    static const struct scripted_talk talk = {turns, 2, SCRIPTED_STAYS, true, 0, false};

    (void)state;
    bench.options.url = "ws://target.example/x";
    assert_int_equal(bench_run(&bench, &talk, 1), DX_OK);
    assert_true(bench.seen.is_open);
}

/* Who speaks before the TLS handshake is not the target. */
static void row_122_bytes_before_tls(void **state)
{
    (void)state;
    proxy.is_secure = false;
    assert_int_equal(bench_run_answer(&bench, "HTTP/1.1 200 OK\r\n\r\nHTTP/1.1 403 No\r\n\r\n", 0,
                                      SCRIPTED_STAYS),
                     DX_OK);
    assert_string_equal(bench.seen.detail, "the proxy sent data before the TLS handshake");
    assert_int_equal(bench.seen.step, DX_STEP_PROXY);
    assert_int_equal(bench.seen.err, DX_ERR_PROTOCOL);
}

static void whose_certificate_is_not_good(void **state)
{
    (void)state;
    bench_serve(&bench, "proxy");
    trust("proxy.pem");
    assert_int_equal(bench_run(&bench, &through, 1), DX_OK);
    assert_string_equal(bench.seen.detail,
                        "the certificate of target.example is not valid: hostname mismatch");
    assert_int_equal(bench.seen.step, DX_STEP_TLS);
    assert_int_equal(bench.seen.err, DX_ERR_TLS);
    scripted_server_restart(&bench.server);
    bench_serve(&bench, "other");
    trust("other.pem");
    assert_int_equal(bench_run(&bench, &through, 1), DX_OK);
    assert_string_equal(bench.seen.detail,
                        "the certificate of 127.0.0.1 is not valid: IP address mismatch");
    assert_int_equal(bench.seen.step, DX_STEP_PROXY);
    assert_int_equal(bench.seen.err, DX_ERR_TLS);
}

/* The inner one's refusal reaches the server as an alert, through the outer one. */
static void the_alert_gets_through(void **state)
{
    SSL *ssl;
    int turn;

    (void)state;
    bench_serve(&bench, "proxy");
    trust("proxy.pem");
    assert_int_equal(bench_run(&bench, &through, 1), DX_OK);
    for (turn = 0; turn < 5 && scripted_server_step(&bench.server); turn++)
        ;
    ssl = bench.server.connections[0].ssl;
    assert_true(ssl == NULL || !SSL_is_init_finished(ssl));
    assert_true(bench.server.connections[0].is_at_end);
    assert_int_equal(bench.server.last_reason, SSL_R_SSLV3_ALERT_BAD_CERTIFICATE);
}

/* ---- left behind ---- */

static char answer[60000];
static struct scripted_turn many[] = {{.wait_for = "\r\n\r\n", .say = "HTTP/1.1 200 OK\r\n\r\n"},
                                      {.wait_for = "\r\n\r\n", .say = answer}};

/* Reads all that the server says, waiting only where the stream says that nothing is left. */
static void read_all(size_t wanted)
{
    static uint8_t bytes[8192];
    size_t total = bench.seen.early_len;

    while (total < wanted) {
        struct pollfd fd = {.fd = bench.stream.watch.fd, .events = POLLIN};
        size_t got = 0;

        (void)scripted_server_step(&bench.server);
        if (!dx_stream_has_pending(&bench.stream))
            assert_int_equal(poll(&fd, 1, PATIENCE_MS), 1);
        if (dx_stream_read(&bench.stream, bytes, sizeof(bytes), &got) == DX_OK)
            total += got;
    }
    assert_int_equal(total, wanted);
    dx_stream_close(&bench.stream, true);
}

static void prepare_many(void)
{
    size_t head = strlen(BENCH_101 "\r\n");

    bench.keeps_stream = true;
    memcpy(answer, BENCH_101 "\r\n", head);
    memset(answer + head, 'x', 50000);
    answer[head + 50000] = '\0';
}

static void bytes_behind_the_answer_are_not_lost(void **state)
{
    static const struct scripted_talk one = {&many[1], 1, SCRIPTED_STAYS, true, 0, false};
    static const struct scripted_talk both = {many, 2, SCRIPTED_STAYS, true, 1, false};

    (void)state;
    prepare_many();
    assert_int_equal(bench_run(&bench, &both, 1), DX_OK);
    assert_true(bench.seen.is_open);
    read_all(50000);
    scripted_server_restart(&bench.server);
    bench.options.proxy = NULL;
    bench.options.url = bench_url(&bench, "wss", "127.0.0.1", "/");
    assert_int_equal(bench_run(&bench, &one, 1), DX_OK);
    assert_true(bench.seen.is_open);
    read_all(50000);
}

/* More than the kernel takes: the outer layer has to wait for the inner one's bytes. */
static void much_goes_out_through_both(void **state)
{
    static uint8_t bytes[100000];
    size_t total = 0, heard = 0;

    (void)state;
    bench.keeps_stream = true;
    assert_int_equal(bench_run(&bench, &through, 1), DX_OK);
    assert_true(bench.seen.is_open);
    for (int i = 0; i < 100000 && (total < 8000000 || heard < total); i++) {
        struct dx_slice slice = {bytes, sizeof(bytes)};
        struct scripted_connection *connection = &bench.server.connections[0];
        size_t put = 0;
        enum dx_err err =
            total < 8000000 ? dx_stream_write(&bench.stream, &slice, 1, &put) : DX_ERR_AGAIN;

        assert_true(err == DX_OK || err == DX_ERR_AGAIN);
        total += err == DX_OK ? put : 0;
        connection->in_len = 0;
        connection->seen_len = 0;
        (void)scripted_server_step(&bench.server);
        heard += connection->in_len;
    }
    assert_true(total >= 8000000);
    assert_int_equal(heard, total);
    dx_stream_close(&bench.stream, false);
}

/* Without a word: the network's fault, perhaps, and worth another attempt. */
static void a_handshake_that_is_broken_off(void **state)
{
    static const struct scripted_turn hello = {.wait_len = 1};
    struct scripted_talk talk = {&hello, 1, SCRIPTED_RESETS, false, 0, false};

    (void)state;
    bench.options.proxy = NULL;
    bench.options.url = bench_url(&bench, "wss", "127.0.0.1", "/");
    for (int i = 0; i < 2; i++) {
        scripted_server_restart(&bench.server);
        assert_int_equal(bench_run(&bench, &talk, 1), DX_OK);
        assert_int_equal(bench.seen.step, DX_STEP_TLS);
        assert_int_equal(bench.seen.err, DX_ERR_RESET);
        assert_string_equal(bench.seen.detail, "the TLS handshake failed: the connection ended");
        talk.end = SCRIPTED_CLOSES;
    }
}

static void without_rules_for_tls_it_is_told(void **state)
{
    (void)state;
    dx_tls_client_free(bench.options.tls);
    bench.options.tls = NULL;
    assert_int_equal(bench_run(&bench, &through, 1), DX_OK);
    assert_int_equal(bench.seen.step, DX_STEP_PROXY);
    assert_int_equal(bench.seen.err, DX_ERR_USAGE);
    scripted_server_restart(&bench.server);
    bench.options.proxy = NULL;
    bench.options.url = bench_url(&bench, "wss", "127.0.0.1", "/");
    assert_int_equal(bench_run(&bench, &through, 1), DX_OK);
    assert_int_equal(bench.seen.step, DX_STEP_TLS);
    assert_int_equal(bench.seen.err, DX_ERR_USAGE);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)
    const struct CMUnitTest tests[] = {
        TEST(tls_inside_tls),
        TEST(a_plain_target_behind_a_secure_proxy),
        TEST(row_122_bytes_before_tls),
        TEST(whose_certificate_is_not_good),
        TEST(the_alert_gets_through),
        TEST(bytes_behind_the_answer_are_not_lost),
        TEST(much_goes_out_through_both),
        TEST(a_handshake_that_is_broken_off),
        TEST(without_rules_for_tls_it_is_told),
    };

    return run_group(tests, begin_all, end_all);
}
