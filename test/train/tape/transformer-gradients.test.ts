import { beforeAll, expect, test } from 'vitest';
import { buildTransformer } from '../../../src/train/models/transformer/transformer.js';
import { useTestEngine } from '../support/engine.js';
import { gradientDifferences } from '../support/gradient-comparison.js';
import { referenceLosses } from '../support/reference-transformer.js';
import { randomTextBatch, transformerCases } from '../support/transformer-cases.js';

beforeAll(useTestEngine);

test.each(transformerCases)(
  '$name: assembled gradients of every parameter equal those of tfjs',
  ({ config, shape }) => {
    const { loss, gradients } = gradientDifferences(
      buildTransformer(config, { shape, hidePadding: false }),
      randomTextBatch(shape, 2, 6, config.variableEmbedding?.width ?? null),
      (parameters, fields) => referenceLosses(config, shape.vocabularySize, parameters, fields),
    );
    expect(loss).toBeLessThan(1e-5);
    for (const [name, difference] of gradients) expect(difference, name).toBeLessThan(2e-4);
  },
);
