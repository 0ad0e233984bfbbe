/*
 * show_json.c - see show_json.h.
 */
#include "cli/connect/show_json.h"

#include <string.h>
#include <time.h>

#include "cli/text/codec.h"
#include "cli/text/json.h"
#include "cli/connect/session.h"
#include "cli/connect/terminal.h"

static struct cli_buffer begin(const char *event)
{
    struct cli_buffer line = {0};
    struct timespec now;
    struct tm parts;
    char time[32];

    clock_gettime(CLOCK_REALTIME, &now);
    gmtime_r(&now.tv_sec, &parts);
    strftime(time, sizeof(time), "%Y-%m-%dT%H:%M:%S", &parts);
    cli_buffer_printf(&line, "{\"time\":\"%s.%03ldZ\",\"event\":\"%s\"", time,
                      now.tv_nsec / 1000000, event);
    return line;
}

static void add(struct cli_buffer *line, const char *name, const char *value, size_t len)
{
    cli_buffer_printf(line, ",\"%s\":", name);
    cli_json_put_string(line, value, len);
}

static void end(struct cli_session *session, struct cli_buffer *line)
{
    cli_buffer_put(line, "}\n", 2);
    if (session->terminal) {
        cli_terminal_print(session->terminal, cli_buffer_text(line), cli_buffer_len(line));
    } else {
        cli_buffer_put(&session->output.waiting, cli_buffer_text(line), cli_buffer_len(line));
        session->output.waiting.has_failed |= line->has_failed;
        cli_output_commit(&session->output);
    }
    cli_buffer_release(line);
}

void cli_show_json_message(struct cli_session *session, enum dx_opcode opcode, const uint8_t *data,
                           size_t len)
{
    struct cli_buffer line = begin("message");

    if (opcode == DX_OP_TEXT) {
        cli_buffer_put_text(&line, ",\"type\":\"text\"");
        add(&line, "data", (const char *)data, len);
    } else {
        cli_buffer_put_text(&line, ",\"type\":\"binary\",\"base64\":\"");
        cli_base64_encode(&line, data, len);
        cli_buffer_put(&line, "\"", 1);
    }
    end(session, &line);
}

void cli_show_json_open(struct cli_session *session, struct dx_websocket *websocket)
{
    struct cli_buffer line = begin("open");
    const char *value = "";
    const char *name;
    struct dx_tls_facts facts = dx_tls_facts_init();

    add(&line, "url", dx_websocket_url(websocket), strlen(dx_websocket_url(websocket)));
    add(&line, "protocol", dx_websocket_protocol(websocket),
        strlen(dx_websocket_protocol(websocket)));
    if (dx_websocket_tls(websocket, &facts))
        add(&line, "tls", facts.version, strlen(facts.version));
    /* Pairs, for a name may come twice. */
    cli_buffer_put_text(&line, ",\"headers\":[");
    for (size_t i = 0; (name = dx_websocket_response_header_at(websocket, i, &value)); i++) {
        cli_buffer_put_text(&line, i > 0 ? ",[" : "[");
        cli_json_put_string(&line, name, strlen(name));
        cli_buffer_put(&line, ",", 1);
        cli_json_put_string(&line, value, strlen(value));
        cli_buffer_put(&line, "]", 1);
    }
    cli_buffer_put(&line, "]", 1);
    end(session, &line);
}

void cli_show_json_client(struct cli_session *session, const char *peer, const char *target)
{
    struct cli_buffer line = begin("open");

    add(&line, "peer", peer, strlen(peer));
    add(&line, "target", target, strlen(target));
    end(session, &line);
}

void cli_show_json_control(struct cli_session *session, bool is_ping, const uint8_t *data,
                           size_t len, uint64_t rtt_ns)
{
    struct cli_buffer line = begin(is_ping ? "ping" : "pong");

    add(&line, "data", (const char *)data, len);
    if (rtt_ns > 0)
        cli_buffer_printf(&line, ",\"ms\":%.3f", (double)rtt_ns / 1e6);
    end(session, &line);
}

void cli_show_json_error(struct cli_session *session, const struct dx_error_event *error)
{
    static const char *const steps[] = {
        [DX_STEP_RESOLVE] = "resolve",   [DX_STEP_CONNECT] = "connect",
        [DX_STEP_PROXY] = "proxy",       [DX_STEP_TLS] = "tls",
        [DX_STEP_UPGRADE] = "upgrade",   [DX_STEP_HANDSHAKE] = "handshake",
        [DX_STEP_PROTOCOL] = "protocol", [DX_STEP_HEARTBEAT] = "heartbeat",
        [DX_STEP_LOST] = "lost",         [DX_STEP_CLOSED] = "closed",
    };
    struct cli_buffer line = begin("error");

    cli_buffer_printf(&line, ",\"step\":\"%s\"", steps[error->step]);
    add(&line, "detail", error->detail, strlen(error->detail));
    if (error->http_status > 0)
        cli_buffer_printf(&line, ",\"status\":%u", (unsigned)error->http_status);
    if (error->body_len > 0)
        add(&line, "body", (const char *)error->body, error->body_len);
    end(session, &line);
}

void cli_show_json_close(struct cli_session *session, const struct dx_close_event *close)
{
    struct cli_buffer line = begin("close");

    cli_buffer_printf(&line, ",\"code\":%u", (unsigned)close->code);
    add(&line, "reason", close->reason, close->reason_len);
    cli_buffer_printf(&line, ",\"clean\":%s", close->was_clean ? "true" : "false");
    if (close->will_reconnect)
        cli_buffer_printf(&line, ",\"again_ms\":%u", (unsigned)close->delay_ms);
    end(session, &line);
}
