/*
 * connect.c - the command `duplex connect`: its options.
 */
#include "cli/connect/connect.h"

#include "cli/connect/session.h"
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
     .help = "send TEXT in place of stdin; repeatable",
     .more = "Stdin is not read then. It goes as the form of messages says: with *--hex* _TEXT_ is "
             "hexadecimal digits."},
    {.name = "expect",
     .kind = CLI_COUNT,
     .field = FIELD(expect),
     .placeholder = "N",
     .smallest = 1,
     .help = "end with 0 after N messages",
     .more = "No more than these are printed. Who closes before has not done what was expected: "
             "status 9. Together with *--match* only messages that match are counted."},
    {.name = "match",
     .kind = CLI_TEXT,
     .field = FIELD(match),
     .placeholder = "PATTERN",
     .help = "end with 0 after a message that matches",
     .more = "_PATTERN_ is a POSIX extended regular expression, as in _grep -E_. All messages are "
             "printed. A close before that is status 9."},
    {.name = "linger",
     .kind = CLI_DURATION,
     .field = FIELD(linger_ms),
     .choices = endless,
     .placeholder = "TIME",
     .preset_note = "1s, forever with --expect or --match",
     .smallest = 1,
     .help = "silence after the end of stdin before closing; or forever",
     .more = "It counts from the last message that came, from the end of stdin or from the "
             "opening, whichever was last. Then Close 1000 is sent, and what still comes is "
             "printed until the server answers it."},
    {.name = "timeout",
     .kind = CLI_DURATION,
     .field = FIELD(timeout_ms),
     .placeholder = "TIME",
     .preset_note = "none",
     .help = "end with 8 after this time, whatever happens"},
    {.name = "on-open",
     .kind = CLI_TEXT,
     .field = FIELD(on_open),
     .placeholder = "TEXT",
     .help = "send TEXT first, at each opening",
     .more = "Also when a connection was lost and *--reconnect* has opened another: for a "
             "subscription."},
    {.name = "reconnect",
     .kind = CLI_FLAG,
     .field = FIELD(reconnects),
     .preset_note = "off",
     .help = "connect again when the connection is lost",
     .more = "After a random part of 5 s at most, doubled with each failure up to 30 s. What was "
             "given meanwhile is kept and sent. Not after what will not change: a wrong "
             "certificate, status 401, a close code that says so."},
    {.name = "heartbeat",
     .kind = CLI_DURATION,
     .field = FIELD(heartbeat_ms),
     .placeholder = "TIME",
     .preset_note = "off",
     .smallest = 1,
     .help = "ping after this silence; as long for an answer",
     .more = "Without a sign of life the connection is given up: status 8."},
    {.name = "heartbeat-text",
     .kind = CLI_TEXT,
     .field = FIELD(heartbeat_text),
     .placeholder = "TEXTS",
     .help = "beat with text messages in place of pings: ping/pong",
     .more = "For servers of pages: the first text is sent, the second is the answer, which is not "
             "shown. *--heartbeat* says how often, 30s if it is not given."},
    {.name = "ok-code",
     .kind = CLI_LIST,
     .field = FIELD(ok_codes),
     .item = &cli_item_close_code,
     .placeholder = "CODE",
     .help = "a close code that is no failure; repeatable",
     .more = "Besides 1000, 1001 and a Close without a code."},
    {.name = "record",
     .kind = CLI_TEXT,
     .field = FIELD(record),
     .placeholder = "FILE",
     .help = "write both sides to FILE, with times",
     .more = "A JSON object a line: _ms_ since the opening, _from_ (us, peer), and _text_ or "
             "_base64_."},
    {.name = "replay",
     .kind = CLI_TEXT,
     .field = FIELD(replay),
     .placeholder = "FILE",
     .help = "send what FILE recorded, at its times",
     .more = "In place of stdin: every message of *us* in a file of *--record*."},
    {.name = "listen",
     .kind = CLI_LIST,
     .field = FIELD(listen),
     .item = &cli_item_address,
     .placeholder = "ADDR",
     .help = "wait for one client in place of connecting",
     .more = "_ADDR_ is PORT (on loopback), HOST:PORT, [IPv6]:PORT, \\*:PORT or unix:PATH. The "
             "address is named on stderr. Whoever comes first is talked to, all others get status "
             "503. Pages of any origin are admitted."},
    {.name = NULL},
};

static const struct cli_option message_options[] = {
    {.name = "binary",
     .kind = CLI_SET,
     .set = CLI_FORM_BINARY,
     .field = FIELD(form),
     .help = "bytes as they come, nothing added",
     .more = "What is read from stdin at once is a binary message; messages are written to stdout "
             "one behind another."},
    {.name = "hex",
     .kind = CLI_SET,
     .set = CLI_FORM_HEX,
     .field = FIELD(form),
     .help = "binary messages as hexadecimal digits",
     .more = "A line in is a binary message, a binary message is a line out. Blanks between digits "
             "do not count. A text message is printed as it is."},
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
     .help = "a NUL ends a message, not a newline",
     .more = "On stdin and stdout, as _find -print0_ and _xargs -0_ do, for messages with newlines "
             "in them."},
    {.name = "json",
     .kind = CLI_FLAG,
     .field = FIELD(prints_json),
     .preset_note = "off",
     .help = "print each event as a JSON object a line",
     .more = "Members: _time_, _event_ (open, message, ping, pong, error, close) and what belongs "
             "to it: of a message _type_ and _data_, or _base64_ when it is binary; of a close "
             "_code_, _reason_ and _clean_; of an error _step_ and _detail_."},
    {.name = "max-message",
     .kind = CLI_SIZE,
     .field = FIELD(max_message),
     .placeholder = "SIZE",
     .preset = "16M",
     .smallest = 1,
     .help = "the longest message",
     .more = "A longer one from the server is closed with 1009, status 7; a longer line of stdin "
             "is an error, status 1."},
    {.name = NULL},
};

static const struct cli_option request_options[] = {
    {.name = "header",
     .letter = 'H',
     .kind = CLI_LIST,
     .field = FIELD(headers),
     .item = &cli_item_header,
     .placeholder = "NAME:VALUE",
     .help = "another header of the request; repeatable"},
    {.name = "origin",
     .kind = CLI_TEXT,
     .field = FIELD(origin),
     .placeholder = "ORIGIN",
     .help = "the page that the request says to come from"},
    {.name = "subprotocol",
     .kind = CLI_LIST,
     .field = FIELD(subprotocols),
     .item = &cli_item_subprotocol,
     .placeholder = "NAME",
     .help = "a subprotocol to offer; repeatable",
     .more = "If some are offered and the server agrees to none of them the connection fails, as "
             "in browsers."},
    {.name = "user",
     .kind = CLI_TEXT,
     .field = FIELD(user),
     .placeholder = "NAME:PASSWORD",
     .help = "log in by HTTP basic authentication",
     .more = "Others can see it in the list of processes. The URL may say it, too: "
             "ws://NAME:PASSWORD@HOST/."},
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
     .help = "follow so many redirects",
     .more = "Never from wss to ws; *--user*, *--bearer* and headers go to the same origin only."},
    {.name = NULL},
};

static const struct cli_option way_options[] = {
    {.name = "ca",
     .kind = CLI_TEXT,
     .field = FIELD(ca),
     .placeholder = "FILE",
     .help = "trust these authorities in place of the system's",
     .more = "PEM, or a directory with hashed names."},
    {.name = "cert",
     .kind = CLI_TEXT,
     .field = FIELD(cert),
     .placeholder = "FILE",
     .help = "show this certificate when asked (PEM)"},
    {.name = "key",
     .kind = CLI_TEXT,
     .field = FIELD(key),
     .placeholder = "FILE",
     .help = "its private key (PEM)"},
    {.name = "server-name",
     .kind = CLI_TEXT,
     .field = FIELD(server_name),
     .placeholder = "NAME",
     .help = "the name to ask for and to verify",
     .more = "By TLS (SNI), in place of the URL's."},
    {.name = "insecure",
     .letter = 'k',
     .kind = CLI_FLAG,
     .field = FIELD(is_insecure),
     .preset_note = "off",
     .help = "do not verify the certificate"},
    {.name = "keylog",
     .kind = CLI_TEXT,
     .field = FIELD(keylog),
     .placeholder = "FILE",
     .help = "append TLS secrets to FILE, for Wireshark",
     .more = "Mode 0600. Who has it can read the connection."},
    {.name = "proxy",
     .kind = CLI_TEXT,
     .field = FIELD(proxy),
     .choices = no_proxy,
     .placeholder = "URL",
     .preset_note = "from the environment",
     .help = "go through http, https, socks5 or socks5h://...",
     .more = "_http://\\[NAME:PASSWORD@\\]HOST:PORT_, or _https_, _socks5_ (names are looked up "
             "here), _socks5h_ (by the proxy). *none* goes straight. See *ENVIRONMENT*."},
    {.name = "unix",
     .kind = CLI_TEXT,
     .field = FIELD(unix_path),
     .placeholder = "PATH",
     .help = "connect to this socket, whatever the URL's host"},
    {.name = "handshake-timeout",
     .kind = CLI_DURATION,
     .field = FIELD(handshake_timeout_ms),
     .placeholder = "TIME",
     .preset = "10s",
     .smallest = 1,
     .help = "time for the opening, all steps"},
    {.name = "close-timeout",
     .kind = CLI_DURATION,
     .field = FIELD(close_timeout_ms),
     .placeholder = "TIME",
     .preset = "5s",
     .smallest = 1,
     .help = "time for the answer to a Close"},
    {.name = NULL},
};

static const struct cli_option log_options[] = {
    {.name = "verbose",
     .letter = 'v',
     .kind = CLI_FLAG,
     .field = FIELD(is_verbose),
     .help = "show the handshake, pings and close codes on stderr",
     .more = "Passwords and tokens are left out. Of an upgrade that is refused the headers and the "
             "first 4 KiB of the body are shown."},
    {.name = "quiet",
     .letter = 'q',
     .kind = CLI_FLAG,
     .field = FIELD(is_quiet),
     .help = "print no errors; the exit status says it"},
    {.name = NULL},
};

static const struct cli_group groups[] = {
    {"Talking", talking_options, 0},
    {"Messages", message_options, 0},
    {"The request", request_options, 0},
    {"The way there", way_options, 0},
    {"Log", log_options, 0},
    CLI_GENERAL_GROUP,
    {.options = NULL},
};

/* ---- the command ---- */

static bool check(const struct cli_config *config, struct cli_complaint *complaint)
{
    return cli_connect_check((const struct cli_connect_config *)config, complaint);
}

static int run(const struct cli_config *config)
{
    return cli_session_run((const struct cli_connect_config *)config);
}

const struct cli_command cli_connect = {
    .name = "connect",
    .synopsis = "duplex connect [options] URL\n"
                "       duplex connect [options] --listen=ADDR\n",
    .summary = "talk to a WebSocket server",
    .about = "A WebSocket client. On a terminal each line that is typed is sent, and what\n"
             "comes is shown. In a pipe each line of stdin is a message, and each message a\n"
             "line of stdout.\n",
    .examples = "  duplex connect wss://example.org/chat\n"
                "  echo hello | duplex connect ws://127.0.0.1:8080/\n"
                "  duplex connect --send=hello --expect=1 ws://127.0.0.1:8080/\n",
    .operands = CLI_OPERANDS_ONE,
    .operand_field = FIELD(url),
    .operand_name = "URL",
    .groups = groups,
    .config_len = sizeof(struct cli_connect_config),
    .check = check,
    .run = run,
};
