/*
 * run.c - puts one run of `duplex connect` together: the loop, a source, a peer, sinks, and what
 * interrupts it (signals, --timeout, a stdout that blocks). What happens then is session.c's.
 */
#include "cli/connect/run.h"

#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "cli/connect/failure.h"
#include "cli/connect/session.h"
#include "cli/connect/target.h"
#include "cli/options/complaint.h"

#define USUAL_MEMORY 268435456 /* bytes of a loop's buffers */
#define MEMORY_SHARE 4
#define GIVING_UP_MS 1000 /* for the answer to a Close after a signal */
#define FINISH_MS 5000    /* for the reader of stdout, at the end */

struct run {
    const struct cli_connect_config *config;
    struct cli_screen screen;
    struct cli_url url;
    struct dx_loop *loop;
    struct dx_loop_timer *timeout;
    struct dx_loop_timer *giving_up;
    struct dx_loop_watch *signals;
    int signal_fd;
    struct cli_output output;
    struct cli_source *terminal; /* the source, when a person types */
    struct cli_session session;
};

/* ---- time, signals, stdout ---- */

static void on_timeout(void *user)
{
    cli_session_time_out(&((struct run *)user)->session);
}

static void on_giving_up(void *user)
{
    cli_session_finish(&((struct run *)user)->session, EXIT_SUCCESS); /* a signal settled it */
}

static void on_signal(int fd, void *user)
{
    struct run *run = user;
    struct signalfd_siginfo info;

    while (read(fd, &info, sizeof(info)) == (ssize_t)sizeof(info)) {
        int number = (int)info.ssi_signo;

        if (number == SIGWINCH || number == SIGTSTP) {
            if (run->terminal)
                cli_terminal_signal(run->terminal, number);
        } else if (cli_session_interrupt(&run->session, number)) {
            dx_loop_timer_set(run->giving_up, GIVING_UP_MS);
        } else {
            return;
        }
    }
}

static int fail(const struct run *run, const char *what, const char *why)
{
    return cli_screen_complain(&run->screen, CLI_EXIT_RESOURCE, what, "%s", why);
}

static void on_output(void *user)
{
    struct run *run = user;
    struct cli_session *session = &run->session;

    if (run->output.error == 0) {
        if (session->peer)
            session->peer->pause(session->peer, cli_output_is_blocked(&run->output));
    } else if (session->state != CLI_SESSION_OVER) {
        cli_session_finish(session, cli_screen_complain(&run->screen, CLI_EXIT_RESOURCE, "stdout",
                                                        "%s (check where the output goes)",
                                                        strerror(run->output.error)));
    }
}

/* ---- the beginning ---- */

/* A URL that cannot be read may have a password anywhere: one with an @ is not shown. */
static int read_url(struct run *run)
{
    const char *given = run->config->url;
    const char *problem = "it is too long";
    char url[DX_URL_MAX + 1];

    if (cli_target_complete(given, url, sizeof(url)) && cli_url_read(&run->url, url, &problem))
        return 0;
    return cli_screen_complain(&run->screen, CLI_EXIT_USAGE, strchr(given, '@') ? "URL" : given,
                               "not the URL of a WebSocket: %s " CLI_URL_FORMS, problem);
}

static bool wants_terminal(const struct cli_connect_config *config)
{
    return isatty(STDIN_FILENO) && isatty(STDOUT_FILENO) && config->sends.count == 0 &&
           !config->replay && config->form != CLI_FORM_BINARY;
}

static int watch_signals(struct run *run)
{
    sigset_t signals;

    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    if (wants_terminal(run->config)) {
        sigaddset(&signals, SIGWINCH);
        sigaddset(&signals, SIGTSTP);
    }
    if (sigprocmask(SIG_BLOCK, &signals, NULL) == 0)
        run->signal_fd = signalfd(-1, &signals, SFD_NONBLOCK | SFD_CLOEXEC);
    return run->signal_fd < 0 ? fail(run, "signals", strerror(errno)) : 0;
}

static int make_loop(struct run *run)
{
    uint64_t max_message = run->config->max_message;
    enum dx_err err = dx_loop_new(&run->loop);

    if (err == DX_OK)
        err = dx_loop_watch_new(run->loop, run->signal_fd, on_signal, run, &run->signals);
    if (err == DX_OK)
        err = dx_loop_timer_new(run->loop, on_timeout, run, &run->timeout);
    if (err == DX_OK)
        err = dx_loop_timer_new(run->loop, on_giving_up, run, &run->giving_up);
    if (err == DX_OK)
        err = cli_session_init(&run->session, run->config, &run->screen, run->loop);
    if (err != DX_OK)
        return fail(run, "event loop", dx_err_text(err));
    /* Room for a longest message that comes and one that leaves. */
    if (max_message > USUAL_MEMORY / MEMORY_SHARE)
        dx_loop_set_max_memory(run->loop, max_message < SIZE_MAX / MEMORY_SHARE
                                              ? (size_t)max_message * MEMORY_SHARE
                                              : SIZE_MAX);
    if (run->config->timeout_ms > 0)
        dx_loop_timer_set(run->timeout, run->config->timeout_ms);
    cli_output_init(&run->output, run->loop, on_output, run);
    return 0;
}

static int make_sinks(struct run *run)
{
    struct cli_sink_setup setup = {run->config, &run->screen, &run->output, run->loop};
    struct cli_sink *sink;
    int exit_status = 0;

    if (run->config->prints_json) {
        exit_status = cli_sink_json(&setup, &sink);
        if (exit_status == 0)
            cli_session_add_sink(&run->session, sink);
    }
    if (exit_status == 0)
        exit_status = cli_sink_text(&setup, &sink);
    if (exit_status != 0)
        return exit_status;
    if (run->config->prints_json)
        sink->message = NULL; /* its notes are wanted all the same */
    cli_session_add_sink(&run->session, sink);
    if (!run->config->record)
        return 0;
    exit_status = cli_sink_record(&setup, &sink);
    if (exit_status == 0)
        cli_session_add_sink(&run->session, sink);
    return exit_status;
}

static int make_source(struct run *run)
{
    struct cli_source_setup setup = {run->config, &run->screen, run->loop,
                                     &run->session.source_calls};
    struct cli_source **source = &run->session.source;
    int exit_status;

    if (run->config->sends.count > 0)
        return cli_source_sends(&setup, source);
    if (run->config->replay)
        return cli_source_replay(&setup, source);
    if (!wants_terminal(run->config))
        return cli_source_stdin(&setup, source);
    exit_status = cli_source_terminal(&setup, source);
    run->terminal = *source;
    return exit_status;
}

static int make_peer(struct run *run)
{
    struct cli_peer_setup setup = {run->config, &run->screen, run->loop, run->session.url,
                                   &run->session.peer_events};

    return run->config->listen.count > 0 ? cli_peer_listen(&setup, &run->session.peer)
                                         : cli_peer_connect(&setup, &run->session.peer);
}

static int prepare(struct run *run)
{
    int exit_status = run->config->url ? read_url(run) : 0;

    if (exit_status == 0)
        exit_status = watch_signals(run);
    if (exit_status == 0)
        exit_status = make_loop(run);
    if (exit_status != 0)
        return exit_status;
    run->session.url = run->config->url ? &run->url : NULL;
    exit_status = make_sinks(run);
    if (exit_status == 0)
        exit_status = make_source(run);
    return exit_status == 0 ? make_peer(run) : exit_status;
}

/* ---- the end ---- */

static bool finish_sinks(struct run *run)
{
    bool is_good = true;

    for (struct cli_sink *sink = run->session.sinks; sink; sink = sink->next)
        is_good = (!sink->finish || sink->finish(sink)) && is_good;
    return is_good;
}

static int go(struct run *run)
{
    struct cli_session *session = &run->session;
    int exit_status = prepare(run);

    if (exit_status != 0)
        return exit_status;
    if (run->terminal)
        cli_terminal_run(run->terminal);
    else if (dx_loop_run(run->loop) != DX_OK)
        return fail(run, "event loop", "it did not run");
    exit_status = session->outcome == CLI_OUTCOME_SETTLED ? session->status : EXIT_SUCCESS;
    if (!cli_output_finish(&run->output, FINISH_MS) && exit_status == EXIT_SUCCESS)
        exit_status = fail(run, "stdout",
                           run->output.error ? strerror(run->output.error) : "nothing reads it");
    if (!finish_sinks(run) && exit_status == EXIT_SUCCESS)
        exit_status = CLI_EXIT_RESOURCE;
    return exit_status;
}

static void stop(void *loop)
{
    dx_loop_stop(loop);
}

/* A Close that is queued goes out; then the rest is cut, so that nothing is left on the loop. */
static void leave_peer(struct run *run)
{
    struct cli_session *session = &run->session;
    struct cli_peer *peer = session->peer;

    if (!peer)
        return;
    if (!session->connection_is_gone && dx_loop_post(run->loop, stop, run->loop) == DX_OK)
        (void)!dx_loop_run(run->loop);
    if (!session->connection_is_gone)
        peer->abort(peer);
    session->peer = NULL;
    peer->free(peer);
}

static void release(struct run *run)
{
    struct cli_session *session = &run->session;

    leave_peer(run);
    if (session->source)
        session->source->free(session->source);
    while (session->sinks) {
        struct cli_sink *sink = session->sinks;

        session->sinks = sink->next;
        sink->free(sink);
    }
    cli_output_release(&run->output);
    cli_session_release(session);
    dx_loop_timer_free(run->timeout);
    dx_loop_timer_free(run->giving_up);
    dx_loop_watch_free(run->signals);
    if (run->loop)
        (void)!dx_loop_run(run->loop);
    dx_loop_free(run->loop);
    if (run->signal_fd >= 0)
        close(run->signal_fd);
    cli_url_release(&run->url);
}

int cli_connect_run(const struct cli_connect_config *config)
{
    struct run run = {.config = config, .signal_fd = -1};
    int exit_status;

    cli_screen_init(&run.screen, config);
    exit_status = go(&run);
    release(&run);
    return exit_status;
}
