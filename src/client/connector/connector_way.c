/*
 * connector_way.c - what is said on a connector's stream: to the proxy, then the opening handshake
 * (RFC 6455 4.1), inside TLS where the URL asks for it.
 */
#include "client/connector/connector_parts.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void on_ready(struct dx_watch *watch, unsigned events);

/* ---- failures ---- */

static void fail_stream(struct dx_connector *connector, enum dx_err err)
{
    bool is_tunnelling = connector->state == DX_CONNECTOR_TUNNELLING;
    char why[DX_CONNECTOR_DETAIL_MAX];

    dx_stream_tls_why(&connector->stream, why, sizeof(why));
    /*
     * What fails in TLS is established no more: in TLS 1.3 a server judges our certificate when the
     * handshake is through for us.
     */
    if (connector->stream.tls != NULL && !dx_stream_is_established(&connector->stream))
        dx_connector_fail(connector, is_tunnelling ? DX_STEP_PROXY : DX_STEP_TLS, err,
                          why[0] != '\0' ? why : "the connection ended during the TLS handshake");
    else if (err == DX_ERR_NOMEM)
        dx_connector_fail(connector, is_tunnelling ? DX_STEP_PROXY : DX_STEP_HANDSHAKE, err, NULL);
    else if (is_tunnelling)
        dx_connector_fail(connector, DX_STEP_PROXY, err, "the proxy closed the connection");
    else
        dx_connector_fail(connector, DX_STEP_HANDSHAKE, err,
                          "the server closed the connection without an answer");
}

/* ---- the stream ---- */

void dx_connector_watch(struct dx_connector *connector, bool wants_write)
{
    unsigned wants = dx_stream_wants(&connector->stream);
    enum dx_err err;

    if (wants == 0)
        wants = wants_write ? DX_WATCH_WRITE : DX_WATCH_READ;
    err = dx_watch_is_started(&connector->stream.watch)
              ? dx_watch_set(connector->options.loop, &connector->stream.watch, wants)
              : dx_watch_start(connector->options.loop, &connector->stream.watch,
                               connector->stream.watch.fd, wants, on_ready);
    if (err != DX_OK)
        dx_connector_fail(connector, DX_STEP_CONNECT, err, NULL);
}

static enum dx_err start_tls(struct dx_connector *connector, const char *host)
{
    if (connector->options.tls == NULL)
        return DX_ERR_USAGE;
    return dx_stream_start_tls(&connector->stream, connector->options.tls, host);
}

/* Sends what of `bytes` the stream takes. False: it has failed. */
static bool send_some(struct dx_connector *connector, struct dx_slice bytes, size_t *sent)
{
    enum dx_err err = dx_stream_write(&connector->stream, &bytes, 1, sent);

    if (err == DX_ERR_AGAIN)
        *sent = 0;
    else if (err != DX_OK)
        fail_stream(connector, err);
    return err == DX_OK || err == DX_ERR_AGAIN;
}

/* Makes room for `more` bytes, so that the largest answer takes few steps. */
static bool make_room(struct dx_connector *connector, size_t more)
{
    struct dx_answer *old = connector->answer, *grown;
    size_t len = old != NULL ? old->len : 0, room = 1024;

    if (old != NULL && old->room - len >= more)
        return true;
    while (room < len + more)
        room *= 2;
    /* One byte more, for a NUL at the end. */
    grown = realloc(old, sizeof(*grown) + room + 1);
    if (grown == NULL)
        return false;
    if (old == NULL) {
        *grown = (struct dx_answer){.len = 0};
        dx_head_init(&grown->head, DX_HEAD_RESPONSE);
    }
    grown->room = room;
    dx_head_rebase(&grown->head, grown->bytes + grown->head_at);
    connector->answer = grown;
    return true;
}

static bool append(struct dx_connector *connector, const uint8_t *bytes, size_t len)
{
    if (!make_room(connector, len))
        return false;
    if (len > 0)
        memcpy(connector->answer->bytes + connector->answer->len, bytes, len);
    connector->answer->len += len;
    return true;
}

enum dx_err dx_connector_read(struct dx_connector *connector, size_t room)
{
    uint8_t *bytes = dx_loop_read_buffer(connector->options.loop);
    size_t got = 0;
    enum dx_err err = dx_stream_read(&connector->stream, bytes, room, &got);

    if (err == DX_ERR_AGAIN)
        dx_connector_watch(connector, false);
    else if (err == DX_OK && !append(connector, bytes, got))
        err = DX_ERR_NOMEM;
    return err;
}

/* ---- the opening handshake ---- */

static void note_open(struct dx_connector *connector, const struct dx_handshake_answer *found)
{
    struct dx_answer *answer = connector->answer;
    size_t end = answer->head_at + answer->head.len;

    connector->opening.subprotocol = found->subprotocol;
    connector->opening.extensions = found->extensions;
    connector->opening.early = answer->bytes + end;
    connector->opening.early_len = answer->len - end;
    dx_connector_succeed(connector);
}

static void judge(struct dx_connector *connector)
{
    struct dx_answer *answer = connector->answer;
    struct dx_handshake_answer found;

    switch (
        dx_handshake_judge_response(&answer->head, &connector->request, connector->key, &found)) {
    case DX_HANDSHAKE_OPEN:
        note_open(connector, &found);
        break;
    case DX_HANDSHAKE_INTERIM:
        answer->head_at += answer->head.len;
        dx_head_init(&answer->head, DX_HEAD_RESPONSE);
        break;
    case DX_HANDSHAKE_REFUSED:
        dx_connector_note_refusal(connector);
        break;
    case DX_HANDSHAKE_BROKEN:
        dx_connector_fail(connector, DX_STEP_HANDSHAKE, DX_ERR_PROTOCOL, found.detail);
        break;
    }
}

static void note_no_answer(struct dx_connector *connector, const struct dx_refusal *refusal)
{
    dx_connector_fail(connector, DX_STEP_HANDSHAKE,
                      refusal->status == 431 || refusal->status == 414 ? DX_ERR_TOO_BIG
                                                                       : DX_ERR_PROTOCOL,
                      refusal->detail);
}

/*
 * Judges what has come of the answer. Interim ones count, too: they come to an end with the room
 * for heads.
 */
static void read_answer(struct dx_connector *connector)
{
    struct dx_head_limits limits = dx_head_limits_init();
    enum dx_head_status status = DX_HEAD_DONE;

    while (status == DX_HEAD_DONE && connector->state == DX_CONNECTOR_ASKING) {
        struct dx_answer *answer = connector->answer;

        limits.total_len = (uint16_t)(DX_CONNECTOR_HEAD_MAX - answer->head_at);
        status = dx_head_parse(&answer->head, &limits, answer->bytes + answer->head_at,
                               answer->len - answer->head_at);
        if (status == DX_HEAD_DONE)
            judge(connector);
        else if (status == DX_HEAD_REFUSED)
            note_no_answer(connector, &answer->head.refusal);
    }
}

/* False: it has to wait, or has failed. */
static bool send_request(struct dx_connector *connector)
{
    while (connector->out_sent < connector->out_len) {
        struct dx_slice rest = {(const uint8_t *)connector->out + connector->out_sent,
                                connector->out_len - connector->out_sent};
        size_t sent;

        if (!send_some(connector, rest, &sent))
            return false;
        connector->out_sent += sent;
        if (sent == 0) {
            dx_connector_watch(connector, true);
            return false;
        }
    }
    dx_connector_drop_request(connector);
    return true;
}

static void ask(struct dx_connector *connector)
{
    if (!send_request(connector))
        return;
    /* A proxy may have handed on an answer already. */
    if (connector->answer != NULL)
        read_answer(connector);
    while (connector->state == DX_CONNECTOR_ASKING) {
        size_t len = connector->answer != NULL ? connector->answer->len : 0;
        enum dx_err err = dx_connector_read(connector, DX_CONNECTOR_IN_MAX - len);

        if (err == DX_ERR_AGAIN)
            return;
        if (err == DX_OK)
            read_answer(connector);
        else
            fail_stream(connector, err);
    }
}

/* ---- the way through a proxy ---- */

/* The connection is the target's: its TLS, and the question. */
static void begin_asking(struct dx_connector *connector)
{
    enum dx_err err = DX_OK;

    connector->state = DX_CONNECTOR_ASKING;
    connector->is_secure = connector->url.is_secure;
    if (connector->is_secure)
        err = start_tls(connector, connector->url.host.text);
    if (err != DX_OK) {
        dx_connector_fail(connector, DX_STEP_TLS, err, NULL);
        return;
    }
    if (connector->options.on_request != NULL) {
        connector->is_telling = true;
        connector->options.on_request(connector->user, connector->out, connector->out_len);
        connector->is_telling = false;
    }
    if (connector->state == DX_CONNECTOR_ASKING)
        ask(connector);
}

/* What the proxy sent after its answer comes from the target. */
static void leave_tunnel(struct dx_connector *connector, const uint8_t *rest, size_t len)
{
    dx_tunnel_release(&connector->tunnel);
    connector->has_tunnel = false;
    if (connector->url.is_secure && len > 0)
        dx_connector_fail(connector, DX_STEP_PROXY, DX_ERR_PROTOCOL,
                          "the proxy sent data before the TLS handshake");
    else if (len > 0 && !append(connector, rest, len))
        dx_connector_fail(connector, DX_STEP_PROXY, DX_ERR_NOMEM, NULL);
    else
        begin_asking(connector);
}

/* Sends what the tunnel has to say. False: it has to wait, or failed. */
static bool send_tunnel(struct dx_connector *connector)
{
    for (;;) {
        struct dx_slice out = dx_tunnel_output(&connector->tunnel);
        size_t sent;

        if (out.len == 0)
            return true;
        if (!send_some(connector, out, &sent))
            return false;
        if (sent == 0) {
            dx_connector_watch(connector, true);
            return false;
        }
        dx_tunnel_sent(&connector->tunnel, sent);
    }
}

/* False: there is nothing more to do now. */
static bool feed_tunnel(struct dx_connector *connector)
{
    uint8_t *bytes = dx_loop_read_buffer(connector->options.loop);
    size_t got = 0, used = 0;
    enum dx_err err = dx_stream_read(&connector->stream, bytes, DX_CONNECTOR_IN_MAX, &got);

    if (err == DX_ERR_AGAIN)
        dx_connector_watch(connector, false);
    else if (err != DX_OK)
        fail_stream(connector, err);
    if (err != DX_OK)
        return false;
    switch (dx_tunnel_feed(&connector->tunnel, bytes, got, &used)) {
    case DX_TUNNEL_MORE:
        return true;
    case DX_TUNNEL_OPEN:
        leave_tunnel(connector, bytes + used, got - used);
        break;
    case DX_TUNNEL_FAILED:
        if (connector->tunnel.is_target_dead && dx_connector_try_next_target(connector))
            break;
        connector->error.http_status = connector->tunnel.http_status;
        dx_connector_fail(connector, DX_STEP_PROXY, connector->tunnel.err,
                          connector->tunnel.detail);
        break;
    }
    return false;
}

static void go_through(struct dx_connector *connector)
{
    while (send_tunnel(connector) && feed_tunnel(connector))
        ;
}

static void begin_tunnel(struct dx_connector *connector)
{
    const struct dx_proxy *proxy = connector->options.proxy;
    struct dx_tunnel_target target = {.kind = proxy->kind,
                                      .host = connector->target_host,
                                      .port = connector->url.port,
                                      .name = proxy->has_name ? proxy->name : NULL,
                                      .password = proxy->has_name ? proxy->password : NULL};
    enum dx_err err = dx_tunnel_init(&connector->tunnel, &target);

    connector->state = DX_CONNECTOR_TUNNELLING;
    if (err != DX_OK) {
        dx_connector_fail(connector, DX_STEP_PROXY, err,
                          err == DX_ERR_USAGE ? "this host name cannot be sent to the proxy"
                                              : NULL);
        return;
    }
    connector->has_tunnel = true;
    go_through(connector);
}

/* ---- events ---- */

static void on_ready(struct dx_watch *watch, unsigned events)
{
    struct dx_connector *connector = dx_container_of(watch, struct dx_connector, stream.watch);

    (void)events;
    switch ((enum dx_connector_state)connector->state) {
    case DX_CONNECTOR_TUNNELLING:
        go_through(connector);
        break;
    case DX_CONNECTOR_ASKING:
        ask(connector);
        break;
    case DX_CONNECTOR_REFUSED:
        dx_connector_read_refusal(connector);
        break;
    default:
        break;
    }
}

void dx_connector_speak(struct dx_connector *connector, int fd)
{
    bool has_proxy = dx_connector_has_proxy(connector);
    enum dx_err err = dx_stream_init(&connector->stream, connector->options.loop, fd, NULL);

    if (err != DX_OK) {
        (void)close(fd);
        dx_connector_fail(connector, DX_STEP_CONNECT, err, NULL);
        return;
    }
    connector->has_stream = true;
    connector->is_secure = false;
    if (!has_proxy) {
        begin_asking(connector);
        return;
    }
    if (connector->options.proxy->is_secure)
        err = start_tls(connector, connector->options.proxy->host.text);
    if (err != DX_OK)
        dx_connector_fail(connector, DX_STEP_PROXY, err, NULL);
    else
        begin_tunnel(connector);
}
