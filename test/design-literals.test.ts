import fs from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { subsetNames } from '../data/subsets.js';

const long = subsetNames.filter((name) => name.length > 1).join('|');
/** Names of one letter count where a text is the name or begins a group with it. */
const short = subsetNames.filter((name) => name.length === 1).join('|');

const literals = [
  new RegExp(`(?<![A-Za-z0-9])(?:${long})(?![A-Za-z0-9])`),
  new RegExp(`(['"\`])(?:${short})(?:/|\\1)`),
  // What takes names of subsets apart, such as /^q?d([12])/, or puts them together.
  /q\??d[([]|qd[123]|(?<![A-Za-z0-9_])d\(?\[[123]|consis(?!t)|incons(?!i)/,
];

/** The key that quits the browser. */
const exceptions = [/^\s*\{ action: 'quit', keys: \['q', /];

function withoutComments(source: string): string {
  return source.replaceAll(/\/\*[\s\S]*?\*\//g, '').replaceAll(/(^|\s)\/\/ .*$/gm, '');
}

function linesThatName(source: string): string[] {
  return withoutComments(source)
    .split('\n')
    .filter((line) => literals.some((own) => own.test(line)) && !exceptions.some((own) => own.test(line)));
}

test('nothing above data/ names a subset: subsets and their roles come from the design of a run', () => {
  const broken = ['src', 'tui']
    .flatMap((room) => fs.readdirSync(room, { withFileTypes: true, recursive: true }))
    .filter((entry) => entry.isFile() && /\.tsx?$/.test(entry.name))
    .map((entry) => path.join(entry.parentPath, entry.name))
    .flatMap((file) => linesThatName(fs.readFileSync(file, 'utf8')).map((line) => `${file}: ${line.trim()}`));
  expect(broken).toEqual([]);
});

test.each([
  ...subsetNames.map((name) => `const set = '${name}';`),
  "label: 'accuracy of d1consis - d2consis',",
  'trained.get(`train_defs_qd1consis`)',
  "group === 'q/qa'",
  'const digit = /^q?d([12])/.exec(subset)',
  '/^d[12]consis$/.test(own)',
  'qd1consis: true,',
])('a line is found: %s', (line) => {
  expect(linesThatName(line)).toEqual([line]);
});

test.each([
  "kind === 'qa'",
  "consistent: 'x'",
  '/\\d{1,3}/',
  "const id = 'd';",
  '/** such as qd1consis/qa */',
])('a line is none: %s', (line) => {
  expect(linesThatName(line)).toEqual([]);
});
