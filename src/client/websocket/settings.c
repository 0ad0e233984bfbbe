/*
 * settings.c - see settings.h.
 */
#include "client/websocket/settings.h"

#include "base/sized.h"
#include "base/text.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define HEADERS_MAX 64
#define PROTOCOLS_MAX 64
#define SPARE_HEADERS 2 /* User-Agent, and what the URL says of Authorization */

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
                     const char **protocols, struct dx_header *headers)
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
    size_t headers_len = (options->header_count + SPARE_HEADERS) * sizeof(struct dx_header);
    struct dx_websocket_options counted = *options;
    const char *protocols[PROTOCOLS_MAX];
    struct dx_header headers[HEADERS_MAX];
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
    settings->headers = (struct dx_header *)(void *)settings->memory;
    if (options->header_count > 0)
        memcpy(settings->headers, headers, options->header_count * sizeof(headers[0]));
    if (options->user_agent != NULL)
        settings->headers[options->header_count++] =
            (struct dx_header){"User-Agent", options->user_agent};
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

static bool are_valid(const struct dx_websocket_settings *settings)
{
    const struct dx_websocket_options *options = &settings->options;
    const struct dx_reconnect_options *reconnect = &settings->reconnect;

    if (options->protocol_count > PROTOCOLS_MAX ||
        options->header_count > HEADERS_MAX - SPARE_HEADERS || !are_protocols(options))
        return false;
    if ((options->heartbeat_text == NULL) != (options->heartbeat_answer == NULL))
        return false;
    if (options->reconnect != NULL &&
        (reconnect->first_delay_ms == 0 || reconnect->first_delay_ms > reconnect->max_delay_ms))
        return false;
    return options->outbox == NULL || options->reconnect != NULL;
}

/* The options and each struct that they point to. */
static enum dx_err take(struct dx_websocket_settings *settings,
                        const struct dx_websocket_options *given)
{
    struct dx_websocket_options *options = &settings->options;
    enum dx_err err = DX_SIZED_COPY(struct dx_websocket_options, user, options, given);

    if (err == DX_OK)
        err = DX_SIZED_COPY(struct dx_connection_options, max_queue, &settings->connection,
                            options->connection);
    if (err == DX_OK)
        err = DX_SIZED_COPY(struct dx_reconnect_options, user, &settings->reconnect,
                            options->reconnect);
    if (err == DX_OK)
        err =
            DX_SIZED_COPY(struct dx_outbox_options, max_count, &settings->outbox, options->outbox);
    if (err == DX_OK)
        err = DX_SIZED_COPY(struct dx_websocket_listener, on_request, &settings->listener,
                            options->listener);
    return err;
}

/* Nothing of the caller's is referred to any more; what is NULL stays so. */
static void point_to_copies(struct dx_websocket_settings *settings)
{
    struct dx_websocket_options *options = &settings->options;

    options->connection = &settings->connection;
    options->reconnect = options->reconnect != NULL ? &settings->reconnect : NULL;
    options->outbox = options->outbox != NULL ? &settings->outbox : NULL;
    options->listener = options->listener != NULL ? &settings->listener : NULL;
}

enum dx_err dx_websocket_settings_init(struct dx_websocket_settings *settings,
                                       const struct dx_websocket_options *options)
{
    struct dx_websocket_settings made = {.options = dx_websocket_options_init(),
                                         .connection = dx_connection_options_init_client(),
                                         .reconnect = dx_reconnect_options_init(),
                                         .outbox = dx_outbox_options_init(),
                                         .listener = dx_websocket_listener_init()};
    const char *detail;
    enum dx_err err = take(&made, options);

    if (err != DX_OK)
        return err;
    if (!are_valid(&made))
        return DX_ERR_USAGE;
    if (made.options.proxy != NULL &&
        dx_proxy_parse(made.options.proxy, &made.proxy, &detail) != DX_OK)
        return DX_ERR_USAGE;
    err = copy(&made);
    if (err != DX_OK)
        return err;
    *settings = made;
    point_to_copies(settings);
    return DX_OK;
}

void dx_websocket_settings_release(struct dx_websocket_settings *settings)
{
    free(settings->memory);
    settings->memory = NULL;
}
