import { describe, expect, test } from 'vitest';
import {
  samplers,
  samplingCaveat,
  samplingOf,
  whyNoVariancePenalty,
  type Sampler,
} from '../../../data/samplers.js';
import { batchMoments, batchNorms, populationMoments } from '../../../src/analysis/measures/batch-moments.js';
import { expectedMinibatchNorm2 } from '../../../src/analysis/measures/expected-minibatch-norm.js';
import { gramOf } from '../../../src/analysis/measures/gram.js';
import type { GradientMoments } from '../../../src/analysis/measures/gradient-variance.js';
import { hessianVector, length, shifted } from '../../../src/analysis/measures/hessian-vector.js';
import type { GradientAt } from '../../../src/analysis/measures/hessian-vector.js';
import { kappa } from '../../../src/analysis/measures/kappa.js';
import { gradientFlow, sgdSteps } from '../../../src/analysis/verify/descent.js';
import { permutationsOf, range, sequencesOf } from '../../../src/analysis/verify/enumerate.js';
import { smallLoss } from '../../../src/analysis/verify/network.js';
import { orderOfError } from '../../../src/analysis/verify/order-of-error.js';
import { present } from './support/gradients.js';

/**
 * Everything that formulas take of a sampler, against complete enumeration: every order or every sequence of draws of a
 * small training set, each with its probability. Nothing here asks `data/samplers.ts` what a sampler is.
 */

const { start, gradients } = smallLoss('4,3');
const N = gradients.length;
/** Of the stream. */
const unequal = [0.1, 0.2, 0.3, 0.4];

/** One epoch that a sampler can draw, as minibatches of rows, and how likely it is. */
interface Epoch {
  readonly probability: number;
  readonly minibatches: readonly (readonly number[])[];
}

function chunks(rows: readonly number[], batchSize: number): number[][] {
  return Array.from({ length: Math.ceil(rows.length / batchSize) }, (_, k) =>
    rows.slice(k * batchSize, (k + 1) * batchSize),
  );
}

function epochsOf(sampler: Sampler, batchSize: number): Epoch[] {
  const rows = range(N);
  if (sampler === 'shuffle' || sampler === 'shuffleOnce') {
    const orders = permutationsOf(rows);
    return orders.map((order) => ({ probability: 1 / orders.length, minibatches: chunks(order, batchSize) }));
  }
  const p = probabilitiesOf(sampler);
  return sequencesOf(rows, N).map((sequence) => ({
    probability: sequence.reduce((product, row) => product * p[row]!, 1),
    minibatches: chunks(sequence, batchSize),
  }));
}

const probabilitiesOf = (sampler: Sampler): number[] =>
  sampler === 'mixture' ? unequal : new Array<number>(N).fill(1 / N);

/** Mean gradient of rows, or of all with their probabilities. */
const meanGradient = (weights: readonly (readonly [row: number, weight: number])[]): GradientAt => {
  return (w) => {
    const sum = new Float64Array(w.length);
    for (const [row, weight] of weights) {
      gradients[row]!(w).forEach((value, q) => (sum[q]! += weight * value));
    }
    return sum;
  };
};

const ofMinibatch = (rows: readonly number[]): GradientAt =>
  meanGradient(rows.map((row) => [row, 1 / rows.length]));

function momentsOf(probabilities: readonly number[]): GradientMoments {
  const own = gradients.map((gradient) => gradient(start));
  const mean = meanGradient(probabilities.map((p, row) => [row, p]))(start);
  const deviation = (g: Float64Array): number => length(shifted(g, -1, mean)) ** 2;
  return {
    gamma: own.reduce((sum, g, row) => sum + probabilities[row]! * deviation(g), 0),
    meanNorm2: length(mean) ** 2,
  };
}

const sizes = [1, 2, 3, 4, 9];
/** Those whose minibatches are samples of the rows; of the others no formula says anything. */
const ofSamples = samplers.filter((sampler) => sampler !== 'fixed' && sampler !== 'blocks');
const cases = ofSamples.flatMap((sampler) => sizes.map((size) => [sampler, size] as const));

describe('squared norm of a whole minibatch, over everything that can be drawn', () => {
  test.each(cases)('%s, minibatches of %i', (sampler, batchSize) => {
    let expected = 0;
    for (const { probability, minibatches } of epochsOf(sampler, batchSize)) {
      expected += probability * length(ofMinibatch(minibatches[0]!)(start)) ** 2;
    }
    // A stream has no end: its minibatches are never cut to the number of rows.
    const size = sampler === 'mixture' ? Math.min(batchSize, N) : batchSize;
    const sampling = samplingOf({ sampler, batchSize: size, examples: N });
    const law = expectedMinibatchNorm2(momentsOf(probabilitiesOf(sampler)), sampling);
    expect(law / expected).toBeCloseTo(1, 12);
  });
});

describe('unbiased moments from single minibatches, over everything that can be drawn', () => {
  test.each(cases.filter(([, size]) => size > 1))('%s, minibatches of %i', (sampler, batchSize) => {
    const gram = gramOf(gradients.map((gradient) => gradient(start)));
    const size = sampler === 'mixture' ? Math.min(batchSize, N) : batchSize;
    const sampling = samplingOf({ sampler, batchSize: size, examples: N });
    let [gamma, meanNorm2] = [0, 0];
    for (const { probability, minibatches } of epochsOf(sampler, batchSize)) {
      const rows = minibatches[0]!;
      // Rows that were drawn twice: their norms count twice.
      const norm2 = length(ofMinibatch(rows)(start)) ** 2;
      const exampleNorm2 = rows.reduce((sum, row) => sum + gram.at(row, row), 0);
      const own = populationMoments(
        present(batchMoments({ size: rows.length, norm2, exampleNorm2 })),
        sampling,
      );
      gamma += probability * own.gamma;
      meanNorm2 += probability * own.meanNorm2;
    }
    const truth = momentsOf(probabilitiesOf(sampler));
    expect(gamma / truth.gamma).toBeCloseTo(1, 11);
    expect(meanNorm2 / truth.meanNorm2).toBeCloseTo(1, 11);
    expect(batchNorms(gram)).toMatchObject({ size: N });
  });
});

/** `grad Gamma = 2 sum_i p_i H_i (g_i - G)`. */
function gammaGradient(probabilities: readonly number[]): GradientAt {
  const mean = meanGradient(probabilities.map((p, row) => [row, p]));
  return (w) => {
    const centre = mean(w);
    return gradients.reduce<Float64Array>((sum, gradient, row) => {
      const along = shifted(gradient(w), -1, centre);
      return shifted(sum, 2 * probabilities[row]!, hessianVector(gradient, w, along));
    }, new Float64Array(w.length));
  };
}

describe('the mean iterate follows the flow on C + epsilon/4 |grad C|^2 + kappa Gamma to third order, and on no other', () => {
  const learningRates = [0.04, 0.02, 0.01];

  /** Error of the flow with `share` of the variance part that the declaration gives, plus `extra` Gamma. */
  const orderWith = (sampler: Sampler, batchSize: number, epochs: number, extra: number): number => {
    const probabilities = probabilitiesOf(sampler);
    const sampling = samplingOf({ sampler, batchSize, examples: N });
    const loss = meanGradient(probabilities.map((p, row) => [row, p]));
    const curvature: GradientAt = (w) => hessianVector(loss, w, loss(w));
    const drawn = epochsOf(sampler, batchSize);
    const variance = gammaGradient(probabilities);
    const errors = learningRates.map((epsilon) => {
      const flow: GradientAt = (w) =>
        shifted(
          shifted(loss(w), epsilon / 2, curvature(w)),
          kappa(epsilon, sampling) + epsilon * extra,
          variance(w),
        );
      const time = epochs * drawn[0]!.minibatches.length * epsilon;
      const end = gradientFlow(flow, start, time);
      const mean = new Float64Array(start.length);
      for (const { probability, minibatches } of drawn) {
        // Later epochs repeat the one order, as shuffleOnce does.
        const steps = range(epochs).flatMap(() => minibatches.map(ofMinibatch));
        sgdSteps(steps, start, epsilon).forEach((value, q) => (mean[q]! += probability * value));
      }
      return length(shifted(mean, -1, end));
    });
    return orderOfError(learningRates, errors);
  };

  test.each([
    ['shuffle', 1, 1],
    ['shuffle', 2, 1],
    // A last minibatch of one example: the coefficient counts minibatches.
    ['shuffle', 3, 1],
    ['shuffle', 4, 1],
    ['shuffle', 9, 1],
    ['shuffleOnce', 2, 2],
    ['withReplacement', 1, 1],
    ['withReplacement', 2, 1],
    ['mixture', 1, 1],
    ['mixture', 2, 1],
  ] as const)('%s, minibatches of %i, %i epochs', (sampler, batchSize, epochs) => {
    expect(orderWith(sampler, batchSize, epochs, 0)).toBeGreaterThan(2.7);
    // With replacement and for the full batch this is far from nothing; for the others up to twice or none of what is there.
    for (const extra of [-0.15, 0.15]) {
      expect(orderWith(sampler, batchSize, epochs, extra)).toBeLessThan(2.4);
    }
  });

  test('one order for all epochs and a smaller last minibatch: a term of second order more, which is noted', () => {
    expect(orderWith('shuffleOnce', 3, 2, 0)).toBeLessThan(2.3);
    expect(samplingCaveat(samplingOf({ sampler: 'shuffleOnce', batchSize: 3, examples: N }))).toContain(
      'last minibatch',
    );
    for (const [sampler, batchSize] of [
      ['shuffleOnce', 2],
      ['shuffleOnce', 9],
      ['shuffle', 3],
      ['withReplacement', 3],
    ] as const) {
      expect(samplingCaveat(samplingOf({ sampler, batchSize, examples: N }))).toBeNull();
    }
  });

  test('whoever has no variance part says so', () => {
    for (const sampler of samplers) {
      const sampling = samplingOf({ sampler, batchSize: 2, examples: N });
      expect(whyNoVariancePenalty(sampling) === null).toBe(kappa(1, sampling) > 0);
    }
  });

  test('minibatches that are no samples give no law, no moments and no penalty', () => {
    for (const sampler of ['fixed', 'blocks']) {
      const sampling = samplingOf({ sampler, batchSize: 2, examples: N });
      expect(expectedMinibatchNorm2({ gamma: 1, meanNorm2: 1 }, sampling)).toBeNaN();
      expect(kappa(1, sampling)).toBeNaN();
      expect(() => populationMoments({ traceSigma: 1, meanNorm2: 1 }, sampling)).toThrow(
        'no random sample of them',
      );
    }
  });
});
