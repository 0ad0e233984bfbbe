/*
 * show.c - see show.h. The peer's bytes are made harmless wherever a terminal may see them: controls are shown, not done.
 */
#include "cli/connect/show.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "base/text.h"
#include "cli/text/codec.h"
#include "cli/text/json_pretty.h"
#include "cli/connect/session.h"
#include "cli/connect/show_json.h"
#include "cli/connect/terminal.h"

#define HEX_SHOWN 512 /* bytes of a binary message on a terminal */

#define DIM "\033[2m"
#define THEIRS "\033[36m"
#define FAULT "\033[31m"
#define PLAIN "\033[0m"

void cli_show_init(struct cli_session *session)
{
    const struct cli_connect_config *config = session->config;
    const char *no_colour = getenv("NO_COLOR");
    const char *terminal = getenv("TERM");
    struct cli_show *show = &session->show;

    show->is_terminal = isatty(STDOUT_FILENO) != 0;
    show->colours = show->is_terminal && !(no_colour && *no_colour) &&
                    !(terminal && strcmp(terminal, "dumb") == 0);
    show->notes = config->is_verbose;
}

/* ---- places ---- */

/* Prints text where people look: above the line that is being typed, or on stderr. */
static void put_for_people(struct cli_session *session, const struct cli_buffer *text)
{
    if (session->terminal)
        cli_terminal_print(session->terminal, cli_buffer_text(text), cli_buffer_len(text));
    else
        (void)!fwrite(cli_buffer_text(text), 1, cli_buffer_len(text), stderr);
}

static void put_safely(struct cli_buffer *to, const char *text, size_t len, bool keeps_lines)
{
    while (len > 0) {
        char shown[DX_TEXT_ESCAPED_CHAR_MAX];
        size_t shown_len;
        size_t taken = 1;

        if (keeps_lines && (*text == '\n' || *text == '\t')) {
            cli_buffer_put(to, text, 1);
        } else {
            taken = dx_text_escape_char(dx_slice_of_len(text, len), shown, &shown_len);
            cli_buffer_put(to, shown, shown_len);
        }
        text += taken;
        len -= taken;
    }
}

static void put_line(struct cli_session *session, const char *colour, const char *mark,
                     const char *text, size_t len)
{
    struct cli_buffer line = {0};
    bool colours = session->show.colours && session->terminal;

    if (colours)
        cli_buffer_put_text(&line, colour);
    cli_buffer_put_text(&line, mark);
    put_safely(&line, text, len, false);
    if (colours)
        cli_buffer_put_text(&line, PLAIN);
    cli_buffer_put(&line, "\n", 1);
    put_for_people(session, &line);
    cli_buffer_release(&line);
}

void cli_show_note(struct cli_session *session, const char *format, ...)
{
    char text[1024];
    va_list args;
    int len;

    if (!session->show.notes || (session->config->prints_json && !session->terminal))
        return;
    va_start(args, format);
    len = vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    if (len > 0)
        put_line(session, DIM, "* ", text,
                 (size_t)len < sizeof(text) ? (size_t)len : sizeof(text) - 1);
}

void cli_show_help(struct cli_session *session, const char *text)
{
    if (session->terminal)
        cli_terminal_print(session->terminal, text, strlen(text));
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

static void put_for_terminal(struct cli_session *session, struct cli_buffer *to,
                             enum dx_opcode opcode, const uint8_t *data, size_t len)
{
    const char *text = (const char *)data;

    if (session->terminal)
        cli_buffer_put_text(to, session->show.colours ? THEIRS "< " PLAIN : "< ");
    if (opcode == DX_OP_BINARY)
        put_binary(to, data, len);
    else if (!cli_json_pretty(to, text, len, session->show.colours))
        put_safely(to, text, len, true);
    cli_buffer_put(to, "\n", 1);
}

static void put_plainly(const struct cli_connect_config *config, struct cli_buffer *to,
                        enum dx_opcode opcode, const uint8_t *data, size_t len)
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

void cli_show_message(struct cli_session *session, enum dx_opcode opcode, const uint8_t *data,
                      size_t len)
{
    const struct cli_connect_config *config = session->config;
    struct cli_buffer *waiting = &session->output.waiting;
    bool has_form = config->form == CLI_FORM_HEX || config->form == CLI_FORM_BASE64;

    if (config->prints_json) {
        cli_show_json_message(session, opcode, data, len);
    } else if (session->terminal) {
        struct cli_buffer text = {0};

        if (opcode == DX_OP_BINARY && has_form)
            put_plainly(config, &text, opcode, data, len);
        else
            put_for_terminal(session, &text, opcode, data, len);
        cli_terminal_print(session->terminal, cli_buffer_text(&text), cli_buffer_len(&text));
        cli_buffer_release(&text);
    } else {
        if (session->show.is_terminal && !(opcode == DX_OP_BINARY && has_form))
            put_for_terminal(session, waiting, opcode, data, len);
        else
            put_plainly(config, waiting, opcode, data, len);
        cli_output_commit(&session->output);
    }
}

/* ---- the opening ---- */

static void put_header(struct cli_session *session, const char *mark, const char *name,
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
    put_line(session, DIM, mark, cli_buffer_text(&line), cli_buffer_len(&line));
    cli_buffer_release(&line);
}

void cli_show_request(struct cli_session *session, const char *head, size_t len)
{
    const char *end = head + len;

    if (!session->config->is_verbose)
        return;
    while (head < end) {
        const char *stop = memchr(head, '\r', (size_t)(end - head));
        size_t line_len = stop ? (size_t)(stop - head) : (size_t)(end - head);
        const char *colon = memchr(head, ':', line_len);

        /* The request line may have a colon, too, but a blank before it. */
        if (line_len == 0)
            break;
        if (colon && !memchr(head, ' ', (size_t)(colon - head)))
            put_header(session, "> ", head, (size_t)(colon - head), colon + 2,
                       line_len - (size_t)(colon - head) - 2);
        else
            put_line(session, DIM, "> ", head, line_len);
        head += line_len + 2;
    }
}

static void show_tls(struct cli_session *session, struct dx_websocket *websocket)
{
    struct dx_tls_facts facts = dx_tls_facts_init();

    if (dx_websocket_tls(websocket, &facts))
        cli_show_note(session, "%s, %s%s%s", facts.version, facts.cipher, facts.alpn ? ", " : "",
                      facts.alpn ? facts.alpn : "");
}

void cli_show_open(struct cli_session *session, struct dx_websocket *websocket)
{
    const char *value = "";
    const char *name;

    if (session->config->is_verbose) {
        show_tls(session, websocket);
        put_line(session, DIM, "< ", "HTTP/1.1 101 Switching Protocols", 32);
        for (size_t i = 0; (name = dx_websocket_response_header_at(websocket, i, &value)); i++)
            put_header(session, "< ", name, strlen(name), value, strlen(value));
    }
    if (session->config->prints_json)
        cli_show_json_open(session, websocket);
    value = dx_websocket_protocol(websocket);
    cli_show_note(session, "connected to %s%s%s", dx_websocket_url(websocket),
                  *value ? ", subprotocol " : "", value);
}

void cli_show_client(struct cli_session *session, const char *peer, const char *target)
{
    if (session->config->prints_json)
        cli_show_json_client(session, peer, target);
    cli_show_note(session, "%s has connected to %s", peer, target);
}

/* ---- ping, pong and the ends ---- */

void cli_show_control(struct cli_session *session, bool is_ping, const uint8_t *data, size_t len,
                      uint64_t rtt_ns)
{
    char time[64] = "";

    if (session->config->prints_json)
        cli_show_json_control(session, is_ping, data, len, rtt_ns);
    if (rtt_ns > 0)
        snprintf(time, sizeof(time), " after %.1f ms", (double)rtt_ns / 1e6);
    cli_show_note(session, "%s%s%s%.*s", is_ping ? "ping" : "pong", time, len > 0 ? ": " : "",
                  (int)len, (const char *)data);
}

static void show_refusal(struct cli_session *session, const struct dx_error_event *error)
{
    const char *body = (const char *)error->body;
    struct cli_buffer text = {0};
    char line[64];
    int len = snprintf(line, sizeof(line), "HTTP/1.1 %u", (unsigned)error->http_status);

    put_line(session, DIM, "< ", line, (size_t)len);
    for (size_t i = 0; i < error->header_count; i++)
        put_header(session, "< ", error->headers[i].name, strlen(error->headers[i].name),
                   error->headers[i].value, strlen(error->headers[i].value));
    if (error->body_len == 0)
        return;
    put_safely(&text, body, error->body_len, true);
    if (body[error->body_len - 1] != '\n')
        cli_buffer_put(&text, "\n", 1);
    put_for_people(session, &text);
    cli_buffer_release(&text);
}

void cli_show_error(struct cli_session *session, const struct dx_error_event *error)
{
    if (session->config->prints_json)
        cli_show_json_error(session, error);
    if (session->config->is_verbose && error->step == DX_STEP_UPGRADE)
        show_refusal(session, error);
}

void cli_show_close(struct cli_session *session, const struct dx_close_event *close)
{
    if (session->config->prints_json)
        cli_show_json_close(session, close);
    if (close->was_clean)
        cli_show_note(session, "closed with %u%s%.*s", (unsigned)close->code,
                      close->reason_len > 0 ? " "
                      : close->code == 1005 ? " (no code)"
                                            : "",
                      (int)close->reason_len, close->reason);
    if (close->will_reconnect)
        cli_show_note(session, "connecting again in %.1f s", (double)close->delay_ms / 1000);
}
