/*
 * tls_test.c - TLS streams against OpenSSL's own client over a socket pair: handshake in bits,
 * records, truncation, wrong peers.
 */
#include "net/socket/stream.h"
#include "net/tls/tls.h"
#include "support/failing/system.h"
#include "support/test.h"

#include <duplex/tls.h>

#include <errno.h>
#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

static char directory[] = "/tmp/duplex-tls-XXXXXX";
static char certificate_path[64];
static char key_path[64];
static char other_key_path[64];
static char secret_key_path[64];
static char text_path[64];

/* A self-signed certificate, made here so that no key lies in the repository. */
static void make_certificate(const char *certificate_file, const char *key_file)
{
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *certificate = X509_new();
    X509_NAME *name;
    FILE *file;

    assert_non_null(key);
    X509_set_version(certificate, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1);
    X509_gmtime_adj(X509_getm_notBefore(certificate), -60);
    X509_gmtime_adj(X509_getm_notAfter(certificate), 3600);
    X509_set_pubkey(certificate, key);
    name = X509_get_subject_name(certificate);
    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const unsigned char *)"localhost", -1, -1,
                               0);
    X509_set_issuer_name(certificate, name);
    assert_true(X509_sign(certificate, key, EVP_sha256()) > 0);
    if (certificate_file) {
        file = fopen(certificate_file, "w");
        assert_true(PEM_write_X509(file, certificate));
        fclose(file);
    }
    file = fopen(key_file, "w");
    if (key_file == secret_key_path)
        assert_true(PEM_write_PrivateKey(file, key, EVP_aes_128_cbc(), (const unsigned char *)"pw",
                                         2, NULL, NULL));
    else
        assert_true(PEM_write_PrivateKey(file, key, NULL, NULL, 0, NULL, NULL));
    fclose(file);
    X509_free(certificate);
    EVP_PKEY_free(key);
}

static int set_up(void **state)
{
    FILE *file;

    (void)state;
    assert_non_null(mkdtemp(directory));
    (void)snprintf(certificate_path, sizeof(certificate_path), "%s/cert.pem", directory);
    (void)snprintf(key_path, sizeof(key_path), "%s/key.pem", directory);
    (void)snprintf(other_key_path, sizeof(other_key_path), "%s/other.pem", directory);
    (void)snprintf(secret_key_path, sizeof(secret_key_path), "%s/secret.pem", directory);
    (void)snprintf(text_path, sizeof(text_path), "%s/text", directory);
    make_certificate(certificate_path, key_path);
    make_certificate(NULL, other_key_path);
    make_certificate(NULL, secret_key_path);
    file = fopen(text_path, "w");
    (void)fputs("no PEM\n", file);
    fclose(file);
    /* A library that raises SIGPIPE ends this program. */
    assert_true(signal(SIGPIPE, SIG_DFL) != SIG_ERR);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    unlink(certificate_path);
    unlink(key_path);
    unlink(other_key_path);
    unlink(secret_key_path);
    unlink(text_path);
    return rmdir(directory);
}

struct line {
    struct dx_loop *loop;
    struct dx_tls *tls;
    struct dx_stream stream; /* the server's */
    int fd;                  /* the client's */
    SSL_CTX *context;
    SSL *ssl;
};

static void line_init(struct line *line)
{
    int fds[2];

    assert_int_equal(dx_loop_new(&line->loop), DX_OK);
    assert_int_equal(dx_tls_new(certificate_path, key_path, &line->tls, NULL, 0), DX_OK);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds), 0);
    line->fd = fds[1];
    assert_int_equal(dx_stream_init(&line->stream, line->loop, fds[0], line->tls), DX_OK);
    /* The session holds its own reference. */
    dx_tls_free(line->tls);
    line->context = SSL_CTX_new(TLS_client_method());
    line->ssl = SSL_new(line->context);
    SSL_set_fd(line->ssl, line->fd);
    SSL_set_connect_state(line->ssl);
}

static void line_release(struct line *line)
{
    if (line->stream.watch.fd >= 0)
        dx_stream_close(&line->stream, false);
    SSL_free(line->ssl);
    SSL_CTX_free(line->context);
    if (line->fd >= 0)
        close(line->fd);
    dx_loop_free(line->loop);
    ERR_clear_error();
}

static enum dx_err read_server(struct line *line, void *bytes, size_t len, size_t *got)
{
    enum dx_err err = dx_stream_read(&line->stream, bytes, len, got);

    assert_int_equal(ERR_peek_error(), 0);
    return err;
}

/* Both sides in turn until the client is through. Returns what the server's reads said last. */
static enum dx_err shake(struct line *line)
{
    enum dx_err err = DX_ERR_AGAIN;
    char byte;
    size_t got;

    for (int i = 0; i < 20 && err == DX_ERR_AGAIN; i++) {
        if (SSL_do_handshake(line->ssl) == 1)
            return read_server(line, &byte, 1, &got);
        ERR_clear_error();
        err = read_server(line, &byte, 1, &got);
    }
    return err;
}

static void test_echo(void **unused)
{
    static const unsigned char protocols[] = "\x02h2\x08http/1.1";
    const unsigned char *chosen;
    unsigned int chosen_len;
    struct line line;
    char text[32];
    size_t got;
    size_t put;

    (void)unused;
    line_init(&line);
    assert_int_equal(SSL_set_alpn_protos(line.ssl, protocols, sizeof(protocols) - 1), 0);
    assert_false(dx_stream_tls_facts(&line.stream, NULL));
    assert_int_equal(shake(&line), DX_ERR_AGAIN);
    assert_int_equal(dx_stream_wants(&line.stream), DX_WATCH_READ);
    SSL_get0_alpn_selected(line.ssl, &chosen, &chosen_len);
    assert_int_equal(chosen_len, 8);
    assert_memory_equal(chosen, "http/1.1", 8);
    assert_int_equal(SSL_version(line.ssl), TLS1_3_VERSION);
    struct dx_tls_facts facts;

    assert_true(dx_stream_tls_facts(&line.stream, &facts));
    assert_string_equal(facts.version, "TLSv1.3");
    assert_string_equal(facts.cipher, "TLS_AES_128_GCM_SHA256");
    assert_string_equal(facts.alpn, "http/1.1");
    assert_null(facts.server_name);
    assert_false(facts.is_resumed);
    assert_false(facts.has_client_certificate);
    assert_string_equal(facts.client_subject, "");
    assert_string_equal(facts.client_fingerprint, "");
    assert_int_equal(SSL_write(line.ssl, "hello", 5), 5);
    assert_int_equal(SSL_write(line.ssl, " there", 6), 6);
    /* Several records in one read. */
    assert_int_equal(read_server(&line, text, sizeof(text), &got), DX_OK);
    assert_int_equal(got, 11);
    assert_memory_equal(text, "hello there", 11);
    struct dx_slice slices[] = {
        dx_slice_of("one "), {NULL, 0}, dx_slice_of("two "), dx_slice_of("three")};

    assert_int_equal(dx_stream_write(&line.stream, slices, 4, &put), DX_OK);
    assert_int_equal(put, 13);
    assert_int_equal(SSL_read(line.ssl, text, sizeof(text)), 13);
    assert_memory_equal(text, "one two three", 13);
    /* What is left in a record is had without the descriptor. */
    assert_int_equal(SSL_write(line.ssl, "abcdef", 6), 6);
    assert_int_equal(read_server(&line, text, 2, &got), DX_OK);
    assert_int_equal(got, 2);
    assert_true(dx_stream_has_pending(&line.stream));
    assert_int_equal(read_server(&line, text, 4, &got), DX_OK);
    assert_false(dx_stream_has_pending(&line.stream));
    /* A proper end in both directions. */
    dx_stream_shutdown(&line.stream);
    assert_int_equal(SSL_read(line.ssl, text, 1), 0);
    assert_int_equal(SSL_get_error(line.ssl, 0), SSL_ERROR_ZERO_RETURN);
    assert_int_equal(SSL_shutdown(line.ssl), 1);
    assert_int_equal(read_server(&line, text, 1, &got), DX_ERR_CLOSED);
    line_release(&line);
}

/* Megabytes through a socket that takes little: refused writes come again, cut differently. */
static void test_much_data_when_blocked(void **unused)
{
    static uint8_t sent[1000000];
    static uint8_t got[sizeof(sent)];
    struct line line;
    size_t sent_len = 0;
    size_t got_len = 0;
    unsigned random = 1;

    (void)unused;
    for (size_t i = 0; i < sizeof(sent); i++)
        sent[i] = (uint8_t)(i * 31 + i / 65536);
    line_init(&line);
    assert_int_equal(shake(&line), DX_ERR_AGAIN);
    while (got_len < sizeof(sent)) {
        struct dx_slice slices[8];
        size_t at = sent_len;
        size_t put = 0;
        enum dx_err err = DX_OK;
        int count = 0;

        for (; count < 8 && at < sizeof(sent); count++) {
            size_t part = (random = random * 1103515245 + 12345) % 9000 + 1;

            if (count == 7 || part > sizeof(sent) - at)
                part = sizeof(sent) - at;
            slices[count] = (struct dx_slice){sent + at, part};
            at += part;
        }
        if (count > 0)
            err = dx_stream_write(&line.stream, slices, (size_t)count, &put);
        if (err == DX_OK) {
            sent_len += put;
        } else {
            assert_int_equal(err, DX_ERR_AGAIN);
            assert_int_equal(dx_stream_wants(&line.stream), DX_WATCH_WRITE);
        }
        for (int i = 0; i < 3; i++) {
            int part = SSL_read(line.ssl, got + got_len, 10000);

            if (part > 0)
                got_len += (size_t)part;
        }
    }
    assert_int_equal(sent_len, sizeof(sent));
    assert_memory_equal(got, sent, sizeof(sent));
    line_release(&line);
}

/* The client's bytes arrive one by one. */
static void test_slow_handshake(void **unused)
{
    struct line line;
    BIO *in = BIO_new(BIO_s_mem());
    BIO *out = BIO_new(BIO_s_mem());
    size_t count = 0;
    char bytes[4096];

    (void)unused;
    line_init(&line);
    BIO_set_mem_eof_return(in, -1);
    SSL_set_bio(line.ssl, in, out);
    for (int i = 0; i < 10000 && !SSL_is_init_finished(line.ssl); i++) {
        char byte;
        size_t got;
        ssize_t part;

        (void)SSL_do_handshake(line.ssl);
        ERR_clear_error();
        while (BIO_read(out, &byte, 1) == 1) {
            assert_int_equal(send(line.fd, &byte, 1, 0), 1);
            assert_int_equal(read_server(&line, &byte, 1, &got), DX_ERR_AGAIN);
            count++;
        }
        while ((part = recv(line.fd, bytes, sizeof(bytes), 0)) > 0)
            assert_int_equal(BIO_write(in, bytes, (int)part), part);
    }
    assert_true(SSL_is_init_finished(line.ssl));
    assert_true(count > 200);
    line_release(&line);
}

static void test_truncation(void **unused)
{
    struct line line;
    char byte;
    size_t got;

    (void)unused;
    line_init(&line);
    assert_int_equal(shake(&line), DX_ERR_AGAIN);
    assert_int_equal(SSL_write(line.ssl, "x", 1), 1);
    close(line.fd);
    line.fd = -1;
    assert_int_equal(read_server(&line, &byte, 1, &got), DX_OK);
    assert_int_equal(read_server(&line, &byte, 1, &got), DX_ERR_RESET);
    struct dx_slice slice = dx_slice_of("into the void");
    size_t put;

    /* Neither a signal nor a success. */
    assert_true(dx_stream_write(&line.stream, &slice, 1, &put) < 0);
    line_release(&line);
}

static void test_wrong_peers(void **unused)
{
    static const char *const hellos[] = {"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
                                         "\x16\x03\x01\xff\xff\xff\xff", "PRI * HTTP/2.0\r\n\r\n"};
    struct line line;
    char byte;
    size_t got;

    (void)unused;
    for (size_t i = 0; i < sizeof(hellos) / sizeof(hellos[0]); i++) {
        enum dx_err err;

        line_init(&line);
        assert_true(send(line.fd, hellos[i], strlen(hellos[i]), 0) > 0);
        err = read_server(&line, &byte, 1, &got);
        assert_int_equal(err, DX_ERR_TLS);
        assert_int_equal(read_server(&line, &byte, 1, &got), DX_ERR_TLS);
        line_release(&line);
    }
}

static void test_files_that_cannot_be_used(void **unused)
{
    struct dx_tls *tls = NULL;
    char why[200];
    const struct {
        const char *certificate;
        const char *key;
        enum dx_err err;
        const char *names;
    } rows[] = {
        {"/nowhere/c.pem", key_path, DX_ERR_NOT_FOUND, "/nowhere/c.pem"},
        {certificate_path, "/nowhere/k.pem", DX_ERR_NOT_FOUND, "/nowhere/k.pem"},
        {text_path, key_path, DX_ERR_BAD_CERTIFICATE, text_path},
        {certificate_path, text_path, DX_ERR_BAD_CERTIFICATE, text_path},
        {certificate_path, other_key_path, DX_ERR_BAD_CERTIFICATE, other_key_path},
        {certificate_path, secret_key_path, DX_ERR_BAD_CERTIFICATE, secret_key_path},
        {key_path, certificate_path, DX_ERR_BAD_CERTIFICATE, key_path},
        {directory, key_path, DX_ERR_BAD_CERTIFICATE, directory},
    };

    (void)unused;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        assert_int_equal(dx_tls_new(rows[i].certificate, rows[i].key, &tls, why, sizeof(why)),
                         rows[i].err);
        assert_non_null(strstr(why, rows[i].names));
        assert_null(strchr(why, '\n'));
        assert_null(tls);
        assert_int_equal(ERR_peek_error(), 0);
    }
    assert_int_equal(dx_tls_new(text_path, key_path, &tls, why, 8), DX_ERR_BAD_CERTIFICATE);
    assert_int_equal(strlen(why), 7);
    dx_tls_free(NULL);
}

/* Each allocation of OpenSSL's fails in turn: a context or an error, never more. */
static size_t allocations_left;
static size_t failed_count;

static bool must_fail(void)
{
    if (allocations_left == 0 || --allocations_left > 0)
        return false;
    failed_count++;
    return true;
}

static void *fail_malloc(size_t len, const char *file, int line)
{
    (void)file;
    (void)line;
    return must_fail() ? NULL : malloc(len);
}

static void *fail_realloc(void *old, size_t len, const char *file, int line)
{
    (void)file;
    (void)line;
    return must_fail() ? NULL : realloc(old, len);
}

static void fail_free(void *block, const char *file, int line)
{
    (void)file;
    (void)line;
    free(block);
}

static void test_no_memory_for_openssl(void **unused)
{
    size_t made_count = 0;

    (void)unused;
    for (size_t nth = 1; nth < 6000; nth += nth < 200 ? 1 : 37) {
        struct dx_tls *tls = NULL;
        enum dx_err err;

        allocations_left = nth;
        err = dx_tls_new(certificate_path, key_path, &tls, NULL, 0);
        allocations_left = 0;
        assert_true(err == DX_OK ? tls != NULL : tls == NULL);
        assert_true(err == DX_OK || err == DX_ERR_NOMEM || err == DX_ERR_BAD_CERTIFICATE);
        assert_int_equal(ERR_peek_error(), 0);
        made_count += err == DX_OK;
        dx_tls_free(tls);
    }
    for (size_t nth = 1; nth < 400; nth++) {
        struct line line;

        line_init(&line);
        allocations_left = nth;
        (void)shake(&line);
        allocations_left = 0;
        line_release(&line);
    }
    print_message("%zu allocations of OpenSSL failed, %zu contexts came to be all the same\n",
                  failed_count, made_count);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_echo),
        cmocka_unit_test(test_much_data_when_blocked),
        cmocka_unit_test(test_slow_handshake),
        cmocka_unit_test(test_truncation),
        cmocka_unit_test(test_wrong_peers),
        cmocka_unit_test(test_files_that_cannot_be_used),
        cmocka_unit_test(test_no_memory_for_openssl),
    };

    assert_int_equal(CRYPTO_set_mem_functions(fail_malloc, fail_realloc, fail_free), 1);
    return run_group(tests, set_up, tear_down);
}
