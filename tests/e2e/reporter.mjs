// What `node --test` prints under script/test: a line a test, the reasons of failures at the end,
// then the one line of counts that script/test adds up. Suites are not tests.

// A line is cut where a reader would stop reading it anyway: a message may be megabytes long.
const indent = (text) => text.replace(/^.*$/gm,
  (line) => `    ${line.slice(0, 1000)}${line.length > 1000 ? '…' : ''}`);

function reason(error) {
  const cause = error?.cause ?? error;
  return cause?.stack ?? cause?.message ?? String(cause);
}

export default async function* report(events) {
  let passed = 0;
  const failures = [];
  for await (const { type, data } of events) {
    if (type === 'test:stderr' || type === 'test:stdout') {
      yield data.message;
    } else if ((type === 'test:pass' || type === 'test:fail') && data.details?.type !== 'suite') {
      // neither is a passed test
      const refused = data.skip !== undefined || data.todo !== undefined;
      const seconds = ((data.details?.duration_ms ?? 0) / 1000).toFixed(2);
      const ok = type === 'test:pass' && !refused;
      yield `${ok ? 'ok    ' : 'FAILED'} ${seconds.padStart(6)}s  ${data.name}\n`;
      if (ok) passed += 1;
      else failures.push([data.name, refused ? 'left out' : reason(data.details?.error)]);
    }
  }
  for (const [name, why] of failures) yield `\nFAILED ${name}\n${indent(why)}\n`;
  yield `${passed} passed, ${failures.length} failed\n`;
}
