/*
 * connector_way.c - what is said on a connector's stream: to the proxy, then the opening handshake (RFC 6455 4.1), inside TLS where the
 * URL asks for it.
 */
#include "client/connector_parts.h"

#include <string.h>
#include <unistd.h>

static void on_ready(struct dx_watch *watch, unsigned events);

/* ---- failures ---- */

static void fail_stream(struct dx_connector *connector, enum dx_err err)
{
    bool is_tunnelling = connector->state == DX_CONNECTOR_TUNNELLING;
    char why[DX_CONNECTOR_DETAIL_MAX];

    dx_stream_tls_why(&connector->stream, why, sizeof(why));
    if (connector->stream.tls != NULL && !dx_stream_is_established(&connector->stream))
        dx_connector_fail(connector, is_tunnelling ? DX_STEP_PROXY : DX_STEP_TLS, err,
                          why[0] != '\0' ? why : "the TLS handshake was broken off");
    else if (is_tunnelling)
        dx_connector_fail(connector, DX_STEP_PROXY, err, "the proxy ended the connection");
    else
        dx_connector_fail(connector, DX_STEP_HANDSHAKE, err,
                          "the server ended the connection before it had answered");
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

bool dx_connector_read(struct dx_connector *connector, bool *is_end)
{
    size_t got = 0;
    enum dx_err err = dx_stream_read(&connector->stream, connector->in + connector->in_len,
                                     DX_CONNECTOR_IN_MAX - connector->in_len, &got);

    if (err == DX_OK) {
        connector->in_len += got;
        return true;
    }
    if (err == DX_ERR_AGAIN)
        dx_connector_watch(connector, false);
    else if (is_end != NULL)
        *is_end = true;
    else
        fail_stream(connector, err);
    return false;
}

/* ---- the opening handshake ---- */

static void judge(struct dx_connector *connector)
{
    struct dx_handshake_answer answer;

    switch (dx_handshake_judge_response(&connector->head, &connector->request, connector->key,
                                        &answer)) {
    case DX_HANDSHAKE_OPEN:
        connector->opening.subprotocol = answer.subprotocol;
        connector->opening.extensions = answer.extensions;
        connector->opening.early = connector->in + connector->head_at + connector->head.len;
        connector->opening.early_len = connector->in_len - connector->head_at - connector->head.len;
        dx_connector_succeed(connector);
        break;
    case DX_HANDSHAKE_INTERIM:
        connector->head_at += connector->head.len;
        break;
    case DX_HANDSHAKE_REFUSED:
        dx_connector_note_refusal(connector);
        break;
    case DX_HANDSHAKE_BROKEN:
        dx_connector_fail(connector, DX_STEP_HANDSHAKE, DX_ERR_PROTOCOL, answer.detail);
        break;
    }
}

/* Judges what has come of the answer. */
static void read_answer(struct dx_connector *connector)
{
    struct dx_head_limits limits = dx_head_limits_init();
    enum dx_head_status status = DX_HEAD_DONE;

    limits.total_len = DX_CONNECTOR_HEAD_MAX;
    while (status == DX_HEAD_DONE && connector->state == DX_CONNECTOR_ASKING) {
        dx_head_init(&connector->head, DX_HEAD_RESPONSE);
        status = dx_head_parse(&connector->head, &limits, connector->in + connector->head_at,
                               connector->in_len - connector->head_at);
        if (status == DX_HEAD_DONE)
            judge(connector);
        else if (status == DX_HEAD_REFUSED)
            dx_connector_fail(connector, DX_STEP_HANDSHAKE, DX_ERR_PROTOCOL,
                              connector->head.refusal.detail);
    }
    if (connector->state == DX_CONNECTOR_ASKING && connector->in_len == DX_CONNECTOR_IN_MAX)
        dx_connector_fail(connector, DX_STEP_HANDSHAKE, DX_ERR_TOO_BIG,
                          "the server's answer has no end");
}

static void ask(struct dx_connector *connector)
{
    while (connector->out_sent < connector->out_len) {
        struct dx_slice rest = {(const uint8_t *)connector->out + connector->out_sent,
                                connector->out_len - connector->out_sent};
        size_t sent;

        if (!send_some(connector, rest, &sent))
            return;
        connector->out_sent += sent;
        if (sent == 0) {
            dx_connector_watch(connector, true);
            return;
        }
    }
    while (connector->state == DX_CONNECTOR_ASKING && dx_connector_read(connector, NULL))
        read_answer(connector);
}

/* ---- the way through a proxy ---- */

/* What the proxy sent behind its answer is the target's. */
static void leave_tunnel(struct dx_connector *connector, size_t used)
{
    connector->in_len -= used;
    memmove(connector->in, connector->in + used, connector->in_len);
    dx_tunnel_release(&connector->tunnel);
    connector->has_tunnel = false;
    if (connector->url.is_secure && connector->in_len > 0) {
        dx_connector_fail(connector, DX_STEP_PROXY, DX_ERR_PROTOCOL,
                          "the proxy sends before the TLS handshake has begun");
        return;
    }
    if (connector->url.is_secure) {
        enum dx_err err = dx_stream_start_tls(&connector->stream, connector->options.tls,
                                              connector->url.host.text);

        if (err != DX_OK) {
            dx_connector_fail(connector, DX_STEP_TLS, err, NULL);
            return;
        }
        connector->is_secure = true;
    }
    connector->state = DX_CONNECTOR_ASKING;
    ask(connector);
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

static void go_through(struct dx_connector *connector)
{
    while (connector->state == DX_CONNECTOR_TUNNELLING && send_tunnel(connector)) {
        size_t used = 0;

        connector->in_len = 0;
        if (!dx_connector_read(connector, NULL))
            return;
        switch (dx_tunnel_feed(&connector->tunnel, connector->in, connector->in_len, &used)) {
        case DX_TUNNEL_MORE:
            break;
        case DX_TUNNEL_OPEN:
            leave_tunnel(connector, used);
            return;
        case DX_TUNNEL_FAILED:
            connector->error.http_status = connector->tunnel.http_status;
            dx_connector_fail(connector, DX_STEP_PROXY, connector->tunnel.err,
                              connector->tunnel.detail);
            return;
        }
    }
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
                          err == DX_ERR_USAGE ? "the proxy cannot be told this name" : NULL);
        return;
    }
    connector->has_tunnel = true;
    go_through(connector);
}

/* ---- events ---- */

static void on_ready(struct dx_watch *watch, unsigned events)
{
    struct dx_connector *connector =
        (struct dx_connector *)(void *)((char *)watch -
                                        offsetof(struct dx_connector, stream.watch));

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
    bool has_proxy = connector->options.proxy != NULL && connector->options.unix_path == NULL;
    bool is_secure = has_proxy ? connector->options.proxy->is_secure : connector->url.is_secure;
    const char *host = has_proxy ? connector->options.proxy->host.text : connector->url.host.text;
    enum dx_err err = dx_stream_init(&connector->stream, connector->options.loop, fd, NULL);

    if (err != DX_OK) {
        (void)close(fd);
        dx_connector_fail(connector, DX_STEP_CONNECT, err, NULL);
        return;
    }
    connector->has_stream = true;
    connector->is_secure = is_secure && !has_proxy;
    if (is_secure)
        err = dx_stream_start_tls(&connector->stream, connector->options.tls, host);
    if (err != DX_OK) {
        dx_connector_fail(connector, DX_STEP_TLS, err, NULL);
    } else if (has_proxy) {
        begin_tunnel(connector);
    } else {
        connector->state = DX_CONNECTOR_ASKING;
        ask(connector);
    }
}
