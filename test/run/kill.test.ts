import fs from 'node:fs';
import path from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { createStream } from '../../data/random/streams.js';
import { checkpointSteps } from '../../src/run/checkpoint.js';
import { readRunInfo } from '../../src/store/run-folder.js';
import { listTables, TableReader } from '../../src/store/table-reader.js';
import { checkpointReached, commandLine, gradscope } from '../support/command-line.js';
import { polars } from '../store/polars.js';
import { finalWeights, temporaryFolder, tiny } from './support.js';

const rows = (table: Uint8Array): Record<string, unknown>[] => polars.readIPC(table).toRecords();

const folders = (root: string): string[] =>
  [0, 1].map((seed) => path.join(root, 'set-inclusion', `tiny-seed${seed}`));

/** A run long enough to be killed anywhere, with checkpoints ten times a second. */
const settings = [
  ...tiny.filter((setting) => !setting.startsWith('stages.')),
  'model.layers=1',
  'stages.0.epochs=12',
  'stages.1.epochs=20',
  'evaluation.everyEpochs=4',
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
  const uninterrupted = gradscope(start(whole));
  const random = createStream(Date.now(), 'test');
  const root = temporaryFolder();
  const reached =
    (step: number) =>
    async (gone: AbortSignal): Promise<void> => {
      await checkpointReached(folders(root)[0]!, step, gone);
      await setTimeout(random.uniform() * 150);
    };
  // The number of threads is not among what weights depend on.
  await gradscope([...start(root), '--threads', '1,1'], reached(1));
  // What was logged up to the kill can be read, table by table.
  for (const table of await listTables(folders(root)[0]!)) {
    const reader = await TableReader.open(folders(root)[0]!, table);
    await reader.close();
  }
  const steps = readRunInfo(folders(root)[0]!).stepsTotal;
  const before = checkpointSteps(folders(root)[0]!).at(-1)!;
  expect(before).toBeLessThan(steps);
  await gradscope(
    ['run', '--resume', folders(root)[1]!, '--out', root, '--threads', '2,1'],
    reached(Math.min(steps - 30, before + 40)),
  );
  await gradscope(['run', '--resume', folders(root)[0]!, '--out', root]);
  await uninterrupted;

  folders(root).forEach((folder, i) => {
    expect(readRunInfo(folder).status).toBe('complete');
    const expected = finalWeights(folders(whole)[i]!);
    for (const [name, values] of finalWeights(folder)) expect(values, name).toEqual(expected.get(name));
    for (const table of ['batches', 'examples', 'gradients', 'gram', 'vectors', 'metrics']) {
      const [own, other] = [folder, folders(whole)[i]!].map((run) =>
        fs.readFileSync(path.join(run, `${table}.arrow`)),
      );
      if (!own!.equals(other!)) expect(rows(own!), table).toEqual(rows(other!));
      expect(own!.equals(other!), table).toBe(true);
    }
  });
});

test('Ctrl-C stops at the next step, with exit code 130 and the command that goes on', async () => {
  const root = temporaryFolder();
  const folder = folders(root)[0]!;
  const { code, stdout, stderr } = await commandLine([...start(root), '--set', 'log.tier=off'], {
    signal: 'SIGINT',
    killed: (gone) => checkpointReached(folder, 1, gone),
  });
  expect(stderr).toContain('stopping at the next step, with a checkpoint (Ctrl-C again to stop at once)\n');
  expect(stderr).toMatch(new RegExp(`interrupted; continue with: npx gradscope run --resume ${folder}\n$`));
  expect({ code, stdout }).toEqual({ code: 130, stdout: '' });
  for (const own of folders(root)) {
    const { status, stepsDone } = readRunInfo(own);
    expect(status).toBe('interrupted');
    expect(checkpointSteps(own).at(-1)).toBe(stepsDone);
  }
});
