/*
 * replay.c - what --record wrote, as a source (source.h): our messages are sent again at
 * their times. The file is read once, at the start; its lines are parsed as they come due.
 */
#include "cli/connect/source/source.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <jansson.h>

#include "base/container.h"
#include "cli/options/complaint.h"
#include "cli/text/codec.h"

#define MS_MAX 1e12 /* 30 years */

struct replay {
    struct cli_source source;
    struct cli_source_setup setup;
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

/* NULL, as where the line names no time: as the line before. */
static bool is_time(const json_t *ms)
{
    double number = json_number_value(ms);

    return !ms || (json_is_number(ms) && number >= 0 && number <= MS_MAX);
}

static bool is_us(const json_t *from)
{
    return json_is_string(from) && strcmp(json_string_value(from), "us") == 0;
}

/* Takes the message from "text" or "base64". False: neither is there, or it is not base64. */
static bool take_message(struct replay *replay, const json_t *object)
{
    const json_t *text = json_object_get(object, "text");
    const json_t *base64 = json_object_get(object, "base64");

    cli_buffer_clear(&replay->message);
    replay->opcode = text ? DX_OP_TEXT : DX_OP_BINARY;
    if (json_is_string(text))
        cli_buffer_put(&replay->message, json_string_value(text), json_string_length(text));
    else if (!json_is_string(base64) ||
             !cli_base64_decode(&replay->message, json_string_value(base64),
                                json_string_length(base64)))
        return false;
    return !replay->message.has_failed;
}

/* False: it is no line of --record. */
static bool read_line(struct replay *replay, const char *at, const char *end, bool *is_ours)
{
    json_t *object = json_loadb(at, (size_t)(end - at), JSON_ALLOW_NUL, NULL);
    const json_t *ms = json_object_get(object, "ms");
    bool is_good = json_is_object(object) && is_time(ms);

    *is_ours = is_us(json_object_get(object, "from"));
    if (is_good && *is_ours)
        is_good = take_message(replay, object);
    if (is_good && ms)
        replay->due_ms = (uint64_t)json_number_value(ms);
    json_decref(object);
    return is_good;
}

static struct replay *replay_of(struct cli_source *source)
{
    return dx_container_of(source, struct replay, source);
}

static void name_it(const struct cli_source *source, char name[CLI_SOURCE_NAME_MAX])
{
    const struct replay *replay = replay_of((struct cli_source *)source);

    snprintf(name, CLI_SOURCE_NAME_MAX, "%s, line %u", replay->setup.config->replay, replay->line);
}

static void fail(struct replay *replay)
{
    const struct cli_source_calls *calls = replay->setup.calls;

    calls->finish(calls->user, cli_screen_complain(replay->setup.screen, CLI_EXIT_RESOURCE,
                                                   replay->setup.config->replay,
                                                   "line %u is none of --record", replay->line));
}

/* The next message of ours. False: there is none, or the file is wrong. */
static bool find_next(struct replay *replay)
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
    replay->setup.calls->end(replay->setup.calls->user);
    return false;
}

/* ---- sending ---- */

static void resume(struct cli_source *source)
{
    struct replay *replay = replay_of(source);
    const struct cli_source_calls *calls = replay->setup.calls;
    uint64_t now_ms = dx_loop_now_ms(replay->setup.loop);

    if (replay->began_ms == 0)
        replay->began_ms = now_ms;
    while (calls->state(calls->user) == CLI_SESSION_OPEN &&
           (replay->is_ready || find_next(replay))) {
        uint64_t due_ms = replay->began_ms + replay->due_ms;

        if (now_ms < due_ms) {
            dx_loop_timer_set(replay->timer, due_ms - now_ms);
            return;
        }
        if (!calls->send(calls->user, replay->opcode, cli_buffer_text(&replay->message),
                         cli_buffer_len(&replay->message)))
            return;
        replay->is_ready = false;
    }
}

static void on_due(void *user)
{
    resume(&((struct replay *)user)->source);
}

static void stop(struct cli_source *source)
{
    dx_loop_timer_unset(replay_of(source)->timer);
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

static void free_replay(struct replay *replay)
{
    if (!replay)
        return;
    dx_loop_timer_free(replay->timer);
    cli_buffer_release(&replay->text);
    cli_buffer_release(&replay->message);
    free(replay);
}

static void free_it(struct cli_source *source)
{
    free_replay(replay_of(source));
}

int cli_source_replay(const struct cli_source_setup *setup, struct cli_source **source)
{
    const char *path = setup->config->replay;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    struct replay *replay = calloc(1, sizeof(*replay));
    bool is_good = fd >= 0 && replay && read_all(&replay->text, fd) &&
                   dx_loop_timer_new(setup->loop, on_due, replay, &replay->timer) == DX_OK;
    int error = errno;

    if (fd >= 0)
        close(fd);
    if (!is_good) {
        free_replay(replay);
        return cli_screen_complain(setup->screen, CLI_EXIT_RESOURCE, path, "%s (check the path)",
                                   strerror(error ? error : ENOMEM));
    }
    replay->source =
        (struct cli_source){.resume = resume, .stop = stop, .name = name_it, .free = free_it};
    replay->setup = *setup;
    *source = &replay->source;
    return 0;
}
