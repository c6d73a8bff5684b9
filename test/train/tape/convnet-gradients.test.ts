import { beforeAll, describe, expect, test } from 'vitest';
import { buildConvnet } from '../../../src/train/models/convnet/convnet.js';
import { buildConvnext } from '../../../src/train/models/convnext/convnext.js';
import { useTestEngine } from '../support/engine.js';
import { gradientDifferences } from '../support/gradient-comparison.js';
import { convnetCases, convnextCase, randomImageBatch } from '../support/image-cases.js';
import { referenceConvnetLosses } from '../support/reference-convnet.js';
import { referenceConvnextLosses } from '../support/reference-convnext.js';

beforeAll(useTestEngine);

describe('assembled gradients of every parameter equal those of tfjs', () => {
  test.each(convnetCases)('$name', ({ config, shape }) => {
    const { loss, gradients } = gradientDifferences(
      buildConvnet(config, { shape, hidePadding: false }),
      randomImageBatch(shape, 2, 6),
      (parameters, fields) => referenceConvnetLosses(config, shape, parameters, fields),
    );
    expect(loss).toBeLessThan(1e-5);
    for (const [name, difference] of gradients) expect(difference, name).toBeLessThan(2e-4);
  });

  test('ConvNeXt', () => {
    const { config, shape } = convnextCase;
    const { loss, gradients } = gradientDifferences(
      buildConvnext(config, { shape, hidePadding: false }),
      randomImageBatch(shape, 2, 6),
      (parameters, fields) => referenceConvnextLosses(config, shape, parameters, fields),
    );
    expect(loss).toBeLessThan(1e-5);
    for (const [name, difference] of gradients) expect(difference, name).toBeLessThan(2e-4);
  });
});
