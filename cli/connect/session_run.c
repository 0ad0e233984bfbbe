/*
 * session_run.c - how a session begins, and how it ends: signals, the time that it has, causes and their exit status.
 */
#include <errno.h>

#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "cli/text/escape.h"
#include "cli/options/number.h"
#include "cli/connect/record.h"
#include "cli/connect/session.h"
#include "cli/connect/session_parts.h"
#include "cli/connect/terminal.h"

#define WHAT_MAX 512
#define USUAL_MEMORY 268435456 /* of a loop's buffers */
#define MEMORY_SHARE 4
#define GIVING_UP_MS 1000 /* for the answer to a Close, after a signal */
#define FINISH_MS 5000    /* for who reads stdout, at the end */

/* ---- what is said ---- */

int cli_session_complain(struct cli_session *session, int exit_status, const char *what,
                         const char *format, ...)
{
    char why[1024];
    char shown[WHAT_MAX];
    char line[2048];
    va_list args;
    int len;

    va_start(args, format);
    vsnprintf(why, sizeof(why), format, args);
    va_end(args);
    if (session->config->is_quiet)
        return exit_status;
    cli_escape(what, strlen(what), shown, sizeof(shown));
    len = snprintf(line, sizeof(line), "duplex connect: %s: ", shown);
    cli_escape(why, strlen(why), line + len, sizeof(line) - (size_t)len - 1);
    strcat(line, "\n");
    if (session->terminal)
        cli_terminal_print(session->terminal, line, strlen(line));
    else
        fputs(line, stderr);
    return exit_status;
}

static const char *target_of(const struct cli_session *session)
{
    const char *const *addresses = session->config->listen.items;

    return session->url.text[0] ? session->url.text : addresses[0];
}

/* ---- causes ---- */

static bool is_ours(enum dx_err err)
{
    return err == DX_ERR_NOMEM || err == DX_ERR_DESCRIPTORS || err == DX_ERR_SYSTEM;
}

static int status_of(const struct dx_error_event *error)
{
    static const int statuses[] = {
        [DX_STEP_RESOLVE] = CLI_EXIT_RESOLVE,   [DX_STEP_CONNECT] = CLI_EXIT_CONNECT,
        [DX_STEP_PROXY] = CLI_EXIT_CONNECT,     [DX_STEP_TLS] = CLI_EXIT_TLS,
        [DX_STEP_UPGRADE] = CLI_EXIT_REFUSED,   [DX_STEP_HANDSHAKE] = CLI_EXIT_PROTOCOL,
        [DX_STEP_PROTOCOL] = CLI_EXIT_PROTOCOL, [DX_STEP_HEARTBEAT] = CLI_EXIT_TIMEOUT,
        [DX_STEP_LOST] = CLI_EXIT_LOST,         [DX_STEP_CLOSED] = CLI_EXIT_UNEXPECTED,
    };

    if (error->err == DX_ERR_NOMEM || (is_ours(error->err) && error->system_error == EMFILE))
        return CLI_EXIT_RESOURCE;
    if (error->step == DX_STEP_HANDSHAKE && error->err == DX_ERR_TIMEOUT)
        return CLI_EXIT_TIMEOUT;
    if (error->step == DX_STEP_HANDSHAKE &&
        (error->err == DX_ERR_CLOSED || error->err == DX_ERR_RESET))
        return CLI_EXIT_LOST;
    return statuses[error->step];
}

static const char *advice_for(const struct cli_session *session, const struct dx_error_event *error)
{
    static const char *const advice[] = {
        [DX_STEP_RESOLVE] = "check the name and the network",
        [DX_STEP_CONNECT] = "check that the server runs there",
        [DX_STEP_PROXY] = "check --proxy and the environment; --proxy=none goes straight",
        [DX_STEP_TLS] = "--ca=FILE names whom to trust, --insecure asks nobody",
        [DX_STEP_HANDSHAKE] = "check that a WebSocket server listens there",
        [DX_STEP_PROTOCOL] = "the server is at fault; -v shows more",
        [DX_STEP_HEARTBEAT] = "check the network, or give --heartbeat more time",
        [DX_STEP_LOST] = "--reconnect tries again",
        [DX_STEP_CLOSED] = "give it more time",
    };

    if (error->step == DX_STEP_UPGRADE) {
        if (error->http_status == 401)
            return "log in with --user or --bearer";
        if (error->http_status == 403)
            return "check the path, --origin and the login; -v shows the whole answer";
        if (error->http_status >= 300 && error->http_status < 400)
            return "--max-redirects=N follows it";
        return "check the path; -v shows the whole answer";
    }
    if (error->err == DX_ERR_TOO_BIG && error->step == DX_STEP_PROTOCOL)
        return "--max-message=SIZE allows more";
    if (error->err == DX_ERR_TIMEOUT && error->step < DX_STEP_PROTOCOL)
        return "check the server, or give --handshake-timeout more time";
    if (error->step == DX_STEP_HANDSHAKE && session->config->subprotocols.count > 0)
        return "check --subprotocol, and that a WebSocket server listens there";
    return advice[error->step];
}

void cli_session_failed(struct cli_session *session, const struct dx_error_event *error)
{
    int exit_status = status_of(error);

    cli_show_error(session, error);
    session->is_failed = true;
    if (session->is_done || session->exit_status >= 0)
        return;
    (void)cli_session_complain(session, exit_status, target_of(session), "%s (%s)", error->detail,
                               advice_for(session, error));
    session->failed_status = exit_status;
}

static bool is_ok_code(const struct cli_session *session, uint16_t code)
{
    const struct cli_list *codes = &session->config->ok_codes;
    const uint16_t *items = codes->items;

    /* The answer to a code of our own is no news. */
    if (code == session->own_code && code != 0)
        return true;
    if (code == DX_CLOSE_NORMAL || code == DX_CLOSE_GOING_AWAY || code == DX_CLOSE_NO_STATUS)
        return true;
    for (size_t i = 0; i < codes->count; i++)
        if (items[i] == code)
            return true;
    return false;
}

static int judge_close(struct cli_session *session, const struct dx_close_event *close)
{
    if (session->is_done)
        return EXIT_SUCCESS;
    if (session->is_failed)
        return session->failed_status;
    if (!is_ok_code(session, close->code))
        return cli_session_complain(session, CLI_EXIT_CLOSE_CODE, target_of(session),
                                    "closed with %u%s%.*s (--ok-code=%u takes it for an end)",
                                    (unsigned)close->code, close->reason_len > 0 ? " " : "",
                                    (int)close->reason_len, close->reason, (unsigned)close->code);
    if (session->config->expect > 0 || session->has_pattern)
        return cli_session_complain(
            session, CLI_EXIT_UNEXPECTED, target_of(session),
            "closed after %u of %u expected messages (see --expect and --match)",
            session->match_count, session->config->expect > 0 ? session->config->expect : 1);
    return EXIT_SUCCESS;
}

void cli_session_closed(struct cli_session *session, const struct dx_close_event *close)
{
    cli_show_close(session, close);
    if (close->will_reconnect && !session->is_done && session->exit_status < 0) {
        session->state = CLI_SESSION_WAITING;
        cli_input_stop(&session->input);
        return;
    }
    session->is_closed = true;
    cli_session_finish(session, session->exit_status >= 0 ? session->exit_status
                                                          : judge_close(session, close));
}

void cli_session_finish(struct cli_session *session, int exit_status)
{
    if (session->exit_status < 0)
        session->exit_status = exit_status;
    if (session->state == CLI_SESSION_OPEN)
        (void)session->peer->close(session->peer, DX_CLOSE_NORMAL, "", 0);
    session->state = CLI_SESSION_OVER;
    cli_input_stop(&session->input);
    dx_loop_stop(session->loop);
}

/* ---- time, signals, stdout ---- */

static void on_timeout(void *user)
{
    struct cli_session *session = user;
    char time[CLI_NUMBER_TEXT_MAX];

    if (session->is_done) {
        cli_session_finish(session, EXIT_SUCCESS);
        return;
    }
    cli_duration_print(session->config->timeout_ms, time);
    cli_session_finish(
        session, cli_session_complain(session, CLI_EXIT_TIMEOUT, target_of(session),
                                      "not done within %s (--timeout=TIME gives more)", time));
}

static void on_giving_up(void *user)
{
    struct cli_session *session = user;

    cli_session_finish(session, session->exit_status);
}

static void on_signal(int fd, void *user)
{
    struct cli_session *session = user;
    struct signalfd_siginfo info;

    while (read(fd, &info, sizeof(info)) == (ssize_t)sizeof(info)) {
        int number = (int)info.ssi_signo;

        if (number == SIGWINCH || number == SIGTSTP) {
            if (session->terminal)
                cli_terminal_signal(session->terminal, number);
            continue;
        }
        if (session->exit_status >= 0 || session->state != CLI_SESSION_OPEN) {
            if (session->exit_status < 0)
                session->exit_status = CLI_EXIT_SIGNAL + number;
            cli_session_finish(session, session->exit_status);
            return;
        }
        session->exit_status = CLI_EXIT_SIGNAL + number;
        cli_session_close(session, DX_CLOSE_NORMAL, "", 0);
        dx_loop_timer_set(session->giving_up, GIVING_UP_MS);
    }
}

static void on_output(void *user)
{
    struct cli_session *session = user;

    if (session->output.error != 0) {
        if (session->state != CLI_SESSION_OVER)
            cli_session_finish(session, cli_session_complain(session, CLI_EXIT_RESOURCE, "stdout",
                                                             "%s (check where the output goes)",
                                                             strerror(session->output.error)));
        return;
    }
    if (session->peer)
        session->peer->pause(session->peer, cli_output_is_blocked(&session->output));
}

/* ---- the beginning ---- */

static int fail(struct cli_session *session, const char *what, const char *why)
{
    return cli_session_complain(session, CLI_EXIT_RESOURCE, what, "%s", why);
}

static int watch_signals(struct cli_session *session)
{
    sigset_t signals;

    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    if (session->wants_terminal) {
        sigaddset(&signals, SIGWINCH);
        sigaddset(&signals, SIGTSTP);
    }
    if (sigprocmask(SIG_BLOCK, &signals, NULL) == 0)
        session->signal_fd = signalfd(-1, &signals, SFD_NONBLOCK | SFD_CLOEXEC);
    if (session->signal_fd < 0)
        return fail(session, "signals", strerror(errno));
    return 0;
}

static int make_loop(struct cli_session *session)
{
    enum dx_err err = dx_loop_new(&session->loop);

    if (err == DX_OK)
        err = dx_loop_watch_new(session->loop, session->signal_fd, on_signal, session,
                                &session->signals);
    if (err == DX_OK)
        err = dx_loop_timer_new(session->loop, on_timeout, session, &session->timeout);
    if (err == DX_OK)
        err = dx_loop_timer_new(session->loop, cli_session_on_linger, session, &session->linger);
    if (err == DX_OK)
        err = dx_loop_timer_new(session->loop, on_giving_up, session, &session->giving_up);
    if (err != DX_OK)
        return fail(session, "event loop", dx_err_text(err));
    /* A longest message on its way in, and one on its way out. */
    if (session->config->max_message > USUAL_MEMORY / MEMORY_SHARE)
        dx_loop_set_max_memory(session->loop,
                               session->config->max_message < SIZE_MAX / MEMORY_SHARE
                                   ? (size_t)session->config->max_message * MEMORY_SHARE
                                   : SIZE_MAX);
    if (session->config->timeout_ms > 0)
        dx_loop_timer_set(session->timeout, session->config->timeout_ms);
    cli_output_init(&session->output, session->loop, on_output, session);
    return 0;
}

static int prepare(struct cli_session *session)
{
    const struct cli_connect_config *config = session->config;
    int exit_status;

    session->wants_terminal = isatty(STDIN_FILENO) && isatty(STDOUT_FILENO) &&
                              config->sends.count == 0 && !config->replay &&
                              config->form != CLI_FORM_BINARY;
    /* Checked before: it compiles. */
    session->has_pattern =
        config->match && regcomp(&session->pattern, config->match, REG_EXTENDED | REG_NOSUB) == 0;
    cli_show_init(session);
    exit_status = watch_signals(session);
    if (exit_status == 0)
        exit_status = make_loop(session);
    if (exit_status == 0 && config->record)
        exit_status = cli_record_open(session, &session->record);
    if (exit_status == 0 && config->replay)
        exit_status = cli_replay_open(session, &session->replay);
    if (exit_status == 0 && session->wants_terminal)
        exit_status = cli_terminal_new(session, &session->terminal);
    return exit_status;
}

static int run(struct cli_session *session)
{
    int exit_status = prepare(session);

    if (exit_status == 0)
        exit_status = session->config->listen.count > 0 ? cli_peer_listen(session, &session->peer)
                                                        : cli_peer_connect(session, &session->peer);
    if (exit_status != 0)
        return exit_status;
    if (session->terminal)
        cli_terminal_run(session->terminal);
    else if (dx_loop_run(session->loop) != DX_OK)
        return fail(session, "event loop", "it did not run");
    if (!cli_output_finish(&session->output, FINISH_MS) && session->exit_status <= 0)
        session->exit_status =
            fail(session, "stdout",
                 session->output.error ? strerror(session->output.error) : "nobody reads it");
    if (!cli_record_close(session->record) && session->exit_status <= 0)
        session->exit_status = CLI_EXIT_RESOURCE;
    session->record = NULL;
    return session->exit_status < 0 ? EXIT_SUCCESS : session->exit_status;
}

static void stop(void *loop)
{
    dx_loop_stop(loop);
}

/* A Close that waits goes out; then whatever is left is cut, so that nothing is left on the loop. */
static void leave_peer(struct cli_session *session)
{
    if (!session->peer)
        return;
    if (!session->is_closed && dx_loop_post(session->loop, stop, session->loop) == DX_OK)
        (void)!dx_loop_run(session->loop);
    if (!session->is_closed)
        session->peer->abort(session->peer);
    session->peer->free(session->peer);
    session->peer = NULL;
}

static void release(struct cli_session *session)
{
    leave_peer(session);
    cli_terminal_free(session->terminal);
    (void)cli_record_close(session->record);
    cli_replay_free(session->replay);
    cli_input_release(&session->input);
    cli_output_release(&session->output);
    dx_loop_timer_free(session->timeout);
    dx_loop_timer_free(session->linger);
    dx_loop_timer_free(session->giving_up);
    dx_loop_watch_free(session->signals);
    if (session->loop)
        (void)!dx_loop_run(session->loop);
    dx_loop_free(session->loop);
    if (session->signal_fd >= 0)
        close(session->signal_fd);
    if (session->has_pattern)
        regfree(&session->pattern);
    cli_buffer_release(&session->scratch);
    cli_url_release(&session->url);
}

int cli_session_run(const struct cli_connect_config *config)
{
    struct cli_session session = {.config = config, .signal_fd = -1, .exit_status = -1};
    int exit_status = run(&session);

    release(&session);
    return exit_status;
}
