/*
 * tls_bench.c - keys, certificates, and both ends of a handshake in one thread.
 */
#include "support/net/tls_bench.h"
#include "support/test.h"

#include <dirent.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static char directory[64];

/* ---- files ---- */

void tls_files_begin(void)
{
    (void)strcpy(directory, "/tmp/duplex-tls-XXXXXX");
    assert_non_null(mkdtemp(directory));
}

const char *tls_file(const char *name)
{
    static char paths[8][384];
    static unsigned next;
    char *path = paths[next++ % 8];

    (void)snprintf(path, sizeof(paths[0]), "%s/%s", directory, name);
    return path;
}

void tls_files_end(void)
{
    DIR *files = opendir(directory);
    struct dirent *entry;

    while ((entry = readdir(files)) != NULL)
        if (entry->d_name[0] != '.')
            unlink(tls_file(entry->d_name));
    closedir(files);
    assert_int_equal(rmdir(directory), 0);
}

void tls_file_write(const char *name, const char *text)
{
    FILE *file = fopen(tls_file(name), "w");

    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

void tls_file_copy(const char *from, const char *to)
{
    static char text[65536];
    FILE *file = fopen(tls_file(from), "r");
    size_t len;

    assert_non_null(file);
    len = fread(text, 1, sizeof(text) - 1, file);
    fclose(file);
    text[len] = '\0';
    tls_file_write(to, text);
}

/* ---- certificates ---- */

static FILE *open_of(const char *name, const char *ending, const char *mode)
{
    char file_name[80];
    FILE *file;

    (void)snprintf(file_name, sizeof(file_name), "%s.%s", name, ending);
    file = fopen(tls_file(file_name), mode);
    assert_non_null(file);
    return file;
}

static void extend(X509 *leaf, int id, const char *value)
{
    X509V3_CTX context;
    X509_EXTENSION *extension;

    X509V3_set_ctx_nodb(&context);
    X509V3_set_ctx(&context, leaf, leaf, NULL, NULL, 0);
    extension = X509V3_EXT_conf_nid(NULL, &context, id, value);
    assert_non_null(extension);
    assert_int_equal(X509_add_ext(leaf, extension, -1), 1);
    X509_EXTENSION_free(extension);
}

static void sign(X509 *leaf, EVP_PKEY *key, const char *signer)
{
    FILE *file;
    X509 *authority;
    EVP_PKEY *signer_key;

    if (!signer) {
        assert_int_equal(X509_set_issuer_name(leaf, X509_get_subject_name(leaf)), 1);
        assert_true(X509_sign(leaf, key, EVP_sha256()) > 0);
        return;
    }
    file = open_of(signer, "pem", "r");
    authority = PEM_read_X509(file, NULL, NULL, NULL);
    fclose(file);
    file = open_of(signer, "key", "r");
    signer_key = PEM_read_PrivateKey(file, NULL, NULL, NULL);
    fclose(file);
    assert_int_equal(X509_set_issuer_name(leaf, X509_get_subject_name(authority)), 1);
    assert_true(X509_sign(leaf, signer_key, EVP_sha256()) > 0);
    X509_free(authority);
    EVP_PKEY_free(signer_key);
}

void tls_certificate_make(const struct tls_certificate *certificate)
{
    static long serial;
    EVP_PKEY *key =
        certificate->rsa_bits ? EVP_RSA_gen((unsigned)certificate->rsa_bits) : EVP_EC_gen("P-256");
    int days = certificate->days ? certificate->days : 1;
    X509 *leaf = X509_new();
    FILE *file;

    assert_non_null(key);
    assert_non_null(leaf);
    X509_set_version(leaf, X509_VERSION_3);
    ASN1_INTEGER_set(X509_get_serialNumber(leaf), ++serial);
    X509_time_adj_ex(X509_getm_notBefore(leaf), days < 0 ? days - 1 : 0, -60, NULL);
    X509_time_adj_ex(X509_getm_notAfter(leaf), certificate->seconds ? 0 : days,
                     certificate->seconds, NULL);
    X509_set_pubkey(leaf, key);
    if (certificate->common_name)
        X509_NAME_add_entry_by_txt(X509_get_subject_name(leaf), "CN", MBSTRING_UTF8,
                                   (const unsigned char *)certificate->common_name, -1, -1, 0);
    if (certificate->names)
        extend(leaf, NID_subject_alt_name, certificate->names);
    extend(leaf, NID_basic_constraints,
           certificate->is_authority ? "critical,CA:TRUE" : "CA:FALSE");
    sign(leaf, key, certificate->signer);
    file = open_of(certificate->name, "pem", "w");
    assert_int_equal(PEM_write_X509(file, leaf), 1);
    fclose(file);
    file = open_of(certificate->name, "key", "w");
    assert_int_equal(PEM_write_PrivateKey(file, key, NULL, NULL, 0, NULL, NULL), 1);
    fclose(file);
    X509_free(leaf);
    EVP_PKEY_free(key);
}

struct dx_tls *tls_load(const char *name)
{
    char certificate[80];
    char key[80];
    char why[200] = "";
    struct dx_tls *tls = NULL;

    (void)snprintf(certificate, sizeof(certificate), "%s.pem", name);
    (void)snprintf(key, sizeof(key), "%s.key", name);
    if (dx_tls_new(tls_file(certificate), tls_file(key), &tls, why, sizeof(why)) != DX_OK)
        fail_msg("%s", why);
    return tls;
}

/* ---- the line ---- */

static void note_alert(const SSL *ssl, int where, int value)
{
    struct tls_line *line = SSL_get_app_data(ssl);

    if ((where & SSL_CB_READ_ALERT) == SSL_CB_READ_ALERT)
        line->alert = value & 0xff;
}

enum dx_err tls_line_try_begin(struct tls_line *line, struct dx_tls *tls)
{
    int fds[2];
    enum dx_err err;

    memset(line, 0, sizeof(*line));
    line->alert = -1;
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds), 0);
    assert_int_equal(dx_loop_new(&line->loop), DX_OK);
    err = dx_stream_init(&line->stream, line->loop, fds[0], tls);
    if (err) {
        close(fds[0]);
        close(fds[1]);
        dx_loop_free(line->loop);
        return err;
    }
    line->fd = fds[1];
    line->context = SSL_CTX_new(TLS_client_method());
    line->ssl = SSL_new(line->context);
    SSL_set_app_data(line->ssl, line);
    SSL_set_info_callback(line->ssl, note_alert);
    SSL_set_fd(line->ssl, line->fd);
    SSL_set_connect_state(line->ssl);
    return DX_OK;
}

void tls_line_begin(struct tls_line *line, struct dx_tls *tls)
{
    assert_int_equal(tls_line_try_begin(line, tls), DX_OK);
}

void tls_line_release(struct tls_line *line)
{
    if (line->stream.watch.fd >= 0)
        dx_stream_close(&line->stream, false);
    /* Else OpenSSL takes the session for a cut one, and it does not go on. */
    SSL_set_shutdown(line->ssl, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
    SSL_free(line->ssl);
    SSL_CTX_free(line->context);
    if (line->fd >= 0)
        close(line->fd);
    dx_loop_free(line->loop);
    ERR_clear_error();
}

enum dx_err tls_line_shake(struct tls_line *line)
{
    enum dx_err err = DX_ERR_AGAIN;
    bool is_through = false;
    char byte;
    size_t got;

    for (int i = 0; i < 20 && err == DX_ERR_AGAIN; i++) {
        ERR_clear_error();
        is_through = SSL_do_handshake(line->ssl) == 1;
        ERR_clear_error();
        err = dx_stream_read(&line->stream, &byte, 1, &got);
        assert_int_equal(ERR_peek_error(), 0);
        if (is_through && err == DX_ERR_AGAIN)
            return DX_OK;
    }
    /*
     * What the server has said last: it came before the end, or with TLS 1.3 behind the client's
     * own.
     */
    (void)SSL_do_handshake(line->ssl);
    (void)SSL_read(line->ssl, &byte, 1);
    ERR_clear_error();
    return err;
}

static bool read_client(struct tls_line *line, const char *text)
{
    char bytes[64];
    int got = SSL_read(line->ssl, bytes, sizeof(bytes));

    ERR_clear_error();
    return got == (int)strlen(text) && memcmp(bytes, text, (size_t)got) == 0;
}

static bool write_server(struct tls_line *line, const char *text)
{
    struct dx_slice slice = {(const uint8_t *)text, strlen(text)};
    size_t put;

    return dx_stream_write(&line->stream, &slice, 1, &put) == DX_OK && put == slice.len;
}

bool tls_line_greet(struct tls_line *line)
{
    return write_server(line, "hello") && read_client(line, "hello");
}

bool tls_line_echo(struct tls_line *line, const char *text)
{
    char bytes[64];
    size_t got = 0;

    ERR_clear_error();
    return SSL_write(line->ssl, text, (int)strlen(text)) == (int)strlen(text) &&
           dx_stream_read(&line->stream, bytes, sizeof(bytes), &got) == DX_OK &&
           got == strlen(text) && memcmp(bytes, text, got) == 0 && write_server(line, text) &&
           read_client(line, text);
}

const char *tls_line_shown(struct tls_line *line)
{
    static char name[80];
    X509 *shown = SSL_get0_peer_certificate(line->ssl);

    name[0] = '\0';
    if (shown)
        (void)X509_NAME_get_text_by_NID(X509_get_subject_name(shown), NID_commonName, name,
                                        sizeof(name));
    return name;
}
