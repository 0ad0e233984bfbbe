/*
 * program.h - one program behind one connection, and what its files (program_*.c) share.
 *
 * Life: a request is kept → pipes, environment, START → STARTED: the request is accepted, the connection open → … → both the
 * connection is gone and the program has ended: freed. program.c owns that order; program_input.c carries messages to stdin,
 * program_output.c carries stdout and stderr to the connection or the log, program_ladder.c ends it.
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

/* What of the program's stderr goes to the log: lines of at most this many bytes, so many a second. */
#define DX_STDERR_LINE_MAX 900
#define DX_STDERR_LINES_A_SECOND 100

/* How many reads of DX_READ_SIZE empty a pipe: a program may have made it as large as a mebibyte. */
#define DX_REST_READS 17

/* Our end of one of its pipes. */
struct dx_program_pipe {
    struct dx_watch watch;
    void (*on_ready)(struct dx_watch *watch, unsigned events);
    int fd; /* -1: closed */
    uint8_t wanted;
    bool is_wide; /* has been given more room */
};

/* Stdout or stderr, on its way to the client or to the log. */
struct dx_program_stream {
    struct dx_program_pipe pipe;
    const struct dx_framing_ops *framing;
    struct dx_framing_state state; /* in the log's case, of its lines */
    bool is_for_client;
};

struct dx_program {
    struct dx_program *next; /* of the shard's programs */
    struct dx_program **previous_next;
    const struct dx_program_route *route;
    struct dx_programs_shard *shard;
    struct dx_request *request;       /* until the program has started */
    struct dx_connection *connection; /* from then until its on_close */
    struct dx_child child;
    struct dx_program_pipe input; /* the program's stdin, stdout, stderr */
    struct dx_program_stream output;
    struct dx_program_stream errors;
    struct dx_output pending; /* waits for stdin */
    struct dx_turn_task flush_task;
    struct dx_turn_task free_task;
    struct dx_timer timer;  /* the nearest of the deadlines below */
    uint64_t ladder_due_ms; /* 0: none, in all four */
    uint64_t flush_due_ms;  /* a partial line has waited for --flush-after */
    uint64_t silent_due_ms; /* said nothing since a message */
    uint64_t linger_due_ms; /* has ended, but something holds its stdout open */
    int status;             /* as of waitpid, once has_exited */
    uint32_t errors_second; /* the second in which errors_count lines were logged */
    uint32_t errors_dropped;
    uint16_t errors_count;
    uint16_t close_code;      /* of the Close that is due */
    const char *close_reason; /* static, or NULL */
    uint8_t ladder_step;
    bool is_started : 1;
    bool has_exited : 1;
    bool
        close_is_due : 1; /* once the program has said all: the client's Close came, or broke a rule */
    bool input_is_ending : 1; /* close stdin when nothing is pending */
    bool input_is_paused : 1; /* the connection is paused for the sake of stdin */
    bool input_is_broken : 1; /* the program has closed its stdin */
    bool pong_is_owed : 1;    /* a text `ping` came while a message of fragments was on its way */
    bool was_told_silent : 1;
    bool was_told_replaced : 1;
};

#define dx_program_of(member_pointer, member)                                                      \
 dx_container_of(member_pointer, struct dx_program, member)

/* program.c */
void dx_program_on_request(struct dx_request *request, void *route);
void dx_program_on_abandoned(struct dx_request *request, void *route);
void dx_program_on_shutdown(struct dx_connection *connection, void *user);
/** Sends Close for a program that has ended (or is not to be waited for any longer), and frees when nothing is left. */
void dx_program_judge_end(struct dx_program *program);
/** Sends the Close that is due. */
void dx_program_close_now(struct dx_program *program);
/** Forgets a program whose spawner is about to go: nothing is called any more. */
void dx_program_drop(struct dx_program *program);
/** One log line about the program. */
void dx_program_log(const struct dx_program *program, enum dx_log_level level, const char *message,
                    const char *name, const char *value, size_t len);

/* program_input.c */
const struct dx_connection_handlers *dx_program_handlers_for(const struct dx_program_route *route);
void dx_program_input_ready(struct dx_watch *watch, unsigned events);
void dx_program_input_flush(struct dx_turn_task *task);
/** Closes stdin once everything pending is written; at once with `drop_pending`. */
void dx_program_input_end(struct dx_program *program, bool drop_pending);
void dx_program_input_close(struct dx_program *program);

/* program_pipe.c */
/** Watches the pipe for `wanted`, or not at all (0). False when the system refuses. */
bool dx_program_pipe_want(struct dx_program *program, struct dx_program_pipe *pipe,
                          unsigned wanted);
void dx_program_pipe_close(struct dx_program *program, struct dx_program_pipe *pipe);
/** writev without SIGPIPE, which would end a host that does not ignore it. */
ssize_t dx_program_pipe_write(struct dx_program *program, struct dx_program_pipe *pipe,
                              const struct iovec *slices, int count);

/* program_output.c */
/** Whether a message of several fragments is being sent: nothing else may go in between. */
bool dx_program_is_in_message(const struct dx_program *program);
void dx_program_output_ready(struct dx_watch *watch, unsigned events);
void dx_program_errors_ready(struct dx_watch *watch, unsigned events);
/** Answers a text `ping` as soon as no fragments of a message stand in the way. */
void dx_program_output_pong(struct dx_program *program);
/** Goes on with stdout and stderr as far as the connection can take, and stops them where it cannot. */
void dx_program_output_judge(struct dx_program *program);
/** Sends the begins of lines as if they had ended here. */
void dx_program_output_flush_partial(struct dx_program *program);
/** Sends what the pipes hold now, a pipe's capacity at most. False when the client does not take it. */
bool dx_program_output_read_rest(struct dx_program *program);
void dx_program_stream_close(struct dx_program *program, struct dx_program_stream *stream);
/** The program has ended: what its pipes hold is still delivered, but whoever else holds them open is not waited for. */
void dx_program_output_drain(struct dx_program *program);
/** That time is over: closes the pipes and judges the end (false), or gives a slow client more (true). */
bool dx_program_output_linger(struct dx_program *program);

/* program_errors.c */
/** Reads stderr once and logs its lines. False when there is no more now, or ever. */
bool dx_program_errors_log(struct dx_program *program);
/** Logs what is there, the begin of a line and the count of what was left out, too; then closes. */
void dx_program_errors_finish(struct dx_program *program);
void dx_program_errors_close(struct dx_program *program);

/* program_ladder.c */
/** Begins the ladder (end of file is given, INT follows after the first step); fine when it has begun. */
void dx_program_ladder_begin(struct dx_program *program);
void dx_program_timer_due(struct dx_timer *timer);
/** Sets the timer to the nearest deadline. */
void dx_program_timer_arm(struct dx_program *program);
/** The text of an ended program: "exit status 3", "SIGKILL". Returns its close code. */
uint16_t dx_program_close_code(int status, char *text, size_t text_len);

#endif
