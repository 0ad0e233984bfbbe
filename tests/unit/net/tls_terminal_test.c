/*
 * tls_terminal_test.c - a file behind a passphrase is refused, and nobody is asked at the terminal:
 * OpenSSL's own way would stop the host program there.
 */
#include "support/clock.h"
#include "support/net/tls_bench.h"
#include "support/test.h"

#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* Says that the first thing in it is encrypted. */
static void lock_file(const char *from, const char *to)
{
    static const char lines[] = "Proc-Type: 4,ENCRYPTED\nDEK-Info: "
                                "AES-256-CBC,00112233445566778899AABBCCDDEEFF\n\n";
    char text[8192], locked[sizeof(text) + sizeof(lines)];
    FILE *file = fopen(tls_file(from), "r");
    size_t len, first_len;

    assert_non_null(file);
    len = fread(text, 1, sizeof(text) - 1, file);
    (void)fclose(file);
    text[len] = '\0';
    first_len = strcspn(text, "\n") + 1;
    (void)snprintf(locked, sizeof(locked), "%.*s%s%s", (int)first_len, text, lines,
                   text + first_len);
    tls_file_write(to, locked);
}

/* In a process that has a terminal. */
static int load(const struct dx_tls_options *options)
{
    struct dx_tls *tls;
    char why[200];

    return dx_tls_new_with(options, &tls, why, sizeof(why)) == DX_ERR_BAD_CERTIFICATE ? 0 : 1;
}

static void expect_silence(const struct dx_tls_options *options)
{
    struct pollfd polled = {.events = POLLIN};
    char said[256];
    ssize_t len = 0;
    int status;
    pid_t child = forkpty(&polled.fd, NULL, NULL, NULL);

    assert_true(child >= 0);
    if (child == 0)
        _exit(load(options));
    /* Its end, or its question. */
    if (poll(&polled, 1, PATIENCE_MS) == 1)
        len = read(polled.fd, said, sizeof(said));
    if (len > 0)
        (void)kill(child, SIGKILL);
    assert_int_equal(waitpid(child, &status, 0), child);
    (void)close(polled.fd);
    assert_true(len <= 0);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

static void test_nobody_is_asked(void **state)
{
    static const struct tls_certificate own = {.name = "own", .common_name = "own"};
    struct dx_tls_options good = dx_tls_options_init(), options;

    (void)state;
    tls_files_begin();
    tls_certificate_make(&own);
    lock_file("own.pem", "locked.pem");
    lock_file("own.key", "locked.key");
    good.certificate_path = tls_file("own.pem");
    good.key_path = tls_file("own.key");
    options = good;
    options.certificate_path = tls_file("locked.pem");
    expect_silence(&options);
    options = good;
    options.key_path = tls_file("locked.key");
    expect_silence(&options);
    options = good;
    options.client_certificates = DX_TLS_CLIENT_REQUIRED;
    options.client_ca_path = tls_file("locked.pem");
    expect_silence(&options);
    tls_files_end();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nobody_is_asked),
    };

    return run_group(tests, NULL, NULL);
}
