/*
 * tls_rows_test.c - hostile and outdated clients, by the rows of the threat list (group H), at the
 * stream. What needs a connection is in connection/tls_test.c (H78, H81), what needs a server in
 * e2e/tls.test.mjs (H77, H83).
 */
#include "support/net/tls_bench.h"
#include "support/test.h"

#include <openssl/err.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

static struct dx_tls *ec;
static struct dx_tls *rsa;

static int set_up(void **state)
{
    (void)state;
    tls_files_begin();
    tls_certificate_make(&(struct tls_certificate){
        .name = "ec", .common_name = "ec", .names = "DNS:a.example,DNS:b.example"});
    tls_certificate_make(
        &(struct tls_certificate){.name = "rsa", .common_name = "rsa", .rsa_bits = 2048});
    tls_certificate_make(&(struct tls_certificate){
        .name = "ca", .common_name = "the authority", .is_authority = true});
    tls_certificate_make(
        &(struct tls_certificate){.name = "ca2", .common_name = "another", .is_authority = true});
    tls_certificate_make(
        &(struct tls_certificate){.name = "good", .common_name = "Ada, \"x\"\n", .signer = "ca"});
    tls_certificate_make(&(struct tls_certificate){
        .name = "expired", .common_name = "expired", .signer = "ca", .days = -1});
    tls_certificate_make(
        &(struct tls_certificate){.name = "foreign", .common_name = "foreign", .signer = "ca2"});
    ec = tls_load("ec");
    rsa = tls_load("rsa");
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    dx_tls_free(ec);
    dx_tls_free(rsa);
    tls_files_end();
    return 0;
}

/* ---- H74, H75: versions and ciphers ---- */

static void test_H74_old_versions_get_an_alert(void **unused)
{
    static const int versions[] = {TLS1_VERSION, TLS1_1_VERSION};

    (void)unused;
    for (size_t i = 0; i < 2; i++) {
        struct tls_line line;
        char why[DX_STREAM_WHY_ROOM];

        tls_line_begin(&line, ec);
        SSL_set_security_level(line.ssl, 0);
        SSL_set_min_proto_version(line.ssl, versions[i]);
        SSL_set_max_proto_version(line.ssl, versions[i]);
        assert_int_equal(tls_line_shake(&line), DX_ERR_TLS);
        assert_int_equal(line.alert, SSL_AD_PROTOCOL_VERSION);
        dx_stream_tls_why(&line.stream, why, sizeof(why));
        assert_string_equal(why, "the client speaks neither TLS 1.2 nor 1.3");
        tls_line_release(&line);
    }
}

/* An SSL 3 and an SSL 2 hello, which no library can send any more. */
static void test_H74_ancient_hellos(void **unused)
{
    static const uint8_t ssl3[] = "\x16\x03\x00\x00\x2d\x01\x00\x00\x29\x03\x00"
                                  "0123456789abcdef0123456789abcdef"
                                  "\x00\x00\x02\xc0\x2f\x01\x00";
    static const uint8_t ssl2[] = "\x80\x1c\x01\x00\x02\x00\x03\x00\x00\x00\x10\x07\x00\xc0"
                                  "0123456789abcdef";
    const struct dx_slice hellos[] = {{ssl3, sizeof(ssl3) - 1}, {ssl2, sizeof(ssl2) - 1}};

    (void)unused;
    for (size_t i = 0; i < 2; i++) {
        struct tls_line line;
        char byte;
        size_t got;

        tls_line_begin(&line, ec);
        assert_int_equal(send(line.fd, hellos[i].data, hellos[i].len, 0), hellos[i].len);
        assert_int_equal(dx_stream_read(&line.stream, &byte, 1, &got), DX_ERR_TLS);
        tls_line_release(&line);
    }
}

static void test_H75_weak_ciphers_get_an_alert(void **unused)
{
    /*
     * RSA key exchange, CBC, 3DES and RC4 where OpenSSL has them, DHE, CCM, ARIA, Camellia,
     * anonymous, none.
     */
    static const char *const lists[] = {
        "AES128-GCM-SHA256:AES256-GCM-SHA384",
        "ECDHE-RSA-AES128-SHA:ECDHE-ECDSA-AES128-SHA:AES128-SHA",
        "ECDHE-RSA-AES256-SHA384:ECDHE-ECDSA-AES256-SHA384",
        "DHE-RSA-AES128-GCM-SHA256:DHE-RSA-AES256-SHA",
        "ECDHE-ECDSA-AES128-CCM8:ECDHE-ECDSA-AES128-CCM",
        "ECDHE-ECDSA-ARIA128-GCM-SHA256:ECDHE-ARIA128-GCM-SHA256",
        "ECDHE-ECDSA-CAMELLIA128-SHA256:ECDHE-RSA-CAMELLIA128-SHA256",
        "aNULL",
        "eNULL",
    };

    (void)unused;
    for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]) * 2; i++) {
        struct tls_line line;

        tls_line_begin(&line, i % 2 ? ec : rsa);
        SSL_set_security_level(line.ssl, 0);
        SSL_set_max_proto_version(line.ssl, TLS1_2_VERSION);
        assert_int_equal(SSL_set_cipher_list(line.ssl, lists[i / 2]), 1);
        assert_int_equal(tls_line_shake(&line), DX_ERR_TLS);
        assert_int_equal(line.alert, SSL_AD_HANDSHAKE_FAILURE);
        tls_line_release(&line);
    }
}

static void test_H75_the_good_ones_are_spoken(void **unused)
{
    static const char *const suites[] = {"AES128-GCM-SHA256", "AES256-GCM-SHA384",
                                         "CHACHA20-POLY1305"};

    (void)unused;
    for (int i = 0; i < 6; i++) {
        struct tls_line line;
        char list[64];

        (void)snprintf(list, sizeof(list), "ECDHE-%s-%s", i % 2 ? "ECDSA" : "RSA", suites[i / 2]);
        tls_line_begin(&line, i % 2 ? ec : rsa);
        SSL_set_max_proto_version(line.ssl, TLS1_2_VERSION);
        assert_int_equal(SSL_set_cipher_list(line.ssl, list), 1);
        assert_int_equal(tls_line_shake(&line), DX_OK);
        assert_true(tls_line_echo(&line, "hi"));
        tls_line_release(&line);
    }
}

static void test_H75_curves(void **unused)
{
    static const struct {
        const char *list;
        bool is_spoken;
    } rows[] = {
        {"X25519", true}, {"P-256", true}, {"P-384", true}, {"P-521", false}, {"X448", false}};

    (void)unused;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct tls_line line;

        tls_line_begin(&line, rsa);
        assert_int_equal(SSL_set1_groups_list(line.ssl, rows[i].list), 1);
        assert_int_equal(tls_line_shake(&line), rows[i].is_spoken ? DX_OK : DX_ERR_TLS);
        tls_line_release(&line);
    }
}

/* ---- H76, H79 ---- */

static void test_H76_renegotiation_is_refused(void **unused)
{
    struct tls_line line;
    char byte;
    size_t got;

    (void)unused;
    tls_line_begin(&line, ec);
    SSL_set_max_proto_version(line.ssl, TLS1_2_VERSION);
    assert_int_equal(tls_line_shake(&line), DX_OK);
    assert_true(tls_line_echo(&line, "hi"));
    assert_int_equal(SSL_renegotiate(line.ssl), 1);
    (void)SSL_do_handshake(line.ssl);
    ERR_clear_error();
    assert_int_equal(dx_stream_read(&line.stream, &byte, 1, &got), DX_ERR_AGAIN);
    assert_int_equal(SSL_do_handshake(line.ssl), -1);
    assert_int_equal(ERR_GET_REASON(ERR_peek_last_error()), SSL_R_NO_RENEGOTIATION);
    assert_int_equal(line.alert, SSL_AD_NO_RENEGOTIATION);
    tls_line_release(&line);
}

static SSL_SESSION *session_of(struct dx_tls *tls, const char *name, int version)
{
    struct tls_line line;
    SSL_SESSION *session;

    tls_line_begin(&line, tls);
    SSL_set_max_proto_version(line.ssl, version);
    if (name)
        assert_int_equal(SSL_set_tlsext_host_name(line.ssl, name), 1);
    assert_int_equal(tls_line_shake(&line), DX_OK);
    assert_true(tls_line_greet(&line));
    session = SSL_get1_session(line.ssl);
    tls_line_release(&line);
    return session;
}

/*
 * Comes again with that session. Returns whether it goes on, by what both sides say. `*renewed`
 * gets its new ticket.
 */
static bool resumes(struct dx_tls *tls, SSL_SESSION *session, const char *name,
                    SSL_SESSION **renewed)
{
    struct dx_tls_facts facts;
    struct tls_line line;
    bool is_resumed;

    tls_line_begin(&line, tls);
    SSL_set_max_proto_version(line.ssl, SSL_SESSION_get_protocol_version(session));
    if (name)
        assert_int_equal(SSL_set_tlsext_host_name(line.ssl, name), 1);
    assert_int_equal(SSL_set_session(line.ssl, session), 1);
    assert_int_equal(tls_line_shake(&line), DX_OK);
    assert_true(tls_line_greet(&line));
    is_resumed = SSL_session_reused(line.ssl) == 1;
    assert_true(dx_stream_tls_facts(&line.stream, &facts));
    assert_int_equal(facts.is_resumed, is_resumed);
    if (name)
        assert_string_equal(facts.server_name, name);
    else
        assert_null(facts.server_name);
    if (renewed)
        *renewed = SSL_get1_session(line.ssl);
    tls_line_release(&line);
    return is_resumed;
}

static void test_H79_early_data_is_off(void **unused)
{
    SSL_SESSION *session = session_of(ec, NULL, TLS1_3_VERSION);
    struct tls_line line;
    char bytes[32];
    size_t len;

    (void)unused;
    assert_int_equal(SSL_SESSION_get_max_early_data(session), 0);
    /* A client that sends some all the same: it is thrown away, and the handshake goes its way. */
    SSL_SESSION_set_max_early_data(session, 1000);
    tls_line_begin(&line, ec);
    assert_int_equal(SSL_set_session(line.ssl, session), 1);
    assert_int_equal(SSL_write_early_data(line.ssl, "early", 5, &len), 1);
    assert_int_equal(tls_line_shake(&line), DX_OK);
    assert_int_equal(SSL_get_early_data_status(line.ssl), SSL_EARLY_DATA_REJECTED);
    assert_int_equal(SSL_write(line.ssl, "late", 4), 4);
    assert_int_equal(dx_stream_read(&line.stream, bytes, sizeof(bytes), &len), DX_OK);
    assert_int_equal(len, 4);
    assert_memory_equal(bytes, "late", 4);
    tls_line_release(&line);
    SSL_SESSION_free(session);
}

/* ---- H80: tickets ---- */

static uint64_t now_ms;

static uint64_t fake_clock(void)
{
    return now_ms;
}

static void test_H80_ticket_keys_rotate(void **unused)
{
    static const int versions[] = {TLS1_2_VERSION, TLS1_3_VERSION};

    (void)unused;
    for (size_t i = 0; i < 2; i++) {
        struct dx_tls_options options = dx_tls_options_init();
        struct dx_tls_ticket_key key;
        struct dx_tls *tls;
        SSL_SESSION *first;
        SSL_SESSION *renewed;
        SSL_SESSION *last;

        options.certificate_path = tls_file("ec.pem");
        options.key_path = tls_file("ec.key");
        options.ticket_lifetime_s = 1000;
        assert_int_equal(dx_tls_new_with(&options, &tls, NULL, 0), DX_OK);
        now_ms = 5000000;
        dx_tls_tickets_of(tls)->now_ms = fake_clock;
        first = session_of(tls, "a.example", versions[i]);
        assert_int_equal(SSL_SESSION_get_ticket_lifetime_hint(first), 1000);
        now_ms += 499999;
        assert_true(resumes(tls, first, "a.example", NULL));
        /*
         * A new key makes tickets; the old one still opens its own, and what it opened is renewed.
         */
        now_ms += 1;
        assert_true(resumes(tls, first, "a.example", &renewed));
        now_ms += 499999;
        assert_true(resumes(tls, first, "a.example", NULL));
        now_ms += 1;
        assert_false(resumes(tls, first, "a.example", NULL));
        assert_true(resumes(tls, renewed, "a.example", &last));
        /* Nobody came for long: no key of then is left. */
        assert_true(dx_tls_tickets_current(dx_tls_tickets_of(tls), &key));
        now_ms += 5000000;
        assert_int_equal(dx_tls_tickets_find(dx_tls_tickets_of(tls), key.name, &key), 0);
        assert_false(resumes(tls, last, "a.example", NULL));
        SSL_SESSION_free(first);
        SSL_SESSION_free(renewed);
        SSL_SESSION_free(last);
        dx_tls_free(tls);
    }
}

/* Each time that a session goes on it gets a new ticket, and yet it has an end (RFC 8446 4.6.1). */
static void test_H80_sessions_do_not_go_on_for_ever(void **unused)
{
    static const int versions[] = {TLS1_2_VERSION, TLS1_3_VERSION};

    (void)unused;
    for (size_t i = 0; i < 2; i++) {
        struct dx_tls *tls = tls_load("ec");
        SSL_SESSION *session;
        int count = 0;

        now_ms = 1000;
        dx_tls_tickets_of(tls)->now_ms = fake_clock;
        session = session_of(tls, NULL, versions[i]);
        for (;; count++) {
            SSL_SESSION *renewed;
            bool is_resumed;

            now_ms += 86400 * 100; /* a tenth of its lifetime */
            is_resumed = resumes(tls, session, NULL, &renewed);
            SSL_SESSION_free(session);
            session = renewed;
            if (!is_resumed)
                break;
        }
        assert_int_equal(count, 10);
        SSL_SESSION_free(session);
        dx_tls_free(tls);
    }
}

static void test_H80_sessions_stay_with_their_name(void **unused)
{
    static const int versions[] = {TLS1_2_VERSION, TLS1_3_VERSION};

    (void)unused;
    for (size_t i = 0; i < 2; i++) {
        SSL_SESSION *session = session_of(ec, "a.example", versions[i]);
        SSL_SESSION *nameless = session_of(ec, NULL, versions[i]);

        assert_true(resumes(ec, session, "a.example", NULL));
        assert_false(resumes(ec, session, "b.example", NULL));
        assert_false(resumes(ec, session, "unknown.example", NULL));
        assert_true(resumes(ec, nameless, NULL, NULL));
        assert_false(resumes(ec, nameless, "a.example", NULL));
        /* Another listener's keys are others. */
        assert_false(resumes(rsa, session, "a.example", NULL));
        SSL_SESSION_free(session);
        SSL_SESSION_free(nameless);
    }
}

static void test_H80_no_tickets_for_0(void **unused)
{
    static const int versions[] = {TLS1_2_VERSION, TLS1_3_VERSION};
    struct dx_tls_options options = dx_tls_options_init();
    struct dx_tls *tls;

    (void)unused;
    options.certificate_path = tls_file("ec.pem");
    options.key_path = tls_file("ec.key");
    options.ticket_lifetime_s = 0;
    assert_int_equal(dx_tls_new_with(&options, &tls, NULL, 0), DX_OK);
    for (size_t i = 0; i < 2; i++) {
        SSL_SESSION *session = session_of(tls, "a.example", versions[i]);

        assert_false(SSL_SESSION_has_ticket(session));
        assert_false(resumes(tls, session, "a.example", NULL));
        SSL_SESSION_free(session);
    }
    options.ticket_lifetime_s = 604801;
    assert_int_equal(dx_tls_new_with(&options, &tls, NULL, 0), DX_ERR_USAGE);
    dx_tls_free(tls);
}

/* A ticket that somebody has changed is none. */
static void test_H80_forged_tickets(void **unused)
{
    SSL_SESSION *session = session_of(ec, NULL, TLS1_2_VERSION);
    const unsigned char *ticket;
    size_t len;

    (void)unused;
    SSL_SESSION_get0_ticket(session, &ticket, &len);
    for (size_t at = 0; at < len; at += 7) {
        ((unsigned char *)(uintptr_t)ticket)[at] ^= 1;
        assert_false(resumes(ec, session, NULL, NULL));
        ((unsigned char *)(uintptr_t)ticket)[at] ^= 1;
    }
    assert_true(resumes(ec, session, NULL, NULL));
    SSL_SESSION_free(session);
}

/* ---- H83: clients' certificates ---- */

static struct dx_tls *ask(enum dx_tls_client_certificates what)
{
    struct dx_tls_options options = dx_tls_options_init();
    struct dx_tls *tls;

    options.certificate_path = tls_file("ec.pem");
    options.key_path = tls_file("ec.key");
    options.client_ca_path = tls_file("clients.pem");
    options.client_certificates = what;
    assert_int_equal(dx_tls_new_with(&options, &tls, NULL, 0), DX_OK);
    return tls;
}

static void show(struct tls_line *line, const char *name)
{
    char file[32];

    (void)snprintf(file, sizeof(file), "%s.pem", name);
    assert_int_equal(SSL_use_certificate_file(line->ssl, tls_file(file), SSL_FILETYPE_PEM), 1);
    (void)snprintf(file, sizeof(file), "%s.key", name);
    assert_int_equal(SSL_use_PrivateKey_file(line->ssl, tls_file(file), SSL_FILETYPE_PEM), 1);
}

static void test_H83_client_certificates(void **unused)
{
    static const struct {
        enum dx_tls_client_certificates what;
        const char *shown;
        enum dx_err err;
        const char *why; /* its beginning */
    } rows[] = {
        {DX_TLS_CLIENT_REQUIRED, "good", DX_OK, ""},
        {DX_TLS_CLIENT_REQUIRED, NULL, DX_ERR_TLS, "the client presents no certificate"},
        {DX_TLS_CLIENT_REQUIRED, "expired", DX_ERR_TLS,
         "the client's certificate is not valid: certificate has expired"},
        {DX_TLS_CLIENT_REQUIRED, "foreign", DX_ERR_TLS,
         "the client's certificate is not valid: unable"},
        {DX_TLS_CLIENT_REQUIRED, "rsa", DX_ERR_TLS, "the client's certificate is not valid: self"},
        {DX_TLS_CLIENT_OPTIONAL, "good", DX_OK, ""},
        {DX_TLS_CLIENT_OPTIONAL, NULL, DX_OK, ""},
        {DX_TLS_CLIENT_OPTIONAL, "foreign", DX_ERR_TLS,
         "the client's certificate is not valid: unable"},
    };

    (void)unused;
    tls_file_copy("ca.pem", "clients.pem");
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]) * 2; i++) {
        size_t row = i / 2;
        struct dx_tls *tls = ask(rows[row].what);
        struct dx_tls_facts facts;
        struct tls_line line;
        char why[DX_STREAM_WHY_ROOM];

        tls_line_begin(&line, tls);
        SSL_set_max_proto_version(line.ssl, i % 2 ? TLS1_2_VERSION : TLS1_3_VERSION);
        if (rows[row].shown)
            show(&line, rows[row].shown);
        assert_int_equal(tls_line_shake(&line), rows[row].err);
        dx_stream_tls_why(&line.stream, why, sizeof(why));
        if (rows[row].err) {
            assert_memory_equal(why, rows[row].why, strlen(rows[row].why));
            assert_true(line.alert > 0);
        } else {
            assert_true(dx_stream_tls_facts(&line.stream, &facts));
            assert_int_equal(facts.has_client_certificate, rows[row].shown != NULL);
            assert_string_equal(facts.client_subject,
                                rows[row].shown ? "CN=Ada\\, \\\"x\\\"\\0A" : "");
            assert_int_equal(strlen(facts.client_fingerprint), rows[row].shown ? 95 : 0);
        }
        tls_line_release(&line);
        dx_tls_free(tls);
    }
}

/* A ticket says that a certificate was good: it counts only as long as the same authorities do. */
static void test_H83_tickets_know_who_was_trusted(void **unused)
{
    static const int versions[] = {TLS1_2_VERSION, TLS1_3_VERSION};

    (void)unused;
    for (size_t i = 0; i < 2; i++) {
        SSL_SESSION *session;
        struct dx_tls *tls;
        struct dx_tls_facts facts;
        struct tls_line line;

        tls_file_copy("ca.pem", "clients.pem");
        tls = ask(DX_TLS_CLIENT_REQUIRED);
        tls_line_begin(&line, tls);
        SSL_set_max_proto_version(line.ssl, versions[i]);
        show(&line, "good");
        assert_int_equal(tls_line_shake(&line), DX_OK);
        assert_true(tls_line_greet(&line));
        session = SSL_get1_session(line.ssl);
        tls_line_release(&line);

        for (int round = 0; round < 2; round++) {
            tls_line_begin(&line, tls);
            SSL_set_max_proto_version(line.ssl, versions[i]);
            assert_int_equal(SSL_set_session(line.ssl, session), 1);
            assert_int_equal(tls_line_shake(&line), round == 0 ? DX_OK : DX_ERR_TLS);
            if (round == 0) {
                assert_true(dx_stream_tls_facts(&line.stream, &facts));
                assert_true(facts.is_resumed && facts.has_client_certificate);
                assert_string_equal(facts.client_subject, "CN=Ada\\, \\\"x\\\"\\0A");
                tls_file_copy("ca2.pem", "clients.pem");
                assert_int_equal(dx_tls_reload(tls, NULL, 0), DX_OK);
            }
            tls_line_release(&line);
        }
        SSL_SESSION_free(session);
        dx_tls_free(tls);
    }
}

/* One that is good for two seconds more: its ticket is, too. */
static void test_H83_tickets_end_with_the_certificate(void **unused)
{
    static const int versions[] = {TLS1_2_VERSION, TLS1_3_VERSION};
    struct dx_tls *tls;

    (void)unused;
    tls_file_copy("ca.pem", "clients.pem");
    tls = ask(DX_TLS_CLIENT_OPTIONAL);
    for (size_t i = 0; i < 2; i++) {
        struct timespec moment = {.tv_nsec = 20000000};
        SSL_SESSION *session = NULL;
        bool is_resumed = true;

        /* On a machine that is busy two seconds may be too few even for the handshake. */
        while (!session) {
            struct tls_line line;

            tls_certificate_make(&(struct tls_certificate){
                .name = "short", .common_name = "short", .signer = "ca", .seconds = 2});
            tls_line_begin(&line, tls);
            SSL_set_max_proto_version(line.ssl, versions[i]);
            show(&line, "short");
            if (tls_line_shake(&line) == DX_OK && tls_line_greet(&line))
                session = SSL_get1_session(line.ssl);
            tls_line_release(&line);
        }
        for (int attempt = 0; attempt < 500 && is_resumed; attempt++) {
            nanosleep(&moment, NULL);
            is_resumed = resumes(tls, session, NULL, NULL);
        }
        assert_false(is_resumed);
        SSL_SESSION_free(session);
    }
    dx_tls_free(tls);
}

/* With a name, only the tests that match it. */
int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_H74_old_versions_get_an_alert),
        cmocka_unit_test(test_H74_ancient_hellos),
        cmocka_unit_test(test_H75_weak_ciphers_get_an_alert),
        cmocka_unit_test(test_H75_the_good_ones_are_spoken),
        cmocka_unit_test(test_H75_curves),
        cmocka_unit_test(test_H76_renegotiation_is_refused),
        cmocka_unit_test(test_H79_early_data_is_off),
        cmocka_unit_test(test_H80_ticket_keys_rotate),
        cmocka_unit_test(test_H80_sessions_do_not_go_on_for_ever),
        cmocka_unit_test(test_H80_sessions_stay_with_their_name),
        cmocka_unit_test(test_H83_tickets_end_with_the_certificate),
        cmocka_unit_test(test_H80_no_tickets_for_0),
        cmocka_unit_test(test_H80_forged_tickets),
        cmocka_unit_test(test_H83_client_certificates),
        cmocka_unit_test(test_H83_tickets_know_who_was_trusted),
    };

    return run_group(tests, set_up, tear_down);
}
