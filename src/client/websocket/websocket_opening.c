/*
 * websocket_opening.c - how a websocket opens, and tries again (WHATWG WebSockets section 3).
 *
 * An attempt fails in one way: by an error and a close event, never before its caller has returned.
 */
#include "client/websocket/websocket_parts.h"

#include "client/connector/ports.h"
#include <duplex/tls_client.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

static const char bad_url[] = "the next attempt's URL cannot be used";

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
    websocket->protocol = opening->subprotocol != NULL ? opening->subprotocol : "";
    dx_beat_start(&websocket->beat, dx_loop_now_ms(websocket->loop));
    dx_websocket_set_error(websocket, NULL);
    dx_amount_begin_queue(&websocket->amount);
    dx_websocket_set_life(websocket, DX_LIFE_OPEN);
    if (websocket->is_paused)
        dx_connection_pause(websocket->connection);
    dx_websocket_enter(websocket);
    dx_websocket_send_first(websocket);
    dx_websocket_set_beat(websocket);
    dx_websocket_tell_open(websocket);
    dx_websocket_leave(websocket);
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
    dx_sibling_give_turn(&websocket->sibling);
    if (opening->error != NULL) {
        fail(websocket, opening->error);
        return;
    }
    if (lacks_protocol(websocket, opening)) {
        error.detail = "the server accepts none of the offered subprotocols";
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
    if (!websocket->target.parsed.is_secure && !has_secure_proxy && options->max_redirects == 0)
        return DX_OK;
    return dx_tls_client_new(NULL, &websocket->own_tls, why, why_len);
}

/* The options' headers and what the URL says; settings have room for one more. */
static size_t add_login(struct dx_websocket *websocket)
{
    const struct dx_websocket_options *options = &websocket->settings.options;

    if (websocket->target.authorization == NULL)
        return options->header_count;
    websocket->settings.headers[options->header_count] =
        (struct dx_header){"Authorization", websocket->target.authorization};
    return options->header_count + 1;
}

static struct dx_connector_options connector_options(struct dx_websocket *websocket)
{
    const struct dx_websocket_options *options = &websocket->settings.options;

    return (struct dx_connector_options){
        .loop = websocket->loop,
        .url = websocket->target.url,
        .unix_path = options->unix_path,
        .proxy = options->proxy != NULL ? &websocket->settings.proxy : NULL,
        .tls = options->tls != NULL ? options->tls : websocket->own_tls,
        .family = AF_UNSPEC,
        .request = {.origin = options->origin,
                    .subprotocols = options->protocols,
                    .subprotocol_count = options->protocol_count,
                    .headers = options->headers,
                    .header_count = add_login(websocket)},
        .timeout_ms = options->connect_timeout_ms,
        .max_redirects = options->max_redirects,
        .on_request = dx_websocket_tell_request};
}

enum dx_err dx_websocket_check(struct dx_websocket *websocket)
{
    struct dx_connector_options options = connector_options(websocket);

    return dx_connector_check(&options);
}

void dx_websocket_connect_in_turn(struct dx_websocket *websocket)
{
    struct dx_connector_options options = connector_options(websocket);
    enum dx_err err = dx_connector_start(&options, on_done, websocket, &websocket->connector);

    if (err == DX_ERR_USAGE) /* the first one was checked */
        dx_websocket_fail_later(websocket, DX_STEP_CLOSED, err, bad_url);
    else if (err != DX_OK)
        dx_websocket_fail_later(websocket, DX_STEP_CONNECT, err, NULL);
}

void dx_websocket_connect(struct dx_websocket *websocket)
{
    bool is_strict = websocket->settings.options.strict_browser;
    char why[256] = "";
    enum dx_err err = DX_OK;

    if (is_strict && dx_port_is_blocked(websocket->target.parsed.port)) {
        dx_websocket_fail_later(websocket, DX_STEP_CONNECT, DX_ERR_ACCESS,
                                "browsers block this port");
        return;
    }
    err = find_tls(websocket, why, sizeof(why));
    if (err != DX_OK)
        dx_websocket_fail_later(websocket, DX_STEP_TLS, err, why);
    else if (!is_strict ||
             dx_sibling_take_turn(&websocket->sibling, websocket->target.parsed.host.text))
        dx_websocket_connect_in_turn(websocket);
}

/* ---- trying again ---- */

/* Asks the user's hook, if there is one. False: no attempt follows, and why is reported. */
static bool wants_attempt(struct dx_websocket *websocket, const char **url)
{
    const struct dx_reconnect_options *reconnect = &websocket->settings.reconnect;

    *url = NULL;
    if (reconnect->on_attempt == NULL ||
        reconnect->on_attempt(websocket, websocket->attempt, url, reconnect->user))
        return true;
    /* The hook may have closed or freed it. */
    if (dx_websocket_life(websocket) == DX_LIFE_CONNECTING)
        dx_websocket_fail_later(websocket, DX_STEP_CLOSED, DX_ERR_CLOSED,
                                "on_attempt ended reconnecting");
    return false;
}

static void begin_attempt(struct dx_websocket *websocket, const char *url)
{
    enum dx_err err = DX_OK;

    if (url != NULL)
        err =
            dx_websocket_target_read(&websocket->target, websocket->settings.options.base_url, url);
    if (err == DX_OK)
        dx_websocket_connect(websocket);
    else if (err == DX_ERR_USAGE)
        dx_websocket_fail_later(websocket, DX_STEP_CLOSED, err, bad_url);
    else
        dx_websocket_fail_later(websocket, DX_STEP_CONNECT, err, NULL);
}

void dx_websocket_try_again(struct dx_websocket *websocket)
{
    const char *url;

    dx_websocket_set_life(websocket, DX_LIFE_CONNECTING);
    dx_websocket_enter(websocket);
    if (wants_attempt(websocket, &url) && dx_websocket_life(websocket) == DX_LIFE_CONNECTING)
        begin_attempt(websocket, url);
    dx_websocket_leave(websocket);
}
