import { describe, expect, test } from 'vitest';
import { samplingOf } from '../../../data/samplers.js';
import { batchMoments, batchNorms } from '../../../src/analysis/measures/batch-moments.js';
import { centredCosines, centredMatched, centredProducts } from '../../../src/analysis/measures/centred.js';
import { conflictRate } from '../../../src/analysis/measures/conflict-rate.js';
import { confusion } from '../../../src/analysis/measures/confusion.js';
import { coordinateMomentsOf } from '../../../src/analysis/measures/coordinate-moments.js';
import { cosineOfMeans } from '../../../src/analysis/measures/cosine-of-means.js';
import { cosinesToMean } from '../../../src/analysis/measures/cosine-to-mean.js';
import { cosine, meanCosine } from '../../../src/analysis/measures/cosine.js';
import { diversity } from '../../../src/analysis/measures/diversity.js';
import { evidenceBasedCriterion } from '../../../src/analysis/measures/evidence-based-criterion.js';
import { expectedMinibatchNorm2 } from '../../../src/analysis/measures/expected-minibatch-norm.js';
import { gradientSnr } from '../../../data/gradient-snr.js';
import { gradientVariance } from '../../../src/analysis/measures/gradient-variance.js';
import { everyExample, gramOf } from '../../../src/analysis/measures/gram.js';
import { innerProductTest } from '../../../src/analysis/measures/inner-product-test.js';
import { meanInnerProduct } from '../../../src/analysis/measures/inner-product.js';
import { normTest } from '../../../src/analysis/measures/norm-test.js';
import { adamDiagonal, preconditionedCosine } from '../../../src/analysis/measures/preconditioned-cosine.js';
import { signAgreement } from '../../../src/analysis/measures/sign-agreement.js';
import { stiffness } from '../../../src/analysis/measures/stiffness.js';
import { unbiasedCosineOfMeans } from '../../../src/analysis/measures/unbiased-cosine-of-means.js';
import { between, expected, expectedRow, present, reference } from './support/gradients.js';

const { definitions, questions, secondMoments } = reference;
const vectors = [...definitions, ...questions];
const gram = gramOf(vectors);
const all = everyExample(gram);
const [D, Q] = [between(0, 7), between(7, 12)];
/** Definition i and question i are about the same entity. */
const unlike = { exclude: (i: number, j: number): boolean => j === i + 7 };
const moments = present(gradientVariance(gram));
const coordinates = present(coordinateMomentsOf(vectors));
const cross = present(stiffness(gram, D, Q));
const sample = present(batchMoments(present(batchNorms(gram))));

describe('numpy, from the gradients themselves, has the same', () => {
  test.each([
    ['meanInner', meanInnerProduct(gram, D, Q)],
    ['meanInnerUnlike', meanInnerProduct(gram, D, Q, unlike)],
    ['meanInnerWithin', meanInnerProduct(gram, D, D)],
    ['cosine01', cosine(gram, 0, 1)],
    ['meanCosine', meanCosine(gram, D, Q)],
    ['meanCosineWithin', meanCosine(gram, D, D)],
    ['cosineOfMeans', cosineOfMeans(gram, D, Q)],
    ['unbiasedCosine', unbiasedCosineOfMeans(gram, D, Q)],
    ['unbiasedCosineUnlike', unbiasedCosineOfMeans(gram, D, Q, unlike)],
    ['centredCosine00', present(centredCosines(gram, D, Q))[0]!],
    ['centredMatched', centredMatched(gram, D.slice(0, 5), Q)],
    ['signStiffness', cross.sign],
    ['meanCosine', cross.cosine],
    ['smallest', present(confusion(gram)).smallest],
    ['diversity', diversity(gram)],
    ['conflictRate', conflictRate(gram, all, all)],
    ['signAgreement', signAgreement(vectors[0]!, vectors[1]!)],
    ['preconditioned', preconditionedCosine(vectors[0]!, vectors[7]!, adamDiagonal(secondMoments, 0.1))],
    ['gamma', moments.gamma],
    ['meanNorm2', moments.meanNorm2],
    ['traceSigma', sample.traceSigma],
    ['offDiagonal', sample.meanNorm2],
    ['gsnr', present(gradientSnr(coordinates)).mean],
    ['evidence', evidenceBasedCriterion(coordinates)],
    ['normTest', normTest(present(batchNorms(gram)))],
    ['innerProductTest', innerProductTest(gram)],
  ])('%s', (name, value) => {
    expect(value).toBeCloseTo(expected(name), 11);
  });

  test('cosines to the mean of the others', () => {
    const cosines = present(cosinesToMean(gram));
    expectedRow('cosinesToMean').forEach((own, i) => expect(cosines[i]).toBeCloseTo(own, 12));
  });

  test('centred inner products', () => {
    const products = present(centredProducts(gram, D, Q));
    expectedRow('centred').forEach((own, i) => expect(products[i]).toBeCloseTo(own, 11));
  });

  test('squared norms of minibatches, averaged over all there are', () => {
    const laws = [1, 2, 5, 12].map((batchSize) =>
      expectedMinibatchNorm2(moments, samplingOf({ sampler: 'shuffle', batchSize, examples: 12 })),
    );
    expectedRow('subsetNorm2').forEach((own, i) => expect(laws[i]).toBeCloseTo(own, 11));
  });
});

test('measuring leaves the gradients as they were', () => {
  const before = structuredClone(vectors);
  const products = gramOf(vectors);
  const copy = all.flatMap((i) => all.map((j) => products.at(i, j)));
  for (const measure of [
    diversity,
    batchNorms,
    innerProductTest,
    cosinesToMean,
    gradientVariance,
    confusion,
  ]) {
    measure(products);
  }
  expect(vectors).toEqual(before);
  expect(all.flatMap((i) => all.map((j) => products.at(i, j)))).toEqual(copy);
});
