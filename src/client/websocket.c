/*
 * websocket.c - life and attributes of a websocket, its opening, and trying again (WHATWG WebSockets section 3).
 */
#include "client/websocket_parts.h"

#include "base/text.h"
#include "client/backoff.h"
#include "client/ports.h"
#include "http/url_join.h"
#include <duplex/tls_client.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

/* ---- life ---- */

void dx_websocket_keep(struct dx_websocket *websocket)
{
    atomic_fetch_add(&websocket->references, 1);
}

void dx_websocket_drop(struct dx_websocket *websocket)
{
    if (atomic_fetch_sub(&websocket->references, 1) != 1)
        return;
    dx_outbox_release(&websocket->outbox);
    dx_tls_client_free(websocket->own_tls);
    dx_websocket_settings_release(&websocket->settings);
    free(websocket->listening);
    free(websocket->headers);
    free(websocket);
}

/* Holds the loop and itself from the first attempt until it is closed for good. */
static void begin_life(struct dx_websocket *websocket)
{
    websocket->is_alive = true;
    dx_websocket_keep(websocket);
    dx_loop_hold(websocket->loop);
}

static void end_life(struct dx_websocket *websocket)
{
    if (!websocket->is_alive)
        return;
    websocket->is_alive = false;
    dx_loop_let_go(websocket->loop);
    dx_websocket_drop(websocket);
}

void dx_websocket_queue_task(struct dx_websocket *websocket)
{
    if (dx_turn_task_is_queued(&websocket->task))
        return;
    dx_websocket_keep(websocket);
    dx_loop_flush_later(websocket->loop, &websocket->task);
}

/* ---- the end of an attempt or a connection ---- */

void dx_websocket_fail_later(struct dx_websocket *websocket, enum dx_failure_step step,
                             enum dx_err err, const char *detail)
{
    (void)snprintf(websocket->late_detail, sizeof(websocket->late_detail), "%s",
                   detail != NULL ? detail : dx_err_text(err));
    websocket->late_error =
        (struct dx_error_event){.step = step, .err = err, .detail = websocket->late_detail};
    websocket->fails_later = true;
    dx_websocket_queue_task(websocket);
}

void dx_websocket_stop_waiting(struct dx_websocket *websocket)
{
    if (websocket->connection != NULL || !dx_timer_is_set(&websocket->timer))
        return;
    dx_wheel_unset(dx_loop_wheel(websocket->loop), &websocket->timer);
    end_life(websocket);
}

static bool will_try_again(struct dx_websocket *websocket, const struct dx_error_event *error,
                           const struct dx_close_event *close)
{
    const struct dx_reconnect_options *reconnect = &websocket->settings.options.reconnect;

    if (!reconnect->is_on || websocket->is_closed_by_user || atomic_load(&websocket->is_freed))
        return false;
    if (reconnect->max_attempts > 0 && websocket->attempt >= reconnect->max_attempts)
        return false;
    return dx_backoff_is_worth_it(error, close);
}

static uint32_t draw(struct dx_websocket *websocket)
{
    uint32_t random = UINT32_MAX / 2;

    (void)dx_loop_fill_random(websocket->loop, (uint8_t *)&random, sizeof(random));
    return random;
}

void dx_websocket_end(struct dx_websocket *websocket, const struct dx_error_event *error,
                      struct dx_close_event *close)
{
    const struct dx_reconnect_options *reconnect = &websocket->settings.options.reconnect;
    uint64_t now_ms = dx_loop_now_ms(websocket->loop);

    if (websocket->opened_ms > 0 && now_ms - websocket->opened_ms >= reconnect->stable_ms)
        websocket->attempt = 0;
    websocket->opened_ms = 0;
    close->will_reconnect = will_try_again(websocket, error, close);
    if (close->will_reconnect) {
        close->delay_ms = dx_backoff_delay(reconnect, ++websocket->attempt, draw(websocket));
        dx_wheel_set(dx_loop_wheel(websocket->loop), &websocket->timer, now_ms + close->delay_ms);
    } else {
        dx_wheel_unset(dx_loop_wheel(websocket->loop), &websocket->timer);
    }
    dx_websocket_freeze_amount(websocket);
    dx_outbox_rewind(&websocket->outbox);
    websocket->barrier = 0;
    dx_websocket_set_state(websocket, DX_CLOSED);
    dx_websocket_keep(websocket);
    if (error != NULL)
        dx_websocket_tell_error(websocket, error);
    dx_websocket_tell_close(websocket, close);
    if (!dx_timer_is_set(&websocket->timer))
        end_life(websocket);
    dx_websocket_drop(websocket);
}

static void fail(struct dx_websocket *websocket, const struct dx_error_event *error)
{
    struct dx_close_event close = {.code = DX_CLOSE_ABNORMAL, .reason = ""};

    dx_websocket_end(websocket, error, &close);
}

/* ---- opening ---- */

static bool keep_headers(struct dx_websocket *websocket, const struct dx_head *head)
{
    size_t len = 0;
    char *at;

    for (size_t i = 0; i < head->header_count; i++)
        len += (size_t)head->headers[i].name.len + head->headers[i].value.len + 2;
    free(websocket->headers);
    websocket->headers = malloc(len + 1);
    websocket->headers_len = 0;
    if (websocket->headers == NULL)
        return false;
    at = websocket->headers;
    for (size_t i = 0; i < head->header_count; i++) {
        struct dx_slice name = dx_head_slice(head, head->headers[i].name);
        struct dx_slice value = dx_head_slice(head, head->headers[i].value);

        memcpy(at, name.data, name.len);
        at[name.len] = '\0';
        at += name.len + 1;
        memcpy(at, value.data, value.len);
        at[value.len] = '\0';
        at += value.len + 1;
    }
    websocket->headers_len = len;
    return true;
}

static enum dx_err open_connection(struct dx_websocket *websocket, struct dx_opening *opening)
{
    struct dx_connection_start start = {.kind = &websocket->kind,
                                        .handlers = dx_websocket_wants_chunks(websocket)
                                                        ? &dx_websocket_chunk_handlers
                                                        : &dx_websocket_whole_handlers,
                                        .user = websocket,
                                        .subprotocol = opening->subprotocol,
                                        .early = opening->early,
                                        .early_len = opening->early_len};

    if (!keep_headers(websocket, opening->head))
        return DX_ERR_NOMEM;
    return dx_connection_new(websocket->loop, &opening->stream, &start, &websocket->connection);
}

static void note_open(struct dx_websocket *websocket, const struct dx_opening *opening)
{
    websocket->opened_ms = dx_loop_now_ms(websocket->loop);
    websocket->heard_ms = websocket->opened_ms;
    websocket->waits_for_pong = false;
    websocket->protocol = opening->subprotocol != NULL ? opening->subprotocol : "";
    websocket->payload_len = 0;
    websocket->wire_len = 0;
    dx_websocket_set_state(websocket, DX_OPEN);
    dx_websocket_keep(websocket);
    dx_websocket_send_first(websocket);
    dx_websocket_start_beating(websocket);
    dx_websocket_tell_open(websocket);
    dx_websocket_drop(websocket);
}

/* A browser fails where protocols were asked for and none is agreed; RFC 6455 would allow it. */
static bool lacks_protocol(const struct dx_websocket *websocket, const struct dx_opening *opening)
{
    return websocket->settings.options.protocol_count > 0 && opening->subprotocol == NULL;
}

static void on_done(void *user, const struct dx_opening *opening)
{
    struct dx_websocket *websocket = user;
    struct dx_opening own = *opening;
    struct dx_error_event error = {.step = DX_STEP_HANDSHAKE, .err = DX_ERR_PROTOCOL};

    websocket->connector = NULL;
    if (opening->error != NULL) {
        fail(websocket, opening->error);
        return;
    }
    if (lacks_protocol(websocket, opening)) {
        error.detail = "the server agrees to none of the subprotocols";
    } else {
        error.err = open_connection(websocket, &own);
        error.detail = dx_err_text(error.err);
    }
    if (error.err == DX_OK) {
        note_open(websocket, opening);
        return;
    }
    dx_stream_close(&own.stream, true);
    fail(websocket, &error);
}

static enum dx_err find_tls(struct dx_websocket *websocket, char *why, size_t why_len)
{
    const struct dx_websocket_options *options = &websocket->settings.options;
    bool has_secure_proxy = options->proxy != NULL && websocket->settings.proxy.is_secure;

    if (options->tls != NULL || websocket->own_tls != NULL)
        return DX_OK;
    /* A redirect may lead to wss. */
    if (!websocket->parsed.is_secure && !has_secure_proxy && options->max_redirects == 0)
        return DX_OK;
    return dx_tls_client_new(NULL, &websocket->own_tls, why, why_len);
}

static enum dx_err start_connector(struct dx_websocket *websocket)
{
    const struct dx_websocket_options *options = &websocket->settings.options;
    struct dx_connector_options connector = {
        .loop = websocket->loop,
        .url = websocket->url,
        .unix_path = options->unix_path,
        .proxy = options->proxy != NULL ? &websocket->settings.proxy : NULL,
        .tls = options->tls != NULL ? options->tls : websocket->own_tls,
        .family = AF_UNSPEC,
        .request = {.origin = options->origin,
                    .subprotocols = options->protocols,
                    .subprotocol_count = options->protocol_count,
                    .headers = options->headers,
                    .header_count = options->header_count},
        .timeout_ms = options->connect_timeout_ms,
        .max_redirects = options->max_redirects,
        .on_request = dx_websocket_tell_request};

    return dx_connector_start(&connector, on_done, websocket, &websocket->connector);
}

/* Begins an attempt. What cannot even be asked for is returned; all other failures are told later. */
static enum dx_err connect_now(struct dx_websocket *websocket)
{
    char why[256] = "";
    enum dx_err err;

    if (websocket->settings.options.strict_browser && dx_port_is_blocked(websocket->parsed.port)) {
        dx_websocket_fail_later(websocket, DX_STEP_CONNECT, DX_ERR_ACCESS,
                                "browsers block this port");
        return DX_OK;
    }
    err = find_tls(websocket, why, sizeof(why));
    if (err == DX_OK)
        return start_connector(websocket);
    dx_websocket_fail_later(websocket, DX_STEP_TLS, err, why);
    return DX_OK;
}

/* ---- trying again ---- */

/* ws and wss, whatever was written; relative to a base if there is one. */
static enum dx_err read_url(struct dx_websocket *websocket, const char *text)
{
    char joined[DX_URL_MAX + 1], normal[DX_URL_MAX + 1], again[DX_URL_MAX + 4];
    const char *base = websocket->settings.options.base_url;
    struct dx_url parsed;
    const char *detail;

    if (base != NULL) {
        if (dx_url_parse(dx_slice_of(base), &parsed, normal, &detail) != DX_OK ||
            !dx_url_join(&parsed, normal, dx_slice_of(text), joined, sizeof(joined)))
            return DX_ERR_USAGE;
        text = joined;
    }
    if (dx_url_parse(dx_slice_of(text), &parsed, normal, &detail) != DX_OK)
        return DX_ERR_USAGE;
    if (parsed.is_websocket) {
        memcpy(websocket->url, normal, sizeof(normal));
        websocket->parsed = parsed;
        return DX_OK;
    }
    (void)snprintf(again, sizeof(again), "%s", normal);
    (void)snprintf(again, sizeof(again), "ws%s", normal + strlen("http"));
    return dx_url_parse(dx_slice_of(again), &websocket->parsed, websocket->url, &detail) == DX_OK
               ? DX_OK
               : DX_ERR_USAGE;
}

static void try_again(struct dx_websocket *websocket)
{
    const struct dx_reconnect_options *reconnect = &websocket->settings.options.reconnect;
    const char *url = NULL;
    bool goes_on = true;

    dx_websocket_set_state(websocket, DX_CONNECTING);
    dx_websocket_keep(websocket);
    if (reconnect->on_attempt != NULL)
        goes_on = reconnect->on_attempt(websocket, websocket->attempt, &url, reconnect->user);
    /* The hook may have closed or freed it. */
    if (dx_websocket_state(websocket) == DX_CONNECTING && websocket->connector == NULL &&
        !websocket->fails_later && !atomic_load(&websocket->is_freed)) {
        enum dx_err err = DX_ERR_CLOSED;

        if (goes_on)
            err = url == NULL ? DX_OK : read_url(websocket, url);
        if (err == DX_OK)
            err = connect_now(websocket);
        if (err != DX_OK)
            dx_websocket_fail_later(websocket, DX_STEP_CLOSED, err,
                                    goes_on ? "the next attempt's URL cannot be used"
                                            : "no further attempt is wanted");
    }
    dx_websocket_drop(websocket);
}

static void on_due(struct dx_timer *timer)
{
    struct dx_websocket *websocket =
        (struct dx_websocket *)(void *)((char *)timer - offsetof(struct dx_websocket, timer));

    if (websocket->connection != NULL)
        dx_websocket_beat(websocket);
    else
        try_again(websocket);
}

static void on_task(struct dx_turn_task *task)
{
    struct dx_websocket *websocket =
        (struct dx_websocket *)(void *)((char *)task - offsetof(struct dx_websocket, task));

    dx_websocket_end_turn(websocket);
    if (websocket->fails_later && websocket->is_alive) {
        websocket->fails_later = false;
        fail(websocket, &websocket->late_error);
    }
    dx_websocket_drop(websocket); /* the queue's reference */
}

/* ---- new and free ---- */

static void init(struct dx_websocket *websocket, struct dx_loop *loop)
{
    const struct dx_websocket_options *options = &websocket->settings.options;

    websocket->loop = loop;
    websocket->protocol = "";
    websocket->task.run = on_task;
    dx_timer_init(&websocket->timer, on_due);
    dx_outbox_init(&websocket->outbox, &options->outbox);
    dx_connection_kind_init(&websocket->kind, DX_ROLE_CLIENT, &options->connection);
    websocket->kind.endpoint.random_context = loop;
    if (options->heartbeat_text != NULL)
        websocket->kind.options.ping_interval_ms = 0;
    atomic_init(&websocket->references, 1);
    atomic_init(&websocket->state, DX_CONNECTING);
}

enum dx_err dx_websocket_new(struct dx_loop *loop, const char *url,
                             const struct dx_websocket_options *options,
                             struct dx_websocket **websocket)
{
    struct dx_websocket *made = calloc(1, sizeof(*made));
    enum dx_err err;

    if (made == NULL)
        return DX_ERR_NOMEM;
    err = dx_websocket_settings_init(&made->settings, options);
    if (err != DX_OK) {
        free(made);
        return err;
    }
    init(made, loop);
    err = read_url(made, url);
    if (err == DX_OK && options != NULL)
        err = dx_websocket_add_listener(made, &made->settings.options.listener,
                                        made->settings.options.user);
    if (err == DX_OK)
        err = connect_now(made);
    if (err != DX_OK) {
        dx_websocket_drop(made);
        return err == DX_ERR_TOO_BIG ? DX_ERR_USAGE : err;
    }
    begin_life(made);
    *websocket = made;
    return DX_OK;
}

void dx_websocket_free_here(struct dx_websocket *websocket)
{
    websocket->is_closed_by_user = true;
    websocket->fails_later = false;
    dx_websocket_stop_waiting(websocket);
    if (websocket->connection != NULL) {
        (void)dx_connection_close(websocket->connection, DX_CLOSE_NO_STATUS, "", 0);
    } else {
        dx_connector_cancel(websocket->connector);
        websocket->connector = NULL;
        dx_websocket_set_state(websocket, DX_CLOSED);
        end_life(websocket);
    }
    dx_websocket_drop(websocket);
}

void dx_websocket_free(struct dx_websocket *websocket)
{
    struct dx_websocket_call call = {.kind = DX_CALL_FREE};

    if (websocket == NULL)
        return;
    atomic_store(&websocket->is_freed, true);
    if (dx_loop_is_here(websocket->loop))
        dx_websocket_free_here(websocket);
    else if (dx_websocket_post(websocket, &call, NULL, 0) != DX_OK)
        dx_websocket_drop(websocket); /* it goes on alone until its peer ends it */
}

/* ---- attributes ---- */

enum dx_ready_state dx_websocket_ready_state(const struct dx_websocket *websocket)
{
    return dx_websocket_state(websocket);
}

const char *dx_websocket_url(const struct dx_websocket *websocket)
{
    return websocket->url;
}

const char *dx_websocket_protocol(const struct dx_websocket *websocket)
{
    return websocket->protocol;
}

const char *dx_websocket_extensions(const struct dx_websocket *websocket)
{
    (void)websocket;
    return ""; /* none is offered, so none is agreed */
}

const char *dx_websocket_response_header_at(const struct dx_websocket *websocket, size_t index,
                                            const char **value)
{
    const char *at = websocket->headers;
    const char *end = at + websocket->headers_len;

    for (; at < end; index--) {
        const char *found = at + strlen(at) + 1;

        if (index == 0) {
            *value = found;
            return at;
        }
        at = found + strlen(found) + 1;
    }
    return NULL;
}

const char *dx_websocket_response_header(const struct dx_websocket *websocket, const char *name)
{
    const char *at = websocket->headers;
    const char *end = at + websocket->headers_len;

    while (at < end) {
        const char *value = at + strlen(at) + 1;

        if (dx_text_is_nocase(dx_slice_of(at), name))
            return value;
        at = value + strlen(value) + 1;
    }
    return NULL;
}

bool dx_websocket_tls(const struct dx_websocket *websocket, struct dx_tls_facts *facts)
{
    return websocket->connection != NULL && dx_connection_tls(websocket->connection, facts);
}

void dx_websocket_outbox(const struct dx_websocket *websocket, size_t *count,
                         size_t *unproven_count)
{
    *count = websocket->outbox.count;
    *unproven_count = websocket->outbox.sent_count;
}

struct dx_loop *dx_websocket_loop(const struct dx_websocket *websocket)
{
    return websocket->loop;
}
