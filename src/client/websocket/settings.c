/*
 * settings.c - see settings.h.
 */
#include "client/websocket/settings.h"

#include "base/text.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define HEADERS_MAX 64
#define PROTOCOLS_MAX 64
#define SPARE_HEADERS 2 /* User-Agent, and what the URL says of Authorization */

struct dx_websocket_options dx_websocket_options_init(void)
{
    struct dx_websocket_options options = {.size = sizeof(options),
                                           .connect_timeout_ms = 10000,
                                           .connection = dx_connection_options_init()};

    options.connection.max_message = 16777216;
    options.connection.max_queue = 16777216;
    options.reconnect.first_delay_ms = 5000;
    options.reconnect.max_delay_ms = 30000;
    options.reconnect.stable_ms = 5000;
    options.outbox.max_len = 16777216;
    options.outbox.max_count = 100000;
    return options;
}

/* ---- copying ---- */

/* Where texts go: without memory yet, it only counts. */
struct arena {
    char *at;
    size_t len;
};

static void copy_text(struct arena *arena, const char **text)
{
    size_t len;

    if (*text == NULL)
        return;
    len = strlen(*text) + 1;
    arena->len += len;
    if (arena->at == NULL)
        return;
    memcpy(arena->at, *text, len);
    *text = arena->at;
    arena->at += len;
}

/* All texts of the options, the lists' tables excepted. */
static void copy_all(struct arena *arena, struct dx_websocket_options *options,
                     const char **protocols, struct dx_handshake_header *headers)
{
    const char **texts[] = {&options->base_url,         &options->origin,  &options->user_agent,
                            &options->unix_path,        &options->proxy,   &options->heartbeat_text,
                            &options->heartbeat_answer, &options->greeting};

    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        copy_text(arena, texts[i]);
    for (size_t i = 0; i < options->protocol_count; i++)
        copy_text(arena, &protocols[i]);
    for (size_t i = 0; i < options->header_count; i++) {
        copy_text(arena, &headers[i].name);
        copy_text(arena, &headers[i].value);
    }
}

static enum dx_err copy(struct dx_websocket_settings *settings)
{
    struct dx_websocket_options *options = &settings->options;
    size_t protocols_len = options->protocol_count * sizeof(char *);
    size_t headers_len =
        (options->header_count + SPARE_HEADERS) * sizeof(struct dx_handshake_header);
    struct dx_websocket_options counted = *options;
    const char *protocols[PROTOCOLS_MAX];
    struct dx_handshake_header headers[HEADERS_MAX];
    struct arena arena = {NULL, 0};

    if (options->protocol_count > 0)
        memcpy(protocols, options->protocols, protocols_len);
    if (options->header_count > 0)
        memcpy(headers, options->headers, options->header_count * sizeof(headers[0]));
    copy_all(&arena, &counted, protocols, headers);
    settings->memory = malloc(headers_len + protocols_len + arena.len);
    if (settings->memory == NULL)
        return DX_ERR_NOMEM;
    arena.at = settings->memory + headers_len + protocols_len;
    copy_all(&arena, options, protocols, headers);
    settings->headers = (struct dx_handshake_header *)(void *)settings->memory;
    if (options->header_count > 0)
        memcpy(settings->headers, headers, options->header_count * sizeof(headers[0]));
    if (options->user_agent != NULL)
        settings->headers[options->header_count++] =
            (struct dx_handshake_header){"User-Agent", options->user_agent};
    options->headers = settings->headers;
    if (options->protocol_count > 0)
        memcpy(settings->memory + headers_len, protocols, protocols_len);
    options->protocols = (const char *const *)(void *)(settings->memory + headers_len);
    return DX_OK;
}

/* ---- checking ---- */

/* Tokens, each once; case does not tell two of them apart for a browser. */
static bool are_protocols(const struct dx_websocket_options *options)
{
    for (size_t i = 0; i < options->protocol_count; i++) {
        if (options->protocols[i] == NULL || !dx_text_is_token(dx_slice_of(options->protocols[i])))
            return false;
        for (size_t j = 0; j < i; j++)
            if (strcasecmp(options->protocols[i], options->protocols[j]) == 0)
                return false;
    }
    return true;
}

static bool are_valid(const struct dx_websocket_options *options)
{
    const struct dx_reconnect_options *reconnect = &options->reconnect;

    if (options->protocol_count > PROTOCOLS_MAX ||
        options->header_count > HEADERS_MAX - SPARE_HEADERS || !are_protocols(options))
        return false;
    if ((options->heartbeat_text == NULL) != (options->heartbeat_answer == NULL))
        return false;
    if (reconnect->is_on &&
        (reconnect->first_delay_ms == 0 || reconnect->first_delay_ms > reconnect->max_delay_ms))
        return false;
    return !options->outbox.is_on || reconnect->is_on;
}

enum dx_err dx_websocket_settings_init(struct dx_websocket_settings *settings,
                                       const struct dx_websocket_options *options)
{
    struct dx_websocket_settings made = {.options = dx_websocket_options_init()};
    const char *detail;
    enum dx_err err;

    if (options != NULL) {
        if (options->size == 0 || options->size > sizeof(made.options))
            return DX_ERR_USAGE;
        memcpy(&made.options, options, options->size);
        made.options.size = sizeof(made.options);
    }
    if (!are_valid(&made.options))
        return DX_ERR_USAGE;
    if (made.options.proxy != NULL &&
        dx_proxy_parse(made.options.proxy, &made.proxy, &detail) != DX_OK)
        return DX_ERR_USAGE;
    err = copy(&made);
    if (err == DX_OK)
        *settings = made;
    return err;
}

void dx_websocket_settings_release(struct dx_websocket_settings *settings)
{
    free(settings->memory);
    settings->memory = NULL;
}
