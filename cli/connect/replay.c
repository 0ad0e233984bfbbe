/*
 * replay.c - see record.h: the reading half. The file is read once, at the start; its lines are looked at as they come due.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/text/codec.h"
#include "cli/text/json.h"
#include "cli/options/complaint.h"
#include "cli/connect/record.h"
#include "cli/connect/session.h"

struct cli_replay {
    struct cli_session *session;
    struct dx_loop_timer *timer;
    struct cli_buffer text;
    size_t at;         /* of the next line */
    unsigned line;     /* its number */
    uint64_t began_ms; /* 0: not open yet */
    bool is_ready;     /* `message` waits */
    uint64_t due_ms;
    enum dx_opcode opcode;
    struct cli_buffer message;
};

/* ---- reading a line ---- */

/* What a member's value is, by its name. False: it cannot be that. */
static bool take_member(struct cli_replay *replay, const struct cli_buffer *name,
                        const struct cli_json_token *value, bool *is_ours)
{
    struct cli_buffer text = {0};
    bool is_good = true;

    if (strcmp(cli_buffer_text(name), "ms") == 0) {
        replay->due_ms = strtoull(value->text, NULL, 10);
        return value->kind == CLI_JSON_NUMBER;
    }
    if (value->kind != CLI_JSON_STRING)
        return true;
    if (!cli_json_decode(&text, value)) {
        is_good = false;
    } else if (strcmp(cli_buffer_text(name), "from") == 0) {
        *is_ours = cli_buffer_len(&text) == 2 && memcmp(cli_buffer_text(&text), "us", 2) == 0;
    } else if (strcmp(cli_buffer_text(name), "text") == 0) {
        replay->opcode = DX_OP_TEXT;
        cli_buffer_put(&replay->message, cli_buffer_text(&text), cli_buffer_len(&text));
    } else if (strcmp(cli_buffer_text(name), "base64") == 0) {
        replay->opcode = DX_OP_BINARY;
        is_good =
            cli_base64_decode(&replay->message, cli_buffer_text(&text), cli_buffer_len(&text));
    }
    is_good = is_good && !text.has_failed;
    cli_buffer_release(&text);
    return is_good;
}

/* One object without nesting. */
static bool read_line(struct cli_replay *replay, const char *at, const char *end, bool *is_ours)
{
    struct cli_buffer name = {0};
    bool is_good = cli_json_is_valid(at, (size_t)(end - at));
    struct cli_json_token token;

    *is_ours = false;
    replay->opcode = DX_OP_CONTINUATION;
    cli_buffer_clear(&replay->message);
    if (!is_good)
        return false;
    token = cli_json_next(&at, end);
    is_good = *token.text == '{';
    while (is_good) {
        token = cli_json_next(&at, end);
        if (token.kind == CLI_JSON_MARK && *token.text == ',')
            continue;
        if (token.kind != CLI_JSON_STRING)
            break;
        cli_buffer_clear(&name);
        is_good = cli_json_decode(&name, &token);
        cli_buffer_put(&name, "", 1);
        (void)cli_json_next(&at, end); /* the colon */
        token = cli_json_next(&at, end);
        is_good = is_good && !name.has_failed && token.kind != CLI_JSON_MARK &&
                  take_member(replay, &name, &token, is_ours);
    }
    cli_buffer_release(&name);
    return is_good && (!*is_ours || replay->opcode != DX_OP_CONTINUATION);
}

static void fail(struct cli_replay *replay)
{
    struct cli_session *session = replay->session;

    cli_session_finish(session,
                       cli_session_complain(session, CLI_EXIT_RESOURCE, session->config->replay,
                                            "line %u is none of --record", replay->line));
}

/* The next message of ours. False: there is none, or the file is wrong. */
static bool find_next(struct cli_replay *replay)
{
    while (replay->at < cli_buffer_len(&replay->text)) {
        const char *at = cli_buffer_text(&replay->text) + replay->at;
        const char *end = memchr(at, '\n', cli_buffer_len(&replay->text) - replay->at);
        bool is_ours;

        if (!end)
            end = cli_buffer_text(&replay->text) + cli_buffer_len(&replay->text);
        replay->at = (size_t)(end - cli_buffer_text(&replay->text)) + 1;
        replay->line++;
        if (!read_line(replay, at, end, &is_ours)) {
            fail(replay);
            return false;
        }
        if (is_ours) {
            replay->is_ready = true;
            return true;
        }
    }
    cli_session_end_input(replay->session);
    return false;
}

/* ---- sending ---- */

void cli_replay_resume(struct cli_replay *replay)
{
    struct cli_session *session = replay->session;
    uint64_t now_ms = dx_loop_now_ms(session->loop);

    if (replay->began_ms == 0)
        replay->began_ms = now_ms;
    while (session->state == CLI_SESSION_OPEN && (replay->is_ready || find_next(replay))) {
        uint64_t due_ms = replay->began_ms + replay->due_ms;

        if (now_ms < due_ms) {
            dx_loop_timer_set(replay->timer, due_ms - now_ms);
            return;
        }
        if (!cli_session_send(session, replay->opcode, cli_buffer_text(&replay->message),
                              cli_buffer_len(&replay->message)))
            return;
        replay->is_ready = false;
    }
}

static void on_due(void *user)
{
    cli_replay_resume(user);
}

/* ---- life ---- */

static bool read_all(struct cli_buffer *text, int fd)
{
    ssize_t len = 0;

    do {
        char *room = cli_buffer_reserve(text, 65536);

        if (!room) {
            errno = ENOMEM;
            return false;
        }
        len = read(fd, room, 65536);
        if (len > 0)
            cli_buffer_commit(text, (size_t)len);
    } while (len > 0);
    return len == 0;
}

int cli_replay_open(struct cli_session *session, struct cli_replay **replay)
{
    const char *path = session->config->replay;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    struct cli_replay *made = calloc(1, sizeof(*made));
    bool is_good = fd >= 0 && made && read_all(&made->text, fd) &&
                   dx_loop_timer_new(session->loop, on_due, made, &made->timer) == DX_OK;
    int error = errno;

    if (fd >= 0)
        close(fd);
    if (!is_good) {
        cli_replay_free(made);
        return cli_session_complain(session, CLI_EXIT_RESOURCE, path, "%s (check the path)",
                                    strerror(error ? error : ENOMEM));
    }
    made->session = session;
    *replay = made;
    return 0;
}

void cli_replay_free(struct cli_replay *replay)
{
    if (!replay)
        return;
    dx_loop_timer_free(replay->timer);
    cli_buffer_release(&replay->text);
    cli_buffer_release(&replay->message);
    free(replay);
}
