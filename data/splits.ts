import { UserError } from './errors.js';
import type { PythonRandom } from './random/python-random.js';

/** Python's `round(x)`: the nearest integer, the even one of two equally near (`Math.round` takes the upper). */
export function roundHalfEven(x: number): number {
  const below = Math.floor(x);
  const rest = x - below;
  if (rest === 0.5) return below % 2 === 0 ? below : below + 1;
  return rest < 0.5 ? below : below + 1;
}

/** Sizes of the parts of a list, and how many items no part takes. */
export interface SplitSizes<Key extends string> {
  readonly sizes: ReadonlyMap<Key, number>;
  /** Items left over because the fractions sum to less than 1. */
  readonly leftover: number;
}

/** Fractions written in decimals miss their sum by a few units in the last place. */
const sumTolerance = 1e-9;

/**
 * Splits `n` items by fractions: each part gets `round(fraction * n)`, and the difference between the sum of these
 * and the number of items to give out goes to the alphabetically last part with a positive fraction (from the one
 * before it where taking would leave less than none, and so on). With fractions that sum to 1 every item is given
 * out; otherwise `round(sum * n)` items are, and the rest is `leftover`.
 *
 * The authors' code adds that difference with the opposite sign, which loses items.
 * Throws a UserError for a fraction below 0 or above 1 and for a sum above 1.
 */
export function splitSizes<Key extends string>(
  n: number,
  fractions: ReadonlyMap<Key, number>,
): SplitSizes<Key> {
  let sum = 0;
  for (const [key, fraction] of fractions) {
    if (!(fraction >= 0 && fraction <= 1)) {
      throw new UserError(`fraction of ${key} is ${fraction}: give a number from 0 to 1`);
    }
    sum += fraction;
  }
  if (sum > 1 + sumTolerance) {
    throw new UserError(
      `fractions of ${[...fractions.keys()].join(', ')} sum to ${sum}: make them 1 or less`,
    );
  }
  const given = sum >= 1 - sumTolerance ? n : roundHalfEven(sum * n);
  const sizes = new Map<Key, number>();
  let remainder = given;
  for (const [key, fraction] of fractions) {
    const size = roundHalfEven(fraction * n);
    sizes.set(key, size);
    remainder -= size;
  }
  const takers = [...fractions.keys()].filter((key) => fractions.get(key)! > 0).sort();
  while (remainder !== 0 && takers.length > 0) {
    const taker = takers.pop()!;
    const size = Math.max(0, sizes.get(taker)! + remainder);
    remainder -= size - sizes.get(taker)!;
    sizes.set(taker, size);
  }
  return { sizes, leftover: n - given };
}

/** Parts of a list, and the items that no part took. */
export interface Split<Key extends string, T> {
  readonly parts: ReadonlyMap<Key, readonly T[]>;
  readonly leftover: readonly T[];
}

/** Cuts `items` into consecutive parts in the order of `fractions`, with the sizes of {@link splitSizes}. */
export function split<Key extends string, T>(
  items: readonly T[],
  fractions: ReadonlyMap<Key, number>,
): Split<Key, T> {
  const { sizes } = splitSizes(items.length, fractions);
  const parts = new Map<Key, readonly T[]>();
  let start = 0;
  for (const [key, size] of sizes) {
    parts.set(key, items.slice(start, start + size));
    start += size;
  }
  return { parts, leftover: items.slice(start) };
}

/**
 * `[size]` a permutation without a fixed point: the numbers 0 .. size-1 are shuffled, again and again the same list,
 * until none is in its own place (2.7 shuffles on average). Uniform over all derangements.
 * Throws a UserError for size 1, which has none.
 */
export function derangement(size: number, random: Pick<PythonRandom, 'shuffle'>): Int32Array {
  if (size === 1) {
    throw new UserError('one item cannot be exchanged with another: use more variables or a larger fraction');
  }
  const order = Int32Array.from({ length: size }, (_, i) => i);
  do random.shuffle(order);
  while (order.some((item, place) => item === place));
  return order;
}
