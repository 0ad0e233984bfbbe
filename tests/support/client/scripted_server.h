/*
 * scripted_server.h - peers that say what a script says: on loopback, in the test's own thread,
 * never blocking, in whatever pieces.
 *
 * Step it between two turns of a loop. Nothing here speaks a protocol but TLS, which OpenSSL does.
 */
#ifndef TESTS_SCRIPTED_SERVER_H
#define TESTS_SCRIPTED_SERVER_H

#include <openssl/ssl.h>
#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SCRIPTED_LISTENERS 4
#define SCRIPTED_CONNECTIONS 8
#define SCRIPTED_IN_MAX 131072
#define SCRIPTED_OUT_MAX 2097152

/*
 * Waits until what came since the last turn ends with `wait_for` (NULL: any), and is at least
 * `wait_len` long; then says `say`.
 */
struct scripted_turn {
    const char *wait_for;
    size_t wait_len;
    const char *say; /* "{accept}" in it becomes the answer to the key that came */
    size_t say_len;  /* 0: as long as the text */
};

enum scripted_end {
    SCRIPTED_STAYS,
    SCRIPTED_CLOSES,
    SCRIPTED_RESETS,
};

/* One connection's. */
struct scripted_talk {
    const struct scripted_turn *turns;
    size_t turn_count;
    enum scripted_end end;
    bool has_tls;        /* from the beginning, by the server's context */
    size_t tls_from;     /* from this turn on, inside what there is already; 0: not at all */
    bool notes_cut_only; /* the end without close_notify */
};

struct scripted_connection {
    int fd; /* -1: over */
    SSL *ssl;
    const struct scripted_talk *talk;
    size_t turn;
    bool is_said; /* the turn's text is in `out` */
    uint8_t *in;
    size_t in_len;   /* of all that came, for the test to see */
    size_t seen_len; /* of that, what earlier turns waited for */
    uint8_t *out;
    size_t out_len;
    size_t out_sent;
    size_t said_len; /* in all */
    bool is_at_end;  /* the peer has ended it */
};

struct scripted_server {
    /* the first is for the first connection, …; the last for all others, too */
    const struct scripted_talk *talks;
    size_t talk_count;
    size_t cut;       /* after so many bytes of a connection it pauses once; 0: not */
    bool is_bytewise; /* it pauses after each */
    SSL_CTX *context;
    int last_reason; /* OpenSSL's, for the last connection that TLS has ended; 0: none */

    int listeners[SCRIPTED_LISTENERS];
    size_t listener_count;
    struct scripted_connection connections[SCRIPTED_CONNECTIONS];
    size_t connection_count;
};

/** All that was set before stays: begin with a struct that is all zero. */
void scripted_server_begin(struct scripted_server *server);

/**
 * Listens at an address of this machine ("127.0.0.1", "::1"), at `port` or, with 0, at one that is
 * free. Returns the port.
 */
uint16_t scripted_server_listen(struct scripted_server *server, const char *address, uint16_t port);
void scripted_server_listen_unix(struct scripted_server *server, const char *path);

/**
 * Does what can be done now, and at most one piece on each connection. True: something was done.
 */
bool scripted_server_step(struct scripted_server *server);

/**
 * What to wait for. Returns how many; `fds` has room for SCRIPTED_LISTENERS + SCRIPTED_CONNECTIONS.
 */
size_t scripted_server_fds(const struct scripted_server *server, struct pollfd *fds);

/** Forgets the connections, for another run. */
void scripted_server_restart(struct scripted_server *server);
void scripted_server_end(struct scripted_server *server);

/** What came on a connection, as text with a NUL. */
const char *scripted_server_heard(struct scripted_server *server, size_t connection);

#endif
