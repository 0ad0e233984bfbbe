// The promise: every option, what its value is called, and its default, for each command. The table in cli/options.c has to
// say the same. A row is name, letter, value, default of serve, default of echo; '-' is none, '' is "not this command".

export const options = [
  ['listen', '-', 'ADDR', '8080', '8080'],
  ['port', '-', 'PORT', '-', '-'],
  ['tls-cert', '-', 'FILE', '-', '-'],
  ['tls-key', '-', 'FILE', '-', '-'],
  ['tls-client-ca', '-', 'FILE', '-', '-'],
  ['tls-self-signed', '-', '-', 'off', 'off'],
  ['framing', '-', 'MODE', 'lines', ''],
  ['binary', '-', '-', '-', ''],
  ['newlines', '-', 'MODE', 'keep', ''],
  ['flush-after', '-', 'TIME', 'never', ''],
  ['invalid-utf8', '-', 'MODE', 'replace', ''],
  ['stderr', '-', 'TO', 'log', ''],
  ['chdir', '-', 'DIR', '-', ''],
  ['env', '-', 'NAME[=VALUE]', '-', ''],
  ['ladder', '-', 'TIME,TIME,TIME', '1s,1s,1s', ''],
  ['text-pong', '-', '-', 'off', 'off'],
  ['route', '-', 'PATH=COMMAND', '-', ''],
  ['static', '-', '[PATH=]DIR', '-', ''],
  ['origin', '-', 'ORIGIN', 'same, and loopback on loopback', 'any'],
  ['host', '-', 'NAME', '-', '-'],
  ['subprotocol', '-', 'NAME', '-', '-'],
  ['max-message', '-', 'SIZE', '1M', '16M'],
  ['max-fragments', '-', 'N', '131072', '131072'],
  ['max-connections', '-', 'N', 'descriptor limit less 64', 'descriptor limit less 64'],
  ['max-programs', '-', 'N', '256', ''],
  ['max-queue', '-', 'SIZE', '1M', '1M'],
  ['max-memory', '-', 'SIZE', '256M', '256M'],
  ['handshake-timeout', '-', 'TIME', '10s', '10s'],
  ['message-timeout', '-', 'TIME', '60s', '60s'],
  ['write-timeout', '-', 'TIME', '30s', '30s'],
  ['close-timeout', '-', 'TIME', '5s', '5s'],
  ['ping-interval', '-', 'TIME', '30s', '30s'],
  ['pong-timeout', '-', 'TIME', '30s', '30s'],
  ['drain', '-', 'TIME', '0', '0'],
  ['threads', '-', 'N', '1', '1'],
  ['log-level', '-', 'LEVEL', 'info', 'info'],
  ['verbose', 'v', '-', '-', '-'],
  ['quiet', 'q', '-', '-', '-'],
  ['log-format', '-', 'FORMAT', 'text', 'text'],
  ['log-file', '-', 'FILE', 'stderr', 'stderr'],
  ['help', 'h', '-', '-', '-'],
  ['version', 'V', '-', '-', '-'],
];

// The options of a command, sorted by name: { name, letter, value, preset }.
export function optionsOf(command) {
  const column = { serve: 3, echo: 4 }[command];
  return options
    .filter((row) => row[column] !== '')
    .map((row) => ({ name: row[0], letter: row[1], value: row[2], preset: row[column] }))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}
