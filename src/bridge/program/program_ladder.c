/*
 * program_ladder.c - the deadlines of a program, and the steps that end it: end of file, INT, TERM,
 * KILL.
 */
#include "bridge/program/program.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

static void take_nearer(uint64_t *nearest, uint64_t due_ms)
{
    if (due_ms != 0 && due_ms < *nearest)
        *nearest = due_ms;
}

void dx_program_timer_arm(struct dx_program *program)
{
    struct dx_wheel *wheel = dx_loop_wheel(program->shard->loop);
    uint64_t nearest = UINT64_MAX;

    take_nearer(&nearest, program->ladder_due_ms);
    take_nearer(&nearest, program->flush_due_ms);
    take_nearer(&nearest, program->silent_due_ms);
    take_nearer(&nearest, program->linger_due_ms);
    if (nearest == UINT64_MAX)
        dx_wheel_unset(wheel, &program->timer);
    else if (!dx_timer_is_set(&program->timer) || program->timer.due_ms > nearest)
        dx_wheel_set(wheel, &program->timer, nearest);
}

void dx_program_ladder_begin(struct dx_program *program)
{
    if (program->ladder_step != LADDER_NOT_BEGUN || program->has_exited)
        return;
    program->ladder_step = LADDER_END_OF_FILE;
    program->ladder_due_ms =
        dx_loop_now_ms(program->shard->loop) + program->route->options.ladder_ms[0];
    dx_program_timer_arm(program);
}

/* The first step is over: the client waits no longer for output of the program. */
static void stop_waiting(struct dx_program *program)
{
    dx_program_input_end(program, true);
    if (!program->connection)
        return;
    (void)dx_program_output_read_rest(
        program); /* output that came in time is sent even if the loop is late */
    dx_program_output_flush_partial(program);
    if (program->close_is_due)
        dx_program_close_now(program);
    else
        (void)dx_connection_close(program->connection, DX_CLOSE_NORMAL, NULL, 0);
}

static void climb(struct dx_program *program)
{
    static const int signals[] = {0, 0, SIGINT, SIGTERM, SIGKILL};
    const uint32_t *ladder_ms = program->route->options.ladder_ms;

    program->ladder_due_ms = 0;
    if (program->has_exited || program->ladder_step >= LADDER_KILL)
        return;
    program->ladder_step++;
    dx_child_kill(&program->child, signals[program->ladder_step]);
    if (program->ladder_step < LADDER_KILL)
        program->ladder_due_ms =
            dx_loop_now_ms(program->shard->loop) + ladder_ms[program->ladder_step - 1];
    if (program->ladder_step == LADDER_INT)
        stop_waiting(program);
}

static void log_silence(struct dx_program *program)
{
    program->silence_is_logged = true;
    dx_program_log(program, DX_LOG_WARN,
                   "the program has printed nothing for 5 s after a message; many programs buffer "
                   "output to a pipe: make it flush each line (python3 -u, stdbuf -oL)",
                   NULL, NULL, 0);
}

static bool is_due(uint64_t *due_ms, uint64_t now_ms)
{
    if (*due_ms == 0 || *due_ms > now_ms)
        return false;
    *due_ms = 0;
    return true;
}

void dx_program_timer_due(struct dx_timer *timer)
{
    struct dx_program *program = dx_program_of(timer, timer);
    uint64_t now_ms = dx_loop_now_ms(program->shard->loop);

    if (is_due(&program->flush_due_ms, now_ms))
        dx_program_output_flush_partial(program);
    if (is_due(&program->silent_due_ms, now_ms))
        log_silence(program);
    if (program->ladder_due_ms != 0 && program->ladder_due_ms <= now_ms)
        climb(program);
    if (is_due(&program->linger_due_ms, now_ms) && !dx_program_output_linger(program))
        return;
    dx_program_timer_arm(program);
}

uint16_t dx_program_close_code(int status, char *text, size_t text_len)
{
    if (WIFSIGNALED(status)) {
        const char *name = sigabbrev_np(WTERMSIG(status));

        if (name)
            snprintf(text, text_len, "SIG%s", name);
        else
            snprintf(text, text_len, "signal %d", WTERMSIG(status));
        return (uint16_t)(4300 + WTERMSIG(status));
    }
    if (WEXITSTATUS(status) == 0) {
        text[0] = '\0';
        return DX_CLOSE_NORMAL;
    }
    snprintf(text, text_len, "exit status %d", WEXITSTATUS(status));
    return (uint16_t)(4000 + WEXITSTATUS(status));
}
