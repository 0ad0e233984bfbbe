// Runs what the documents show. In every `console` block the lines with `$ ` are commands, and what
// stands below one is what it prints, compared exactly; `…` stands for anything, and alone in a
// line for any lines. A `js` block runs in Chromium, in the page of the server started last; the
// `text` block behind it is what its console shows.
//
// A command that starts a server goes on until the next one; the port 8080 of the documents is a
// free one here. Commands of script/ run from the project's root, the others in a folder of their
// own that shows the same names.

import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import path from 'node:path';

import { useChromium } from './support/chromium.mjs';
import { DEADLINE, eventually } from './support/time.mjs';
import { Program, duplexPath, root, test } from './support/program.mjs';

const openPage = useChromium();
const documents = ['README.md', 'CONTRIBUTING.md', 'docs/install.md', 'docs/guide.md',
  'docs/connect.md'];

// The fenced blocks of a document: kind, line, text.
function blocksOf(document) {
  const blocks = [];
  let open = null;
  for (const [index, line] of readFileSync(path.join(root, document), 'utf8').split('\n')
      .entries()) {
    const fence = /^```(\w*)/.exec(line);
    if (fence !== null && open === null) open = { kind: fence[1], line: index + 1, lines: [] };
    else if (fence !== null) {
      blocks.push(open);
      open = null;
    } else open?.lines.push(line);
  }
  assert.equal(open, null, `${document}: an open block`);
  return blocks;
}

// The commands of a console block, each with the lines that it prints.
function commandsOf(block) {
  const commands = [];
  for (const line of block.lines) {
    const last = commands.at(-1);
    if (line.startsWith('$ ')) commands.push({ text: line.slice(2), shown: [] });
    else if (line.startsWith('> ') && last?.shown.length === 0) last.text += `\n${line.slice(2)}`;
    else last.shown.push(line);
  }
  return commands;
}

const escaped = (text) => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');

// What the shown lines allow, as a pattern of whole lines.
function pattern(shown, isWhole) {
  const allowed = (line) =>
    line === '…' ? '(?:.*\\n)*?' : `${escaped(line).replaceAll('…', '.*')}\\n`;
  const lines = shown.map(allowed);
  return new RegExp(`^${lines.join('')}${isWhole ? '$' : ''}`, isWhole ? '' : 'm');
}

// One that shows its status behind itself has ended by itself.
const isServer = (command) => /^(script\/server$|(\S*\/)?duplex (serve|echo) )/.test(command) &&
  !/(--help|--version|; echo \$\?)$/.test(command);

async function freePort() {
  const listener = net.createServer();
  await new Promise((resolve) => { listener.listen(0, '::', resolve); });
  const { port } = listener.address();
  await new Promise((resolve) => { listener.close(resolve); });
  return port;
}

// A folder with the project's names in it, where documents may write.
function workshop(t) {
  const directory = t.directory();
  for (const name of readdirSync(root)) {
    if (name.startsWith('.') || name.startsWith('build')) continue;
    symlinkSync(path.join(root, name), path.join(directory, name));
  }
  mkdirSync(path.join(directory, 'build'));
  for (const name of ['duplex', 'duplex-spawner']) {
    symlinkSync(path.join(path.dirname(duplexPath), name), path.join(directory, 'build', name));
  }
  return directory;
}

class Reader {
  constructor(t, document) {
    this.t = t;
    this.document = document;
    this.directory = workshop(t);
    const PATH = `${path.join(this.directory, 'build')}:${process.env.PATH}`;
    this.env = { PATH, TMPDIR: t.directory(), NO_COLOR: '1' };
  }

  shell(text) {
    const cwd = text.startsWith('script/') ? root : this.directory;
    const replaces = text.startsWith('script/') || isServer(text);
    const program = new Program(this.t, 'bash', ['-c', replaces ? `exec ${text}` : text],
      { cwd, env: this.env });
    program.process.stdout.on('data', (data) => { program.seen = (program.seen ?? '') + data; });
    program.process.stderr.on('data', (data) => { program.seen = (program.seen ?? '') + data; });
    return program;
  }

  async endServer() {
    if (this.server === undefined) return;
    this.server.kill('SIGTERM');
    assert.deepEqual(await this.server.ended, { code: 0, signal: null }, this.server.title);
    this.server = undefined;
  }

  async startServer({ text, shown }) {
    await this.endServer();
    this.port = await freePort();
    const hasAddress = /--(listen|port)/.test(text);
    const withPort = text.startsWith('script/') ? `${text} --port=${this.port}`
      : hasAddress ? text.replaceAll('8080', this.port)
        : text.replace(/duplex (serve|echo)/, `duplex $1 --port=${this.port}`);
    this.server = this.shell(withPort);
    const expected = pattern(shown.map((line) => line.replaceAll('8080', this.port)), false);
    const isThere = () => expected.test(this.server.seen ?? '') || this.server.isEnded;
    await eventually(isThere, `${text} prints ${expected}`, 5 * DEADLINE);
    assert.match(this.server.seen ?? '', expected, text);
  }

  async run({ text, shown }) {
    if (text.startsWith('script/test')) {
      // It is what runs this test; how its last line looks is all that can be said from here.
      assert.match('1 passed, 0 failed', new RegExp(shown.at(-1).replace('…', '\\d+')));
      return;
    }
    const program = this.shell(text.replaceAll('8080', this.port));
    await program.ended;
    const expected = shown.map((line) => line.replaceAll('8080', this.port));
    assert.match(program.seen ?? '', pattern(expected, true), text);
  }

  // Runs a script in the page of the server that runs now, until its console shows what is
  // expected.
  async script(source, shown) {
    const page = await openPage(this.t, `http://127.0.0.1:${this.port}/`);
    const said = [];
    page.on('console', (message) => said.push(`${message.text()}\n`));
    // As a console does it: the page's policy does not count there.
    const session = await page.context().newCDPSession(page);
    await session.send('Runtime.evaluate', { expression: source.replaceAll('8080', this.port) });
    const expected = pattern(shown.map((line) => line.replaceAll('8080', this.port)), true);
    await eventually(() => expected.test(said.join('')), `the console shows ${expected}`);
    await page.context().close();
  }
}

for (const document of documents) {
  test(`${document}: every command prints what is shown`, async (t) => {
    const reader = new Reader(t, document);
    const blocks = blocksOf(document);
    let count = 0;
    for (const [index, block] of blocks.entries()) {
      try {
        if (block.kind === 'console') {
          for (const command of commandsOf(block)) {
            await (isServer(command.text) ? reader.startServer(command) : reader.run(command));
            count += 1;
          }
        } else if (block.kind === 'js') {
          const next = blocks[index + 1]?.kind;
          assert.equal(next, 'text', 'a script is followed by what its console shows');
          await reader.script(block.lines.join('\n'), blocks[index + 1].lines);
          count += 1;
        }
      } catch (error) {
        error.stack = `${document}:${block.line}: ${error.stack}`;
        throw error;
      }
    }
    await reader.endServer();
    console.log(`${document}: ${count} commands and scripts`);
    assert.ok(count > 0);
  }, { timeout: 300_000 });
}

// The commands of a translation are not run again: that takes as long as the original and shows
// nothing new, as long as both documents have the same code blocks, byte for byte.
const translations = [['README.md', 'README.zh-CN.md'], ['docs/guide.md', 'docs/guide.zh-CN.md']];

// What else a translation shares with its original: headings, figures in tables, options.
function outlineOf(document) {
  const prose = readFileSync(path.join(root, document), 'utf8').replace(/^```.*?^```$/gms, '');
  return {
    headings: [...prose.matchAll(/^#+ /gm)].map(String),
    figures: prose.match(/^\|.*/gm).map((row) => (row.match(/\d+([,.]\d+)*/g) ?? []).sort()),
    options: [...new Set(prose.match(/--[a-z][a-z0-9-]*/g))].sort(),
  };
}

for (const [original, translation] of translations) {
  test(`${translation}: has the code, headings, figures and options of ${original}`, () => {
    const code = (document) => blocksOf(document).map(({ kind, lines }) => ({ kind, lines }));
    assert.ok(code(original).length > 0);
    assert.deepEqual(code(translation), code(original));
    assert.deepEqual(outlineOf(translation), outlineOf(original));
  });
}
