import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { samplingOf } from '../../../data/samplers.js';
import { centredMatched } from '../../../src/analysis/measures/centred.js';
import { compositionLaw } from '../../../src/analysis/measures/composition-law.js';
import { conflictRate } from '../../../src/analysis/measures/conflict-rate.js';
import { meanCosineToMean } from '../../../src/analysis/measures/cosine-to-mean.js';
import { cosineGram, meanCosine } from '../../../src/analysis/measures/cosine.js';
import { diversity } from '../../../src/analysis/measures/diversity.js';
import { expectedMinibatchNorm2 } from '../../../src/analysis/measures/expected-minibatch-norm.js';
import { gradientVariance } from '../../../src/analysis/measures/gradient-variance.js';
import type { Gram } from '../../../src/analysis/measures/gram.js';
import { everyExample, gramOf, sumOfGrams } from '../../../src/analysis/measures/gram.js';
import { meanInnerProduct } from '../../../src/analysis/measures/inner-product.js';
import { innerProductTest } from '../../../src/analysis/measures/inner-product-test.js';
import { layerShares } from '../../../src/analysis/measures/layer-share.js';
import type { Measured } from '../../../src/analysis/measures/measured.js';
import { noiseScale } from '../../../src/analysis/measures/noise-scale.js';
import { batchNorms } from '../../../src/analysis/measures/batch-moments.js';
import { normTest } from '../../../src/analysis/measures/norm-test.js';
import { stiffness } from '../../../src/analysis/measures/stiffness.js';
import { between, gradients, permuted, present } from './support/gradients.js';

/** Difference of two numbers relative to the larger one, or to `scale` where both are smaller. */
function difference(a: Measured, b: Measured, scale = 1): number {
  const [x, y] = [present(a), present(b)];
  return Math.abs(x - y) / Math.max(scale, Math.abs(x), Math.abs(y));
}

const rounding = 1e-9;

const all = everyExample;

/** Plain numbers that neither a common scale nor the order of examples changes. */
const scaleFree: Readonly<Record<string, (gram: Gram) => Measured>> = {
  'mean cosine': (gram) => meanCosine(gram, all(gram), all(gram)),
  'sign stiffness': (gram) => present(stiffness(gram, all(gram), all(gram))).sign,
  'conflict rate': (gram) => conflictRate(gram, all(gram), all(gram)),
  diversity: (gram) => diversity(gram),
  'noise scale': (gram) => noiseScale([present(gradientVariance(gram))]),
  'norm test': (gram) => normTest(present(batchNorms(gram))),
  'inner-product test': (gram) => innerProductTest(gram),
};

describe.each(Object.entries(scaleFree))('%s', (_name, measure) => {
  test('does not depend on the scale of the gradients', () => {
    fc.assert(
      fc.property(gradients, fc.integer({ min: -60, max: 60 }), (vectors, exponent) => {
        // A power of two: no rounding, so that products near 0 keep their sign.
        const scaled = vectors.map((vector) => vector.map((value) => value * 2 ** exponent));
        expect(difference(measure(gramOf(scaled)), measure(gramOf(vectors)))).toBeLessThan(rounding);
      }),
    );
  });

  test('does not depend on the order of the examples', () => {
    fc.assert(
      fc.property(gradients, fc.infiniteStream(fc.nat()), (vectors, keys) => {
        const order = vectors
          .map((_, i) => ({ i, key: keys.next().value ?? 0 }))
          .toSorted((a, b) => a.key - b.key)
          .map(({ i }) => i);
        expect(difference(measure(permuted(vectors, order)), measure(gramOf(vectors)))).toBeLessThan(
          rounding,
        );
      }),
    );
  });
});

test('N times diversity is 1 plus the noise scale', () => {
  fc.assert(
    fc.property(gradients, (vectors) => {
      const gram = gramOf(vectors);
      const { gamma, meanNorm2 } = present(gradientVariance(gram));
      expect(difference(gram.size * present(diversity(gram)), 1 + gamma / meanNorm2)).toBeLessThan(rounding);
    }),
  );
});

test('matched minus mismatched is n/(n-1) times the centred matched mean', () => {
  fc.assert(
    fc.property(gradients, (vectors) => {
      const n = Math.floor(vectors.length / 2);
      if (n < 2) return;
      const gram = gramOf(vectors);
      const [rows, columns] = [between(0, n), between(n, 2 * n)];
      const mean = (isMatched: boolean): number => {
        const exclude = (i: number, j: number): boolean => (j === i + n) !== isMatched;
        return present(meanInnerProduct(gram, rows, columns, { exclude }));
      };
      expect(
        difference(
          mean(true) - mean(false),
          (n / (n - 1)) * present(centredMatched(gram, rows, columns)),
          100,
        ),
      ).toBeLessThan(rounding);
    }),
  );
});

test('layers add up: inner products, variance and norm, not cosines; shares have size 1', () => {
  fc.assert(
    fc.property(gradients, (vectors) => {
      const layers = [
        [0, 2],
        [2, 5],
      ].map(([from, to]) => gramOf(vectors.map((vector) => vector.slice(from, to))));
      const whole = gramOf(vectors);
      const sum = sumOfGrams(layers);
      const parts = layers.map((layer) => present(gradientVariance(layer)));
      const { gamma, meanNorm2 } = present(gradientVariance(whole));
      expect(difference(parts[0]!.gamma + parts[1]!.gamma, gamma, 100)).toBeLessThan(rounding);
      expect(difference(parts[0]!.meanNorm2 + parts[1]!.meanNorm2, meanNorm2, 100)).toBeLessThan(rounding);
      expect(difference(sum.at(0, 1), whole.at(0, 1), 100)).toBeLessThan(rounding);
      const shares = layerShares(layers, 0, 0);
      expect(
        difference(
          present(shares).reduce((total, share) => total + Math.abs(share), 0),
          1,
        ),
      ).toBeLessThan(rounding);
    }),
  );
});

test('the measures of cosines are those of normalised gradients', () => {
  fc.assert(
    fc.property(gradients, (vectors) => {
      const gram = gramOf(vectors);
      const cosines = present(cosineGram(gram));
      expect(
        difference(meanInnerProduct(cosines, all(gram), all(gram)), meanCosine(gram, all(gram), all(gram))),
      ).toBeLessThan(rounding);
    }),
  );
});

test('minibatch norms: the law of composition at uniform shuffling, and its two ends', () => {
  fc.assert(
    fc.property(gradients, (vectors) => {
      const gram = gramOf(vectors);
      const moments = present(gradientVariance(gram));
      const n = gram.size;
      const law = (batchSize: number): number =>
        expectedMinibatchNorm2(moments, samplingOf({ sampler: 'shuffle', batchSize, examples: n }));
      for (const batchSize of [1, 2, n]) {
        expect(
          difference(
            compositionLaw(gram, batchSize, () => (batchSize - 1) / (n - 1)),
            law(batchSize),
            100,
          ),
        ).toBeLessThan(rounding);
      }
      expect(difference(law(n), moments.meanNorm2, 100)).toBeLessThan(rounding);
    }),
  );
});

test('orthogonal gradients have cosine 0 to the mean of the others, not 1/sqrt(N)', () => {
  const orthogonal = gramOf([
    [3, 0, 0, 0],
    [0, 1, 0, 0],
    [0, 0, 2, 0],
    [0, 0, 0, 5],
  ]);
  expect(meanCosineToMean(orthogonal)).toBe(0);
});
