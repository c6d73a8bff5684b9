import { describe, expect, test } from 'vitest';
import { blockForces } from '../../../src/analysis/measures/block-force.js';
import { dose, trainingTime } from '../../../src/analysis/measures/dose.js';
import { expectedMinibatchNorm2 } from '../../../src/analysis/measures/expected-minibatch-norm.js';
import { forceRatio } from '../../../src/analysis/measures/force-ratio.js';
import { dot } from '../../../src/analysis/measures/gram.js';
import type { GradientAt } from '../../../src/analysis/measures/hessian-vector.js';
import { hessianVector } from '../../../src/analysis/measures/hessian-vector.js';
import { kappa, populationCorrection } from '../../../src/analysis/measures/kappa.js';
import {
  regulariserOfPartition,
  regulariserWithReplacement,
  smithRegulariser,
} from '../../../src/analysis/measures/smith-regulariser.js';
import { varianceGradient } from '../../../src/analysis/measures/variance-gradient.js';
import { present } from './support/gradients.js';

const moments = { gamma: 3, meanNorm2: 0.5 };
const setting = { learningRate: 0.2, batchSize: 4, population: 16 };

describe("Smith's regulariser", () => {
  test('is epsilon/4 times the expected squared norm of a minibatch', () => {
    const { norm, variance } = smithRegulariser(moments, setting);
    expect(norm + variance).toBeCloseTo(0.05 * expectedMinibatchNorm2(moments, 4, 16), 15);
    expect(variance).toBeCloseTo(kappa(0.2, 4, 16) * 3, 15);
  });

  test('has no variance part for the full batch, nor with replacement', () => {
    expect(smithRegulariser(moments, { ...setting, batchSize: 16 })).toEqual({ norm: 0.025, variance: 0 });
    expect(smithRegulariser(moments, { learningRate: 0.2, batchSize: 1, population: 1 }).variance).toBe(0);
    expect(regulariserWithReplacement(moments, 0.2)).toEqual({ norm: 0.025, variance: 0 });
  });

  test('of a fixed partition is that of its own batches', () => {
    const own = present(regulariserOfPartition([1, 2, 3], 0.5, 0.2));
    expect(own.norm + own.variance).toBeCloseTo(0.05 * 2, 15);
    expect(regulariserOfPartition([], 0.5, 0.2)).toBe('there are no batches');
    expect(regulariserOfPartition([NaN], 0.5, 0.2)).toBe('a norm is not finite');
  });

  test('goes as epsilon / B while B is far below N', () => {
    expect(kappa(0.2, 10, 1e9) / kappa(0.1, 20, 1e9)).toBeCloseTo(4, 6);
    expect(populationCorrection(1, 7)).toBe(1);
    expect(() => kappa(0.1, 9, 8)).toThrow('population is no integer of at least 9: 8');
    expect(() => kappa(0.1, 0, 8)).toThrow(RangeError);
  });
});

describe('dose', () => {
  test('adds up epsilon kappa Gamma; the last variance measured stands in', () => {
    const rates = [0.1, 0.2, 0.2];
    const direct = 0.1 * kappa(0.1, 2, 8) * 5 + 0.2 * kappa(0.2, 2, 8) * (5 + 7);
    expect(dose(rates, [5, 5, 7], 2, 8)).toBeCloseTo(direct, 15);
    expect(dose(rates, [5, null, 7], 2, 8)).toBeCloseTo(direct, 15);
    expect(dose(rates, [null, 5, 7], 2, 8)).toBeCloseTo(direct, 15);
    expect(dose(rates, [1, 1, 1], 8, 8)).toBe(0);
    expect(trainingTime(rates)).toBeCloseTo(0.5, 15);
  });

  test('is absent without a variance, and never NaN', () => {
    expect(dose([0.1], [null], 2, 8)).toBe('the gradient variance was never measured');
    expect(dose([], [], 2, 8)).toBe(0);
    expect(dose([0.1], [NaN], 2, 8)).toBe('it comes out as NaN');
    expect(trainingTime([Infinity, -Infinity])).toBe('it comes out as NaN');
    expect(() => dose([0.1], [], 2, 8)).toThrow('differ in length');
  });
});

describe('on quadratic losses C_i = 1/2 a_i |w - m_i|^2 everything is known', () => {
  const curvatures = [1, 3, 2];
  const centres = [
    [0, 1],
    [2, -1],
    [1, 1],
  ];
  const gradients = curvatures.map(
    (a, i): GradientAt =>
      (w) =>
        w.map((value, p) => a * (value - centres[i]![p]!)),
  );
  const w = Float64Array.of(0.3, -0.7);

  test('the Hessian times a vector', () => {
    expect(hessianVector(gradients[1]!, w, Float64Array.of(2, -5))[1]).toBeCloseTo(-15, 8);
    expect(hessianVector(gradients[1]!, w, Float64Array.of(0, 0))).toEqual(Float64Array.of(0, 0));
  });

  test('the gradient of the variance is 2 mean a_i (g_i - G)', () => {
    const own = gradients.map((gradient) => gradient(w));
    const mean = w.map((_, p) => own.reduce((sum, g) => sum + g[p]! / 3, 0));
    const exact = w.map((_, p) =>
      own.reduce((sum, g, i) => sum + (2 / 3) * curvatures[i]! * (g[p]! - mean[p]!), 0),
    );
    const found = varianceGradient(gradients, w);
    expect(found[0]).toBeCloseTo(exact[0]!, 8);
    expect(found[1]).toBeCloseTo(exact[1]!, 8);
  });
});

test('force ratio and block forces', () => {
  expect(forceRatio(-0.01, { varianceGradient: 4, lossGradient: 2 })).toBeCloseTo(0.02, 15);
  expect(forceRatio(0.01, { varianceGradient: 4, lossGradient: 0 })).toBe('the loss has no gradient');
  expect(forceRatio(0.01, { varianceGradient: NaN, lossGradient: 1 })).toBe('it comes out as NaN');
  const forces = blockForces({ withLoss: 2, withNorm: -4, withVariance: 10 }, 0.1, 0.03);
  expect(forces).toEqual({
    task: -2,
    norm: expect.closeTo(0.1, 15),
    alignment: expect.closeTo(-0.3, 15),
    total: expect.closeTo(-2.2, 15),
  });
  expect(() => dot([1], [1, 2])).toThrow('vectors of 1 and 2 numbers');
});
