import fs from 'node:fs';
import path from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { openRun } from '../../src/analysis/run-data.js';
import { readRetrained } from '../../src/analysis/studies/retrain/data.js';
import { retrainScores } from '../../src/analysis/studies/retrain/scores.js';
import { scoreRetrained } from '../../src/analysis/studies/retrain/table.js';
import { readCheckpoint, writeCheckpoint } from '../../src/run/checkpoint.js';
import { checkpointPath } from '../../src/store/checkpoint-path.js';
import { nodeFileSystem } from '../../src/store/file-system.js';
import { readRunInfo } from '../../src/store/run-folder.js';
import { retrainRun, type RetrainOptions, type RetrainWatch } from '../../src/probe/retrain.js';
import { RetrainTools } from '../../src/probe/retrain/tools.js';
import type { Engine } from '../../src/train/engine/load.js';
import { temporaryFolder, trainTiny } from '../run/support.js';
import { useTestEngine } from '../train/support/engine.js';

let engine: Engine;

const small = [
  'model.layers=1',
  'model.width=8',
  'model.feedForward=16',
  'stages.0.epochs=1',
  'log.tier=off',
];

beforeAll(async () => {
  engine = await useTestEngine();
});

const few: RetrainOptions = { variables: 2, questions: 3, halves: 3, orders: 1, replicas: null };

async function trained(overrides: readonly string[] = []): Promise<string> {
  const { folders } = await trainTiny({
    root: temporaryFolder(),
    engine,
    overrides: [...small, ...overrides],
  });
  return folders[0]!;
}

async function retrainOf(
  folder: string,
  options: Partial<typeof few> = {},
  watch: Partial<RetrainWatch> = {},
): Promise<{ end: string; messages: string[] }> {
  const tools = new RetrainTools();
  const messages: string[] = [];
  try {
    const end = await retrainRun(folder, { ...few, ...options }, { engine }, tools, {
      signal: new AbortController().signal,
      onProgress: () => {},
      onMessage: (text) => messages.push(text),
      ...watch,
    });
    return { end, messages };
  } finally {
    tools.dispose();
  }
}

const bytesOf = (folder: string, table: string): Buffer =>
  fs.readFileSync(path.join(folder, `${table}.arrow`));

describe('training the stage of new variables again', () => {
  test('gives the weights of the run bit for bit where nothing is changed, and something else where it is', async () => {
    const folder = await trained();
    const { end, messages } = await retrainOf(folder, { replicas: 1 });
    expect(end).toBe('complete');
    expect(messages.join('\n')).toContain('to the weights of the run bit for bit');
    const data = (await readRetrained(await openRun(folder)))!;
    const outcome = (change: string) => data.outcomes.filter((own) => own.change === change);
    const [nothing] = outcome('nothing');
    expect(outcome('drop').length).toBe(4);
    for (const own of [...outcome('drop'), ...outcome('tag_swap'), ...outcome('drop_group')])
      expect(own.loss).not.toEqual(nothing!.loss);
    expect(outcome('half').length).toBe(3);
    // Fewer rows make shorter epochs; rows of weight 0 do not.
    expect(outcome('half')[0]!.loss).not.toEqual(outcome('half_weighted')[0]!.loss);
    expect(fs.existsSync(path.join(folder, 'retrain-parts'))).toBe(false);
  });

  test('a run that cannot be retrained is refused in one line', async () => {
    const folder = await trained();
    const file = path.join(folder, 'run.json');
    const text = fs.readFileSync(file, 'utf8');
    fs.writeFileSync(file, text.replace('"complete"', '"interrupted"'));
    await expect(retrainOf(folder)).rejects.toThrow(/its training is not complete; go on with it first$/);
    fs.writeFileSync(file, text);
    const { firstStep } = readRunInfo(folder).stages[1]!;
    const [start, end] = [firstStep, firstStep + readRunInfo(folder).stages[1]!.steps];
    // Another training than that of the run: here the run says that it ended where it began.
    const checkpoint = readCheckpoint(folder, end);
    const moved = readCheckpoint(folder, start).parameters.map((own) => ({
      ...own,
      values: own.values.map((value) => value + 0.01),
    }));
    writeCheckpoint(folder, { ...checkpoint, parameters: moved }, nodeFileSystem);
    await expect(retrainOf(folder)).rejects.toThrow(
      /with nothing changed its stage trains to weights \d+ % of/,
    );
    fs.rmSync(checkpointPath(folder, start));
    await expect(retrainOf(folder)).rejects.toThrow(
      /is not there, so that the stage cannot be trained again/,
    );
    const { folders } = await trainTiny({
      root: temporaryFolder(),
      engine,
      overrides: [...small, 'stages.0.trainOn=full', 'stages.1.epochs=1'],
    });
    await expect(retrainOf(folders[0]!)).rejects.toThrow(/trains new variables together with the questions/);
  });

  test('an interrupted command goes on, and ends with the tables of an undivided one', async () => {
    const folder = await trained();
    await retrainOf(folder, { replicas: 4 });
    const whole = ['retrained', 'retrain_halves', 'retrain_predictions'].map((table) =>
      bytesOf(folder, table),
    );
    for (const table of ['retrained', 'retrain_halves', 'retrain_predictions'])
      fs.rmSync(path.join(folder, `${table}.arrow`));
    const abort = new AbortController();
    const first = await retrainOf(
      folder,
      { replicas: 4 },
      {
        signal: abort.signal,
        onProgress: ({ done }) => {
          if (done >= 4) abort.abort();
        },
      },
    );
    expect(first.end).toBe('interrupted');
    expect(fs.existsSync(path.join(folder, 'retrained.arrow'))).toBe(false);
    // What a kill leaves: half a file under a temporary name, and a damaged part.
    fs.writeFileSync(path.join(folder, 'retrain-parts', '00077.safetensors'), 'half');
    const second = await retrainOf(folder, { replicas: 4 });
    expect(second.end).toBe('complete');
    expect(second.messages.join('\n')).toMatch(/1 parts .* were removed/);
    expect(second.messages.join('\n')).toMatch(/[48] of \d+ retrainings are there already/);
    ['retrained', 'retrain_halves', 'retrain_predictions'].forEach((table, i) =>
      expect(bytesOf(folder, table).equals(whole[i]!), table).toBe(true),
    );
  });
});

describe('predictions', () => {
  test('are right where theory is exact: short steps of plain gradient descent on all definitions', async () => {
    const folder = await trained([
      'model.variableEmbedding.noise=0',
      'stages.1.optimizer={ kind: sgd, learningRate: 5e-5, momentum: 0, weightDecay: 0 }',
      'stages.1.parameterGroups=[]',
      'stages.1.batchSize=1000',
      'stages.1.clipNorm=null',
      'stages.1.schedule={ kind: constant, warmupSteps: 0 }',
    ]);
    await retrainOf(folder, { variables: 4, halves: 20 });
    const run = await openRun(folder);
    const scores = (await scoreRetrained(run))!;
    const of = (predictor: string, scope: string, change = 'drop'): number =>
      scores.find((own) => own.predictor === predictor && own.scope === scope && own.change === change)!
        .score!;
    // What is left is curvature: the inner product looks at the start alone.
    for (const predictor of ['checkpoints', 'path_integral'])
      expect(of(predictor, 'pooled'), predictor).toBeGreaterThan(0.97);
    expect(of('inner_product', 'pooled')).toBeGreaterThan(0.9);
    expect(of('one_step', 'pooled')).toBeGreaterThan(0.9);
    expect(of('path_integral', 'lds', 'half_weighted')).toBeGreaterThan(0.97);
    expect(of('checkpoints', 'pooled', 'tag_swap')).toBeGreaterThan(0.9);
    expect(Math.abs(of('permuted', 'pooled'))).toBeLessThan(0.6);
    // The path integral has the size of the change, not only its order.
    const data = (await readRetrained(run))!;
    const nothing = data.outcomes.find(({ change }) => change === 'nothing')!;
    const drop = data.outcomes.find(({ change }) => change === 'drop')!;
    const definition = data.definitions.findIndex(({ variable }) => variable === drop.changed);
    const j = data.asked.findIndex(({ variable }) => variable === drop.changed);
    const predicted = data.predictions.pathIntegral![definition * data.asked.length + j]!;
    expect((nothing.loss[j]! - drop.loss[j]!) / predicted).toBeCloseTo(1, 1);
    expect(retrainScores(data, run.info.seed).length).toBe(scores.length);
  });
});
