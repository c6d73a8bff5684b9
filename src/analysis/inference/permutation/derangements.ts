import { permutationsHeap } from 'simple-statistics';
import type { RandomStream } from '../../../../data/random/streams.js';
import { assertInteger } from '../check.js';

/** Up to so many items all permutations (720) and derangements (265) are enumerated. */
export const exactItems = 6;

/**
 * A permutation of 0 .. n-1 without fixed points, every one equally likely: permutations are drawn until one has
 * none, e = 2.7 on average. Throws a RangeError unless `n` is an integer of at least 2.
 *
 * @example randomDerangement(2, stream) // [1, 0]
 */
export function randomDerangement(n: number, stream: RandomStream): Int32Array {
  assertInteger('items', n, 2);
  for (;;) {
    const order = stream.permutation(n);
    if (isDerangement(order)) return order;
  }
}

/** Whether no item stays in its place. */
export function isDerangement(order: ArrayLike<number>): boolean {
  for (let i = 0; i < order.length; i++) if (order[i] === i) return false;
  return true;
}

/** All permutations of 0 .. n-1. Throws a RangeError unless 1 <= `n` <= 6. */
export function allPermutations(n: number): readonly (readonly number[])[] {
  assertInteger('items', n, 1);
  if (n > exactItems) throw new RangeError(`too many items to enumerate: ${n}`);
  return permutationsHeap(Array.from({ length: n }, (_, i) => i));
}

/**
 * All derangements of 0 .. n-1: 1, 2, 9, 44, 265 for n = 2 .. 6. Throws a RangeError unless 1 <= `n` <= 6.
 *
 * @example allDerangements(3) // [[1, 2, 0], [2, 0, 1]] in some order
 */
export function allDerangements(n: number): readonly (readonly number[])[] {
  return allPermutations(n).filter(isDerangement);
}
