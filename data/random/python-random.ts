import { mersenneFromState } from 'pure-rand/generator/mersenne';
import type { RandomGenerator } from 'pure-rand/types/RandomGenerator';
import type { Swappable } from './streams.js';

const stateWords = 624;

/**
 * `random.Random(seed)` of CPython 3.11, number for number: the published data sets were drawn with it, and
 * reproducing them needs its seeding, its rejection sampling and its two ways of sampling.
 *
 * @example new PythonRandom(0).random() // 0.8444218515250481
 */
export class PythonRandom {
  readonly #generator: RandomGenerator;

  /** Integer seeds only; like CPython takes the absolute value. Throws a RangeError for an unsafe number. */
  constructor(seed: number | bigint) {
    if (typeof seed === 'number' && !Number.isSafeInteger(seed)) {
      throw new RangeError(`seed is no safe integer: ${seed}`);
    }
    this.#generator = mersenneFromState([0, ...initByArray(seedWords(BigInt(seed)))]);
    // The library keeps its state one generation ahead: reading a word replaces it by its successor. Reading every
    // seeded word once is therefore the twist with which CPython begins.
    for (let i = 0; i < stateWords; i++) this.#generator.next();
  }

  /** Uniform in [0, 1) with 53 bits. */
  random(): number {
    const high = this.#generator.next() >>> 5;
    const low = this.#generator.next() >>> 6;
    return (high * 2 ** 26 + low) * 2 ** -53;
  }

  /** Uniform integer of `bits` random bits. Throws a RangeError unless 0 <= bits <= 53. */
  getrandbits(bits: number): number {
    if (!Number.isInteger(bits) || bits < 0 || bits > 53) throw new RangeError(`not 0 to 53 bits: ${bits}`);
    if (bits === 0) return 0;
    if (bits <= 32) return this.#generator.next() >>> (32 - bits);
    const low = this.#generator.next() >>> 0;
    return (this.#generator.next() >>> (64 - bits)) * 2 ** 32 + low;
  }

  /** Uniform integer in [0, n). Throws a RangeError unless n is a positive safe integer. */
  randbelow(n: number): number {
    if (!Number.isSafeInteger(n) || n < 1) throw new RangeError(`empty range: ${n}`);
    const bits = bitLength(n);
    let drawn = this.getrandbits(bits);
    while (drawn >= n) drawn = this.getrandbits(bits);
    return drawn;
  }

  /** Uniform element of `range(start, stop, step)`; with one argument of `range(start)`. Throws a RangeError if empty. */
  randrange(start: number, stop?: number, step = 1): number {
    if (stop === undefined) return this.randbelow(start);
    if (step === 0) throw new RangeError('the step of a range is zero');
    return start + step * this.randbelow(Math.ceil((stop - start) / step));
  }

  /** Uniform element of `items`. Throws a RangeError when there are none. */
  choice<T>(items: ArrayLike<T>): T {
    return items[this.randbelow(items.length)]!;
  }

  /** Permutes `items` in place. */
  shuffle<T>(items: Swappable<T>): void {
    for (let i = items.length - 1; i > 0; i--) {
      const j = this.randbelow(i + 1);
      const item = items[i]!;
      items[i] = items[j]!;
      items[j] = item;
    }
  }

  /** `[k]` different elements of `population` in the order drawn. Throws a RangeError unless 0 <= k <= its size. */
  sample<T>(population: ArrayLike<T>, k: number): T[] {
    const n = population.length;
    if (!Number.isInteger(k) || k < 0 || k > n) throw new RangeError(`cannot draw ${k} of ${n}`);
    // CPython weighs the memory of a list against that of a set; the numbers drawn depend on its choice.
    const setSize = 21 + (k > 5 ? 4 ** Math.ceil(Math.log(k * 3) / Math.log(4)) : 0);
    return n <= setSize ? this.#sampleFromPool(population, k) : this.#sampleBySet(population, k);
  }

  #sampleFromPool<T>(population: ArrayLike<T>, k: number): T[] {
    const pool = Array.from(population);
    const drawn: T[] = [];
    for (let left = pool.length; left > pool.length - k; left--) {
      const j = this.randbelow(left);
      drawn.push(pool[j]!);
      pool[j] = pool[left - 1]!;
    }
    return drawn;
  }

  #sampleBySet<T>(population: ArrayLike<T>, k: number): T[] {
    const drawn = new Set<number>();
    while (drawn.size < k) drawn.add(this.randbelow(population.length));
    return Array.from(drawn, (j) => population[j]!);
  }
}

function bitLength(n: number): number {
  return n < 2 ** 32 ? 32 - Math.clz32(n) : 64 - Math.clz32(Math.floor(n / 2 ** 32));
}

/** 32-bit words of |seed|, lowest first; `[0]` for 0. */
function seedWords(seed: bigint): number[] {
  const words: number[] = [];
  let rest = seed < 0n ? -seed : seed;
  do {
    words.push(Number(BigInt.asIntN(32, rest)));
    rest >>= 32n;
  } while (rest > 0n);
  return words;
}

/** Initial state of MT19937 from a key: `init_by_array` of Matsumoto and Nishimura's mt19937ar.c (2002). */
function initByArray(key: readonly number[]): number[] {
  const state = initBySeed(19650218);
  let i = 1;
  const previous = () => state[i - 1]! ^ (state[i - 1]! >>> 30);
  const advance = () => {
    if (++i < stateWords) return;
    state[0] = state[stateWords - 1]!;
    i = 1;
  };
  for (let step = 0; step < Math.max(stateWords, key.length); step++) {
    const j = step % key.length;
    state[i] = ((state[i]! ^ Math.imul(previous(), 1664525)) + key[j]! + j) | 0;
    advance();
  }
  for (let step = 1; step < stateWords; step++) {
    state[i] = ((state[i]! ^ Math.imul(previous(), 1566083941)) - i) | 0;
    advance();
  }
  state[0] = 0x80000000 | 0;
  return state;
}

/** Initial state of MT19937 from one word: `init_genrand` of the same file. */
function initBySeed(seed: number): number[] {
  const state = [seed | 0];
  for (let i = 1; i < stateWords; i++) {
    const previous = state[i - 1]!;
    state.push((Math.imul(previous ^ (previous >>> 30), 1812433253) + i) | 0);
  }
  return state;
}
