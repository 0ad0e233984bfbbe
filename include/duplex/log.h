/*
 * duplex/log.h - where log lines go: a sink of yours gets each line as a message and fields.
 */
#ifndef DUPLEX_LOG_H
#define DUPLEX_LOG_H

#include <duplex/error.h>

#ifdef __cplusplus
extern "C" {
#endif

enum dx_log_level { DX_LOG_ERROR = 0, DX_LOG_WARN, DX_LOG_INFO, DX_LOG_DEBUG };

/* One `name=value` of a log line; the value is raw bytes, of a peer perhaps: the sink escapes. */
struct dx_log_field {
    const char *name;
    const char *value;
    size_t len;
};

/* Called from any of the server's threads, several at once. Lines are valid during the call. */
struct dx_log_sink {
    size_t size;
    void (*write)(enum dx_log_level level, const char *message, const struct dx_log_field *fields,
                  size_t field_count, void *user);
    void *user;
    enum dx_log_level level; /* lines above it are not made */
};

/** Nothing to write to yet, DX_LOG_INFO. */
static inline struct dx_log_sink dx_log_sink_init(void)
{
    struct dx_log_sink sink = DX_ZEROED;

    sink.size = sizeof(sink);
    sink.level = DX_LOG_INFO;
    return sink;
}

#ifdef __cplusplus
}
#endif
#endif
