import * as tf from '@tensorflow/tfjs-core';
import { EVD, Matrix } from 'ml-matrix';
import { beforeAll, expect, test } from 'vitest';
import type { ExampleSet } from '../../data/experiment.js';
import { createStream } from '../../data/random/streams.js';
import { loadConfig } from '../../src/config/load.js';
import { createEpochDriftMeter } from '../../src/probe/epoch-drift.js';
import { createLandscapeMeter, landscapeDefaults } from '../../src/probe/landscape.js';
import { createMinibatchMeter } from '../../src/probe/penalty/minibatch-norms.js';
import { populationOf, ratesOfCoordinates } from '../../src/probe/population.js';
import { runSchema } from '../../src/run/config.js';
import { planRun } from '../support/plan-run.js';
import { batchTensors, gatherExamples } from '../../src/train/batch.js';
import { gradientFunction } from '../../src/train/gradient-function.js';
import { Learner } from '../../src/train/learner.js';
import { trainingFieldNames } from '../../src/train/models/model.js';
import { useTestEngine } from '../train/support/engine.js';
import { tiny } from '../run/support.js';

beforeAll(useTestEngine);

/** A model of some 300 parameters, whose Hessian can be written down. */
const overrides = [
  ...tiny,
  'data.variables=20',
  'model.layers=1',
  'model.width=4',
  'model.heads=1',
  'model.feedForward=4',
  'model.variableEmbedding.width=2',
  // Rows of length 1: the rms norm of the table then does not bend the loss beyond all expansions.
  'model.variableEmbedding.standardDeviation=1',
];

function setUp() {
  const { config } = loadConfig('configs/set-inclusion-smoke.yaml', runSchema, overrides);
  const plan = planRun(config, [0]);
  const learner = new Learner(plan.model, 1, 'example');
  learner.initialise([createStream(3, 'initialisation')]);
  const values = learner.read();
  const set = plan.stages[0]!.sets[0]!;
  const gradient = gradientFunction(plan.model, learner.blocks, 'example');
  const sizes = values.map((value) => value.shape[1]!);
  const size = sizes.reduce((sum, own) => sum + own, 0);
  const start = values.flatMap((value) => Array.from(value.dataSync()));
  /** Mean gradient of rows at parameters, by the plain path: one replica, one batch. */
  const gradientAt = (parameters: readonly number[], rows: ArrayLike<number>): Float64Array => {
    let offset = 0;
    const blocks = sizes.map((own) => {
      const block = tf.tensor2d([parameters.slice(offset, offset + own)]);
      offset += own;
      return block;
    });
    const host = gatherExamples([set], [rows], () => createStream(0, 'unused'));
    const inputs = batchTensors(host, trainingFieldNames(plan.model));
    const result = gradient(blocks, inputs, 1);
    const flat = Float64Array.from(result.blocks.flatMap((block) => Array.from(block.dataSync())));
    result.dispose();
    tf.dispose([blocks, inputs]);
    return flat;
  };
  return { plan, learner, values, set, size, start, gradientAt };
}

const dot = (a: ArrayLike<number>, b: ArrayLike<number>): number => {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!;
  return sum;
};

const shifted = (a: readonly number[], scale: number, b: ArrayLike<number>): number[] =>
  a.map((value, p) => value + scale * b[p]!);

/** The first rows of a set. */
const firstRows = (count: number): Int32Array => Int32Array.from({ length: count }, (_, i) => i);

/** The first rows of a set as a set. */
function part(set: ExampleSet, count: number): ExampleSet {
  return { ...set, size: count, group: set.group.slice(0, count), variable: set.variable.slice(0, count) };
}

test('variance, its gradient and the largest eigenvalue agree with gradients of single examples and a written-out Hessian', () => {
  const { plan, learner, values, set, size, start, gradientAt } = setUp();
  const count = 70;
  const meter = createLandscapeMeter(plan.model, learner.blocks);
  const population = populationOf(part(set, count), 'shuffle', 0);
  const equal = new Float64Array(size).fill(0.25);
  const found = meter(values, population, createStream(0, 'landscape'), equal, {
    ...landscapeDefaults,
    lambdaExamples: count,
  });
  expect(found.rated.gamma).toBeCloseTo(0.25 * found.gamma, 12);
  const gammaAt = (parameters: readonly number[]): number => {
    const mean = gradientAt(parameters, firstRows(count));
    let sum = 0;
    for (let i = 0; i < count; i++) {
      const own = gradientAt(parameters, [i]);
      sum += dot(own, own);
    }
    return sum / count - dot(mean, mean);
  };
  const gamma = gammaAt(start);
  expect(found.examples).toBe(count);
  expect(found.gamma / gamma).toBeCloseTo(1, 3);
  const mean = gradientAt(start, firstRows(count));
  expect(found.lossGradientNorm / Math.sqrt(dot(mean, mean))).toBeCloseTo(1, 4);

  // The slope of Gamma along grad C is |grad Gamma| times their cosine.
  const along = Array.from(mean, (value) => value / Math.sqrt(dot(mean, mean)));
  const r = 1e-4;
  const slope = (gammaAt(shifted(start, r, along)) - gammaAt(shifted(start, -r, along))) / (2 * r);
  const own = found.varianceGradientNorm * found.varianceLossCosine!;
  expect(own / slope).toBeGreaterThan(0.98);
  expect(own / slope).toBeLessThan(1.02);

  const step = 1e-3;
  const hessian = new Matrix(
    Array.from({ length: size }, (_, p) => {
      const unit = Array.from({ length: size }, (_, q) => (q === p ? 1 : 0));
      const ahead = gradientAt(shifted(start, step, unit), firstRows(count));
      const behind = gradientAt(shifted(start, -step, unit), firstRows(count));
      return Array.from(ahead, (value, q) => (value - behind[q]!) / (2 * step));
    }),
  );
  const symmetric = Matrix.add(hessian, hessian.transpose()).mul(0.5);
  const eigenvalues = new EVD(symmetric, { assumeSymmetric: true }).realEigenvalues;
  const largest = eigenvalues.reduce((best, own) => (Math.abs(own) > Math.abs(best) ? own : best), 0);
  expect(found.lambdaMax / largest).toBeGreaterThan(0.97);
  expect(found.lambdaMax / largest).toBeLessThan(1.01);
  meter.dispose();
}, 120_000);

test('an epoch that shuffles ends beyond one with replacement by what the variance penalty predicts', () => {
  const { plan, learner, values, set } = setUp();
  const meter = createEpochDriftMeter(plan.model, learner.blocks);
  const before = tf.memory().numTensors;
  const drifts = meter(
    values,
    populationOf(set, 'shuffle', 0),
    createStream(1, 'epoch-drift'),
    [2e-4, 5e-5],
  )!;
  expect(tf.memory().numTensors).toBe(before);
  const [large, small] = drifts;
  // Both sides are of second order, what is between them of third.
  expect(large!.predictedNorm / small!.predictedNorm).toBeCloseTo(16, 1);
  expect(Math.abs(small!.projection! - 1)).toBeLessThan(0.06);
  const shrinks = Math.abs(large!.projection! - 1) / Math.abs(small!.projection! - 1);
  expect(shrinks).toBeGreaterThan(2.5);
  expect(shrinks).toBeLessThan(6);
  meter.dispose();
});

test('rows that are drawn with unequal probabilities weigh so, and rates of single parameters count', () => {
  const { plan, learner, values, set, size, start, gradientAt } = setUp();
  const count = 6;
  const weights = Float64Array.from({ length: count }, (_, row) => (row % 3) + (row < 3 ? 1 : 0));
  const total = weights.reduce((sum, own) => sum + own, 0);
  const population = populationOf({ ...part(set, count), probability: weights }, 'mixture', 0);
  const rateOf = (name: string): number => (name === 'variable_embedding.weight' ? 0.3 : 0.02);
  const rates = ratesOfCoordinates(learner.blocks, rateOf);
  expect(rates).toHaveLength(size);
  expect(new Set(rates)).toEqual(new Set([0.3, 0.02]));

  /** Mean of the loss gradient and `sum_p scale_p Gamma_p` with the probabilities of the rows. */
  const at = (parameters: readonly number[], scale: ArrayLike<number>) => {
    const own = Array.from({ length: count }, (_, row) => gradientAt(parameters, [row]));
    const mean = new Float64Array(size);
    own.forEach((g, row) => g.forEach((value, p) => (mean[p]! += (weights[row]! / total) * value)));
    let gamma = 0;
    own.forEach((g, row) =>
      g.forEach((value, p) => (gamma += (weights[row]! / total) * scale[p]! * (value - mean[p]!) ** 2)),
    );
    const ratios = Array.from(mean).flatMap((value, p) => {
      const second = own.reduce((sum, g, row) => sum + (weights[row]! / total) * g[p]! ** 2, 0);
      const variance = second - value ** 2;
      return variance > 1e-6 * second ? [value ** 2 / variance] : [];
    });
    return { mean, gamma, gsnr: ratios.reduce((sum, ratio) => sum + ratio, 0) / ratios.length };
  };
  const ones = new Float64Array(size).fill(1);
  const plain = at(start, ones);
  const meter = createLandscapeMeter(plan.model, learner.blocks);
  const found = meter(values, population, createStream(0, 'landscape'), rates, {
    ...landscapeDefaults,
    lambdaExamples: 64,
  });
  expect(found.gamma / plain.gamma).toBeCloseTo(1, 3);
  // Coordinates that hardly vary have the largest ratios, and the most rounding in them: 3 % on the native engine.
  expect(Math.abs(found.gsnr! / plain.gsnr - 1)).toBeLessThan(0.05);
  expect(found.lossGradientNorm / Math.sqrt(dot(plain.mean, plain.mean))).toBeCloseTo(1, 3);
  expect(found.rated.gamma / at(start, rates).gamma).toBeCloseTo(1, 3);
  const scaled = plain.mean.map((value, p) => rates[p]! * value);
  expect(found.rated.lossGradientNorm / Math.sqrt(dot(scaled, plain.mean))).toBeCloseTo(1, 3);

  // The norm of a gradient from its slopes along every coordinate, in the coordinates theta / sqrt(rate).
  const r = 3e-4;
  let slope2 = 0;
  for (let p = 0; p < size; p++) {
    const unit = Array.from({ length: size }, (_, q) => (q === p ? 1 : 0));
    const slope =
      (at(shifted(start, r, unit), rates).gamma - at(shifted(start, -r, unit), rates).gamma) / (2 * r);
    slope2 += rates[p]! * slope * slope;
  }
  expect(found.rated.varianceGradientNorm / Math.sqrt(slope2)).toBeGreaterThan(0.98);
  expect(found.rated.varianceGradientNorm / Math.sqrt(slope2)).toBeLessThan(1.02);
  // Between the largest rate and the smallest, the curvature in these coordinates lies between the two products.
  const [ratedLambda, lambda] = [found.rated.lambdaMax, found.lambdaMax].map(Math.abs);
  expect(ratedLambda).toBeLessThan(0.3 * lambda! * 1.05);
  expect(ratedLambda).toBeGreaterThan(0.02 * lambda! * 0.95);
  meter.dispose();

  const norms = createMinibatchMeter(plan.model, learner.blocks);
  const full = norms.full(values, population, rates);
  expect(full.norm2 / dot(plain.mean, plain.mean)).toBeCloseTo(1, 4);
  expect(full.ratedNorm2 / dot(scaled, plain.mean)).toBeCloseTo(1, 4);
  norms.dispose();
}, 120_000);

test('norms of minibatches are those of the minibatches that are drawn, from gradients of single examples', () => {
  const { plan, learner, values, set, size, gradientAt, start } = setUp();
  // Two rounds of minibatches that are added up before they come to the host, some that are not, and a rest.
  const count = 8 * (2 * 8 + 7) + 1;
  const small = part(set, count);
  const own = Array.from({ length: count }, (_, row) => gradientAt(start, [row]));
  const rates = ratesOfCoordinates(learner.blocks, (name) =>
    name === 'variable_embedding.weight' ? 0.3 : 0.02,
  );
  const meter = createMinibatchMeter(plan.model, learner.blocks, 8);
  for (const [kind, population] of [
    ['shuffle', populationOf(small, 'shuffle', 0)],
    ['withReplacement', populationOf(small, 'withReplacement', 0)],
    [
      'withReplacement',
      populationOf(
        { ...small, probability: Float64Array.from({ length: count }, (_, row) => 1 + (row % 5)) },
        'mixture',
        0,
      ),
    ],
  ] as const) {
    const found = meter(values, population, kind, createStream(4, 'draw'), rates);
    const random = createStream(4, 'draw');
    const rows =
      kind === 'shuffle'
        ? random.permutation(count)
        : Int32Array.from({ length: count }, () => population.draw(random));
    expect(found.map(({ batchSize, minibatches }) => [batchSize, minibatches])).toEqual([
      [8, 23],
      [16, 11],
      [32, 5],
      [64, 2],
      [128, 1],
      [count, 1],
    ]);
    for (const { batchSize, minibatches, norm2, ratedNorm2 } of found) {
      let [expected, expectedRated] = [0, 0];
      for (let k = 0; k < minibatches; k++) {
        const mean = new Float64Array(size);
        for (const row of rows.subarray(k * batchSize, (k + 1) * batchSize)) {
          own[row]!.forEach((value, p) => (mean[p]! += value / batchSize));
        }
        expected += dot(mean, mean) / minibatches;
        expectedRated +=
          dot(
            mean.map((value, p) => value * rates[p]!),
            mean,
          ) / minibatches;
      }
      expect(norm2 / expected).toBeCloseTo(1, 4);
      expect(ratedNorm2 / expectedRated).toBeCloseTo(1, 4);
    }
  }
  meter.dispose();
});
