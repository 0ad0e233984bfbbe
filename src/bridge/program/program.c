/*
 * program.c - the life of one program: from the request to the last descriptor.
 *
 * Not responsible for bytes (program_input.c, program_output.c) nor for ending it in steps (program_ladder.c).
 */
#include "bridge/program/program.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bridge/program/environment.h"
#include "server/core/log.h"

void dx_program_log(const struct dx_program *program, enum dx_log_level level, const char *message,
                    const char *name, const char *value, size_t len)
{
    struct dx_log_line line;

    dx_log_line_init(&line);
    dx_log_line_text(&line, "program", program->route->path);
    dx_log_line_number(&line, "pid", (uint64_t)program->child.pid);
    if (name)
        dx_log_line_bytes(&line, name, value, len);
    dx_server_log(program->shard->programs->server, level, message, &line);
}

/* ---- the end of it ---- */

static void free_program(struct dx_turn_task *task)
{
    free(dx_program_of(task, free_task));
}

static void end_program(struct dx_program *program)
{
    struct dx_programs_shard *shard = program->shard;
    struct dx_programs *programs = shard->programs;

    dx_program_input_close(program);
    dx_program_output_close(program);
    dx_program_errors_finish(program);
    dx_wheel_unset(dx_loop_wheel(shard->loop), &program->timer);
    dx_loop_flush_cancel(shard->loop, &program->flush_task);
    dx_programs_unlist(program);
    dx_loop_free_later(shard->loop, &program->free_task);
    dx_programs_leave(programs);
}

void dx_program_drop(struct dx_program *program)
{
    struct dx_connection *connection = program->connection;
    struct dx_request *request = program->request;

    dx_child_forget(&program->child);
    program->connection = NULL;
    program->request = NULL;
    if (connection) {
        /* Its on_close is still to come, when the program is no more. */
        dx_connection_set_user(connection, NULL);
        dx_connection_abort(connection, DX_ERR_CLOSED, "the programs are ended");
    }
    if (request)
        dx_request_refuse(request, 503, "the programs are ended", "Retry-After: 1\r\n");
    end_program(program);
}

/* Whether all that the program had to say has been said. */
static bool has_said_all(const struct dx_program *program)
{
    bool errors_are_said =
        program->route->options.stderr_to != DX_STDERR_CLIENT || program->errors.fd < 0;

    return program->output.fd < 0 && errors_are_said;
}

static void close_for_exit(struct dx_program *program)
{
    char text[64];
    uint16_t code = DX_CLOSE_NORMAL;

    text[0] = '\0';
    if (program->has_exited)
        code = dx_program_close_code(program->status, text, sizeof(text));
    (void)dx_connection_close(program->connection, code, text, strlen(text));
}

void dx_program_close_now(struct dx_program *program)
{
    const char *reason = program->close_reason;

    program->close_is_due = false;
    (void)dx_connection_close(program->connection, program->close_code, reason,
                              reason ? strlen(reason) : 0);
}

void dx_program_judge_end(struct dx_program *program)
{
    if (program->connection && has_said_all(program)) {
        if (program->close_is_due) {
            dx_program_close_now(program);
        } else if (program->has_exited) {
            close_for_exit(program);
        } else {
            /* It has closed its stdout but runs: as ended, after a moment in which it may tell its status. */
            dx_program_input_end(program, false);
            dx_program_ladder_begin(program);
        }
    }
    if (program->has_exited && !program->connection && !program->request)
        end_program(program);
}

/* ---- the connection's side ---- */

void dx_program_on_shutdown(struct dx_connection *connection)
{
    struct dx_program *program = dx_connection_user(connection);

    if (!program) {
        /* Its programs were freed in this turn. */
        (void)dx_connection_close(connection, DX_CLOSE_GOING_AWAY, NULL, 0);
        return;
    }
    if (program->close_is_due)
        dx_program_close_now(program); /* the client was first: it gets its own code back */
    else
        (void)dx_connection_close(connection, DX_CLOSE_GOING_AWAY, NULL, 0);
    dx_program_input_end(program, true);
    dx_program_ladder_begin(program);
}

void dx_program_on_abandoned(struct dx_request *request, void *route)
{
    struct dx_program *program = dx_request_user(request);

    (void)route;
    program->request = NULL;
    dx_program_input_end(program, true);
    if (program->is_started)
        dx_program_ladder_begin(program);
    dx_program_judge_end(program);
}

/* ---- the spawner's side ---- */

static void refuse(struct dx_program *program, uint16_t status, const char *why)
{
    struct dx_request *request = program->request;

    program->request = NULL;
    if (request)
        dx_request_refuse(request, status, why, status == 503 ? "Retry-After: 1\r\n" : NULL);
}

static void on_started(struct dx_child *child)
{
    struct dx_program *program = dx_child_user(child);
    struct dx_request *request = program->request;
    const struct dx_connection_handlers *handlers = dx_program_handlers_for(program->route);

    program->is_started = true;
    program->request = NULL;
    if (!request || dx_request_accept(request, handlers, program, &program->connection) != DX_OK) {
        program->connection = NULL;
        dx_program_input_end(program, true);
        dx_program_ladder_begin(program);
        return;
    }
    dx_program_output_judge(program);
}

static uint16_t status_of_failure(const struct dx_program *program, int error,
                                  enum dx_spawn_step step)
{
    if (error == ENOENT && step == DX_SPAWN_STEP_EXEC)
        return access(program->route->path, F_OK) == 0 ? 500 : 404;
    if (step == DX_SPAWN_STEP_SPAWNER)
        return 503; /* it died in between; the next one is up in a moment */
    return error == EMFILE || error == ENFILE || error == ENOMEM || error == EAGAIN ? 503 : 500;
}

/* Why a program that was there when its route was made cannot be executed. */
static const char *say_exec_failure(const struct dx_program *program, int error)
{
    if (error == ENOENT && access(program->route->path, F_OK) == 0)
        return "the program's interpreter is not there: look at its #! line";
    if (error == ENOENT)
        return "no such program";
    if (error == ENOEXEC)
        return "the program could not be started: it needs a first line like #!/bin/sh";
    return "the program could not be started";
}

static void on_failed(struct dx_child *child, int error, enum dx_spawn_step step)
{
    struct dx_program *program = dx_child_user(child);
    uint16_t status = status_of_failure(program, error, step);
    const char *why = step == DX_SPAWN_STEP_DIRECTORY ? "the program's directory is not there"
                      : step == DX_SPAWN_STEP_SPAWNER ? "the spawner died"
                      : status == 503                 ? "no place for another program"
                                                      : say_exec_failure(program, error);
    char text[128];

    snprintf(text, sizeof(text), "%s: %s", why, strerror(error));
    if (program->request)
        refuse(program, status, text); /* which logs it */
    else
        dx_program_log(program, DX_LOG_ERROR, text, NULL, NULL, 0);
    program->has_exited = true;
    dx_program_judge_end(program);
}

static void on_exited(struct dx_child *child, int status)
{
    struct dx_program *program = dx_child_user(child);
    char text[64];

    program->has_exited = true;
    program->status = status;
    dx_program_close_code(status, text, sizeof(text));
    dx_program_log(program, DX_LOG_DEBUG, "program ended", "status", text, strlen(text));
    program->ladder_due_ms = 0;
    program->silent_due_ms = 0;
    dx_program_input_close(program);
    dx_program_output_drain(program);
    dx_program_judge_end(program);
}

static const struct dx_child_callbacks child_callbacks = {on_started, on_failed, on_exited};

/* ---- the beginning ---- */

enum { OWN_END = 0, ITS_END = 1 };

static bool make_pipe(int pipe[2], bool its_end_reads)
{
    int ends[2];

    if (pipe2(ends, O_CLOEXEC) < 0)
        return false;
    pipe[OWN_END] = its_end_reads ? ends[1] : ends[0];
    pipe[ITS_END] = its_end_reads ? ends[0] : ends[1];
    return fcntl(pipe[OWN_END], F_SETFL, O_NONBLOCK) == 0;
}

static void close_end(int pipes[3][2], int end)
{
    for (int i = 0; i < 3; i++)
        if (pipes[i][end] >= 0)
            close(pipes[i][end]);
}

static enum dx_err make_pipes(const struct dx_program_route *route, int pipes[3][2])
{
    bool has_errors = route->options.stderr_to != DX_STDERR_STDOUT;

    memset(pipes, -1, 3 * sizeof(*pipes));
    if (make_pipe(pipes[0], true) && make_pipe(pipes[1], false) &&
        (!has_errors || make_pipe(pipes[2], false)))
        return DX_OK;
    close_end(pipes, OWN_END);
    close_end(pipes, ITS_END);
    return DX_ERR_DESCRIPTORS;
}

/* 32 hexadecimal digits. */
static bool make_unique_id(struct dx_loop *loop, char text[33])
{
    static const char digits[] = "0123456789abcdef";
    uint8_t bytes[16];

    if (!dx_loop_fill_random(loop, bytes, sizeof(bytes)))
        return false;
    for (size_t i = 0; i < sizeof(bytes); i++) {
        text[2 * i] = digits[bytes[i] >> 4];
        text[2 * i + 1] = digits[bytes[i] & 0xf];
    }
    text[32] = '\0';
    return true;
}

static enum dx_err start_child(struct dx_program *program, int pipes[3][2])
{
    const struct dx_program_route *route = program->route;
    struct dx_environment environment;
    struct dx_child_spec spec = {
        .path = route->path, .argv = route->argv, .directory = route->directory};
    char unique_id[33];
    enum dx_err err;

    dx_environment_init(&environment);
    if (!make_unique_id(program->shard->loop, unique_id))
        return DX_ERR_SYSTEM;
    dx_environment_add_all(&environment, &route->environment);
    dx_environment_add_request(&environment, program->request, unique_id);
    err = dx_environment_finish(&environment);
    if (err == DX_OK) {
        spec.env = environment.list;
        spec.fds[0] = pipes[0][ITS_END];
        spec.fds[1] = pipes[1][ITS_END];
        spec.fds[2] = pipes[2][ITS_END] >= 0 ? pipes[2][ITS_END] : STDOUT_FILENO;
        err = dx_child_start(program->shard->channel, &program->child, &child_callbacks, program,
                             &spec);
    }
    dx_environment_release(&environment);
    return err;
}

/* Takes over our ends; stdout is read once there is a connection. */
static enum dx_err keep_pipes(struct dx_program *program, int pipes[3][2])
{
    bool has_errors = pipes[2][OWN_END] >= 0;

    program->input.fd = pipes[0][OWN_END];
    program->output.fd = pipes[1][OWN_END];
    program->errors.fd = pipes[2][OWN_END];
    if (has_errors && program->route->options.stderr_to == DX_STDERR_LOG &&
        !dx_program_pipe_want(program, &program->errors, DX_WATCH_READ))
        return DX_ERR_SYSTEM;
    return DX_OK;
}

static struct dx_program *new_program(const struct dx_program_route *route,
                                      struct dx_programs_shard *shard)
{
    struct dx_program *program = calloc(1, sizeof(*program));

    if (!program)
        return NULL;
    program->route = route;
    program->shard = shard;
    program->input = (struct dx_program_pipe){.on_ready = dx_program_input_ready, .fd = -1};
    program->output = (struct dx_program_pipe){.on_ready = dx_program_output_ready, .fd = -1};
    program->errors = (struct dx_program_pipe){.on_ready = dx_program_errors_ready, .fd = -1};
    dx_output_init(&program->pending, dx_loop_pool(shard->loop));
    dx_timer_init(&program->timer, dx_program_timer_due);
    program->flush_task.run = dx_program_input_flush;
    program->free_task.run = free_program;
    return program;
}

static enum dx_err start_program(struct dx_program *program)
{
    int pipes[3][2];
    enum dx_err err = make_pipes(program->route, pipes);

    if (err != DX_OK)
        return err;
    err = start_child(program, pipes);
    close_end(pipes, ITS_END);
    if (err != DX_OK) {
        close_end(pipes, OWN_END);
        return err;
    }
    dx_programs_list(program);
    err = keep_pipes(program, pipes);
    program->is_doomed = err != DX_OK;
    return err;
}

static void show_page(struct dx_request *request, const struct dx_program_options *options)
{
    const char *method = dx_request_method(request);

    if (strcmp(method, "GET") == 0 || strcmp(method, "HEAD") == 0)
        dx_request_respond(request, 200, "text/html; charset=utf-8", options->page_headers,
                           options->page, options->page_len);
    else
        dx_request_refuse(request, 405, "this path has a page and a WebSocket",
                          "Allow: GET, HEAD\r\n");
}

void dx_program_on_request(struct dx_request *request, void *user)
{
    const struct dx_program_route *route = user;
    struct dx_programs *programs = route->programs;
    struct dx_programs_shard *shard = dx_programs_shard_of(programs, dx_request_loop(request));
    struct dx_program *program;
    enum dx_err err;

    if (!dx_request_is_upgrade(request)) {
        show_page(request, &route->options);
        return;
    }
    if (!shard->is_open) {
        dx_request_refuse(request, 503, "the programs are ended", "Retry-After: 1\r\n");
        return;
    }
    if (!dx_programs_enter(programs)) {
        dx_request_refuse(request, 503, "no place for another program", "Retry-After: 1\r\n");
        return;
    }
    program = new_program(route, shard);
    if (!program) {
        dx_programs_leave(programs);
        dx_request_refuse(request, 503, "out of memory", "Retry-After: 1\r\n");
        return;
    }
    program->request = request;
    dx_request_set_user(request, program);
    err = start_program(program);
    if (err == DX_OK)
        return;
    refuse(program, err == DX_ERR_SYSTEM || err == DX_ERR_TOO_BIG ? 500 : 503,
           "the program could not be started");
    if (program->is_doomed)
        dx_child_kill(&program->child, SIGKILL); /* it has begun; on_exited frees it */
    else
        end_program(program);
}
