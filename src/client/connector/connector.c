/*
 * connector.c - life of a connector, names and addresses, its deadline.
 */
#include "client/connector/connector_parts.h"

#include "base/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

static void on_resolved(void *user, const struct dx_resolved *resolved);
static void on_connected(void *user, const struct dx_connected *connected);

/* ---- the end ---- */

void dx_connector_drop_stream(struct dx_connector *connector)
{
    if (!connector->has_stream)
        return;
    dx_watch_stop(connector->options.loop, &connector->stream.watch);
    dx_stream_close(&connector->stream, false);
    connector->has_stream = false;
}

/* All but the memory. */
static void clear(struct dx_connector *connector)
{
    dx_wheel_unset(dx_loop_wheel(connector->options.loop), &connector->timer);
    dx_resolve_cancel(connector->resolve);
    dx_connect_cancel(connector->connect);
    connector->resolve = NULL;
    connector->connect = NULL;
    if (connector->has_tunnel)
        dx_tunnel_release(&connector->tunnel);
    connector->has_tunnel = false;
}

static void destroy(struct dx_connector *connector)
{
    dx_connector_drop_request(connector);
    free(connector->targets);
    free(connector->answer);
    free(connector->headers);
    free(connector->normal);
    free(connector);
}

static void finish(struct dx_connector *connector)
{
    clear(connector);
    if (connector->has_stream)
        dx_watch_stop(connector->options.loop, &connector->stream.watch);
    connector->state = DX_CONNECTOR_DONE;
    dx_loop_flush_later(connector->options.loop, &connector->task);
}

void dx_connector_fail(struct dx_connector *connector, enum dx_failure_step step, enum dx_err err,
                       const char *detail)
{
    (void)snprintf(connector->detail, sizeof(connector->detail), "%s",
                   detail != NULL ? detail : dx_err_text(err));
    connector->error.step = step;
    connector->error.err = err;
    connector->error.detail = connector->detail;
    connector->opening.error = &connector->error;
    finish(connector);
}

void dx_connector_succeed(struct dx_connector *connector)
{
    connector->opening.error = NULL;
    connector->opening.head = &connector->answer->head;
    finish(connector);
}

static void tell(struct dx_connector *connector)
{
    if (connector->opening.error != NULL)
        dx_connector_drop_stream(connector);
    else
        connector->opening.stream = connector->stream;
    dx_loop_let_go(connector->options.loop);
    if (connector->on_done != NULL)
        connector->on_done(connector->user, &connector->opening);
    destroy(connector);
}

static void on_task(struct dx_turn_task *task)
{
    struct dx_connector *connector = dx_container_of(task, struct dx_connector, task);

    if (connector->state == DX_CONNECTOR_DONE)
        tell(connector);
    else
        dx_connector_begin(connector);
}

/* ---- the deadline ---- */

static enum dx_failure_step step_of(const struct dx_connector *connector)
{
    switch ((enum dx_connector_state)connector->state) {
    case DX_CONNECTOR_RESOLVING_TARGET:
        return DX_STEP_RESOLVE;
    case DX_CONNECTOR_RESOLVING:
        return dx_connector_has_proxy(connector) ? DX_STEP_PROXY : DX_STEP_RESOLVE;
    case DX_CONNECTOR_CONNECTING:
        return dx_connector_has_proxy(connector) ? DX_STEP_PROXY : DX_STEP_CONNECT;
    case DX_CONNECTOR_TUNNELLING:
        return DX_STEP_PROXY;
    default:
        return connector->is_secure && !dx_stream_is_established(&connector->stream)
                   ? DX_STEP_TLS
                   : DX_STEP_HANDSHAKE;
    }
}

static void on_due(struct dx_timer *timer)
{
    struct dx_connector *connector = dx_container_of(timer, struct dx_connector, timer);

    if (connector->state == DX_CONNECTOR_REFUSED)
        dx_connector_end_refusal(connector);
    else
        dx_connector_fail(connector, step_of(connector), DX_ERR_TIMEOUT,
                          "the connection did not open in time");
}

/* ---- names and addresses ---- */

bool dx_connector_has_proxy(const struct dx_connector *connector)
{
    return connector->options.proxy != NULL && connector->options.unix_path == NULL;
}

static void resolve(struct dx_connector *connector, const char *host, uint16_t port,
                    enum dx_connector_state state)
{
    enum dx_err err =
        dx_resolve_start(connector->options.loop, host, port, connector->options.family,
                         on_resolved, connector, &connector->resolve);

    connector->state = (uint8_t)state;
    if (err != DX_OK)
        dx_connector_fail(connector, step_of(connector), err, NULL);
}

static void resolve_first_hop(struct dx_connector *connector)
{
    const struct dx_proxy *proxy = connector->options.proxy;

    if (dx_connector_has_proxy(connector))
        resolve(connector, proxy->host.text, proxy->port, DX_CONNECTOR_RESOLVING);
    else
        resolve(connector, connector->url.host.text, connector->url.port, DX_CONNECTOR_RESOLVING);
}

static void connect_unix(struct dx_connector *connector)
{
    enum dx_err err = dx_connect_start_unix(connector->options.loop, connector->options.unix_path,
                                            on_connected, connector, &connector->connect);

    connector->state = DX_CONNECTOR_CONNECTING;
    if (err != DX_OK)
        dx_connector_fail(connector, DX_STEP_CONNECT, err,
                          err == DX_ERR_USAGE ? "the unix socket's path is too long" : NULL);
}

static void forget_targets(struct dx_connector *connector)
{
    free(connector->targets);
    connector->targets = NULL;
    connector->target_count = 0;
    connector->target_next = 0;
}

void dx_connector_begin(struct dx_connector *connector)
{
    const struct dx_proxy *proxy = connector->options.proxy;
    const struct dx_host *host = &connector->url.host;

    forget_targets(connector);
    connector->target_host = host->text;
    if (connector->options.unix_path != NULL)
        connect_unix(connector);
    else if (dx_connector_has_proxy(connector) && !proxy->resolves_names &&
             host->kind == DX_HOST_NAME)
        resolve(connector, host->text, connector->url.port, DX_CONNECTOR_RESOLVING_TARGET);
    else
        resolve_first_hop(connector);
}

/* The proxy gets an address, not the name. */
static void note_target(struct dx_connector *connector)
{
    struct sockaddr_storage storage = {0};
    struct dx_address found;

    memcpy(&storage, &connector->targets[connector->target_next++], sizeof(*connector->targets));
    dx_address_init(&found, &storage);
    dx_address_host(&found, connector->target_address);
    connector->target_host = connector->target_address;
}

static bool keep_targets(struct dx_connector *connector, const struct dx_resolved *resolved)
{
    size_t len = resolved->count * sizeof(*resolved->addresses);

    forget_targets(connector);
    connector->targets = malloc(len);
    if (connector->targets == NULL)
        return false;
    memcpy(connector->targets, resolved->addresses, len);
    connector->target_count = resolved->count;
    return true;
}

bool dx_connector_try_next_target(struct dx_connector *connector)
{
    if (connector->target_next >= connector->target_count)
        return false;
    note_target(connector);
    dx_tunnel_release(&connector->tunnel);
    connector->has_tunnel = false;
    dx_connector_drop_stream(connector);
    resolve_first_hop(connector);
    return true;
}

static void on_resolved(void *user, const struct dx_resolved *resolved)
{
    struct dx_connector *connector = user;
    enum dx_err err;

    connector->resolve = NULL;
    if (resolved->err != DX_OK) {
        dx_connector_fail(connector, step_of(connector), resolved->err, resolved->detail);
        return;
    }
    if (connector->state == DX_CONNECTOR_RESOLVING_TARGET) {
        if (!keep_targets(connector, resolved)) {
            dx_connector_fail(connector, DX_STEP_RESOLVE, DX_ERR_NOMEM, NULL);
            return;
        }
        note_target(connector);
        resolve_first_hop(connector);
        return;
    }
    connector->state = DX_CONNECTOR_CONNECTING;
    err = dx_connect_start(connector->options.loop, resolved->addresses, resolved->count,
                           on_connected, connector, &connector->connect);
    if (err != DX_OK)
        dx_connector_fail(connector, step_of(connector), err, NULL);
}

static void on_connected(void *user, const struct dx_connected *connected)
{
    struct dx_connector *connector = user;

    connector->connect = NULL;
    if (connected->err == DX_OK) {
        dx_connector_speak(connector, connected->fd);
        return;
    }
    connector->error.system_error = connected->system_error;
    dx_connector_fail(connector, step_of(connector), connected->err, connected->detail);
}

/* ---- the request ---- */

void dx_connector_drop_request(struct dx_connector *connector)
{
    if (connector->out != NULL)
        explicit_bzero(connector->out, connector->out_len);
    free(connector->out);
    connector->out = NULL;
    connector->out_len = 0;
    connector->out_sent = 0;
}

/*
 * We cannot tell which of a caller's headers are secret: another origin gets the one that
 * surely is none.
 */
static void drop_secrets(struct dx_connector *connector)
{
    struct dx_handshake_request *request = &connector->request;
    size_t count = request->header_count;

    request->header_count = 0;
    for (size_t i = 0; i < count && request->header_count == 0; i++) {
        if (!dx_text_is_nocase(dx_slice_of(request->headers[i].name), "User-Agent"))
            continue;
        request->headers += i;
        request->header_count = 1;
    }
}

static void fill_request(struct dx_connector *connector, char *host, size_t room)
{
    const struct dx_url *url = &connector->url;
    bool is_ipv6 = url->host.kind == DX_HOST_IPV6;
    int len =
        snprintf(host, room, "%s%s%s", is_ipv6 ? "[" : "", url->host.text, is_ipv6 ? "]" : "");

    if (url->has_port)
        (void)snprintf(host + len, room - (size_t)len, ":%u", (unsigned)url->port);
    connector->request = connector->options.request;
    connector->request.size = sizeof(connector->request);
    connector->request.host = host;
    connector->request.target = connector->normal + url->target_at;
    if (connector->drops_secrets)
        drop_secrets(connector);
}

enum dx_err dx_connector_write_request(struct dx_connector *connector)
{
    uint8_t nonce[DX_HANDSHAKE_NONCE_LEN];
    char host[DX_HOST_MAX + 16];
    char *out = malloc(DX_CONNECTOR_OUT_MAX), *fitting;
    size_t len = 0;
    enum dx_err err;

    if (out == NULL)
        return DX_ERR_NOMEM;
    fill_request(connector, host, sizeof(host));
    if (!dx_loop_fill_random(nonce, sizeof(nonce), connector->options.loop))
        err = DX_ERR_SYSTEM;
    else
        err = dx_handshake_request_write(&connector->request, nonce, connector->key, out,
                                         DX_CONNECTOR_OUT_MAX, &len);
    fitting = err == DX_OK ? malloc(len) : NULL;
    if (err == DX_OK && fitting == NULL)
        err = DX_ERR_NOMEM;
    dx_connector_drop_request(connector);
    if (err == DX_OK) {
        memcpy(fitting, out, len);
        connector->out = fitting;
        connector->out_len = len;
    }
    explicit_bzero(out, err == DX_OK ? len : DX_CONNECTOR_OUT_MAX);
    free(out);
    /* What it points to is gone; only what the answer is compared with is read again. */
    connector->request.host = NULL;
    connector->request.target = NULL;
    return err;
}

enum dx_err dx_connector_set_url(struct dx_connector *connector, const struct dx_url *url,
                                 const char *normal)
{
    char *copy = strdup(normal);

    if (copy == NULL)
        return DX_ERR_NOMEM;
    free(connector->normal);
    connector->normal = copy;
    connector->url = *url;
    return DX_OK;
}

/* ---- life ---- */

/* Reads the URL and writes the request. */
static enum dx_err prepare(struct dx_connector *connector,
                           const struct dx_connector_options *options)
{
    char normal[DX_URL_MAX + 1];
    struct dx_url url;
    const char *detail;
    enum dx_err err = dx_url_parse(dx_slice_of(options->url), &url, normal, &detail);

    connector->options = *options;
    if (err == DX_OK)
        err = dx_connector_set_url(connector, &url, normal);
    if (err == DX_OK)
        err = dx_connector_write_request(connector);
    return err;
}

enum dx_err dx_connector_check(const struct dx_connector_options *options)
{
    struct dx_connector *scratch = calloc(1, sizeof(*scratch));
    enum dx_err err;

    if (scratch == NULL)
        return DX_ERR_NOMEM;
    err = prepare(scratch, options);
    destroy(scratch);
    return err;
}

enum dx_err dx_connector_start(const struct dx_connector_options *options,
                               void (*on_done)(void *user, const struct dx_opening *opening),
                               void *user, struct dx_connector **connector)
{
    struct dx_connector *made = calloc(1, sizeof(*made));
    enum dx_err err;

    if (made == NULL)
        return DX_ERR_NOMEM;
    made->on_done = on_done;
    made->user = user;
    made->task.run = on_task;
    dx_timer_init(&made->timer, on_due);
    err = prepare(made, options);
    if (err != DX_OK) {
        destroy(made);
        return err;
    }
    if (options->timeout_ms > 0) {
        made->due_ms = dx_loop_now_ms(options->loop) + options->timeout_ms;
        dx_wheel_set(dx_loop_wheel(options->loop), &made->timer, made->due_ms);
    }
    dx_loop_hold(options->loop);
    dx_loop_flush_later(options->loop, &made->task);
    *connector = made;
    return DX_OK;
}

void dx_connector_cancel(struct dx_connector *connector)
{
    if (connector == NULL)
        return;
    dx_connector_drop_stream(connector);
    if (connector->is_telling) { /* freed in on_request: its caller still uses the connector */
        connector->on_done = NULL;
        connector->opening.error = &connector->error;
        finish(connector);
        return;
    }
    clear(connector);
    dx_loop_flush_cancel(connector->options.loop, &connector->task);
    dx_loop_let_go(connector->options.loop);
    destroy(connector);
}
