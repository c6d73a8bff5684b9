import { unusable, assertInteger } from '../check.js';
import type { RandomStream } from '../../../../data/random/streams.js';
import { absent } from '../estimate.js';
import { permutationPValue } from '../permutation/p-value.js';
import { defaultPermutations } from '../permutation/sign-flips.js';
import { midranks } from '../ranks.js';
import type { TestResult } from '../test-result.js';
import type { TrendOptions } from './jonckheere.js';

/**
 * Page's test for ordered arms that share their seeds (Page 1963): "within a seed the arms are alike" against a
 * rise or fall over the arms in the stated order. Statistic L = sum over arms of position * rank sum, ranks taken
 * within each seed, ties with mean ranks; two-sided: distance from the null mean n k (k+1)^2 / 4. `draws` random
 * permutations of each seed's ranks. `seeds`: `[seed][arm]`, arms in the predicted order.
 *
 * Absent for no seeds, fewer than 2 arms or a number that is not finite. Throws a RangeError when the seeds differ
 * in their number of arms or `draws` is no positive integer.
 */
export function pageTest(
  seeds: readonly ArrayLike<number>[],
  stream: RandomStream,
  options: TrendOptions = {},
): TestResult {
  const { draws = defaultPermutations, alternative = 'two-sided' } = options;
  assertInteger('draws', draws, 1);
  const arms = seeds[0]?.length ?? 0;
  if (seeds.some((seed) => seed.length !== arms)) {
    throw new RangeError(`seeds differ in arms: ${seeds.map((seed) => seed.length).join(', ')}`);
  }
  if (seeds.length === 0) return absent('no seeds');
  if (arms < 2) return absent(`${arms} arms, at least 2 needed`);
  for (const [i, seed] of seeds.entries()) {
    if (unusable(seed, 1, 'seed') !== null) return absent(`seed ${i + 1} has a number that is not finite`);
  }
  // Doubled ranks are integers, so that equal sums compare as equal.
  const ranks = seeds.map((seed) => Float64Array.from(midranks(Array.from(seed)), (rank) => 2 * rank));
  const sum = (): number =>
    ranks.reduce((all, row) => all + row.reduce((seed, rank, arm) => seed + (arm + 1) * rank, 0), 0);
  const centre = (seeds.length * arms * (arms + 1) ** 2) / 2;
  const extremity = (doubled: number): number => {
    if (alternative === 'two-sided') return Math.abs(doubled - centre);
    return alternative === 'greater' ? doubled : -doubled;
  };
  const observed = sum();
  const streamState = stream.state();
  let extreme = 0;
  for (let draw = 0; draw < draws; draw++) {
    for (const row of ranks) stream.shuffle(row);
    if (extremity(sum()) >= extremity(observed)) extreme++;
  }
  return {
    kind: 'value',
    test: 'page',
    statistic: observed / 2,
    pValue: permutationPValue({ extreme, total: draws, exact: false }),
    alternative,
    smallestPValue: 1 / (1 + draws),
    unit: 'seed',
    units: seeds.length,
    seeds: seeds.length,
    resampling: { draws, streamState },
  };
}
