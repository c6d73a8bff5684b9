import { samplingOf } from '../../../data/samplers.js';
import { createStream } from '../../../data/random/streams.js';
import type { RandomStream } from '../../../data/random/streams.js';
import { batchMoments, batchNorms, populationMoments } from '../measures/batch-moments.js';
import { cosineOfMeans } from '../measures/cosine-of-means.js';
import { meanCosine } from '../measures/cosine.js';
import { everyExample, gramOf } from '../measures/gram.js';
import { gradientVariance } from '../measures/gradient-variance.js';
import { meanInnerProduct } from '../measures/inner-product.js';
import { twoBatchSizes } from '../measures/two-batch-sizes.js';
import { above, near, present, relative, resultOf } from './check.js';
import type { VerificationResult, Comparison } from './check.js';
import { range, subsetsOf } from './enumerate.js';
import { smallLoss } from './network.js';

const meanBy = <T>(items: readonly T[], value: (item: T) => number): number =>
  items.reduce((sum, item) => sum + value(item), 0) / items.length;

/** Every minibatch of 2 and of 5 of 8 examples: what the estimators give on average is the truth. */
function finite(): Comparison[] {
  const { start, gradients } = smallLoss('8,1');
  const gram = gramOf(gradients.map((gradient) => gradient(start)));
  const shuffled = samplingOf({ sampler: 'shuffle', batchSize: 5, examples: gram.size });
  const truth = present(gradientVariance(gram));
  const [small, large] = [2, 5].map((size) =>
    subsetsOf(range(gram.size), size).map((own) => present(batchNorms(gram, own))),
  );
  const single = large!.map((norms) => populationMoments(present(batchMoments(norms)), shuffled));
  const pair = present(
    twoBatchSizes(
      { size: 2, norm2: meanBy(small!, ({ norm2 }) => norm2) },
      { size: 5, norm2: meanBy(large!, ({ norm2 }) => norm2) },
    ),
  );
  const corrected = populationMoments(pair, shuffled);
  return [
    relative('|G|^2, two batch sizes', corrected.meanNorm2, truth.meanNorm2, 1e-12),
    relative('Gamma, two batch sizes', corrected.gamma, truth.gamma, 1e-12),
    relative(
      '|G|^2, one batch size',
      meanBy(single, ({ meanNorm2 }) => meanNorm2),
      truth.meanNorm2,
      1e-12,
    ),
    relative(
      'Gamma, one batch size',
      meanBy(single, ({ gamma }) => gamma),
      truth.gamma,
      1e-12,
    ),
    above('bias of |G|^2 without the correction', Math.abs(pair.meanNorm2 / truth.meanNorm2 - 1), 0.2),
  ];
}

const [dimensions, noise, groupSize, repetitions] = [100, 0.26, 8, 2000];

function noisy(centre: ArrayLike<number>, spread: number, stream: RandomStream): Float64Array {
  return Float64Array.from(centre, (value) => value + spread * stream.normal());
}

/** Two groups of 8 noisy gradients with true cosine 1/2. */
function groups(stream: RandomStream): Comparison[] {
  const axis = (...values: number[]): Float64Array =>
    Float64Array.from({ length: dimensions }, (_, p) => values[p] ?? 0);
  const [u, v] = [axis(1), axis(0.5, Math.sqrt(0.75))];
  const [a, b] = [range(groupSize), range(groupSize).map((i) => groupSize + i)];
  const grams = Array.from({ length: repetitions }, () =>
    gramOf([...a.map(() => noisy(u, noise, stream)), ...b.map(() => noisy(v, noise, stream))]),
  );
  const mean = (rows: readonly number[], columns: readonly number[]): number =>
    meanBy(grams, (gram) => present(meanInnerProduct(gram, rows, columns)));
  const reliability = 1 / (1 + (dimensions * noise ** 2) / groupSize);
  return [
    near(
      'cosine of noisy group means, U-statistic,',
      mean(a, b) / Math.sqrt(mean(a, a) * mean(b, b)),
      0.5,
      0.01,
    ),
    near(
      'their naive cosine',
      meanBy(grams, (gram) => present(cosineOfMeans(gram, a, b))),
      0.5 * reliability,
      0.01,
    ),
  ];
}

/** Cosine of random pairs: never 0 but `1 / (1 + B_simple)`. */
function randomPairs(stream: RandomStream): Comparison {
  const centre = Float64Array.from({ length: 300 }, (_, p) => Number(p === 0));
  const gram = gramOf(Array.from({ length: 800 }, () => noisy(centre, 0.2, stream)));
  const all = everyExample(gram);
  return near('cosine of random pairs', meanCosine(gram, all, all), 1 / (1 + 300 * 0.2 ** 2), 0.003);
}

/** V8: estimators on every subset of a finite population, and the cosines of groups and of random pairs. */
export function unbiasedEstimators(): VerificationResult {
  const stream = createStream(8, 'verify estimators');
  return resultOf([...finite(), ...groups(stream), randomPairs(stream)]);
}
