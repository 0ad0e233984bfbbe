/*
 * websocket_bench.h - one websocket on a loop of its own, and its server, which is the test itself:
 * a listening socket, raw bytes.
 */
#ifndef TESTS_WEBSOCKET_BENCH_H
#define TESTS_WEBSOCKET_BENCH_H

#include <duplex/client.h>

#include "support/clock.h"

#define BENCH_TEXT 0x81
#define BENCH_BINARY 0x82
#define BENCH_CLOSE 0x88
#define BENCH_PING 0x89
#define BENCH_PONG 0x8a

struct websocket_bench {
    struct dx_loop *loop;
    struct dx_websocket *websocket; /* the test's; NULL when it was freed */
    struct dx_websocket_options options;
    struct dx_connection_options connection; /* of the options; so is events */
    struct dx_websocket_listener events;
    struct dx_reconnect_options reconnect; /* of the options where the test says so */
    struct dx_outbox_options outbox;
    int listener;
    int peer; /* the accepted socket, non-blocking; or -1 */
    size_t accepted_count;
    /*
     * So many bytes of the first connection the server reads, and sends, before it cuts it;
     * SIZE_MAX at first.
     */
    size_t read_left;
    size_t write_left;
    bool cuts_by_reset;
    bool peer_has_ended;
    bool has_asked;  /* its request was taken */
    char url[64];    /* of the listener */
    char head[4096]; /* the last request */
    uint8_t *in;     /* what came from the client, behind the request; with what was taken */
    size_t in_len;
    size_t in_room;
    /* Each event as NAME[:VALUES]/STATE and a space. */
    char journal[8192];
    void (*act)(struct websocket_bench *bench, char what); /* inside each callback, then */
    void (*guard)(
        bool is_inside); /* around what the library does, for programs in which calls fail */
    size_t close_count;
    enum dx_failure_step step; /* of the last error */
    enum dx_err err;
    char detail[256];
    struct dx_close_event close; /* the last one, without its reason */
};

/** The client's defaults, with the journal as listener; a listening socket. */
void websocket_bench_init(struct websocket_bench *bench);

/** Frees everything, the loop's last turns included. */
void websocket_bench_release(struct websocket_bench *bench);

/** Makes the websocket; NULL: to the bench's own server. */
void websocket_bench_start(struct websocket_bench *bench, const char *url);

/**
 * The same until the request has come; then answers 101 with `more` header lines ("" for none) and
 * the bytes behind it.
 */
void websocket_bench_accept(struct websocket_bench *bench, const char *more, const void *early,
                            size_t early_len);

/** Both, and until it is open. */
void websocket_bench_open(struct websocket_bench *bench);

/** Answers the request that was taken. */
void websocket_bench_answer(struct websocket_bench *bench, const char *more, const void *early,
                            size_t early_len);

/** Takes a request, or a frame, only if it is there already. */
bool websocket_bench_find_request(struct websocket_bench *bench);
bool websocket_bench_find_frame(struct websocket_bench *bench, uint8_t *first, uint8_t *payload,
                                size_t *len);

/** Waits for a request. False: none came. */
bool websocket_bench_wait_request(struct websocket_bench *bench);

/** One turn, which waits at most so long. */
void websocket_bench_turn(struct websocket_bench *bench, int wait_ms);

/** Turns until it is so, at most ten seconds. */
bool websocket_bench_until(struct websocket_bench *bench,
                           bool (*is_so)(struct websocket_bench *bench));
bool websocket_bench_is_closed(struct websocket_bench *bench); /* a close event has come */
bool websocket_bench_until_journal(struct websocket_bench *bench, const char *text);
bool websocket_bench_until_in(struct websocket_bench *bench, size_t len);

/** A few turns. */
void websocket_bench_quiet(struct websocket_bench *bench);

/** Sends raw bytes to the client; a frame, whose `first` byte is given, with up to 65,535 bytes. */
void websocket_bench_put(struct websocket_bench *bench, const void *bytes, size_t len);
void websocket_bench_put_frame(struct websocket_bench *bench, uint8_t first, const void *payload,
                               size_t len);

/** Takes the client's next frame off; its payload is unmasked and has a NUL. False: none came. */
bool websocket_bench_take_frame(struct websocket_bench *bench, uint8_t *first, uint8_t *payload,
                                size_t *len);

/** Ends the server's side: as a shutdown, or by a reset. */
void websocket_bench_hang_up(struct websocket_bench *bench, bool by_reset);

#define assert_journal(bench, text) assert_string_equal((bench)->journal, text)

#endif
