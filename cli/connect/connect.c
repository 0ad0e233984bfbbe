/*
 * connect.c - the command `duplex connect`: its options.
 */
#include "cli/connect/connect.h"

#include "cli/connect/run.h"
#include "cli/options/items.h"

/* ---- options ---- */

#define FIELD(name) offsetof(struct cli_connect_config, name)

static const char *const endless[] = {"forever", NULL};
static const char *const no_proxy[] = {"none", NULL};

static const struct cli_option talking_options[] = {
    {.name = "send",
     .kind = CLI_LIST,
     .field = FIELD(sends),
     .item = &cli_item_text,
     .placeholder = "TEXT",
     .help = "send TEXT instead of stdin; repeatable",
     .more = "Stdin is not read. _TEXT_ has the form that the options of messages give: with "
             "*--hex* it is hexadecimal digits."},
    {.name = "expect",
     .kind = CLI_COUNT,
     .field = FIELD(expect),
     .placeholder = "N",
     .smallest = 1,
     .help = "exit with 0 after N messages",
     .more = "No further messages are printed. If the connection closes before, the status is "
             "9. Together with *--match* only messages that match are counted."},
    {.name = "match",
     .kind = CLI_TEXT,
     .field = FIELD(match),
     .placeholder = "PATTERN",
     .help = "exit with 0 after a message that matches",
     .more = "_PATTERN_ is a POSIX extended regular expression, as in _grep -E_. All messages "
             "are printed. If the connection closes before a match, the status is 9."},
    {.name = "linger",
     .kind = CLI_DURATION,
     .field = FIELD(linger_ms),
     .choices = endless,
     .placeholder = "TIME",
     .preset_note = "1s, forever with --expect or --match",
     .smallest = 1,
     .help = "silence after the end of stdin before closing; or forever",
     .more = "It counts from the last message received, the end of stdin or the opening, "
             "whichever is latest. Then Close 1000 is sent, and messages are printed until "
             "the server answers it."},
    {.name = "timeout",
     .kind = CLI_DURATION,
     .field = FIELD(timeout_ms),
     .placeholder = "TIME",
     .preset_note = "none",
     .help = "exit with 8 after this time in any case"},
    {.name = "on-open",
     .kind = CLI_TEXT,
     .field = FIELD(on_open),
     .placeholder = "TEXT",
     .help = "send TEXT first, each time the connection opens",
     .more = "Also after *--reconnect* has reconnected, for example to subscribe again."},
    {.name = "reconnect",
     .kind = CLI_FLAG,
     .field = FIELD(reconnects),
     .preset_note = "off",
     .help = "connect again when the connection is lost",
     .more = "After a random part of 5 s, a time that doubles with each failure up to 30 s. "
             "Input that arrives in between is kept and sent later. It does not reconnect "
             "where that cannot help: a wrong certificate, status 401, a close code that says "
             "so."},
    {.name = "heartbeat",
     .kind = CLI_DURATION,
     .field = FIELD(heartbeat_ms),
     .placeholder = "TIME",
     .preset_note = "off",
     .smallest = 1,
     .help = "ping after this silence; wait as long for an answer",
     .more = "Without an answer the connection is given up: status 8."},
    {.name = "heartbeat-text",
     .kind = CLI_TEXT,
     .field = FIELD(heartbeat_text),
     .placeholder = "TEXTS",
     .help = "use text messages instead of pings: ping/pong",
     .more = "For servers that are made for web pages: the first text is sent, the second is "
             "the answer, which is not printed. *--heartbeat* gives the interval; the default "
             "is 30s."},
    {.name = "ok-code",
     .kind = CLI_LIST,
     .field = FIELD(ok_codes),
     .item = &cli_item_close_code,
     .placeholder = "CODE",
     .help = "a close code that counts as success; repeatable",
     .more = "Besides 1000, 1001 and a Close without a code."},
    {.name = "record",
     .kind = CLI_TEXT,
     .field = FIELD(record),
     .placeholder = "FILE",
     .help = "write the messages of both sides to FILE, with times",
     .more = "One JSON object per line: _ms_ since the opening, _from_ (us, peer), and _text_ "
             "or _base64_."},
    {.name = "replay",
     .kind = CLI_TEXT,
     .field = FIELD(replay),
     .placeholder = "FILE",
     .help = "send the messages that FILE recorded, at their times",
     .more = "Instead of stdin: every message of *us* in a file of *--record*."},
    {.name = "listen",
     .kind = CLI_LIST,
     .field = FIELD(listen),
     .item = &cli_item_address,
     .placeholder = "ADDR",
     .help = "wait for one client instead of connecting",
     .more = "_ADDR_ is PORT (on loopback), HOST:PORT, [IPv6]:PORT, \\*:PORT or unix:PATH. "
             "The address is printed on stderr. The first client is talked to; all others get "
             "status 503. Pages of any origin are accepted."},
    {.name = NULL},
};

static const struct cli_option message_options[] = {
    {.name = "binary",
     .kind = CLI_SET,
     .set = CLI_FORM_BINARY,
     .field = FIELD(form),
     .help = "bytes as they are, nothing added",
     .more = "Each read of stdin is a binary message; messages are written to stdout one "
             "after another."},
    {.name = "hex",
     .kind = CLI_SET,
     .set = CLI_FORM_HEX,
     .field = FIELD(form),
     .help = "binary messages as hexadecimal digits",
     .more = "Each line of stdin is a binary message, each binary message a line of stdout. "
             "Blanks between digits are ignored. Text messages are printed as they are."},
    {.name = "base64",
     .kind = CLI_SET,
     .set = CLI_FORM_BASE64,
     .field = FIELD(form),
     .help = "binary messages in base64",
     .more = "As *--hex*."},
    {.name = "null",
     .letter = '0',
     .kind = CLI_FLAG,
     .field = FIELD(ends_with_null),
     .preset_note = "off",
     .help = "a NUL ends a message instead of a newline",
     .more = "On stdin and stdout, as with _find -print0_ and _xargs -0_, for messages that "
             "contain newlines."},
    {.name = "json",
     .kind = CLI_FLAG,
     .field = FIELD(prints_json),
     .preset_note = "off",
     .help = "print each event as a JSON object on a line",
     .more = "Members: _time_, _event_ (open, message, ping, pong, error, close) and details: "
             "of a message _type_ and _data_, or _base64_ if it is binary; of a close _code_, "
             "_reason_ and _clean_; of an error _step_ and _detail_."},
    {.name = "max-message",
     .kind = CLI_SIZE,
     .field = FIELD(max_message),
     .placeholder = "SIZE",
     .preset = "16M",
     .smallest = 1,
     .help = "maximum length of a message",
     .more = "If the server sends a longer one, the connection is closed with 1009: status 7. "
             "A longer line of stdin is an error: status 1."},
    {.name = NULL},
};

static const struct cli_option request_options[] = {
    {.name = "header",
     .letter = 'H',
     .kind = CLI_LIST,
     .field = FIELD(headers),
     .item = &cli_item_header,
     .placeholder = "NAME:VALUE",
     .help = "an additional header of the request; repeatable"},
    {.name = "origin",
     .kind = CLI_TEXT,
     .field = FIELD(origin),
     .placeholder = "ORIGIN",
     .help = "the Origin header: the page that asks"},
    {.name = "subprotocol",
     .kind = CLI_LIST,
     .field = FIELD(subprotocols),
     .item = &cli_item_subprotocol,
     .placeholder = "NAME",
     .help = "a subprotocol to offer; repeatable",
     .more = "If the server selects none of them, the connection fails, as in browsers."},
    {.name = "user",
     .kind = CLI_TEXT,
     .field = FIELD(user),
     .placeholder = "NAME:PASSWORD",
     .help = "log in with HTTP basic authentication",
     .more = "Other users of this machine can see it in the list of processes. The URL can "
             "contain it, too: ws://NAME:PASSWORD@HOST/."},
    {.name = "bearer",
     .kind = CLI_TEXT,
     .field = FIELD(bearer),
     .placeholder = "TOKEN",
     .help = "log in with a bearer token"},
    {.name = "cookie",
     .kind = CLI_LIST,
     .field = FIELD(cookies),
     .item = &cli_item_cookie,
     .placeholder = "NAME=VALUE",
     .help = "a cookie; repeatable"},
    {.name = "max-redirects",
     .kind = CLI_COUNT,
     .field = FIELD(max_redirects),
     .placeholder = "N",
     .preset = "0",
     .largest = 20,
     .help = "maximum number of redirects to follow",
     .more = "Never from wss to ws. *--user*, *--bearer* and headers are sent to the same "
             "origin only."},
    {.name = NULL},
};

static const struct cli_option way_options[] = {
    {.name = "ca",
     .kind = CLI_TEXT,
     .field = FIELD(ca),
     .placeholder = "FILE",
     .help = "trust these authorities instead of the system's",
     .more = "PEM, or a directory with hashed names."},
    {.name = "cert",
     .kind = CLI_TEXT,
     .field = FIELD(cert),
     .placeholder = "FILE",
     .help = "the client certificate, if the server asks for one (PEM)"},
    {.name = "key",
     .kind = CLI_TEXT,
     .field = FIELD(key),
     .placeholder = "FILE",
     .help = "its private key (PEM)"},
    {.name = "server-name",
     .kind = CLI_TEXT,
     .field = FIELD(server_name),
     .placeholder = "NAME",
     .help = "the server's name for TLS (SNI) and verification",
     .more = "Instead of the name in the URL."},
    {.name = "insecure",
     .letter = 'k',
     .kind = CLI_FLAG,
     .field = FIELD(is_insecure),
     .preset_note = "off",
     .help = "skip verification of the certificate"},
    {.name = "keylog",
     .kind = CLI_TEXT,
     .field = FIELD(keylog),
     .placeholder = "FILE",
     .help = "append TLS secrets to FILE, for Wireshark",
     .more = "The file gets mode 0600. Its secrets decrypt the connection."},
    {.name = "proxy",
     .kind = CLI_TEXT,
     .field = FIELD(proxy),
     .choices = no_proxy,
     .placeholder = "URL",
     .preset_note = "from the environment",
     .help = "connect through http, https, socks5 or socks5h://...",
     .more = "_http://\\[NAME:PASSWORD@\\]HOST:PORT_, or _https_, _socks5_ (names are looked "
             "up here), _socks5h_ (the proxy looks them up). *none* connects directly. See "
             "*ENVIRONMENT*."},
    {.name = "unix",
     .kind = CLI_TEXT,
     .field = FIELD(unix_path),
     .placeholder = "PATH",
     .help = "connect to this socket; the URL gives Host and path"},
    {.name = "handshake-timeout",
     .kind = CLI_DURATION,
     .field = FIELD(handshake_timeout_ms),
     .placeholder = "TIME",
     .preset = "10s",
     .smallest = 1,
     .help = "maximum time for opening the connection"},
    {.name = "close-timeout",
     .kind = CLI_DURATION,
     .field = FIELD(close_timeout_ms),
     .placeholder = "TIME",
     .preset = "5s",
     .smallest = 1,
     .help = "maximum time for the answer to a Close"},
    {.name = NULL},
};

static const struct cli_option log_options[] = {
    {.name = "verbose",
     .letter = 'v',
     .kind = CLI_FLAG,
     .field = FIELD(is_verbose),
     .help = "show the handshake, pings and close codes on stderr",
     .more = "Passwords and tokens are left out. Of a refused upgrade, the headers and the "
             "first 4 KiB of the body are shown."},
    {.name = "quiet",
     .letter = 'q',
     .kind = CLI_FLAG,
     .field = FIELD(is_quiet),
     .help = "print no errors; the exit status tells"},
    {.name = NULL},
};

static const struct cli_group groups[] = {
    {"Input and exit", talking_options, 0},
    {"Messages", message_options, 0},
    {"Request", request_options, 0},
    {"Connection", way_options, 0},
    {"Log", log_options, 0},
    CLI_GENERAL_GROUP,
    {.options = NULL},
};

/* wscat's and websocat's. */
static const struct cli_foreign foreign[] = {
    {.word = "wscat", .ours = "URL"},
    {.word = "websocat", .ours = "URL"},
    {.word = "-c", .ours = "URL"},
    {.word = "--connect", .ours = "URL"},
    {.word = "-l", .ours = "--listen=PORT"},
    {.word = "-x", .ours = "--send=TEXT URL"},
    {.word = "--execute", .ours = "--send=TEXT URL"},
    {.word = "-w", .ours = "--linger=TIME URL"},
    {.word = "--wait", .ours = "--linger=TIME URL"},
    {.word = "-P", .ours = "--verbose URL"},
    {.word = "--show-ping-pong", .ours = "--verbose URL"},
    {.word = "--slash", .note = "/ping, /close and others work on every terminal"},
    {.word = "-n", .note = "wscat's -n is --insecure, websocat's is --linger=forever"},
    {.word = "--no-check", .ours = "--insecure URL"},
    {.word = "--no-color", .note = "set NO_COLOR=1 in the environment"},
    {.word = "--auth", .ours = "--user=NAME:PASSWORD URL"},
    {.word = "-o", .ours = "--origin=ORIGIN URL"},
    {.word = "-L", .ours = "--max-redirects=N URL"},
    {.word = "--location", .ours = "--max-redirects=N URL"},
    {.word = "--passphrase", .note = "give a key without a passphrase"},
    {.word = "-p", .note = "wscat's -p is not needed, websocat's is --on-open=TEXT"},
    {.word = "-s", .note = "wscat's -s is --subprotocol=NAME, websocat's is --listen=PORT"},
    {.word = "--protocol", .ours = "--subprotocol=NAME URL"},
    {.word = "--basic-auth", .ours = "--user=NAME:PASSWORD URL"},
    {.word = "-1", .ours = "--expect=1 URL"},
    {.word = "--one-message", .ours = "--expect=1 URL"},
    {.word = "-E", .note = "it closes after the end of stdin; --linger=TIME sets the delay"},
    {.word = "--exit-on-eof",
     .note = "it closes after the end of stdin; --linger=TIME sets the delay"},
    {.word = "--no-close", .ours = "--linger=forever URL"},
    {.word = "-t", .note = "a line is a text message, unless there is --binary, --hex or --base64"},
    {.word = "--text",
     .note = "a line is a text message, unless there is --binary, --hex or --base64"},
    {.word = "-b", .ours = "--binary URL"},
    {.word = "--null-terminated", .ours = "--null URL"},
    {.word = "-u", .note = "send stdout to /dev/null to print nothing"},
    {.word = "-U", .note = "take stdin from /dev/null to send nothing"},
    {.word = "-B", .ours = "--max-message=SIZE URL"},
    {.word = "--buffer-size", .ours = "--max-message=SIZE URL"},
    {.word = "--preamble", .ours = "--on-open=TEXT URL"},
    {.word = "--ping-interval", .ours = "--heartbeat=TIME URL"},
    {.word = "--ping-timeout", .ours = "--heartbeat=TIME URL"},
    {.word = "--print-ping-rtts", .ours = "--verbose URL"},
    {.word = "--socks5", .ours = "--proxy=socks5://HOST:PORT URL"},
    {.word = "--tls-domain", .ours = "--server-name=NAME URL"},
    {.word = "--ua", .ours = "--header='User-Agent: NAME' URL"},
    {.word = "--client-pkcs12-der", .ours = "--cert=FILE --key=FILE URL, both PEM"},
    {.word = "--oneshot", .note = "--listen=ADDR waits for one client"},
    {.word = "-", .note = "stdin is always read: leave it out"},
    {.word = "ws-l:", .ours = "--listen=ADDR"},
    {.word = "ws-listen:", .ours = "--listen=ADDR"},
    {.word = "ws-u:", .ours = "--listen=ADDR"},
    {.word = "l-ws-unix:", .ours = "--listen=unix:PATH"},
    {.word = "ws-c:", .ours = "ws://HOST:PORT/, with --unix=PATH for a socket"},
    {.word = "ws-connect:", .ours = "ws://HOST:PORT/, with --unix=PATH for a socket"},
    {.word = "autoreconnect:", .ours = "--reconnect URL"},
    {.word = "exec:", .note = "duplex serve COMMAND gives a program a WebSocket"},
    {.word = "cmd:", .note = "duplex serve COMMAND gives a program a WebSocket"},
    {.word = "sh-c:", .note = "duplex serve COMMAND gives a program a WebSocket"},
    {.word = NULL},
};

static const struct cli_foreign *const foreign_words[] = {foreign, NULL};

/* ---- the command ---- */

static bool check(const struct cli_config *config, struct cli_complaint *complaint)
{
    return cli_connect_check((const struct cli_connect_config *)config, complaint);
}

static int run(const struct cli_config *config)
{
    return cli_connect_run((const struct cli_connect_config *)config);
}

const struct cli_command cli_connect = {
    .name = "connect",
    .synopsis = "duplex connect [options] URL\n"
                "       duplex connect [options] --listen=ADDR\n",
    .summary = "talk to a WebSocket server",
    .about = "A WebSocket client. On a terminal each line that you type is sent, and messages\n"
             "are shown as they come. In a pipe each line of stdin is a message, and each\n"
             "message is a line of stdout.\n",
    .examples = "  duplex connect wss://example.org/chat\n"
                "  echo hello | duplex connect ws://127.0.0.1:8080/\n"
                "  duplex connect --send=hello --expect=1 ws://127.0.0.1:8080/\n",
    .operands = CLI_OPERANDS_ONE,
    .operand_field = FIELD(url),
    .operand_name = "URL",
    .groups = groups,
    .config_len = sizeof(struct cli_connect_config),
    .foreign = foreign_words,
    .check = check,
    .run = run,
};
