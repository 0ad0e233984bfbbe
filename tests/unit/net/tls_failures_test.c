/*
 * tls_failures_test.c - from loading a certificate to the end of a session, with each allocation of
 * ours, each of OpenSSL's and each system call failing in turn: a documented error, nothing left,
 * no error of OpenSSL's left in the thread's queue.
 */
#include "support/failing/allocator.h"
#include "support/failing/system.h"
#include "support/net/tls_bench.h"
#include "support/test.h"

#include <openssl/err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum victim { OURS, OPENSSL, SYSTEM };

static enum victim victim;
static char paths[3][100]; /* certificate, key, authority */

/* ---- OpenSSL's allocations ---- */

static bool is_on;
static size_t left;
static bool has_failed;

static bool must_fail(void)
{
    if (!is_on || left == 0 || --left > 0)
        return false;
    has_failed = true;
    return true;
}

/* Not through the wrapped ones: those are for ours. */
void *__real_malloc(size_t len);
void *__real_realloc(void *old, size_t len);
void __real_free(void *block);

static void *fail_malloc(size_t len, const char *file, int line)
{
    (void)file;
    (void)line;
    return must_fail() ? NULL : __real_malloc(len);
}

static void *fail_realloc(void *old, size_t len, const char *file, int line)
{
    (void)file;
    (void)line;
    return must_fail() ? NULL : __real_realloc(old, len);
}

static void fail_free(void *block, const char *file, int line)
{
    (void)file;
    (void)line;
    __real_free(block);
}

/* ---- one run ---- */

static void start(size_t nth)
{
    has_failed = false;
    left = nth;
    if (victim == OURS) {
        failing_allocator_start(nth);
        failing_allocator_pause(true);
    } else if (victim == SYSTEM) {
        failing_system_start(nth);
        failing_system_pause(true);
    }
}

static bool stop(void)
{
    if (victim == OURS)
        return failing_allocator_stop();
    return victim == SYSTEM ? failing_system_stop() : has_failed;
}

/* Only the library's own calls count and fail. */
static void inject(bool is_injecting)
{
    if (victim == OURS)
        failing_allocator_pause(!is_injecting);
    else if (victim == SYSTEM)
        failing_system_pause(!is_injecting);
    else
        is_on = is_injecting;
    assert_int_equal(ERR_peek_error(), 0);
}

static bool is_documented(enum dx_err err)
{
    switch (err) {
    case DX_OK:
    case DX_ERR_AGAIN:
    case DX_ERR_NOMEM:
    case DX_ERR_ACCESS:
    case DX_ERR_BAD_CERTIFICATE:
    case DX_ERR_TLS:
    case DX_ERR_RESET:
    case DX_ERR_CLOSED:
    case DX_ERR_DESCRIPTORS:
        return true;
    default:
        return false;
    }
}

static enum dx_err load(struct dx_tls **tls)
{
    struct dx_tls_options options = dx_tls_options_init();
    char why[200] = "";
    enum dx_err err;

    options.certificate_path = paths[0];
    options.key_path = paths[1];
    options.client_ca_path = paths[2];
    options.client_certificates = DX_TLS_CLIENT_OPTIONAL;
    inject(true);
    err = dx_tls_new_with(&options, tls, why, sizeof(why));
    inject(false);
    assert_true(is_documented(err));
    assert_true((err == DX_OK) == (*tls != NULL));
    assert_true(err == DX_OK || (why[0] != '\0' && strchr(why, '\n') == NULL));
    return err;
}

/* What fails leaves everything as it was, so that the rest of the run is the same. */
static void change(struct dx_tls *tls)
{
    struct dx_tls *other = NULL;
    enum dx_err errs[3];

    inject(true);
    errs[0] = dx_tls_add_certificate(tls, paths[0], paths[1], NULL, 0);
    errs[1] = dx_tls_reload(tls, NULL, 0);
    errs[2] = dx_tls_new_self_signed(NULL, 0, 1, &other, NULL);
    inject(false);
    for (int i = 0; i < 3; i++)
        assert_true(is_documented(errs[i]));
    assert_true((errs[2] == DX_OK) == (other != NULL));
    dx_tls_free(other);
}

static enum dx_err read_server(struct dx_stream *stream, void *bytes, size_t len, size_t *got)
{
    enum dx_err err;

    *got = 0;
    inject(true);
    err = dx_stream_read(stream, bytes, len, got);
    inject(false);
    assert_true(is_documented(err));
    assert_true((err == DX_OK) == (*got > 0));
    return err;
}

static enum dx_err shake_and_read(struct dx_stream *stream, SSL *ssl)
{
    enum dx_err err = DX_ERR_AGAIN;
    char bytes[64];
    size_t got;

    for (int i = 0; i < 20 && err == DX_ERR_AGAIN; i++) {
        if (SSL_do_handshake(ssl) == 1 && i < 19 && SSL_get_app_data(ssl) == NULL) {
            assert_int_equal(SSL_write(ssl, "hello", 5), 5);
            SSL_set_app_data(ssl, ssl);
        }
        ERR_clear_error();
        err = read_server(stream, bytes, sizeof(bytes), &got);
    }
    if (!err)
        assert_true(got == 5 && memcmp(bytes, "hello", 5) == 0);
    return err;
}

static enum dx_err answer_and_end(struct dx_stream *stream)
{
    struct dx_slice slices[2] = {dx_slice_of("one"), dx_slice_of("two")};
    char why[DX_STREAM_WHY_ROOM];
    struct dx_tls_facts facts;
    enum dx_err err = DX_ERR_AGAIN;
    size_t put = 0;

    for (int i = 0; i < 3 && err == DX_ERR_AGAIN; i++) {
        inject(true);
        err = dx_stream_write(stream, slices, 2, &put);
        inject(false);
    }
    assert_true(is_documented(err));
    assert_true(err || put == 6);
    inject(true);
    assert_true(dx_stream_tls_facts(stream, &facts));
    dx_stream_tls_why(stream, why, sizeof(why));
    dx_stream_shutdown(stream);
    inject(false);
    return err;
}

static SSL *new_client(int fd)
{
    SSL_CTX *context = SSL_CTX_new(TLS_client_method());
    SSL *ssl = SSL_new(context);

    SSL_CTX_free(context);
    SSL_set_tlsext_host_name(ssl, "a.example");
    assert_int_equal(SSL_use_certificate_file(ssl, paths[0], SSL_FILETYPE_PEM), 1);
    assert_int_equal(SSL_use_PrivateKey_file(ssl, paths[1], SSL_FILETYPE_PEM), 1);
    SSL_set_fd(ssl, fd);
    SSL_set_connect_state(ssl);
    return ssl;
}

static enum dx_err talk(struct dx_tls *tls)
{
    struct dx_stream stream;
    enum dx_err err;
    int fds[2];
    SSL *ssl;

    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds), 0);
    ssl = new_client(fds[1]);
    inject(true);
    err = dx_stream_init(&stream, NULL, fds[0], tls);
    inject(false);
    if (err) {
        close(fds[0]);
    } else {
        err = shake_and_read(&stream, ssl);
        if (!err)
            err = answer_and_end(&stream);
        inject(true);
        dx_stream_close(&stream, false);
        inject(false);
    }
    SSL_free(ssl);
    close(fds[1]);
    ERR_clear_error();
    return err;
}

static enum dx_err run(void)
{
    struct dx_tls *tls = NULL;
    enum dx_err err = load(&tls);

    if (err)
        return err;
    change(tls);
    err = talk(tls);
    dx_tls_free(tls);
    return err;
}

/*
 * Until a run needs no more of it than may succeed. `step` beyond `whole`: each one counts there,
 * later only some.
 */
static void fail_in_turn(const char *what, size_t whole, size_t step)
{
    size_t count = 0;
    size_t survived = 0;
    size_t nth = 1;

    for (;;) {
        enum dx_err err;

        start(nth);
        err = run();
        if (!stop()) {
            assert_int_equal(err, DX_OK);
            break;
        }
        count++;
        survived += err == DX_OK;
        if (victim == OURS)
            assert_int_equal(failing_allocator_live(), 0);
        nth += nth < whole ? 1 : step;
    }
    print_message("injected %zu failures of %s, the talk went well all the same %zu times\n", count,
                  what, survived);
    assert_true(count >= 5);
}

static void test_our_allocations(void **unused)
{
    (void)unused;
    victim = OURS;
    fail_in_turn("our allocations", SIZE_MAX, 1);
}

static void test_openssl_allocations(void **unused)
{
    (void)unused;
    victim = OPENSSL;
    fail_in_turn("OpenSSL's allocations", 150, 149);
}

static void test_system_calls(void **unused)
{
    (void)unused;
    victim = SYSTEM;
    for (unsigned kind = 0; kind < FAILING_KINDS; kind++) {
        failing_system_choose(kind);
        fail_in_turn("system calls", SIZE_MAX, 1);
    }
}

static int set_up(void **state)
{
    (void)state;
    tls_files_begin();
    tls_certificate_make(
        &(struct tls_certificate){.name = "ca", .common_name = "authority", .is_authority = true});
    tls_certificate_make(&(struct tls_certificate){
        .name = "a", .common_name = "a.example", .names = "DNS:a.example", .signer = "ca"});
    (void)snprintf(paths[0], sizeof(paths[0]), "%s", tls_file("a.pem"));
    (void)snprintf(paths[1], sizeof(paths[1]), "%s", tls_file("a.key"));
    (void)snprintf(paths[2], sizeof(paths[2]), "%s", tls_file("ca.pem"));
    /*
     * What OpenSSL makes once for the whole process is not to be missed when memory is there again.
     */
    assert_int_equal(run(), DX_OK);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    tls_files_end();
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_our_allocations),
        cmocka_unit_test(test_openssl_allocations),
        cmocka_unit_test(test_system_calls),
    };

    assert_int_equal(CRYPTO_set_mem_functions(fail_malloc, fail_realloc, fail_free), 1);
    return run_group(tests, set_up, tear_down);
}
