/*
 * service.h - what serve and echo have in common: a server made of the config, its listeners,
 * signals, the ready line, the ending.
 */
#ifndef CLI_SERVICE_H
#define CLI_SERVICE_H

#include "cli/options/config.h"

struct cli_service {
    const struct cli_config *config;
    struct dx_loop *loop;
    struct dx_server *server;
    struct dx_tls *tls;            /* NULL: none of the listeners speaks TLS */
    struct dx_programs *programs;  /* NULL for a command without programs */
    uint64_t descriptor_limit;     /* the soft limit that this process was started with */
    struct dx_loop_watch *signals; /* reads signal_fd */
    int signal_fd;
    int signal;      /* the first signal that came; 0: none yet */
    int exit_status; /* of the process */
};

/**
 * Runs the server until a signal ends it. `add_routes` is called before anything listens; it adds
 * routes (and programs) and returns 0, or says what failed and returns the exit status. Returns the
 * exit status: 0, 1 a resource failed, 2 wrong use, 128+N a second signal.
 */
int cli_service_run(const struct cli_config *config,
                    int (*add_routes)(struct cli_service *service));

/** Says on stderr that `what` failed for `why`, in one line; returns CLI_EXIT_RESOURCE. */
int cli_service_fail(const struct cli_service *service, const char *what, const char *why);

/** The limits that the config gives each WebSocket. */
struct dx_connection_options cli_service_connection_options(const struct cli_config *config);

#endif
