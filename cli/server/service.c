/*
 * service.c - starts, announces and ends a server.
 */
#include "cli/server/service.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "cli/server/tls.h"
#include "cli/text/escape.h"

#define WHY_MAX 256

/* The limits of each WebSocket. */
static struct dx_connection_options connection_options(const struct cli_server_config *config)
{
    struct dx_connection_options options = dx_connection_options_init();

    options.max_message = config->limits.max_message;
    options.max_fragments = config->limits.max_fragments;
    options.max_queue = (size_t)config->limits.max_queue;
    options.message_timeout_ms = config->times.message_ms;
    options.write_timeout_ms = config->times.write_ms;
    options.close_timeout_ms = config->times.close_ms;
    options.ping_interval_ms = config->times.ping_interval_ms;
    options.pong_timeout_ms = config->times.pong_ms;
    return options;
}

/* Many connections need many descriptors; programs get the old limit back. */
static void raise_descriptor_limit(struct cli_service *service)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
        return;
    service->descriptor_limit = limit.rlim_cur;
    limit.rlim_cur = limit.rlim_max;
    (void)setrlimit(RLIMIT_NOFILE, &limit);
}

/* ---- ending ---- */

static void on_programs_closed(void *user)
{
    struct cli_service *service = user;

    dx_loop_stop(service->loop);
}

static void on_server_closed(void *user)
{
    struct cli_service *service = user;

    if (service->programs)
        dx_programs_close(service->programs, on_programs_closed, service);
    else
        dx_loop_stop(service->loop);
}

static void begin_ending(struct cli_service *service, int number)
{
    static const char *const texts[] = {[SIGTERM] = "ending on SIGTERM",
                                        [SIGINT] = "ending on SIGINT",
                                        [SIGHUP] = "ending on SIGHUP"};

    service->signal = number;
    cli_log_say(service->log, DX_LOG_INFO, texts[number], NULL);
    dx_server_close(service->server, number == SIGTERM ? service->config->times.drain_ms : 0,
                    on_server_closed, service);
}

/* False: the loop ends, read no more signals. */
static bool take_signal(struct cli_service *service, const struct signalfd_siginfo *info)
{
    int number = (int)info->ssi_signo;

    /*
     * From the kernel it means that the terminal has gone: it ends the server, as it does without
     * TLS.
     */
    if (number == SIGHUP && info->ssi_code != SI_KERNEL) {
        if (service->signal == 0)
            cli_tls_reload(service);
        return true;
    }
    if (service->signal == 0) {
        begin_ending(service, number);
        return true;
    }
    service->exit_status = 128 + number;
    if (service->programs)
        dx_programs_kill(service->programs);
    dx_loop_stop(service->loop);
    return false;
}

static void on_signal(int fd, void *user)
{
    struct cli_service *service = user;
    struct signalfd_siginfo info;

    while (read(fd, &info, sizeof(info)) == (ssize_t)sizeof(info))
        if (!take_signal(service, &info))
            return;
}

/* ---- starting ---- */

/* Before any thread is started, so that all threads have them blocked. */
static int block_signals(struct cli_service *service)
{
    sigset_t signals;

    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    if (service->config->tls.cert)
        sigaddset(&signals, SIGHUP);
    if (sigprocmask(SIG_BLOCK, &signals, NULL) == 0)
        service->signal_fd = signalfd(-1, &signals, SFD_NONBLOCK | SFD_CLOEXEC);
    if (service->signal_fd < 0)
        return cli_fail(service->name, "signals", strerror(errno));
    return 0;
}

static int make_server(struct cli_service *service)
{
    const struct cli_server_config *config = service->config;
    struct dx_server_options options = dx_server_options_init();
    struct dx_connection_options connection;
    struct dx_log_sink sink;
    enum dx_err err = dx_loop_new(&service->loop);

    if (err == DX_OK)
        err = dx_loop_watch_new(service->loop, service->signal_fd, on_signal, service,
                                &service->signals);
    if (err != DX_OK)
        return cli_fail(service->name, "event loop", dx_err_text(err));
    connection = connection_options(config);
    sink = cli_log_sink(service->log);
    options.connection = &connection;
    options.handshake_timeout_ms = config->times.handshake_ms;
    options.max_connections = config->limits.max_connections;
    options.max_memory = config->limits.max_memory;
    options.threads = config->threads;
    options.origins = config->admission.origins.items;
    options.origin_count = config->admission.origins.count;
    options.hosts = config->admission.hosts.items;
    options.host_count = config->admission.hosts.count;
    options.subprotocols = config->admission.subprotocols.items;
    options.subprotocol_count = config->admission.subprotocols.count;
    options.log = &sink;
    err = dx_server_new(service->loop, &options, &service->server);
    return err == DX_OK ? 0 : cli_fail(service->name, "server", dx_err_text(err));
}

static int listen_on_all(struct cli_service *service)
{
    const struct cli_server_config *config = service->config;
    const char *const *addresses = config->listen.items;
    char why[WHY_MAX] = "";
    int exit_status = cli_tls_make(service, &service->tls);

    for (size_t i = 0; i < config->listen.count && exit_status == 0; i++) {
        enum dx_err err =
            dx_server_listen(service->server, addresses[i], service->tls, why, sizeof(why));

        if (err != DX_OK) {
            char what[WHY_MAX];

            snprintf(what, sizeof(what), "--listen=%s", addresses[i]);
            if (err == DX_ERR_ADDRESS_IN_USE)
                strncat(why, " (choose another: --port=PORT)", sizeof(why) - strlen(why) - 1);
            exit_status = cli_fail(service->name, what, why[0] ? why : dx_err_text(err));
        }
    }
    return exit_status;
}

/* One line, so that a script can wait for it: duplex: serving on URL, URL */
static void announce(const struct cli_service *service)
{
    const char *url;

    flockfile(stderr);
    fputs("duplex: serving on", stderr);
    for (size_t i = 0; (url = dx_server_url(service->server, i)) != NULL; i++)
        fprintf(stderr, "%s %s", i > 0 ? "," : "", url);
    fputc('\n', stderr);
    fflush(stderr);
    funlockfile(stderr);
}

static int open_log(struct cli_service *service)
{
    const struct cli_log_config *config = &service->config->log;

    service->log = cli_log_open(config);
    if (service->log)
        return 0;
    fprintf(stderr, "duplex %s: --log-file=%s: %s (check the path)\n", service->name,
            config->file ? cli_shown(config->file).text : "stderr", strerror(errno));
    return CLI_EXIT_RESOURCE;
}

static int start(struct cli_service *service, cli_service_routes *add_routes, const void *user)
{
    int exit_status = open_log(service);

    if (exit_status != 0)
        return exit_status;
    cli_tls_warn(service);
    raise_descriptor_limit(service);
    exit_status = block_signals(service);
    if (exit_status == 0)
        exit_status = make_server(service);
    if (exit_status == 0)
        exit_status = add_routes(service, user);
    if (exit_status == 0)
        exit_status = listen_on_all(service);
    return exit_status;
}

static int run(struct cli_service *service)
{
    cli_tls_announce(service);
    announce(service);
    if (dx_loop_run(service->loop) != DX_OK)
        return cli_fail(service->name, "event loop", "could not run");
    return service->exit_status;
}

int cli_service_run(const char *name, const struct cli_server_config *config,
                    cli_service_routes *add_routes, const void *user)
{
    struct cli_service service = {.name = name, .config = config, .signal_fd = -1};
    int exit_status = start(&service, add_routes, user);

    if (exit_status == 0)
        exit_status = run(&service);
    /* After a second signal nothing may delay the exit; the spawner ends the programs. */
    if (service.exit_status >= 128)
        _exit(service.exit_status);
    dx_programs_free(service.programs);
    dx_server_free(service.server);
    dx_tls_free(service.tls);
    dx_loop_watch_free(service.signals);
    dx_loop_free(service.loop);
    if (service.signal_fd >= 0)
        close(service.signal_fd);
    cli_log_close(service.log);
    return exit_status;
}
