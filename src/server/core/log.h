/*
 * log.h - lines for the server's log sink. Fields are passed on raw: the sink escapes them. Query
 * strings and credentials are never logged.
 */
#ifndef DX_SERVER_LOG_H
#define DX_SERVER_LOG_H

#include <duplex/server.h>

#include "server/admission/peer.h"

#define DX_LOG_FIELDS_MAX 16
#define DX_LOG_NUMBER_ROOM 24

struct dx_server;

/* A line that is being made. It points to what was added, and to itself: it cannot be copied. */
struct dx_log_line {
    struct dx_log_field fields[DX_LOG_FIELDS_MAX];
    size_t count;
    char numbers[DX_LOG_FIELDS_MAX][DX_LOG_NUMBER_ROOM];
    char peer[DX_PEER_TEXT_ROOM];
};

static inline void dx_log_line_init(struct dx_log_line *line)
{
    line->count = 0;
}

/**
 * Adds a field, which is borrowed until the line is written. A field that does not fit is left out.
 */
void dx_log_line_text(struct dx_log_line *line, const char *name, const char *value);
void dx_log_line_bytes(struct dx_log_line *line, const char *name, const void *value, size_t len);
void dx_log_line_number(struct dx_log_line *line, const char *name, uint64_t value);

/** Adds the field "peer". Once a line. */
void dx_log_line_peer(struct dx_log_line *line, const struct dx_address *peer);

/** Gives the line to the server's sink, if that wants the level. Any of the server's threads. */
void dx_server_log(const struct dx_server *server, enum dx_log_level level, const char *message,
                   const struct dx_log_line *line);

#endif
