import { samplingOf, type Sampling } from '../../../data/samplers.js';
import { gramOf } from '../measures/gram.js';
import type { Gram } from '../measures/gram.js';
import { gradientVariance } from '../measures/gradient-variance.js';
import { expectedMinibatchNorm2 } from '../measures/expected-minibatch-norm.js';
import { relative, resultOf, present } from './check.js';
import type { VerificationResult } from './check.js';
import { partitionsOf, range } from './enumerate.js';
import { smallLoss } from './network.js';
import type { DataName } from './network.js';

/** Mean of `(1/m) sum |g_k|^2` over partitions into batches. */
export function meanBatchNorm2(gram: Gram, partitions: readonly (readonly (readonly number[])[])[]): number {
  let sum = 0;
  for (const batches of partitions) {
    for (const batch of batches) sum += present(gradientVariance(gram, batch)).meanNorm2 / batches.length;
  }
  return sum / partitions.length;
}

const shuffled = (batchSize: number, examples: number): Sampling =>
  samplingOf({ sampler: 'shuffle', batchSize, examples });

const cases: readonly (readonly [DataName, batchSize: number, golden: number])[] = [
  ['6,2', 2, 0.758185],
  ['6,2', 3, 0.379092],
  ['8,2', 2, 1.81026],
  ['8,2', 4, 0.60342],
];

/** V2: over all partitions into batches, the variance of a batch mean is `(N-B)/(N-1) Gamma / B`. */
export function partitionAverage(): VerificationResult {
  return resultOf(
    cases.flatMap(([name, batchSize, golden]) => {
      const { start, gradients } = smallLoss(name);
      const gram = gramOf(gradients.map((gradient) => gradient(start)));
      const moments = present(gradientVariance(gram));
      const observed = meanBatchNorm2(gram, partitionsOf(range(gram.size), batchSize)) - moments.meanNorm2;
      const law = expectedMinibatchNorm2(moments, shuffled(batchSize, gram.size)) - moments.meanNorm2;
      const label = `variance of the mean of ${batchSize} of ${gram.size}`;
      return [relative(`${label}, enumerated`, observed, law, 1e-9), relative(label, law, golden, 1e-5)];
    }),
  );
}
