import { spawn, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { writeRun } from './support/fixture-run.js';
import { temporaryFolder } from './support/folders.js';

const hasTmux = spawnSync('tmux', ['-V'], { stdio: 'ignore' }).status === 0;
if (!hasTmux) console.log('skipping the browser in tmux: there is no tmux on this machine');

const server = `gradscope-test-${process.pid}`;
const program = path.resolve('src/cli/main.ts');
const loader = path.resolve('node_modules/tsx/dist/esm/index.mjs');

function tmux(...args: string[]): string {
  const { stdout, stderr, status } = spawnSync('tmux', ['-u', '-L', server, ...args], {
    encoding: 'utf8',
    env: { ...process.env, LC_ALL: 'C.UTF-8' },
  });
  if (status !== 0) throw new Error(`tmux ${args.join(' ')}: ${stderr}`);
  return stdout;
}

const capture = (): string => tmux('capture-pane', '-p');
const keys = (...names: string[]): void => void tmux('send-keys', ...names);
const text = (typed: string): void => void tmux('send-keys', '-l', typed);

/** Waits until the screen holds what is looked for. */
async function until(pattern: RegExp, timeout = 30_000): Promise<string> {
  const end = Date.now() + timeout;
  for (;;) {
    const screen = capture();
    if (pattern.test(screen)) return screen;
    if (Date.now() > end) throw new Error(`no ${pattern} on\n${screen}`);
    await setTimeout(60);
  }
}

describe.skipIf(!hasTmux)('in tmux', () => {
  let root: string;
  let where: string;

  beforeAll(async () => {
    root = temporaryFolder();
    where = temporaryFolder();
    for (const seed of [0, 1, 2]) await writeRun(root, seed);
    tmux(
      'new-session',
      '-d',
      '-x',
      '100',
      '-y',
      '30',
      '-c',
      where,
      `env -u NO_COLOR CI=true CONTINUOUS_INTEGRATION=1 LC_ALL=C.UTF-8 PS1='$ ' sh`,
    );
  });

  afterAll(() => {
    spawnSync('tmux', ['-L', server, 'kill-server']);
  });

  const start = (folder: string): void => {
    text(
      `clear; TSX_TSCONFIG_PATH=${path.resolve('tsconfig.json')} node --import ${loader} ${program} tui ${folder}; echo "code $?"`,
    );
    keys('Enter');
  };

  test('every view, filter, drill, export, resize, quit', async () => {
    start(root);
    await until(/tiny-seed2 +complete/);
    expect(tmux('display-message', '-p', '#{alternate_on}').trim()).toBe('1');
    const signs = [
      [/weak gap, accuracy +accuracy/, '1'],
      [/qd1consis.*\[.*\] +120/, '2'],
      [/reliable tag, same subset/, '3'],
      [/Gram matrix of step 1, total/, '4'],
      [/the law, predicted/, '5'],
      [/explained fraction of all definitions/, '6'],
      [/name: tiny/, '7'],
      [/gradient norm > 10 x its stage's/, '8'],
      [/supported +strong internalization|strong internalization/, '9'],
    ] as const;
    for (const [sign, key] of signs) {
      keys(key);
      await until(sign);
    }
    keys('v');
    text('conf');
    await until(/›  7  config/);
    keys('Enter');
    await until(/name: tiny/);
    keys('1', '/');
    text('seed1');
    await until(/filter .*: seed1/);
    keys('Enter');
    await until(/filter: seed1/);
    expect(capture()).not.toMatch(/tiny-seed2 +complete/);
    keys('3', 'BTab');
    await until(/tag-swap gap▼/);
    keys('j', 'j', 'Enter');
    await until(/heldout, step 40|trained, step 40/);
    expect(capture()).toContain('layers.0.mlp.weight');
    keys('e');
    await until(/write to .*\.arrow/);
    keys('Tab', 'Enter');
    const written = await until(/written: \S+\.csv \(4 rows\)/);
    const file = path.join(where, /written: (\S+\.csv)/.exec(written)![1]!);
    expect(fs.readFileSync(file, 'utf8')).toMatch(/^tensor,tag-swap_gap,/);
    keys('Escape');
    await until(/tag-swap gap▼/);
    tmux('resize-window', '-x', '60', '-y', '18');
    await until(/This terminal has 60 x 18/);
    tmux('resize-window', '-x', '120', '-y', '36');
    await until(/tag-swap gap▼/);
    expect(capture().split('\n')[0]).toContain('gradscope');
    keys('?');
    await until(/Move/);
    keys('q');
    await until(/code 0/);
    expect(tmux('display-message', '-p', '#{alternate_on}').trim()).toBe('0');
    expect(capture()).not.toContain('tag-swap gap');
  });

  test('while a run is being written', async () => {
    const live = temporaryFolder();
    await writeRun(live, 0);
    start(live);
    await until(/tiny-seed0 +complete/);
    const child = spawn(
      process.execPath,
      ['--import', 'tsx', 'test/tui/support/growing-run.ts', live, '60', '120'],
      {
        stdio: 'inherit',
      },
    );
    const ended = new Promise<number | null>((resolve) => child.on('exit', resolve));
    await until(/growing-seed7 +running/);
    // The new run sorts before the other one.
    keys('g', '4', 'G');
    await until(/follows/);
    const stepOf = (screen: string): number => Number(/› +(\d+) +stage1/.exec(screen)?.[1] ?? 0);
    const first = stepOf(await until(/› +\d+ +stage1/));
    await until(new RegExp(`› +(?!${first} )\\d+ +stage1`));
    expect(stepOf(capture())).toBeGreaterThan(first);
    expect(await ended).toBe(0);
    await until(/growing-seed7 · complete/);
    await until(/› +60 +stage1/);
    keys('C-c');
    await until(/code 0/);
    expect(tmux('display-message', '-p', '#{alternate_on}').trim()).toBe('0');
  });

  test('killed, it gives the screen back', async () => {
    start(root);
    await until(/tiny-seed2 +complete/);
    const shell = Number(tmux('display-message', '-p', '#{pane_pid}').trim());
    const child = spawnSync('ps', ['-o', 'pid=', '--ppid', String(shell)], {
      encoding: 'utf8',
    }).stdout.trim();
    process.kill(Number(child), 'SIGTERM');
    await until(/code 130/);
    expect(tmux('display-message', '-p', '#{alternate_on}').trim()).toBe('0');
  });
});

test('where the output is no terminal a summary is printed', async () => {
  const root = temporaryFolder();
  await writeRun(root, 0);
  const { stdout, stderr, status } = spawnSync(
    process.execPath,
    ['--import', 'tsx', 'src/cli/main.ts', 'tui', root],
    {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
    },
  );
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  expect(stdout).toMatch(/tiny-seed0 +complete/);
  const missing = spawnSync(
    process.execPath,
    ['--import', 'tsx', 'src/cli/main.ts', 'tui', `${root}/nowhere`],
    {
      encoding: 'utf8',
    },
  );
  expect(missing.status).toBe(1);
  expect(missing.stderr).toMatch(/^gradscope: .*nowhere: cannot be read.*\n$/);
});
