/*
 * program.h - one program behind one connection, and what its files (program_*.c) share.
 *
 * A request is kept while the program is started; it is accepted when the spawner reports STARTED.
 * The program is freed when its connection has closed and its process has ended. program.c keeps
 * this order; program_input.c carries messages to stdin, program_output.c carries stdout and stderr
 * to the connection, program_errors.c carries stderr to the log, program_ladder.c ends the program.
 */
#ifndef DX_BRIDGE_PROGRAM_H
#define DX_BRIDGE_PROGRAM_H

#include <duplex/program.h>

#include <sys/uio.h>

#include "bridge/framing/framing.h"
#include "bridge/program/programs.h"
#include "bridge/spawner/spawner.h"
#include "connection/connection.h"

enum { LADDER_NOT_BEGUN = 0, LADDER_END_OF_FILE, LADDER_INT, LADDER_TERM, LADDER_KILL };

/* Limits of the stderr that is logged: bytes per line, and lines per second. */
#define DX_STDERR_LINE_MAX 900
#define DX_STDERR_LINES_A_SECOND 100

/* As many reads of DX_READ_SIZE empty any pipe: a program may have enlarged it to 1 MiB. */
#define DX_REST_READS 17

/* Our end of one of the program's pipes. */
struct dx_program_pipe {
    struct dx_watch watch;
    void (*on_ready)(struct dx_watch *watch, unsigned events);
    int fd; /* -1: closed */
    uint8_t wanted;
    bool is_wide; /* has been enlarged */
};

/* Stdout or stderr. */
struct dx_program_stream {
    struct dx_program_pipe pipe;
    const struct dx_framing_ops *framing;
    struct dx_framing_state state; /* if it is logged: the first bytes of a line */
    bool is_for_client;            /* else it is logged */
};

struct dx_program {
    struct dx_program *next; /* in the list of the shard */
    struct dx_program **previous_next;
    const struct dx_program_route *route;
    struct dx_programs_shard *shard;
    struct dx_request *request;       /* until the program has started */
    struct dx_connection *connection; /* from then until its on_close */
    struct dx_child child;
    struct dx_program_pipe input; /* the program's stdin, stdout, stderr */
    struct dx_program_stream output;
    struct dx_program_stream errors;
    struct dx_output pending; /* input that stdin has not taken yet */
    struct dx_turn_task flush_task;
    struct dx_turn_task free_task;
    struct dx_timer timer;  /* the nearest of the deadlines below */
    uint64_t ladder_due_ms; /* when the ladder takes its next step; 0: no deadline, in all four */
    uint64_t flush_due_ms;  /* when a partial line is sent (flush_after_ms) */
    uint64_t silent_due_ms; /* when it is logged that there was no output since a message */
    uint64_t linger_due_ms; /* it has ended: when pipes that others hold open are closed */
    int status;             /* as from waitpid, once has_exited */
    uint32_t errors_second; /* the second in which errors_count lines were logged */
    uint32_t errors_dropped;
    uint16_t errors_count;
    uint16_t close_code;      /* of the pending Close */
    const char *close_reason; /* static, or NULL */
    uint8_t ladder_step;
    bool is_started : 1;
    bool has_exited : 1;
    bool close_is_due : 1;    /* once all output is sent: the client closed, or broke a rule */
    bool input_is_ending : 1; /* stdin is closed when nothing is pending */
    bool input_is_paused : 1; /* the connection is paused because stdin is full */
    bool input_is_broken : 1; /* the program has closed its stdin */
    bool pong_is_owed : 1;    /* a text `ping` came while a fragmented message was being sent */
    bool silence_is_logged : 1;
    bool replacement_is_logged : 1;
};

#define dx_program_of(member_pointer, member)                                                      \
 dx_container_of(member_pointer, struct dx_program, member)

/* program.c */
void dx_program_on_request(struct dx_request *request, void *route);
void dx_program_on_abandoned(struct dx_request *request, void *route);
void dx_program_on_shutdown(struct dx_connection *connection, void *user);
/** Sends the Close when all output has been sent; frees the program when nothing of it is left. */
void dx_program_end_if_done(struct dx_program *program);
/** Sends the pending Close. */
void dx_program_close_now(struct dx_program *program);
/** Frees a program whose spawner is about to stop: its process is forgotten, its client is cut. */
void dx_program_drop(struct dx_program *program);
/** Logs a line about the program, with one more field unless `name` is NULL. */
void dx_program_log(const struct dx_program *program, enum dx_log_level level, const char *message,
                    const char *name, const char *value, size_t len);

/* program_input.c */
const struct dx_connection_handlers *dx_program_handlers_for(const struct dx_program_route *route);
void dx_program_input_ready(struct dx_watch *watch, unsigned events);
void dx_program_input_flush(struct dx_turn_task *task);
/** Closes stdin when everything pending is written, or at once with `drop_pending`. */
void dx_program_input_end(struct dx_program *program, bool drop_pending);
void dx_program_input_close(struct dx_program *program);

/* program_pipe.c */
/** Watches the pipe for `wanted`, or stops watching it (0). False: the system refused. */
bool dx_program_pipe_want(struct dx_program *program, struct dx_program_pipe *pipe,
                          unsigned wanted);
void dx_program_pipe_close(struct dx_program *program, struct dx_program_pipe *pipe);
/** writev without SIGPIPE, which would kill a host program that does not ignore it. */
ssize_t dx_program_pipe_write(struct dx_program *program, struct dx_program_pipe *pipe,
                              const struct iovec *slices, int count);

/* program_output.c */
/** Whether the client has got some fragments of a message, and not the last: no other may begin. */
bool dx_program_is_in_message(const struct dx_program *program);
void dx_program_output_ready(struct dx_watch *watch, unsigned events);
void dx_program_errors_ready(struct dx_watch *watch, unsigned events);
/** Answers a text `ping` as soon as no fragmented message is being sent. */
void dx_program_output_pong(struct dx_program *program);
/** Watches stdout and stderr as long as the connection can take their output. */
void dx_program_output_watch(struct dx_program *program);
/** Sends the partial lines as if they had ended here. */
void dx_program_output_flush_partial(struct dx_program *program);
/**
 * Sends what the pipes hold now, at most one pipe's capacity each. False: the client is too slow.
 */
bool dx_program_output_read_rest(struct dx_program *program);
void dx_program_stream_close(struct dx_program *program, struct dx_program_stream *stream);
/**
 * The program has ended: what its pipes hold is still sent. Other processes may hold the pipes
 * open; they are closed after a step of the ladder.
 */
void dx_program_output_drain(struct dx_program *program);
/**
 * That time is over: sends the rest and closes the pipes. Returns false then, and the program may
 * have been freed. Returns true if the client needs more time.
 */
bool dx_program_output_linger(struct dx_program *program);

/* program_errors.c */
/** Reads stderr once and logs its lines. False: there is nothing to read, now or for good. */
bool dx_program_errors_log(struct dx_program *program);
/** Logs all that is left, a partial line and the count of dropped lines included, and closes. */
void dx_program_errors_finish(struct dx_program *program);
void dx_program_errors_close(struct dx_program *program);

/* program_ladder.c */
/** Begins the ladder: INT follows after its first step. Does nothing when it has begun. */
void dx_program_ladder_begin(struct dx_program *program);
void dx_program_timer_due(struct dx_timer *timer);
/** Sets the timer to the nearest deadline. */
void dx_program_timer_arm(struct dx_program *program);
/** Writes how a program ended: "exit status 3", "SIGKILL", or "" for 0. Returns its close code. */
uint16_t dx_program_close_code(int status, char *text, size_t text_len);

#endif
