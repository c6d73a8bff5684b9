import { z } from 'zod';
import type { RandomStream } from '../../../../data/random/streams.js';
import { fixture, interval, numbers, table } from './fixture.js';

/** Reference numbers of statistics over pairs. */
export const pairReference = fixture(
  'pairs',
  z.object({
    gradients: table,
    mean: z.number(),
    standardError: z.number(),
    naiveStandardError: z.number(),
    cross: table,
    crossMean: z.number(),
    crossStandardError: z.number(),
    square: table,
    jointMean: z.number(),
    jointStandardError: z.number(),
    mismatched: z.number(),
    matched: z.number(),
    mismatchedStandardError: z.number(),
    contrastStandardError: z.number(),
    matchingGreater: z.number(),
    matchingTwoSided: z.number(),
    derangements: z.number(),
    nullMean: z.number(),
    nullBand: numbers.pipe(interval),
  }),
);

/** `[n, n]` inner products of vectors. */
export function gramOf(vectors: readonly ArrayLike<number>[]): Float64Array {
  const n = vectors.length;
  const gram = new Float64Array(n * n);
  for (let i = 0; i < n; i++) {
    for (let j = 0; j <= i; j++) {
      let sum = 0;
      const [a, b] = [vectors[i]!, vectors[j]!];
      for (let k = 0; k < a.length; k++) sum += a[k]! * b[k]!;
      gram[i * n + j] = gram[j * n + i] = sum;
    }
  }
  return gram;
}

/** Check V13's setting: `n` gradients of 40 numbers, a common part of length 1 and noise 0.6 a coordinate. */
export function v13Gradients(n: number, stream: RandomStream): Float64Array[] {
  return Array.from({ length: n }, () =>
    Float64Array.from({ length: 40 }, () => 1 / Math.sqrt(40) + 0.6 * stream.normal()),
  );
}

/** Mean over pairs with the standard error of pairs taken for independent: the mistake to avoid. */
export function naivePairMean(gram: ArrayLike<number>, n: number): readonly [mean: number, error: number] {
  let [sum, squares, count] = [0, 0, 0];
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < i; j++) {
      const value = gram[i * n + j]!;
      sum += value;
      squares += value * value;
      count++;
    }
  }
  const mean = sum / count;
  return [mean, Math.sqrt((squares / count - mean * mean) / count)];
}
