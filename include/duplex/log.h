/*
 * duplex/log.h - where log lines go: your sink gets each line as a message and fields.
 */
#ifndef DUPLEX_LOG_H
#define DUPLEX_LOG_H

#include <duplex/error.h>

#ifdef __cplusplus
extern "C" {
#endif

enum dx_log_level { DX_LOG_ERROR = 0, DX_LOG_WARN, DX_LOG_INFO, DX_LOG_DEBUG };

/*
 * One `name=value` of a line. The value is raw bytes, perhaps of a peer, and not NUL-terminated:
 * the sink must escape it.
 */
struct dx_log_field {
    const char *name;
    const char *value;
    size_t len;
};

struct dx_log_sink {
    size_t size;

    /*
     * Gets a line. It may be called on any of the server's threads, and on several at once. The
     * arguments are valid during the call. Default NULL: no log.
     */
    void (*write)(enum dx_log_level level, const char *message, const struct dx_log_field *fields,
                  size_t field_count, void *user);
    void *user;

    /* Lines of a level after this one are not made. Default DX_LOG_INFO. */
    enum dx_log_level level;
};

/** No `write` yet, DX_LOG_INFO. */
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
