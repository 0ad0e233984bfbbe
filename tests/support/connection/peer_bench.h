/*
 * peer_bench.h - one connection on a loop of its own, and at the other end of its socket the test
 * itself, with raw bytes.
 */
#ifndef TESTS_PEER_BENCH_H
#define TESTS_PEER_BENCH_H

#include "connection/connection.h"
#include "net/loop/loop.h"
#include "support/clock.h"

enum bench_transport { BENCH_UNIX, BENCH_TCP };

struct bench {
    struct dx_loop *loop;
    struct dx_connection_options options; /* before bench_open */
    struct dx_connection_kind kind;
    /* before bench_open: those set here stay, the others write the journal */
    struct dx_connection_handlers handlers;
    enum dx_role role;
    enum bench_transport transport;
    struct dx_tls *tls;
    uint64_t id; /* the connection's */
    const char *head;
    const void *early;
    size_t early_len;
    struct dx_connection *connection; /* NULL when on_close has come */
    /* Called inside every callback after it was written down; `what` is the journal's letter. */
    void (*act)(struct bench *bench, char what);
    int peer; /* the test's end, non-blocking */
    int fd;   /* the other end, until the connection has it */
    bool was_open;
    int close_count;
    struct dx_close_info info; /* of on_close, without its slices */
    char reason[128];
    size_t chunk_len; /* bytes that on_chunk has brought */
    char journal[4096];
    uint8_t *wire; /* what has come at the peer */
    size_t wire_len;
    size_t wire_room;
    bool peer_has_ended; /* read the end of the stream */
    bool peer_was_reset;
};

/** Default options, a server on a unix socket pair, a journal for every callback. */
void bench_init(struct bench *bench);

/**
 * Writes the journal; not among the handlers by default, so that a peer's Close is answered by
 * itself.
 */
void bench_on_peer_close(struct dx_connection *connection, uint16_t code, const char *reason,
                         size_t reason_len, void *user);

/** An on_message that sends each message back. */
void bench_echo(struct dx_connection *connection, enum dx_opcode opcode, uint8_t *data, size_t len,
                void *user);

/** Makes the two ends; bench_open does it when it was not done. */
void bench_connect(struct bench *bench);

/**
 * Makes the loop, if there is none yet, and the connection. Errors as dx_loop_new, dx_stream_init
 * and dx_connection_new.
 */
DX_MUST_CHECK enum dx_err bench_try_open(struct bench *bench);

/** The same where it cannot fail. */
void bench_open(struct bench *bench);

/** Closes both ends if they are still open, runs until on_close has come, frees the loop. */
void bench_release(struct bench *bench);

/** A connected pair of non-blocking sockets. */
void bench_pair(enum bench_transport transport, int fds[2]);

/** One turn of the loop that waits at most `wait_ms`, then reads what has come at the peer. */
void bench_turn(struct bench *bench, int wait_ms);

/** Turns until nothing happens for a moment. */
void bench_quiet(struct bench *bench);

/** Turns until `is_so`, at most ten seconds; returns whether it became so. */
bool bench_until(struct bench *bench, bool (*is_so)(struct bench *bench));
bool bench_is_closed(struct bench *bench);
bool bench_peer_has_ended(struct bench *bench);

/** Turns until so many bytes have come at the peer. */
bool bench_until_wire(struct bench *bench, size_t len);

/** Writes all of the bytes at the peer's end, turning the loop when they do not fit. */
void bench_put(struct bench *bench, const void *bytes, size_t len);

/**
 * Writes a frame as a client does (masked with zeros) or, for a client under test, as a server.
 * `first` is the first byte.
 */
void bench_put_frame(struct bench *bench, uint8_t first, const void *payload, size_t len);

/** Forgets what has come at the peer. */
void bench_clear_wire(struct bench *bench);

/** Adds to the journal. */
void bench_note(struct bench *bench, const char *format, ...) DX_PRINTF(2, 3);

#endif
