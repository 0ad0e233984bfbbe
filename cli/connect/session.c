/*
 * session.c - see session.h.
 */
#include "cli/connect/session.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cli/connect/failure.h"
#include "cli/options/complaint.h"
#include "cli/options/number.h"
#include "cli/text/codec.h"

#define AGAIN_MS 50 /* until a queue that has not drained is looked at again */

const char *cli_session_target(const struct cli_session *session)
{
    const char *const *addresses = session->config->listen.items;

    return session->url ? session->url->text : addresses[0];
}

/* ---- the end ---- */

void cli_session_finish(struct cli_session *session, int exit_status)
{
    if (session->outcome != CLI_OUTCOME_SETTLED) {
        session->outcome = CLI_OUTCOME_SETTLED;
        session->status = exit_status;
    }
    if (session->state == CLI_SESSION_OPEN)
        (void)session->peer->close(session->peer, DX_CLOSE_NORMAL, "", 0);
    session->state = CLI_SESSION_OVER;
    session->source->stop(session->source);
    dx_loop_stop(session->loop);
}

static void close_with(struct cli_session *session, uint16_t code, const char *reason, size_t len)
{
    enum dx_err err;

    if (session->state == CLI_SESSION_OVER || session->state == CLI_SESSION_CLOSING)
        return;
    err = session->peer->close(session->peer, code, reason, len);
    if (err != DX_OK) {
        cli_screen_note(session->screen, "not closed: %s",
                        err == DX_ERR_USAGE ? "a code is 1000 or 3000 to 4999" : dx_err_text(err));
        return;
    }
    session->state = CLI_SESSION_CLOSING;
    session->own_code = code;
    session->source->stop(session->source);
}

void cli_session_time_out(struct cli_session *session)
{
    char time[CLI_NUMBER_TEXT_MAX];

    if (session->outcome == CLI_OUTCOME_FULFILLED) {
        cli_session_finish(session, EXIT_SUCCESS);
        return;
    }
    cli_duration_print(session->config->timeout_ms, time);
    cli_session_finish(
        session, cli_screen_complain(session->screen, CLI_EXIT_TIMEOUT, cli_session_target(session),
                                     "not done within %s (--timeout=TIME gives more)", time));
}

bool cli_session_interrupt(struct cli_session *session, int number)
{
    bool is_first = session->outcome != CLI_OUTCOME_SETTLED;
    bool can_close = is_first && session->state == CLI_SESSION_OPEN;

    if (is_first) {
        session->outcome = CLI_OUTCOME_SETTLED;
        session->status = CLI_EXIT_SIGNAL + number;
    }
    if (can_close)
        close_with(session, DX_CLOSE_NORMAL, "", 0);
    else
        cli_session_finish(session, session->status);
    return can_close;
}

/* ---- sinks ---- */

void cli_session_add_sink(struct cli_session *session, struct cli_sink *sink)
{
    struct cli_sink **at = &session->sinks;

    while (*at)
        at = &(*at)->next;
    *at = sink;
}

static void note_message(struct cli_session *session, bool is_ours, enum dx_opcode opcode,
                         const void *data, size_t len)
{
    for (struct cli_sink *sink = session->sinks; sink; sink = sink->next) {
        if (!sink->message || sink->message(sink, is_ours, opcode, data, len))
            continue;
        sink->message = NULL;
        cli_session_finish(session, CLI_EXIT_RESOURCE);
    }
}

/* ---- from the source to the peer ---- */

static enum cli_session_state state_of(void *user)
{
    return ((struct cli_session *)user)->state;
}

/* A message cannot be sent. To a person that is a note, to a script the end. */
static bool refuse_message(struct cli_session *session, const char *note, const char *why)
{
    char name[CLI_SOURCE_NAME_MAX];

    if (session->screen->print) {
        cli_screen_note(session->screen, "not sent: %s", note);
        return true;
    }
    session->source->name(session->source, name);
    cli_session_finish(session,
                       cli_screen_complain(session->screen, CLI_EXIT_RESOURCE, name, "%s", why));
    return false;
}

static bool send_message(void *user, enum dx_opcode opcode, const void *data, size_t len)
{
    struct cli_session *session = user;
    enum dx_err err;

    if (session->state != CLI_SESSION_OPEN && !session->config->reconnects)
        return false;
    err = session->peer->send(session->peer, opcode, data, len);
    switch (err) {
    case DX_OK:
        note_message(session, true, opcode, data, len);
        return true;
    case DX_ERR_QUEUE_FULL:
    case DX_ERR_STATE:
    case DX_ERR_CLOSED:
        return false;
    case DX_ERR_UTF8:
        return refuse_message(session, "it is not UTF-8",
                              "not UTF-8 (use --binary, --hex or --base64 for bytes)");
    default:
        return refuse_message(session, dx_err_text(err), dx_err_text(err));
    }
}

static bool give_message(void *user, const char *data, size_t len)
{
    struct cli_session *session = user;
    enum cli_form form = session->config->form;
    struct cli_buffer *bytes = &session->scratch;

    if (form == CLI_FORM_LINES || form == CLI_FORM_BINARY)
        return send_message(session, form == CLI_FORM_LINES ? DX_OP_TEXT : DX_OP_BINARY, data, len);
    cli_buffer_clear(bytes);
    if (form == CLI_FORM_HEX ? cli_hex_decode(bytes, data, len)
                             : cli_base64_decode(bytes, data, len))
        return send_message(session, DX_OP_BINARY, cli_buffer_text(bytes), cli_buffer_len(bytes));
    if (form == CLI_FORM_HEX)
        return refuse_message(session, "no hexadecimal digits in pairs",
                              "no hexadecimal digits in pairs (write 00ff)");
    return refuse_message(session, "no base64", "no base64 (write AP8=)");
}

static uint64_t now_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static void send_ping(void *user, const char *data, size_t len)
{
    struct cli_session *session = user;

    if (session->state != CLI_SESSION_OPEN ||
        session->peer->ping(session->peer, data, len) != DX_OK)
        cli_screen_note(session->screen, "no ping was sent");
    else
        session->pinged_ns = now_ns();
}

static void close_for_source(void *user, uint16_t code, const char *reason, size_t len)
{
    close_with(user, code, reason, len);
}

static void finish(void *user, int exit_status)
{
    cli_session_finish(user, exit_status);
}

static void feed(struct cli_session *session)
{
    if (session->state == CLI_SESSION_OPEN && !session->input_has_ended)
        session->source->resume(session->source);
}

/* ---- lingering ---- */

static bool is_expecting(const struct cli_session *session)
{
    return session->config->expect > 0 || session->has_pattern;
}

static uint32_t linger_of(const struct cli_session *session)
{
    if (session->config->linger_ms != 0)
        return session->config->linger_ms;
    return is_expecting(session) ? CLI_FOREVER : 1000;
}

static uint64_t latest(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

/* Closes after the silence of --linger, or sets the timer again. */
static void set_linger(void *user)
{
    struct cli_session *session = user;
    uint32_t linger_ms = linger_of(session);
    uint64_t now_ms = dx_loop_now_ms(session->loop);
    uint64_t from_ms;

    if (!session->input_has_ended || session->state != CLI_SESSION_OPEN || linger_ms == CLI_FOREVER)
        return;
    from_ms = latest(session->opened_ms, latest(session->heard_ms, session->input_ended_ms));
    if (session->peer->is_waiting(session->peer)) {
        session->input_ended_ms = now_ms;
        dx_loop_timer_set(session->linger, AGAIN_MS);
    } else if (now_ms >= from_ms + linger_ms) {
        close_with(session, DX_CLOSE_NORMAL, "", 0);
    } else {
        dx_loop_timer_set(session->linger, from_ms + linger_ms - now_ms);
    }
}

static void end_input(void *user)
{
    struct cli_session *session = user;

    session->input_has_ended = true;
    session->input_ended_ms = dx_loop_now_ms(session->loop);
    set_linger(session);
}

/* ---- from the peer to the sinks ---- */

static void on_open(void *user, const struct cli_opening *opening)
{
    struct cli_session *session = user;
    const char *greeting = session->config->on_open;

    for (struct cli_sink *sink = session->sinks; sink; sink = sink->next)
        if (sink->open)
            sink->open(sink, opening);
    session->state = CLI_SESSION_OPEN;
    if (session->outcome == CLI_OUTCOME_FAILING)
        session->outcome = CLI_OUTCOME_OPEN;
    session->opened_ms = dx_loop_now_ms(session->loop);
    if (greeting)
        note_message(session, true, DX_OP_TEXT, greeting, strlen(greeting));
    feed(session);
    set_linger(session);
}

static void on_request(void *user, const char *head, size_t len)
{
    struct cli_session *session = user;

    for (struct cli_sink *sink = session->sinks; sink; sink = sink->next)
        if (sink->request)
            sink->request(sink, head, len);
}

static bool matches(struct cli_session *session, const uint8_t *data, size_t len)
{
    regmatch_t range = {.rm_so = 0, .rm_eo = (regoff_t)len};
    struct cli_buffer *text = &session->scratch;

    if (!session->has_pattern)
        return true;
    /* A message may contain a NUL, and not every regexec() stays below rm_eo. */
    cli_buffer_clear(text);
    cli_buffer_put(text, data, len);
    cli_buffer_put(text, "", 1);
    return !text->has_failed &&
           regexec(&session->pattern, cli_buffer_text(text), 1, &range, REG_STARTEND) == 0;
}

static void on_message(void *user, enum dx_opcode opcode, const uint8_t *data, size_t len)
{
    struct cli_session *session = user;
    uint32_t wanted = session->config->expect > 0 ? session->config->expect : 1;

    if (session->outcome == CLI_OUTCOME_FULFILLED || session->state == CLI_SESSION_OVER)
        return;
    session->heard_ms = dx_loop_now_ms(session->loop);
    note_message(session, false, opcode, data, len);
    if (session->outcome == CLI_OUTCOME_SETTLED || !is_expecting(session) ||
        !matches(session, data, len))
        return;
    if (++session->match_count >= wanted) {
        session->outcome = CLI_OUTCOME_FULFILLED;
        close_with(session, DX_CLOSE_NORMAL, "", 0);
    }
}

static void on_piece(void *user)
{
    struct cli_session *session = user;

    session->heard_ms = dx_loop_now_ms(session->loop);
}

static void on_control(void *user, bool is_ping, const uint8_t *data, size_t len)
{
    struct cli_session *session = user;
    uint64_t rtt_ns = 0;

    if (!is_ping && session->pinged_ns > 0) {
        rtt_ns = now_ns() - session->pinged_ns;
        session->pinged_ns = 0;
    }
    for (struct cli_sink *sink = session->sinks; sink; sink = sink->next)
        if (sink->control)
            sink->control(sink, is_ping, data, len, rtt_ns);
}

static void on_drain(void *user)
{
    feed(user);
}

static void on_error(void *user, const struct dx_error_event *error)
{
    struct cli_session *session = user;

    for (struct cli_sink *sink = session->sinks; sink; sink = sink->next)
        if (sink->error)
            sink->error(sink, error);
    if (session->outcome == CLI_OUTCOME_FULFILLED || session->outcome == CLI_OUTCOME_SETTLED)
        return;
    session->outcome = CLI_OUTCOME_FAILING;
    session->status = cli_screen_complain(session->screen, cli_failure_status(error),
                                          cli_session_target(session), "%s (%s)", error->detail,
                                          cli_failure_advice(session->config, session->url, error));
}

static bool is_ok_code(const struct cli_session *session, uint16_t code)
{
    const struct cli_list *codes = &session->config->ok_codes;
    const uint16_t *items = codes->items;

    /* The peer's answer repeats a code that we closed with. */
    if (code == session->own_code && code != 0)
        return true;
    if (code == DX_CLOSE_NORMAL || code == DX_CLOSE_GOING_AWAY || code == DX_CLOSE_NO_STATUS)
        return true;
    for (size_t i = 0; i < codes->count; i++)
        if (items[i] == code)
            return true;
    return false;
}

static int judge_close(const struct cli_session *session, const struct dx_close_event *close)
{
    const char *target = cli_session_target(session);

    if (session->outcome == CLI_OUTCOME_FULFILLED)
        return EXIT_SUCCESS;
    if (session->outcome != CLI_OUTCOME_OPEN)
        return session->status;
    if (!is_ok_code(session, close->code))
        return cli_screen_complain(session->screen, CLI_EXIT_CLOSE_CODE, target,
                                   "closed with %u%s%.*s (--ok-code=%u treats it as success)",
                                   (unsigned)close->code, close->reason_len > 0 ? " " : "",
                                   (int)close->reason_len, close->reason, (unsigned)close->code);
    if (is_expecting(session))
        return cli_screen_complain(
            session->screen, CLI_EXIT_UNEXPECTED, target,
            "closed after %u of %u expected messages (see --expect and --match)",
            session->match_count, session->config->expect > 0 ? session->config->expect : 1);
    return EXIT_SUCCESS;
}

static void on_close(void *user, const struct dx_close_event *close)
{
    struct cli_session *session = user;

    for (struct cli_sink *sink = session->sinks; sink; sink = sink->next)
        if (sink->close)
            sink->close(sink, close);
    if (close->will_reconnect &&
        (session->outcome == CLI_OUTCOME_OPEN || session->outcome == CLI_OUTCOME_FAILING)) {
        session->state = CLI_SESSION_WAITING;
        session->source->stop(session->source);
        return;
    }
    session->connection_is_gone = true;
    cli_session_finish(session, judge_close(session, close));
}

/* ---- life ---- */

enum dx_err cli_session_init(struct cli_session *session, const struct cli_connect_config *config,
                             const struct cli_screen *screen, struct dx_loop *loop)
{
    *session = (struct cli_session){
        .config = config,
        .screen = screen,
        .loop = loop,
        .peer_events = {.on_open = on_open,
                        .on_request = on_request,
                        .on_message = on_message,
                        .on_piece = on_piece,
                        .on_control = on_control,
                        .on_drain = on_drain,
                        .on_error = on_error,
                        .on_close = on_close,
                        .on_failure = finish,
                        .user = session},
        .source_calls = {.state = state_of,
                         .give = give_message,
                         .send = send_message,
                         .ping = send_ping,
                         .close = close_for_source,
                         .end = end_input,
                         .finish = finish,
                         .user = session},
    };
    /* It compiles: check.c has tried it. */
    session->has_pattern =
        config->match && regcomp(&session->pattern, config->match, REG_EXTENDED | REG_NOSUB) == 0;
    return dx_loop_timer_new(loop, set_linger, session, &session->linger);
}

void cli_session_release(struct cli_session *session)
{
    dx_loop_timer_free(session->linger);
    if (session->has_pattern)
        regfree(&session->pattern);
    cli_buffer_release(&session->scratch);
}
