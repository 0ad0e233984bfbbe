/*
 * duplex/program.h - any program behind a WebSocket: its stdin and stdout are the messages.
 *
 * Programs are started, signalled and reaped by one small process of their own, duplex-spawner. Each gets its own session,
 * the descriptors 0, 1 and 2 and nothing else, default signals, and an environment built from nothing.
 */
#ifndef DUPLEX_PROGRAM_H
#define DUPLEX_PROGRAM_H

#include <duplex/header.h>
#include <duplex/server.h>

#ifdef __cplusplus
extern "C" {
#endif

enum dx_program_framing {
    DX_FRAMING_LINES = 0, /* a line is a text message, without its \n or \r\n */
    DX_FRAMING_BINARY,    /* what one read gives is a binary message */
    DX_FRAMING_LENGTH, /* both ways: 1 byte opcode 't' or 'b', 4 bytes big-endian length, payload: see the manual */
};
enum dx_newlines { DX_NEWLINES_KEEP = 0, DX_NEWLINES_ESCAPE, DX_NEWLINES_REJECT };
enum dx_stderr {
    DX_STDERR_LOG = 0, /* line by line, so many a second */
    DX_STDERR_CLIENT,  /* its lines are text messages among those of stdout */
    DX_STDERR_STDOUT,  /* this process's own stdout, as it is */
};
enum dx_invalid_utf8 { DX_INVALID_UTF8_REPLACE = 0, DX_INVALID_UTF8_CLOSE };

/* What the programs of one server have in common: the spawner process and the cap on their number. */
struct dx_programs;

struct dx_programs_options {
    size_t size;
    const char *spawner_path; /* NULL: beside the running program, else the installed one */
    uint32_t max_programs;    /* running at once; above it 503 with Retry-After */
    /* This process is made a subreaper and has no other children: what a killed spawner leaves is ended. */
    bool owns_children;
    /* "NAME=value", ends with NULL, borrowed for the server's life: PATH (in which programs are looked up), HOME, USER,
     * LANG, LC_*, TZ and TMPDIR of it, as they are when a route is made, are passed on. Usually environ. NULL: nothing. */
    char *const *inherited;
    uint64_t descriptor_limit; /* RLIMIT_NOFILE (soft) that programs get; 0: as now */
};

static inline struct dx_programs_options dx_programs_options_init(void)
{
    struct dx_programs_options options = DX_ZEROED;

    options.size = sizeof(options);
    options.max_programs = 256;
    return options;
}

/** Starts the spawner for `server`. Before the first listen. Returns DX_OK, DX_ERR_NOMEM, DX_ERR_NOT_FOUND (no spawner), DX_ERR_SPAWN, DX_ERR_DESCRIPTORS, DX_ERR_SYSTEM. */
DX_API DX_MUST_CHECK enum dx_err dx_programs_new(struct dx_server *server,
                                                 const struct dx_programs_options *options,
                                                 struct dx_programs **programs);

struct dx_program_options {
    size_t size;
    const char *const *argv; /* argv[0] is looked up in PATH once, here; ends with NULL */
    const char *const
        *env; /* "NAME=value", beside the request's CGI variables; ends with NULL; NULL: none */
    const char *directory; /* working directory; NULL: as now */
    enum dx_program_framing framing;
    enum dx_newlines newlines;
    enum dx_stderr stderr_to;
    enum dx_invalid_utf8 invalid_utf8;
    uint32_t flush_after_ms; /* send a partial line after this silence; 0: never */
    uint32_t ladder_ms[3];   /* end of file → INT → TERM → KILL */
    bool answers_text_ping;  /* `ping` gets `pong`, and the program sees neither */
    const char *page;        /* HTML for a plain GET; NULL: 426 */
    size_t page_len;
    const struct dx_header *page_headers; /* to go with it: its Content-Security-Policy */
    size_t page_header_count;
};

static inline struct dx_program_options dx_program_options_init(void)
{
    struct dx_program_options options = DX_ZEROED;

    options.size = sizeof(options);
    options.ladder_ms[0] = 1000;
    options.ladder_ms[1] = 1000;
    options.ladder_ms[2] = 1000;
    return options;
}

/**
 * Puts a program behind `path` and all below it: each WebSocket starts one. Everything is copied but the page and its headers.
 *
 * Returns DX_OK, DX_ERR_NOMEM, DX_ERR_USAGE, DX_ERR_NOT_FOUND (argv[0] is nowhere in PATH), DX_ERR_ACCESS (not executable),
 * DX_ERR_TOO_BIG (more than 64 KiB of environment).
 */
DX_API DX_MUST_CHECK enum dx_err dx_programs_route(struct dx_programs *programs, const char *path,
                                                   const struct dx_program_options *options);

/** Sends KILL to everything that still runs (a second signal to the server). On the server's thread. */
DX_API void dx_programs_kill(struct dx_programs *programs);

/** Programs that run now. Any thread. */
DX_API size_t dx_programs_count(const struct dx_programs *programs);

/**
 * Calls `on_closed` on the server's loop, later, once no program is left, each having had its end of file and its ladder.
 * After dx_server_close's on_closed: until then programs may still be started. Holds dx_loop_run until then.
 */
DX_API void dx_programs_close(struct dx_programs *programs, void (*on_closed)(void *user),
                              void *user);

/**
 * Kills what is left and ends the spawner. Before dx_server_free. On the server's thread: unless dx_programs_close has called
 * back, it waits for the present turn of each other loop. Requests that come later get 503. NULL is fine.
 */
DX_API void dx_programs_free(struct dx_programs *programs);

#ifdef __cplusplus
}
#endif
#endif
