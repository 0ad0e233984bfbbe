/*
 * program_errors.c - a program's stderr to the log: line by line, so many a second, never a reason for the program to wait.
 */
#include "bridge/program.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static void log_line(struct dx_program *program, const uint8_t *data, size_t len)
{
    uint32_t second = (uint32_t)(dx_loop_now_ms(program->shard->loop) / 1000);

    if (second != program->errors_second) {
        if (program->errors_dropped > 0) {
            char count[16];
            int count_len = snprintf(count, sizeof(count), "%u", program->errors_dropped);

            dx_program_log(program, DX_LOG_WARN, "lines of the program's stderr were left out",
                           "count", count, (size_t)count_len);
        }
        program->errors_second = second;
        program->errors_count = 0;
        program->errors_dropped = 0;
    }
    if (program->errors_count >= DX_STDERR_LINES_A_SECOND) {
        program->errors_dropped++;
        return;
    }
    program->errors_count++;
    dx_program_log(program, DX_LOG_WARN, "stderr", "line", (const char *)data, len);
}

/* Logs a line, in pieces when it is too long for one. */
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
    if (dx_lines_keep(&program->errors_out, data, (size_t)(end - data)) != DX_OK)
        log_line(program, data, (size_t)(end - data));
}

void dx_program_errors_log(struct dx_program *program)
{
    struct dx_lines *kept = &program->errors_out;
    uint8_t *buffer = dx_loop_read_buffer(program->shard->loop);
    ssize_t got = read(program->errors.fd, buffer, DX_READ_SIZE);

    if (got < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (got <= 0) {
        if (kept->carry_len > 0)
            log_pieces(program, kept->carry, kept->carry_len);
        dx_program_errors_close(program);
        return;
    }
    memcpy(buffer - kept->carry_len, kept->carry ? kept->carry : buffer, kept->carry_len);
    log_lines(program, buffer - kept->carry_len, (size_t)got + kept->carry_len);
}

void dx_program_errors_close(struct dx_program *program)
{
    dx_program_pipe_close(program, &program->errors);
    dx_lines_release(&program->errors_out);
}
