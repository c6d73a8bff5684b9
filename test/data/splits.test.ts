import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { UserError } from '../../data/errors.js';
import { randomNames } from '../../data/names.js';
import { PythonRandom } from '../../data/random/python-random.js';
import { createStream } from '../../data/random/streams.js';
import { derangement, roundHalfEven, split, splitSizes } from '../../data/splits.js';

const keys = ['qd1consis', 'qd2incons', 'q', 'stage2', 'a', 'no_qd_baseline'];

/** Fractions of 1 to 6 parts in 1/denominator; they sum to `filled` of it. */
const fractions = fc
  .record({
    weights: fc.array(fc.nat({ max: 20 }), { minLength: 1, maxLength: keys.length }),
    rest: fc.nat({ max: 10 }),
  })
  .filter(({ weights }) => weights.some((weight) => weight > 0))
  .map(({ weights, rest }) => {
    const total = weights.reduce((sum, weight) => sum + weight, rest);
    return { fractions: new Map(weights.map((weight, i) => [keys[i]!, weight / total])), rest, total };
  });

describe('roundHalfEven', () => {
  it.each([
    [0.5, 0],
    [1.5, 2],
    [2.5, 2],
    [2.4999, 2],
    [2.5001, 3],
    [-0.5, 0],
    [-1.5, -2],
    [-2.5, -2],
    [7, 7],
  ])('%d -> %d, as in Python', (x, rounded) => {
    expect(roundHalfEven(x) + 0).toBe(rounded);
  });
});

describe('splitSizes', () => {
  it('gives the remainder to the alphabetically last part', () => {
    const quarters = new Map(['b', 'd', 'a', 'c'].map((key) => [key, 0.25]));
    expect([...splitSizes(10, quarters).sizes]).toEqual([
      ['b', 2],
      ['d', 4],
      ['a', 2],
      ['c', 2],
    ]);
  });

  it('never gives it to a part whose fraction is 0', () => {
    const { sizes } = splitSizes(
      10,
      new Map([
        ['a', 0.25],
        ['b', 0.75],
        ['c', 0],
      ]),
    );
    expect([...sizes.values()]).toEqual([2, 8, 0]);
  });

  it('takes from earlier parts what the last one cannot give', () => {
    const twenty = new Map(Array.from({ length: 20 }, (_, i) => [String.fromCharCode(97 + i), 0.05]));
    const sizes = [...splitSizes(14, twenty).sizes.values()];
    expect(sizes).toEqual([...Array<number>(14).fill(1), ...Array<number>(6).fill(0)]);
  });

  it('says how many items are left over', () => {
    expect(splitSizes(10, new Map([['a', 0.3]]))).toEqual({ sizes: new Map([['a', 3]]), leftover: 7 });
  });

  it('refuses impossible fractions', () => {
    expect(() => splitSizes(10, new Map([['a', 1.5]]))).toThrow(
      'fraction of a is 1.5: give a number from 0 to 1',
    );
    expect(() => splitSizes(10, new Map([['a', -0.1]]))).toThrow(UserError);
    expect(() => splitSizes(10, new Map([['a', Number.NaN]]))).toThrow(UserError);
    const above = new Map([
      ['a', 0.75],
      ['b', 0.5],
    ]);
    expect(() => splitSizes(10, above)).toThrow('fractions of a, b sum to 1.25: make them 1 or less');
  });
});

describe('split', () => {
  it('uses every item once, at any size', () => {
    fc.assert(
      fc.property(fc.nat({ max: 500 }), fractions, (n, { fractions, rest, total }) => {
        const items = Array.from({ length: n }, (_, i) => i);
        const { parts, leftover } = split(items, fractions);
        expect([...parts.values(), leftover].flat()).toEqual(items);
        expect([...parts.keys()]).toEqual([...fractions.keys()]);
        expect(Math.abs(leftover.length - (rest / total) * n)).toBeLessThanOrEqual(
          rest === 0 ? 0 : 0.5 + 1e-9,
        );
      }),
    );
  });

  it('gives each part its rounded share, up to the remainder', () => {
    fc.assert(
      fc.property(fc.nat({ max: 500 }), fractions, (n, { fractions }) => {
        const { sizes } = splitSizes(n, fractions);
        let changed = 0;
        for (const [key, fraction] of fractions) {
          const size = sizes.get(key)!;
          expect(fraction > 0 || size === 0).toBe(true);
          changed += Math.abs(size - roundHalfEven(fraction * n));
        }
        // Each of the parts and their sum are off by at most a half.
        expect(changed).toBeLessThanOrEqual((fractions.size + 1) / 2);
      }),
    );
  });
});

describe('derangement', () => {
  it('is that of the published data', () => {
    const random = new PythonRandom(7);
    const entities = Array.from({ length: 40 }, (_, i) => i);
    random.shuffle(entities);
    randomNames(40, 5, random);
    for (let tag = 0; tag < 3; tag++) randomNames(1, 6, random);
    const items = Array.from({ length: 10 }, (_, i) => i);
    random.shuffle(items);
    expect(items).toEqual([2, 4, 8, 3, 6, 0, 7, 1, 9, 5]);
    expect(Array.from(derangement(10, random))).toEqual([1, 2, 5, 4, 8, 9, 7, 3, 6, 0]);
  });

  it('moves every item', () => {
    fc.assert(
      fc.property(
        fc.integer(),
        fc.nat({ max: 60 }).filter((n) => n !== 1),
        (seed, n) => {
          const order = derangement(n, createStream(seed, 'order'));
          expect(Array.from(order).sort((a, b) => a - b)).toEqual(Array.from({ length: n }, (_, i) => i));
          expect(order.some((item, place) => item === place)).toBe(false);
        },
      ),
    );
  });

  it('refuses one item', () => {
    expect(() => derangement(1, new PythonRandom(0))).toThrow(UserError);
  });
});
