import type { RandomStream } from '../../../../data/random/streams.js';
import { unusable } from '../check.js';
import { absent } from '../estimate.js';
import type { Alternative, TestResult } from '../test-result.js';
import { extremity, permutationPValue, tieTolerance } from './p-value.js';
import { signFlips } from './sign-flips.js';
import type { PermutationOptions } from './sign-flips.js';

/** Options of the tag tests. */
export interface TagTestOptions extends PermutationOptions {
  /** `two-sided` by default. */
  readonly alternative?: Alternative;
}

/**
 * Tests "the tag makes no difference to these models" with tag-swap pairs: the two tags on the same entity, whose
 * labels are flipped at random, entity by entity within each seed. Statistic: mean over seeds of the seed's mean
 * difference. `differences`: `[seed][entity]`, tag + minus tag -. Exact up to 14 entities in all, random flips
 * beyond.
 *
 * The units are entities: it speaks of the trained models at hand, and a liking of one seed for one tag counts as
 * an effect. A statement about the method needs `signFlipTest` over the seeds' means.
 *
 * Absent without seeds, for a seed without entities, or a number that is not finite.
 * Throws a RangeError when `draws` is no positive integer.
 */
export function tagFlipTest(
  differences: readonly ArrayLike<number>[],
  stream: RandomStream,
  options: TagTestOptions = {},
): TestResult {
  const { alternative = 'two-sided' } = options;
  const reason = unusableSeeds(differences);
  if (reason !== null) return absent(reason);
  const terms = Float64Array.from(
    differences.flatMap((seed) =>
      Array.from(seed, (difference) => difference / (differences.length * seed.length)),
    ),
  );
  const streamState = stream.state();
  const { exact, total, vectors } = signFlips(terms.length, stream, options);
  const statistic = terms.reduce((sum, term) => sum + term, 0);
  const scale = terms.reduce((sum, term) => sum + Math.abs(term), 0);
  const threshold = extremity(statistic, alternative) - tieTolerance(scale);
  let extreme = 0;
  for (const signs of vectors) {
    let sum = 0;
    for (let i = 0; i < terms.length; i++) sum += signs[i]! * terms[i]!;
    if (extremity(sum, alternative) >= threshold) extreme++;
  }
  const sides = alternative === 'two-sided' ? 2 : 1;
  return {
    kind: 'value',
    test: 'tag-flip',
    statistic,
    pValue: permutationPValue({ extreme, total, exact }),
    alternative,
    smallestPValue: exact ? sides / total : 1 / (1 + total),
    unit: 'entity',
    units: terms.length,
    seeds: differences.length,
    resampling: exact ? null : { draws: total, streamState },
  };
}

/** Why `[seed][entity]` numbers cannot be analysed, or null. */
export function unusableSeeds(seeds: readonly ArrayLike<number>[]): string | null {
  if (seeds.length === 0) return 'no seeds';
  for (const [i, seed] of seeds.entries()) {
    const reason = unusable(seed, 1, 'entity');
    if (reason !== null) return `seed ${i + 1} of ${seeds.length}: ${reason}`;
  }
  return null;
}
