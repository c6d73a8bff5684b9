import { createStream } from '../../../data/random/streams.js';
import type { RandomStream } from '../../../data/random/streams.js';
import { hierarchicalMean } from '../inference/bootstrap/hierarchical-mean.js';
import type { Estimate } from '../inference/estimate.js';
import { meanOverSeeds } from '../inference/seeds/mean.js';
import { below, near, resultOf } from './check.js';
import type { VerificationResult } from './check.js';

const [seeds, entities, truth] = [8, 25, 0.3];

/** Values of entities nested in seeds: both levels are noisy. */
function sample(stream: RandomStream): number[][] {
  return Array.from({ length: seeds }, () => {
    const centre = truth + 0.2 * stream.normal();
    return Array.from({ length: entities }, () => centre + 0.5 * stream.normal());
  });
}

const meanOf = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length;

const covers = (estimate: Estimate): boolean =>
  estimate.kind === 'value' &&
  estimate.interval !== null &&
  estimate.interval[0] <= truth &&
  estimate.interval[1] >= truth;

/** V13: of intervals of 95 %, those that reports show cover the truth; entities of all seeds taken for independent do not. */
export function intervalCoverage(): VerificationResult {
  const stream = createStream(13, 'verify coverage');
  const coverage = (repetitions: number, interval: (values: number[][]) => Estimate): number => {
    let covered = 0;
    for (let i = 0; i < repetitions; i++) if (covers(interval(sample(stream)))) covered++;
    return covered / repetitions;
  };
  const overSeeds = coverage(2000, (values) => meanOverSeeds(values.map(meanOf)));
  const bootstrap = coverage(300, (values) => hierarchicalMean(values, stream, { draws: 400 }));
  const pooled = coverage(2000, (values) => meanOverSeeds(values.flat(), { unit: 'entity' }));
  return resultOf([
    near('coverage of t intervals over seeds', overSeeds, 0.95, 0.02),
    near('of the hierarchical bootstrap', bootstrap, 0.945, 0.045),
    below('of entities of all seeds taken for independent', pooled, 0.75),
  ]);
}
