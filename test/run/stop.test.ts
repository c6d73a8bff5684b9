import fs from 'node:fs';
import path from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { loadConfig } from '../../src/config/load.js';
import { checkpointSteps, readCheckpoint } from '../../src/run/checkpoint.js';
import { runSchema } from '../../src/run/config.js';
import { planRuns, withKnownEnds } from '../../src/run/plan.js';
import { replayStage } from '../../src/run/replay.js';
import { readStoredConfig } from '../../src/run/run-config.js';
import { endsOf } from '../../src/run/stage-ends.js';
import { lockPath } from '../../src/store/lock.js';
import { readColumns } from '../../src/store/read-columns.js';
import { readRunInfo } from '../../src/store/run-folder.js';
import { TableReader } from '../../src/store/table-reader.js';
import type { Engine } from '../../src/train/engine/load.js';
import { useTestEngine } from '../train/support/engine.js';
import { finalWeights, resumeTiny, temporaryFolder, tiny, trainTiny, type TinyOptions } from './support.js';

const seeds = [0, 1, 2];
const short = [
  'model.layers=1',
  'log.tier=groups',
  'stages.0.epochs=4',
  'checkpoint.perStage=1',
  'stages.1.epochs=3',
  'evaluation.everyEpochs=1',
  'stages.0.schedule={ kind: linear, warmupSteps: 2 }',
];

let engine: Engine;
/** Runs without a stop that keep every checkpoint, from which it follows when a stop is reached. */
let whole: readonly string[];
let perEpoch = 0;

const train = (options: Omit<TinyOptions, 'engine'>): ReturnType<typeof trainTiny> =>
  trainTiny({ ...options, engine, overrides: [...short, ...(options.overrides ?? [])] });

beforeAll(async () => {
  engine = await useTestEngine();
  const ended = await train({ root: temporaryFolder(), seeds, overrides: ['checkpoint.perStage=1000'] });
  whole = ended.folders;
  perEpoch = readRunInfo(whole[0]!).stages[0]!.stepsPerEpoch;
});

async function column(folder: string, table: string, name: string): Promise<number[]> {
  const reader = await TableReader.open(folder, table);
  try {
    const view = (await readColumns(reader, [name])).view(name);
    if (view.kind !== 'float64' && view.kind !== 'int32') throw new Error(`${name} holds no numbers`);
    return Array.from(view.values);
  } finally {
    await reader.close();
  }
}

/** Distance of a run's parameters from its initial ones after each update of the first stage, in float64. */
function distancesOf(folder: string): number[] {
  const valuesAt = (step: number): number[] =>
    readCheckpoint(folder, step).parameters.flatMap(({ values }) => Array.from(values));
  const start = valuesAt(0);
  return Array.from({ length: readRunInfo(folder).stages[0]!.steps }, (_, i) =>
    Math.hypot(...valuesAt(i + 1).map((value, k) => value - start[k]!)),
  );
}

/** Mean of the last epoch's losses after each update, by examples; NaN within the first epoch. */
async function runningLossesOf(folder: string): Promise<number[]> {
  const [losses, sizes] = await Promise.all([
    column(folder, 'steps', 'loss'),
    column(folder, 'steps', 'batch_size'),
  ]);
  return losses.map((_, i) => {
    if (i + 1 < perEpoch) return NaN;
    const last = Array.from({ length: perEpoch }, (_unused, k) => i - k);
    const examples = last.reduce((sum, k) => sum + sizes[k]!, 0);
    return last.reduce((sum, k) => sum + losses[k]! * sizes[k]!, 0) / examples;
  });
}

/** A bound at which the seeds stop at different updates, all before the end, with the update of each. */
function boundOf(
  curves: readonly (readonly number[])[],
  isReached: (value: number, bound: number) => boolean,
): { readonly bound: number; readonly stops: number[] } {
  for (const value of curves[0]!.slice(Math.floor(perEpoch * 1.2))) {
    const bound = value * 1.0001;
    const stops = curves.map((own) => own.findIndex((other) => isReached(other, bound)) + 1);
    if (Math.max(...stops) > Math.min(...stops) + 1 && !stops.includes(0)) return { bound, stops };
  }
  throw new Error('the seeds are alike');
}

const weightsAt = (folder: string, step: number): Map<string, Float32Array> =>
  new Map(readCheckpoint(folder, step).parameters.map(({ name, values }) => [name, values]));

describe('a stage ends at the first update', () => {
  test('at which the distance from its start is above the bound, each replica for itself', async () => {
    const { bound, stops } = boundOf(whole.map(distancesOf), (distance, most) => distance > most);
    const stop = [`stages.0.stop={ distance: ${bound} }`];
    const { folders, failed } = await train({ root: temporaryFolder(), seeds, overrides: stop });
    expect(failed).toEqual([]);
    for (const [i, folder] of folders.entries()) {
      const info = readRunInfo(folder);
      const [first, second] = info.stages;
      expect(info).toMatchObject({ status: 'complete', stepsTotal: stops[i]! + second!.steps });
      expect(info.stepsDone).toBe(info.stepsTotal);
      expect(first).toMatchObject({ steps: stops[i], plannedSteps: 4 * perEpoch });
      expect(first!.end).toMatchObject({ reason: 'distance' });
      expect(first!.end!.distance! / distancesOf(whole[i]!)[stops[i]! - 1]!).toBeCloseTo(1, 5);
      expect(second).toMatchObject({ firstStep: stops[i], end: { reason: 'epochs', distance: null } });
      // The checkpoint of the end is there, and is what the run without a stop had then, bit for bit.
      expect(checkpointSteps(folder)).toEqual([0, stops[i], info.stepsTotal]);
      expect(weightsAt(folder, stops[i]!)).toEqual(weightsAt(whole[i]!, stops[i]!));
      expect((await column(folder, 'steps', 'step')).at(-1)).toBe(info.stepsTotal);
      expect(new Set(await column(folder, 'metrics', 'step')).has(stops[i]!)).toBe(true);
    }
    // Alone it is the same run.
    const alone = await train({ root: temporaryFolder(), seeds: [1], overrides: stop });
    expect(finalWeights(alone.folders[0]!)).toEqual(finalWeights(folders[1]!));
    for (const [table, name] of [
      ['steps', 'loss'],
      ['steps', 'step'],
      ['metrics', 'step'],
      ['metrics', 'value'],
      ['gradients', 'step'],
    ] as const)
      expect(await column(alone.folders[0]!, table, name)).toEqual(await column(folders[1]!, table, name));

    // A replay of the stage ends where the run ended it.
    const { config } = readStoredConfig(folders[1]!);
    const info = readRunInfo(folders[1]!);
    const plan = withKnownEnds(planRuns([{ config, seed: 1, ends: endsOf(info) }]));
    const replayed = [...replayStage(plan, 0, readCheckpoint(folders[1]!, 0))].map(({ step }) => step);
    expect(replayed).toEqual(Array.from({ length: stops[1]! }, (_, i) => i + 1));
  });

  test('at which the running training loss is below the bound; interrupted and killed, it goes on to the same', async () => {
    const curves = await Promise.all(whole.map(runningLossesOf));
    const ends = curves.map((own) => own.slice(0, 4 * perEpoch));
    const { bound, stops } = boundOf(ends, (loss, most) => loss < most);
    const overrides = [`stages.0.stop={ trainingLoss: ${bound} }`, 'checkpoint.everySeconds=0.001'];
    const [root, copies] = [temporaryFolder(), temporaryFolder()];
    // One replica has ended the stage and another has not; the next stage has begun.
    const [early, , late] = stops.toSorted((a, b) => a - b) as [number, number, number];
    const killedAt = [early, late + 1];
    const { folders } = await train({
      root,
      seeds,
      overrides,
      onProgress: ({ step }) => {
        if (killedAt.includes(step)) fs.cpSync(root, path.join(copies, String(step)), { recursive: true });
      },
    });
    const weights = folders.map(finalWeights);
    for (const [i, folder] of folders.entries()) {
      expect(readRunInfo(folder).stages[0]).toMatchObject({
        steps: stops[i],
        end: { reason: 'trainingLoss' },
      });
      expect(readRunInfo(folder).stages[0]!.end!.trainingLoss).toBeCloseTo(ends[i]![stops[i]! - 1]!, 10);
      expect(weightsAt(folder, stops[i]!)).toEqual(weightsAt(whole[i]!, stops[i]!));
    }
    for (const step of killedAt) {
      const copy = folders.map((folder) => path.join(copies, String(step), path.relative(root, folder)));
      for (const folder of copy) fs.rmSync(lockPath(folder), { recursive: true, force: true });
      const resumed = await resumeTiny(copy[0]!, { root: path.join(copies, String(step)), engine });
      expect(resumed).toMatchObject({ end: 'complete', failed: [] });
      expect(copy.map(finalWeights)).toEqual(weights);
      for (const [i, folder] of copy.entries()) {
        expect(readRunInfo(folder).stages).toEqual(readRunInfo(folders[i]!).stages);
        expect(await column(folder, 'steps', 'step')).toEqual(await column(folders[i]!, 'steps', 'step'));
      }
    }
  });

  test('that is given as a number of updates, on which the schedule is planned', async () => {
    const { folders } = await train({ root: temporaryFolder(), overrides: ['stages.0.stop={ updates: 5 }'] });
    const [stage] = readRunInfo(folders[0]!).stages;
    expect(stage).toMatchObject({ steps: 5, plannedSteps: 5, end: { reason: 'updates' } });
    const rates = await column(folders[0]!, 'steps', 'learning_rate');
    // Warm-up of 2 of 5 updates, then a third less each.
    [1 / 2, 1, 1, 2 / 3, 1 / 3].forEach((factor, i) =>
      expect(rates[i]! / stage!.learningRate).toBeCloseTo(factor),
    );
  });
});

test('a stop that is never reached is said, and the stage ends with its epochs', async () => {
  const root = temporaryFolder();
  const messages: string[] = [];
  const { folders } = await train({
    root,
    overrides: ['stages.0.stop={ distance: 1000, trainingLoss: 0.0001 }', 'stages.0.epochs=1'],
    request: { onMessage: (text) => messages.push(text) },
  });
  expect(readRunInfo(folders[0]!).stages[0]).toMatchObject({ steps: perEpoch, end: { reason: 'epochs' } });
  const said =
    /stage stage1: its stop was not reached in \d+ updates \(training loss [\d.]+, to fall below 0\.0001; distance/;
  expect(messages.join('\n')).toMatch(said);
});

test('exchanged halves begin where the stage of their run ended', async () => {
  const { bound, stops } = boundOf(whole.map(distancesOf), (distance, most) => distance > most);
  const { folders, failed } = await train({
    root: temporaryFolder(),
    seeds: [0, 1],
    overrides: [`stages.0.stop={ distance: ${bound} }`, 'tagExchange=true', 'stages.1.epochs=0.5'],
  });
  expect(failed).toEqual([]);
  folders.forEach((folder, i) => {
    const half = readRunInfo(`${folder}-exchanged`);
    expect(half).toMatchObject({ status: 'complete', stepsTotal: readRunInfo(folder).stepsTotal });
    expect(half.stages[1]!.firstStep).toBe(stops[i]);
    expect(checkpointSteps(`${folder}-exchanged`)).toEqual([stops[i], half.stepsTotal]);
  });
});

test('a stop of nothing is refused', () => {
  const load = (value: string) =>
    loadConfig('configs/set-inclusion-smoke.yaml', runSchema, [...tiny, `stages.0.stop=${value}`]);
  expect(() => load('{}')).toThrow(/stages\.0\.stop:? says nothing to stop at/);
  expect(() => load('{ distance: 0 }')).toThrow(/stages\.0\.stop\.distance/);
});
