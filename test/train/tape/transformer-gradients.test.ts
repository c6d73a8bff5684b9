import { beforeAll, describe, test } from 'vitest';
import { buildTransformer } from '../../../src/train/models/transformer/transformer.js';
import { useTestEngine } from '../support/engine.js';
import { expectGradientsOfReference } from '../support/gradient-comparison.js';
import { referenceLosses } from '../support/reference-transformer.js';
import { randomTextBatch, transformerCases } from '../support/transformer-cases.js';

beforeAll(useTestEngine);

describe.each(transformerCases)('$name', ({ config, shape }) => {
  test('assembled gradients of every parameter equal those of tfjs', () => {
    expectGradientsOfReference(
      buildTransformer(config, { shape, hidePadding: false }),
      randomTextBatch(shape, 2, 6, config.variableEmbedding?.width ?? null),
      (parameters, fields) => referenceLosses(config, shape.vocabularySize, parameters, fields),
    );
  });
});
