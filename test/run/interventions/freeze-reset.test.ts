import { isDeepStrictEqual } from 'node:util';
import { beforeAll, describe, expect, test } from 'vitest';
import { createStream } from '../../../data/random/streams.js';
import { readCheckpoint } from '../../../src/run/checkpoint.js';
import { loadKnownConfig } from '../../../src/run/experiment-module.js';
import { planRun } from '../../support/plan-run.js';
import { replayStage } from '../../../src/run/replay.js';
import { configPath, readRunInfo } from '../../../src/store/run-folder.js';
import { listTables, TableReader } from '../../../src/store/table-reader.js';
import type { Engine } from '../../../src/train/engine/load.js';
import { useTestEngine } from '../../train/support/engine.js';
import { differencesOfStops, stepColumns, trainBrief, weightDifference } from '../intervention-support.js';
import { finalWeights } from '../support.js';

let engine: Engine;
let plain: string;

beforeAll(async () => {
  engine = await useTestEngine();
  [plain = ''] = await trainBrief({ engine, overrides: [] });
});

const train = async (...overrides: string[]): Promise<string> =>
  (await trainBrief({ engine, overrides }))[0]!;

/** Values of a run's parameter after so many updates. */
function weightsAt(folder: string, step: number): Map<string, Float32Array> {
  return new Map(readCheckpoint(folder, step).parameters.map(({ name, values }) => [name, values]));
}

const middle = (folder: string): number => readRunInfo(folder).stages[1]!.firstStep;
const columnsOf = async (folder: string): Promise<string[]> => {
  const reader = await TableReader.open(folder, 'steps');
  try {
    return reader.columns.map(({ name }) => name);
  } finally {
    await reader.close();
  }
};

describe('freeze', () => {
  // Whatever an optimizer does without a gradient: decay, momentum of earlier updates.
  const optimizers = [
    '{ kind: sgd, learningRate: 0.1, momentum: 0.9, weightDecay: 0.1 }',
    '{ kind: adamw, learningRate: 0.01, weightDecay: 0.1 }',
    '{ kind: adafactor, learningRate: 0.01, weightDecay: 0.1 }',
  ];

  test.each(optimizers)('leaves what it names as it was and trains the rest, with %s', async (optimizer) => {
    const settings = ['stages.0', 'stages.1'].map((stage) => `${stage}.optimizer=${optimizer}`);
    const folder = await train(
      ...settings,
      'stages.1.parameterGroups=[]',
      'stages.1.freeze={ parameters: ["*embedding*"] }',
    );
    const [before, after] = [weightsAt(folder, middle(folder)), finalWeights(folder)];
    const kept = [...after.keys()].filter((name) => isDeepStrictEqual(after.get(name), before.get(name)));
    expect(kept).toEqual([...after.keys()].filter((name) => name.includes('embedding')));
  });

  test('says the frozen share of the squared norm; clipping sees the rest', async () => {
    const folder = await train('stages.0.clipNorm=0.05', 'stages.0.freeze={ parameters: ["*embedding*"] }');
    const names = ['freeze_share', 'changed_norm', 'grad_norm', 'clip_factor'] as const;
    const columns = await stepColumns(folder, names);
    for (let i = 0; i < middle(folder); i++) {
      const share = columns.freeze_share[i]!;
      expect(share).toBeGreaterThan(0);
      expect(share).toBeLessThan(1);
      expect(columns.changed_norm[i]! ** 2).toBeCloseTo((1 - share) * columns.grad_norm[i]! ** 2, 4);
      expect(columns.clip_factor[i]).toBeCloseTo(0.05 / columns.changed_norm[i]!, 4);
    }
    expect(columns.freeze_share.slice(middle(folder)).every(Number.isNaN)).toBe(true);
  });

  test('a replay of the stage learns what the run did', async () => {
    const folder = await train('stages.1.freeze={ parameters: ["*embedding*"] }');
    const { config } = loadKnownConfig(configPath(folder));
    const start = readCheckpoint(folder, middle(folder));
    let last = new Map<string, Float32Array>();
    for (const { learner } of replayStage(planRun(config, [0]), 1, start))
      last = new Map(learner.parameterValues(0).map(({ name, values }) => [name, values]));
    expect(last).toEqual(finalWeights(folder));
  });
});

describe('reset', () => {
  test('initial: the values of the start again, then trained', async () => {
    const folder = await train(
      'stages.1.reset={ parameters: ["*embedding*"] }',
      'stages.1.optimizer.learningRate=0',
      'stages.1.parameterGroups=[]',
    );
    const [first, before, after] = [
      weightsAt(folder, 0),
      weightsAt(folder, middle(folder)),
      finalWeights(folder),
    ];
    let moved = 0;
    for (const [name, values] of after) {
      expect(values, name).toEqual((name.includes('embedding') ? first : before).get(name));
      values.forEach((value, i) => (moved += (value - before.get(name)![i]!) ** 2));
    }
    const { reset_distance: distances } = await stepColumns(folder, ['reset_distance']);
    expect(distances[middle(folder)]).toBeCloseTo(Math.sqrt(moved), 10);
    expect(distances.toSpliced(middle(folder), 1).every(Number.isNaN)).toBe(true);
  });

  test('fresh: others of the same distribution', async () => {
    const folder = await train(
      'stages.1.reset={ parameters: ["*"], to: fresh }',
      'stages.1.optimizer.learningRate=0',
      'stages.1.parameterGroups=[]',
    );
    const plan = planRun(loadKnownConfig(configPath(folder)).config, [0]);
    const random = createStream(0, 'reset/stage2');
    const drawn = plan.model.parameters.map(({ name, initialise }) => [name, initialise(random)] as const);
    expect(finalWeights(folder)).toEqual(new Map(drawn));
    expect(finalWeights(folder)).not.toEqual(weightsAt(folder, 0));
  });
});

test('stopped, resumed and beside others, a run with both is the same', async () => {
  const { weights, rows, alone } = await differencesOfStops(engine, [
    'stages.0.freeze={ parameters: ["layers.0.*"] }',
    'stages.1.reset={ parameters: ["layers.0.*"] }',
    'stages.1.freeze={ parameters: ["*embedding*"] }',
  ]);
  expect({ weights, rows }).toEqual({ weights: 0, rows: 0 });
  expect(alone).toBeLessThan(1e-5);
});

test('columns are there where they are filled: a run without interventions has none of them', async () => {
  expect(await columnsOf(plain)).not.toEqual(expect.arrayContaining(['changed_norm']));
  const reset = await columnsOf(await train('stages.1.reset={ parameters: ["*"] }'));
  expect(reset).toContain('reset_distance');
  expect(reset).not.toContain('changed_norm');
  expect(await listTables(plain)).toContain('steps');
});

test('a change of weights is seen: a stage that freezes differs from one that does not', async () => {
  const folder = await train('stages.1.freeze={ parameters: ["*embedding*"] }');
  expect(weightDifference(folder, plain)).toBeGreaterThan(1e-4);
});

test.each([
  [
    'stages.0.freeze={ parameters: ["embeding.weight"] }',
    /^stages\.0\.freeze\.parameters: "embeding\.weight" matches no parameter of the model; did you mean "/,
  ],
  [
    'stages.0.freeze={ parameters: ["*"] }',
    /^stages\.0\.freeze\.parameters: the patterns match every parameter/,
  ],
  ['stages.0.reset={ parameters: ["*"] }', /^stages\.0\.reset\.to: in the first stage/],
  ['stages.1.reset={ parameters: [] }', /stages\.1\.reset\.parameters/],
])('%s is refused in one line', async (override, reason) => {
  await expect(train(override)).rejects.toThrow(reason);
});
