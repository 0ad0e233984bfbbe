/*
 * connector_tls_test.c - a client's TLS against OpenSSL's server: whom it trusts and what it says
 * of those it does not, certificates of its own, sessions, TLS inside TLS, and what servers must
 * not get it to do.
 */
#include "support/client/connector_tls_bench.h"
#include "support/test.h"

#include <sys/stat.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct connector_bench bench;

static const struct tls_certificate certificates[] = {
    {.name = "authority", .common_name = "Authority", .is_authority = true},
    {.name = "other", .common_name = "Other Authority", .is_authority = true},
    {.name = "good", .names = "DNS:localhost,IP:127.0.0.1", .signer = "authority"},
    {.name = "expired", .names = "IP:127.0.0.1", .signer = "authority", .days = -1},
    {.name = "lonely", .names = "IP:127.0.0.1"},
    {.name = "elsewhere", .names = "DNS:example.com", .signer = "authority"},
    {.name = "address", .names = "IP:127.0.0.2", .signer = "authority"},
    {.name = "wide", .names = "DNS:*.site.localhost", .signer = "authority"},
    {.name = "far", .names = "IP:127.0.0.1", .signer = "other"},
    {.name = "common", .common_name = "localhost", .signer = "authority"},
    {.name = "client", .common_name = "me", .signer = "authority"},
    {.name = "partial", .names = "DNS:lo*.site.localhost", .signer = "authority"},
    {.name = "rsa", .names = "IP:127.0.0.1", .signer = "authority", .rsa_bits = 2048},
};

/* A name in the list with a NUL in its middle: "localhost\0.example.com". */
static void make_with_nul(void)
{
    GENERAL_NAMES *names = GENERAL_NAMES_new();
    GENERAL_NAME *name = GENERAL_NAME_new();
    ASN1_IA5STRING *text = ASN1_IA5STRING_new();
    FILE *file = fopen(tls_file("elsewhere.pem"), "r");
    X509 *leaf = PEM_read_X509(file, NULL, NULL, NULL);
    EVP_PKEY *key;
    int at;

    fclose(file);
    assert_int_equal(ASN1_STRING_set(text, "localhost\0.example.com", 22), 1);
    GENERAL_NAME_set0_value(name, GEN_DNS, text);
    assert_true(sk_GENERAL_NAME_push(names, name) > 0);
    at = X509_get_ext_by_NID(leaf, NID_subject_alt_name, -1);
    X509_EXTENSION_free(X509_delete_ext(leaf, at));
    assert_int_equal(X509_add1_ext_i2d(leaf, NID_subject_alt_name, names, 0, X509V3_ADD_DEFAULT),
                     1);
    GENERAL_NAMES_free(names);
    file = fopen(tls_file("authority.key"), "r");
    key = PEM_read_PrivateKey(file, NULL, NULL, NULL);
    fclose(file);
    assert_true(X509_sign(leaf, key, EVP_sha256()) > 0);
    EVP_PKEY_free(key);
    file = fopen(tls_file("nul.pem"), "w");
    assert_int_equal(PEM_write_X509(file, leaf), 1);
    fclose(file);
    X509_free(leaf);
    tls_file_copy("elsewhere.key", "nul.key");
}

static int begin_all(void **state)
{
    (void)state;
    tls_files_begin();
    for (size_t i = 0; i < sizeof(certificates) / sizeof(certificates[0]); i++)
        tls_certificate_make(&certificates[i]);
    make_with_nul();
    return 0;
}

static int end_all(void **state)
{
    (void)state;
    tls_files_end();
    return 0;
}

static int begin(void **state)
{
    (void)state;
    bench_begin(&bench);
    (void)scripted_server_listen(&bench.server, "::1", bench_port(&bench));
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

/* ---- two sides ---- */

static void serve(const char *name)
{
    bench_serve(&bench, name);
}

static void trust(const struct dx_tls_client_options *options)
{
    bench_trust(&bench, options);
}

static void trust_authority(void)
{
    struct dx_tls_client_options options = dx_tls_client_options_init();

    options.ca_path = tls_file("authority.pem");
    trust(&options);
}

static const struct scripted_turn turn = {.wait_for = "\r\n\r\n", .say = BENCH_101 "\r\n\x81\x01x"};

static void run_to(const char *host)
{
    const struct scripted_talk talk = {&turn, 1, SCRIPTED_STAYS, true, 0, false};

    bench.options.url = bench_url(&bench, "wss", host, "/");
    scripted_server_restart(&bench.server);
    assert_int_equal(bench_run(&bench, &talk, 1), DX_OK);
}

static void expect_failure(enum dx_failure_step step, enum dx_err err, const char *detail)
{
    assert_string_equal(bench.seen.detail, detail);
    assert_int_equal(bench.seen.step, step);
    assert_int_equal(bench.seen.err, err);
}

/* ---- whom it trusts ---- */

static void row_82_certificates_that_are_not_good(void **state)
{
    static const struct {
        const char *certificate;
        const char *host;
        const char *why;
    } rows[] = {
        {"expired", "127.0.0.1", "certificate has expired"},
        {"lonely", "127.0.0.1", "self-signed certificate"},
        {"elsewhere", "localhost", "hostname mismatch"},
        {"far", "127.0.0.1", "unable to get local issuer certificate"},
        {"address", "127.0.0.1", "IP address mismatch"},
        {"good", "[::1]", "IP address mismatch"},
        {"wide", "site.localhost", "hostname mismatch"},
        {"wide", "a.b.site.localhost", "hostname mismatch"},
        {"partial", "lost.site.localhost", "hostname mismatch"},
        {"nul", "localhost", "hostname mismatch"},
        {"common", "localhost", "hostname mismatch"},
        {"rsa", "localhost", "hostname mismatch"},
    };

    (void)state;
    trust_authority();
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        bool is_ipv6 = rows[i].host[0] == '[';
        char detail[160];

        serve(rows[i].certificate);
        run_to(rows[i].host);
        (void)snprintf(detail, sizeof(detail), "the certificate of %s is not valid: %s",
                       is_ipv6 ? "::1" : rows[i].host, rows[i].why);
        expect_failure(DX_STEP_TLS, DX_ERR_TLS, detail);
        /* It was not asked for anything. */
        assert_int_equal(bench.server.connections[0].in_len, 0);
    }
}

/* `*.com` stands for no site at all (RFC 9525 6.3), so it is nobody's certificate. */
static void row_82_a_wildcard_for_a_whole_domain(void **state)
{
    const struct tls_certificate certificate = {
        .name = "top", .names = "DNS:*.com", .signer = "authority"};
    struct dx_tls_client_options options = dx_tls_client_options_init();

    (void)state;
    tls_certificate_make(&certificate);
    serve("top");
    options.ca_path = tls_file("authority.pem");
    options.server_name = "example.com";
    trust(&options);
    run_to("127.0.0.1");
    expect_failure(DX_STEP_TLS, DX_ERR_TLS,
                   "the certificate of example.com is not valid: hostname mismatch");
}

static void certificates_that_are_good(void **state)
{
    struct dx_tls_client_options options = dx_tls_client_options_init();

    (void)state;
    trust_authority();
    serve("good");
    run_to("127.0.0.1");
    assert_true(bench.seen.is_open);
    assert_true(bench.seen.has_tls);
    assert_string_equal(bench.seen.facts.version, "TLSv1.3");
    /* The certificate is the server's, not ours. */
    assert_false(bench.seen.facts.has_client_certificate);
    assert_string_equal(bench.seen.facts.client_subject, "");
    run_to("localhost");
    assert_true(bench.seen.is_open);
    run_to("LocalHost.");
    assert_true(bench.seen.is_open);
    serve("wide");
    run_to("a.site.localhost");
    assert_true(bench.seen.is_open);
    serve("elsewhere");
    options.ca_path = tls_file("authority.pem");
    options.server_name = "example.com";
    trust(&options);
    bench.keeps_stream = true;
    run_to("127.0.0.1");
    assert_true(bench.seen.is_open);
    assert_string_equal(bench.seen.facts.server_name, "example.com");
    dx_stream_close(&bench.stream, true);
    bench.keeps_stream = false;
    /* Its own certificate is as good an anchor as its authority's. */
    serve("lonely");
    options.server_name = NULL;
    options.ca_path = tls_file("lonely.pem");
    trust(&options);
    run_to("127.0.0.1");
    assert_true(bench.seen.is_open);
    serve("expired");
    options.ca_path = NULL;
    options.is_insecure = true;
    trust(&options);
    run_to("localhost");
    assert_true(bench.seen.is_open);
}

/* As c_rehash names them: the subject's hash. */
static void a_directory_of_authorities(void **state)
{
    struct dx_tls_client_options options = dx_tls_client_options_init();
    char directory[128], path[192];
    FILE *file = fopen(tls_file("authority.pem"), "r");
    X509 *authority = PEM_read_X509(file, NULL, NULL, NULL);

    (void)state;
    fclose(file);
    (void)snprintf(directory, sizeof(directory), "/tmp/duplex-ca-%d", (int)getpid());
    assert_int_equal(mkdir(directory, 0700), 0);
    (void)snprintf(path, sizeof(path), "%s/%08lx.0", directory, X509_subject_name_hash(authority));
    X509_free(authority);
    options.ca_path = directory;
    trust(&options);
    serve("good");
    run_to("127.0.0.1");
    expect_failure(
        DX_STEP_TLS, DX_ERR_TLS,
        "the certificate of 127.0.0.1 is not valid: unable to get local issuer certificate");
    assert_int_equal(symlink(tls_file("authority.pem"), path), 0);
    run_to("127.0.0.1");
    assert_true(bench.seen.is_open);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(rmdir(directory), 0);
}

/* The system's authorities are those of OpenSSL's build, whatever the environment says. */
static void the_environment_changes_nothing(void **state)
{
    const char *const names[] = {"SSL_CERT_FILE", "SSL_CERT_DIR", "OPENSSL_CONF", "SSLKEYLOGFILE"};
    char path[128];

    (void)state;
    (void)setenv(names[0], tls_file("authority.pem"), 1);
    (void)setenv(names[1], "/nowhere", 1);
    tls_file_write("broken.cnf",
                   "openssl_conf = x\n[x]\nssl_conf = y\n[y]\nsystem_default = z\n[z]\n"
                   "VerifyMode = None\nMaxProtocol = TLSv1.2\n");
    (void)setenv(names[2], tls_file("broken.cnf"), 1);
    (void)snprintf(path, sizeof(path), "%s", tls_file("keys.log"));
    (void)setenv(names[3], path, 1);
    trust(NULL);
    serve("good");
    run_to("127.0.0.1");
    expect_failure(
        DX_STEP_TLS, DX_ERR_TLS,
        "the certificate of 127.0.0.1 is not valid: unable to get local issuer certificate");
    trust_authority();
    run_to("127.0.0.1");
    assert_true(bench.seen.is_open);
    assert_string_equal(bench.seen.facts.version, "TLSv1.3");
    assert_int_equal(access(path, F_OK), -1);
    for (size_t i = 0; i < 4; i++)
        (void)unsetenv(names[i]);
}

static void options_that_cannot_be(void **state)
{
    struct dx_tls_client_options options = dx_tls_client_options_init();
    struct dx_tls_client *client = NULL;
    char text[8192], why[256];
    FILE *file;
    size_t len;

    (void)state;
    options.certificate_path = tls_file("client.pem");
    assert_int_equal(dx_tls_client_new(&options, &client, why, sizeof(why)), DX_ERR_USAGE);
    assert_string_equal(why, "a certificate and its key go together");
    options.key_path = tls_file("good.key");
    assert_int_equal(dx_tls_client_new(&options, &client, why, sizeof(why)),
                     DX_ERR_BAD_CERTIFICATE);
    options = dx_tls_client_options_init();
    options.ca_path = tls_file("none.pem");
    assert_int_equal(dx_tls_client_new(&options, &client, why, sizeof(why)), DX_ERR_NOT_FOUND);
    assert_non_null(strstr(why, "none.pem"));
    options.ca_path = tls_file("good.key");
    assert_int_equal(dx_tls_client_new(&options, &client, why, sizeof(why)),
                     DX_ERR_BAD_CERTIFICATE);
    /* One that is whole, and one that is not. */
    file = fopen(tls_file("authority.pem"), "r");
    len = fread(text, 1, 4000, file);
    fclose(file);
    (void)snprintf(text + len, sizeof(text) - len,
                   "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
    tls_file_write("half.pem", text);
    options.ca_path = tls_file("half.pem");
    assert_int_equal(dx_tls_client_new(&options, &client, why, sizeof(why)),
                     DX_ERR_BAD_CERTIFICATE);
    options.ca_path = NULL;
    options.server_name = "";
    assert_int_equal(dx_tls_client_new(&options, &client, why, sizeof(why)), DX_ERR_USAGE);
    assert_null(client);
}

/* ---- who we are ---- */

static void row_83_a_server_that_wants_a_certificate(void **state)
{
    struct dx_tls_client_options options = dx_tls_client_options_init();

    (void)state;
    for (int version = TLS1_2_VERSION; version <= TLS1_3_VERSION; version++) {
        serve("good");
        SSL_CTX_set_verify(bench.server.context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT,
                           NULL);
        assert_int_equal(
            SSL_CTX_load_verify_locations(bench.server.context, tls_file("authority.pem"), NULL),
            1);
        assert_int_equal(SSL_CTX_set_max_proto_version(bench.server.context, version), 1);
        trust_authority();
        run_to("127.0.0.1");
        expect_failure(DX_STEP_TLS, DX_ERR_TLS,
                       version == TLS1_3_VERSION
                           ? "the server requires a client certificate"
                           : "the TLS handshake failed: sslv3 alert handshake failure");
        options.ca_path = tls_file("authority.pem");
        options.certificate_path = tls_file("client.pem");
        options.key_path = tls_file("client.key");
        trust(&options);
        bench.keeps_stream = true;
        run_to("127.0.0.1");
        assert_true(bench.seen.is_open);
        assert_int_equal(SSL_get_verify_result(bench.server.connections[0].ssl), X509_V_OK);
        assert_non_null(SSL_get0_peer_certificate(bench.server.connections[0].ssl));
        dx_stream_close(&bench.stream, true);
    }
}

static unsigned line_count;

static void on_keylog(const char *line, void *user)
{
    assert_ptr_equal(user, &line_count);
    assert_true(strncmp(line, "CLIENT_", 7) == 0 || strncmp(line, "SERVER_", 7) == 0 ||
                strncmp(line, "EXPORTER_", 9) == 0);
    line_count++;
}

static void the_secrets_are_told_who_asks(void **state)
{
    struct dx_tls_client_options options = dx_tls_client_options_init();

    (void)state;
    options.ca_path = tls_file("authority.pem");
    options.on_keylog = on_keylog;
    options.user = &line_count;
    trust(&options);
    serve("good");
    run_to("127.0.0.1");
    assert_true(bench.seen.is_open);
    assert_int_equal(line_count, 5);
}

/* ---- sessions ---- */

/* Its tickets come with the first bytes, so they are read with the answer. */
static void an_earlier_session_goes_on(void **state)
{
    (void)state;
    bench.keeps_stream = true;
    for (int version = TLS1_2_VERSION; version <= TLS1_3_VERSION; version++) {
        serve("good");
        assert_int_equal(SSL_CTX_set_max_proto_version(bench.server.context, version), 1);
        trust_authority();
        for (int i = 0; i < 4; i++) {
            run_to("127.0.0.1");
            assert_true(bench.seen.is_open);
            assert_true(bench.seen.facts.is_resumed == (i > 0));
            assert_true(SSL_session_reused(bench.server.connections[0].ssl) == (i > 0));
            dx_stream_close(&bench.stream, false);
        }
        /* Another host has none. */
        run_to("localhost");
        assert_true(bench.seen.is_open);
        assert_false(bench.seen.facts.is_resumed);
        dx_stream_close(&bench.stream, false);
        /* Where the server has forgotten them a whole handshake follows. */
        serve("good");
        assert_int_equal(SSL_CTX_set_max_proto_version(bench.server.context, version), 1);
        run_to("127.0.0.1");
        assert_true(bench.seen.is_open);
        assert_false(bench.seen.facts.is_resumed);
        dx_stream_close(&bench.stream, false);
    }
}

/* ---- what servers must not get it to do ---- */

static void row_74_75_old_versions_and_ciphers(void **state)
{
    static const char *const ciphers[] = {"AES128-SHA", "AES256-GCM-SHA384", "ECDHE-RSA-AES128-SHA",
                                          "ECDHE-RSA-AES256-SHA384"};

    (void)state;
    trust_authority();
    for (size_t i = 0; i < sizeof(ciphers) / sizeof(ciphers[0]); i++) {
        serve("rsa");
        assert_int_equal(SSL_CTX_set_max_proto_version(bench.server.context, TLS1_2_VERSION), 1);
        assert_int_equal(SSL_CTX_set_cipher_list(bench.server.context, ciphers[i]), 1);
        run_to("127.0.0.1");
        expect_failure(DX_STEP_TLS, DX_ERR_TLS,
                       "the TLS handshake failed: sslv3 alert handshake failure");
    }
    serve("rsa");
    SSL_CTX_set_security_level(bench.server.context, 0);
    assert_int_equal(SSL_CTX_set_min_proto_version(bench.server.context, TLS1_VERSION), 1);
    assert_int_equal(SSL_CTX_set_max_proto_version(bench.server.context, TLS1_1_VERSION), 1);
    run_to("127.0.0.1");
    expect_failure(DX_STEP_TLS, DX_ERR_TLS,
                   "the TLS handshake failed: tlsv1 alert protocol version");
}

static void row_76_renegotiation(void **state)
{
    uint8_t bytes[64];
    size_t got;
    SSL *ssl;

    (void)state;
    trust_authority();
    serve("good");
    assert_int_equal(SSL_CTX_set_max_proto_version(bench.server.context, TLS1_2_VERSION), 1);
    bench.keeps_stream = true;
    run_to("127.0.0.1");
    assert_true(bench.seen.is_open);
    ssl = bench.server.connections[0].ssl;
    assert_int_equal(SSL_renegotiate(ssl), 1);
    (void)SSL_do_handshake(ssl);
    assert_int_equal(dx_stream_read(&bench.stream, bytes, sizeof(bytes), &got), DX_ERR_AGAIN);
    /* It has answered with a warning, no new hello: the server gives up. */
    ERR_clear_error();
    assert_true(SSL_read(ssl, bytes, 1) <= 0);
    assert_int_equal(ERR_GET_REASON(ERR_peek_error()), SSL_R_NO_RENEGOTIATION);
    ERR_clear_error();
    dx_stream_close(&bench.stream, true);
}

static void row_77_a_slow_handshake(void **state)
{
    static const struct scripted_talk talk = {NULL, 0, SCRIPTED_STAYS, false, 0, false};

    (void)state;
    trust_authority();
    bench.options.timeout_ms = 60;
    bench.options.url = bench_url(&bench, "wss", "127.0.0.1", "/");
    assert_int_equal(bench_run(&bench, &talk, 1), DX_OK);
    expect_failure(DX_STEP_TLS, DX_ERR_TIMEOUT, "the connection did not open in time");
}

/* The answer is cut without close_notify: it is no end, but a loss. */
static void row_78_a_truncated_answer(void **state)
{
    static const struct scripted_turn half = {.wait_for = "\r\n\r\n", .say = "HTTP/1.1 101 Swi"};
    struct scripted_talk talk = {&half, 1, SCRIPTED_CLOSES, true, 0, true};
    static const char gone[] = "the server closed the connection without an answer";

    (void)state;
    trust_authority();
    serve("good");
    bench.options.url = bench_url(&bench, "wss", "127.0.0.1", "/");
    assert_int_equal(bench_run(&bench, &talk, 1), DX_OK);
    expect_failure(DX_STEP_HANDSHAKE, DX_ERR_RESET, gone);
    scripted_server_restart(&bench.server);
    talk.notes_cut_only = false;
    assert_int_equal(bench_run(&bench, &talk, 1), DX_OK);
    expect_failure(DX_STEP_HANDSHAKE, DX_ERR_CLOSED, gone);
}

static void row_118_redirects_do_not_leave_tls(void **state)
{
    static char answer[128];
    static const struct scripted_turn moved = {.wait_for = "\r\n\r\n", .say = answer};
    struct scripted_talk talks[2] = {{&moved, 1, SCRIPTED_STAYS, true, 0, false},
                                     {&turn, 1, SCRIPTED_STAYS, true, 0, false}};

    (void)state;
    trust_authority();
    serve("good");
    bench.options.max_redirects = 3;
    bench.options.url = bench_url(&bench, "wss", "127.0.0.1", "/");
    for (int i = 0; i < 4; i++) {
        static const char *const schemes[] = {"ws", "http", "wss", "https"};

        (void)snprintf(answer, sizeof(answer),
                       "HTTP/1.1 302 Moved\r\nLocation: %s\r\nContent-Length: 0\r\n\r\n",
                       bench_url(&bench, schemes[i], "127.0.0.1", "/x"));
        scripted_server_restart(&bench.server);
        assert_int_equal(bench_run(&bench, talks, 2), DX_OK);
        assert_true(bench.seen.is_open == (i > 1));
        if (i < 2)
            expect_failure(DX_STEP_UPGRADE, DX_ERR_REFUSED,
                           "the redirect leaves TLS: the server answered 302 Moved");
    }
}

static void a_server_without_tls(void **state)
{
    static const struct scripted_turn plain = {.wait_len = 1,
                                               .say = "HTTP/1.1 400 Bad Request\r\n\r\n"};
    static const struct scripted_talk talk = {&plain, 1, SCRIPTED_CLOSES, false, 0, false};

    (void)state;
    trust_authority();
    bench.options.url = bench_url(&bench, "wss", "127.0.0.1", "/");
    assert_int_equal(bench_run(&bench, &talk, 1), DX_OK);
    expect_failure(DX_STEP_TLS, DX_ERR_TLS, "the server does not speak TLS on this port");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)
    const struct CMUnitTest tests[] = {
        TEST(row_82_certificates_that_are_not_good),
        TEST(row_82_a_wildcard_for_a_whole_domain),
        TEST(certificates_that_are_good),
        TEST(a_directory_of_authorities),
        TEST(the_environment_changes_nothing),
        TEST(options_that_cannot_be),
        TEST(row_83_a_server_that_wants_a_certificate),
        TEST(the_secrets_are_told_who_asks),
        TEST(an_earlier_session_goes_on),
        TEST(row_74_75_old_versions_and_ciphers),
        TEST(row_76_renegotiation),
        TEST(row_77_a_slow_handshake),
        TEST(row_78_a_truncated_answer),
        TEST(row_118_redirects_do_not_leave_tls),
        TEST(a_server_without_tls),
    };

    return run_group(tests, begin_all, end_all);
}
