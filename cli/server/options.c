/*
 * options.c - see options.h.
 */
#include "cli/server/options.h"

#include "cli/options/check.h"
#include "cli/options/items.h"
#include "cli/text/escape.h"

#define FIELD(name) offsetof(struct cli_server_config, name)

const char *const cli_origin_words[] = {"same", "any", "null", NULL};

const struct cli_option cli_listening_options[] = {
    {.name = "listen",
     .kind = CLI_LIST,
     .field = FIELD(listen),
     .item = &cli_item_address,
     .placeholder = "ADDR",
     .preset = "8080",
     .help = "PORT (on loopback), HOST:PORT, [IPv6]:PORT, *:PORT, unix:PATH or fd:N; "
             "repeatable",
     .more = "_PORT_ alone means both loopback addresses, 127.0.0.1 and ::1. _\\*:PORT_ means "
             "all addresses of the machine. Port 0 picks a free port. _unix:PATH_ creates a "
             "socket with mode 0600, which is removed at exit. _fd:N_ is a listening socket "
             "inherited from the parent process. Each address is printed on stderr once it "
             "listens."},
    {.name = "port",
     .kind = CLI_LIST,
     .field = FIELD(listen),
     .item = &cli_item_port,
     .placeholder = "PORT",
     .help = "the same as --listen=PORT; 0 picks a free port"},

    {.name = "tls-cert",
     .kind = CLI_TEXT,
     .field = FIELD(tls.cert),
     .placeholder = "FILE",
     .help = "serve TLS with this certificate chain (PEM)",
     .more = "Addresses become https and wss. The server's own certificate comes first in the "
             "file. The option applies to every address and needs *--tls-key*. SIGHUP reads "
             "the files again: new connections get the new certificate, open ones stay. If "
             "the new files cannot be used, the old ones stay in use and the log says why."},
    {.name = "tls-key",
     .kind = CLI_TEXT,
     .field = FIELD(tls.key),
     .placeholder = "FILE",
     .help = "the certificate's private key (PEM)",
     .more = "A warning is logged if other users can read this file."},
    {.name = "tls-client-ca",
     .kind = CLI_TEXT,
     .field = FIELD(tls.client_ca),
     .placeholder = "FILE",
     .help = "admit only clients with a certificate signed by one of these (PEM)",
     .more = "All other clients are refused in the handshake, before anything is started for "
             "them. Each certificate in _FILE_ is trusted by itself, intermediate ones too. "
             "Revocation lists are not read: to exclude a client, change _FILE_ and send "
             "SIGHUP; new connections are checked against it."},
    {.name = "tls-self-signed",
     .kind = CLI_FLAG,
     .field = FIELD(tls.is_self_signed),
     .preset_note = "off",
     .help = "serve TLS with a certificate generated at start, for testing",
     .more = "Browsers warn about it, because no authority has signed it. Its SHA-256 "
             "fingerprint is printed on stderr for comparison. It is valid for a year, for "
             "localhost, the loopback addresses, and every host of *--host* and *--listen*. "
             "It exists in memory only: each start generates a new one."},
    {.name = NULL},
};

const struct cli_option cli_admission_options[] = {
    {.name = "host",
     .kind = CLI_LIST,
     .field = FIELD(admission.hosts),
     .item = &cli_item_host,
     .placeholder = "NAME",
     .help = "an accepted name in the Host header; repeatable",
     .more = "Loopback names and the listening address are always accepted; other names get "
             "status 421. Without this option only loopback addresses check Host: this keeps "
             "a website from reaching them under its own name (DNS rebinding)."},
    {.name = "subprotocol",
     .kind = CLI_LIST,
     .field = FIELD(admission.subprotocols),
     .item = &cli_item_subprotocol,
     .placeholder = "NAME",
     .help = "a supported subprotocol; repeatable",
     .more = "The first that both sides have is selected. If they share none, none is "
             "selected and the connection opens anyway: the client decides whether to "
             "continue."},
    {.name = NULL},
};

const struct cli_option cli_limits_options[] = {
    {.name = "max-fragments",
     .kind = CLI_COUNT,
     .field = FIELD(limits.max_fragments),
     .placeholder = "N",
     .preset = "131072",
     .smallest = 1,
     .help = "maximum number of fragments in a message"},
    {.name = "max-connections",
     .kind = CLI_COUNT,
     .field = FIELD(limits.max_connections),
     .placeholder = "N",
     .smallest = 1,
     .preset_note = "descriptor limit less 64",
     .help = "maximum number of connections",
     .more = "Further connections get status 503. The soft descriptor limit is raised to the "
             "hard limit at start; programs get the original limit back."},
    {.name = "max-memory",
     .kind = CLI_SIZE,
     .field = FIELD(limits.max_memory),
     .placeholder = "SIZE",
     .preset = "256M",
     .smallest = 1048576,
     .help = "maximum memory for all buffers",
     .more = "When it is reached, new connections get status 503."},
    {.name = NULL},
};

const struct cli_option cli_times_options[] = {
    {.name = "handshake-timeout",
     .kind = CLI_DURATION,
     .field = FIELD(times.handshake_ms),
     .placeholder = "TIME",
     .preset = "10s",
     .smallest = 1,
     .help = "time for a request to arrive, TLS included",
     .more = "It starts when the connection is accepted. Bytes that arrive slowly do not "
             "extend it."},
    {.name = "message-timeout",
     .kind = CLI_DURATION,
     .field = FIELD(times.message_ms),
     .placeholder = "TIME",
     .preset = "60s",
     .help = "maximum time without progress inside a message",
     .more = "After that the connection is closed with code 1008."},
    {.name = "write-timeout",
     .kind = CLI_DURATION,
     .field = FIELD(times.write_ms),
     .placeholder = "TIME",
     .preset = "30s",
     .help = "maximum time for a client to read waiting output",
     .more = "If less than 16 KiB leaves in this time, the connection is aborted."},
    {.name = "close-timeout",
     .kind = CLI_DURATION,
     .field = FIELD(times.close_ms),
     .placeholder = "TIME",
     .preset = "5s",
     .help = "maximum time for the client to answer a Close"},
    {.name = "ping-interval",
     .kind = CLI_DURATION,
     .field = FIELD(times.ping_interval_ms),
     .placeholder = "TIME",
     .preset = "30s",
     .help = "silence before a ping is sent; 0 sends none",
     .more = "Pings keep proxies from closing quiet connections."},
    {.name = "pong-timeout",
     .kind = CLI_DURATION,
     .field = FIELD(times.pong_ms),
     .placeholder = "TIME",
     .preset = "30s",
     .help = "silence after a ping before the connection is aborted"},
    {.name = "drain",
     .kind = CLI_DURATION,
     .field = FIELD(times.drain_ms),
     .placeholder = "TIME",
     .preset = "0",
     .help = "at SIGTERM, close connections at random moments within this time",
     .more = "This spreads out the clients' reconnects."},
    {.name = NULL},
};

const struct cli_option cli_running_options[] = {
    {.name = "threads",
     .kind = CLI_COUNT,
     .field = FIELD(threads),
     .placeholder = "N",
     .preset = "1",
     .smallest = 1,
     .largest = 64,
     .help = "threads that serve connections"},
    {.name = NULL},
};

const struct cli_foreign cli_server_foreign[] = {
    {.word = "-l", .ours = "--listen=ADDR"},
    {.word = "-p", .ours = "--port=PORT"},
    {.word = "--address", .ours = "--listen=HOST:PORT"},
    {.word = "--unixsocket", .ours = "--listen=unix:PATH"},
    {.word = "--ssl", .ours = "--tls-cert=FILE --tls-key=FILE, or --tls-self-signed for testing"},
    {.word = "--sslcert", .ours = "--tls-cert=FILE"},
    {.word = "--sslkey", .ours = "--tls-key=FILE"},
    {.word = "--sslca", .ours = "--tls-client-ca=FILE"},
    {.word = "--sameorigin", .ours = "--origin=same"},
    {.word = "--maxframesize", .ours = "--max-message=SIZE"},
    {.word = "--pingms", .ours = "--ping-interval=TIME"},
    {.word = "--redirport", .note = "Duplex does not redirect; use a reverse proxy"},
    {.word = "--header", .note = "Duplex adds no headers; use a reverse proxy"},
    {.word = "--header-http", .note = "Duplex adds no headers; use a reverse proxy"},
    {.word = "--header-ws", .note = "Duplex adds no headers; a subprotocol is --subprotocol=NAME"},
    {.word = "--reverselookup", .note = "Duplex does not look up the names of clients"},
    {.word = NULL},
};

bool cli_server_check(const struct cli_server_config *config, struct cli_complaint *complaint)
{
    const struct cli_tls_config *tls = &config->tls;

    if (!cli_check_key_pair("tls-cert", tls->cert, "tls-key", tls->key, complaint))
        return false;
    if (tls->is_self_signed && tls->cert)
        return cli_complain(
            complaint, CLI_EXIT_USAGE,
            "--tls-self-signed: it excludes --tls-cert=%s (leave out one of the two)",
            cli_shown(tls->cert).text);
    if (tls->client_ca && !tls->cert)
        return cli_complain_of(complaint, "tls-client-ca", tls->client_ca,
                               "it needs a certificate (add --tls-cert=FILE)");
    return cli_check_addresses(&config->listen, complaint) &&
           cli_check_file("tls-cert", tls->cert, complaint) &&
           cli_check_file("tls-key", tls->key, complaint) &&
           cli_check_file("tls-client-ca", tls->client_ca, complaint);
}
