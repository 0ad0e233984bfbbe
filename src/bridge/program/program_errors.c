/*
 * program_errors.c - logs the stderr of a program, line by line and so many lines a second. It is
 * always read, so that the program never waits for the log.
 */
#include "bridge/program/program.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "bridge/framing/lines.h"

static void log_dropped(struct dx_program *program)
{
    char count[16];
    int len;

    if (program->errors_dropped == 0)
        return;
    len = snprintf(count, sizeof(count), "%u", program->errors_dropped);
    dx_program_log(program, DX_LOG_WARN, "lines of the program's stderr were dropped", "count",
                   count, (size_t)len);
    program->errors_dropped = 0;
}

static void log_line(struct dx_program *program, const uint8_t *data, size_t len)
{
    uint32_t second = (uint32_t)(dx_loop_now_ms(program->shard->loop) / 1000);

    if (second != program->errors_second) {
        log_dropped(program);
        program->errors_second = second;
        program->errors_count = 0;
    }
    if (program->errors_count >= DX_STDERR_LINES_A_SECOND) {
        program->errors_dropped++;
        return;
    }
    program->errors_count++;
    dx_program_log(program, DX_LOG_WARN, "stderr", "line", (const char *)data, len);
}

/* Logs a line, in pieces if it is too long. */
static void log_pieces(struct dx_program *program, const uint8_t *data, size_t len)
{
    do {
        size_t piece_len = len < DX_STDERR_LINE_MAX ? len : DX_STDERR_LINE_MAX;

        log_line(program, data, piece_len);
        data += piece_len;
        len -= piece_len;
    } while (len > 0);
}

static void log_lines(struct dx_program *program, const uint8_t *data, size_t len)
{
    const uint8_t *end = data + len;
    const uint8_t *newline;

    while (data < end && (newline = memchr(data, '\n', (size_t)(end - data))) != NULL) {
        log_pieces(program, data, (size_t)(newline - data));
        data = newline + 1;
    }
    while (end - data > DX_STDERR_LINE_MAX) {
        log_line(program, data, DX_STDERR_LINE_MAX);
        data += DX_STDERR_LINE_MAX;
    }
    if (dx_lines_keep(&program->errors.state, data, (size_t)(end - data)) != DX_OK) {
        log_line(program, data, (size_t)(end - data));
        dx_framing_release(&program->errors.state);
    }
}

bool dx_program_errors_log(struct dx_program *program)
{
    struct dx_framing_state *kept = &program->errors.state;
    uint8_t *buffer = dx_loop_read_buffer(program->shard->loop);
    ssize_t got = read(program->errors.pipe.fd, buffer, DX_READ_SIZE);

    if (got < 0 && (errno == EAGAIN || errno == EINTR))
        return false;
    if (got <= 0) {
        dx_program_errors_close(program);
        return false;
    }
    memcpy(buffer - kept->carry_len, kept->carry ? kept->carry : buffer, kept->carry_len);
    log_lines(program, buffer - kept->carry_len, (size_t)got + kept->carry_len);
    return true;
}

void dx_program_errors_close(struct dx_program *program)
{
    struct dx_framing_state *kept = &program->errors.state;

    if (program->errors.pipe.fd >= 0 && !program->errors.is_for_client) {
        if (kept->carry_len > 0)
            log_pieces(program, kept->carry, kept->carry_len);
        log_dropped(program);
    }
    dx_program_stream_close(program, &program->errors);
}

void dx_program_errors_finish(struct dx_program *program)
{
    if (!program->errors.is_for_client)
        for (int i = 0; i < DX_REST_READS && program->errors.pipe.fd >= 0; i++)
            if (!dx_program_errors_log(program))
                break;
    dx_program_errors_close(program);
}
