/*
 * input.c - see input.h.
 */
#include "cli/connect/source/input.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#define READ_LEN 65536

static void on_readable(int fd, void *user);

static void end(struct cli_input *input, enum cli_input_end how)
{
    cli_input_stop(input);
    input->is_over = true;
    input->on_end(input->user, how);
}

/* ---- cutting ---- */

/* The next message in the buffer: false when it is not whole. */
static bool next(struct cli_input *input, size_t *len, size_t *taken)
{
    const char *from = cli_buffer_text(&input->buffer) + input->at;
    size_t rest = cli_buffer_len(&input->buffer) - input->at;
    const char *mark = NULL;

    if (rest == 0)
        return false;
    if (input->cuts)
        mark = memchr(from + input->scanned, input->mark, rest - input->scanned);
    else
        *len = *taken = rest;
    if (mark) {
        *len = (size_t)(mark - from);
        *taken = *len + 1;
        if (input->mark == '\n' && *len > 0 && from[*len - 1] == '\r')
            --*len;
    } else if (input->cuts) {
        input->scanned = rest;
        *len = *taken = rest; /* an unfinished one counts when nothing follows */
        return input->has_ended;
    }
    return true;
}

/* Gives away what is whole. True: all of it, so more may be read. */
static bool give(struct cli_input *input)
{
    size_t len, taken;

    while (next(input, &len, &taken)) {
        if (len > input->max_len) {
            end(input, CLI_INPUT_TOO_LONG);
            return false;
        }
        if (!input->on_message(input->user, cli_buffer_text(&input->buffer) + input->at, len))
            return false;
        input->number++;
        input->at += taken;
        input->scanned = 0;
    }
    cli_buffer_drop(&input->buffer, input->at);
    input->at = 0;
    if (cli_buffer_len(&input->buffer) > input->max_len) {
        end(input, CLI_INPUT_TOO_LONG);
        return false;
    }
    return true;
}

/* ---- reading ---- */

/* True: something came, or the end. */
static bool read_once(struct cli_input *input)
{
    char *room = cli_buffer_reserve(&input->buffer, READ_LEN);
    ssize_t len;

    if (!room) {
        input->error = ENOMEM;
        end(input, CLI_INPUT_FAILED);
        return false;
    }
    len = read(STDIN_FILENO, room, READ_LEN);
    if (len > 0) {
        cli_buffer_commit(&input->buffer, (size_t)len);
        return true;
    }
    if (len == 0) {
        input->has_ended = true;
        return true;
    }
    if (errno != EAGAIN && errno != EINTR) {
        input->error = errno;
        end(input, CLI_INPUT_FAILED);
    }
    return false;
}

static void on_due(void *user)
{
    on_readable(STDIN_FILENO, user);
}

static enum dx_err wait_for_more(struct cli_input *input)
{
    enum dx_err err = DX_OK;

    if (input->timer) {
        dx_loop_timer_set(input->timer, 0);
        return DX_OK;
    }
    if (!input->watch)
        err = dx_loop_watch_new(input->loop, STDIN_FILENO, on_readable, input, &input->watch);
    if (err != DX_ERR_SYSTEM)
        return err;
    /* A file is always readable. */
    err = dx_loop_timer_new(input->loop, on_due, input, &input->timer);
    if (err == DX_OK)
        dx_loop_timer_set(input->timer, 0);
    return err;
}

enum dx_err cli_input_resume(struct cli_input *input)
{
    bool wants_more;

    if (input->is_over || input->is_pumping)
        return DX_OK;
    input->is_pumping = true;
    wants_more = give(input);
    input->is_pumping = false;
    if (input->is_over)
        return DX_OK;
    if (!wants_more) {
        cli_input_stop(input);
        return DX_OK;
    }
    if (input->has_ended) {
        end(input, CLI_INPUT_END);
        return DX_OK;
    }
    return wait_for_more(input);
}

static void on_readable(int fd, void *user)
{
    struct cli_input *input = user;

    (void)fd;
    if (!read_once(input) && !input->watch && !input->is_over && input->timer)
        dx_loop_timer_set(input->timer, 0);
    if (!input->is_over && cli_input_resume(input) != DX_OK) {
        input->error = ENOMEM;
        end(input, CLI_INPUT_FAILED);
    }
}

void cli_input_stop(struct cli_input *input)
{
    dx_loop_watch_free(input->watch);
    input->watch = NULL;
    if (input->timer)
        dx_loop_timer_unset(input->timer);
}

void cli_input_release(struct cli_input *input)
{
    dx_loop_watch_free(input->watch);
    dx_loop_timer_free(input->timer);
    input->watch = NULL;
    input->timer = NULL;
    cli_buffer_release(&input->buffer);
}
