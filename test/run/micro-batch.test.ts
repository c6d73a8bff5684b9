import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, test } from 'vitest';
import { createStream } from '../../data/random/streams.js';
import { loadConfig } from '../../src/config/load.js';
import { runSchema, type RunConfig } from '../../src/run/config.js';
import { learningRates } from '../../src/run/learning-rates.js';
import { groupSizes, minibatchOf } from '../../src/run/minibatch.js';
import { checkedCost } from '../../src/run/plan.js';
import { planRun } from '../support/plan-run.js';
import { settingsWithLittleEffect } from '../../src/run/without-effect.js';
import { readRunInfo } from '../../src/store/run-folder.js';
import type { Engine } from '../../src/train/engine/load.js';
import type { MinibatchGradient } from '../../src/train/gradient-function.js';
import { Learner } from '../../src/train/learner.js';
import { useTestEngine } from '../train/support/engine.js';
import { finalWeights, resumeTiny, temporaryFolder, tiny, trainTiny } from './support.js';

let engine: Engine;

beforeAll(async () => {
  engine = await useTestEngine();
});

const small = [
  'model.layers=1',
  'log.tier=norms',
  'data.variables=12',
  'stages.0.epochs=3',
  'stages.1.epochs=3',
];

function load(overrides: readonly string[]): RunConfig {
  return loadConfig('configs/set-inclusion-smoke.yaml', runSchema, [...tiny, ...small, ...overrides]).config;
}

/** Relative distance of two lists of numbers, in float64. */
function distance(a: Float32Array, b: Float32Array): number {
  const [difference, size] = a.reduce(
    ([d, s], value, i) => [d + (value - b[i]!) ** 2, s + value ** 2] as [number, number],
    [0, 0] as [number, number],
  );
  return Math.sqrt(difference / size);
}

describe('the gradient of a minibatch from micro-batches', () => {
  // Rows of different lengths, so that examples have different numbers of targets.
  test.each([
    { normalisation: 'example', size: 8 },
    { normalisation: 'token', size: 8 },
    { normalisation: 'token', size: 1 },
  ])('is that of the undivided one: weights by $normalisation, $size at once', ({ normalisation, size }) => {
    const config = load(['loss.target=text', `loss.normalisation=${normalisation}`, 'stages.0.batchSize=37']);
    const plan = planRun(config, [0, 1]);
    const stage = plan.stages[0]!;
    const learner = new Learner(plan.model, 2, config.loss.normalisation);
    learner.initialise([createStream(0, 'initialisation'), createStream(1, 'initialisation')]);
    learner.beginStage({ optimizer: stage.config.optimizer, learningRate: learningRates(stage.config) });
    const rows = stage.sets.map((_, replica) =>
      Int32Array.from({ length: 37 }, (_unused, i) => 2 * i + replica),
    );
    const sizes = groupSizes(stage, plan.data[0]!.groups.length);
    const { inputs } = minibatchOf(plan, stage, sizes, rows, 1);
    const targets = tf.tidy(() => Array.from(tf.sum(inputs['weights']!, 2).dataSync()));
    if (normalisation === 'token') expect(new Set(targets).size).toBeGreaterThan(1);
    const before = tf.memory().numTensors;
    const gradients: MinibatchGradient[] = [
      learner.gradient(inputs, 1),
      learner.gradient(inputs, 1, null, size),
    ];
    const [whole, accumulated] = gradients.map(({ losses, exampleWeights, norm2, blocks }) =>
      [losses, exampleWeights, norm2, ...blocks].map((tensor) => tensor.dataSync<'float32'>()),
    );
    whole!.forEach((values, i) => expect(distance(values, accumulated![i]!)).toBeLessThan(1e-6));
    for (const own of gradients) own.dispose();
    expect(tf.memory().numTensors).toBe(before);
    // A last micro-batch that is left out is seen.
    const fewer = rows.map((own) => own.subarray(0, 36));
    const { inputs: without } = minibatchOf(plan, stage, sizes, fewer, 1);
    const other = learner.gradient(without, 1, null, size);
    expect(distance(whole![3]!, other.blocks[0]!.dataSync<'float32'>())).toBeGreaterThan(1e-3);
    other.dispose();
    tf.dispose([inputs, without]);
    learner.dispose();
  });
});

describe('a run of full batches', () => {
  // Adam makes much of gradients that are rounding.
  const full = [0, 1].flatMap((stage) => [
    `stages.${stage}.batchSize=full`,
    `stages.${stage}.optimizer={ kind: sgd, learningRate: 0.1 }`,
  ]);
  const divided = [...full, 'stages.0.microBatch=50', 'stages.1.microBatch=7'];

  test('takes one update an epoch of all rows, and micro-batches change its weights by rounding alone', async () => {
    const whole = await trainTiny({
      root: temporaryFolder(),
      engine,
      seeds: [0, 3],
      overrides: [...small, ...full],
    });
    const accumulated = await trainTiny({
      root: temporaryFolder(),
      engine,
      seeds: [0, 3],
      overrides: [...small, ...divided],
    });
    whole.folders.forEach((folder, replica) => {
      for (const { stepsPerEpoch, batchSize, effectiveBatchSize, examples, steps } of readRunInfo(folder)
        .stages) {
        expect([stepsPerEpoch, batchSize, effectiveBatchSize, steps]).toEqual([1, examples, examples, 3]);
      }
      const expected = finalWeights(folder);
      for (const [name, values] of finalWeights(accumulated.folders[replica]!))
        values.forEach((value, i) =>
          expect(Math.abs(value - expected.get(name)![i]!), name).toBeLessThan(1e-6),
        );
    });
  });

  test('stopped between updates of micro-batches, goes on to the same weights, bit for bit', async () => {
    const overrides = [...small, ...divided];
    const uninterrupted = await trainTiny({ root: temporaryFolder(), engine, overrides });
    const options = { root: temporaryFolder(), engine, overrides };
    const stopped = await trainTiny({
      ...options,
      onProgress: ({ step }, abort) => {
        if (step === 2) abort();
      },
    });
    expect(stopped.end).toBe('interrupted');
    const [folder] = stopped.folders;
    expect((await resumeTiny(folder!, options)).end).toBe('complete');
    expect(finalWeights(folder!)).toEqual(finalWeights(uninterrupted.folders[0]!));
  });
});

describe('the config', () => {
  test('counts the memory of what goes through the model at once', () => {
    const [whole, divided] = [
      [],
      ['stages.0.microBatch=4', 'stages.1.microBatch=4', 'evaluation.batchSize=4'],
    ].map((own) => checkedCost(load(['stages.0.batchSize=full', 'evaluation.batchSize=1', ...own])));
    expect(whole!.stages[0]).toMatchObject({
      batchSize: whole!.stages[0]!.rows,
      atOnce: whole!.stages[0]!.rows,
    });
    expect(divided!.stages[0]).toMatchObject({ batchSize: whole!.stages[0]!.rows, atOnce: 4 });
    expect(divided!.activationBytes * whole!.stages[0]!.rows).toBeCloseTo(whole!.activationBytes * 4, 0);
  });

  test('refuses what cannot be, one line each', () => {
    expect(() => load(['log.tier=groups', 'stages.1.microBatch=4'])).toThrow(
      /stages\.1\.microBatch: log\.tier groups .* set log\.tier to norms or off/,
    );
    expect(() => load(['stages.0.batchSize=full', 'stages.0.sampler=withReplacement'])).toThrow(
      /stages\.0\.batchSize: the sampler withReplacement draws every example by itself/,
    );
    expect(() => load(['stages.0.batchSize=all'])).toThrow(/batchSize/);
  });

  test('says when nothing is accumulated', () => {
    const config = load(['stages.0.microBatch=64']);
    expect(settingsWithLittleEffect(config, checkedCost(config)).join('\n')).toContain(
      'nothing is accumulated',
    );
  });
});
