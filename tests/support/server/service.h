/*
 * service.h - a real server and raw clients in one thread: the server's loop turns while a client
 * waits.
 *
 * Routes: "/" echoes WebSocket messages; "/plain" answers "hello\n"; "/later" keeps requests until
 * the test decides; "/pieces" answers a body in pieces, SERVICE_PIECES_LEN bytes and the body;
 * "/no" refuses upgrades with 401; "/files" serves a directory that the test names.
 */
#ifndef TESTS_SERVICE_H
#define TESTS_SERVICE_H

#include <duplex/files.h>
#include <duplex/request.h>

#include "support/clock.h"

#define SERVICE_LOG_MAX 256
#define SERVICE_LOG_ROOM 2048
#define SERVICE_KEPT_MAX 16
#define SERVICE_PIECES_LEN 20000 /* all 'p' */
#define RAW_ROOM (1024 * 1024)

struct service {
    struct dx_loop *loop;
    struct dx_server *server;
    char address[100]; /* the first one's: 127.0.0.1:PORT as text, or the path of a unix socket */
    uint16_t port;     /* 0: a unix socket */
    size_t log_count;
    char log[SERVICE_LOG_MAX][SERVICE_LOG_ROOM]; /* level message name=value … */
    struct dx_request *kept[SERVICE_KEPT_MAX];
    size_t kept_count;
    size_t abandoned_count;
    size_t opened_count;
    size_t closed_count;
    size_t shutdown_count;
    size_t pieces_opened_count; /* of "/pieces" */
    size_t pieces_closed_count;
    bool ends_by_itself; /* routes have on_shutdown */
    bool is_closed;
    void (*end)(void *data);
    void *data;
};

/* A client that says exactly what the test says. */
struct raw {
    struct service *service;
    int fd;
    uint8_t *in;
    size_t len;
    bool is_ended; /* the server has ended its side */
    bool is_reset;
};

/* Test programs set these before service_start. */
struct service_setup {
    struct dx_server_options options;        /* its log is the service's */
    struct dx_connection_options connection; /* of the options */
    const char *address;                     /* NULL: 127.0.0.1:0 */
    const char *files;                       /* NULL: no route for files */
    bool ends_by_itself;
    /*
     * When set, in place of the routes below: false when something failed. `end` comes right before
     * the server is freed.
     */
    bool (*prepare)(struct service *service, void *data);
    void (*end)(void *data);
    void *data;
};

struct service_setup service_setup_init(void);

/**
 * Starts. Returns false when anything failed (for runs with failures); everything is undone then.
 */
bool service_start(struct service *service, const struct service_setup *setup);

/** Frees the server and its loop; the test's requests that are still kept are abandoned by that. */
void service_stop(struct service *service);

/** Turns the loop until `is_true` says so, or the time is over; returns which. */
bool service_wait(struct service *service, bool (*is_true)(void *data), void *data,
                  uint64_t limit_ms);

/** Turns the loop for a while. */
void service_turn(struct service *service, uint64_t duration_ms);

/** How many log lines contain the text. */
size_t service_log_has(const struct service *service, const char *text);

/** Connects; asserts that it works unless `may_fail`. */
bool raw_connect(struct raw *raw, struct service *service, bool may_fail);
void raw_close(struct raw *raw);

/**
 * Sends all, in pieces of `piece` bytes (0: at once) with a turn of the loop between them. False:
 * the server does not take it.
 */
bool raw_send(struct raw *raw, const void *bytes, size_t len, size_t piece);
bool raw_send_text(struct raw *raw, const char *text);

/** Waits for `len` bytes in all, for the server's end, or for the time to be over. */
bool raw_wait_len(struct raw *raw, size_t len);
bool raw_wait_end(struct raw *raw);

/** Takes bytes off the front. */
void raw_consume(struct raw *raw, size_t len);

/* One HTTP answer, taken off the front of what came. */
struct answer {
    unsigned status;
    char head[8192];
    char body[65536];
    size_t body_len;
};

/** Waits for a whole answer. `is_head`: none has a body. False: none came. */
bool raw_wait_answer(struct raw *raw, struct answer *answer, bool is_head);

/** Whether the head has this line (without its CRLF). */
bool answer_has(const struct answer *answer, const char *line);

/** Writes a masked frame of up to 65,535 bytes; returns its length. */
size_t frame_write(uint8_t *out, uint8_t first, const void *payload, size_t len);

/** The bytes of an upgrade to `path` that is in order, with more header lines ("" for none). */
size_t upgrade_write(char *out, size_t room, const struct service *service, const char *path,
                     const char *headers);

/* One frame of the server, taken off the front of what came. */
struct frame {
    uint8_t first; /* FIN, opcode */
    size_t len;
    const uint8_t *payload; /* until the client's next call; NUL behind it */
};

/** Waits for a whole frame. False: none came. */
bool raw_wait_frame(struct raw *raw, struct frame *frame);

/** Opens a WebSocket. False: it was refused or cut. */
bool raw_open(struct raw *raw, struct service *service, const char *path);

/** Sends a text message and waits for its echo. */
bool raw_echo(struct raw *raw, const char *text);

#endif
