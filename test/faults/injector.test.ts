import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeEach, expect, test } from 'vitest';

const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'gradscope-injector-'));
afterAll(() => fs.rmSync(folder, { recursive: true }));
beforeEach(() => fs.rmSync(path.join(folder, 'runs'), { recursive: true, force: true }));

/** Makes a folder, writes ten bytes, renames the file. */
const program = `
  import fs from 'node:fs';
  fs.mkdirSync('runs');
  const fd = fs.openSync('runs/a.tmp', 'wx');
  try { fs.writeSync(fd, new TextEncoder().encode('0123456789')); }
  catch ({ code, errno, syscall, message }) { console.log(JSON.stringify({ code, errno, syscall, message })); }
  fs.fsyncSync(fd);
  fs.closeSync(fd);
  fs.renameSync('runs/a.tmp', 'runs/a');
  console.log('end');
`;

function run(fault: Record<string, unknown>) {
  const ended = spawnSync(
    process.execPath,
    [
      '--import',
      path.resolve('test/faults/campaign/fault-injector.mjs'),
      '--input-type=module',
      '-e',
      program,
    ],
    {
      cwd: folder,
      encoding: 'utf8',
      env: {
        ...process.env,
        GRADSCOPE_FAULT: JSON.stringify({ folder: path.join(folder, 'runs'), ...fault }),
      },
    },
  );
  const files = fs.existsSync(path.join(folder, 'runs'))
    ? fs
        .readdirSync(path.join(folder, 'runs'))
        .map((name) => [name, fs.readFileSync(path.join(folder, 'runs', name), 'utf8')])
    : null;
  return {
    signal: ended.signal,
    stdout: ended.stdout,
    files: files === null ? null : Object.fromEntries(files),
  };
}

test('without a fault, the calls are counted and nothing else', () => {
  const log = path.join(folder, 'calls');
  expect(run({ log })).toEqual({ signal: null, stdout: 'end\n', files: { a: '0123456789' } });
  expect(fs.readFileSync(log, 'utf8')).toBe(
    'mkdir\t\ncreate\ta.tmp\nwrite\ta.tmp\nfsync\ta.tmp\nrename\ta\n',
  );
});

test.each([
  ['before', 1, null],
  ['after', 2, { 'a.tmp': '' }],
  ['torn', 3, { 'a.tmp': '01234' }],
  ['before', 5, { 'a.tmp': '0123456789' }],
  ['after', 5, { a: '0123456789' }],
])('kills %s call %i', (kind, at, files) => {
  expect(run({ kind, at })).toEqual({ signal: 'SIGKILL', stdout: '', files });
});

test.each([
  ['ENOSPC', 3, -28, 'ENOSPC: no space left on device, write'],
  ['EIO', 3, -5, 'EIO: i/o error, write'],
])('%s at a call looks like an error of the system', (code, at, errno, message) => {
  const { stdout, files } = run({ kind: code, at });
  expect(JSON.parse(stdout.split('\n')[0]!)).toEqual({ code, errno, syscall: 'write', message });
  expect(files).toEqual({ a: '' });
});

test('a short write writes half', () => {
  expect(run({ kind: 'short', at: 1 }).files).toEqual({ a: '01234' });
});
