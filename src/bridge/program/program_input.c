/*
 * program_input.c - from the client to the program: messages to stdin with backpressure, and what
 * happens when the client closes or disappears.
 */
#include "bridge/program/program.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

/* Bytes that may wait for a program that does not read; above it the client is paused. */
#define PENDING_HIGH 65536

#define WRITE_SLICES 16

/* When there is no output for so long after a message, a hint is logged. */
#define SILENT_MS 5000

_Static_assert(sizeof(struct dx_slice) == sizeof(struct iovec),
               "slices are handed over as they are");

void dx_program_input_close(struct dx_program *program)
{
    dx_output_clear(&program->pending);
    dx_loop_flush_cancel(program->shard->loop, &program->flush_task);
    dx_program_pipe_close(program, &program->input);
    if (program->input_is_paused && program->connection) {
        program->input_is_paused = false;
        dx_connection_resume(program->connection); /* to see its Close; its messages are dropped */
    }
}

void dx_program_input_end(struct dx_program *program, bool drop_pending)
{
    program->input_is_ending = true;
    if (drop_pending || program->pending.len == 0)
        dx_program_input_close(program);
}

/* The program has closed its stdin. Its output goes on; messages to it are dropped. */
static void break_input(struct dx_program *program)
{
    if (!program->input_is_broken && !program->has_exited && !program->input_is_ending)
        dx_program_log(program, DX_LOG_DEBUG, "the program has closed its stdin", NULL, NULL, 0);
    program->input_is_broken = true;
    dx_program_input_close(program);
}

/* Writes as much as the pipe takes. False: nobody can read it any more. */
static bool write_pending(struct dx_program *program)
{
    struct dx_slice slices[WRITE_SLICES];

    while (program->pending.len > 0) {
        size_t count = dx_output_peek(&program->pending, slices, WRITE_SLICES);
        ssize_t put = dx_program_pipe_write(program, &program->input, (const struct iovec *)slices,
                                            (int)count);

        if (put < 0 && errno == EINTR)
            continue;
        if (put < 0)
            return errno == EAGAIN;
        dx_output_consume(&program->pending, (size_t)put);
    }
    return true;
}

static void pause_or_resume(struct dx_program *program)
{
    bool is_full = program->pending.len > PENDING_HIGH;

    if (!program->connection)
        return;
    if (is_full && !program->input_is_paused) {
        program->input_is_paused = true;
        dx_connection_pause(program->connection);
    } else if (program->pending.len == 0 && program->input_is_paused) {
        program->input_is_paused = false;
        dx_connection_resume(program->connection);
    }
}

/*
 * The client broke a rule: the same steps as for its Close, but with our code. What it sent before
 * is still written.
 */
static void begin_close(struct dx_program *program, uint16_t code, const char *reason)
{
    if (!program->close_is_due) {
        program->close_is_due = program->connection != NULL;
        program->close_code = code;
        program->close_reason = reason;
    }
    dx_program_input_end(program, false);
    dx_program_ladder_begin(program);
    dx_program_end_if_done(program);
}

static void flush(struct dx_program *program)
{
    unsigned wanted;

    if (program->input.fd < 0)
        return;
    if (!write_pending(program)) {
        break_input(program);
        return;
    }
    wanted = program->pending.len > 0 ? DX_WATCH_WRITE : 0;
    if (!dx_program_pipe_want(program, &program->input, wanted)) {
        dx_program_input_close(program); /* the pending bytes could never be written */
        begin_close(program, DX_CLOSE_TRY_AGAIN, "the program's input cannot be watched");
        return;
    }
    if (program->pending.len == 0 && program->input_is_ending)
        dx_program_input_close(program);
    else
        pause_or_resume(program);
}

void dx_program_input_flush(struct dx_turn_task *task)
{
    flush(dx_program_of(task, flush_task));
}

void dx_program_input_ready(struct dx_watch *watch, unsigned events)
{
    struct dx_program *program = dx_program_of(watch, input.watch);

    if (events & DX_WATCH_ERROR) /* the program has closed its end */
        break_input(program);
    else
        flush(program);
}

/* A whole message has come: output is expected from now on. */
static void expect_answer(struct dx_program *program)
{
    if (program->silence_is_logged || program->silent_due_ms != 0)
        return;
    program->silent_due_ms = dx_loop_now_ms(program->shard->loop) + SILENT_MS;
    dx_program_timer_arm(program);
}

/* Writes the pending bytes at the end of the turn, or at once when there are many. */
static void flush_soon(struct dx_program *program)
{
    if (program->input.fd < 0)
        dx_output_clear(&program->pending);
    else if (program->pending.len > PENDING_HIGH)
        flush(program);
    else if (program->pending.len > 0)
        dx_loop_flush_later(program->shard->loop, &program->flush_task);
}

static void pass_on(struct dx_program *program, const struct dx_framing_piece *piece)
{
    struct dx_framing_refusal refusal;

    if (program->input_is_ending)
        return;
    refusal = program->route->framing->write(&program->route->options, piece, &program->pending);
    flush_soon(program);
    if (refusal.code != 0)
        begin_close(program, refusal.code, refusal.reason);
    else if (piece->is_last)
        expect_answer(program);
}

static void on_chunk(struct dx_connection *connection, enum dx_opcode opcode, uint8_t *data,
                     size_t len, bool is_first, bool is_last, void *user)
{
    (void)connection;
    (void)is_first;
    pass_on(user, &(struct dx_framing_piece){opcode, data, len, is_last});
}

static void on_message(struct dx_connection *connection, enum dx_opcode opcode, uint8_t *data,
                       size_t len, void *user)
{
    struct dx_program *program = user;

    (void)connection;
    if (program->route->options.answers_text_ping && opcode == DX_OP_TEXT && len == 4 &&
        memcmp(data, "ping", 4) == 0) {
        program->pong_is_owed = true;
        dx_program_output_pong(program);
    } else {
        pass_on(program, &(struct dx_framing_piece){opcode, data, len, true});
    }
}

/* ---- the end of the client ---- */

static void on_peer_close(struct dx_connection *connection, uint16_t code, const char *reason,
                          size_t reason_len, void *user)
{
    struct dx_program *program = user;

    (void)connection;
    (void)reason;
    (void)reason_len;
    program->close_is_due = true;
    program->close_code = code;
    dx_program_input_end(program, false);
    dx_program_ladder_begin(program);
    dx_program_end_if_done(program);
}

static void on_hang_up(struct dx_connection *connection, void *user)
{
    struct dx_program *program = user;

    (void)connection;
    dx_program_input_end(program, true);
    dx_program_ladder_begin(program);
}

static void on_drain(struct dx_connection *connection, void *user)
{
    (void)connection;
    dx_program_output_watch(user);
}

static void on_close(struct dx_connection *connection, const struct dx_close_info *info, void *user)
{
    struct dx_program *program = user;

    (void)connection;
    (void)info;
    if (!program) /* see dx_program_drop */
        return;
    program->connection = NULL;
    program->close_is_due = false;
    program->input_is_paused = false;
    dx_program_input_end(program, true);
    dx_program_output_watch(program);
    dx_program_ladder_begin(program);
    dx_program_end_if_done(program);
}

const struct dx_connection_handlers *dx_program_handlers_for(const struct dx_program_route *route)
{
    static const struct dx_connection_handlers whole = {.size = sizeof(whole),
                                                        .on_message = on_message,
                                                        .on_peer_close = on_peer_close,
                                                        .on_drain = on_drain,
                                                        .on_hang_up = on_hang_up,
                                                        .on_close = on_close};
    static const struct dx_connection_handlers chunks = {.size = sizeof(chunks),
                                                         .on_chunk = on_chunk,
                                                         .on_peer_close = on_peer_close,
                                                         .on_drain = on_drain,
                                                         .on_hang_up = on_hang_up,
                                                         .on_close = on_close};

    if (route->options.answers_text_ping || route->framing->wants_whole_messages)
        return &whole;
    return &chunks;
}
