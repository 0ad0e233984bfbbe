/*
 * tls_certificates_test.c - which certificate a client gets: names, several of them, changes while
 * clients come, and one of one's own.
 */
#include "support/net/tls_bench.h"
#include "support/test.h"

#include <openssl/conf.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int set_up(void **state)
{
    static const struct tls_certificate certificates[] = {
        {.name = "first", .common_name = "first", .names = "DNS:first.example"},
        {.name = "wild", .common_name = "wild", .names = "DNS:*.Example.org,DNS:example.org"},
        {.name = "exact",
         .common_name = "exact",
         .names = "DNS:www.example.org,DNS:xn--bcher-kva.example,IP:127.0.0.1"},
        {.name = "common", .common_name = "common.example"},
        {.name = "ignored", .common_name = "ignored.example", .names = "IP:127.0.0.2"},
        {.name = "again", .common_name = "again", .names = "DNS:first.example,DNS:again.example"},
        {.name = "new", .common_name = "new", .names = "DNS:new.example"},
        {.name = "weak", .common_name = "weak", .rsa_bits = 1024},
    };

    (void)state;
    tls_files_begin();
    for (size_t i = 0; i < sizeof(certificates) / sizeof(certificates[0]); i++)
        tls_certificate_make(&certificates[i]);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    tls_files_end();
    return 0;
}

static void test_names(void **unused)
{
    static const struct {
        const char *text;
        bool may_be_wild;
        const char *normal; /* NULL: no name */
    } rows[] = {
        {"localhost", false, "localhost"},
        {"WWW.Example.ORG", false, "www.example.org"},
        {"example.org.", false, "example.org"},
        {"_a.example", false, "_a.example"},
        {"1.a", false, "1.a"},
        {"", false, NULL},
        {".", false, NULL},
        {"a..b", false, NULL},
        {".a", false, NULL},
        {"a b", false, NULL},
        {"a/b", false, NULL},
        {"b\xc3\xbc"
         "cher.example",
         false, NULL},
        {"127.0.0.1", false, NULL},
        {"2130706433", false, NULL},
        {"::1", false, NULL},
        {"*.example.org", false, NULL},
        {"*.example.org", true, "*.example.org"},
        {"*.org", true, NULL},
        {"*", true, NULL},
        {"a.*.example.org", true, NULL},
        {"a*.example.org", true, NULL},
        {"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.b", false,
         "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.b"},
        {"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.b", false, NULL},
    };
    char normal[DX_TLS_NAME_ROOM];
    char longest[256];

    (void)unused;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        bool is_name =
            dx_tls_name_normalize(rows[i].text, strlen(rows[i].text), rows[i].may_be_wild, normal);

        assert_int_equal(is_name, rows[i].normal != NULL);
        if (is_name)
            assert_string_equal(normal, rows[i].normal);
    }
    assert_false(dx_tls_name_normalize("a\0b", 3, false, normal));
    for (size_t i = 0; i < sizeof(longest); i++)
        longest[i] = i % 2 ? '.' : 'a';
    assert_true(dx_tls_name_normalize(longest, 253, false, normal));
    assert_false(dx_tls_name_normalize(longest, 255, false, normal));
}

static enum dx_err add(struct dx_tls *tls, const char *name, char *why, size_t why_len)
{
    char certificate[64];
    char key[64];

    (void)snprintf(certificate, sizeof(certificate), "%s.pem", name);
    (void)snprintf(key, sizeof(key), "%s.key", name);
    return dx_tls_add_certificate(tls, tls_file(certificate), tls_file(key), why, why_len);
}

/* Who is shown to a client that asks for that name (NULL: for none). */
static void check_shown(struct dx_tls *tls, const char *name, const char *shown)
{
    struct tls_line line;

    tls_line_begin(&line, tls);
    if (name)
        assert_int_equal(SSL_set_tlsext_host_name(line.ssl, name), 1);
    assert_int_equal(tls_line_shake(&line), DX_OK);
    assert_string_equal(tls_line_shown(&line), shown);
    assert_true(tls_line_echo(&line, "x"));
    tls_line_release(&line);
}

static void test_certificate_by_name(void **unused)
{
    static const char *const rows[][2] = {
        {NULL, "first"},
        {"first.example", "first"},
        {"unknown.example", "first"},
        {"www.example.org", "exact"},
        {"WWW.Example.ORG", "exact"},
        {"api.example.org", "wild"},
        {"example.org", "wild"},
        {"a.b.example.org", "first"},
        {"xn--bcher-kva.example", "exact"},
        {"common.example", "common.example"},
        {"ignored.example", "first"},
        {"again.example", "again"},
        {"*.example.org", "first"},
        {"no name", "first"},
    };
    static const char *const more[] = {"wild", "exact", "common", "ignored", "again"};
    struct dx_tls *tls = tls_load("first");

    (void)unused;
    for (size_t i = 0; i < sizeof(more) / sizeof(more[0]); i++)
        assert_int_equal(add(tls, more[i], NULL, 0), DX_OK);
    for (int round = 0; round < 2; round++) {
        for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
            check_shown(tls, rows[i][0], rows[i][1]);
        /* The same ones again. */
        assert_int_equal(dx_tls_reload(tls, NULL, 0), DX_OK);
    }
    dx_tls_free(tls);
}

/* OpenSSL refuses the malformed ones; what is no list of one name is none. */
static void test_server_name_of_a_hostile_client(void **unused)
{
    struct dx_tls *tls = tls_load("first");
    struct dx_tls_facts facts;
    struct tls_line line;

    (void)unused;
    tls_line_begin(&line, tls);
    assert_int_equal(SSL_set_tlsext_host_name(line.ssl, "evil\x1b[31m.example"), 1);
    assert_int_equal(tls_line_shake(&line), DX_OK);
    assert_true(dx_stream_tls_facts(&line.stream, &facts));
    assert_null(facts.server_name);
    tls_line_release(&line);
    dx_tls_free(tls);
}

static void test_reload_drops_nobody(void **unused)
{
    struct dx_tls *tls;
    struct tls_line old;
    struct tls_line begun;
    char fingerprint[DX_TLS_FINGERPRINT_ROOM];
    char changed[DX_TLS_FINGERPRINT_ROOM];
    char why[200];

    (void)unused;
    tls_file_copy("first.pem", "live.pem");
    tls_file_copy("first.key", "live.key");
    tls = tls_load("live");
    dx_tls_fingerprint(tls, fingerprint);
    tls_line_begin(&old, tls);
    assert_int_equal(tls_line_shake(&old), DX_OK);
    tls_line_begin(&begun, tls);
    tls_file_copy("new.pem", "live.pem");
    /* Half a change is none. */
    assert_int_equal(dx_tls_reload(tls, why, sizeof(why)), DX_ERR_BAD_CERTIFICATE);
    assert_non_null(strstr(why, "live.key"));
    check_shown(tls, NULL, "first");
    dx_tls_fingerprint(tls, changed);
    assert_string_equal(fingerprint, changed);
    tls_file_copy("new.key", "live.key");
    assert_int_equal(dx_tls_reload(tls, why, sizeof(why)), DX_OK);
    check_shown(tls, NULL, "new");
    dx_tls_fingerprint(tls, changed);
    assert_string_not_equal(fingerprint, changed);
    assert_true(tls_line_echo(&old, "still here"));
    assert_int_equal(tls_line_shake(&begun), DX_OK);
    assert_string_equal(tls_line_shown(&begun), "first");
    unlink(tls_file("live.pem"));
    assert_int_equal(dx_tls_reload(tls, why, sizeof(why)), DX_ERR_NOT_FOUND);
    tls_file_copy("weak.pem", "live.pem");
    tls_file_copy("weak.key", "live.key");
    assert_int_equal(dx_tls_reload(tls, why, sizeof(why)), DX_ERR_BAD_CERTIFICATE);
    assert_non_null(strstr(why, "too small"));
    check_shown(tls, NULL, "new");
    /* The owner's reference goes before the connections. */
    dx_tls_free(tls);
    assert_true(tls_line_echo(&begun, "x"));
    tls_line_release(&old);
    tls_line_release(&begun);
}

static void test_files_that_are_refused(void **unused)
{
    static char text[1100000];
    struct dx_tls *tls = tls_load("first");
    struct dx_tls *none = NULL;
    char why[200];
    size_t len;
    FILE *file;

    (void)unused;
    assert_int_equal(
        dx_tls_new(tls_file("weak.pem"), tls_file("weak.key"), &none, why, sizeof(why)),
        DX_ERR_BAD_CERTIFICATE);
    assert_non_null(strstr(why, "too small"));
    assert_int_equal(add(tls, "weak", why, sizeof(why)), DX_ERR_BAD_CERTIFICATE);
    assert_int_equal(add(tls, "nobody", why, sizeof(why)), DX_ERR_NOT_FOUND);
    assert_non_null(strstr(why, "nobody.pem"));
    assert_int_equal(dx_tls_add_certificate(tls, NULL, "x", why, sizeof(why)), DX_ERR_USAGE);
    assert_int_equal(dx_tls_new(NULL, NULL, &none, why, sizeof(why)), DX_ERR_USAGE);
    /* A byte more than a mebibyte. */
    memset(text, '\n', 1048577);
    text[1048577] = '\0';
    tls_file_write("long.pem", text);
    tls_file_copy("first.key", "long.key");
    assert_int_equal(add(tls, "long", why, sizeof(why)), DX_ERR_BAD_CERTIFICATE);
    assert_non_null(strstr(why, "File too large"));
    /* A chain of sixteen behind the leaf is what is taken. */
    file = fopen(tls_file("first.pem"), "r");
    len = fread(text, 1, 4000, file);
    fclose(file);
    for (int i = 1; i < 18; i++)
        memcpy(text + (size_t)i * len, text, len);
    text[17 * len] = '\0';
    tls_file_write("long.pem", text);
    assert_int_equal(add(tls, "long", why, sizeof(why)), DX_OK);
    text[17 * len] = '-';
    text[18 * len] = '\0';
    tls_file_write("long.pem", text);
    assert_int_equal(add(tls, "long", why, sizeof(why)), DX_ERR_BAD_CERTIFICATE);
    dx_tls_free(tls);
    assert_null(none);
}

static void test_at_most_a_thousand(void **unused)
{
    struct dx_tls *tls = tls_load("first");
    char why[200];

    (void)unused;
    for (int i = 1; i < 1000; i++)
        assert_int_equal(add(tls, i % 2 ? "wild" : "exact", NULL, 0), DX_OK);
    assert_int_equal(add(tls, "new", why, sizeof(why)), DX_ERR_TOO_MANY);
    assert_non_null(strstr(why, "1000"));
    check_shown(tls, "www.example.org", "exact");
    check_shown(tls, "new.example", "first");
    dx_tls_free(tls);
}

/* OpenSSL has 127 types of BIO for a whole process. */
static void test_many_one_after_the_other(void **unused)
{
    (void)unused;
    for (int i = 0; i < 300; i++)
        dx_tls_free(tls_load("first"));
    struct dx_tls *tls = tls_load("first");

    check_shown(tls, NULL, "first");
    dx_tls_free(tls);
}

static void test_options(void **unused)
{
    struct dx_tls_options good = dx_tls_options_init();
    struct dx_tls_options options;
    struct dx_tls *tls = NULL;
    char why[200];

    (void)unused;
    good.certificate_path = tls_file("first.pem");
    good.key_path = tls_file("first.key");
    options = good;
    options.size = 0;
    assert_int_equal(dx_tls_new_with(&options, &tls, why, sizeof(why)), DX_ERR_USAGE);
    options.size = sizeof(options) + 1;
    assert_int_equal(dx_tls_new_with(&options, &tls, why, sizeof(why)), DX_ERR_USAGE);
    options = good;
    options.client_certificates = DX_TLS_CLIENT_REQUIRED;
    assert_int_equal(dx_tls_new_with(&options, &tls, why, sizeof(why)), DX_ERR_USAGE);
    assert_string_equal(why, "client_ca_path and client_certificates go together");
    options = good;
    options.client_ca_path = tls_file("first.pem");
    assert_int_equal(dx_tls_new_with(&options, &tls, why, sizeof(why)), DX_ERR_USAGE);
    options.client_certificates = (enum dx_tls_client_certificates)7;
    assert_int_equal(dx_tls_new_with(&options, &tls, why, sizeof(why)), DX_ERR_USAGE);
    options.client_certificates = DX_TLS_CLIENT_OPTIONAL;
    options.client_ca_path = tls_file("first.key");
    assert_int_equal(dx_tls_new_with(&options, &tls, why, sizeof(why)), DX_ERR_BAD_CERTIFICATE);
    assert_non_null(strstr(why, "first.key"));
    options.client_ca_path = tls_file("nothing");
    assert_int_equal(dx_tls_new_with(&options, &tls, why, sizeof(why)), DX_ERR_NOT_FOUND);
    assert_null(tls);
}

static void test_alpn(void **unused)
{
    static const char *const ours[] = {"chat/1", "http/1.1", NULL};
    static const char *const empty[] = {NULL};
    static const char *const nameless[] = {"", NULL};
    static const char *const many[] = {"1", "2", "3", "4", "5", "6", "7", "8", "9",
                                       "a", "b", "c", "d", "e", "f", "g", "h", NULL};
    static const struct {
        const char *offer; /* NULL: none */
        const char *agreed;
    } rows[] = {{"\x08http/1.1\x06"
                 "chat/1",
                 "chat/1"},
                {"\x02h2\x08http/1.1", "http/1.1"},
                {NULL, NULL},
                {"\x02h2", ""}};
    struct dx_tls_options options = dx_tls_options_init();
    struct dx_tls *tls;

    (void)unused;
    options.certificate_path = tls_file("first.pem");
    options.key_path = tls_file("first.key");
    options.alpn = ours;
    assert_int_equal(dx_tls_new_with(&options, &tls, NULL, 0), DX_OK);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        bool is_refused = rows[i].agreed && rows[i].agreed[0] == '\0';
        struct dx_tls_facts facts;
        struct tls_line line;

        tls_line_begin(&line, tls);
        if (rows[i].offer)
            assert_int_equal(SSL_set_alpn_protos(line.ssl, (const unsigned char *)rows[i].offer,
                                                 (unsigned)strlen(rows[i].offer)),
                             0);
        assert_int_equal(tls_line_shake(&line), is_refused ? DX_ERR_TLS : DX_OK);
        if (is_refused) {
            assert_int_equal(line.alert, SSL_AD_NO_APPLICATION_PROTOCOL);
        } else {
            assert_true(dx_stream_tls_facts(&line.stream, &facts));
            if (rows[i].agreed)
                assert_string_equal(facts.alpn, rows[i].agreed);
            else
                assert_null(facts.alpn);
        }
        tls_line_release(&line);
    }
    dx_tls_free(tls);
    options.alpn = empty;
    assert_int_equal(dx_tls_new_with(&options, &tls, NULL, 0), DX_ERR_USAGE);
    options.alpn = nameless;
    assert_int_equal(dx_tls_new_with(&options, &tls, NULL, 0), DX_ERR_USAGE);
    options.alpn = many;
    assert_int_equal(dx_tls_new_with(&options, &tls, NULL, 0), DX_ERR_USAGE);
}

/*
 * The host program may have loaded a file of OpenSSL's, and what it says counts for all contexts of
 * the process.
 */
static void test_configuration_of_the_host(void **unused)
{
    static const char *const ciphers[] = {"ECDHE-ECDSA-AES128-SHA",
                                          "ECDHE-ECDSA-AES128-GCM-SHA256"};
    struct dx_tls *tls;
    SSL_CTX *plain;

    (void)unused;
    tls_file_write("host.cnf",
                   "openssl_conf = all\n[all]\nssl_conf = ssl\n[ssl]\nsystem_default = weak\n"
                   "[weak]\nMinProtocol = TLSv1\nMaxProtocol = TLSv1.2\n"
                   "CipherString = ALL:@SECLEVEL=0\nGroups = P-521\n"
                   "SignatureAlgorithms = ECDSA+SHA1\nOptions = UnsafeLegacyRenegotiation\n"
                   "VerifyMode = Require\n");
    assert_int_equal(CONF_modules_load_file(tls_file("host.cnf"), NULL, 0), 1);
    plain = SSL_CTX_new(TLS_server_method());
    assert_int_equal(SSL_CTX_get_min_proto_version(plain), TLS1_VERSION);
    SSL_CTX_free(plain);
    tls = tls_load("first");
    /* Not for the client. */
    CONF_modules_unload(1);
    for (int i = 0; i < 3; i++) {
        struct tls_line line;

        tls_line_begin(&line, tls);
        SSL_set_security_level(line.ssl, 0);
        if (i < 2) {
            SSL_set_max_proto_version(line.ssl, TLS1_2_VERSION);
            assert_int_equal(SSL_set_cipher_list(line.ssl, ciphers[i]), 1);
        }
        assert_int_equal(tls_line_shake(&line), i == 0 ? DX_ERR_TLS : DX_OK);
        if (i == 2)
            assert_int_equal(SSL_version(line.ssl), TLS1_3_VERSION);
        tls_line_release(&line);
    }
    dx_tls_free(tls);
}

/* ---- one of one's own ---- */

static void test_self_signed(void **unused)
{
    static const char *const names[] = {"Host.example", "192.0.2.1", "2001:db8::1", "*.a.example"};
    char fingerprint[DX_TLS_FINGERPRINT_ROOM];
    char shown_fingerprint[DX_TLS_FINGERPRINT_ROOM];
    struct dx_tls *tls;
    struct tls_line line;
    X509 *shown;
    int days;
    int seconds;

    (void)unused;
    assert_int_equal(dx_tls_new_self_signed(names, 4, 825, &tls, fingerprint), DX_OK);
    tls_line_begin(&line, tls);
    assert_int_equal(tls_line_shake(&line), DX_OK);
    shown = SSL_get0_peer_certificate(line.ssl);
    assert_int_equal(X509_check_host(shown, "host.example", 0, 0, NULL), 1);
    assert_int_equal(X509_check_host(shown, "b.a.example", 0, 0, NULL), 1);
    assert_int_equal(X509_check_host(shown, "localhost", 0, 0, NULL), 0);
    assert_int_equal(X509_check_ip_asc(shown, "192.0.2.1", 0), 1);
    assert_int_equal(X509_check_ip_asc(shown, "2001:db8::1", 0), 1);
    assert_int_equal(X509_check_ip_asc(shown, "127.0.0.1", 0), 0);
    assert_int_equal(X509_check_ca(shown), 0);
    assert_int_equal(X509_check_purpose(shown, X509_PURPOSE_SSL_SERVER, 0), 1);
    assert_int_equal(X509_check_purpose(shown, X509_PURPOSE_SSL_CLIENT, 0), 0);
    assert_int_equal(
        ASN1_TIME_diff(&days, &seconds, X509_get0_notBefore(shown), X509_get0_notAfter(shown)), 1);
    assert_int_equal(days, 825);
    assert_int_equal(ASN1_STRING_length(X509_get_serialNumber(shown)), 16);
    dx_tls_fingerprint_of(shown, shown_fingerprint);
    assert_string_equal(fingerprint, shown_fingerprint);
    assert_int_equal(strlen(fingerprint), 95);
    /* It stays what it is, and others may stand beside it. */
    assert_int_equal(add(tls, "wild", NULL, 0), DX_OK);
    assert_int_equal(dx_tls_reload(tls, NULL, 0), DX_OK);
    dx_tls_fingerprint(tls, shown_fingerprint);
    assert_string_equal(fingerprint, shown_fingerprint);
    check_shown(tls, "api.example.org", "wild");
    tls_line_release(&line);
    dx_tls_free(tls);
}

static void test_self_signed_defaults_and_refusals(void **unused)
{
    static const char *const rows[] = {"", "a b", "127.0.0.1:80", "[::1]", "a\nb", "fe80::1%lo"};
    char fingerprints[2][DX_TLS_FINGERPRINT_ROOM];
    struct dx_tls *tls = NULL;

    (void)unused;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        assert_int_equal(dx_tls_new_self_signed(&rows[i], 1, 1, &tls, NULL), DX_ERR_USAGE);
    assert_int_equal(dx_tls_new_self_signed(rows, 0, 1, &tls, NULL), DX_ERR_USAGE);
    assert_int_equal(dx_tls_new_self_signed(NULL, 0, 0, &tls, NULL), DX_ERR_USAGE);
    assert_int_equal(dx_tls_new_self_signed(NULL, 0, 826, &tls, NULL), DX_ERR_USAGE);
    assert_null(tls);
    for (size_t i = 0; i < 2; i++) {
        struct tls_line line;
        X509 *shown;

        assert_int_equal(dx_tls_new_self_signed(NULL, 0, 1, &tls, fingerprints[i]), DX_OK);
        tls_line_begin(&line, tls);
        /* The client trusts it, and checks its name. */
        assert_int_equal(tls_line_shake(&line), DX_OK);
        shown = SSL_get0_peer_certificate(line.ssl);
        assert_int_equal(X509_check_host(shown, "localhost", 0, 0, NULL), 1);
        assert_int_equal(X509_check_ip_asc(shown, "127.0.0.1", 0), 1);
        assert_int_equal(X509_check_ip_asc(shown, "::1", 0), 1);
        assert_int_equal(X509_verify(shown, X509_get0_pubkey(shown)), 1);
        tls_line_release(&line);
        dx_tls_free(tls);
        tls = NULL;
    }
    assert_string_not_equal(fingerprints[0], fingerprints[1]);
}

/* ---- threads ---- */

#define ROUNDS 40

static void *connect_often(void *data)
{
    struct dx_tls *tls = data;
    size_t done = 0;

    for (int i = 0; i < ROUNDS; i++) {
        struct tls_line line;

        if (tls_line_try_begin(&line, tls) != DX_OK)
            continue;
        SSL_set_tlsext_host_name(line.ssl, "www.example.org");
        done += tls_line_shake(&line) == DX_OK && tls_line_echo(&line, "x");
        tls_line_release(&line);
    }
    return (void *)done;
}

static void *change_often(void *data)
{
    struct dx_tls *tls = data;
    char fingerprint[DX_TLS_FINGERPRINT_ROOM];
    size_t done = 0;

    for (int i = 0; i < ROUNDS; i++) {
        done += dx_tls_reload(tls, NULL, 0) == DX_OK;
        dx_tls_fingerprint(tls, fingerprint);
        if (i % 10 == 0)
            done += add(tls, i % 20 ? "wild" : "exact", NULL, 0) == DX_OK;
    }
    return (void *)done;
}

static void test_changes_from_other_threads(void **unused)
{
    struct dx_tls *tls = tls_load("first");
    pthread_t threads[3];
    void *done[3];

    (void)unused;
    /* Keys rotate at nearly every turn. */
    dx_tls_tickets_of(tls)->period_ms = 1;
    assert_int_equal(pthread_create(&threads[0], NULL, connect_often, tls), 0);
    assert_int_equal(pthread_create(&threads[1], NULL, connect_often, tls), 0);
    assert_int_equal(pthread_create(&threads[2], NULL, change_often, tls), 0);
    for (int i = 0; i < 3; i++)
        assert_int_equal(pthread_join(threads[i], &done[i]), 0);
    assert_int_equal((size_t)done[0], ROUNDS);
    assert_int_equal((size_t)done[1], ROUNDS);
    assert_int_equal((size_t)done[2], ROUNDS + 4);
    dx_tls_free(tls);
}

/* With a name, only the tests that match it. */
int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_certificate_by_name),
        cmocka_unit_test(test_server_name_of_a_hostile_client),
        cmocka_unit_test(test_reload_drops_nobody),
        cmocka_unit_test(test_files_that_are_refused),
        cmocka_unit_test(test_at_most_a_thousand),
        cmocka_unit_test(test_many_one_after_the_other),
        cmocka_unit_test(test_options),
        cmocka_unit_test(test_alpn),
        cmocka_unit_test(test_configuration_of_the_host),
        cmocka_unit_test(test_self_signed),
        cmocka_unit_test(test_self_signed_defaults_and_refusals),
        cmocka_unit_test(test_changes_from_other_threads),
    };

    return run_group(tests, set_up, tear_down);
}
