import type { RandomStream } from '../../../../data/random/streams.js';
import { assertInteger } from '../check.js';

/** Options of a test by random or enumerated permutations. */
export interface PermutationOptions {
  /** Random permutations where not all are enumerated: 10 000 by default. */
  readonly draws?: number;
}

/** Random permutations drawn where nothing else is said. */
export const defaultPermutations = 10_000;

/** Up to so many units all sign vectors are enumerated: 2^14 = 16,384. */
export const exactSignFlipUnits = 14;

/** Sign vectors of `n` units, and whether they are all there are. */
export interface SignFlips {
  readonly exact: boolean;
  readonly total: number;
  /** One vector of +1 and -1 at a time, `[n]`, in a buffer that the next one overwrites. */
  readonly vectors: Iterable<Int8Array>;
}

/**
 * All 2^n sign vectors for `n` <= 14, the one of +1 only first; `draws` random ones from `stream` beyond.
 * Throws a RangeError when `n` or `draws` is no positive integer.
 */
export function signFlips(
  n: number,
  stream: RandomStream,
  { draws = defaultPermutations }: PermutationOptions,
): SignFlips {
  assertInteger('units', n, 1);
  assertInteger('draws', draws, 1);
  const exact = n <= exactSignFlipUnits;
  const total = exact ? 2 ** n : draws;
  return { exact, total, vectors: exact ? enumerated(n) : drawn(n, draws, stream) };
}

function* enumerated(n: number): Generator<Int8Array> {
  const signs = new Int8Array(n);
  for (let mask = 0; mask < 2 ** n; mask++) {
    for (let i = 0; i < n; i++) signs[i] = (mask >> i) & 1 ? -1 : 1;
    yield signs;
  }
}

function* drawn(n: number, draws: number, stream: RandomStream): Generator<Int8Array> {
  const signs = new Int8Array(n);
  for (let draw = 0; draw < draws; draw++) {
    fillSigns(signs, stream);
    yield signs;
  }
}

/** Overwrites `signs` with +1 and -1, each with probability 1/2. */
export function fillSigns(signs: Int8Array, stream: RandomStream): void {
  let bits = 0;
  for (let i = 0; i < signs.length; i++) {
    if (i % 24 === 0) bits = stream.integer(2 ** 24);
    signs[i] = bits & 1 ? -1 : 1;
    bits >>= 1;
  }
}
