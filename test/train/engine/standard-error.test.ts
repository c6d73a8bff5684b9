import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { testEngine } from '../support/engine.js';
import { temporaryFolder } from '../../run/support.js';

/** Writes to both streams before and after the engine is loaded. */
const program = `
  import fs from 'node:fs';
  import { loadEngine } from './src/train/engine/load.ts';
  const say = (n) => { fs.writeSync(1, 'out ' + n + '\\n'); fs.writeSync(2, 'err ' + n + '\\n'); };
  say(1);
  await loadEngine({ engine: '${testEngine}' });
  say(2);
  say(3);`;

function shell(redirection: string, after = ''): ReturnType<typeof spawnSync> {
  return spawnSync(
    'bash',
    ['-c', `${process.execPath} --import tsx --input-type=module -e "$PROGRAM" ${redirection}; ${after}`],
    { encoding: 'utf8', env: { ...process.env, PROGRAM: program }, timeout: 60_000 },
  );
}

const expected = ['out 1', 'err 1', 'out 2', 'err 2', 'out 3', 'err 3'];

/** Lines that are not TensorFlow's own. */
const ours = (text: string): string[] => text.split('\n').filter((line) => /^(?:out|err|later) /.test(line));

test.each([
  ['> LOG 2>&1', 'a file that both streams write'],
  ['>> LOG 2>&1', 'a file that both append to'],
])('loading the engine loses nothing of what is written with %s: %s', (redirection) => {
  const log = path.join(temporaryFolder(), 'log');
  fs.writeFileSync(log, '');
  // A program that writes to the same file afterwards goes on where this one ended.
  const { status } = spawnSync(
    'bash',
    [
      '-c',
      `{ ${process.execPath} --import tsx --input-type=module -e "$PROGRAM"; echo later 4; } ${redirection.replace('LOG', log)}`,
    ],
    { env: { ...process.env, PROGRAM: program } },
  );
  expect(status).toBe(0);
  expect(ours(fs.readFileSync(log, 'utf8'))).toEqual([...expected, 'later 4']);
});

test('through a pipe both streams arrive, without lines of the native library', () => {
  const { stdout } = shell('2>&1 | cat');
  expect(String(stdout).trimEnd().split('\n')).toEqual(expected);
});

test('a pipe whose reader is gone does not hold it up', () => {
  const { stdout, status, signal } = shell('2> >(true)', 'true');
  expect({ signal, status }).toEqual({ signal: null, status: 0 });
  expect(ours(String(stdout))).toContain('out 1');
});
