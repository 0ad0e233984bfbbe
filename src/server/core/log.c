/*
 * log.c - makes log lines. Not responsible for how they look: that is the sink's.
 */
#include "server/core/log.h"

#include "server/core/server.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

void dx_log_line_bytes(struct dx_log_line *line, const char *name, const void *value, size_t len)
{
    if (line->count < DX_LOG_FIELDS_MAX)
        line->fields[line->count++] = (struct dx_log_field){name, value, len};
}

void dx_log_line_text(struct dx_log_line *line, const char *name, const char *value)
{
    dx_log_line_bytes(line, name, value, strlen(value));
}

void dx_log_line_number(struct dx_log_line *line, const char *name, uint64_t value)
{
    char *text = line->numbers[line->count < DX_LOG_FIELDS_MAX ? line->count : 0];

    if (line->count == DX_LOG_FIELDS_MAX)
        return;
    (void)snprintf(text, DX_LOG_NUMBER_ROOM, "%" PRIu64, value);
    dx_log_line_text(line, name, text);
}

void dx_log_line_peer(struct dx_log_line *line, const struct dx_address *peer)
{
    dx_peer_text(peer, line->peer);
    dx_log_line_text(line, "peer", line->peer);
}

void dx_server_log(const struct dx_server *server, enum dx_log_level level, const char *message,
                   const struct dx_log_line *line)
{
    const struct dx_log_sink *sink = &server->settings.log;

    if (sink->write == NULL || level > sink->level ||
        atomic_load(&server->state) == DX_SERVER_FREED)
        return;
    sink->write(level, message, line->fields, line->count, sink->user);
}
