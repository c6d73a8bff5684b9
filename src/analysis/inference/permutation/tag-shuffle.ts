import type { RandomStream } from '../../../../data/random/streams.js';
import { assertInteger } from '../check.js';
import { absent } from '../estimate.js';
import type { TestResult } from '../test-result.js';
import { extremity, permutationPValue, tieTolerance } from './p-value.js';
import { defaultPermutations } from './sign-flips.js';
import { unusableSeeds } from './tag-flip.js';
import type { TagTestOptions } from './tag-flip.js';

/** The entities of one seed by their tag: different entities, as many of each as there are. */
export interface TaggedEntities {
  /** `[entity]` numbers of the entities with tag +. */
  readonly plus: ArrayLike<number>;
  /** `[entity]` numbers of the entities with tag -. */
  readonly minus: ArrayLike<number>;
}

/**
 * Tests "the tag makes no difference to these models" when each entity has one tag only: the labels are permuted
 * among the entities of each seed, keeping their numbers. Statistic: mean over seeds of mean(plus) - mean(minus).
 * `draws` random permutations. About units and reach see `tagFlipTest`, which is far more powerful where the same
 * entity has been probed with both tags.
 *
 * Absent without seeds, for a seed without entities of a tag, or a number that is not finite.
 * Throws a RangeError when `draws` is no positive integer.
 */
export function tagShuffleTest(
  seeds: readonly TaggedEntities[],
  stream: RandomStream,
  options: TagTestOptions = {},
): TestResult {
  const { draws = defaultPermutations, alternative = 'two-sided' } = options;
  assertInteger('draws', draws, 1);
  const reason =
    unusableSeeds(seeds.map(({ plus }) => plus)) ?? unusableSeeds(seeds.map(({ minus }) => minus));
  if (reason !== null) return absent(reason);
  const streamState = stream.state();
  const pools = seeds.map(({ plus, minus }) => new Pool(plus, minus));
  const average = (of: (pool: Pool) => number): number =>
    pools.reduce((sum, pool) => sum + of(pool), 0) / pools.length;
  const statistic = average((pool) => pool.difference());
  const scale = average((pool) => pool.scale);
  const threshold = extremity(statistic, alternative) - tieTolerance(scale);
  let extreme = 0;
  for (let draw = 0; draw < draws; draw++) {
    const permuted = average((pool) => pool.permute(stream).difference());
    if (extremity(permuted, alternative) >= threshold) extreme++;
  }
  return {
    kind: 'value',
    test: 'tag-shuffle',
    statistic,
    pValue: permutationPValue({ extreme, total: draws, exact: false }),
    alternative,
    smallestPValue: 1 / (1 + draws),
    unit: 'entity',
    units: pools.reduce((sum, pool) => sum + pool.size, 0),
    seeds: pools.length,
    resampling: { draws, streamState },
  };
}

/** The entities of one seed, those that bear the label + first. */
class Pool {
  /** Sum of the sizes of the terms of the statistic. */
  readonly scale: number;
  readonly #values: Float64Array;
  readonly #plus: number;
  readonly #total: number;

  constructor(plus: ArrayLike<number>, minus: ArrayLike<number>) {
    this.#values = Float64Array.from([...Array.from(plus), ...Array.from(minus)]);
    this.#plus = plus.length;
    this.#total = this.#values.reduce((sum, value) => sum + value, 0);
    const sizes = this.#values.reduce((sum, value) => sum + Math.abs(value), 0);
    this.scale = sizes / Math.min(plus.length, minus.length);
  }

  get size(): number {
    return this.#values.length;
  }

  /** mean(plus) - mean(minus) under the present labels. */
  difference(): number {
    let sum = 0;
    for (let i = 0; i < this.#plus; i++) sum += this.#values[i]!;
    return sum / this.#plus - (this.#total - sum) / (this.size - this.#plus);
  }

  /** Draws the bearers of + anew: the first steps of a Fisher-Yates shuffle. */
  permute(stream: RandomStream): this {
    const values = this.#values;
    for (let i = 0; i < this.#plus; i++) {
      const j = i + stream.integer(values.length - i);
      const value = values[i]!;
      values[i] = values[j]!;
      values[j] = value;
    }
    return this;
  }
}
