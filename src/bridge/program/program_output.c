/*
 * program_output.c - from the program to the client: stdout, and stderr if it goes to the client.
 *
 * One read a turn is framed in one run and sent at once. While the connection is congested the
 * pipes are not read, so that the program waits.
 */
#include "bridge/program/program.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Size of the pipe of a program that writes without pause, in bytes. */
#define WIDE_PIPE 262144

/*
 * The least time after which a slow client is looked at again when the program has ended: the first
 * step of a ladder may be 0.
 */
#define SLOW_CLIENT_MS 100

bool dx_program_is_in_message(const struct dx_program *program)
{
    return program->output.state.is_in_message || program->errors.state.is_in_message;
}

/* ---- which pipe may be read ---- */

/* While one stream is in the middle of a fragmented message, the other one must wait. */
static bool may_send(const struct dx_program *program, const struct dx_program_stream *stream)
{
    return stream->is_for_client &&
           (stream->state.is_in_message || !dx_program_is_in_message(program));
}

static bool want(struct dx_program *program, struct dx_program_stream *stream, bool is_open)
{
    bool may_read = is_open && may_send(program, stream);

    return !stream->is_for_client ||
           dx_program_pipe_want(program, &stream->pipe, may_read ? DX_WATCH_READ : 0);
}

void dx_program_output_watch(struct dx_program *program)
{
    bool is_open = program->connection && !dx_connection_is_congested(program->connection);

    if ((!want(program, &program->output, is_open) || !want(program, &program->errors, is_open)) &&
        program->connection)
        dx_connection_abort(program->connection, DX_ERR_SYSTEM,
                            "the program's output cannot be watched");
}

/* ---- what is read ---- */

static void log_replacement(struct dx_program *program)
{
    if (program->replacement_is_logged)
        return;
    program->replacement_is_logged = true;
    dx_program_log(
        program, DX_LOG_WARN,
        "the program printed text that is not UTF-8: invalid bytes are replaced by U+FFFD "
        "(--framing=binary passes bytes unchanged)",
        NULL, NULL, 0);
}

/* No more output can be sent, so the pipes are closed instead of being read for nothing. */
static void fail_output(struct dx_program *program, enum dx_err err)
{
    const char *reason = err == DX_ERR_UTF8       ? "the program printed text that is not UTF-8"
                         : err == DX_ERR_PROTOCOL ? "the program broke the length framing"
                                                  : NULL;

    if (err == DX_ERR_CLOSED)
        return;
    dx_program_log(program, DX_LOG_ERROR, reason ? reason : "the program's output cannot be sent",
                   "error", dx_err_text(err), strlen(dx_err_text(err)));
    if (reason)
        (void)dx_connection_close(program->connection, DX_CLOSE_INTERNAL_ERROR, reason,
                                  strlen(reason));
    else
        dx_connection_abort(program->connection, err, "the program's output cannot be sent");
    dx_program_stream_close(program, &program->output);
    if (program->errors.is_for_client)
        dx_program_stream_close(program, &program->errors);
    dx_program_input_end(program, true);
    dx_program_ladder_begin(program);
}

static enum dx_err frame(struct dx_program *program, struct dx_program_stream *stream,
                         uint8_t *data, size_t len, struct dx_framed *framed)
{
    if (!stream->framing->feed)
        return dx_connection_send(program->connection, DX_OP_BINARY, data, len);
    return stream->framing->feed(&stream->state, dx_connection_endpoint(program->connection),
                                 program->route->options.invalid_utf8, data, len, framed);
}

static bool is_partial(const struct dx_program_stream *stream)
{
    return stream->is_for_client && stream->framing->is_partial(&stream->state);
}

static bool has_partial_line(const struct dx_program *program)
{
    return is_partial(&program->output) || is_partial(&program->errors);
}

static void plan_flush(struct dx_program *program)
{
    uint32_t after_ms = program->route->options.flush_after_ms;

    if (after_ms == 0)
        return;
    program->flush_due_ms =
        has_partial_line(program) ? dx_loop_now_ms(program->shard->loop) + after_ms : 0;
    dx_program_timer_arm(program);
}

void dx_program_output_pong(struct dx_program *program)
{
    if (!program->pong_is_owed || dx_program_is_in_message(program))
        return;
    program->pong_is_owed = false;
    (void)!dx_connection_send(program->connection, DX_OP_TEXT, "pong", 4);
}

/* Sends the frames that are queued. */
static void send_framed(struct dx_program *program, const struct dx_framed *framed, enum dx_err err)
{
    if (framed->replaced_count > 0)
        log_replacement(program);
    dx_connection_count_sent(program->connection, framed->message_count, framed->payload_len);
    dx_connection_flush(program->connection);
    if (err != DX_OK)
        fail_output(program, err);
    else
        dx_program_output_pong(program);
}

static void deliver(struct dx_program *program, struct dx_program_stream *stream, uint8_t *data,
                    size_t len)
{
    struct dx_framed framed = {0};
    enum dx_err err = frame(program, stream, data, len, &framed);

    program->silent_due_ms = 0;
    send_framed(program, &framed, err);
    plan_flush(program);
}

/* Sends a partial line; at the end of file also a code point that is cut. */
static void flush_stream(struct dx_program *program, struct dx_program_stream *stream, bool is_end)
{
    struct dx_framed framed = {0};
    enum dx_err err;

    if (!program->connection || !stream->is_for_client || stream->pipe.fd < 0)
        return;
    err = stream->framing->flush(&stream->state, dx_connection_endpoint(program->connection),
                                 program->route->options.invalid_utf8, is_end, &framed);
    send_framed(program, &framed, err);
}

/* First the stream whose message is unfinished, or the other's text would become part of it. */
static void flush_streams(struct dx_program *program, bool is_end)
{
    bool errors_are_first = program->errors.state.is_in_message;

    flush_stream(program, errors_are_first ? &program->errors : &program->output, is_end);
    flush_stream(program, errors_are_first ? &program->output : &program->errors, is_end);
}

void dx_program_output_flush_partial(struct dx_program *program)
{
    flush_streams(program, false);
}

/* ---- the pipes ---- */

void dx_program_stream_close(struct dx_program *program, struct dx_program_stream *stream)
{
    dx_program_pipe_close(program, &stream->pipe);
    dx_framing_release(&stream->state);
    if (!has_partial_line(program))
        program->flush_due_ms = 0;
}

static void end_of_file(struct dx_program *program, struct dx_program_stream *stream)
{
    flush_stream(program, stream, true);
    dx_program_stream_close(program, stream);
    dx_program_output_watch(program);
    dx_program_end_if_done(program);
}

/* A program that fills its pipe sleeps until each read. With a wider pipe it runs while we send. */
static void widen(struct dx_program_pipe *pipe)
{
    if (pipe->is_wide)
        return;
    pipe->is_wide = true;
    (void)fcntl(pipe->fd, F_SETPIPE_SZ,
                WIDE_PIPE); /* refused above the user's limit: the pipe keeps its size */
}

static void read_once(struct dx_program *program, struct dx_program_stream *stream)
{
    uint8_t *buffer = dx_loop_read_buffer(program->shard->loop);
    ssize_t got = read(stream->pipe.fd, buffer, DX_READ_SIZE);

    if (got < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (got <= 0) {
        end_of_file(program, stream);
        return;
    }
    if (got == DX_READ_SIZE)
        widen(&stream->pipe);
    deliver(program, stream, buffer, (size_t)got);
    dx_program_output_watch(program);
}

/* Sends what a pipe holds, up to its end. False: the client is too slow. */
static bool read_rest(struct dx_program *program, struct dx_program_stream *stream)
{
    uint8_t *buffer = dx_loop_read_buffer(program->shard->loop);

    for (int i = 0; i < DX_REST_READS && stream->pipe.fd >= 0; i++) {
        ssize_t got;

        if (dx_connection_is_congested(program->connection))
            return false;
        got = read(stream->pipe.fd, buffer, DX_READ_SIZE);
        if (got <= 0)
            return true;
        deliver(program, stream, buffer, (size_t)got);
    }
    return true;
}

bool dx_program_output_read_rest(struct dx_program *program)
{
    if (!program->connection)
        return true;
    if (may_send(program, &program->output) && !read_rest(program, &program->output))
        return false;
    return !may_send(program, &program->errors) || read_rest(program, &program->errors);
}

void dx_program_output_ready(struct dx_watch *watch, unsigned events)
{
    struct dx_program *program = dx_program_of(watch, output.pipe.watch);

    (void)events;
    read_once(program, &program->output);
}

void dx_program_errors_ready(struct dx_watch *watch, unsigned events)
{
    struct dx_program *program = dx_program_of(watch, errors.pipe.watch);

    (void)events;
    if (program->errors.is_for_client)
        read_once(program, &program->errors);
    else
        (void)dx_program_errors_log(program);
}

static void linger(struct dx_program *program, uint32_t delay_ms)
{
    program->linger_due_ms = dx_loop_now_ms(program->shard->loop) + delay_ms;
    dx_program_timer_arm(program);
}

void dx_program_output_drain(struct dx_program *program)
{
    if (program->output.pipe.fd >= 0 || program->errors.pipe.fd >= 0)
        linger(program, program->route->options.ladder_ms[0]);
}

static bool send_rest(struct dx_program *program)
{
    if (!dx_program_output_read_rest(program))
        return false;
    /* The stream with an unfinished message kept the other one waiting. */
    if (dx_program_is_in_message(program)) {
        flush_stream(program,
                     program->errors.state.is_in_message ? &program->errors : &program->output,
                     true);
        if (!dx_program_output_read_rest(program))
            return false;
    }
    flush_streams(program, true);
    return true;
}

bool dx_program_output_linger(struct dx_program *program)
{
    if (!send_rest(program)) {
        /* The client is slow. What is left for it stays in the pipe until it reads. */
        uint32_t step_ms = program->route->options.ladder_ms[0];

        linger(program, step_ms > SLOW_CLIENT_MS ? step_ms : SLOW_CLIENT_MS);
        return true;
    }
    dx_program_stream_close(program, &program->output);
    dx_program_errors_finish(program);
    dx_program_end_if_done(program);
    return false;
}
