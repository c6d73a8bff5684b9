import { createHash } from 'node:crypto';
import { uniformFloat64 } from 'pure-rand/distribution/uniformFloat64';
import { uniformInt } from 'pure-rand/distribution/uniformInt';
import { xoroshiro128plusFromState } from 'pure-rand/generator/xoroshiro128plus';
import type { JumpableRandomGenerator } from 'pure-rand/types/JumpableRandomGenerator';
import { standardNormal } from './normal.js';

/** An array or typed array whose elements can be exchanged. */
export interface Swappable<T> {
  readonly length: number;
  [index: number]: T;
}

/**
 * A source of random numbers (xoroshiro128+) whose whole state is four integers: nothing is cached, so that a stream
 * restored from {@link RandomStream.state} continues exactly where the original was, whatever was drawn last.
 */
export interface RandomStream {
  /** Uniform in [0, 1), a multiple of 2^-53. */
  uniform(): number;
  /** Uniform integer in [0, below), without modulo bias. Throws a RangeError unless `below` is a positive integer. */
  integer(below: number): number;
  /** A number from N(0, 1). */
  normal(): number;
  /** Permutes `items` in place, every order equally likely (Fisher-Yates). */
  shuffle<T>(items: Swappable<T>): void;
  /** Overwrites `target` with numbers from N(0, standardDeviation^2), as successive calls of `normal` would. */
  fillNormal(target: Float32Array, standardDeviation: number): void;
  /** `[n]` the numbers 0 .. n-1 in random order. */
  permutation(n: number): Int32Array;
  /** Four 32-bit integers for {@link restoreStream}. */
  state(): readonly number[];
  /** An independent copy that will draw the same numbers. */
  clone(): RandomStream;
}

/** The streams of a run. Other names are allowed; a name is a stream for ever. */
export type StreamName = 'initialisation' | 'order' | 'noise' | 'evaluation' | 'panel';

/**
 * The stream `name` of the root seed. The generator's 128 bits are the first 16 bytes of
 * sha256("gradscope stream 1\n{rootSeed}\n{name}"), read as four big-endian 32-bit integers, so that streams of
 * different names or seeds are unrelated and drawing more from one never changes another.
 * Throws a RangeError when `rootSeed` is no safe integer.
 *
 * @example createStream(0, 'order').integer(1000) // 236
 */
export function createStream(rootSeed: number, name: StreamName | (string & {})): RandomStream {
  if (!Number.isSafeInteger(rootSeed)) throw new RangeError(`root seed is no safe integer: ${rootSeed}`);
  const digest = createHash('sha256').update(`gradscope stream 1\n${rootSeed}\n${name}`).digest();
  return restoreStream([0, 4, 8, 12].map((offset) => digest.readInt32BE(offset)));
}

/** The stream that was in `state`. Throws a RangeError for anything but four 32-bit integers, not all zero. */
export function restoreStream(state: readonly number[]): RandomStream {
  const valid =
    state.length === 4 && state.every((word) => word === (word | 0)) && state.some((w) => w !== 0);
  if (!valid) throw new RangeError(`no state of a random stream: [${state.join(', ')}]`);
  return new XoroshiroStream(xoroshiro128plusFromState(state));
}

class XoroshiroStream implements RandomStream {
  readonly #generator: JumpableRandomGenerator;

  constructor(generator: JumpableRandomGenerator) {
    this.#generator = generator;
  }

  uniform(): number {
    return uniformFloat64(this.#generator);
  }

  integer(below: number): number {
    if (!Number.isSafeInteger(below) || below < 1) throw new RangeError(`no upper bound: ${below}`);
    return uniformInt(this.#generator, 0, below - 1);
  }

  normal(): number {
    return standardNormal(this.#generator);
  }

  shuffle<T>(items: Swappable<T>): void {
    for (let i = items.length - 1; i > 0; i--) {
      const j = uniformInt(this.#generator, 0, i);
      const item = items[i]!;
      items[i] = items[j]!;
      items[j] = item;
    }
  }

  fillNormal(target: Float32Array, standardDeviation: number): void {
    const generator = this.#generator;
    for (let i = 0; i < target.length; i++) target[i] = standardDeviation * standardNormal(generator);
  }

  permutation(n: number): Int32Array {
    const order = Int32Array.from({ length: n }, (_, i) => i);
    this.shuffle(order);
    return order;
  }

  state(): readonly number[] {
    return this.#generator.getState();
  }

  clone(): RandomStream {
    return new XoroshiroStream(xoroshiro128plusFromState(this.#generator.getState()));
  }
}
