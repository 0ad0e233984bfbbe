/*
 * service.h - what commands with a server have in common: the log, a server made from the config,
 * its listeners, signals, the ready line, the ending.
 */
#ifndef CLI_SERVICE_H
#define CLI_SERVICE_H

#include <duplex/program.h>
#include <duplex/tls.h>

#include "cli/log/log.h"
#include "cli/server/options.h"

struct cli_service {
    const char *name; /* of the command */
    const struct cli_server_config *config;
    struct cli_log *log;
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

/* Adds routes (and programs). Returns 0, or prints what failed and returns the exit status. */
typedef int cli_service_routes(struct cli_service *service, const void *user);

/**
 * Runs the server of the command `name` until a signal ends it. `add_routes` is called with `user`
 * before anything listens. Returns the exit status: 0, 1 a resource failed, 2 wrong use, 128+N a
 * second signal.
 */
int cli_service_run(const char *name, const struct cli_server_config *config,
                    cli_service_routes *add_routes, const void *user);

#endif
