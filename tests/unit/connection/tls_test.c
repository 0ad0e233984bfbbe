/*
 * tls_test.c - a connection on TLS: what TLS holds back must not be forgotten, and a cut stream is
 * no whole one.
 */
#include "connection/connection_parts.h"
#include "support/connection/peer_bench.h"
#include "support/failing/system.h"
#include "support/net/tls_bench.h"
#include "support/test.h"

#include <duplex/tls.h>

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static uint8_t payload[500000];

static int set_up(void **state)
{
    (void)state;
    tls_files_begin();
    tls_certificate_make(&(struct tls_certificate){.name = "own", .common_name = "localhost"});
    for (size_t i = 0; i < sizeof(payload); i++)
        payload[i] = (uint8_t)(i * 13 + i / 999);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    tls_files_end();
    return 0;
}

struct client {
    SSL_CTX *context;
    SSL *ssl;
    uint8_t *got;
    size_t got_len;
    bool has_ended;
};

static void turn(struct bench *bench)
{
    bool was = bench->peer_has_ended;

    /* The peer's bytes are OpenSSL's to read. */
    bench->peer_has_ended = true;
    bench_turn(bench, 1);
    bench->peer_has_ended = was;
}

static void make_client(struct bench *bench, struct client *client)
{
    client->context = SSL_CTX_new(TLS_client_method());
    client->ssl = SSL_new(client->context);
    client->got = malloc(2 * sizeof(payload));
    client->got_len = 0;
    client->has_ended = false;
    SSL_set_mode(client->ssl, SSL_MODE_ENABLE_PARTIAL_WRITE);
    SSL_set_fd(client->ssl, bench->peer);
    SSL_set_connect_state(client->ssl);
}

static void start_client(struct bench *bench, struct client *client)
{
    make_client(bench, client);
    while (SSL_do_handshake(client->ssl) != 1) {
        ERR_clear_error();
        turn(bench);
    }
}

static void open_tls(struct bench *bench, struct client *client)
{
    bench->transport = BENCH_TCP;
    bench->tls = tls_load("own");
    bench_open(bench);
    start_client(bench, client);
}

static void release_tls(struct bench *bench, struct client *client)
{
    SSL_free(client->ssl);
    SSL_CTX_free(client->context);
    free(client->got);
    bench_release(bench);
    dx_tls_free(bench->tls);
}

static void receive(struct bench *bench, struct client *client)
{
    int got;

    turn(bench);
    do {
        ERR_clear_error();
        got = SSL_read(client->ssl, client->got + client->got_len, 20000);
        if (got > 0)
            client->got_len += (size_t)got;
    } while (got > 0);
    client->has_ended = SSL_get_error(client->ssl, got) == SSL_ERROR_ZERO_RETURN;
}

static void put(struct bench *bench, struct client *client, const void *bytes, size_t len)
{
    const uint8_t *at = bytes;

    while (len > 0) {
        int sent = SSL_write(client->ssl, at, (int)len);

        if (sent > 0) {
            at += sent;
            len -= (size_t)sent;
        } else {
            receive(bench, client);
        }
    }
}

static void test_echo_and_close(void **unused)
{
    static const uint8_t header[14] = {0x82, 0xff, 0, 0, 0, 0, 0, 0x07, 0xa1, 0x20};
    struct client client;
    struct bench bench;

    (void)unused;
    bench_init(&bench);
    bench.handlers.on_message = bench_echo;
    open_tls(&bench, &client);
    for (int round = 0; round < 2; round++) {
        client.got_len = 0;
        put(&bench, &client, header, sizeof(header));
        put(&bench, &client, payload, sizeof(payload));
        while (client.got_len < sizeof(payload) + 10)
            receive(&bench, &client);
        assert_memory_equal(client.got, "\x82\x7f\0\0\0\0\0\x07\xa1\x20", 10);
        assert_memory_equal(client.got + 10, payload, sizeof(payload));
    }
    client.got_len = 0;
    put(&bench, &client, "\x88\x82\0\0\0\0\x03\xe8", 8);
    while (!client.has_ended)
        receive(&bench, &client);
    assert_int_equal(client.got_len, 4);
    assert_memory_equal(client.got, "\x88\x02\x03\xe8", 4);
    assert_true(bench_until(&bench, bench_is_closed));
    assert_string_equal(bench.journal, "close:1000/1000 clean;");
    release_tls(&bench, &client);
}

static void pause_at_message(struct bench *bench, char what)
{
    if (what == 'm')
        dx_connection_pause(bench->connection);
}

/* All of the many messages in one record come, though the descriptor is readable only once. */
static void test_resume_gives_what_tls_holds(void **unused)
{
    uint8_t messages[200 * 7];
    struct client client;
    struct bench bench;

    (void)unused;
    for (size_t i = 0; i < 200; i++)
        memcpy(messages + i * 7, "\x81\x81\0\0\0\0x", 7);
    bench_init(&bench);
    bench.act = pause_at_message;
    open_tls(&bench, &client);
    put(&bench, &client, messages, sizeof(messages));
    for (size_t i = 1; i <= 200; i++) {
        while (strlen(bench.journal) < i * 7)
            turn(&bench);
        turn(&bench);
        assert_int_equal(strlen(bench.journal), i * 7);
        dx_connection_resume(bench.connection);
    }
    release_tls(&bench, &client);
}

static void test_H78_truncation_inside_a_message(void **unused)
{
    struct client client;
    struct bench bench;

    (void)unused;
    bench_init(&bench);
    open_tls(&bench, &client);
    put(&bench, &client, "\x81\x85\0\0\0\0hel", 9);
    assert_int_equal(shutdown(bench.peer, SHUT_WR), 0);
    assert_true(bench_until(&bench, bench_is_closed));
    assert_string_equal(bench.journal, "close:1006/0 DX_ERR_RESET;");
    release_tls(&bench, &client);
}

/* What has come is a whole frame, but no whole message. */
static void test_H78_truncation_between_fragments(void **unused)
{
    struct client client;
    struct bench bench;

    (void)unused;
    bench_init(&bench);
    open_tls(&bench, &client);
    put(&bench, &client, "\x01\x85\0\0\0\0hello", 11);
    assert_int_equal(shutdown(bench.peer, SHUT_WR), 0);
    assert_true(bench_until(&bench, bench_is_closed));
    assert_string_equal(bench.journal, "close:1006/0 DX_ERR_RESET;");
    release_tls(&bench, &client);
}

/* Nobody has cut this one, and still there is no message. */
static void test_H78_the_end_of_tls_inside_a_message(void **unused)
{
    struct client client;
    struct bench bench;

    (void)unused;
    bench_init(&bench);
    open_tls(&bench, &client);
    put(&bench, &client, "\x81\x85\0\0\0\0hel", 9);
    assert_int_equal(SSL_shutdown(client.ssl), 0);
    assert_true(bench_until(&bench, bench_is_closed));
    assert_string_equal(bench.journal, "close:1006/0 DX_ERR_CLOSED;");
    release_tls(&bench, &client);
}

static void test_plain_http(void **unused)
{
    struct bench bench;

    (void)unused;
    bench_init(&bench);
    bench.transport = BENCH_TCP;
    bench.tls = tls_load("own");
    bench_open(&bench);
    bench_put(&bench, "GET / HTTP/1.1\r\n\r\n", 18);
    assert_true(bench_until(&bench, bench_is_closed));
    assert_string_equal(bench.journal, "close:1006/0 DX_ERR_TLS;");
    bench_release(&bench);
    dx_tls_free(bench.tls);
}

/* A client that does not read: what waits is bounded, then it reads every byte in order. */
static void test_blocked(void **unused)
{
    struct client client;
    struct bench bench;
    size_t sent = 0;

    (void)unused;
    bench_init(&bench);
    bench.options.max_queue = 300000;
    open_tls(&bench, &client);
    while (!dx_connection_is_congested(bench.connection)) {
        assert_int_equal(dx_connection_send(bench.connection, DX_OP_BINARY, payload, 20000), DX_OK);
        sent++;
    }
    assert_true(dx_connection_buffered_amount(bench.connection) <= 300000 + 20004);
    for (size_t i = 0; i < sent; i++) {
        while (client.got_len < 20004) {
            assert_true(client.got_len + 20000 < 2 * sizeof(payload));
            turn(&bench);
            int got =
                SSL_read(client.ssl, client.got + client.got_len, (int)(20004 - client.got_len));

            if (got > 0)
                client.got_len += (size_t)got;
        }
        assert_memory_equal(client.got, "\x82\x7e\x4e\x20", 4);
        assert_memory_equal(client.got + 4, payload, 20000);
        client.got_len = 0;
    }
    turn(&bench);
    assert_string_equal(bench.journal, "drain;");
    release_tls(&bench, &client);
}

static void note_sent(struct dx_connection *connection, enum dx_err err, void *user)
{
    bench_note(dx_connection_user(connection), "sent %s %s;", (const char *)user, dx_err_name(err));
}

/* What TLS has refused has not left, whatever of it OpenSSL holds already. */
static void test_completions(void **unused)
{
    struct dx_tls_facts facts = dx_tls_facts_init();
    struct client client;
    struct bench bench;
    size_t sent = 0;

    (void)unused;
    bench_init(&bench);
    open_tls(&bench, &client);
    turn(&bench);
    assert_true(dx_connection_tls(bench.connection, &facts));
    assert_string_equal(facts.version, SSL_get_version(client.ssl));
    while (bench.connection->writing != DX_WRITING_BLOCKED) {
        assert_int_equal(dx_connection_send(bench.connection, DX_OP_BINARY, payload, 20000), DX_OK);
        sent += 20004;
    }
    assert_int_equal(
        dx_connection_send_with(bench.connection, DX_OP_BINARY, payload, 1, note_sent, (char *)"a"),
        DX_OK);
    assert_int_equal(dx_connection_send_with(bench.connection, DX_OP_BINARY, payload, 70000,
                                             note_sent, (char *)"b"),
                     DX_OK);
    for (int i = 0; i < 5; i++)
        turn(&bench);
    assert_string_equal(bench.journal, "");
    for (sent += 3 + 70010; sent > 0;) {
        char chunk[16384];
        int got = SSL_read(client.ssl, chunk, sizeof(chunk));

        if (got > 0)
            sent -= (size_t)got;
        else
            turn(&bench);
    }
    turn(&bench);
    assert_string_equal(bench.journal, "sent a DX_OK;sent b DX_OK;");
    release_tls(&bench, &client);
}

/* From here on what the client writes is gathered, for the test to send. */
static BIO *gather(struct client *client)
{
    BIO *gathered = BIO_new(BIO_s_mem());

    SSL_set0_wbio(client->ssl, gathered);
    return gathered;
}

static void send_gathered(struct bench *bench, BIO *gathered, size_t len)
{
    char *bytes;

    assert_true((size_t)BIO_get_mem_data(gathered, &bytes) >= len);
    assert_int_equal(send(bench->peer, bytes, len, MSG_NOSIGNAL), len);
    assert_int_equal(BIO_read(gathered, bytes, (int)len), len);
}

/* OpenSSL holds the half, but nothing can be had of it: the loop has to wait for the rest. */
static void test_half_a_record_is_waited_for(void **unused)
{
    struct client client;
    struct bench bench;
    BIO *gathered;

    (void)unused;
    bench_init(&bench);
    open_tls(&bench, &client);
    receive(&bench, &client);
    gathered = gather(&client);
    put(&bench, &client, "\x81\x81\0\0\0\0x", 7);
    send_gathered(&bench, gathered, 12);
    for (int i = 0; i < 5; i++)
        turn(&bench);
    assert_int_not_equal(dx_loop_timeout_ms(bench.loop), 0);
    assert_string_equal(bench.journal, "");
    send_gathered(&bench, gathered, (size_t)BIO_pending(gathered));
    for (int i = 0; i < 5; i++)
        turn(&bench);
    assert_string_equal(bench.journal, "text:x;");
    release_tls(&bench, &client);
}

/* The end of TLS comes with the last message, but the end of TCP does not come. */
static void test_the_end_behind_a_message(void **unused)
{
    struct client client;
    struct bench bench;
    BIO *gathered;

    (void)unused;
    bench_init(&bench);
    open_tls(&bench, &client);
    receive(&bench, &client);
    gathered = gather(&client);
    put(&bench, &client, "\x81\x81\0\0\0\0x", 7);
    assert_int_equal(SSL_shutdown(client.ssl), 0);
    send_gathered(&bench, gathered, (size_t)BIO_pending(gathered));
    assert_true(bench_until(&bench, bench_is_closed));
    assert_string_equal(bench.journal, "text:x;close:1006/0 DX_ERR_CLOSED;");
    release_tls(&bench, &client);
}

/* The socket's reads and writes within 100 ms in which nothing can proceed. */
static size_t calls_while_stuck(struct bench *bench)
{
    uint64_t end_ms = clock_ms() + 100;
    size_t count;

    for (int i = 0; i < 10; i++)
        turn(bench);
    failing_system_start(0);
    while (clock_ms() < end_ms)
        turn(bench);
    count = failing_system_count(CALL_RECV) + failing_system_count(CALL_SEND);
    failing_system_stop();
    return count;
}

/*
 * The client reads nothing: the server's part of the handshake cannot leave, so nothing can be read
 * either, though more input lies there, and its end.
 */
static void test_reading_that_has_to_write_does_not_spin(void **unused)
{
    static uint8_t junk[65536];
    struct client client;
    struct bench bench;
    int small = 4096;

    (void)unused;
    bench_init(&bench);
    bench.transport = BENCH_TCP;
    bench_connect(&bench);
    assert_int_equal(setsockopt(bench.fd, SOL_SOCKET, SO_SNDBUF, &small, sizeof(small)), 0);
    assert_int_equal(setsockopt(bench.peer, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small)), 0);
    bench.tls = tls_load("own");
    bench_open(&bench);
    /* The system goes on making room for a moment. */
    for (int i = 0; i < 20; i++) {
        while (send(bench.connection->stream.watch.fd, junk, sizeof(junk), MSG_NOSIGNAL) > 0)
            ;
        usleep(1000);
    }
    make_client(&bench, &client);
    assert_int_equal(SSL_do_handshake(client.ssl), -1);
    assert_int_equal(send(bench.peer, junk, 1000, MSG_NOSIGNAL), 1000);
    turn(&bench);
    assert_true(bench.connection->read_wants_write);
    assert_true(calls_while_stuck(&bench) < 20);
    assert_int_equal(shutdown(bench.peer, SHUT_WR), 0);
    assert_true(calls_while_stuck(&bench) < 20);
    release_tls(&bench, &client);
}

/* What is sent before the handshake waits for input, not for room in the socket. */
static void test_writing_that_has_to_read_does_not_spin(void **unused)
{
    struct client client;
    struct bench bench;

    (void)unused;
    for (int is_paused = 0; is_paused < 2; is_paused++) {
        bench_init(&bench);
        bench.transport = BENCH_TCP;
        bench.tls = tls_load("own");
        bench_open(&bench);
        if (is_paused)
            dx_connection_pause(bench.connection);
        assert_int_equal(dx_connection_send(bench.connection, DX_OP_TEXT, "early", 5), DX_OK);
        turn(&bench);
        assert_true(bench.connection->write_wants_read);
        assert_true(calls_while_stuck(&bench) < 20);
        start_client(&bench, &client);
        for (int i = 0; i < 2000 && client.got_len < 7; i++)
            receive(&bench, &client);
        assert_int_equal(client.got_len, 7);
        assert_memory_equal(client.got,
                            "\x81\x05"
                            "early",
                            7);
        assert_false(bench.connection->writing == DX_WRITING_BLOCKED);
        release_tls(&bench, &client);
    }
}

/* Each byte in a record of its own. */
static void put_in_bytes(struct client *client, const uint8_t *bytes, size_t len)
{
    for (size_t i = 0; i < len; i++)
        assert_int_equal(SSL_write(client->ssl, bytes + i, 1), 1);
}

/* As much as the socket takes. */
static bool send_some(struct bench *bench, BIO *gathered)
{
    char *bytes;
    long len = BIO_get_mem_data(gathered, &bytes);
    ssize_t sent = len > 0 ? send(bench->peer, bytes, (size_t)len, MSG_NOSIGNAL) : 0;

    if (sent > 0)
        assert_int_equal(BIO_read(gathered, bytes, (int)sent), sent);
    return len > 0;
}

static size_t come_len;

static void count_chunk(struct dx_connection *connection, enum dx_opcode opcode, uint8_t *data,
                        size_t len, bool is_first, bool is_last, void *user)
{
    (void)connection;
    (void)opcode;
    (void)data;
    (void)is_first;
    (void)is_last;
    (void)user;
    come_len += len;
}

/* A record of one byte is 23 on the wire: one read has fewer than 3,000 of them. */
static void test_H81_one_byte_records_take_their_turns(void **unused)
{
    enum { LEN = 100000, PER_TURN = 65536 / 23 + 16384 / 23 + 2 };
    static const uint8_t header[] = {0x82, 0xff, 0, 0, 0, 0, 0, 0x01, 0x86, 0xa0, 0, 0, 0, 0};
    struct client client;
    struct bench bench;
    BIO *gathered;
    size_t turn_count = 0;

    (void)unused;
    come_len = 0;
    bench_init(&bench);
    bench.handlers.on_message = NULL;
    bench.handlers.on_chunk = count_chunk;
    open_tls(&bench, &client);
    receive(&bench, &client);
    gathered = gather(&client);
    put(&bench, &client, header, sizeof(header));
    put_in_bytes(&client, payload, LEN);
    while (come_len < LEN) {
        size_t before_len = come_len;

        (void)send_some(&bench, gathered);
        turn(&bench);
        assert_true(come_len - before_len <= PER_TURN);
        turn_count++;
    }
    assert_int_equal(come_len, LEN);
    assert_true(turn_count >= LEN / PER_TURN);
    release_tls(&bench, &client);
}

/* 16,385 empty fragments, 98,310 records. */
static void test_H81_fragments_in_one_byte_records(void **unused)
{
    enum { FRAGMENTS = 16384 };
    struct client client;
    struct bench bench;
    BIO *gathered;

    (void)unused;
    bench_init(&bench);
    bench.options.max_fragments = FRAGMENTS;
    open_tls(&bench, &client);
    receive(&bench, &client);
    gathered = gather(&client);
    for (int i = 0; i <= FRAGMENTS; i++)
        put_in_bytes(&client, (const uint8_t *)(i == 0 ? "\x01\x80\0\0\0\0" : "\0\x80\0\0\0\0"), 6);
    while (send_some(&bench, gathered) && bench.connection && bench.info.sent_code == 0)
        turn(&bench);
    SSL_set0_wbio(client.ssl, BIO_new_socket(bench.peer, BIO_NOCLOSE));
    client.got_len = 0;
    while (client.got_len < 4)
        receive(&bench, &client);
    assert_memory_equal(client.got, "\x88", 1);
    assert_memory_equal(client.got + 2, "\x03\xf0", 2);
    release_tls(&bench, &client);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_echo_and_close),
        cmocka_unit_test(test_resume_gives_what_tls_holds),
        cmocka_unit_test(test_H78_truncation_inside_a_message),
        cmocka_unit_test(test_H78_truncation_between_fragments),
        cmocka_unit_test(test_H78_the_end_of_tls_inside_a_message),
        cmocka_unit_test(test_H81_one_byte_records_take_their_turns),
        cmocka_unit_test(test_H81_fragments_in_one_byte_records),
        cmocka_unit_test(test_plain_http),
        cmocka_unit_test(test_blocked),
        cmocka_unit_test(test_completions),
        cmocka_unit_test(test_reading_that_has_to_write_does_not_spin),
        cmocka_unit_test(test_writing_that_has_to_read_does_not_spin),
        cmocka_unit_test(test_half_a_record_is_waited_for),
        cmocka_unit_test(test_the_end_behind_a_message),
    };

    return run_group(tests, set_up, tear_down);
}
