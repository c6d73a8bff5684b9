import { describe, expect, it } from 'vitest';
import { mnistQaSchema } from '../../../data/mnist-qa/config.js';
import { buildMnistQa } from '../../../data/mnist-qa/experiment.js';
import { buildMnist, mnistConfig } from '../support/mnist-qa.js';
import { answerLoss, textLoss } from '../support/set-inclusion.js';

/** Messages of the schema, each with its path. */
function problems(changes: object): string[] {
  const result = mnistQaSchema.safeParse({ grid: 2, labels: 10, variables: 40, ...changes });
  return result.success
    ? []
    : result.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`);
}

describe('impossible configs are refused with the key and what to do', () => {
  it.each([
    [{ labels: 1 }, /^labels: /],
    [
      { grid: 1, variables: 11, heldOutCells: 0 },
      /^variables: 11 pairs .* only 10 grids of 1 x 1 digits; use fewer/,
    ],
    [{ heldOutCells: 4 }, /^heldOutCells: 4 cells are held out of 4/],
    [{ fractions: { qd1consis: 0.5, qd2incons: 0.4 } }, /^fractions: they sum to 0\.9/],
    [
      { mixture: { qd1consis: 1, qd2incons: 1, d1consis: 1 } },
      /^mixture\.d2consis: d2consis has variables but is never drawn/,
    ],
    [{ image: { pooling: 3 } }, /^image\.crop: 20 pixels cannot be averaged over squares of 3/],
    [{ image: { tagBlock: 5 } }, /^image\.tagBlock: tag squares of 5 pixels do not fill a strip of 24 x 4/],
    [{ image: { tagWhite: 7 } }, /^image\.tagDistance: a tag of 6 squares cannot have 7 white ones/],
  ])('%j', (changes, message) => {
    const [first] = problems(changes);
    expect(first).toMatch(message);
  });

  it.each([
    [
      'a subset of one variable has no derangement',
      { variables: 4 },
      /^data\.fractions: qd2incons has one variable, whose definition cannot be exchanged/,
    ],
    [
      'a crop larger than the digits',
      { image: { crop: 40, pooling: 4 } },
      /^data\.image\.crop: 40 pixels, but the images of mnist have 28 x 28/,
    ],
    [
      'tags that cannot differ so much',
      { image: { tagDistance: 5 } },
      /^data\.image\.tagDistance: no three tags of 6 squares/,
    ],
    ['digits that are not there', { digits: '/nowhere' }, /^\/nowhere\/train-images-idx3-ubyte: is missing/],
  ])('%s', (_, changes, message) => {
    expect(() => buildMnist(changes)).toThrow(message);
  });

  it('a loss on text', () => {
    expect(() => buildMnistQa(mnistConfig(), textLoss, 0)).toThrow(
      /^loss\.target: mnist-qa has no text to predict/,
    );
    expect(() => buildMnistQa({ ...mnistConfig(), heldOutCells: 9 }, answerLoss, 0)).toThrow(
      /^data\.heldOutCells: /,
    );
  });
});
