import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { testEngine } from '../support/engine.js';
import { temporaryFolder, tiny } from '../../run/support.js';

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

/** Lines, in order. */
const linesOf = (text: string): string[] => text.trimEnd().split('\n');

test.each([
  ['> LOG 2>&1', 'a file that both streams write'],
  ['>> LOG 2>&1', 'a file that both append to'],
])('loading the engine loses and adds nothing of what is written with %s: %s', (redirection) => {
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
  expect(linesOf(fs.readFileSync(log, 'utf8'))).toEqual([...expected, 'later 4']);
});

test('through a pipe both streams arrive, without lines of the native library', () => {
  const { stdout } = shell('2>&1 | cat');
  expect(linesOf(String(stdout))).toEqual(expected);
});

test('a file for standard error alone holds its lines and no others', () => {
  const log = path.join(temporaryFolder(), 'log');
  shell(`2> ${log}`, `echo later >> ${log}`);
  expect(linesOf(fs.readFileSync(log, 'utf8'))).toEqual(['err 1', 'err 2', 'err 3', 'later']);
});

test('what is written while the library loads and is not expected is printed after it, in order', () => {
  const log = path.join(temporaryFolder(), 'log');
  const written = `
    import fs from 'node:fs';
    import { withoutExpectedLog } from './src/train/engine/native-log.ts';
    withoutExpectedLog(() => {
      fs.writeSync(2, 'E0000 a real error\\nI0000 port.cc:153] oneDNN custom operations are on. You may\\nand its end\\n');
    });`;
  for (const redirection of [`2> ${log}`, `2> >(cat > ${log}; true)`]) {
    spawnSync(
      'bash',
      ['-c', `${process.execPath} --import tsx --input-type=module -e "$PROGRAM" ${redirection}; wait`],
      {
        env: { ...process.env, PROGRAM: written },
      },
    );
    expect(linesOf(fs.readFileSync(log, 'utf8'))).toEqual(['E0000 a real error', 'and its end']);
  }
});

test.runIf(testEngine === 'native')('doctor and run print none of the lines of the library', () => {
  const folder = temporaryFolder();
  const log = path.join(folder, 'log');
  const settings = [...tiny, 'stages.0.epochs=1', 'stages.1.epochs=1']
    .map((own) => `--set '${own}'`)
    .join(' ');
  const main = `${process.execPath} --import tsx src/cli/main.ts`;
  const commands = [
    `${main} doctor`,
    `${main} run configs/set-inclusion-smoke.yaml --seed 0 --engine native --out ${folder} ${settings}`,
  ];
  const { status } = spawnSync('bash', ['-c', `{ ${commands.join(' && ')}; } > ${log} 2>&1`]);
  const text = fs.readFileSync(log, 'utf8');
  expect(status, text).toBe(0);
  expect(text).toMatch(/engine +native: TensorFlow/);
  expect(text).toMatch(/done in/);
  expect(text).not.toMatch(/absl|oneDNN|I0000|ExperimentalWarning/);
});

test('a pipe whose reader is gone does not hold it up', () => {
  const { stdout, status, signal } = shell('2> >(true)', 'true');
  expect({ signal, status }).toEqual({ signal: null, status: 0 });
  expect(linesOf(String(stdout))).toContain('out 1');
});
