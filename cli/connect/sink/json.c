/*
 * json.c - events as JSON objects, one a line, on stdout (sink.h; --json).
 */
#include "cli/connect/sink/sink.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/container.h"
#include "cli/options/complaint.h"
#include "cli/text/codec.h"
#include "cli/text/json.h"

struct json {
    struct cli_sink sink;
    struct cli_sink_setup setup;
};

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

static void end(struct cli_sink *sink, struct cli_buffer *line)
{
    const struct cli_sink_setup *setup = &dx_container_of(sink, struct json, sink)->setup;
    struct cli_output *output = setup->output;

    cli_buffer_put(line, "}\n", 2);
    if (setup->screen->print) {
        cli_screen_print(setup->screen, cli_buffer_text(line), cli_buffer_len(line));
    } else {
        cli_buffer_put(&output->waiting, cli_buffer_text(line), cli_buffer_len(line));
        output->waiting.has_failed |= line->has_failed;
        cli_output_commit(output);
    }
    cli_buffer_release(line);
}

static void add_websocket(struct cli_buffer *line, struct dx_websocket *websocket)
{
    const char *value = "";
    const char *name;
    struct dx_tls_facts facts = dx_tls_facts_init();

    add(line, "url", dx_websocket_url(websocket), strlen(dx_websocket_url(websocket)));
    add(line, "protocol", dx_websocket_protocol(websocket),
        strlen(dx_websocket_protocol(websocket)));
    if (dx_websocket_tls(websocket, &facts))
        add(line, "tls", facts.version, strlen(facts.version));
    /* Pairs, for a name may come twice. */
    cli_buffer_put_text(line, ",\"headers\":[");
    for (size_t i = 0; (name = dx_websocket_response_header_at(websocket, i, &value)); i++) {
        cli_buffer_put_text(line, i > 0 ? ",[" : "[");
        cli_json_put_string(line, name, strlen(name));
        cli_buffer_put(line, ",", 1);
        cli_json_put_string(line, value, strlen(value));
        cli_buffer_put(line, "]", 1);
    }
    cli_buffer_put(line, "]", 1);
}

static bool on_message(struct cli_sink *sink, bool is_ours, enum dx_opcode opcode, const void *data,
                       size_t len)
{
    struct cli_buffer line;

    if (is_ours)
        return true;
    line = begin("message");
    if (opcode == DX_OP_TEXT) {
        cli_buffer_put_text(&line, ",\"type\":\"text\"");
        add(&line, "data", data, len);
    } else {
        cli_buffer_put_text(&line, ",\"type\":\"binary\",\"base64\":\"");
        cli_base64_encode(&line, data, len);
        cli_buffer_put(&line, "\"", 1);
    }
    end(sink, &line);
    return true;
}

static void on_open(struct cli_sink *sink, const struct cli_opening *opening)
{
    struct cli_buffer line = begin("open");

    if (opening->websocket) {
        add_websocket(&line, opening->websocket);
    } else {
        add(&line, "peer", opening->address, strlen(opening->address));
        add(&line, "target", opening->target, strlen(opening->target));
    }
    end(sink, &line);
}

static void on_control(struct cli_sink *sink, bool is_ping, const uint8_t *data, size_t len,
                       uint64_t rtt_ns)
{
    struct cli_buffer line = begin(is_ping ? "ping" : "pong");

    add(&line, "data", (const char *)data, len);
    if (rtt_ns > 0)
        cli_buffer_printf(&line, ",\"ms\":%.3f", (double)rtt_ns / 1e6);
    end(sink, &line);
}

static void on_error(struct cli_sink *sink, const struct dx_error_event *error)
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
    end(sink, &line);
}

static void on_close(struct cli_sink *sink, const struct dx_close_event *close)
{
    struct cli_buffer line = begin("close");

    cli_buffer_printf(&line, ",\"code\":%u", (unsigned)close->code);
    add(&line, "reason", close->reason, close->reason_len);
    cli_buffer_printf(&line, ",\"clean\":%s", close->was_clean ? "true" : "false");
    if (close->will_reconnect)
        cli_buffer_printf(&line, ",\"again_ms\":%u", (unsigned)close->delay_ms);
    end(sink, &line);
}

static void free_it(struct cli_sink *sink)
{
    free(dx_container_of(sink, struct json, sink));
}

int cli_sink_json(const struct cli_sink_setup *setup, struct cli_sink **sink)
{
    struct json *json = calloc(1, sizeof(*json));

    if (!json)
        return cli_screen_complain(setup->screen, CLI_EXIT_RESOURCE, "--json", "out of memory");
    json->sink = (struct cli_sink){.open = on_open,
                                   .message = on_message,
                                   .control = on_control,
                                   .error = on_error,
                                   .close = on_close,
                                   .free = free_it};
    json->setup = *setup;
    *sink = &json->sink;
    return 0;
}
