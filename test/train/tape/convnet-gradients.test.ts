import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, test } from 'vitest';
import { buildConvnet } from '../../../src/train/models/convnet/convnet.js';
import { useTestEngine } from '../support/engine.js';
import { expectGradientsOfReference } from '../support/gradient-comparison.js';
import { convnetCases, randomImageBatch } from '../support/image-cases.js';
import { referenceConvnetLosses } from '../support/reference-convnet.js';

beforeAll(useTestEngine);

describe.each(convnetCases)('$name', ({ config, shape }) => {
  test('assembled gradients of every parameter equal those of tfjs', () => {
    tf.engine().startScope();
    expectGradientsOfReference(
      buildConvnet(config, { shape, hidePadding: false }),
      randomImageBatch(shape, 2, 6),
      (parameters, fields) => referenceConvnetLosses(config, shape, parameters, fields),
    );
    tf.engine().endScope();
  });
});
