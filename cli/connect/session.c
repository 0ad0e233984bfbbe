/*
 * session.c - see session.h: from the input to the peer, from the peer to the output. How it begins and ends is session_run.c's.
 */
#include "cli/connect/session.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cli/text/codec.h"
#include "cli/options/complaint.h"
#include "cli/connect/record.h"
#include "cli/connect/session_parts.h"
#include "cli/connect/terminal.h"

#define AGAIN_MS 50 /* until what waits is looked at again */

/* ---- from the input to the peer ---- */

static bool fail_input(struct cli_session *session, const char *why)
{
    const struct cli_connect_config *config = session->config;
    char what[64] = "stdin";

    if (config->sends.count > 0)
        strcpy(what, "--send");
    else if (config->form != CLI_FORM_BINARY)
        snprintf(what, sizeof(what), "stdin, message %llu",
                 (unsigned long long)session->input.number + 1);
    cli_session_finish(session, cli_session_complain(session, CLI_EXIT_RESOURCE, what, "%s", why));
    return false;
}

bool cli_session_send(struct cli_session *session, enum dx_opcode opcode, const void *data,
                      size_t len)
{
    enum dx_err err;

    if (session->state != CLI_SESSION_OPEN && !session->config->reconnects)
        return false;
    err = session->peer->send(session->peer, opcode, data, len);
    if (err == DX_OK && session->record)
        cli_record_message(session->record, true, opcode, data, len);
    if (err == DX_OK || err == DX_ERR_QUEUE_FULL || err == DX_ERR_STATE || err == DX_ERR_CLOSED)
        return err == DX_OK;
    if (session->terminal) {
        cli_show_note(session, "not sent: %s",
                      err == DX_ERR_UTF8 ? "it is not UTF-8" : dx_err_text(err));
        return true;
    }
    return fail_input(session, err == DX_ERR_UTF8
                                   ? "not UTF-8 (use --binary, --hex or --base64 for bytes)"
                                   : dx_err_text(err));
}

bool cli_session_give(struct cli_session *session, const char *data, size_t len)
{
    enum cli_form form = session->config->form;
    struct cli_buffer *bytes = &session->scratch;
    bool is_good;

    if (form == CLI_FORM_LINES || form == CLI_FORM_BINARY)
        return cli_session_send(session, form == CLI_FORM_LINES ? DX_OP_TEXT : DX_OP_BINARY, data,
                                len);
    cli_buffer_clear(bytes);
    is_good = form == CLI_FORM_HEX ? cli_hex_decode(bytes, data, len)
                                   : cli_base64_decode(bytes, data, len);
    if (is_good)
        return cli_session_send(session, DX_OP_BINARY, cli_buffer_text(bytes),
                                cli_buffer_len(bytes));
    if (session->terminal) {
        cli_show_note(session, "not sent: %s",
                      form == CLI_FORM_HEX ? "no hexadecimal digits in pairs" : "no base64");
        return true;
    }
    return fail_input(session, form == CLI_FORM_HEX ? "no hexadecimal digits in pairs (write 00ff)"
                                                    : "no base64 (write AP8=)");
}

static bool on_input(void *user, const char *data, size_t len)
{
    return cli_session_give(user, data, len);
}

static void on_input_end(void *user, enum cli_input_end how)
{
    struct cli_session *session = user;

    if (how == CLI_INPUT_TOO_LONG)
        (void)fail_input(session, "longer than --max-message");
    else if (how == CLI_INPUT_FAILED)
        (void)fail_input(session, strerror(session->input.error));
    else
        cli_session_end_input(session);
}

static bool send_texts(struct cli_session *session)
{
    const struct cli_list *sends = &session->config->sends;
    const char *const *texts = sends->items;

    while (session->sent_count < sends->count) {
        const char *text = texts[session->sent_count];

        if (!cli_session_give(session, text, strlen(text)))
            return false;
        session->sent_count++;
    }
    return true;
}

/* Gives the peer what it may have now. */
static void feed(struct cli_session *session)
{
    const struct cli_connect_config *config = session->config;
    struct cli_input *input = &session->input;

    if (session->state != CLI_SESSION_OPEN || session->input_ended)
        return;
    if (config->sends.count > 0) {
        if (send_texts(session))
            cli_session_end_input(session);
    } else if (session->replay) {
        cli_replay_resume(session->replay);
    } else if (session->terminal) {
        cli_terminal_resume(session->terminal);
    } else {
        input->loop = session->loop;
        input->cuts = config->form != CLI_FORM_BINARY;
        input->mark = config->ends_with_null ? '\0' : '\n';
        input->max_len = (size_t)session->config->max_message;
        input->on_message = on_input;
        input->on_end = on_input_end;
        input->user = session;
        if (cli_input_resume(input) != DX_OK)
            (void)fail_input(session, "it cannot be read");
    }
}

void cli_session_drained(struct cli_session *session)
{
    feed(session);
}

/* ---- lingering ---- */

static bool is_expecting(const struct cli_session *session)
{
    return session->config->expect > 0 || session->has_pattern;
}

static uint32_t linger_of(const struct cli_session *session)
{
    uint32_t linger_ms = session->config->linger_ms;

    if (linger_ms == 0)
        return is_expecting(session) ? CLI_FOREVER : 1000;
    return linger_ms;
}

static void set_linger(struct cli_session *session)
{
    uint32_t linger_ms = linger_of(session);
    uint64_t now_ms = dx_loop_now_ms(session->loop);
    uint64_t from_ms = session->opened_ms;

    if (!session->input_ended || session->state != CLI_SESSION_OPEN || linger_ms == CLI_FOREVER)
        return;
    if (session->heard_ms > from_ms)
        from_ms = session->heard_ms;
    if (session->ended_ms > from_ms)
        from_ms = session->ended_ms;
    if (session->peer->is_waiting(session->peer)) {
        session->ended_ms = now_ms;
        dx_loop_timer_set(session->linger, AGAIN_MS);
    } else if (now_ms >= from_ms + linger_ms) {
        cli_session_close(session, DX_CLOSE_NORMAL, "", 0);
    } else {
        dx_loop_timer_set(session->linger, from_ms + linger_ms - now_ms);
    }
}

void cli_session_on_linger(void *user)
{
    set_linger(user);
}

void cli_session_end_input(struct cli_session *session)
{
    session->input_ended = true;
    session->ended_ms = dx_loop_now_ms(session->loop);
    set_linger(session);
}

/* ---- from the peer ---- */

void cli_session_opened(struct cli_session *session)
{
    const char *greeting = session->config->on_open;

    session->state = CLI_SESSION_OPEN;
    session->has_opened = true;
    session->is_failed = false;
    session->opened_ms = dx_loop_now_ms(session->loop);
    if (session->record) {
        cli_record_opened(session->record);
        if (greeting)
            cli_record_message(session->record, true, DX_OP_TEXT, greeting, strlen(greeting));
    }
    feed(session);
    set_linger(session);
}

void cli_session_request(struct cli_session *session, const char *head, size_t len)
{
    cli_show_request(session, head, len);
}

static bool matches(struct cli_session *session, const uint8_t *data, size_t len)
{
    regmatch_t range = {.rm_so = 0, .rm_eo = (regoff_t)len};
    struct cli_buffer *text = &session->scratch;

    if (!session->has_pattern)
        return true;
    /* There may be a NUL in it; not every regexec() keeps off the byte behind it. */
    cli_buffer_clear(text);
    cli_buffer_put(text, data, len);
    cli_buffer_put(text, "", 1);
    return !text->has_failed &&
           regexec(&session->pattern, cli_buffer_text(text), 1, &range, REG_STARTEND) == 0;
}

void cli_session_message(struct cli_session *session, enum dx_opcode opcode, const uint8_t *data,
                         size_t len)
{
    uint32_t wanted = session->config->expect;

    if (session->is_done || session->state == CLI_SESSION_OVER)
        return;
    session->heard_ms = dx_loop_now_ms(session->loop);
    if (session->record)
        cli_record_message(session->record, false, opcode, data, len);
    cli_show_message(session, opcode, data, len);
    if (!is_expecting(session) || !matches(session, data, len))
        return;
    if (++session->match_count >= (wanted > 0 ? wanted : 1)) {
        session->is_done = true;
        cli_session_close(session, DX_CLOSE_NORMAL, "", 0);
    }
}

void cli_session_heard(struct cli_session *session)
{
    session->heard_ms = dx_loop_now_ms(session->loop);
}

static uint64_t now_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

void cli_session_ping(struct cli_session *session, const char *data, size_t len)
{
    if (session->state != CLI_SESSION_OPEN ||
        session->peer->ping(session->peer, data, len) != DX_OK)
        cli_show_note(session, "no ping was sent");
    else
        session->pinged_ns = now_ns();
}

void cli_session_control(struct cli_session *session, bool is_ping, const uint8_t *data, size_t len)
{
    uint64_t rtt_ns = 0;

    if (!is_ping && session->pinged_ns > 0) {
        rtt_ns = now_ns() - session->pinged_ns;
        session->pinged_ns = 0;
    }
    cli_show_control(session, is_ping, data, len, rtt_ns);
}

/* ---- closing ---- */

void cli_session_close(struct cli_session *session, uint16_t code, const char *reason, size_t len)
{
    enum dx_err err;

    if (session->state == CLI_SESSION_OVER || session->state == CLI_SESSION_CLOSING)
        return;
    err = session->peer->close(session->peer, code, reason, len);
    if (err != DX_OK) {
        cli_show_note(session, "not closed: %s",
                      err == DX_ERR_USAGE ? "a code is 1000 or 3000 to 4999" : dx_err_text(err));
        return;
    }
    session->state = CLI_SESSION_CLOSING;
    session->own_code = code;
    cli_input_stop(&session->input);
}
