import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, test } from 'vitest';
import { loadConfig } from '../../src/config/load.js';
import { runSchema } from '../../src/run/config.js';
import { planRun } from '../support/plan-run.js';
import { replayStage } from '../../src/run/replay.js';
import { checkpointSteps, readCheckpoint, writeCheckpoint } from '../../src/run/checkpoint.js';
import { readColumns } from '../../src/store/read-columns.js';
import { readRunInfo } from '../../src/store/run-folder.js';
import { nodeEnvironment } from '../../src/store/environment.js';
import { nodeFileSystem } from '../../src/store/file-system.js';
import { recoverRun } from '../../src/store/recover.js';
import { TableReader } from '../../src/store/table-reader.js';
import type { TrainingProgress } from '../../src/run/session.js';
import type { Engine } from '../../src/train/engine/load.js';
import { useTestEngine } from '../train/support/engine.js';
import { finalWeights, resumeTiny, temporaryFolder, trainTiny, type TinyOptions } from './support.js';

/** Seeds that train together in most tests. */
const seeds = [0, 5, 9];

let engine: Engine;
/** Runs of these seeds at the highest tier, which others are compared with, and how many tensors their steps left. */
let whole: { readonly root: string; readonly tensors: readonly number[] };

beforeAll(async () => {
  engine = await useTestEngine();
  const root = temporaryFolder();
  const tensors: number[] = [];
  await train({ root, seeds, onProgress: () => tensors.push(tf.memory().numTensors) });
  whole = { root, tensors };
});

/** A session's time goes into capturing graphs: one layer, where the number of layers does not matter. */
function train(options: Omit<TinyOptions, 'engine'>): ReturnType<typeof trainTiny> {
  return trainTiny({ ...options, engine, overrides: ['model.layers=1', ...(options.overrides ?? [])] });
}

/** For runs that only have to be there: four updates of one size, four of another. */
const brief = ['log.tier=off', 'stages.0.epochs=0.5'];

const folderOf = (root: string, seed = 0): string => path.join(root, 'set-inclusion', `tiny-seed${seed}`);

/** A column of numbers of a table. */
async function numbersOf(folder: string, table: string, name: string): Promise<number[]> {
  const reader = await TableReader.open(folder, table);
  try {
    const view = (await readColumns(reader, [name])).view(name);
    if (view.kind !== 'float64' && view.kind !== 'int32') throw new Error(`${name} holds no numbers`);
    return Array.from(view.values);
  } finally {
    await reader.close();
  }
}

const lossesOf = (folder: string): Promise<number[]> => numbersOf(folder, 'steps', 'loss');

/** How the run of each seed ended: status, data, losses, metrics, and a hash of every parameter's bits. */
function endsOf(root: string): Promise<unknown[]> {
  return Promise.all(
    seeds.map(async (seed) => {
      const folder = folderOf(root, seed);
      const { status, dataHash } = readRunInfo(folder);
      const weights = Array.from(finalWeights(folder), ([name, values]) => [name, hash(values)]);
      const evaluated = await numbersOf(folder, 'metrics', 'step');
      const metrics = await numbersOf(folder, 'metrics', 'value');
      return { status, dataHash, losses: await lossesOf(folder), evaluated, metrics, weights };
    }),
  );
}

function hash({ buffer, byteOffset, byteLength }: Float32Array): string {
  return createHash('sha256')
    .update(new Uint8Array(buffer, byteOffset, byteLength))
    .digest('hex');
}

test('a run ends complete, with every table as an Arrow file, and no tensor left', async () => {
  const root = temporaryFolder();
  const before = tf.memory().numTensors;
  const { end, folders, failed } = await trainTiny({ root, engine, overrides: ['stages.0.epochs=0.5'] });
  expect({ end, folders, failed }).toEqual({ end: 'complete', folders: [folderOf(root)], failed: [] });
  expect(tf.memory().numTensors).toBe(before);
  const names = fs
    .readdirSync(folderOf(root))
    .filter((name) => name.includes('.arrow'))
    .sort();
  expect(names).toEqual(
    [
      'batches',
      'cooccurrence',
      'events',
      'examples',
      'gradients',
      'gram',
      'metrics',
      'sketches',
      'steps',
      'vectors',
    ].map((name) => `${name}.arrow`),
  );
  const info = readRunInfo(folderOf(root));
  expect(info).toMatchObject({ status: 'complete', seed: 0, stepsDone: info.stepsTotal });
  expect(await lossesOf(folderOf(root))).toHaveLength(info.stepsTotal);
});

test('the number of tensors does not grow over steps', () => {
  // The first steps of a stage create its optimizer's state and capture its graphs.
  expect(new Set(whole.tensors.slice(3, 15)).size).toBe(1);
});

test.each(['off', 'norms', 'groups', 'sketch'])(
  'the same seed gives the same data, losses and weights, bit for bit, with logging tier %s too',
  async (tier) => {
    const root = temporaryFolder();
    await train({ root, seeds, overrides: [`log.tier=${tier}`] });
    expect(await endsOf(root)).toEqual(await endsOf(whole.root));
  },
);

test('a replay takes the updates of every stage as the session did, bit for bit, with odd batches, clipping and a schedule', async () => {
  const root = temporaryFolder();
  await train({
    root,
    overrides: [
      'log.tier=off',
      'stages.0.epochs=2.5',
      'stages.0.batchSize=37',
      'stages.0.clipNorm=0.5',
      'stages.1.batchSize=13',
      'stages.1.schedule={ kind: linear, warmupSteps: 2 }',
    ],
  });
  const folder = folderOf(root);
  const { config } = loadConfig(path.join(folder, 'config.yaml'), runSchema);
  const plan = planRun(config, [0]);
  const sizes = await numbersOf(folder, 'steps', 'batch_size');
  const clips = await numbersOf(folder, 'steps', 'clip_factor');
  expect(new Set(sizes).size).toBeGreaterThan(2);
  expect(clips.some((clip) => clip < 1)).toBe(true);
  for (const [stage, { firstStep, steps }] of plan.stages.entries()) {
    const replayed: number[] = [];
    let weights: Map<string, string> | null = null;
    for (const { minibatch, learner, stageStep } of replayStage(
      plan,
      stage,
      readCheckpoint(folder, firstStep),
    )) {
      replayed.push(minibatch.rows[0]!.length);
      if (stageStep === steps)
        weights = new Map(learner.parameterValues(0).map(({ name, values }) => [name, hash(values)]));
    }
    expect(replayed).toEqual(sizes.slice(firstStep, firstStep + steps));
    const { parameters } = readCheckpoint(folder, firstStep + steps);
    expect(weights).toEqual(new Map(parameters.map(({ name, values }) => [name, hash(values)])));
  }
});

test('a replica comes out as it does alone, within rounding', async () => {
  const alone = temporaryFolder();
  await train({ root: alone, seeds: [5] });
  const [mine, others] = [await lossesOf(folderOf(alone, 5)), await lossesOf(folderOf(whole.root, 5))];
  expect(others).toHaveLength(mine.length);
  mine.forEach((loss, i) => expect(Math.abs(others[i]! - loss)).toBeLessThan(1e-3 * (1 + loss)));
  const weights = finalWeights(folderOf(alone, 5));
  for (const [name, values] of finalWeights(folderOf(whole.root, 5))) {
    values.forEach((value, i) => expect(Math.abs(value - weights.get(name)![i]!), name).toBeLessThan(2e-3));
  }
  expect(await lossesOf(folderOf(whole.root, 0))).not.toEqual(others);
});

describe('stopping', () => {
  test('again and again, and resuming gives the weights of an uninterrupted run', async () => {
    const root = temporaryFolder();
    const stopAt =
      (last: number) =>
      ({ step }: TrainingProgress, abort: () => void): void => {
        if (step === last) abort();
      };
    const early = await train({ root, seeds, request: { signal: AbortSignal.abort() } });
    expect(early.end).toBe('interrupted');
    // Before the first update, after it, at the end of an epoch, within one, and at the end of a stage.
    for (const last of [1, 7, 12, 21]) {
      const { end } = await resumeTiny(folderOf(root), { root, engine, onProgress: stopAt(last) });
      expect(end).toBe('interrupted');
      for (const seed of seeds) {
        expect(readRunInfo(folderOf(root, seed))).toMatchObject({ status: 'interrupted', stepsDone: last });
        expect(await lossesOf(folderOf(root, seed))).toHaveLength(last);
      }
    }
    await resumeTiny(folderOf(root, seeds[1]), { root, engine });
    expect(await endsOf(root)).toEqual(await endsOf(whole.root));
  });

  test('the command that started runs goes on with them if told so, and is refused if not', async () => {
    const root = temporaryFolder();
    const [some, all] = [
      [0, 1],
      [0, 1, 2],
    ];
    const overrides = brief;
    await train({ root, seeds: some, overrides, onProgress: ({ step }, abort) => step === 2 && abort() });
    await expect(train({ root, seeds: all, overrides })).rejects.toThrow(
      /tiny-seed0: holds a run that is interrupted; continue it with --existing resume/,
    );
    const { end, folders } = await train({ root, seeds: all, overrides, request: { existing: 'resume' } });
    expect({ end, folders }).toEqual({ end: 'complete', folders: all.map((seed) => folderOf(root, seed)) });
    expect(readRunInfo(folderOf(root, 2)).status).toBe('complete');
    for (const seed of some) {
      expect(await lossesOf(folderOf(root, seed))).toHaveLength(8);
      expect(readRunInfo(folderOf(root, seed)).status).toBe('complete');
    }
  });

  test('a second process gets a clear error while a run is going', async () => {
    const root = temporaryFolder();
    const refusals: Promise<unknown>[] = [];
    await train({
      root,
      overrides: brief,
      onProgress: () => {
        if (refusals.length > 0) return;
        refusals.push(resumeTiny(folderOf(root), { root, engine }).catch((error: unknown) => error));
      },
    });
    expect(String(await refusals[0])).toMatch(/is being written by process \d+/);
  });

  test('a complete run is left alone, another config is refused, overwriting replaces', async () => {
    const root = temporaryFolder();
    await train({ root, overrides: brief });
    const { updated } = readRunInfo(folderOf(root));
    await train({ root, overrides: brief });
    expect(readRunInfo(folderOf(root)).updated).toBe(updated);
    const changed = { root, overrides: [...brief, 'stages.1.epochs=2'] };
    await expect(train(changed)).rejects.toThrow(/holds a run of another config/);
    await train({ ...changed, request: { existing: 'overwrite' } });
    expect(readRunInfo(folderOf(root)).updated).not.toBe(updated);
  });
});

const noSpace = (): Error =>
  Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' });

describe('what goes wrong', () => {
  test('a loss that is not finite ends its run, says where, and keeps the log', async () => {
    const root = temporaryFolder();
    const failing = train({
      root,
      overrides: [
        'stages.0.optimizer.learningRate=1e30',
        'stages.0.parameterGroups=[]',
        'stages.0.clipNorm=null',
      ],
    });
    await expect(failing).rejects.toThrow(
      /seed 0: the (loss|gradient) is not finite at step \d+ of stage stage1; first in: .+; lower the learning rate/,
    );
    const info = readRunInfo(folderOf(root));
    expect(info.status).toBe('failed');
    expect(info.failure).toContain('not finite');
    expect((await lossesOf(folderOf(root))).length).toBe(info.stepsDone);
  });

  test('one broken replica does not stop the others', async () => {
    const root = temporaryFolder();
    const stopAt = 2;
    await train({
      root,
      seeds: [0, 1],
      overrides: ['stages.0.epochs=0.5'],
      onProgress: ({ step }, abort) => step === stopAt && abort(),
    });
    const checkpoint = readCheckpoint(folderOf(root, 1), stopAt);
    checkpoint.parameters.at(-1)!.values.fill(3e38);
    writeCheckpoint(folderOf(root, 1), checkpoint, nodeFileSystem);
    const { failed, end } = await resumeTiny(folderOf(root), { root, engine });
    expect(end).toBe('complete');
    expect(failed).toHaveLength(1);
    expect(failed[0]).toMatchObject({ folder: folderOf(root, 1) });
    expect(failed[0]!.reason).toContain('the loss is not finite at step 3');
    expect(readRunInfo(folderOf(root, 0)).status).toBe('complete');
    expect(readRunInfo(folderOf(root, 1))).toMatchObject({ status: 'failed', stepsDone: stopAt });
    expect(await lossesOf(folderOf(root, 1))).toHaveLength(stopAt);
  });

  test('a full disk stops the run with its reason; what was written stays readable', async () => {
    const root = temporaryFolder();
    let written = 0;
    const full = {
      ...nodeFileSystem,
      write: (fd: number, chunks: readonly Uint8Array[], position: number): number => {
        written += chunks.reduce((sum, chunk) => sum + chunk.length, 0);
        if (written > 150_000) throw noSpace();
        return nodeFileSystem.write(fd, chunks, position);
      },
    };
    const failing = train({ root, request: { environment: { ...nodeEnvironment, fs: full } } });
    await expect(failing).rejects.toThrow(/ENOSPC/);
    expect((await lossesOf(folderOf(root))).length).toBeGreaterThanOrEqual(0);
  });

  test('a run that could not write for once can be resumed', async () => {
    const root = temporaryFolder();
    let due = false;
    const briefly = {
      ...nodeFileSystem,
      write: (fd: number, chunks: readonly Uint8Array[], position: number): number => {
        if (!due) return nodeFileSystem.write(fd, chunks, position);
        due = false;
        throw noSpace();
      },
    };
    const overrides = ['log.tier=off'];
    const failing = train({
      root,
      seeds,
      overrides,
      onProgress: ({ step }) => (due ||= step === 9),
      request: { environment: { ...nodeEnvironment, fs: briefly } },
    });
    await expect(failing).rejects.toThrow(/ENOSPC/);
    const { status, failure } = readRunInfo(folderOf(root));
    expect({ status, failure }).toEqual({
      status: 'interrupted',
      failure: expect.stringContaining('ENOSPC'),
    });
    const { end } = await train({ root, seeds, overrides, request: { existing: 'resume' } });
    expect(end).toBe('complete');
    expect(await endsOf(root)).toEqual(await endsOf(whole.root));
  });

  test('a run whose streams were recovered is not resumed', async () => {
    const root = temporaryFolder();
    await train({ root, overrides: brief, onProgress: ({ step }, abort) => step === 2 && abort() });
    await recoverRun(folderOf(root));
    await expect(resumeTiny(folderOf(root), { root, engine })).rejects.toThrow(
      /tiny-seed0: cannot be resumed \(its tables were made files, by recover\)/,
    );
    expect(readRunInfo(folderOf(root)).status).toBe('interrupted');
  });
});

test('a run keeps its checkpoints inside stages, and those taken for safety go', async () => {
  const root = temporaryFolder();
  await train({
    root,
    overrides: [
      'log.tier=off',
      'stages.0.epochs=1',
      'stages.1.epochs=4',
      'checkpoint.perStage=3',
      'checkpoint.everySeconds=0.001',
    ],
  });
  const { stages } = readRunInfo(folderOf(root));
  const expected = stages.flatMap(({ firstStep, steps }) =>
    [1, 2, 3].map((part) => firstStep + Math.round((steps * part) / 3)),
  );
  expect(checkpointSteps(folderOf(root))).toEqual([0, ...expected]);
});
