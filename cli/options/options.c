/*
 * options.c - the table of options. It says what there is; reading words is parse.c's, what goes
 * together check.c's.
 */
#include "cli/options/options.h"

#include <assert.h>
#include <string.h>

#include "cli/options/items.h"

#define FIELD(name) offsetof(struct cli_config, name)
#define LONGEST_QUEUE ((uint64_t)1 << 30)
#define LONGEST_READ 65536 /* of a program's output: framed, it must not be four times a queue */

static const char *const framings[] = {"lines", "binary", "length", NULL};
static const char *const newlines[] = {"keep", "escape", "reject", NULL};
static const char *const stderrs[] = {"log", "client", "stdout", NULL};
static const char *const invalid_utf8s[] = {"replace", "close", NULL};
static const char *const log_levels[] = {"error", "warn", "info", "debug", NULL};
static const char *const log_formats[] = {"text", "json", NULL};
static const char *const origin_words[] = {"same", "any", "null", NULL};
static const char *const endless[] = {"forever", NULL};
static const char *const no_proxy[] = {"none", NULL};

/* The order of the words is the order of the library's values. */
static_assert(DX_FRAMING_LINES == 0 && DX_FRAMING_BINARY == 1 && DX_FRAMING_LENGTH == 2, "");
static_assert(DX_NEWLINES_KEEP == 0 && DX_NEWLINES_ESCAPE == 1 && DX_NEWLINES_REJECT == 2, "");
static_assert(DX_STDERR_LOG == 0 && DX_STDERR_CLIENT == 1 && DX_STDERR_STDOUT == 2, "");
static_assert(DX_INVALID_UTF8_REPLACE == 0 && DX_INVALID_UTF8_CLOSE == 1, "");
static_assert(DX_LOG_ERROR == 0 && DX_LOG_WARN == 1 && DX_LOG_INFO == 2 && DX_LOG_DEBUG == 3, "");

const char *const cli_section_titles[CLI_SECTION_COUNT] = {
    [CLI_TALKING] = "Talking",     [CLI_MESSAGES] = "Messages",
    [CLI_REQUEST] = "The request", [CLI_WAY] = "The way there",
    [CLI_LISTENING] = "Listening", [CLI_PROGRAMS] = "Programs and messages",
    [CLI_PATHS] = "Paths",         [CLI_ADMISSION] = "Who may connect",
    [CLI_LIMITS] = "Limits",       [CLI_TIMES] = "Times",
    [CLI_RUNNING] = "Running",     [CLI_LOGGING] = "Log",
    [CLI_GENERAL] = "Help",
};

#define ORIGIN_MORE                                                                                \
 "A request whose _Origin_ is the host and port that it asked for is always admitted, and so "     \
 "is one without an _Origin_: programs send none. *same* names this rule. *any* admits "           \
 "every page of the Web. *null* admits pages opened from files, and with them any site that "      \
 "chooses to hide its origin. _https://\\*.example.org_ matches every name below "                 \
 "example.org, not example.org itself; a port that is not the scheme's own has to be named. "      \
 "All others get status 403."

const struct cli_option cli_options[] = {
    {.name = "listen",
     .kind = CLI_LIST,
     .on = CLI_BOTH,
     .section = CLI_LISTENING,
     .field = FIELD(listen),
     .item = &cli_item_address,
     .placeholder = "ADDR",
     .preset = "8080",
     .help = "PORT (on loopback), HOST:PORT, [IPv6]:PORT, *:PORT, unix:PATH or fd:N; repeatable",
     .more = "_PORT_ alone means both loopback addresses, 127.0.0.1 and ::1. _\\*:PORT_ means all "
             "addresses of the machine. Port 0 picks a free one. _unix:PATH_ makes a socket with "
             "mode 0600, which is removed at the end. _fd:N_ is a listening socket that the "
             "parent process has opened. Each address is named on stderr once it listens."},
    {.name = "port",
     .kind = CLI_LIST,
     .on = CLI_BOTH,
     .section = CLI_LISTENING,
     .field = FIELD(listen),
     .item = &cli_item_port,
     .placeholder = "PORT",
     .help = "the same as --listen=PORT; 0 picks a free one"},
    {.name = "tls-cert",
     .kind = CLI_TEXT,
     .on = CLI_BOTH,
     .section = CLI_LISTENING,
     .field = FIELD(tls_cert),
     .placeholder = "FILE",
     .help = "speak TLS with this certificate chain (PEM)",
     .more = "Addresses become https and wss. The server's own certificate comes first. It counts "
             "for every address; "
             "*--tls-key* is needed with it. SIGHUP reads the files again: whoever connects from "
             "then on "
             "gets the new certificate, and nobody is dropped. If they cannot be used the old ones "
             "stay, and the log says why."},
    {.name = "tls-key",
     .kind = CLI_TEXT,
     .on = CLI_BOTH,
     .section = CLI_LISTENING,
     .field = FIELD(tls_key),
     .placeholder = "FILE",
     .help = "the certificate's private key (PEM)",
     .more = "Others should not be able to read this file: if they can, a warning is logged."},
    {.name = "tls-client-ca",
     .kind = CLI_TEXT,
     .on = CLI_BOTH,
     .section = CLI_LISTENING,
     .field = FIELD(tls_client_ca),
     .placeholder = "FILE",
     .help = "admit only clients with a certificate signed by one of these (PEM)",
     .more = "All others are refused in the handshake, before anything is started for them. Each "
             "certificate in _FILE_ is trusted as it stands. Revocation is not looked at: to shut "
             "somebody out, change _FILE_ and send SIGHUP; it counts from the next connection on."},
    {.name = "tls-self-signed",
     .kind = CLI_FLAG,
     .on = CLI_BOTH,
     .section = CLI_LISTENING,
     .field = FIELD(tls_self_signed),
     .preset_note = "off",
     .help = "speak TLS with a certificate made at the start, for a try",
     .more = "Browsers warn of it, for nobody vouches for it; its SHA-256 fingerprint is printed "
             "on stderr "
             "for comparison. It names localhost, the loopback addresses, and every host of "
             "*--host* and *--listen*, holds for a year, and is in memory only: each start makes "
             "another one."},

    {.name = "framing",
     .kind = CLI_CHOICE,
     .on = CLI_SERVE,
     .section = CLI_PROGRAMS,
     .field = FIELD(framing),
     .choices = framings,
     .placeholder = "MODE",
     .preset = "lines",
     .help = "what is a message to the program: lines, binary (bytes as read) or length (records)",
     .more = "See *FRAMING*."},
    {.name = "binary",
     .kind = CLI_SET,
     .set = DX_FRAMING_BINARY,
     .on = CLI_SERVE,
     .section = CLI_PROGRAMS,
     .field = FIELD(framing),
     .help = "the same as --framing=binary"},
    {.name = "newlines",
     .kind = CLI_CHOICE,
     .on = CLI_SERVE,
     .section = CLI_PROGRAMS,
     .field = FIELD(newlines),
     .choices = newlines,
     .placeholder = "MODE",
     .preset = "keep",
     .help = "a newline inside a client's message: keep, escape or reject (close 1003)",
     .more = "It matters to *--framing=lines* only. *keep*: the program sees several lines. "
             "*escape*: it sees one, where \\\\n, \\\\r and \\\\\\\\ stand for newline, carriage "
             "return and "
             "backslash. *reject*: the connection is closed with code 1003."},
    {.name = "flush-after",
     .kind = CLI_DURATION,
     .on = CLI_SERVE,
     .section = CLI_PROGRAMS,
     .field = FIELD(flush_after_ms),
     .placeholder = "TIME",
     .preset_note = "never",
     .help = "send an unfinished line after this silence",
     .more = "For prompts, which end without a newline. What is left when the program ends is "
             "always sent. 0 is never."},
    {.name = "invalid-utf8",
     .kind = CLI_CHOICE,
     .on = CLI_SERVE,
     .section = CLI_PROGRAMS,
     .field = FIELD(invalid_utf8),
     .choices = invalid_utf8s,
     .placeholder = "MODE",
     .preset = "replace",
     .help = "what a program prints that is not UTF-8: replace (by U+FFFD) or close (1011)",
     .more = "Text messages are UTF-8 by the protocol. *replace* logs one line for each "
             "connection. A program that prints other bytes wants *--framing=binary*."},
    {.name = "stderr",
     .kind = CLI_CHOICE,
     .on = CLI_SERVE,
     .section = CLI_PROGRAMS,
     .field = FIELD(stderr_to),
     .choices = stderrs,
     .placeholder = "TO",
     .preset = "log",
     .help = "where stderr goes: log, client or stdout",
     .more = "*client* sends it among the messages, as if it had been printed to stdout; *stdout* "
             "is that of *duplex* itself."},
    {.name = "chdir",
     .kind = CLI_TEXT,
     .on = CLI_SERVE,
     .section = CLI_PROGRAMS,
     .field = FIELD(chdir),
     .placeholder = "DIR",
     .help = "run the programs in DIR",
     .more = "COMMAND is looked up before that, from where *duplex* was started."},
    {.name = "env",
     .kind = CLI_LIST,
     .on = CLI_SERVE,
     .section = CLI_PROGRAMS,
     .field = FIELD(env),
     .item = &cli_item_variable,
     .placeholder = "NAME[=VALUE]",
     .help = "a variable for the programs; repeatable",
     .more = "_NAME_ alone hands on the variable that *duplex* itself has; it is an error if "
             "it has none. See *ENVIRONMENT*."},
    {.name = "ladder",
     .kind = CLI_STEPS,
     .on = CLI_SERVE,
     .section = CLI_PROGRAMS,
     .field = FIELD(ladder),
     .placeholder = "TIME,TIME,TIME",
     .preset = "1s,1s,1s",
     .help = "how a program is ended: time from end of file to INT, to TERM, to KILL",
     .more = "The signals go to the program's whole session, so to everything that it started. "
             "0 goes on to the next step at once."},
    {.name = "text-pong",
     .kind = CLI_FLAG,
     .on = CLI_SERVE,
     .section = CLI_PROGRAMS,
     .field = FIELD(text_pong),
     .preset_note = "off",
     .help = "answer the text message ping with pong",
     .more = "The program sees neither. This is the heartbeat of pages, which cannot send a "
             "WebSocket's own ping."},
    {.name = "text-pong",
     .kind = CLI_FLAG,
     .on = CLI_ECHO,
     .section = CLI_RUNNING,
     .field = FIELD(text_pong),
     .preset_note = "off",
     .help = "answer the text message ping with pong",
     .more = "This is the heartbeat of pages, which cannot send a WebSocket's own ping."},

    {.name = "route",
     .kind = CLI_LIST,
     .on = CLI_SERVE,
     .section = CLI_PATHS,
     .field = FIELD(routes),
     .item = &cli_item_route,
     .placeholder = "PATH=COMMAND",
     .help = "another program at PATH and below; repeatable",
     .more = "The longest _PATH_ wins; it ends at the first =. _COMMAND_ is split at blanks, "
             "where '...', \"...\" and \\\\ quote as in a shell. Nothing is expanded and no shell "
             "runs: for a pipe write _sh -c '...'_. COMMAND behind the options is the route /."},
    {.name = "static",
     .kind = CLI_LIST,
     .on = CLI_SERVE,
     .section = CLI_PATHS,
     .field = FIELD(statics),
     .item = &cli_item_static,
     .placeholder = "[PATH=]DIR",
     .help = "serve the files in DIR at PATH, or at /; repeatable",
     .more = "Only GET and HEAD, index.html for a directory; no dotfiles, no listings, no "
             "symbolic links that lead out. A program may stand at the same path: it gets the "
             "WebSockets, the directory everything else. A _DIR_ that begins with / and has an = "
             "in its name is written behind a path: /=/srv/a=b."},

    {.name = "origin",
     .kind = CLI_LIST,
     .on = CLI_SERVE,
     .section = CLI_ADMISSION,
     .field = FIELD(origins),
     .item = &cli_item_origin,
     .choices = origin_words,
     .placeholder = "ORIGIN",
     .preset_note = "same, and loopback on loopback",
     .help = "pages: same, any, null, https://*.example.org; repeatable",
     .more = ORIGIN_MORE " On a loopback address any loopback page is admitted too: a "
                         "development server stands on another port."},
    {.name = "origin",
     .kind = CLI_LIST,
     .on = CLI_ECHO,
     .section = CLI_ADMISSION,
     .field = FIELD(origins),
     .item = &cli_item_origin,
     .choices = origin_words,
     .placeholder = "ORIGIN",
     .preset = "any",
     .help = "pages: same, any, null, https://*.example.org; repeatable",
     .more = ORIGIN_MORE},
    {.name = "host",
     .kind = CLI_LIST,
     .on = CLI_BOTH,
     .section = CLI_ADMISSION,
     .field = FIELD(hosts),
     .item = &cli_item_host,
     .placeholder = "NAME",
     .help = "a name that Host may have; repeatable",
     .more = "Loopback names and the listening address may always be used; others get status "
             "421. Without this option only loopback addresses check: it keeps a page on the Web "
             "from reaching them by a name of its own (DNS rebinding)."},
    {.name = "subprotocol",
     .kind = CLI_LIST,
     .on = CLI_BOTH,
     .section = CLI_ADMISSION,
     .field = FIELD(subprotocols),
     .item = &cli_item_subprotocol,
     .placeholder = "NAME",
     .help = "a subprotocol to agree to; repeatable",
     .more = "The first that both have is taken. If the client offers none, or none of these, none "
             "is answered, and the connection "
             "opens all the same: what to think of it is the client's to say."},

    {.name = "max-message",
     .kind = CLI_SIZE,
     .on = CLI_SERVE,
     .section = CLI_LIMITS,
     .field = FIELD(max_message),
     .placeholder = "SIZE",
     .preset = "1M",
     .smallest = 1,
     .help = "the longest message from a client",
     .more = "It is the sum of the fragments. A longer one closes the connection with code 1009. "
             "What a program prints may be "
             "of any length."},
    {.name = "max-message",
     .kind = CLI_SIZE,
     .on = CLI_ECHO,
     .section = CLI_LIMITS,
     .field = FIELD(max_message),
     .placeholder = "SIZE",
     .preset = "16M",
     .smallest = 1,
     .help = "the longest message from a client",
     .more = "It is the sum of the fragments. A longer one closes the connection with code 1009."},
    {.name = "max-fragments",
     .kind = CLI_COUNT,
     .on = CLI_BOTH,
     .section = CLI_LIMITS,
     .field = FIELD(max_fragments),
     .placeholder = "N",
     .preset = "131072",
     .smallest = 1,
     .help = "the most fragments of one message"},
    {.name = "max-connections",
     .kind = CLI_COUNT,
     .on = CLI_BOTH,
     .section = CLI_LIMITS,
     .field = FIELD(max_connections),
     .placeholder = "N",
     .smallest = 1,
     .preset_note = "descriptor limit less 64",
     .help = "the most connections",
     .more = "One more gets status 503. The soft limit of descriptors is raised to the hard one "
             "first, and given back to the programs."},
    {.name = "max-programs",
     .kind = CLI_COUNT,
     .on = CLI_SERVE,
     .section = CLI_LIMITS,
     .field = FIELD(max_programs),
     .placeholder = "N",
     .preset = "256",
     .smallest = 1,
     .help = "the most programs at once",
     .more = "One more gets status 503 with _Retry-After_."},
    {.name = "max-queue",
     .kind = CLI_SIZE,
     .on = CLI_SERVE,
     .section = CLI_LIMITS,
     .field = FIELD(max_queue),
     .placeholder = "SIZE",
     .preset = "1M",
     .smallest = LONGEST_READ,
     .largest = LONGEST_QUEUE,
     .help = "output that may wait for a client before its program has to",
     .more = "At four times that the connection is aborted."},
    {.name = "max-queue",
     .kind = CLI_SIZE,
     .on = CLI_ECHO,
     .section = CLI_LIMITS,
     .field = FIELD(max_queue),
     .placeholder = "SIZE",
     .preset = "1M",
     .smallest = 1024,
     .largest = LONGEST_QUEUE,
     .help = "output that may wait for a client before no more is read from it",
     .more = "At four times that the connection is aborted."},
    {.name = "max-memory",
     .kind = CLI_SIZE,
     .on = CLI_BOTH,
     .section = CLI_LIMITS,
     .field = FIELD(max_memory),
     .placeholder = "SIZE",
     .preset = "256M",
     .smallest = 1048576,
     .help = "the most memory for all buffers",
     .more = "When it is used up, new connections get status 503."},

    {.name = "handshake-timeout",
     .kind = CLI_DURATION,
     .on = CLI_BOTH,
     .section = CLI_TIMES,
     .field = FIELD(handshake_timeout_ms),
     .placeholder = "TIME",
     .preset = "10s",
     .smallest = 1,
     .help = "time for a request to arrive, TLS included",
     .more = "It counts from the first moment and is not prolonged by single bytes."},
    {.name = "message-timeout",
     .kind = CLI_DURATION,
     .on = CLI_BOTH,
     .section = CLI_TIMES,
     .field = FIELD(message_timeout_ms),
     .placeholder = "TIME",
     .preset = "60s",
     .help = "time for progress inside a message",
     .more = "Then the connection is closed, code 1008."},
    {.name = "write-timeout",
     .kind = CLI_DURATION,
     .on = CLI_BOTH,
     .section = CLI_TIMES,
     .field = FIELD(write_timeout_ms),
     .placeholder = "TIME",
     .preset = "30s",
     .help = "time for a client to take waiting output",
     .more = "If less than 16 KiB leaves in this time, the connection is aborted."},
    {.name = "close-timeout",
     .kind = CLI_DURATION,
     .on = CLI_BOTH,
     .section = CLI_TIMES,
     .field = FIELD(close_timeout_ms),
     .placeholder = "TIME",
     .preset = "5s",
     .help = "time for the client's answer to a Close"},
    {.name = "ping-interval",
     .kind = CLI_DURATION,
     .on = CLI_BOTH,
     .section = CLI_TIMES,
     .field = FIELD(ping_interval_ms),
     .placeholder = "TIME",
     .preset = "30s",
     .help = "silence before a ping is sent; 0: no pings",
     .more = "It keeps proxies from cutting quiet connections."},
    {.name = "pong-timeout",
     .kind = CLI_DURATION,
     .on = CLI_BOTH,
     .section = CLI_TIMES,
     .field = FIELD(pong_timeout_ms),
     .placeholder = "TIME",
     .preset = "30s",
     .help = "silence after that ping before giving up"},
    {.name = "drain",
     .kind = CLI_DURATION,
     .on = CLI_BOTH,
     .section = CLI_TIMES,
     .field = FIELD(drain_ms),
     .placeholder = "TIME",
     .preset = "0",
     .help = "at SIGTERM close the connections at random moments within this time",
     .more = "Then not all clients come back in the same second."},

    {.name = "threads",
     .kind = CLI_COUNT,
     .on = CLI_BOTH,
     .section = CLI_RUNNING,
     .field = FIELD(threads),
     .placeholder = "N",
     .preset = "1",
     .smallest = 1,
     .largest = 64,
     .help = "threads that serve connections"},

    {.name = "log-level",
     .kind = CLI_CHOICE,
     .on = CLI_BOTH,
     .section = CLI_LOGGING,
     .field = FIELD(log_level),
     .choices = log_levels,
     .placeholder = "LEVEL",
     .preset = "info",
     .help = "how much to log: error, warn, info or debug"},
    {.name = "verbose",
     .letter = 'v',
     .kind = CLI_SET,
     .set = DX_LOG_DEBUG,
     .on = CLI_BOTH,
     .section = CLI_LOGGING,
     .field = FIELD(log_level),
     .help = "the same as --log-level=debug"},
    {.name = "quiet",
     .letter = 'q',
     .kind = CLI_SET,
     .set = DX_LOG_ERROR,
     .on = CLI_BOTH,
     .section = CLI_LOGGING,
     .field = FIELD(log_level),
     .help = "the same as --log-level=error"},
    {.name = "log-format",
     .kind = CLI_CHOICE,
     .on = CLI_BOTH,
     .section = CLI_LOGGING,
     .field = FIELD(log_format),
     .choices = log_formats,
     .placeholder = "FORMAT",
     .preset = "text",
     .help = "text, or json with one object a line",
     .more = "Bytes that could drive a terminal, and all that is not UTF-8, are written as "
             "\\\\xNN; a line has at most 1024 bytes."},
    {.name = "log-file",
     .kind = CLI_TEXT,
     .on = CLI_BOTH,
     .section = CLI_LOGGING,
     .field = FIELD(log_file),
     .placeholder = "FILE",
     .preset_note = "stderr",
     .help = "append the log to FILE",
     .more = "A full disk or a reader that has gone loses lines, never the server."},

#include "cli/connect/options_connect.h"

    {.name = "help",
     .letter = 'h',
     .kind = CLI_SET,
     .set = CLI_WISH_HELP,
     .on = CLI_ALL,
     .section = CLI_GENERAL,
     .field = FIELD(wish),
     .help = "show this help and end"},
    {.name = "version",
     .letter = 'V',
     .kind = CLI_SET,
     .set = CLI_WISH_VERSION,
     .on = CLI_ALL,
     .section = CLI_GENERAL,
     .field = FIELD(wish),
     .help = "show the version and end"},
    {.name = NULL},
};

const struct cli_option *cli_option_find(const struct cli_command *command, const char *name,
                                         size_t len)
{
    for (const struct cli_option *option = cli_options; option->name; option++)
        if ((option->on & command->id) && strlen(option->name) == len &&
            memcmp(option->name, name, len) == 0)
            return option;
    return NULL;
}

const struct cli_option *cli_option_find_letter(const struct cli_command *command, char letter)
{
    for (const struct cli_option *option = cli_options; option->name; option++)
        if ((option->on & command->id) && option->letter == letter)
            return option;
    return NULL;
}

const char *cli_option_default(const struct cli_option *option)
{
    return option->preset ? option->preset : option->preset_note;
}

const struct cli_option *cli_option_next(const struct cli_command *command,
                                         enum cli_section section,
                                         const struct cli_option *previous)
{
    const struct cli_option *option = previous ? previous + 1 : cli_options;

    for (; option->name; option++)
        if ((option->on & command->id) && option->section == section)
            return option;
    return NULL;
}
