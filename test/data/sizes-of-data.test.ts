import { expect, test } from 'vitest';
import { buildSetInclusion, setInclusion } from '../../data/set-inclusion/experiment.js';
import { setInclusionSchema } from '../../data/set-inclusion/config.js';
import { sizesOfData } from '../../data/sizes-of-data.js';

test('sizes measured on data are those that arithmetic gives', () => {
  const config = setInclusionSchema.parse({
    variables: 60,
    maxNumber: 7,
    listLength: 3,
    intersection: 1,
    labelFlipProbability: 0,
    fractions: { qd1consis: 0.4, qd2incons: 0.4, d1consis: 0.1, d2consis: 0.1 },
    alpha: 1,
    definitionOrder: 'tve',
    format: 'compact',
    names: 'used',
    seedStage2: 0,
  });
  const loss = { target: 'answer', normalisation: 'example', includePadding: false } as const;
  const measured = sizesOfData(buildSetInclusion(config, loss, 0));
  const byArithmetic = setInclusion.sizes(config, loss);
  const { shape, groups, testRows, largestTest, heldOut } = byArithmetic;
  expect(measured).toMatchObject({ shape, groups, testRows, largestTest, heldOut });
  for (const part of ['stage1', 'stage2', 'full'] as const) {
    expect(measured.training(part)).toEqual(byArithmetic.training(part));
  }
});
