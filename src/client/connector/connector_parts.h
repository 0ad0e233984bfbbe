/*
 * connector_parts.h - what a connector is made of; for connector*.c only.
 *
 * connector.c: life, names and addresses, the deadline. connector_way.c: what is said on the
 * stream: to the proxy, and the opening handshake. connector_refused.c: an answer other than 101:
 * its body, and redirects.
 */
#ifndef DX_CLIENT_CONNECTOR_PARTS_H
#define DX_CLIENT_CONNECTOR_PARTS_H

#include "client/connector/connector.h"
#include "client/tunnel/tunnel.h"
#include "http/chunked.h"
#include "http/message.h"
#include "net/socket/connect.h"
#include "net/socket/address.h"
#include "net/socket/resolve.h"
#include "ws/handshake.h"

#define DX_CONNECTOR_IN_MAX (DX_CONNECTOR_HEAD_MAX + DX_CONNECTOR_BODY_MAX)
#define DX_CONNECTOR_OUT_MAX 65536 /* of the request */
#define DX_CONNECTOR_DETAIL_MAX 384

enum dx_connector_state {
    DX_CONNECTOR_RESOLVING_TARGET, /* for a proxy that does not look names up */
    DX_CONNECTOR_RESOLVING,
    DX_CONNECTOR_CONNECTING,
    DX_CONNECTOR_TUNNELLING, /* with the proxy */
    DX_CONNECTOR_ASKING,     /* TLS if any, the request, its answer */
    DX_CONNECTOR_REFUSED,    /* reading the body of the refusal */
    DX_CONNECTOR_DONE,       /* reported in this turn */
};

/* What has come; made when the first bytes do, and as large as they are. */
struct dx_answer {
    struct dx_head head; /* the one that is being read */
    size_t head_at;      /* where it begins */
    size_t len;
    size_t room;
    uint8_t bytes[];
};

struct dx_connector {
    struct dx_connector_options options;
    void (*on_done)(void *user, const struct dx_opening *opening);
    void *user;
    struct dx_timer timer;
    struct dx_turn_task task;
    struct dx_resolve *resolve;
    struct dx_connect *connect;
    struct dx_stream stream;
    struct dx_tunnel tunnel;
    struct dx_url url;
    char *normal;            /* its text */
    const char *target_host; /* what the proxy gets */
    char target_address[DX_ADDRESS_TEXT_MAX];
    union dx_socket_address *targets; /* of a name that the proxy does not look up; in turn */
    size_t target_count;
    size_t target_next;
    struct dx_handshake_request request; /* as it was written */
    uint64_t due_ms;                     /* of everything; 0: never */
    uint32_t redirect_count;
    uint8_t state;
    bool has_stream;
    bool has_tunnel;
    bool is_telling;    /* the request, in which it may be cancelled */
    bool is_secure;     /* the stream has TLS to the target */
    bool drops_secrets; /* a redirect has led to another origin */
    struct dx_error_event error;
    struct dx_opening opening;
    struct dx_answer *answer; /* NULL: nothing has come */
    char *out;                /* the request, until it is sent */
    size_t out_len;
    size_t out_sent;
    const char *why; /* a refusal that could be a redirect: why it is not followed */
    struct dx_body body;
    struct dx_chunked chunked;
    bool ends_with_stream; /* the body has no other end */
    bool is_body_whole;
    struct dx_header *headers; /* of a refusal */
    char key[DX_HANDSHAKE_KEY_LEN + 1];
    char detail[DX_CONNECTOR_DETAIL_MAX];
};

/* ---- connector.c ---- */

/** Everything begins anew with the URL in `normal`. */
void dx_connector_begin(struct dx_connector *connector);

/** Ends it: `detail` is copied, or NULL for the text of `err`. */
void dx_connector_fail(struct dx_connector *connector, enum dx_failure_step step, enum dx_err err,
                       const char *detail);

/** It is open. */
void dx_connector_succeed(struct dx_connector *connector);

/** Whether a proxy is asked. */
bool dx_connector_has_proxy(const struct dx_connector *connector);

/** The proxy cannot reach the target's address: asks for the next one. False: there is none. */
bool dx_connector_try_next_target(struct dx_connector *connector);

/** Closes the stream, if there is one. */
void dx_connector_drop_stream(struct dx_connector *connector);

/** Goes on to `url`, whose text `normal` is copied. Returns DX_OK, DX_ERR_NOMEM. */
DX_MUST_CHECK enum dx_err dx_connector_set_url(struct dx_connector *connector,
                                               const struct dx_url *url, const char *normal);

/**
 * Writes the request for the URL, and its key. Returns DX_OK, DX_ERR_USAGE, DX_ERR_TOO_BIG,
 * DX_ERR_NOMEM, DX_ERR_SYSTEM.
 */
DX_MUST_CHECK enum dx_err dx_connector_write_request(struct dx_connector *connector);

/** Forgets the request, which may carry a secret. */
void dx_connector_drop_request(struct dx_connector *connector);

/* ---- connector_way.c ---- */

/** A connection is made: starts the next step on it. Owns `fd`. */
void dx_connector_speak(struct dx_connector *connector, int fd);

/** Watches the stream for what it needs: reading, or writing where `wants_write`. */
void dx_connector_watch(struct dx_connector *connector, bool wants_write);

/**
 * Reads at most `room` bytes after the answer. DX_ERR_AGAIN: the watch is set; DX_ERR_NOMEM; else
 * as dx_stream_read. Nothing is reported.
 */
DX_MUST_CHECK enum dx_err dx_connector_read(struct dx_connector *connector, size_t room);

/* ---- connector_refused.c ---- */

/** The head of a refusal is whole: follows it, or reads its body. */
void dx_connector_note_refusal(struct dx_connector *connector);

/** More of the body has come, or its end. */
void dx_connector_read_refusal(struct dx_connector *connector);

/** The time for the body has passed: reports what there is. */
void dx_connector_end_refusal(struct dx_connector *connector);

#endif
