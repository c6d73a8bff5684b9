import * as tf from '@tensorflow/tfjs-core';
import { EVD, Matrix } from 'ml-matrix';
import { beforeAll, expect, test } from 'vitest';
import type { ExampleSet } from '../../data/experiment.js';
import { createStream } from '../../data/random/streams.js';
import { loadConfig } from '../../src/config/load.js';
import { createEpochDriftMeter } from '../../src/probe/epoch-drift.js';
import { createLandscapeMeter, landscapeDefaults } from '../../src/probe/landscape.js';
import { runSchema } from '../../src/run/config.js';
import { planRun } from '../../src/run/plan.js';
import { batchTensors, gatherExamples } from '../../src/train/batch.js';
import { gradientFunction } from '../../src/train/gradient-function.js';
import { Learner } from '../../src/train/learner.js';
import { trainingFields } from '../../src/train/models/model.js';
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
    const inputs = batchTensors(host, trainingFields(plan.model));
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
  const found = meter(values, part(set, count), createStream(0, 'landscape'), {
    ...landscapeDefaults,
    lambdaExamples: count,
  });
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
  const drifts = meter(values, set, createStream(1, 'epoch-drift'), [2e-4, 5e-5])!;
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
