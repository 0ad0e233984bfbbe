/*
 * websocket_opening.c - how a websocket opens, how that or the connection ends, and trying again (WHATWG WebSockets section 3).
 */
#include "client/websocket/websocket_parts.h"

#include "base/base64.h"
#include "client/websocket/backoff.h"
#include "client/connector/ports.h"
#include "http/url/url_join.h"
#include <duplex/tls_client.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

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

void dx_websocket_fail_now(struct dx_websocket *websocket)
{
    struct dx_close_event close = {.code = DX_CLOSE_ABNORMAL, .reason = ""};

    if (!websocket->fails_later || !websocket->is_alive)
        return;
    websocket->fails_later = false;
    dx_websocket_end(websocket, &websocket->late_error, &close);
}

void dx_websocket_stop_waiting(struct dx_websocket *websocket)
{
    if (websocket->connection != NULL || !dx_timer_is_set(&websocket->timer))
        return;
    dx_wheel_unset(dx_loop_wheel(websocket->loop), &websocket->timer);
    dx_websocket_end_life(websocket);
}

static bool will_try_again(struct dx_websocket *websocket, const struct dx_error_event *error,
                           const struct dx_close_event *close)
{
    const struct dx_reconnect_options *reconnect = &websocket->settings.reconnect;

    if (websocket->settings.options.reconnect == NULL || websocket->is_closed_by_user ||
        dx_websocket_is_freed(websocket))
        return false;
    if (reconnect->max_attempts > 0 && websocket->attempt >= reconnect->max_attempts)
        return false;
    return dx_backoff_is_worth_it(error, close);
}

static uint32_t draw(struct dx_websocket *websocket)
{
    uint32_t random = UINT32_MAX / 2;

    (void)dx_loop_fill_random((uint8_t *)&random, sizeof(random), websocket->loop);
    return random;
}

/* Sets the timer of the next attempt, if there is to be one. */
static void plan(struct dx_websocket *websocket, const struct dx_error_event *error,
                 struct dx_close_event *close)
{
    const struct dx_reconnect_options *reconnect = &websocket->settings.reconnect;
    uint64_t now_ms = dx_loop_now_ms(websocket->loop);

    if (websocket->opened_ms > 0 && now_ms - websocket->opened_ms >= reconnect->stable_ms)
        websocket->attempt = 0;
    websocket->opened_ms = 0;
    dx_wheel_unset(dx_loop_wheel(websocket->loop), &websocket->timer);
    close->will_reconnect = will_try_again(websocket, error, close);
    if (!close->will_reconnect)
        return;
    close->delay_ms = dx_backoff_delay(reconnect, ++websocket->attempt, draw(websocket));
    dx_wheel_set(dx_loop_wheel(websocket->loop), &websocket->timer, now_ms + close->delay_ms);
}

void dx_websocket_note_error(struct dx_websocket *websocket, const struct dx_error_event *error)
{
    free(websocket->last_detail);
    websocket->last_detail = NULL;
    websocket->last_error = NULL;
    if (error == NULL)
        return;
    websocket->last_detail = error->detail != NULL ? strdup(error->detail) : NULL;
    websocket->last_error =
        websocket->last_detail != NULL ? websocket->last_detail : dx_err_text(error->err);
}

void dx_websocket_end(struct dx_websocket *websocket, const struct dx_error_event *error,
                      struct dx_close_event *close)
{
    dx_websocket_keep(websocket);
    dx_websocket_set_state(websocket, DX_READY_STATE_CLOSED);
    dx_outbox_rewind(&websocket->outbox);
    websocket->barrier = 0;
    websocket->closes_later = false;
    plan(websocket, error, close);
    dx_mailbox_run(&websocket->mailbox, false);
    dx_websocket_refresh_amount(websocket);
    dx_websocket_note_error(websocket, error);
    if (error != NULL)
        dx_websocket_tell_error(websocket, error);
    /* Who heard the error may have closed or freed it. */
    if (!dx_timer_is_set(&websocket->timer)) {
        close->will_reconnect = false;
        close->delay_ms = 0;
    }
    dx_websocket_tell_close(websocket, close);
    if (!dx_timer_is_set(&websocket->timer))
        dx_websocket_end_life(websocket);
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
    websocket->protocol = opening->subprotocol != NULL ? opening->subprotocol : "";
    dx_beat_start(&websocket->beat, dx_loop_now_ms(websocket->loop));
    dx_websocket_note_error(websocket, NULL);
    dx_amount_begin_queue(&websocket->amount);
    dx_websocket_set_state(websocket, DX_READY_STATE_OPEN);
    if (websocket->is_paused)
        dx_connection_pause(websocket->connection);
    dx_websocket_keep(websocket);
    dx_websocket_send_first(websocket);
    dx_websocket_set_beat(websocket);
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
    dx_websocket_give_turn(websocket);
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

/* The options' headers and what the URL says; settings have room for one more behind them. */
static size_t add_login(struct dx_websocket *websocket)
{
    const struct dx_websocket_options *options = &websocket->settings.options;

    if (websocket->authorization == NULL)
        return options->header_count;
    websocket->settings.headers[options->header_count] =
        (struct dx_header){"Authorization", websocket->authorization};
    return options->header_count + 1;
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
                    .header_count = add_login(websocket)},
        .timeout_ms = options->connect_timeout_ms,
        .max_redirects = options->max_redirects,
        .on_request = dx_websocket_tell_request};

    return dx_connector_start(&connector, on_done, websocket, &websocket->connector);
}

/* The request is checked even where it has to wait: a connector does nothing before the turn's end. */
static enum dx_err start_in_turn(struct dx_websocket *websocket)
{
    enum dx_err err = start_connector(websocket);

    if (err != DX_OK || dx_websocket_take_turn(websocket))
        return err;
    dx_connector_cancel(websocket->connector);
    websocket->connector = NULL;
    return DX_OK;
}

enum dx_err dx_websocket_connect(struct dx_websocket *websocket)
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
        return start_in_turn(websocket);
    dx_websocket_fail_later(websocket, DX_STEP_TLS, err, why);
    return DX_OK;
}

void dx_websocket_connect_in_turn(struct dx_websocket *websocket)
{
    enum dx_err err = dx_websocket_connect(websocket);

    if (err != DX_OK)
        dx_websocket_fail_later(websocket, DX_STEP_CONNECT, err, NULL);
}

void dx_websocket_stop_connecting(struct dx_websocket *websocket)
{
    dx_connector_cancel(websocket->connector);
    websocket->connector = NULL;
    dx_websocket_give_turn(websocket);
}

/* ---- the URL ---- */

/* "Basic …"; NULL without memory. */
static char *write_login(const char *login, size_t len)
{
    static const char scheme[] = "Basic ";
    size_t encoded_len = (len + 2) / 3 * 4;
    char *text = malloc(sizeof(scheme) + encoded_len);

    if (text == NULL)
        return NULL;
    memcpy(text, scheme, sizeof(scheme) - 1);
    dx_base64_encode(login, len, text + sizeof(scheme) - 1);
    text[sizeof(scheme) - 1 + encoded_len] = '\0';
    return text;
}

static void clear_text(char **text)
{
    if (*text != NULL)
        explicit_bzero(*text, strlen(*text));
    free(*text);
    *text = NULL;
}

/* Takes over what was read; `normal` has ws or wss. */
static enum dx_err take_url(struct dx_websocket *websocket, const struct dx_url *parsed,
                            const char *normal, const struct dx_url_login *login)
{
    char *url = strdup(normal);
    char *authorization = login->len > 0 ? write_login(login->text, login->len) : NULL;

    if (url == NULL || (login->len > 0 && authorization == NULL)) {
        free(url);
        clear_text(&authorization);
        return DX_ERR_NOMEM;
    }
    dx_websocket_forget_url(websocket);
    websocket->parsed = *parsed;
    websocket->url = url;
    websocket->authorization = authorization;
    return DX_OK;
}

void dx_websocket_forget_url(struct dx_websocket *websocket)
{
    free(websocket->url);
    websocket->url = NULL;
    clear_text(&websocket->authorization);
}

static enum dx_err join(const char *base, const char **text, char joined[DX_URL_MAX + 1])
{
    char normal[DX_URL_MAX + 1];
    struct dx_url parsed;
    const char *detail;

    if (base == NULL)
        return DX_OK;
    if (dx_url_parse(dx_slice_of(base), &parsed, normal, &detail) != DX_OK ||
        !dx_url_join(&parsed, normal, dx_slice_of(*text), joined, DX_URL_MAX + 1))
        return DX_ERR_USAGE;
    *text = joined;
    return DX_OK;
}

enum dx_err dx_websocket_read_url(struct dx_websocket *websocket, const char *text)
{
    char joined[DX_URL_MAX + 1], normal[DX_URL_MAX + 1], again[DX_URL_MAX + 1];
    struct dx_url_login login, none;
    struct dx_url parsed;
    const char *detail;
    enum dx_err err = join(websocket->settings.options.base_url, &text, joined);

    if (err == DX_OK &&
        dx_url_parse_login(dx_slice_of(text), &parsed, normal, &login, &detail) != DX_OK)
        err = DX_ERR_USAGE;
    if (err == DX_OK && !parsed.is_websocket) {
        /* http is ws, https is wss, and the rest stays. */
        memcpy(again, "ws", 2);
        memcpy(again + 2, normal + 4, strlen(normal + 4) + 1);
        if (dx_url_parse_login(dx_slice_of(again), &parsed, normal, &none, &detail) != DX_OK)
            err = DX_ERR_USAGE;
    }
    if (err == DX_OK)
        err = take_url(websocket, &parsed, normal, &login);
    explicit_bzero(joined, sizeof(joined));
    explicit_bzero(&login, sizeof(login));
    return err;
}

/* ---- trying again ---- */

static void begin_attempt(struct dx_websocket *websocket, bool goes_on, const char *url)
{
    enum dx_err err = DX_OK;

    if (!goes_on) {
        dx_websocket_fail_later(websocket, DX_STEP_CLOSED, DX_ERR_CLOSED,
                                "no further attempt is wanted");
        return;
    }
    if (url != NULL)
        err = dx_websocket_read_url(websocket, url);
    if (err == DX_OK)
        err = dx_websocket_connect(websocket);
    if (err == DX_ERR_USAGE)
        dx_websocket_fail_later(websocket, DX_STEP_CLOSED, err,
                                "the next attempt's URL cannot be used");
    else if (err != DX_OK)
        dx_websocket_fail_later(websocket, DX_STEP_CONNECT, err, NULL);
}

void dx_websocket_try_again(struct dx_websocket *websocket)
{
    const struct dx_reconnect_options *reconnect = &websocket->settings.reconnect;
    const char *url = NULL;
    bool goes_on = true;

    dx_websocket_set_state(websocket, DX_READY_STATE_CONNECTING);
    dx_websocket_keep(websocket);
    if (reconnect->on_attempt != NULL && !dx_websocket_is_freed(websocket))
        goes_on = reconnect->on_attempt(websocket, websocket->attempt, &url, reconnect->user);
    /* The hook may have closed or freed it. */
    if (dx_websocket_state(websocket) == DX_READY_STATE_CONNECTING &&
        !dx_websocket_is_freed(websocket))
        begin_attempt(websocket, goes_on, url);
    else if (dx_websocket_is_freed(websocket))
        dx_websocket_free_here(websocket);
    dx_websocket_drop(websocket);
}
