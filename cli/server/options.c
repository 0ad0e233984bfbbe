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
     .help = "PORT (on loopback), HOST:PORT, [IPv6]:PORT, *:PORT, unix:PATH or fd:N; repeatable",
     .more = "_PORT_ alone means both loopback addresses, 127.0.0.1 and ::1. _\\*:PORT_ means all "
             "addresses of the machine. Port 0 picks a free one. _unix:PATH_ makes a socket with "
             "mode 0600, which is removed at the end. _fd:N_ is a listening socket that the "
             "parent process has opened. Each address is named on stderr once it listens."},
    {.name = "port",
     .kind = CLI_LIST,
     .field = FIELD(listen),
     .item = &cli_item_port,
     .placeholder = "PORT",
     .help = "the same as --listen=PORT; 0 picks a free one"},

    {.name = "tls-cert",
     .kind = CLI_TEXT,
     .field = FIELD(tls.cert),
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
     .field = FIELD(tls.key),
     .placeholder = "FILE",
     .help = "the certificate's private key (PEM)",
     .more = "Others should not be able to read this file: if they can, a warning is logged."},
    {.name = "tls-client-ca",
     .kind = CLI_TEXT,
     .field = FIELD(tls.client_ca),
     .placeholder = "FILE",
     .help = "admit only clients with a certificate signed by one of these (PEM)",
     .more = "All others are refused in the handshake, before anything is started for them. Each "
             "certificate in _FILE_ is trusted as it stands. Revocation is not looked at: to shut "
             "somebody out, change _FILE_ and send SIGHUP; it counts from the next connection on."},
    {.name = "tls-self-signed",
     .kind = CLI_FLAG,
     .field = FIELD(tls.is_self_signed),
     .preset_note = "off",
     .help = "speak TLS with a certificate made at the start, for a try",
     .more = "Browsers warn of it, for nobody vouches for it; its SHA-256 fingerprint is printed "
             "on stderr "
             "for comparison. It names localhost, the loopback addresses, and every host of "
             "*--host* and *--listen*, holds for a year, and is in memory only: each start makes "
             "another one."},
    {.name = NULL},
};

const struct cli_option cli_admission_options[] = {
    {.name = "host",
     .kind = CLI_LIST,
     .field = FIELD(admission.hosts),
     .item = &cli_item_host,
     .placeholder = "NAME",
     .help = "a name that Host may have; repeatable",
     .more = "Loopback names and the listening address may always be used; others get status "
             "421. Without this option only loopback addresses check: it keeps a page on the Web "
             "from reaching them by a name of its own (DNS rebinding)."},
    {.name = "subprotocol",
     .kind = CLI_LIST,
     .field = FIELD(admission.subprotocols),
     .item = &cli_item_subprotocol,
     .placeholder = "NAME",
     .help = "a subprotocol to agree to; repeatable",
     .more = "The first that both have is taken. If the client offers none, or none of these, none "
             "is answered, and the connection "
             "opens all the same: what to think of it is the client's to say."},
    {.name = NULL},
};

const struct cli_option cli_limits_options[] = {
    {.name = "max-fragments",
     .kind = CLI_COUNT,
     .field = FIELD(limits.max_fragments),
     .placeholder = "N",
     .preset = "131072",
     .smallest = 1,
     .help = "the most fragments of one message"},
    {.name = "max-connections",
     .kind = CLI_COUNT,
     .field = FIELD(limits.max_connections),
     .placeholder = "N",
     .smallest = 1,
     .preset_note = "descriptor limit less 64",
     .help = "the most connections",
     .more = "One more gets status 503. The soft limit of descriptors is raised to the hard one "
             "first, and given back to the programs."},
    {.name = "max-memory",
     .kind = CLI_SIZE,
     .field = FIELD(limits.max_memory),
     .placeholder = "SIZE",
     .preset = "256M",
     .smallest = 1048576,
     .help = "the most memory for all buffers",
     .more = "When it is used up, new connections get status 503."},
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
     .more = "It counts from the first moment and is not prolonged by single bytes."},
    {.name = "message-timeout",
     .kind = CLI_DURATION,
     .field = FIELD(times.message_ms),
     .placeholder = "TIME",
     .preset = "60s",
     .help = "time for progress inside a message",
     .more = "Then the connection is closed, code 1008."},
    {.name = "write-timeout",
     .kind = CLI_DURATION,
     .field = FIELD(times.write_ms),
     .placeholder = "TIME",
     .preset = "30s",
     .help = "time for a client to take waiting output",
     .more = "If less than 16 KiB leaves in this time, the connection is aborted."},
    {.name = "close-timeout",
     .kind = CLI_DURATION,
     .field = FIELD(times.close_ms),
     .placeholder = "TIME",
     .preset = "5s",
     .help = "time for the client's answer to a Close"},
    {.name = "ping-interval",
     .kind = CLI_DURATION,
     .field = FIELD(times.ping_interval_ms),
     .placeholder = "TIME",
     .preset = "30s",
     .help = "silence before a ping is sent; 0: no pings",
     .more = "It keeps proxies from cutting quiet connections."},
    {.name = "pong-timeout",
     .kind = CLI_DURATION,
     .field = FIELD(times.pong_ms),
     .placeholder = "TIME",
     .preset = "30s",
     .help = "silence after that ping before giving up"},
    {.name = "drain",
     .kind = CLI_DURATION,
     .field = FIELD(times.drain_ms),
     .placeholder = "TIME",
     .preset = "0",
     .help = "at SIGTERM close the connections at random moments within this time",
     .more = "Then not all clients come back in the same second."},
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
    {.word = "--ssl", .ours = "--tls-cert=FILE --tls-key=FILE, or --tls-self-signed for a try"},
    {.word = "--sslcert", .ours = "--tls-cert=FILE"},
    {.word = "--sslkey", .ours = "--tls-key=FILE"},
    {.word = "--sslca", .ours = "--tls-client-ca=FILE"},
    {.word = "--sameorigin", .ours = "--origin=same"},
    {.word = "--maxframesize", .ours = "--max-message=SIZE"},
    {.word = "--pingms", .ours = "--ping-interval=TIME"},
    {.word = "--redirport", .note = "it does not redirect: let a proxy in front do that"},
    {.word = "--header", .note = "it adds no headers: let a proxy in front do that"},
    {.word = "--header-http", .note = "it adds no headers: let a proxy in front do that"},
    {.word = "--header-ws", .note = "it adds no headers; a subprotocol is --subprotocol=NAME"},
    {.word = "--reverselookup", .note = "names of clients are not looked up"},
    {.word = NULL},
};

bool cli_server_check(const struct cli_server_config *config, struct cli_complaint *complaint)
{
    const struct cli_tls_config *tls = &config->tls;

    if (!cli_check_key_pair("tls-cert", tls->cert, "tls-key", tls->key, complaint))
        return false;
    if (tls->is_self_signed && tls->cert)
        return cli_complain(complaint, CLI_EXIT_USAGE,
                            "--tls-self-signed: there is --tls-cert=%s (leave out one of the two)",
                            cli_shown(tls->cert).text);
    if (tls->client_ca && !tls->cert)
        return cli_complain_of(complaint, "tls-client-ca", tls->client_ca,
                               "it needs a certificate (add --tls-cert=FILE)");
    return cli_check_addresses(&config->listen, complaint) &&
           cli_check_file("tls-cert", tls->cert, complaint) &&
           cli_check_file("tls-key", tls->key, complaint) &&
           cli_check_file("tls-client-ca", tls->client_ca, complaint);
}
