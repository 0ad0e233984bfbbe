/*
 * options.h - the options that every command with a server has, in groups by heading, and what they
 * fill in.
 *
 * A command puts a struct cli_server_config into its config and lists the groups that it needs,
 * with the offset of that struct. Where defaults or texts differ (--origin, --max-message,
 * --max-queue) the row is the command's own.
 */
#ifndef CLI_SERVER_OPTIONS_H
#define CLI_SERVER_OPTIONS_H

#include "cli/log/log_options.h"
#include "cli/options/options.h"

struct cli_tls_config {
    const char *cert; /* NULL: no TLS; given together with key */
    const char *key;
    const char *client_ca; /* NULL: clients show no certificate; only with cert */
    bool is_self_signed;   /* never with cert */
};

struct cli_admission_config {
    struct cli_list origins; /* const char *; empty: the library's default */
    struct cli_list hosts;   /* const char * */
    struct cli_list subprotocols;
};

struct cli_limits_config {
    uint64_t max_message;
    uint32_t max_fragments;
    uint32_t max_connections; /* 0: the descriptor limit less 64 */
    uint64_t max_queue;
    uint64_t max_memory;
};

/* 0: none, except handshake_ms, which is never 0. */
struct cli_times_config {
    uint32_t handshake_ms;
    uint32_t message_ms;
    uint32_t write_ms;
    uint32_t close_ms;
    uint32_t ping_interval_ms;
    uint32_t pong_ms;
    uint32_t drain_ms;
};

struct cli_server_config {
    struct cli_list listen; /* const char *: addresses as dx_server_listen takes them */
    struct cli_tls_config tls;
    struct cli_admission_config admission;
    struct cli_limits_config limits;
    struct cli_times_config times;
    uint32_t threads;
    struct cli_log_config log;
};

/* All but cli_log_options (log_options.h) fill in a struct cli_server_config. */
extern const struct cli_option cli_listening_options[]; /* TLS included */
extern const struct cli_option cli_admission_options[]; /* without --origin */
extern const struct cli_option cli_limits_options[];    /* without --max-message, --max-queue */
extern const struct cli_option cli_times_options[];
extern const struct cli_option cli_running_options[];

#define CLI_LISTENING_TITLE "Listening"
#define CLI_ADMISSION_TITLE "Who may connect"
#define CLI_LIMITS_TITLE "Limits"
#define CLI_TIMES_TITLE "Times"
#define CLI_RUNNING_TITLE "Running"
#define CLI_LOG_TITLE "Log"

/* What websocketd calls these options. */
extern const struct cli_foreign cli_server_foreign[];

/* For the rows that commands have of their own. */
#define CLI_QUEUE_LARGEST ((uint64_t)1 << 30)
extern const char *const cli_origin_words[];
#define CLI_ORIGIN_MORE                                                                            \
 "A request whose _Origin_ is the host and port that it was sent to is always "                    \
 "accepted, and so is a request without an _Origin_, as programs send. *same* names "              \
 "this rule. *any* accepts every website. *null* accepts pages opened from files, "                \
 "and with them any website that hides its origin. _https://\\*.example.org_ "                     \
 "matches every name below example.org, but not example.org itself. Give the port "                \
 "unless it is the scheme's default. All others get status 403."

/** Checks TLS and addresses; false and a complaint. */
DX_MUST_CHECK bool cli_server_check(const struct cli_server_config *config,
                                    struct cli_complaint *complaint);

#endif
