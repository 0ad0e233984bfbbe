/*
 * tls_bench.h - certificates made on the spot, so that no key lies in the repository, and a line: a
 * TLS stream of the library's with OpenSSL's own client at the other end of a socket pair.
 */
#ifndef TESTS_TLS_BENCH_H
#define TESTS_TLS_BENCH_H

#include "net/loop/loop.h"
#include "net/socket/stream.h"
#include "net/tls/tls.h"

#include <openssl/ssl.h>

/** A directory for files; removed with them by tls_files_end. */
void tls_files_begin(void);
void tls_files_end(void);

/** Where a file of that name lies there. Valid until eight more calls. */
const char *tls_file(const char *name);

void tls_file_write(const char *name, const char *text);
void tls_file_copy(const char *from, const char *to);

struct tls_certificate {
    const char *name;        /* of the files: name.pem and name.key */
    const char *common_name; /* NULL: none */
    const char *names;  /* subjectAltName as OpenSSL spells it ("DNS:a,IP:127.0.0.1"); NULL: none */
    const char *signer; /* the name of an authority's files; NULL: itself */
    bool is_authority;
    int days;     /* 0: one; negative: expired */
    int seconds;  /* instead of days, when not 0 */
    int rsa_bits; /* 0: P-256 */
};
void tls_certificate_make(const struct tls_certificate *certificate);

/** Loads name.pem and name.key, or does not return. */
struct dx_tls *tls_load(const char *name);

struct tls_line {
    struct dx_loop *loop;
    struct dx_stream stream; /* the server's; watch.fd is -1 when it is closed */
    SSL_CTX *context;        /* the client's */
    SSL *ssl;
    int fd;    /* the client's */
    int alert; /* the last that the client got; -1: none */
};

/**
 * Neither side has sent anything yet: set what the client is to do. Returns dx_stream_init's error,
 * the line is empty then.
 */
DX_MUST_CHECK enum dx_err tls_line_try_begin(struct tls_line *line, struct dx_tls *tls);
void tls_line_begin(struct tls_line *line, struct dx_tls *tls);
void tls_line_release(struct tls_line *line);

/**
 * Both sides in turn. DX_OK: the handshake is through on both; else what the server's read said.
 */
enum dx_err tls_line_shake(struct tls_line *line);

/**
 * The server sends a few bytes and the client reads them, and with them its session's ticket.
 * False: it did not get them.
 */
bool tls_line_greet(struct tls_line *line);

/** The client sends a text, the server gets it and sends it back. False: not so. */
bool tls_line_echo(struct tls_line *line, const char *text);

/** The name (CN) in the certificate that the client was shown; "" without one. */
const char *tls_line_shown(struct tls_line *line);

#endif
