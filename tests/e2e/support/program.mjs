// Starts the program under test and sees to it that nothing of it is left: no process, no
// descriptor, no file. DUPLEX names the program; without it the plain build of script/test is
// meant.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test as nodeTest } from 'node:test';
import { fileURLToPath } from 'node:url';

import { commandLine, descendants, descriptorCount, isAlive, isWaiting } from './processes.mjs';
import { eventually, within } from './time.mjs';

export const root = fileURLToPath(new URL('../../../', import.meta.url));
export const example = (name) => path.join(root, 'examples', name);
// The program that behaviour is tested with (with sanitizers, under script/test), and the one that
// memory is measured on.
export const duplexPath = path.resolve(root, process.env.DUPLEX ?? 'build/duplex');
export const plainDuplexPath = path.resolve(root, process.env.DUPLEX_PLAIN ?? 'build/duplex');

const TEST_DEADLINE = 60_000;
const HANG = 900_000;

// What belongs to one running test: the programs it started, and what is undone at its end.
class Scope {
  #undo = [];
  #programs = [];

  after(undo) {
    this.#undo.push(undo);
  }

  // A directory of the test's own, removed at its end.
  directory() {
    const made = mkdtempSync(path.join(tmpdir(), 'duplex-e2e-'));
    this.after(() => rmSync(made, { recursive: true, force: true }));
    return made;
  }

  adopt(program) {
    this.#programs.push(program);
    return program;
  }

  async end() {
    const errors = [];
    for (const undo of this.#undo.reverse()) {
      try {
        await undo();
      } catch (error) {
        errors.push(error);
      }
    }
    return errors;
  }

  logs() {
    return this.#programs.map((program) =>
      `--- ${program.title}\n${program.stderr}${program.stdout}`).join('\n');
  }
}

// A test with a scope and a deadline; its failure carries what the programs said.
export function test(name, body, { timeout = TEST_DEADLINE } = {}) {
  nodeTest(name, { timeout: HANG }, async () => {
    const scope = new Scope();
    const errors = [];
    try {
      await within(body(scope), `test "${name}"`, timeout);
    } catch (error) {
      errors.push(error);
    }
    errors.push(...(await scope.end()));
    if (errors.length > 0) {
      const [first] = errors;
      first.stack = [...errors.map((error) => error.stack), scope.logs()].join('\n\n');
      throw first;
    }
  });
}

export class Program {
  stdout = '';
  stderr = '';
  #listeners = new Set();

  constructor(scope, file, args, options = {}) {
    this.title = [path.basename(file), ...args].join(' ');
    this.process = spawn(file, args, {
      cwd: options.cwd ?? root,
      env: { ...process.env, ...options.env },
      stdio: options.stdio ?? ['ignore', 'pipe', 'pipe'],
      detached: true, // a group of its own: the terminal's signals are the tests' to send
    });
    this.pid = this.process.pid;
    for (const name of ['stdout', 'stderr']) {
      this.process[name]?.setEncoding('utf8').on('data', (text) => {
        this[name] += text;
        for (const listener of this.#listeners) listener();
      });
    }
    this.ended = new Promise((resolve, reject) => {
      this.process.on('error', reject);
      this.process.on('close', (code, signal) => {
        this.isEnded = true;
        for (const listener of this.#listeners) listener();
        resolve({ code, signal });
      });
    });
    this.ended.catch(() => {});
    scope.adopt(this);
    scope.after(async () => {
      if (!this.isEnded) process.kill(this.pid, 'SIGKILL');
      await this.ended.catch(() => {});
    });
  }

  // Waits for `pattern` on stderr (or stdout) and returns the match.
  async said(pattern, { on = 'stderr', ms } = {}) {
    let listener;
    const match = new Promise((resolve, reject) => {
      listener = () => {
        const found = pattern.exec(this[on]);
        if (found !== null) resolve(found);
        else if (this.isEnded) reject(new Error(`ended without saying ${pattern}`));
      };
      this.#listeners.add(listener);
      listener();
    });
    try {
      return await within(match, `${pattern} on ${on}`, ms);
    } finally {
      this.#listeners.delete(listener);
    }
  }

  kill(signal) {
    process.kill(this.pid, signal);
  }
}

// A program that listens: knows its addresses, and is ended with the test.
export class Server extends Program {
  async ready() {
    await this.said(/(https?:\/\/\S+|unix:\S+)/);
    // The ready line names every address, and is whole once its newline is there.
    const line = (await this.said(/^.*(?:https?:\/\/|unix:).*\n/m))[0];
    this.urls = line.match(/https?:\/\/[^\s,]+/g) ?? [];
    this.url = this.urls[0];
    this.port = this.url === undefined ? undefined : Number(new URL(this.url).port);
    [this.spawner] = descendants(this.pid);
    // The spawner starts beside the server; it has opened what it needs once it waits for work.
    if (this.spawner !== undefined) await eventually(() => isWaiting(this.spawner),
      'the spawner waits');
    this.descriptorsAtStart = this.descriptors();
    return this;
  }

  http(target = '/') {
    return new URL(target, this.url).href;
  }

  ws(target = '/') {
    return this.http(target).replace(/^http/, 'ws');
  }

  descriptors() {
    return descriptorCount(this.pid) +
      (this.spawner === undefined ? 0 : descriptorCount(this.spawner));
  }

  // The programs that run now: whatever descends from it but the spawner.
  programs() {
    return descendants(this.pid).filter((pid) => pid !== this.spawner);
  }

  // Waits until every program has ended and every descriptor of a connection is closed.
  async isQuiet() {
    await eventually(() => this.programs().length === 0,
      `programs end: ${this.programs().map(commandLine)}`);
    await eventually(() => this.descriptors() <= this.descriptorsAtStart,
      `descriptors fall to ${this.descriptorsAtStart} from ${this.descriptors()}`);
  }

  // Ends it and asserts its exit status and that none of its descendants is left.
  async stop(signal = 'SIGTERM', expected = 0) {
    const family = descendants(this.pid);
    this.kill(signal);
    const status = await within(this.ended, `the server ends after ${signal}`);
    assert.deepEqual(status, { code: expected, signal: null });
    await eventually(() => !family.some(isAlive), 'nothing of the server is left');
  }
}

export async function start(scope, args, options = {}) {
  const file = options.file ?? duplexPath;
  const server = new Server(scope, file, args, options);
  scope.after(async () => {
    if (!server.isEnded) await server.stop();
  });
  return server.ready();
}

export const onePort = '--listen=127.0.0.1:0';

// `duplex serve` on a free port of 127.0.0.1: options, then the command (a list).
export function serve(scope, command, serveOptions = [], options = {}) {
  return start(scope, ['serve', onePort, ...serveOptions, ...command], options);
}

export function echo(scope, echoOptions = [], options = {}) {
  return start(scope, ['echo', onePort, ...echoOptions], options);
}

// Runs the program to its end: status, what it said.
export async function run(scope, args, options = {}) {
  const program = new Program(scope, options.file ?? duplexPath, args, options);
  const { code, signal } = await within(program.ended, `${program.title} ends`);
  return { code, signal, stdout: program.stdout, stderr: program.stderr };
}
