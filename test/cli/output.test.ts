import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { writeRun } from '../tui/support/fixture-run.js';
import { temporaryFolder } from '../tui/support/folders.js';

let run: string;

beforeAll(async () => {
  run = await writeRun(temporaryFolder(), 0);
});

/** A shell line in which `gradscope` is the program, from its sources. */
function shell(line: string) {
  const program = `gradscope() { ${process.execPath} --import tsx src/cli/main.ts "$@"; }`;
  const { stdout, stderr, status } = spawnSync('bash', ['-c', `${program}\n${line}`], {
    encoding: 'utf8',
    env: { ...process.env, GRADSCOPE_ENGINE: 'cpu', RUN: run, NO_COLOR: '1' },
  });
  return { stdout, stderr, status };
}

const commands = [
  'show "$RUN" --panel runs',
  'analyze "$RUN" --json',
  'verify V0 --no-engine',
  'data configs/set-inclusion-smoke.yaml --set data.variables=40',
  'run --help',
];

const hasFull = fs.existsSync('/dev/full');

describe.skipIf(!hasFull)('output that cannot be written is a failure, said in one line', () => {
  test.each(commands)('gradscope %s > /dev/full', (command) => {
    // Commands may have told something before; the failure is told once, at the end.
    expect(shell(`gradscope ${command} > /dev/full`)).toEqual({
      stdout: '',
      stderr: expect.stringMatching(/^gradscope: standard output cannot be written \(ENOSPC[^\n]*\)\n$/m),
      status: 1,
    });
  });
});

describe('output that nobody reads is none', () => {
  test.each(['verify V0 V5 --no-engine', 'show "$RUN"', 'analyze "$RUN" --json'])(
    'gradscope %s, closed before it writes',
    (command) => {
      // The reader is gone for certain: it has ended before the program begins.
      const line = `{ sleep 0.1; gradscope ${command}; echo "code $?" >&2; } | true`;
      expect(shell(line)).toEqual({ stdout: '', stderr: 'code 0\n', status: 0 });
    },
  );

  test('messages that nobody reads change no exit code', () => {
    const line = '{ sleep 0.1; gradscope show /nowhere 3>&1 2>&1 >&3; echo "code $?" > "$RUN.code"; } | true';
    shell(line);
    expect(fs.readFileSync(`${run}.code`, 'utf8')).toBe('code 1\n');
  });
});

test('both streams in one file are whole and in order', () => {
  const log = path.join(path.dirname(run), 'log');
  const { status } = shell(
    `{ echo before; gradscope show "$RUN" --panel runs; gradscope show /nowhere; echo after; } > ${log} 2>&1`,
  );
  expect(status).toBe(0);
  const lines = fs.readFileSync(log, 'utf8').trimEnd().split('\n');
  expect(lines[0]).toBe('before');
  expect(lines[1]).toMatch(/^runs: runs/);
  expect(lines.at(-2)).toMatch(/^gradscope: \/nowhere: cannot be read/);
  expect(lines.at(-1)).toBe('after');
});
