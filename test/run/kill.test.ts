import { spawn } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { beforeAll, expect, test } from 'vitest';
import { createStream } from '../../data/random/streams.js';
import { checkpointSteps } from '../../src/run/checkpoint.js';
import { readRunInfo } from '../../src/store/run-folder.js';
import { listTables, TableReader } from '../../src/store/table-reader.js';
import { testEngine, useTestEngine } from '../train/support/engine.js';
import { finalWeights, temporaryFolder, tiny } from './support.js';

beforeAll(useTestEngine);

const folders = (root: string): string[] =>
  [0, 1].map((seed) => path.join(root, 'set-inclusion', `tiny-seed${seed}`));

/** Runs the command line in a child; with `killed`, kills it (SIGKILL) once that promise resolves. */
async function gradscope(
  args: string[],
  killed: ((exited: Promise<unknown>) => Promise<void>) | null,
): Promise<number | null> {
  const child = spawn(process.execPath, ['--import', 'tsx', 'src/cli/main.ts', ...args], {
    env: { ...process.env, GRADSCOPE_ENGINE: testEngine },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let complaint = '';
  child.stderr.on('data', (text: Buffer) => (complaint += text.toString()));
  const exited = new Promise<number | null>((resolve) => child.once('exit', resolve));
  if (killed !== null) {
    await killed(exited);
    child.kill('SIGKILL');
  }
  const code = await exited;
  if (killed === null && code !== 0) throw new Error(`exit code ${code}: ${complaint}`);
  return code;
}

/** A run long enough to be killed anywhere, with checkpoints ten times a second. */
const settings = [
  ...tiny.filter((setting) => !setting.startsWith('stages.')),
  'stages.0.epochs=12',
  'stages.1.epochs=40',
  'checkpoint.everySeconds=0.1',
].flatMap((setting) => ['--set', setting]);
const start = (root: string): string[] => [
  'run',
  'configs/set-inclusion-smoke.yaml',
  '--seeds',
  '0..1',
  '--out',
  root,
  ...settings,
];

test('killed with SIGKILL at random moments and resumed, a run ends with the weights of an uninterrupted one', async () => {
  const whole = temporaryFolder();
  await gradscope(start(whole), null);
  const random = createStream(Date.now(), 'test');
  const root = temporaryFolder();
  const steps = readRunInfo(folders(whole)[0]!).stepsTotal;

  const reached =
    (step: number) =>
    async (exited: Promise<unknown>): Promise<void> => {
      const gone = new AbortController();
      void exited.then(() => gone.abort());
      while (!gone.signal.aborted && (checkpointSteps(folders(root)[0]!).at(-1) ?? -1) < step) {
        await setTimeout(5);
      }
      await setTimeout(random.uniform() * 150);
    };
  await gradscope(start(root), reached(1));
  // What was logged up to the kill can be read, table by table.
  for (const table of await listTables(folders(root)[0]!)) {
    const reader = await TableReader.open(folders(root)[0]!, table);
    await reader.close();
  }
  const before = checkpointSteps(folders(root)[0]!).at(-1)!;
  expect(before).toBeLessThan(steps);
  await gradscope(
    ['run', '--resume', folders(root)[1]!, '--out', root],
    reached(Math.min(steps - 30, before + 40)),
  );
  await gradscope(['run', '--resume', folders(root)[0]!, '--out', root], null);

  folders(root).forEach((folder, i) => {
    expect(readRunInfo(folder).status).toBe('complete');
    const expected = finalWeights(folders(whole)[i]!);
    for (const [name, values] of finalWeights(folder)) expect(values, name).toEqual(expected.get(name));
    for (const table of ['gradients', 'gram', 'vectors', 'metrics']) {
      const [own, other] = [folder, folders(whole)[i]!].map((run) =>
        fs.readFileSync(path.join(run, `${table}.arrow`)),
      );
      expect(own!.equals(other!), table).toBe(true);
    }
  });
});
