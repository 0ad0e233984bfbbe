/*
 * config.h - everything that a command line says, as the commands read it. Filled in by parse.c
 * from the table in options.c.
 *
 * Strings are borrowed from argv, the environment or the program itself; lists and routes are owned
 * by the config.
 */
#ifndef CLI_CONFIG_H
#define CLI_CONFIG_H

#include <duplex/files.h>
#include <duplex/program.h>

#include "cli/connect/connect_config.h"
#include "cli/options/ladder.h"
#include "cli/options/route.h"

struct cli_command;
struct cli_log;

enum cli_wish { CLI_WISH_RUN = 0, CLI_WISH_HELP, CLI_WISH_VERSION };
enum cli_log_format { CLI_LOG_TEXT = 0, CLI_LOG_JSON };

struct cli_config {
    const struct cli_command *command;
    enum cli_wish wish;
    char **program; /* serve: COMMAND [ARG…], ends with NULL; NULL when none was given */

    struct cli_list
        listen; /* const char *: addresses as dx_server_listen takes them; of a server never empty */
    const char *tls_cert; /* NULL: no TLS; given together with tls_key */
    const char *tls_key;
    const char *tls_client_ca; /* NULL: clients show no certificate; only with tls_cert */
    bool tls_self_signed;      /* never with tls_cert */

    enum dx_framing framing;
    enum dx_newlines newlines;
    uint32_t flush_after_ms; /* 0: never */
    enum dx_invalid_utf8 invalid_utf8;
    enum dx_stderr stderr_to;
    const char *chdir;   /* NULL: as now */
    struct cli_list env; /* const char *: "NAME=VALUE" */
    struct cli_ladder ladder;
    bool text_pong;

    struct cli_list
        routes; /* struct cli_route; paths differ, none is "/" when `program` is given */
    struct cli_list statics; /* struct cli_static; paths differ */

    struct cli_list origins;      /* const char *; empty: the library's default */
    struct cli_list hosts;        /* const char * */
    struct cli_list subprotocols; /* const char * */

    uint64_t max_message;
    uint32_t max_fragments;
    uint32_t max_connections; /* 0: the descriptor limit less 64 */
    uint32_t max_programs;
    uint64_t max_queue;
    uint64_t max_memory;

    uint32_t handshake_timeout_ms;
    /* 0: none */
    uint32_t message_timeout_ms;
    uint32_t write_timeout_ms;
    uint32_t close_timeout_ms;
    uint32_t ping_interval_ms;
    uint32_t pong_timeout_ms;
    uint32_t drain_ms;

    uint32_t threads;

    enum dx_log_level log_level;
    enum cli_log_format log_format;
    const char *log_file; /* NULL: stderr */
    struct cli_log *log;  /* open when a command is entered; owned by main */

    struct cli_connect_config connect;
};

/** Frees the lists. Any config that was zeroed or parsed into. */
void cli_config_release(struct cli_config *config);

#endif
