import fs from 'node:fs';
import path from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { jobsFor, probeInJobs } from '../../src/cli/probe-jobs.js';
import { loadEngine } from '../../src/train/engine/load.js';
import { commandLine } from '../support/command-line.js';
import { temporaryFolder, trainTiny } from '../run/support.js';

const root = temporaryFolder();
const seeds = [0, 1, 2];
const folderOf = (seed: number): string => path.join(root, 'set-inclusion', `tiny-seed${seed}`);
const tableOf = (seed: number): string => path.join(folderOf(seed), 'alignment.arrow');

/** Probes all runs; the panel is small. */
const flags = '--only alignment --variables 2 --questions 2 --threads 1,1'.split(' ');
const probe = (...more: string[]) => commandLine(['probe', root, ...flags, ...more]);

beforeAll(async () => {
  await trainTiny({ root, engine: await loadEngine({ engine: 'auto' }), seeds });
  fs.rmSync(path.join(folderOf(1), 'checkpoints'), { recursive: true });
}, 240_000);

test('processes side by side write what one writes, and a run that cannot be probed ends none', async () => {
  const alone = await probe('--jobs', '1');
  const expected = fs.readFileSync(tableOf(0));
  fs.rmSync(tableOf(0));
  const together = await probe('--jobs', '2');
  const missing = await probe('--jobs', '2', '--missing');
  for (const { code, stderr } of [alone, together, missing]) {
    expect(stderr).toContain(`left out: ${folderOf(1)}: there is no checkpoint to probe`);
    expect(code).toBe(1);
  }
  expect(alone.stdout).toMatch(/^probed 2 runs in .*; 1 left out\n/);
  expect(together.stdout).toMatch(/^probed 2 runs in .*; 1 left out\n/);
  expect(missing.stdout).toMatch(/^probed 0 runs in .*; 2 had their tables already; 1 left out\n/);
  // Its processes begin none of their own.
  const counted = together.stderr.match(/probing run \d of \d/g)!;
  expect(new Set(counted.map((text) => text.at(-1)))).toEqual(new Set(['3']));
  expect(fs.readFileSync(tableOf(0)).equals(expected)).toBe(true);
  expect(fs.readdirSync(folderOf(0)).filter((name) => name.endsWith('.tmp'))).toEqual([]);
});

test('a process that ends before it is through is told of, with how to go on', async () => {
  const script = path.join(root, 'script.mjs');
  const text = `
    process.send({ kind: 'run', outcome: 'probed' });
    if (process.argv.includes('good')) process.send({ kind: 'end' }, () => process.disconnect());
    else process.send({ kind: 'message', text: 'bye' }, () => process.exit(3));`;
  fs.writeFileSync(script, text);
  const own = process.argv[1]!;
  process.argv[1] = script;
  const told: string[] = [];
  const watch = {
    onProgress: () => {},
    onMessage: (text: string) => told.push(text),
    onRun: (job: number) => told.push(`run of job ${job}`),
  };
  try {
    await expect(probeInJobs(['good', 'bad'], 2, [], watch)).rejects.toThrow(
      /ended before it was through \(exit code 3\).*--missing goes on/,
    );
  } finally {
    process.argv[1] = own;
  }
  expect(told.toSorted()).toEqual(['bye', 'run of job 0', 'run of job 1']);
});

test('models that fill all cores from one process, single runs and little memory have one', () => {
  const narrow = { intraOp: 1, interOp: 2 };
  expect(jobsFor(8, { intraOp: 4, interOp: 4 }, 1e12)).toBe(1);
  expect(jobsFor(1, narrow, 1e12)).toBe(1);
  expect(jobsFor(8, narrow, 2e9)).toBe(1);
});
