// The built things under test, by the environment that meson.build sets, and running them.

import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';

export const built = {
  duplex: process.env.DUPLEX,
  gen: process.env.DUPLEX_GEN,
  man: process.env.DUPLEX_MAN,
  completions: process.env.DUPLEX_COMPLETIONS,
};
for (const [what, place] of Object.entries(built)) {
  if (!place) throw new Error(`no path of ${what}: run this by meson test`);
}

// Runs a program to its end: { status, stdout, stderr }.
export function run(program, words, options = {}) {
  const result = spawnSync(program, words,
    { encoding: 'utf8', timeout: 30_000, killSignal: 'SIGKILL', ...options });
  if (result.error) throw result.error;
  return { status: result.status, stdout: result.stdout, stderr: result.stderr };
}

export const duplex = (words, options) => run(built.duplex, words, options);

export const manPage = (name) => path.join(built.man, `${name}.1`);

export const completion = (name) => path.join(built.completions, name);

export const readCompletion = (name) => readFileSync(completion(name), 'utf8');
