import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, test } from 'vitest';
import { createStream } from '../../../data/random/streams.js';
import { loadConfig } from '../../../src/config/load.js';
import { runSchema } from '../../../src/run/config.js';
import { planRun } from '../../support/plan-run.js';
import { forward } from '../../../src/train/backward.js';
import { convnetSchema } from '../../../src/train/models/convnet/config.js';
import { buildConvnet } from '../../../src/train/models/convnet/convnet.js';
import { parameterCount } from '../../../src/train/models/model.js';
import { buildModel, modelWidth } from '../../../src/train/models/registry.js';
import { useTestEngine } from '../support/engine.js';
import { imageShape } from '../support/image-cases.js';

beforeAll(useTestEngine);

const modelOf = (file: string) => {
  const { config } = loadConfig(file, runSchema, ['data.variables=16', 'data.testImages=1']);
  return { config, model: planRun(config, [0]).model };
};

describe("the recipe's net", () => {
  const { config, model } = modelOf('configs/mnist-qa.yaml');

  test('has the parameters of the recipe, 524k', () => {
    const sizes = Object.fromEntries(model.parameters.map(({ name, shape }) => [name, shape]));
    expect(sizes).toMatchObject({
      'convolutions.0.weight': [25, 24],
      'convolutions.1.weight': [216, 48],
      'convolutions.2.weight': [432, 64],
      'trunk_norm.weight': [384],
      'hidden.0.weight': [384, 512],
      'output.weight': [512, 44],
    });
    expect(parameterCount(model)).toBe(523_916);
    expect(modelWidth(config.model)).toBe(64);
  });

  test('starts as PyTorch does: uniform in +-1 / sqrt(fan-in), norms at one and zero', () => {
    const random = createStream(0, 'initialisation');
    const bounds: Record<string, number> = {
      'convolutions.1.weight': 1 / Math.sqrt(216),
      'convolutions.1.bias': 1 / Math.sqrt(216),
      'hidden.0.weight': 1 / Math.sqrt(384),
      'output.bias': 1 / Math.sqrt(512),
    };
    for (const { name, initialise } of model.parameters) {
      const values = initialise(random);
      if (name.includes('norm')) {
        const expected = name.endsWith('weight') ? 1 : 0;
        expect(values.every((value) => value === expected)).toBe(true);
      }
      const bound = bounds[name];
      if (bound === undefined) continue;
      const largest = values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
      expect(largest).toBeLessThanOrEqual(bound);
      expect(largest).toBeGreaterThan(0.85 * bound);
    }
  });
});

test("the paper's preset is ConvNeXt V2 Tiny: 27.9M parameters without its 1000-class head", () => {
  // timm counts 27,866,496 parameters of convnextv2_tiny with num_classes 0 and three channels; with one channel the stem
  // has 2 x 16 x 96 weights less, and the head of 9 x 3 answers has 768 x 27 + 27.
  expect(parameterCount(modelOf('configs/mnist-qa-paper.yaml').model)).toBe(
    27_866_496 - 2 * 16 * 96 + 768 * 27 + 27,
  );
});

test('logits do not depend on the other examples of a batch', () => {
  const { model } = modelOf('configs/mnist-qa-smoke.yaml');
  tf.engine().startScope();
  const random = createStream(1, 'initialisation');
  const parameters = new Map(
    model.parameters.map(({ name, shape, initialise }) => [
      name,
      tf.tensor(initialise(random), [1, ...shape]),
    ]),
  );
  const image = tf.randomUniform([1, 3, 28, 24, 1], 0, 1, 'float32', 3);
  const labels = tf.zeros([1, 3, 4], 'int32');
  const weights = tf.ones([1, 3, 4]);
  const all = forward(model, parameters, { image, labels, weights }).losses.dataSync();
  for (let example = 0; example < 3; example++) {
    const own = Object.fromEntries(
      Object.entries({ image, labels, weights }).map(([name, x]) => [
        name,
        tf.slice(x, [0, example], [1, 1]),
      ]),
    );
    expect(forward(model, parameters, own).losses.dataSync()[0]).toBeCloseTo(all[example]!, 5);
  }
  tf.engine().endScope();
});

describe('models that do not fit their data are refused', () => {
  const trunk = (convolutions: object[]) =>
    convnetSchema.parse({ kind: 'convnet', convolutions, hidden: [4] });
  const context = { shape: imageShape(6, 6), hidePadding: false };

  test('a window larger than its input', () => {
    expect(() =>
      buildConvnet(
        trunk([
          { channels: 2, kernel: 3, stride: 2 },
          { channels: 2, kernel: 3 },
        ]),
        context,
      ),
    ).toThrow(/^model\.convolutions\.1: a window of 3 x 3 does not fit its input of 2 x 2; lower kernel/);
  });

  test('too many stages', () => {
    const { config } = modelOf('configs/mnist-qa-paper.yaml');
    expect(() => buildModel(config.model, context)).toThrow(
      /^model\.stages\.1: a picture of 1 x 1 is too small/,
    );
  });

  test('images for a text model, texts for an image model', () => {
    const text = loadConfig('configs/set-inclusion-smoke.yaml', runSchema).config;
    expect(() => buildModel(text.model, context)).toThrow('needs an experiment on text');
    const images = loadConfig('configs/mnist-qa-smoke.yaml', runSchema).config;
    expect(() => planRun({ ...text, model: images.model }, [0])).toThrow(
      'model.kind convnet needs an experiment on images',
    );
  });
});
