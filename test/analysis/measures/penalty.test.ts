import { describe, expect, test } from 'vitest';
import { samplingOf } from '../../../data/samplers.js';
import { dose } from '../../../src/analysis/measures/dose.js';
import { expectedMinibatchNorm2 } from '../../../src/analysis/measures/expected-minibatch-norm.js';
import { forceRatio } from '../../../src/analysis/measures/force-ratio.js';
import { dot } from '../../../src/analysis/measures/gram.js';
import type { GradientAt } from '../../../src/analysis/measures/hessian-vector.js';
import { hessianVector } from '../../../src/analysis/measures/hessian-vector.js';
import { kappa } from '../../../src/analysis/measures/kappa.js';
import { smithRegulariser } from '../../../src/analysis/measures/smith-regulariser.js';
import { varianceGradient } from '../../../src/analysis/measures/variance-gradient.js';

const moments = { gamma: 3, meanNorm2: 0.5 };
const rated = (learningRate: number) => [{ ...moments, learningRate }];
const shuffle = (batchSize: number, examples: number) =>
  samplingOf({ sampler: 'shuffle', batchSize, examples });

describe("Smith's regulariser", () => {
  test('is epsilon/4 times the expected squared norm of a minibatch where B divides N', () => {
    const { norm, variance } = smithRegulariser(rated(0.2), shuffle(4, 16));
    expect(norm + variance).toBeCloseTo(0.05 * expectedMinibatchNorm2(moments, shuffle(4, 16)), 15);
    expect(variance).toBeCloseTo(kappa(0.2, shuffle(4, 16)) * 3, 15);
  });

  test('has no variance part for the full batch, nor for independent draws', () => {
    for (const size of [16, 17, 1000]) {
      expect(smithRegulariser(rated(0.2), shuffle(size, 16))).toEqual({ norm: 0.025, variance: 0 });
    }
    expect(smithRegulariser(rated(0.2), shuffle(1, 1)).variance).toBe(0);
    for (const sampler of ['withReplacement', 'mixture']) {
      const sampling = samplingOf({ sampler, batchSize: 4, examples: 16 });
      expect(smithRegulariser(rated(0.2), sampling)).toEqual({ norm: 0.025, variance: 0 });
    }
  });

  test('adds up over parameters with rates of their own', () => {
    const parts = [
      { gamma: 2, meanNorm2: 0.1, learningRate: 0.2 },
      { gamma: 1, meanNorm2: 0.4, learningRate: 0.05 },
    ];
    const whole = smithRegulariser(parts, shuffle(4, 16));
    const single = parts.map((own) => smithRegulariser([own], shuffle(4, 16)));
    expect(whole.norm).toBeCloseTo(single[0]!.norm + single[1]!.norm, 15);
    expect(whole.variance).toBeCloseTo(single[0]!.variance + single[1]!.variance, 15);
    const equal = parts.map((own) => ({ ...own, learningRate: 0.2 }));
    expect(smithRegulariser(equal, shuffle(4, 16)).variance).toBeCloseTo(
      smithRegulariser(rated(0.2), shuffle(4, 16)).variance,
      15,
    );
  });

  test('goes as epsilon / B while B is far below N', () => {
    expect(kappa(0.2, shuffle(10, 1e9)) / kappa(0.1, shuffle(20, 1e9))).toBeCloseTo(4, 6);
  });
});

describe('dose', () => {
  const one = (learningRates: number[], gammas: (number | null)[]) => [{ learningRates, gammas }];

  test('adds up epsilon kappa Gamma; the last variance measured stands in', () => {
    const rates = [0.1, 0.2, 0.2];
    const sampling = shuffle(2, 8);
    const direct = 0.1 * kappa(0.1, sampling) * 5 + 0.2 * kappa(0.2, sampling) * (5 + 7);
    expect(dose(one(rates, [5, 5, 7]), sampling)).toBeCloseTo(direct, 15);
    expect(dose(one(rates, [5, null, 7]), sampling)).toBeCloseTo(direct, 15);
    expect(dose(one(rates, [null, 5, 7]), sampling)).toBeCloseTo(direct, 15);
    expect(dose(one(rates, [1, 1, 1]), shuffle(8, 8))).toBe(0);
    expect(dose([...one(rates, [5, 5, 7]), ...one([0.3, 0, 0], [2, 2, 2])], sampling)).toBeCloseTo(
      direct + 0.3 * kappa(0.3, sampling) * 2,
      15,
    );
  });

  test('is absent without a variance or a variance part, and never NaN', () => {
    expect(dose(one([0.1], [null]), shuffle(2, 8))).toBe('the gradient variance was never measured');
    expect(dose(one([], []), shuffle(2, 8))).toBe(0);
    expect(dose(one([0.1], [NaN]), shuffle(2, 8))).toBe('it comes out as NaN');
    expect(dose(one([0.1], [1]), samplingOf({ sampler: 'mixture', batchSize: 2, examples: 8 }))).toContain(
      'no variance part',
    );
    expect(() => dose(one([0.1], []), shuffle(2, 8))).toThrow('differ in length');
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
  expect(() => dot([1], [1, 2])).toThrow('vectors of 1 and 2 numbers');
});
