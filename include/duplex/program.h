/*
 * duplex/program.h - any program as a WebSocket service: what it reads from stdin and writes to
 * stdout are the messages.
 *
 * Each WebSocket of a route starts one program. Programs are started, signalled and reaped by a
 * small process of its own, duplex-spawner. Each gets its own session, the descriptors 0, 1 and 2
 * and no others, default signals, and an environment that contains only what is named here.
 *
 *     const char *const argv[] = {"bc", "-l", NULL};
 *
 *     program.argv = argv;
 *     err = dx_programs_new(server, NULL, &programs);
 *     err = dx_programs_route(programs, "/calculator", &program);
 *     …
 *     dx_programs_free(programs); // before dx_server_free
 */
#ifndef DUPLEX_PROGRAM_H
#define DUPLEX_PROGRAM_H

#include <duplex/header.h>
#include <duplex/server.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * The programs of a server
 */

/* The spawner of one server, and the limit of programs that run at a time. */
struct dx_programs;

struct dx_programs_options {
    size_t size;

    /*
     * The path of duplex-spawner. Default NULL: the one next to the running program, or else the
     * one that was installed.
     */
    const char *spawner_path;

    /* Programs at a time; above it 503 with Retry-After. Default 256. */
    uint32_t max_programs;

    /*
     * Make this process a subreaper, so that it can end what a killed spawner leaves. Only
     * for a process that has no other children. Default false.
     */
    bool owns_children;

    /*
     * An environment: "NAME=value", ends with NULL; usually environ. Programs get PATH (in which
     * they are looked up), HOME, USER, LANG, LC_*, TZ and TMPDIR of it, as they are when a route is
     * made. Borrowed for the server's life. Default NULL: programs get none of them.
     */
    char *const *inherited;

    /* The soft RLIMIT_NOFILE of programs. Default 0: as this process has it. */
    uint64_t descriptor_limit;
};

/** 256 programs, nothing inherited. */
static inline struct dx_programs_options dx_programs_options_init(void)
{
    struct dx_programs_options options = DX_ZEROED;

    options.size = sizeof(options);
    options.max_programs = 256;
    return options;
}

/**
 * Starts the spawner of a server. Call it before the first listen, on the server's thread.
 *
 * options   copied, but for `inherited`; NULL: the defaults
 *
 * Returns DX_OK, or:
 *   DX_ERR_USAGE         the options have no size, or a member that this version does not know
 *   DX_ERR_NOT_FOUND     duplex-spawner does not exist
 *   DX_ERR_ACCESS        duplex-spawner cannot be executed
 *   DX_ERR_SPAWN         duplex-spawner could not be started
 *   DX_ERR_DESCRIPTORS   no descriptor is free
 *   DX_ERR_SYSTEM        the system refused
 *   DX_ERR_NOMEM         out of memory
 */
DX_API DX_MUST_CHECK enum dx_err dx_programs_new(struct dx_server *server,
                                                 const struct dx_programs_options *options,
                                                 struct dx_programs **programs);

/*
 * A route that starts programs
 */

/* How the bytes of stdin and stdout are messages. */
enum dx_program_framing {
    DX_FRAMING_LINES = 0, /* a line is a text message, without its \n or \r\n */
    DX_FRAMING_BINARY,    /* what one read returns is a binary message */
    DX_FRAMING_LENGTH,    /* a byte 't' or 'b', 4 bytes length in network order, the payload */
};

/* DX_FRAMING_LINES: what becomes of a newline inside a client's message. */
enum dx_newlines {
    DX_NEWLINES_KEEP = 0, /* the message is several lines */
    DX_NEWLINES_ESCAPE,   /* it becomes the two characters \n */
    DX_NEWLINES_REJECT,   /* the connection is closed with 1003 */
};

/* Where the stderr of a program goes. */
enum dx_stderr {
    DX_STDERR_LOG = 0, /* to the server's log, line by line, with a limit of lines a second */
    DX_STDERR_CLIENT,  /* to the client: its lines are text messages like those of stdout */
    DX_STDERR_STDOUT,  /* to this process's own stdout */
};

/* What becomes of bytes in a text message of the program that are not UTF-8. */
enum dx_invalid_utf8 {
    DX_INVALID_UTF8_REPLACE = 0, /* they are replaced by U+FFFD */
    DX_INVALID_UTF8_CLOSE,       /* the connection is closed with 1011 */
};

struct dx_program_options {
    size_t size;

    /* The program and its arguments; ends with NULL. argv[0] is looked up in PATH once. */
    const char *const *argv;

    /* "NAME=value", in addition to the request's CGI variables; ends with NULL. Default NULL. */
    const char *const *env;

    /* The working directory; default NULL: this process's. */
    const char *directory;

    /* Default DX_FRAMING_LINES, DX_NEWLINES_KEEP, DX_STDERR_LOG, DX_INVALID_UTF8_REPLACE. */
    enum dx_program_framing framing;
    enum dx_newlines newlines;
    enum dx_stderr stderr_to;
    enum dx_invalid_utf8 invalid_utf8;

    /*
     * Send a line that is not ended once the program has printed nothing for this long.
     * Milliseconds; default 0: never.
     */
    uint32_t flush_after_ms;

    /*
     * When the client has gone: how long the program may go on after the end of its stdin, then
     * after SIGINT, then after SIGTERM, before SIGKILL. Milliseconds; default 1,000 each.
     */
    uint32_t ladder_ms[3];

    /* Answer the text message "ping" with "pong"; the program sees neither. Default false. */
    bool answers_text_ping;

    /* HTML that answers a GET without an upgrade; borrowed. Default NULL: status 426. */
    const char *page;
    size_t page_len;

    /* Headers of that page, such as its Content-Security-Policy; borrowed. Default none. */
    const struct dx_header *page_headers;
    size_t page_header_count;
};

/** The defaults above; argv must be set. */
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
 * Adds a route whose WebSockets each start a program. Call it before the first listen, on the
 * server's thread.
 *
 * path      as dx_server_route's; the route is for everything below it, too
 * options   copied, but for the page and its headers
 *
 * Returns DX_OK, or:
 *   DX_ERR_USAGE       argv is empty, the framing is unknown, or the options have no size
 *   DX_ERR_USAGE       the path has no leading slash, or a route for upgrades exists there
 *   DX_ERR_NOT_FOUND   argv[0] is in no directory of PATH
 *   DX_ERR_ACCESS      argv[0] cannot be executed
 *   DX_ERR_TOO_BIG     env and what is inherited are more than 64 KiB, or a path is too long
 *   DX_ERR_STATE       the server is listening already
 *   DX_ERR_TOO_MANY    the server has 1,024 routes already
 *   DX_ERR_SYSTEM      the current directory is not known
 *   DX_ERR_NOMEM       out of memory
 */
DX_API DX_MUST_CHECK enum dx_err dx_programs_route(struct dx_programs *programs, const char *path,
                                                   const struct dx_program_options *options);

/** The number of programs that run now. Any thread. */
DX_API size_t dx_programs_count(const struct dx_programs *programs);

/*
 * The end
 *
 *     dx_server_close(server, 0, on_server_closed, NULL);
 *
 *     static void on_server_closed(void *user)
 *     {
 *         dx_programs_close(programs, on_programs_closed, NULL); // then free both
 *     }
 */

/** Sends SIGKILL to every program that still runs. On the server's thread. */
DX_API void dx_programs_kill(struct dx_programs *programs);

/**
 * Calls `on_closed` once no program is left: each gets the end of its stdin and the signals of its
 * ladder. Call it when dx_server_close has called back; before, programs may still be started.
 *
 * `on_closed` comes later, on the server's loop, which runs until then. On the server's thread.
 */
DX_API void dx_programs_close(struct dx_programs *programs, void (*on_closed)(void *user),
                              void *user);

/**
 * Kills the programs that are left, and ends the spawner. Call it before dx_server_free, on the
 * server's thread. Requests that come later get 503. NULL is fine.
 *
 * Unless dx_programs_close has called back, this waits for the present turn of each other loop.
 */
DX_API void dx_programs_free(struct dx_programs *programs);

#ifdef __cplusplus
}
#endif
#endif
