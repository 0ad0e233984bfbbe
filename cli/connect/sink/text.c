/*
 * text.c - events for people and pipes (sink.h): messages on stdout, all else by the screen.
 *
 * The peer's bytes are escaped wherever a terminal may get them: controls are shown as text.
 */
#include "cli/connect/sink/sink.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/container.h"
#include "cli/options/complaint.h"
#include "cli/text/codec.h"
#include "cli/text/json_pretty.h"

#define HEX_SHOWN 512 /* bytes of a binary message on a terminal */

struct text {
    struct cli_sink sink;
    struct cli_sink_setup setup;
};

static const struct cli_sink_setup *setup_of(struct cli_sink *sink)
{
    return &dx_container_of(sink, struct text, sink)->setup;
}

/* ---- messages ---- */

static void put_binary(struct cli_buffer *to, const uint8_t *data, size_t len)
{
    size_t shown = len < HEX_SHOWN ? len : HEX_SHOWN;

    cli_buffer_printf(to, "binary, %zu byte%s:", len, len == 1 ? "" : "s");
    for (size_t i = 0; i < shown; i++)
        cli_buffer_printf(to, "%s%02x", i % 32 == 0 ? "\n  " : " ", data[i]);
    if (shown < len)
        cli_buffer_put_text(to, "\n  ...");
}

static void put_for_terminal(const struct cli_screen *screen, struct cli_buffer *to,
                             enum dx_opcode opcode, const void *data, size_t len)
{
    if (screen->print)
        cli_buffer_put_text(to, screen->has_colours ? CLI_THEIRS "< " CLI_PLAIN : "< ");
    if (opcode == DX_OP_BINARY)
        put_binary(to, data, len);
    else if (!cli_json_pretty(to, data, len, screen->has_colours))
        cli_screen_escape(to, data, len, true);
    cli_buffer_put(to, "\n", 1);
}

static void put_plainly(const struct cli_connect_config *config, struct cli_buffer *to,
                        enum dx_opcode opcode, const void *data, size_t len)
{
    if (opcode == DX_OP_BINARY && config->form == CLI_FORM_HEX)
        cli_hex_encode(to, data, len);
    else if (opcode == DX_OP_BINARY && config->form == CLI_FORM_BASE64)
        cli_base64_encode(to, data, len);
    else
        cli_buffer_put(to, data, len);
    if (config->form != CLI_FORM_BINARY)
        cli_buffer_put(to, config->ends_with_null ? "" : "\n", 1);
}

static bool on_message(struct cli_sink *sink, bool is_ours, enum dx_opcode opcode, const void *data,
                       size_t len)
{
    const struct cli_sink_setup *setup = setup_of(sink);
    const struct cli_connect_config *config = setup->config;
    const struct cli_screen *screen = setup->screen;
    bool has_form =
        opcode == DX_OP_BINARY && (config->form == CLI_FORM_HEX || config->form == CLI_FORM_BASE64);
    struct cli_buffer line = {0};
    struct cli_buffer *to = screen->print ? &line : &setup->output->waiting;

    if (is_ours)
        return true;
    if (screen->is_terminal && !has_form)
        put_for_terminal(screen, to, opcode, data, len);
    else
        put_plainly(config, to, opcode, data, len);
    if (screen->print)
        cli_screen_print(screen, cli_buffer_text(&line), cli_buffer_len(&line));
    else
        cli_output_commit(setup->output);
    cli_buffer_release(&line);
    return true;
}

/* ---- the opening ---- */

static void put_header(const struct cli_screen *screen, const char *mark, const char *name,
                       size_t name_len, const char *value, size_t value_len)
{
    struct cli_buffer line = {0};
    bool is_secret = (name_len == 13 && strncasecmp(name, "Authorization", 13) == 0) ||
                     (name_len == 6 && strncasecmp(name, "Cookie", 6) == 0);

    cli_buffer_put(&line, name, name_len);
    cli_buffer_put(&line, ": ", 2);
    if (is_secret)
        cli_buffer_put_text(&line, "(not shown)");
    else
        cli_buffer_put(&line, value, value_len);
    cli_screen_line(screen, CLI_DIM, mark, cli_buffer_text(&line), cli_buffer_len(&line));
    cli_buffer_release(&line);
}

static void on_request(struct cli_sink *sink, const char *head, size_t len)
{
    const struct cli_screen *screen = setup_of(sink)->screen;
    const char *end = head + len;

    if (!screen->is_verbose)
        return;
    while (head < end) {
        const char *stop = memchr(head, '\r', (size_t)(end - head));
        size_t line_len = stop ? (size_t)(stop - head) : (size_t)(end - head);
        const char *colon = memchr(head, ':', line_len);

        /* The request line may have a colon, too, but a blank before it. */
        if (line_len == 0)
            break;
        if (colon && !memchr(head, ' ', (size_t)(colon - head)))
            put_header(screen, "> ", head, (size_t)(colon - head), colon + 2,
                       line_len - (size_t)(colon - head) - 2);
        else
            cli_screen_line(screen, CLI_DIM, "> ", head, line_len);
        head += line_len + 2;
    }
}

static void show_tls(const struct cli_screen *screen, struct dx_websocket *websocket)
{
    struct dx_tls_facts facts = dx_tls_facts_init();

    if (dx_websocket_tls(websocket, &facts))
        cli_screen_note(screen, "%s, %s%s%s", facts.version, facts.cipher, facts.alpn ? ", " : "",
                        facts.alpn ? facts.alpn : "");
}

static void show_answer(const struct cli_screen *screen, struct dx_websocket *websocket)
{
    static const char status[] = "HTTP/1.1 101 Switching Protocols";
    const char *value = "";
    const char *name;

    show_tls(screen, websocket);
    cli_screen_line(screen, CLI_DIM, "< ", status, strlen(status));
    for (size_t i = 0; (name = dx_websocket_response_header_at(websocket, i, &value)); i++)
        put_header(screen, "< ", name, strlen(name), value, strlen(value));
}

static void on_open(struct cli_sink *sink, const struct cli_opening *opening)
{
    const struct cli_screen *screen = setup_of(sink)->screen;
    struct dx_websocket *websocket = opening->websocket;
    const char *protocol;

    if (!websocket) {
        cli_screen_note(screen, "%s has connected to %s", opening->address, opening->target);
        return;
    }
    if (screen->is_verbose)
        show_answer(screen, websocket);
    protocol = dx_websocket_protocol(websocket);
    cli_screen_note(screen, "connected to %s%s%s", dx_websocket_url(websocket),
                    *protocol ? ", subprotocol " : "", protocol);
}

/* ---- ping, pong and the ends ---- */

static void on_control(struct cli_sink *sink, bool is_ping, const uint8_t *data, size_t len,
                       uint64_t rtt_ns)
{
    char time[64] = "";

    if (rtt_ns > 0)
        snprintf(time, sizeof(time), " after %.1f ms", (double)rtt_ns / 1e6);
    cli_screen_note(setup_of(sink)->screen, "%s%s%s%.*s", is_ping ? "ping" : "pong", time,
                    len > 0 ? ": " : "", (int)len, (const char *)data);
}

static void show_refusal(const struct cli_screen *screen, const struct dx_error_event *error)
{
    const char *body = (const char *)error->body;
    struct cli_buffer text = {0};
    char line[64];
    int len = snprintf(line, sizeof(line), "HTTP/1.1 %u", (unsigned)error->http_status);

    cli_screen_line(screen, CLI_DIM, "< ", line, (size_t)len);
    for (size_t i = 0; i < error->header_count; i++)
        put_header(screen, "< ", error->headers[i].name, strlen(error->headers[i].name),
                   error->headers[i].value, strlen(error->headers[i].value));
    if (error->body_len == 0)
        return;
    cli_screen_escape(&text, body, error->body_len, true);
    if (body[error->body_len - 1] != '\n')
        cli_buffer_put(&text, "\n", 1);
    cli_screen_print(screen, cli_buffer_text(&text), cli_buffer_len(&text));
    cli_buffer_release(&text);
}

static void on_error(struct cli_sink *sink, const struct dx_error_event *error)
{
    const struct cli_screen *screen = setup_of(sink)->screen;

    if (screen->is_verbose && error->step == DX_STEP_UPGRADE)
        show_refusal(screen, error);
}

static void on_close(struct cli_sink *sink, const struct dx_close_event *close)
{
    const struct cli_screen *screen = setup_of(sink)->screen;

    if (close->was_clean)
        cli_screen_note(screen, "closed with %u%s%.*s", (unsigned)close->code,
                        close->reason_len > 0 ? " "
                        : close->code == 1005 ? " (no code)"
                                              : "",
                        (int)close->reason_len, close->reason);
    if (close->will_reconnect)
        cli_screen_note(screen, "connecting again in %.1f s", (double)close->delay_ms / 1000);
}

/* ---- life ---- */

static void free_it(struct cli_sink *sink)
{
    free(dx_container_of(sink, struct text, sink));
}

int cli_sink_text(const struct cli_sink_setup *setup, struct cli_sink **sink)
{
    struct text *text = calloc(1, sizeof(*text));

    if (!text)
        return cli_screen_complain(setup->screen, CLI_EXIT_RESOURCE, "stdout", "out of memory");
    text->sink = (struct cli_sink){.open = on_open,
                                   .request = on_request,
                                   .message = on_message,
                                   .control = on_control,
                                   .error = on_error,
                                   .close = on_close,
                                   .free = free_it};
    text->setup = *setup;
    *sink = &text->sink;
    return 0;
}
