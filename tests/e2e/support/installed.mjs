// The examples of the library, compiled as a user would compile them: by gcc, clang and g++, from
// an installation.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { before } from 'node:test';

import { example, plainDuplexPath, root, test } from './program.mjs';

export const variants = ['', '-clang', '-c++']; // gcc, clang, g++

// Compiles those of these names before the file's tests begin: `at` says where one of them is.
export function installExamples(names) {
  const build = path.dirname(plainDuplexPath);
  const directory = path.join(build, 'examples-installed');
  before(() => {
    const script = path.join(root, 'script/examples');
    const made = spawnSync(script, [build, ...names], { encoding: 'utf8' });
    assert.equal(made.status, 0, made.stdout + made.stderr);
  });
  const forEachCompiler = (name, body) => {
    for (const variant of variants) test(`${name}${variant}`,
      (scope) => body(scope, name + variant));
  };
  return { at: (name) => path.join(directory, name), forEachCompiler };
}

// How many lines an example has beside blanks and comments.
export function lineCount(name) {
  const code = readFileSync(example(name), 'utf8').replace(/\/\*.*?\*\//gs, '');
  return code.split('\n').filter((line) => line.trim() !== '').length;
}
