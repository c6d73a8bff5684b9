import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { samplingOf } from '../../../data/samplers.js';
import { batchMoments, batchNorms, populationMoments } from '../../../src/analysis/measures/batch-moments.js';
import { centredCosines, centredMatched } from '../../../src/analysis/measures/centred.js';
import { conflictRate } from '../../../src/analysis/measures/conflict-rate.js';
import { confusion } from '../../../src/analysis/measures/confusion.js';
import { coordinateMoments, coordinateMomentsOf } from '../../../src/analysis/measures/coordinate-moments.js';
import { cosineOfMeans } from '../../../src/analysis/measures/cosine-of-means.js';
import { cosinesToMean, meanCosineToMean } from '../../../src/analysis/measures/cosine-to-mean.js';
import { cosine, meanCosine } from '../../../src/analysis/measures/cosine.js';
import { diversity } from '../../../src/analysis/measures/diversity.js';
import { evidenceBasedCriterion } from '../../../src/analysis/measures/evidence-based-criterion.js';
import { gradientSnr } from '../../../data/gradient-snr.js';
import { gradientVariance } from '../../../src/analysis/measures/gradient-variance.js';
import type { Gram } from '../../../src/analysis/measures/gram.js';
import { everyExample, gramMatrix, gramOf } from '../../../src/analysis/measures/gram.js';
import { innerProductTest } from '../../../src/analysis/measures/inner-product-test.js';
import { meanInnerProduct } from '../../../src/analysis/measures/inner-product.js';
import { layerShares } from '../../../src/analysis/measures/layer-share.js';
import { noiseScale } from '../../../src/analysis/measures/noise-scale.js';
import { normTest } from '../../../src/analysis/measures/norm-test.js';
import { preconditionedCosine } from '../../../src/analysis/measures/preconditioned-cosine.js';
import { signAgreement } from '../../../src/analysis/measures/sign-agreement.js';
import { stiffness } from '../../../src/analysis/measures/stiffness.js';
import { twoBatchSizes } from '../../../src/analysis/measures/two-batch-sizes.js';
import { unbiasedCosineOfMeans } from '../../../src/analysis/measures/unbiased-cosine-of-means.js';
import { present } from './support/gradients.js';

/** Every measure of a Gram matrix, of halves of it where it wants two groups. */
const measures: Readonly<Record<string, (gram: Gram) => unknown>> = {
  'mean inner product': (gram) => meanInnerProduct(gram, ...halves(gram)),
  'mean cosine': (gram) => meanCosine(gram, ...halves(gram)),
  'cosine of means': (gram) => cosineOfMeans(gram, ...halves(gram)),
  'unbiased cosine of means': (gram) => unbiasedCosineOfMeans(gram, ...halves(gram)),
  'centred cosines': (gram) => centredCosines(gram, ...halves(gram)),
  stiffness: (gram) => stiffness(gram, ...halves(gram)),
  'conflict rate': (gram) => conflictRate(gram, ...halves(gram)),
  confusion: (gram) => confusion(gram),
  diversity: (gram) => diversity(gram),
  'cosines to the mean': (gram) => cosinesToMean(gram),
  'gradient variance': (gram) => gradientVariance(gram),
  'batch norms': (gram) => batchNorms(gram),
  'norm test': (gram) => {
    const norms = batchNorms(gram);
    return typeof norms === 'string' ? norms : normTest(norms);
  },
  'inner-product test': (gram) => innerProductTest(gram),
};

function halves(gram: Gram): [number[], number[]] {
  const all = [...everyExample(gram)];
  return [all.slice(0, all.length >> 1), all.slice(all.length >> 1)];
}

/** All numbers of a result, however nested. */
function numbersOf(result: unknown): number[] {
  if (typeof result === 'number') return [result];
  if (ArrayBuffer.isView(result)) return Array.from(result as Float64Array);
  return typeof result === 'object' && result !== null ? Object.values(result).flatMap(numbersOf) : [];
}

describe.each(Object.entries(measures))('%s', (_name, measure) => {
  test('gives finite numbers or a reason, whatever the gradients', () => {
    const coordinate = fc.oneof(fc.constantFrom(0, 0, 1, -1, 1e-160, 1e160), fc.double());
    const vectors = fc.array(fc.array(coordinate, { minLength: 3, maxLength: 3 }), { maxLength: 6 });
    fc.assert(
      fc.property(vectors, (own) => {
        const result = measure(gramOf(own));
        if (typeof result === 'string') expect(result).toMatch(/[^.]$/);
        else expect(numbersOf(result).filter((value) => !Number.isFinite(value))).toEqual([]);
      }),
      { numRuns: 300 },
    );
  });

  test('has a reason for no example and for one that is not finite', () => {
    expect(measure(gramMatrix([], 0))).toBeTypeOf('string');
    expect(measure(gramMatrix(new Float64Array(16).fill(NaN), 4))).toBeTypeOf('string');
  });
});

const zero = gramOf([
  [1, 2],
  [0, 0],
  [3, 1],
]);
const cancelling = gramOf([
  [1, 2],
  [-1, -2],
]);

test('reasons say what is wrong', () => {
  expect(cosine(zero, 0, 1)).toBe('example 1 has no gradient');
  expect(meanInnerProduct(zero, [0], [0])).toBe('there is no pair of different examples');
  expect(meanInnerProduct(zero, [0], [1], { exclude: () => true })).toMatch(/no pair/);
  expect(diversity(cancelling)).toBe('the gradients cancel');
  expect(normTest(present(batchNorms(cancelling)))).toBe('the gradients cancel');
  expect(cosineOfMeans(cancelling, [0, 1], [0, 1])).toBe('the gradients of a group cancel');
  expect(unbiasedCosineOfMeans(cancelling, [0, 1], [0, 1])).toMatch(/not above its noise/);
  expect(unbiasedCosineOfMeans(zero, [0], [2])).toBe('there is no pair of different examples');
  expect(meanCosineToMean(zero, [0])).toBe('fewer than 2 examples');
  expect(cosinesToMean(gramOf([[2], [1], [-1]]))).toBe("the gradients other than example 0's cancel");
  expect(centredCosines(zero, [0], [2])).toBe("example 0 is its group's mean");
  expect(gradientVariance(zero, [])).toBe('the group is empty');
  expect(layerShares([zero, zero], 0, 1)).toBe('the inner product is 0 in every layer');
  expect(noiseScale([])).toBe('there are no values');
  expect(noiseScale([{ gamma: 1, meanNorm2: -0.1 }])).toBe('the full gradient is not above its noise');
  expect(batchMoments({ size: 1, norm2: 1, exampleNorm2: 1 })).toMatch(/one example/);
  expect(batchMoments({ size: 2, norm2: NaN, exampleNorm2: 1 })).toBe('a norm is not finite');
  expect(twoBatchSizes({ size: 1, norm2: Infinity }, { size: 2, norm2: 1 })).toBe('a norm is not finite');
  expect(signAgreement([0, 1], [1, 0])).toMatch(/no coordinate/);
  expect(signAgreement([NaN], [1])).toBe('coordinate 0 is not a number');
  expect(preconditionedCosine([1, 0], [0, 1], [1, 0])).toMatch(/no length/);
  expect(coordinateMoments(1, [1], [1])).toBe('fewer than 2 examples');
  expect(coordinateMoments(2, [1, NaN], [1, 1])).toMatch(/parameter 1/);
  expect(gradientSnr(present(coordinateMomentsOf([[1], [1]])))).toBe('no gradient coordinate varies');
});

test('a coordinate that does not vary is left out of the GSNR and stops nothing', () => {
  const moments = present(
    coordinateMomentsOf([
      [0.1, 1],
      [0.1, 3],
    ]),
  );
  expect(gradientSnr(moments)).toEqual({ mean: 4 / 2 - 1 / 2, withoutVariance: 1 });
  expect(Number.isFinite(evidenceBasedCriterion(moments))).toBe(true);
});

test('wrong arguments throw', () => {
  const single = samplingOf({ sampler: 'shuffle', batchSize: 1, examples: 1 });
  expect(() => gramMatrix([1, 2], 2)).toThrow('2 products, not 2 times 2');
  expect(() => gradientVariance(zero, [0, 3])).toThrow('no example 3 among 3');
  expect(() => gradientVariance(zero, [0, 0])).toThrow('an example comes twice');
  expect(() => centredMatched(zero, [0], [1, 2])).toThrow('differ in length');
  expect(() => twoBatchSizes({ size: 4, norm2: 1 }, { size: 4, norm2: 1 })).toThrow('not 1 <= b < B');
  expect(() => populationMoments({ traceSigma: 1, meanNorm2: 1 }, single)).toThrow(RangeError);
  expect(() => preconditionedCosine([1], [1], [-1])).toThrow('is negative');
  expect(() => evidenceBasedCriterion(present(coordinateMomentsOf([[1], [2]])), 0)).toThrow('not positive');
});
