import { describe, expect, test } from 'vitest';
import { createStream } from '../../../data/random/streams.js';
import { spearman } from '../../../src/analysis/inference/trend/spearman.js';
import { groupedCorrelation, type RankedPairs } from '../../../src/analysis/measures/rank-correlation.js';

const stream = createStream(1, 'test');
const normals = (n: number): Float64Array => Float64Array.from({ length: n }, () => stream.normal());

/** `groups` groups of one pair for each of `units` units; y follows x with some noise. */
function pairsOf(units: number, groups: number, noise: number): RankedPairs {
  const n = units * groups;
  const x = normals(n);
  return {
    x,
    y: x.map((value) => value + noise * stream.normal()),
    group: Int32Array.from({ length: n }, (_, i) => i % groups),
    unit: Int32Array.from({ length: n }, (_, i) => Math.floor(i / groups)),
  };
}

describe('rank correlation within groups', () => {
  test('is the mean of the Spearman correlations of the groups, ties included', () => {
    const pairs = pairsOf(12, 3, 1);
    pairs.x.forEach((value, i) => (pairs.x[i] = Math.round(value)));
    const { score, scores } = groupedCorrelation(pairs, null);
    const expected = [0, 1, 2].map((group) => {
      const members = Array.from(pairs.group.keys()).filter((i) => pairs.group[i] === group);
      const found = spearman(
        members.map((i) => pairs.x[i]!),
        members.map((i) => pairs.y[i]!),
      );
      return found.kind === 'value' ? found.estimate : NaN;
    });
    scores.forEach((own, group) => expect(own).toBeCloseTo(expected[group]!, 12));
    expect(score).toBeCloseTo((expected[0]! + expected[1]! + expected[2]!) / 3, 12);
  });

  test('is absent where a side is constant, and left out of the mean', () => {
    const pairs = pairsOf(6, 2, 0);
    pairs.group.forEach((group, i) => {
      if (group === 1) pairs.x[i] = 3;
    });
    expect(groupedCorrelation(pairs, null)).toMatchObject({ score: 1, interval: null, units: 6 });
    expect(groupedCorrelation({ ...pairs, x: pairs.x.fill(1) }, stream)).toMatchObject({
      score: null,
      interval: null,
    });
  });

  test('has an interval that covers 0 about as often as it says where there is nothing', () => {
    const covered = Array.from({ length: 200 }, () => {
      const pairs = pairsOf(40, 2, 0);
      const { interval } = groupedCorrelation({ ...pairs, y: normals(80) }, stream, 200);
      return interval![0] <= 0 && interval![1] >= 0;
    });
    const share = covered.filter(Boolean).length / covered.length;
    // 200 trials at 95 %: a standard error of 1.5 %; the percentile interval of 40 units is a little narrow.
    expect(share).toBeGreaterThan(0.88);
    expect(share).toBeLessThan(0.995);
  });

  test('draws units as wholes: repeated pairs of a unit make the interval no narrower', () => {
    const one = pairsOf(30, 1, 1);
    const repeat = (values: Float64Array | Int32Array): number[] =>
      Array.from(values).flatMap((value) => [value, value, value]);
    const many: RankedPairs = {
      x: Float64Array.from(repeat(one.x)),
      y: Float64Array.from(repeat(one.y)),
      group: Int32Array.from(repeat(one.group)),
      unit: Int32Array.from(repeat(one.unit)),
    };
    const [a, b] = [one, many].map((pairs) => groupedCorrelation(pairs, createStream(3, 'draws')));
    expect(b!.interval![0]).toBeCloseTo(a!.interval![0], 1);
    expect(b!.interval![1]).toBeCloseTo(a!.interval![1], 1);
  });
});
