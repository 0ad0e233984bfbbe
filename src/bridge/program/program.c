/*
 * program.c - the life of one program, from the request to its last descriptor.
 *
 * Its bytes are carried by program_input.c and program_output.c; program_ladder.c ends it in steps.
 */
#include "bridge/program/program.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
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

/* ---- refusals ---- */

/* The answer to a request that gets no program. */
struct refusal {
    uint16_t status;
    const char *detail;
};

static const struct refusal programs_are_closed = {503, "the programs are being stopped"};

static void refuse(struct dx_request *request, struct refusal refusal)
{
    static const struct dx_header retry = {"Retry-After", "1"};

    dx_request_refuse(request, refusal.status, refusal.detail, &retry, refusal.status == 503);
}

static void refuse_too_many(struct dx_request *request, uint32_t max_programs)
{
    char text[64];

    snprintf(text, sizeof(text), "too many programs are running (--max-programs=%" PRIu32 ")",
             max_programs);
    refuse(request, (struct refusal){503, text});
}

/* Whether another attempt may succeed a moment later. */
static bool is_shortage(int error)
{
    return error == EMFILE || error == ENFILE || error == ENOMEM || error == EAGAIN;
}

/* The program existed when its route was made, so the server's files or limits have changed. */
static struct refusal refusal_of_failure(int error, enum dx_spawn_step step)
{
    if (step == DX_SPAWN_STEP_SPAWNER) /* another one is started at once */
        return (struct refusal){503, "the spawner has died"};
    if (step == DX_SPAWN_STEP_DIRECTORY)
        return (struct refusal){500, "the program's working directory cannot be used"};
    if (step == DX_SPAWN_STEP_INTERPRETER)
        return (struct refusal){500, "the program's interpreter does not exist; check its #! line"};
    if (is_shortage(error))
        return (struct refusal){503, "the system cannot start another program"};
    if (step == DX_SPAWN_STEP_EXEC && error == ENOENT)
        return (struct refusal){404, "no such program"};
    if (error == ENOEXEC)
        return (struct refusal){
            500, "the program could not be started: it needs a first line like #!/bin/sh"};
    return (struct refusal){500, "the program could not be started"};
}

static struct refusal refusal_of_err(enum dx_err err)
{
    bool is_lasting = err == DX_ERR_SYSTEM || err == DX_ERR_TOO_BIG;

    return (struct refusal){is_lasting ? 500 : 503, "the program could not be started"};
}

/* ---- the end of it ---- */

static void free_program(struct dx_turn_task *task)
{
    free(dx_program_of(task, free_task));
}

static void end_program(struct dx_program *program)
{
    struct dx_programs_shard *shard = program->shard;

    dx_program_input_close(program);
    dx_program_stream_close(program, &program->output);
    dx_program_errors_finish(program);
    dx_wheel_unset(dx_loop_wheel(shard->loop), &program->timer);
    dx_loop_flush_cancel(shard->loop, &program->flush_task);
    dx_programs_unlist(program);
    dx_loop_free_later(shard->loop, &program->free_task);
    dx_programs_leave(shard);
}

void dx_program_drop(struct dx_program *program)
{
    struct dx_connection *connection = program->connection;
    struct dx_request *request = program->request;

    dx_child_forget(&program->child);
    program->connection = NULL;
    program->request = NULL;
    if (connection) {
        /* Its on_close comes later, when the program has been freed. */
        dx_connection_set_user(connection, NULL);
        dx_connection_abort(connection, DX_ERR_CLOSED, "the programs were stopped");
    }
    if (request)
        refuse(request, programs_are_closed);
    end_program(program);
}

/* Whether all output of the program has been sent. */
static bool has_sent_all(const struct dx_program *program)
{
    return program->output.pipe.fd < 0 &&
           (!program->errors.is_for_client || program->errors.pipe.fd < 0);
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

void dx_program_end_if_done(struct dx_program *program)
{
    if (program->connection && has_sent_all(program)) {
        if (program->close_is_due) {
            dx_program_close_now(program);
        } else if (program->has_exited) {
            close_for_exit(program);
        } else {
            /*
             * It has closed its stdout but runs on: end it, with time to exit by itself and report
             * a status.
             */
            dx_program_input_end(program, false);
            dx_program_ladder_begin(program);
        }
    }
    if (program->has_exited && !program->connection && !program->request)
        end_program(program);
}

/* ---- the connection's side ---- */

void dx_program_on_shutdown(struct dx_connection *connection, void *user)
{
    struct dx_program *program = dx_connection_user(connection);

    (void)user;
    if (!program) {
        /* The programs were freed in this turn. */
        (void)dx_connection_close(connection, DX_CLOSE_GOING_AWAY, NULL, 0);
        return;
    }
    if (program->close_is_due)
        dx_program_close_now(program); /* the client closed first: its code is repeated */
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
    dx_program_end_if_done(program);
}

/* ---- the spawner's side ---- */

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
    dx_program_output_watch(program);
}

static void on_failed(struct dx_child *child, int error, enum dx_spawn_step step)
{
    struct dx_program *program = dx_child_user(child);
    struct dx_request *request = program->request;
    struct refusal refusal = refusal_of_failure(error, step);
    char text[128];

    snprintf(text, sizeof(text), "%s: %s", refusal.detail, strerror(error));
    refusal.detail = text;
    program->request = NULL;
    if (request)
        refuse(request, refusal); /* which logs it */
    else
        dx_program_log(program, DX_LOG_ERROR, text, NULL, NULL, 0);
    program->has_exited = true;
    dx_program_end_if_done(program);
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
    dx_program_end_if_done(program);
}

static const struct dx_child_callbacks child_callbacks = {on_started, on_failed, on_exited};

/* ---- the start ---- */

/* Makes a pipe; `*its_end` is the program's end of it. */
static bool make_pipe(struct dx_program_pipe *pipe, int *its_end, bool program_reads)
{
    int ends[2];

    if (pipe2(ends, O_CLOEXEC) < 0)
        return false;
    pipe->fd = ends[program_reads ? 1 : 0];
    *its_end = ends[program_reads ? 0 : 1];
    return fcntl(pipe->fd, F_SETFL, O_NONBLOCK) == 0;
}

/* Stdout is read as soon as there is a connection. */
static enum dx_err open_pipes(struct dx_program *program, int its_ends[DX_SPAWN_STREAMS])
{
    enum dx_stderr stderr_to = program->route->options.stderr_to;

    if (!make_pipe(&program->input, &its_ends[0], true) ||
        !make_pipe(&program->output.pipe, &its_ends[1], false))
        return DX_ERR_DESCRIPTORS;
    if (stderr_to == DX_STDERR_STDOUT)
        return DX_OK;
    if (!make_pipe(&program->errors.pipe, &its_ends[2], false))
        return DX_ERR_DESCRIPTORS;
    if (stderr_to == DX_STDERR_LOG &&
        !dx_program_pipe_want(program, &program->errors.pipe, DX_WATCH_READ))
        return DX_ERR_SYSTEM;
    return DX_OK;
}

/* 32 hexadecimal digits. */
static bool make_unique_id(struct dx_loop *loop, char text[33])
{
    static const char digits[] = "0123456789abcdef";
    uint8_t bytes[16];

    if (!dx_loop_fill_random(bytes, sizeof(bytes), loop))
        return false;
    for (size_t i = 0; i < sizeof(bytes); i++) {
        text[2 * i] = digits[bytes[i] >> 4];
        text[2 * i + 1] = digits[bytes[i] & 0xf];
    }
    text[32] = '\0';
    return true;
}

static enum dx_err start_child(struct dx_program *program, const int its_ends[DX_SPAWN_STREAMS])
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
        spec.fds[0] = its_ends[0];
        spec.fds[1] = its_ends[1];
        spec.fds[2] = its_ends[2] >= 0 ? its_ends[2] : STDOUT_FILENO;
        err = dx_child_start(program->shard->channel, &program->child, &child_callbacks, program,
                             &spec);
    }
    dx_environment_release(&environment);
    return err;
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
    program->output = (struct dx_program_stream){
        .pipe = {.on_ready = dx_program_output_ready, .fd = -1},
        .framing = route->framing,
        .is_for_client = true,
    };
    program->errors = (struct dx_program_stream){
        .pipe = {.on_ready = dx_program_errors_ready, .fd = -1},
        .framing = &dx_framing_lines,
        .is_for_client = route->options.stderr_to == DX_STDERR_CLIENT,
    };
    dx_output_init(&program->pending, dx_loop_pool(shard->loop));
    dx_timer_init(&program->timer, dx_program_timer_due);
    program->flush_task.run = dx_program_input_flush;
    program->free_task.run = free_program;
    return program;
}

static enum dx_err start_program(struct dx_program *program)
{
    int its_ends[DX_SPAWN_STREAMS] = {-1, -1, -1};
    enum dx_err err = open_pipes(program, its_ends);

    if (err == DX_OK)
        err = start_child(program, its_ends);
    for (int i = 0; i < DX_SPAWN_STREAMS; i++)
        if (its_ends[i] >= 0)
            close(its_ends[i]);
    if (err == DX_OK)
        dx_programs_list(program);
    return err;
}

static void show_page(struct dx_request *request, const struct dx_program_options *options)
{
    static const struct dx_header allow = {"Allow", "GET, HEAD"};
    const char *method = dx_request_method(request);

    if (strcmp(method, "GET") == 0 || strcmp(method, "HEAD") == 0)
        dx_request_respond(request, 200, "text/html; charset=utf-8", options->page_headers,
                           options->page_header_count, options->page, options->page_len);
    else
        dx_request_refuse(request, 405, "this path accepts GET, HEAD and WebSocket connections",
                          &allow, 1);
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
        refuse(request, programs_are_closed);
        return;
    }
    if (!dx_programs_enter(programs)) {
        refuse_too_many(request, programs->options.max_programs);
        return;
    }
    program = new_program(route, shard);
    if (!program) {
        dx_programs_leave(shard);
        refuse(request, (struct refusal){503, "out of memory"});
        return;
    }
    program->request = request;
    dx_request_set_user(request, program);
    err = start_program(program);
    if (err != DX_OK) {
        program->request = NULL;
        refuse(request, refusal_of_err(err));
        end_program(program);
    }
}
