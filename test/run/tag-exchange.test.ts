import fs from 'node:fs';
import path from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { checkpointSteps } from '../../src/run/checkpoint.js';
import { findRuns } from '../../src/analysis/find-runs.js';
import { gapSummary } from '../../src/analysis/studies/internalization/gap-summary.js';
import { Prober } from '../../src/probe/prober.js';
import { probeDefaults } from '../../src/probe/probe.js';
import { startStep } from '../../src/run/plan.js';
import { planRun } from '../support/plan-run.js';
import { readStoredConfig } from '../../src/run/run-config.js';
import { readRunInfo } from '../../src/store/run-folder.js';
import type { Engine } from '../../src/train/engine/load.js';
import { polars } from '../store/polars.js';
import { checkpointReached, gradscope } from '../support/command-line.js';
import { useTestEngine } from '../train/support/engine.js';
import { finalWeights, resumeTiny, temporaryFolder, tiny, trainTiny, type TinyOptions } from './support.js';

type Row = Record<string, unknown>;

const exchange = ['tagExchange=true', 'model.layers=1', 'checkpoint.everySeconds=1000'];
const half = (folder: string): string => `${folder}-exchanged`;

const read = (folder: string, table: string): Row[] =>
  polars.readIPC(fs.readFileSync(path.join(folder, `${table}.arrow`))).toRecords();

const start = (folder: string): number => readRunInfo(folder).stages[1]!.firstStep;

let engine: Engine;
let folders: readonly string[];

const train = (root: string, options: Partial<TinyOptions> = {}) =>
  trainTiny({ root, engine, overrides: exchange, ...options });

beforeAll(async () => {
  engine = await useTestEngine();
  ({ folders } = await train(temporaryFolder(), { seeds: [0, 1] }));
});

function expectSameWeights(one: string, other: string): void {
  const expected = finalWeights(other);
  for (const [name, values] of finalWeights(one)) expect(values, name).toEqual(expected.get(name));
}

describe('the exchanged half of a run', () => {
  test('is a run of its own beside it, from the end of stage 1 on', () => {
    expect(folders.map((folder) => path.basename(folder))).toEqual(['tiny-seed0', 'tiny-seed1']);
    for (const folder of folders) {
      const [own, other] = [readRunInfo(folder), readRunInfo(half(folder))];
      expect(own.exchangeOf).toBeUndefined();
      expect(other).toMatchObject({
        status: 'complete',
        seed: own.seed,
        exchangeOf: path.basename(folder),
        stages: own.stages,
        configHash: own.configHash,
        stepsDone: own.stepsTotal,
      });
      expect(other.dataHash).not.toBe(own.dataHash);
      expect(checkpointSteps(half(folder))[0]).toBe(start(folder));
      const steps = read(half(folder), 'steps').map((row) => Number(row['step']));
      expect(steps).toEqual(Array.from({ length: own.stages[1]!.steps }, (_, i) => start(folder) + 1 + i));
      const plan = planRun(readStoredConfig(folder).config, [own.seed], true);
      expect(startStep(plan, 0)).toBe(start(folder));
      expect(plan.data[0]!.hash).toBe(other.dataHash);
    }
  });

  test('has the data of its run, but for the tags of new variables', () => {
    for (const folder of folders) {
      const [own, other] = [read(folder, 'examples'), read(half(folder), 'examples')];
      const isNew = (row: Row): boolean => !String(row['subset']).startsWith('qd');
      expect(other.filter((row) => !isNew(row))).toEqual(own.filter((row) => !isNew(row)));
      const without = (row: Row) => [
        row['variable'],
        row['entity'],
        String(row['text']).replace(/^define./, ''),
      ];
      const byVariable = (rows: Row[]) =>
        new Map(rows.filter(isNew).map((row) => [row['variable'], row] as const));
      const [before, after] = [byVariable(own), byVariable(other)];
      expect(after.size).toBe(before.size);
      for (const [variable, row] of before) {
        const now = after.get(variable)!;
        expect(without(now)).toEqual(without(row));
        expect(Number(now['tag']) + Number(row['tag'])).toBe(3);
      }
      // The same streams: the same places of the training set in the same steps.
      const inStage2 = read(folder, 'batches').filter(({ stage }) => stage === 'stage2');
      expect(read(half(folder), 'batches')).toEqual(inStage2);
    }
  });

  test('is measured at its start, where it is the network of its run, and at its end', () => {
    for (const folder of folders) {
      const at = (of: string, step: number): Map<unknown, unknown> =>
        new Map(
          read(of, 'metrics').flatMap((row) =>
            row['step'] === step && row['metric'] === 'accuracy' ? [[row['set'], row['value']]] : [],
          ),
        );
      const [own, other] = [at(folder, start(folder)), at(half(folder), start(folder))];
      expect(other.get('d1consis')).toBe(own.get('d2consis'));
      expect(other.get('d2consis')).toBe(own.get('d1consis'));
      expect(other.get('qd1consis')).toBe(own.get('qd1consis'));
      const { stepsTotal } = readRunInfo(folder);
      expect(at(half(folder), stepsTotal).size).toBe(at(folder, stepsTotal).size);
      // Other tags, another network.
      expect(finalWeights(half(folder))).not.toEqual(finalWeights(folder));
    }
  });

  test('counts in the gaps that a run ends with: the weak one as its stage ends, the strong one over both halves', async () => {
    const gap = (of: string, [one, other]: readonly [string, string], step: number): number => {
      const at = (set: string): number =>
        Number(
          read(of, 'metrics').find(
            (row) => row['metric'] === 'accuracy' && row['set'] === set && row['step'] === step,
          )!['value'],
        );
      return at(one) - at(other);
    };
    const strongOf = (of: string): number => gap(of, ['d1consis', 'd2consis'], readRunInfo(of).stepsTotal);
    const weak = folders.map((folder) => gap(folder, ['qd1consis', 'qd2incons'], start(folder)));
    const strong = folders.map((folder) => (strongOf(folder) + strongOf(half(folder))) / 2);
    const written = (values: readonly number[]): string => {
      const text = (value: number): string => value.toFixed(3).replace('0.', '.');
      const mean = (values[0]! + values[1]!) / 2;
      return `${text(mean)} over 2 seeds, ${text(Math.min(...values))} to ${text(Math.max(...values))}`;
    };
    expect(await gapSummary(folders)).toEqual([
      `weak gap (qd1consis - qd2incons, accuracy): ${written(weak)}`,
      `strong gap (d1consis - d2consis, accuracy, mean over tags as assigned and exchanged): ${written(strong)}`,
    ]);
  });

  test('is the same whether it trains alone or beside others', async () => {
    const alone = (await train(temporaryFolder(), { seeds: [1] })).folders[0]!;
    for (const table of ['batches', 'examples'])
      expect(read(half(alone), table)).toEqual(read(half(folders[1]!), table));
    const losses = (folder: string): number[] =>
      read(half(folder), 'steps').map((row) => Number(row['loss']));
    const together = losses(folders[1]!);
    losses(alone).forEach((loss, i) => expect(Math.abs(loss / together[i]! - 1)).toBeLessThan(1e-4));
  });
});

test('a half is probed with its own tags, at its own checkpoints', async () => {
  const copy = path.join(temporaryFolder(), 'tiny-seed0-exchanged');
  fs.cpSync(half(folders[0]!), copy, { recursive: true });
  const options = { ...probeDefaults, variablesPerSubset: 2, questions: 2, only: ['alignment'] };
  const prober = new Prober(options, { engine }, { onProgress: () => {}, onMessage: () => {} });
  await prober.probe(copy);
  prober.dispose();
  const subsetOf = new Map(read(copy, 'examples').map((row) => [row['variable'], row['subset']]));
  const rows = read(copy, 'alignment');
  expect(new Set(rows.map((row) => row['subset']))).toContain('d1consis');
  for (const row of rows) expect(row['subset']).toBe(subsetOf.get(row['variable']));
  expect([...new Set(rows.map((row) => row['step']))]).toEqual(checkpointSteps(copy));

  await expect(findRuns([copy])).rejects.toThrow('is the exchanged half of tiny-seed0');
  const found = await findRuns([copy], true);
  expect(found.exchanged.map(({ folder }) => folder)).toEqual([copy]);
});

describe('a half that was interrupted', () => {
  /** Trains until the half has taken an update. */
  async function interrupted(): Promise<{ root: string; folder: string }> {
    const root = temporaryFolder();
    let done = 0;
    const { end } = await train(root, {
      onProgress: ({ step, totalSteps }, abort) => {
        // The second time that the last stage begins is the half's.
        if (step < done && step < totalSteps) abort();
        done = step;
      },
    });
    expect(end).toBe('interrupted');
    const folder = path.join(root, 'set-inclusion', 'tiny-seed0');
    expect(readRunInfo(folder).status).toBe('complete');
    expect(readRunInfo(half(folder)).status).toBe('interrupted');
    return { root, folder };
  }

  test('is refused with its run, and resumed by the same command or by --resume of either', async () => {
    const alone = (await train(temporaryFolder())).folders[0]!;
    const { root, folder } = await interrupted();
    await expect(train(root)).rejects.toThrow(
      'tiny-seed0-exchanged: holds a run that is interrupted; continue it with --existing resume',
    );
    const copies = ['main', 'half'].map((name) => {
      const copy = path.join(temporaryFolder(), name);
      fs.cpSync(path.dirname(folder), copy, { recursive: true });
      return path.join(copy, 'tiny-seed0');
    });
    await train(root, { request: { existing: 'resume' } });
    await resumeTiny(copies[0]!, { root, engine });
    await resumeTiny(half(copies[1]!), { root, engine });
    for (const own of [folder, ...copies]) {
      expect(readRunInfo(half(own)).status).toBe('complete');
      expectSameWeights(half(own), half(alone));
      for (const table of ['steps', 'batches', 'metrics'])
        expect(read(half(own), table).length).toBe(read(half(alone), table).length);
    }
    await expect(resumeTiny(folder, { root, engine })).rejects.toThrow('there is nothing to resume');
  });

  test('begins anew with its run under --existing overwrite, and is trained when only it is missing', async () => {
    const { root, folder } = await interrupted();
    const group = readRunInfo(half(folder)).group;
    await train(root, { request: { existing: 'overwrite' } });
    expect(readRunInfo(half(folder))).toMatchObject({ status: 'complete' });
    expect(readRunInfo(half(folder)).group).not.toBe(group);

    fs.rmSync(half(folder), { recursive: true });
    const { started } = readRunInfo(folder);
    await train(root);
    expect(readRunInfo(half(folder)).status).toBe('complete');
    expect(readRunInfo(folder).started).toBe(started);

    // A checkpoint to begin from that is not there is told, and nothing else suffers.
    fs.rmSync(half(folder), { recursive: true });
    const name = `step-${String(start(folder)).padStart(8, '0')}.safetensors`;
    const [checkpoint, aside] = [path.join(folder, 'checkpoints', name), path.join(root, name)];
    fs.renameSync(checkpoint, aside);
    const { failed } = await train(root);
    expect(failed).toEqual([
      {
        folder: half(folder),
        reason: expect.stringContaining('its half with tags exchanged has no checkpoint to begin from'),
      },
    ]);
    expect(fs.existsSync(half(folder))).toBe(false);
    fs.renameSync(aside, checkpoint);
    await train(root);
    expect(readRunInfo(half(folder)).status).toBe('complete');

    // Without its run it is nothing to go on with, nor to be replaced without a word.
    fs.rmSync(folder, { recursive: true });
    await expect(train(root)).rejects.toThrow('is the exchanged half of a run that is not there any more');
  });

  test('killed with SIGKILL and resumed ends with the weights of an uninterrupted one', async () => {
    const settings = [...tiny, ...exchange, 'stages.1.epochs=30', 'checkpoint.everySeconds=0.05'];
    const command = (root: string): string[] => [
      'run',
      'configs/set-inclusion-smoke.yaml',
      '--seeds',
      '0..1',
      '--out',
      root,
      ...settings.flatMap((setting) => ['--set', setting]),
    ];
    const [whole, root] = [temporaryFolder(), temporaryFolder()];
    const folderOf = (of: string, seed: number): string =>
      half(path.join(of, 'set-inclusion', `tiny-seed${seed}`));
    await Promise.all([
      gradscope(command(whole)),
      gradscope(command(root), (gone) => checkpointReached(folderOf(root, 1), 1, gone)),
    ]);
    await gradscope([...command(root), '--existing', 'resume']);
    for (const seed of [0, 1]) {
      expect(readRunInfo(folderOf(root, seed)).status).toBe('complete');
      expectSameWeights(folderOf(root, seed), folderOf(whole, seed));
      for (const table of ['batches', 'gradients', 'metrics'])
        expect(read(folderOf(root, seed), table)).toEqual(read(folderOf(whole, seed), table));
    }
  });
});
