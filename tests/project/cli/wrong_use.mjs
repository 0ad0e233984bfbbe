// Wrong command lines, each with its exact line on stderr and its exit status. Nothing is started,
// and nothing is on stdout. A row is the words after the command, the line after "duplex COMMAND:
// ", and the status if it is not 2.

import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';

import { duplex } from './support.mjs';

const address = 'not an address (write PORT, HOST:PORT, [IPv6]:PORT, *:PORT, unix:PATH or fd:N)';
const port = 'not a port (write a number from 0 to 65535)';
const size = 'not a size (write bytes, or 64K, 1M, 1G)';
const duration = 'not a duration (write 250ms, 5s or 2m; 5 is 5 seconds)';
const count = 'not a number (write a whole number such as 100)';
const ladder = 'not a ladder (write three durations, to INT, to TERM and to KILL: 1s,1s,1s)';
const origin = 'not an origin (write same, any, null, https://HOST[:PORT] or https://*.HOST)';
const variable = 'not a variable name (write NAME=VALUE; letters, digits and _ in NAME)';
const hostName = 'not a host name (write a name such as www.example.org, or an address)';
const slash = 'the path has no leading / (write /PATH=COMMAND)';
const routePath = 'not a path (no blank, control, ?, #, //, . or .. in it)';
const quote = 'a quote is not closed (close it, or write \\ before it)';

// In front of a command.
const root = [
  [['sevre'], 'sevre: no such command (did you mean duplex serve?)'],
  [['ecoh', '--port=1'], 'ecoh: no such command (did you mean duplex echo?)'],
  [['hlep'], 'hlep: no such command (did you mean duplex help?)'],
  [['frobnicate'], 'frobnicate: no such command (see duplex --help)'],
  [[''], ': no such command (see duplex --help)'],
  [['./counter.sh'], './counter.sh: no such command (did you mean duplex serve ./counter.sh?)'],
  [['\x1b[2J\n'], '\\x1b[2J\\x0a: no such command (see duplex --help)'],
  [['--port=80', 'serve'], '--port: goes after the command (write duplex serve --port)'],
  [['-v', 'echo'], '-v: goes after the command (write duplex serve -v)'],
  [['--frobnicate'], '--frobnicate: no such option (see duplex --help)'],
  [['-z'], '-z: no such option (see duplex --help)'],
  [['-v', 'ws://127.0.0.1:1/'], '-v: goes after the command (write duplex connect -v)'],
  [['--'], '--: no such option (see duplex --help)'],
  [['help', 'sevre'], 'sevre: no such command (did you mean duplex serve?)'],
  [['help', 'serve', 'cat'], 'help: cat: one argument too many (write duplex help serve)'],
];

// The words of wscat, websocat and websocketd, where those have no command. All of the table's rows
// are looked at by tests/unit/cli/foreign_test.c.
const rootOfOthers = [
  [['-c', 'ws://127.0.0.1:1/'], '-c: no such option (write duplex connect URL)'],
  [['--connect=ws://127.0.0.1:1/'], '--connect: no such option (write duplex connect URL)'],
  [['-x', 'hello'], '-x: no such option (write duplex connect --send=TEXT URL)'],
  [['-l', '8080'], '-l: no such option (write duplex connect --listen=PORT)'],
  [['-s', '8080'],
    "-s: no such option (wscat's -s is --subprotocol=NAME, websocat's is --listen=PORT)"],
  [['--maxforks=9', './x'], '--maxforks: no such option (write duplex serve --max-programs=N)'],
  [['ws-l:127.0.0.1:8080', '-'],
    'ws-l:127.0.0.1:8080: no such command (write duplex connect --listen=ADDR)'],
  [['-', 'ws://127.0.0.1:1/'], '-: no such option (stdin is always read: leave it out)'],
  [['exec:cat'], 'exec:cat: no such command (duplex serve COMMAND gives a program a WebSocket)'],
  [['wscat', '-c', 'ws://127.0.0.1:1/'], 'wscat: no such command (write duplex connect URL)'],
  [['websocketd', '--port=8080', './x'],
    'websocketd: no such command (write duplex serve COMMAND)'],
];

const serve = [
  // Nothing to serve, or nothing that can be.
  [[], 'no program given (write duplex serve COMMAND, or --route=PATH=COMMAND)'],
  [['--'], 'no program given (write duplex serve COMMAND, or --route=PATH=COMMAND)'],
  [['--static=web'], 'no program given (write duplex serve COMMAND, or --route=PATH=COMMAND)'],
  [['nosuchprogram'],
    'no program nosuchprogram in PATH (write ./nosuchprogram for one in this directory)'],
  [['ls -l'], 'no program ls -l in PATH (leave out the quotes around its words)'],
  [['./nosuchprogram', '-x'], 'no program ./nosuchprogram (check the path)'],
  [['./plain/x'], 'no program ./plain/x (check the path)'],
  [[''], 'no program  (check the path)'],
  [['./web'], './web is a directory (name a program in it)'],
  [['./plain'], './plain is not executable (chmod +x ./plain)', 1],
  [['--chdir=web', './web/nosuchprogram'], 'no program ./web/nosuchprogram (check the path)'],
  [['--chdir=nowhere', 'cat'], '--chdir=nowhere: No such file or directory (check the path)', 1],
  [['--chdir=plain', 'cat'], '--chdir=plain: Not a directory (check the path)', 1],
  [['--chdir=', 'cat'], '--chdir=: the value is empty'],

  // Options that are none.
  [['--statc=web', 'cat'], '--statc: no such option (did you mean --static?)'],
  [['--max-mesage', '1M', 'cat'], '--max-mesage: no such option (did you mean --max-message?)'],
  [['--max-mes=1M', 'cat'], '--max-mes: no such option (did you mean --max-message?)'],
  [['-port=80', 'cat'], '-port: no such option (did you mean --port?)'],
  [['--staticdir=web', 'cat'], '--staticdir: no such option (did you mean --static?)'],
  [['--frobnicate', 'cat'], '--frobnicate: no such option (see duplex serve --help)'],
  [['-x', 'cat'], '-x: no such option (see duplex serve --help)'],
  [['-vx', 'cat'], '-x: no such option (see duplex serve --help)'],
  [['--=x', 'cat'], '--: no such option (see duplex serve --help)'],
  [['--\x1b]0;x\x07', 'cat'], '--\\x1b]0;x\\x07: no such option (see duplex serve --help)'],

  // Options of websocketd, and of websocat.
  [['--port=8080', '--dir=cgi'],
    '--dir: no such option (write duplex serve --route=/NAME=COMMAND, once for each program)'],
  [['--devconsole', 'cat'],
    '--devconsole: no such option (open its URL in a browser: a page shows the program live)'],
  [['--passenv=A,B', 'cat'],
    '--passenv: no such option (write duplex serve --env=NAME, once for each)'],
  [['-maxforks=3', 'cat'], '-maxforks: no such option (write duplex serve --max-programs=N)'],
  [['--maxframesize', '9', 'cat'],
    '--maxframesize: no such option (write duplex serve --max-message=SIZE)'],
  [['--ssl', 'cat'], '--ssl: no such option (write duplex serve --tls-cert=FILE --tls-key=FILE, ' +
    'or --tls-self-signed for testing)'],
  [['--address=1.2.3.4', 'cat'],
    '--address: no such option (write duplex serve --listen=HOST:PORT)'],
  [['--loglevel=debug', 'cat'], '--loglevel: no such option (did you mean --log-level?)'],
  [['--cgidir=x', 'cat'],
    '--cgidir: no such option (Duplex runs no CGI programs; use a web server in front)'],
  [['-s', '1234', 'cat'], '-s: no such option (write duplex serve --port=PORT COMMAND)'],

  // Values that are missing or too many.
  [['--port'], '--port: needs a value (write --port=PORT)'],
  [['--route'], '--route: needs a value (write --route=PATH=COMMAND)'],
  [['--port', '--', 'cat'], `--port=--: ${port}`],
  [['--binary=yes', 'cat'], '--binary=yes: takes no value (write --binary)'],
  [['--help=serve'], '--help=serve: takes no value (write --help)'],

  // Addresses.
  [['--port=http', 'cat'], `--port=http: ${port}`],
  [['--port', '70000', 'cat'], `--port=70000: ${port}`],
  [['--port=-1', 'cat'], `--port=-1: ${port}`],
  [['--port=', 'cat'], `--port=: ${port}`],
  [['--port=localhost:80', 'cat'], `--port=localhost:80: ${port}`],
  [['--listen=', 'cat'], `--listen=: ${address}`],
  [['--listen=localhost', 'cat'], `--listen=localhost: ${address}`],
  [['--listen=localhost:70000', 'cat'], `--listen=localhost:70000: ${port}`],
  [['--listen=http://localhost:80', 'cat'], `--listen=http://localhost:80: ${address}`],
  [['--listen=10.0.0.256:80', 'cat'], `--listen=10.0.0.256:80: ${address}`],
  [['--listen=:80', 'cat'],
    '--listen=:80: no host (write PORT alone for loopback, *:PORT for all addresses)'],
  [['--listen=[::1', 'cat'], '--listen=[::1: bracket not closed (write [IPv6]:PORT)'],
  [['--listen=[::1]', 'cat'], '--listen=[::1]: no port (write [IPv6]:PORT)'],
  [['--listen=[::g]:80', 'cat'],
    '--listen=[::g]:80: not an IPv6 address (write [IPv6]:PORT, for example [::1]:8080)'],
  [['--listen=::1', 'cat'], '--listen=::1: an IPv6 address needs brackets (write [IPv6]:PORT)'],
  [['--listen=unix:', 'cat'], '--listen=unix:: no path (write unix:PATH)'],
  [[`--listen=unix:${'p'.repeat(108)}`, 'cat'],
    `--listen=unix:${'p'.repeat(108)}: too long for a Unix socket (at most 107 bytes)`],
  [['--listen=fd:stdin', 'cat'],
    '--listen=fd:stdin: not a descriptor (write fd:N with the number of an inherited socket)'],
  [['--listen=fd:99', 'cat'],
    '--listen=fd:99: no such descriptor (open it in the parent process)', 1],
  [['--listen=8080', '--port=8080', 'cat'], '--listen=8080: given twice (give each address once)'],

  // TLS.
  [['--tls-cert=cert.pem', 'cat'], '--tls-cert=cert.pem: its key is missing (add --tls-key=FILE)'],
  [['--tls-key=key.pem', 'cat'],
    '--tls-key=key.pem: its certificate is missing (add --tls-cert=FILE)'],
  [['--tls-cert=none.pem', '--tls-key=key.pem', 'cat'],
    '--tls-cert=none.pem: No such file or directory (check the path)', 1],
  [['--tls-cert=cert.pem', '--tls-key=web', 'cat'],
    '--tls-key=web: Is a directory (name another one)', 1],
  [['--tls-self-signed', '--tls-cert=cert.pem', '--tls-key=key.pem', 'cat'],
    '--tls-self-signed: it excludes --tls-cert=cert.pem (leave out one of the two)'],
  [['--tls-client-ca=cert.pem', 'cat'],
    '--tls-client-ca=cert.pem: it needs a certificate (add --tls-cert=FILE)'],
  [['--tls-client-ca=cert.pem', '--tls-self-signed', 'cat'],
    '--tls-client-ca=cert.pem: it needs a certificate (add --tls-cert=FILE)'],
  [['--tls-client-ca=none.pem', '--tls-cert=cert.pem', '--tls-key=key.pem', 'cat'],
    '--tls-client-ca=none.pem: No such file or directory (check the path)', 1],

  // Choices.
  [['--framing=json', 'cat'], '--framing=json: not a choice (write lines, binary or length)'],
  [['--framing=Lines', 'cat'], '--framing=Lines: not a choice (write lines, binary or length)'],
  [['--newlines=drop', 'cat'], '--newlines=drop: not a choice (write keep, escape or reject)'],
  [['--stderr=file', 'cat'], '--stderr=file: not a choice (write log, client or stdout)'],
  [['--invalid-utf8=', 'cat'], '--invalid-utf8=: not a choice (write replace or close)'],
  [['--log-level=loud', 'cat'],
    '--log-level=loud: not a choice (write error, warn, info or debug)'],
  [['--log-format=xml', 'cat'], '--log-format=xml: not a choice (write text or json)'],

  // Durations, sizes, counts.
  [['--drain=soon', 'cat'], `--drain=soon: ${duration}`],
  [['--drain=-1', 'cat'], `--drain=-1: ${duration}`],
  [['--flush-after=1.5ms', 'cat'], `--flush-after=1.5ms: ${duration}`],
  [['--handshake-timeout=5sec', 'cat'], `--handshake-timeout=5sec: ${duration}`],
  [['--handshake-timeout=0', 'cat'], '--handshake-timeout=0: too small (at least 1ms)'],
  [['--ping-interval=1000h', 'cat'], '--ping-interval=1000h: too long (at most 168h)'],
  [['--max-message=12Q', 'cat'], `--max-message=12Q: ${size}`],
  [['--max-message=1MB', 'cat'], `--max-message=1MB: ${size}`],
  [['--max-message=0', 'cat'], '--max-message=0: too small (at least 1)'],
  [['--max-message=99999999999G', 'cat'],
    '--max-message=99999999999G: too large (at most 17179869183G)'],
  [['--max-queue=2G', 'cat'], '--max-queue=2G: out of range (write 64K to 1G)'],
  [['--max-queue=63K', 'cat'], '--max-queue=63K: out of range (write 64K to 1G)'],
  [['--max-memory=1K', 'cat'], '--max-memory=1K: too small (at least 1M)'],
  [['--max-connections=many', 'cat'], `--max-connections=many: ${count}`],
  [['--max-connections=4294967296', 'cat'],
    '--max-connections=4294967296: too large (at most 4294967295)'],
  [['--max-programs=0', 'cat'], '--max-programs=0: too small (at least 1)'],
  [['--max-fragments=-5', 'cat'], `--max-fragments=-5: ${count}`],
  [['--threads=0', 'cat'], '--threads=0: out of range (write 1 to 64)'],
  [['--threads=65', 'cat'], '--threads=65: out of range (write 1 to 64)'],
  [['--ladder=1s', 'cat'], `--ladder=1s: ${ladder}`],
  [['--ladder=1s,1s,1s,1s', 'cat'], `--ladder=1s,1s,1s,1s: ${ladder}`],
  [['--ladder=a,b,c', 'cat'], `--ladder=a,b,c: ${ladder}`],

  // Routes and directories.
  [['--route=x=cat'], `--route=x=cat: ${slash}`],
  [['--route=cat'], `--route=cat: ${slash}`],
  [['--route=/x'], '--route=/x: no command (write PATH=COMMAND)'],
  [['--route=/x='], '--route=/x=: no command (write PATH=COMMAND)'],
  [['--route=/x=""'], '--route=/x="": no command (write PATH=COMMAND)'],
  [['--route=/x=cat \'a'], `--route=/x=cat 'a: ${quote}`],
  [['--route=/x=cat "a'], `--route=/x=cat "a: ${quote}`],
  [['--route=/x=cat \\'], '--route=/x=cat \\: ends in a backslash (write \\\\ for one)'],
  [['--route=/a/../b=cat'], `--route=/a/../b=cat: ${routePath}`],
  [['--route=/a?b=cat'], `--route=/a?b=cat: ${routePath}`],
  [['--route=/a=cat', '--route=/a/=ls'],
    '--route=/a/=ls: /a already has a program (give each path once)'],
  [['--route=/=ls', 'cat'], '--route=/=ls: cat is already at / (leave out one of the two)'],
  [['--route=/x=nosuchprogram -a'],
    '--route=/x=nosuchprogram -a: no program nosuchprogram in PATH ' +
      '(write ./nosuchprogram for one in this directory)'],
  [['--route=/x=./plain'], '--route=/x=./plain: ./plain is not executable (chmod +x ./plain)', 1],
  [['--static=', 'cat'], '--static=: no directory (write DIR or PATH=DIR)'],
  [['--static=/x=', 'cat'], '--static=/x=: no directory (write DIR or PATH=DIR)'],
  [['--static=x=web', 'cat'],
    '--static=x=web: the path has no leading / (write /PATH=DIR, or ./DIR for a name with an =)'],
  [['--static=nowhere', 'cat'], '--static=nowhere: No such file or directory (check the path)', 1],
  [['--static=/x=plain', 'cat'], '--static=/x=plain: Not a directory (check the path)', 1],
  [['--static=web', '--static=/=web', 'cat'],
    '--static=/=web: / already has a directory (give each path once)'],

  // Who may connect, and what programs get.
  [['--origin=ftp://x', 'cat'], `--origin=ftp://x: ${origin}`],
  [['--origin=example.org', 'cat'], `--origin=example.org: ${origin}`],
  [['--origin=https://*', 'cat'], `--origin=https://*: ${origin}`],
  [['--origin=https://a.org:port', 'cat'], `--origin=https://a.org:port: ${origin}`],
  [['--origin=https://a.org/', 'cat'],
    '--origin=https://a.org/: an origin has no path ' +
      '(write it up to the host or port, without a / after it)'],
  [['--origin=https://A.org', 'cat'],
    '--origin=https://A.org: an origin is in lower case (write it so)'],
  [['--host=a.org:80', 'cat'], '--host=a.org:80: no port here (write the name alone)'],
  [['--host=http://a.org', 'cat'], `--host=http://a.org: ${hostName}`],
  [['--subprotocol=a b', 'cat'],
    '--subprotocol=a b: not a subprotocol (write letters, digits or any of !#$%&\'*+-.^_`|~)'],
  [['--subprotocol=a,b', 'cat'],
    '--subprotocol=a,b: one name at a time (repeat the option for each)'],
  [['--env==x', 'cat'], `--env==x: ${variable}`],
  [['--env=A-B=x', 'cat'], `--env=A-B=x: ${variable}`],
  [['--env=DUPLEX_NOT_SET', 'cat'],
    '--env=DUPLEX_NOT_SET: not set here (write NAME=VALUE, or set it before)'],

  // The log.
  [['--log-file=', 'cat'], '--log-file=: the value is empty'],
  [['--log-file=nowhere/log', 'cat'],
    '--log-file=nowhere/log: No such file or directory (check the path)', 1],
  [['--log-file=web', 'cat'], '--log-file=web: Is a directory (check the path)', 1],

  // What is shown is shown safely, and cut.
  [['--port=\x1b[31m\u202e\n', 'cat'], `--port=\\x1b[31m\\xe2\\x80\\xae\\x0a: ${port}`],
  [[`--port=${'9'.repeat(300)}`, 'cat'], `--port=${'9'.repeat(252)}...: ${port}`],
];

const echo = [
  [['hello'], 'hello: not an option (duplex echo takes options only: see duplex echo --help)'],
  [['--port=0', '--', '--port=0'],
    '--port=0: not an option (duplex echo takes options only: see duplex echo --help)'],
  [['-'], '-: not an option (duplex echo takes options only: see duplex echo --help)'],
  [['--framing=lines'], '--framing: no such option (it is an option of duplex serve)'],
  [['--env=A=b'], '--env: no such option (it is an option of duplex serve)'],
  [['--prot=80'], '--prot: no such option (did you mean --port?)'],
  [['--max-message=-1'], `--max-message=-1: ${size}`],
  [['--threads=two'], `--threads=two: ${count}`],
  [['-p', '80'], '-p: no such option (write duplex echo --port=PORT)'],
  [['--tls-cert=cert.pem'], '--tls-cert=cert.pem: its key is missing (add --tls-key=FILE)'],
];

const url = 'ws://127.0.0.1:1/';
const connect = [
  [[], 'no URL given (write duplex connect ws://HOST[:PORT]/PATH)'],
  [['example.org:8080'],
    'example.org:8080: not the URL of a WebSocket (write ws://example.org:8080)'],
  [[':chat'], ':chat: not the URL of a WebSocket (write ws://:chat)'],
  [[url, 'again'], 'again: one argument too many (write one URL)'],
  [['--', url, '-v'], '-v: one argument too many (write one URL)'],
  [['--framing=lines', url], '--framing: no such option (it is an option of duplex serve)'],
  [['--sned=x', url], '--sned: no such option (did you mean --send?)'],
  [['--connect', url], '--connect: no such option (write duplex connect URL)'],
  [['-x', 'hi', url], '-x: no such option (write duplex connect --send=TEXT URL)'],
  [['-w', '3', url], '-w: no such option (write duplex connect --linger=TIME URL)'],
  [['-P', url], '-P: no such option (write duplex connect --verbose URL)'],
  [['-qn', url], "-n: no such option (wscat's -n is --insecure, websocat's is --linger=forever)"],
  [['--slash', url], '--slash: no such option (/ping, /close and others work on every terminal)'],
  [['-l', '8080'], '-l: no such option (write duplex connect --listen=PORT)'],
  [['--text', url],
    '--text: no such option ' +
      '(a line is a text message, unless there is --binary, --hex or --base64)'],
  [['-E', url],
    '-E: no such option (it closes after the end of stdin; --linger=TIME sets the delay)'],
  [['-', url], '-: not a URL (stdin is always read: leave it out)'],
  [['ws-l:8080', '-'], 'ws-l:8080: not a URL (write duplex connect --listen=ADDR)'],
  [['autoreconnect:ws://127.0.0.1:1'],
    'autoreconnect:ws://127.0.0.1:1: not a URL (write duplex connect --reconnect URL)'],
  [['-H'], '-H: needs a value (write -H NAME:VALUE)'],
  [['-H', 'nothing', url], "--header=nothing: not a header (write 'Name: value')"],
  [['-Ha b: c', url], "--header=a b: c: not a header (write 'Name: value')"],
  [['-H', 'a: b\r\nc: d', url],
    '--header=a: b\\x0d\\x0ac: d: a control character in it (a header is one line)'],
  [['-H', 'HOST: x', url], '--header=HOST: x: the handshake says this itself (leave it out)'],
  [['-H', 'sec-websocket-protocol: x', url],
    '--header=sec-websocket-protocol: x: the handshake says this itself ' +
      '(write --subprotocol=NAME)'],
  [['--cookie=x', url], '--cookie=x: not a cookie (write NAME=VALUE)'],
  [['--cookie=x=1; y=2', url], '--cookie=x=1; y=2: not a cookie (write NAME=VALUE)'],
  [['--cookie=x=1', '-H', 'Cookie: y=2', url],
    '--cookie: there is --header=Cookie, too (leave out one of the two)'],
  [['--user=me', url], '--user: no password in it (write NAME:PASSWORD)'],
  [['--user=me:x', '--bearer=y', url], '--bearer: there is --user, too (leave out one of the two)'],
  [['--bearer=y', '-H', 'authorization: x', url],
    '--header=Authorization: there is --user or --bearer, too (leave out one of the two)'],
  [['--bearer=a\nb', url], '--user, --bearer: a control character in it (leave it out)'],
  [['--origin=a\nb', url], '--origin=a\\x0ab: a control character in it (leave it out)'],
  [['--subprotocol=a,b', url],
    '--subprotocol=a,b: one name at a time (repeat the option for each)'],
  [['--expect=0', url], '--expect=0: too small (at least 1)'],
  [['--expect=x', url], `--expect=x: ${count}`],
  [['--match=(', url], '--match=(: not a pattern: Unmatched ( or \\('],
  [['--match=', url], '--match=: the value is empty'],
  [['--linger=never', url], `--linger=never: ${duration}`],
  [['--linger=0', url], '--linger=0: too small (at least 1ms)'],
  [['--timeout=forever', url], `--timeout=forever: ${duration}`],
  [['--ok-code=999', url], '--ok-code=999: not a close code (write a number from 1000 to 4999)'],
  [['--ok-code=x', url], '--ok-code=x: not a close code (write a number from 1000 to 4999)'],
  [['--heartbeat-text=ping', url], '--heartbeat-text=ping: not two texts (write PING/PONG)'],
  [['--heartbeat-text=/pong', url], '--heartbeat-text=/pong: not two texts (write PING/PONG)'],
  [['--cert=cert.pem', url], '--cert=cert.pem: its key is missing (add --key=FILE)'],
  [['--key=key.pem', url], '--key=key.pem: its certificate is missing (add --cert=FILE)'],
  [['--cert=none.pem', '--key=key.pem', url],
    '--cert=none.pem: No such file or directory (check the path)', 1],
  [['--replay=web', url], '--replay=web: Is a directory (name another one)', 1],
  [['--replay=plain', '--send=x', url],
    '--replay=plain: there is --send, too (leave out one of the two)'],
  [['--binary', '-0', url], '--null: --binary ends messages nowhere (leave out one of the two)'],
  [['--binary', '--json', url],
    '--json: --binary adds nothing to bytes (leave out one of the two)'],
  [['--listen=8080', url], '--listen=8080: there is a URL, too (leave out one of the two)'],
  [['--listen=8080', '--reconnect'],
    "--reconnect: a client's, and --listen waits for one (leave it out)"],
  [['--listen=8080', '-H', 'a: b'],
    "--header: a client's, and --listen waits for one (leave it out)"],
  [['--listen=8080', '--proxy=none'],
    "--proxy: a client's, and --listen waits for one (leave it out)"],
  [['--listen=8080', '--unix=x'], "--unix: a client's, and --listen waits for one (leave it out)"],
  [['--listen=8080', '--heartbeat-text=a/b'],
    "--heartbeat-text: a client's, and --listen waits for one (leave it out)"],
  [['--listen=here'], `--listen=here: ${address}`],
  [['http:/x'], 'http:/x: not the URL of a WebSocket (write ws://http:/x)'],
  [['ftp://example.org/'], 'ftp://example.org/: not the URL of a WebSocket: ' +
    "the URL's scheme is none of ws, wss, http, https (write ws://HOST[:PORT]/PATH or wss://)"],
  [['ws://me:secret@a b/'], 'URL: not the URL of a WebSocket: a character that no host name has ' +
    '(write ws://HOST[:PORT]/PATH or wss://)'],
];

// A URL stands for the command, too.
const shortConnect = [
  [[url, '--framing=lines'], '--framing: no such option (it is an option of duplex serve)'],
  [['WSS://127.0.0.1:1/', 'again'], 'again: one argument too many (write one URL)'],
  [['ws://127.0.0.1:1/', '--expect=0'], '--expect=0: too small (at least 1)'],
];

const tables = [['duplex', [], root], ['duplex', [], rootOfOthers],
  ['duplex serve', ['serve'], serve], ['duplex echo', ['echo'], echo],
  ['duplex connect', ['connect'], connect], ['duplex connect', [], shortConnect]];
const total = tables.reduce((sum, [, , rows]) => sum + rows.length, 0);
let directory;

before(() => {
  directory = mkdtempSync(path.join(tmpdir(), 'duplex-wrong-use-'));
  mkdirSync(path.join(directory, 'web'));
  for (const name of ['plain', 'cert.pem', 'key.pem']) {
    writeFileSync(path.join(directory, name), '');
  }
  chmodSync(path.join(directory, 'plain'), 0o644);
});

after(() => rmSync(directory, { recursive: true }));

test(`${total} wrong command lines`, async (t) => {
  assert.ok(total >= 40);
  for (const [name, command, rows] of tables) {
    for (const [words, line, status = 2] of rows) {
      await t.test([name, ...words].join(' ').replace(/[^ -~]/g, '?').slice(0, 80), () => {
        const env = { PATH: '/usr/bin:/bin' };
        const result = duplex([...command, ...words], { cwd: directory, env });
        assert.deepEqual(result, { status, stdout: '', stderr: `${name}: ${line}\n` });
      });
    }
  }
});
