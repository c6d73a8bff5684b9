import { expect, test } from 'vitest';
import { spanProjection } from '../../src/train/span-projection.js';

const dot = (a: readonly number[], b: readonly number[]): number =>
  a.reduce((sum, value, i) => sum + value * b[i]!, 0);

/** The part of d in the span of others, one direction after the other. */
function gramSchmidt(
  d: readonly number[],
  others: readonly (readonly number[])[],
): { part: number[]; rank: number } {
  const basis: number[][] = [];
  const without = (v: readonly number[]): number[] =>
    basis.reduce<number[]>(
      (rest, e) => {
        const along = dot(rest, e);
        return rest.map((value, i) => value - along * e[i]!);
      },
      [...v],
    );
  for (const other of others) {
    const rest = without(without(other));
    const norm = Math.sqrt(dot(rest, rest));
    if (norm > 1e-6 * Math.sqrt(dot(other, other))) basis.push(rest.map((value) => value / norm));
  }
  const rest = without(without(d));
  return { part: d.map((value, i) => value - rest[i]!), rank: basis.length };
}

const wave = (seed: number, scale = 1): number[] =>
  Array.from({ length: 12 }, (_, i) => scale * Math.sin(seed * (i + 1) ** 2));
const d = wave(0.3);
const similar = wave(1).map((value, i) => value + 0.01 * wave(2)[i]!);
const sum = wave(1).map((value, i) => 3 * value - 2 * wave(4)[i]!);

test.each([
  ['independent', [wave(1), wave(2, 1e-3), wave(4, 50)]],
  ['nearly the same', [wave(1), similar, wave(4)]],
  ['one a sum of the others', [wave(1), wave(4), sum]],
  ['twice the same, and nothing', [wave(1), wave(1), wave(5, 0)]],
  ['none but nothing', [wave(5, 0)]],
])('vectors that are %s', (_, others) => {
  const family = [d, ...others];
  const gram = family.flatMap((a) => family.map((b) => dot(a, b)));
  const { coefficients, rank, square } = spanProjection(gram, others.length);
  const expected = gramSchmidt(d, others);
  expect(rank).toBe(expected.rank);
  expect(square).toBeCloseTo(dot(expected.part, expected.part), 8);
  expected.part.forEach((value, i) => {
    const own = others.reduce((total, q, k) => total + coefficients[k]! * q[i]!, 0);
    expect(own).toBeCloseTo(value, 8);
  });
});
