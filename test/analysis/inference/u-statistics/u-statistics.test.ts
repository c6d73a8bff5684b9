import { describe, expect, it } from 'vitest';
import { createStream } from '../../../../data/random/streams.js';
import { allPairsMean } from '../../../../src/analysis/inference/u-statistics/all-pairs.js';
import { crossPairsMean } from '../../../../src/analysis/inference/u-statistics/cross-pairs.js';
import {
  entityBlocks,
  matchedBlocks,
  squareBlocks,
} from '../../../../src/analysis/inference/u-statistics/entity-blocks.js';
import { matchedContrast } from '../../../../src/analysis/inference/u-statistics/matched-contrast.js';
import { intervalOf, present } from '../support/fixture.js';
import { gramOf, naivePairMean, pairReference, v13Gradients } from '../support/pairs.js';

const reference = pairReference;

describe('allPairsMean', () => {
  it('agrees with numpy on gradients as in check V13', () => {
    const gram = gramOf(reference.gradients);
    const estimate = present(allPairsMean(gram, 30));
    expect(estimate.estimate).toBeCloseTo(reference.mean, 12);
    expect(estimate.standardError).toBeCloseTo(reference.standardError, 12);
    expect(estimate).toMatchObject({ unit: 'entity', units: 30, seeds: 1, degreesOfFreedom: 29 });
    const [mean, error] = naivePairMean(gram, 30);
    expect([mean, error]).toEqual([
      expect.closeTo(reference.mean, 12),
      expect.closeTo(reference.naiveStandardError, 12),
    ]);
  });

  it('covers as V13 demands: entities 92 to 97 %, pairs taken for independent under 75 %', () => {
    const stream = createStream(13, 'V13');
    let [entities, pairs] = [0, 0];
    const repetitions = 800;
    for (let repetition = 0; repetition < repetitions; repetition++) {
      const gram = gramOf(v13Gradients(30, stream));
      const [low, high] = intervalOf(allPairsMean(gram, 30));
      if (low < 1 && high > 1) entities++;
      const [mean, error] = naivePairMean(gram, 30);
      if (Math.abs(mean - 1) < 1.96 * error) pairs++;
    }
    expect(entities / repetitions).toBeGreaterThanOrEqual(0.92);
    expect(entities / repetitions).toBeLessThanOrEqual(0.97);
    expect(pairs / repetitions).toBeLessThan(0.75);
  });

  it('leaves the diagonal out: orthogonal gradients give 0', () => {
    const orthogonal = [3, 0, 0, 0, 5, 0, 0, 0, 7];
    expect(allPairsMean(orthogonal, 3)).toMatchObject({ estimate: 0, interval: null });
    const holes = [NaN, 1, 2, 1, NaN, 3, 2, 3, NaN];
    expect(present(allPairsMean(holes, 3)).estimate).toBe(2);
  });

  it('says what is wrong', () => {
    expect(allPairsMean([1, 2, 2, 1], 2)).toEqual({
      kind: 'absent',
      reason: '2 entities, at least 3 needed',
    });
    expect(allPairsMean([0, 1, NaN, 1, 0, 2, NaN, 2, 0], 3)).toEqual({
      kind: 'absent',
      reason: 'entity 1 of 3 has a product that is not finite',
    });
    expect(() => allPairsMean([1, 2, 3], 2)).toThrow('3 products, not 2 times 2');
  });
});

describe('entityBlocks', () => {
  it('averages over examples and goes by entity, not by position', () => {
    const products = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12];
    const blocks = entityBlocks(products, ['a', 'b', 'a'], ['b', 'a', 'b', 'c']);
    expect(blocks.rows).toEqual(['a', 'b']);
    expect(blocks.columns).toEqual(['b', 'a', 'c']);
    expect([...blocks.means]).toEqual([6, 6, 8, 6, 6, 8]);
    const shuffled = [10, 12, 9, 11, 6, 8, 5, 7, 2, 4, 1, 3];
    const other = entityBlocks(shuffled, ['a', 'b', 'a'], ['a', 'c', 'b', 'b']);
    expect([...matchedBlocks(other).means]).toEqual([...matchedBlocks(blocks).means]);
    expect(matchedBlocks(blocks).entities).toEqual(['a', 'b']);
    expect(() => entityBlocks([1], ['a'], ['a', 'b'])).toThrow('1 products, not 1 times 2');
  });
});

describe('crossPairsMean', () => {
  it('has the two-sample standard error when no entity is on both sides', () => {
    const blocks = entityBlocks(reference.cross.flat(), [0, 1, 2, 3, 4], [10, 11, 12, 13, 14, 15, 16]);
    const estimate = present(crossPairsMean(blocks));
    expect(estimate.estimate).toBeCloseTo(reference.crossMean, 12);
    expect(estimate.standardError).toBeCloseTo(reference.crossStandardError, 12);
    expect(estimate).toMatchObject({ units: 12, degreesOfFreedom: 4, unit: 'entity' });
  });

  it('takes both sides of an entity jointly', () => {
    const six = [0, 1, 2, 3, 4, 5];
    const blocks = entityBlocks(reference.square.flat(), six, six);
    const all = present(crossPairsMean(blocks, { pairs: 'all' }));
    expect(all.estimate).toBeCloseTo(reference.jointMean, 12);
    expect(all.standardError).toBeCloseTo(reference.jointStandardError, 12);
    const mismatched = present(crossPairsMean(blocks));
    expect(mismatched.estimate).toBeCloseTo(reference.mismatched, 12);
    expect(mismatched.standardError).toBeCloseTo(reference.mismatchedStandardError, 12);
    expect(mismatched.units).toBe(6);
  });

  it('covers, with matched entities, in 92 to 97 %', () => {
    const stream = createStream(14, 'cross coverage');
    let hits = 0;
    for (let repetition = 0; repetition < 600; repetition++) {
      // Definition and QA of an entity share a part; another entity's QA shares only the common 1.
      const entities = Array.from({ length: 15 }, () =>
        Float64Array.from({ length: 10 }, () => stream.normal()),
      );
      const noisy = (base: Float64Array) =>
        base.map((value) => 1 / Math.sqrt(10) + 0.3 * (value + stream.normal()));
      const [definitions, questions] = [entities.map(noisy), entities.map(noisy)];
      const products = definitions.flatMap((d) =>
        questions.map((q) => d.reduce((sum, value, k) => sum + value * q[k]!, 0)),
      );
      const keys = entities.map((_, e) => e);
      const [low, high] = intervalOf(crossPairsMean(entityBlocks(products, keys, keys)));
      if (low < 1 && high > 1) hits++;
    }
    expect(hits / 600).toBeGreaterThanOrEqual(0.92);
    expect(hits / 600).toBeLessThanOrEqual(0.97);
  });

  it('says what is wrong', () => {
    expect(crossPairsMean(entityBlocks([1, 2, 3], [1], [1, 2, 3])).kind).toBe('absent');
    const blocks = entityBlocks([1, 2, 3, 4, NaN, 6, 7, 8, 9], ['a', 'b', 'c'], ['x', 'y', 'z']);
    expect(crossPairsMean(blocks)).toEqual({ kind: 'absent', reason: 'the product of b and y is NaN' });
    const flat = entityBlocks(new Float64Array(9).fill(0.1), [1, 2, 3], [1, 2, 3]);
    expect(present(crossPairsMean(flat)).missing).toBe('all 3 entities gave the same number');
  });
});

describe('matchedContrast', () => {
  it('is matched minus mismatched, with an interval over entities', () => {
    const estimate = present(matchedContrast(squareBlocks(reference.square.flat())));
    expect(estimate.estimate).toBeCloseTo(reference.matched - reference.mismatched, 12);
    expect(estimate.standardError).toBeCloseTo(reference.contrastStandardError, 12);
    expect(estimate).toMatchObject({ units: 6, degreesOfFreedom: 5, test: 't' });
  });

  it('equals n / (n - 1) times the mean diagonal of the centred products', () => {
    const n = 6;
    const rows = reference.square.map((row) => row.reduce((a, b) => a + b) / n);
    const columns = rows.map((_, j) => reference.square.reduce((sum, row) => sum + row[j]!, 0) / n);
    const all = rows.reduce((a, b) => a + b) / n;
    const centred =
      reference.square.reduce((sum, row, e) => sum + row[e]! - rows[e]! - columns[e]! + all, 0) / n;
    const estimate = present(matchedContrast(squareBlocks(reference.square.flat())));
    expect(estimate.estimate).toBeCloseTo((n / (n - 1)) * centred, 12);
  });

  it('is absent for two entities', () => {
    expect(matchedContrast(squareBlocks([1, 2, 3, 4])).kind).toBe('absent');
    expect(() => squareBlocks([1, 2, 3])).toThrow(RangeError);
  });
});
