import { samplingOf } from '../../../data/samplers.js';
import { centredMatched } from '../measures/centred.js';
import { conflictRate } from '../measures/conflict-rate.js';
import { confusion } from '../measures/confusion.js';
import { cosine } from '../measures/cosine.js';
import { diversity } from '../measures/diversity.js';
import { expectedMinibatchNorm2 } from '../measures/expected-minibatch-norm.js';
import { everyExample, gramOf } from '../measures/gram.js';
import { gradientSums } from '../measures/gradient-sums.js';
import { gradientVariance } from '../measures/gradient-variance.js';
import { length } from '../measures/hessian-vector.js';
import { meanInnerProduct } from '../measures/inner-product.js';
import { noiseScale } from '../measures/noise-scale.js';
import { stiffness } from '../measures/stiffness.js';
import { varianceGradient } from '../measures/variance-gradient.js';
import { present, relative, resultOf } from './check.js';
import type { VerificationResult } from './check.js';
import { smallLoss } from './network.js';

/** V0: every measure of one Gram matrix, against numpy's on the same eight gradients. */
export function oneGram(): VerificationResult {
  const { start, gradients, loss, batch } = smallLoss('8,1');
  const gram = gramOf(gradients.map((gradient) => gradient(start)));
  const all = everyExample(gram);
  const sums = present(gradientSums(gram));
  const moments = present(gradientVariance(gram));
  const stiff = present(stiffness(gram, all, all));
  const [definitions, questions] = [all.slice(0, 4), all.slice(4)];
  const matched = present(meanInnerProduct(gram, definitions, questions, { exclude: (i, j) => j !== i + 4 }));
  const mismatched = present(
    meanInnerProduct(gram, definitions, questions, { exclude: (i, j) => j === i + 4 }),
  );
  const offDiagonal = meanInnerProduct(gram, all, all);
  const pairs = samplingOf({ sampler: 'shuffle', batchSize: 2, examples: 8 });
  const meanLoss = all.reduce((sum, i) => sum + loss(i, start), 0) / all.length;
  const exact: readonly (readonly [string, number | string, number])[] = [
    ['Gamma', moments.gamma, 1.6711373206],
    ['|G|^2', moments.meanNorm2, 0.9565714486],
    ['mean loss', meanLoss, 1.0768916406],
    ['S1', sums.norms, 21.0216701529],
    ['S2', sums.products, 61.2205727074],
    ['noise scale', noiseScale([moments]), 1.7470073177],
    ['diversity', diversity(gram), 0.3433759147],
    ['smallest product', present(confusion(gram)).smallest, -1.2255002046],
    ['K01', gram.at(0, 1), 5.6551022882],
    ['c01', cosine(gram, 0, 1), 0.7470493048],
    ['mean cosine', stiff.cosine, 0.5467856688],
    ['sign stiffness', stiff.sign, 0.7857142857],
    ['conflict rate', conflictRate(gram, all, all), 0.1071428571],
    ['E|g_2|^2', expectedMinibatchNorm2(moments, pairs), 1.6727731574],
    ['mean off the diagonal', offDiagonal, 0.7178375456],
    ['|G|^2 - Gamma/(N-1)', moments.meanNorm2 - moments.gamma / 7, 0.7178375456],
    ['matched - mismatched', matched - mismatched, -0.4339961711],
    [
      'n/(n-1) centred matched',
      (4 / 3) * present(centredMatched(gram, definitions, questions)),
      -0.4339961711,
    ],
    ['|grad C|', length(batch()(start)), 0.9780447068],
  ];
  return resultOf([
    ...exact.map(([name, value, expected]) => relative(name, value, expected, 1e-9)),
    relative('|grad Gamma|', length(varianceGradient(gradients, start)), 2.2610594, 1e-6),
  ]);
}
