import { createStream } from '../../../data/random/streams.js';
import { allPairsMean } from '../inference/u-statistics/all-pairs.js';
import { moments } from '../inference/spread.js';
import { everyExample, gramOf } from '../measures/gram.js';
import { pairProducts } from '../measures/pairs.js';
import { below, near, present, resultOf } from './check.js';
import type { CheckResult } from './check.js';

const [entities, dimensions, repetitions] = [30, 40, 800];

/** V13: of intervals of 95 %, those over entities cover the truth, those of pairs taken for independent do not. */
export function intervalCoverage(): CheckResult {
  const stream = createStream(13, 'verify coverage');
  let [byEntity, byPair] = [0, 0];
  for (let repetition = 0; repetition < repetitions; repetition++) {
    const gram = gramOf(
      Array.from({ length: entities }, () =>
        Float64Array.from({ length: dimensions }, () => 1 / Math.sqrt(dimensions) + 0.6 * stream.normal()),
      ),
    );
    const all = everyExample(gram);
    const products = all.flatMap((i) => all.map((j) => gram.at(i, j)));
    const estimate = allPairsMean(products, entities);
    if (estimate.kind === 'value' && estimate.interval !== null) {
      const [low, high] = estimate.interval;
      if (low < 1 && high > 1) byEntity++;
    }
    const { mean, standardDeviation } = moments(Array.from(present(pairProducts(gram, all, all))));
    const pairs = (entities * (entities - 1)) / 2;
    if (Math.abs(mean - 1) < (1.96 * standardDeviation!) / Math.sqrt(pairs)) byPair++;
  }
  return resultOf([
    near('coverage of intervals over entities', byEntity / repetitions, 0.945, 0.025),
    below('of pairs taken for independent', byPair / repetitions, 0.75),
  ]);
}
