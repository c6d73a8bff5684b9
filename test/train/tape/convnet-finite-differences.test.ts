import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, test } from 'vitest';
import { convnetLossFloat64 } from '../support/convnet-float64.js';
import { backward } from '../../../src/train/backward.js';
import { assembleGradients } from '../../../src/train/gradient.js';
import { buildConvnet } from '../../../src/train/models/convnet/convnet.js';
import { useTestEngine } from '../support/engine.js';
import { convnetCases, randomImageBatch } from '../support/image-cases.js';
import { randomParameters, testStream } from '../support/random.js';

beforeAll(useTestEngine);

describe.each(convnetCases)('$name', ({ config, shape }) => {
  test('every gradient equals the central difference of the float64 loss', () => {
    const examples = 2;
    const model = buildConvnet(config, { shape, hidePadding: false });
    const parameters = randomParameters(model, 1, testStream());
    const batch = randomImageBatch(shape, 1, examples);
    const values = new Map(
      Array.from(parameters, ([name, tensor]) => [name, Float64Array.from(tensor.dataSync())]),
    );
    const field = (name: keyof typeof batch, example: number): ArrayLike<number> => {
      const all = batch[name].dataSync();
      return all.subarray((all.length / examples) * example, (all.length / examples) * (example + 1));
    };
    const { height, width, channels } = shape;
    const loss = (own: ReadonlyMap<string, Float64Array>): number => {
      let sum = 0;
      for (let example = 0; example < examples; example++) {
        const [image, labels, weights] = (['image', 'labels', 'weights'] as const).map((name) =>
          field(name, example),
        );
        sum +=
          convnetLossFloat64(config, own, {
            image: image!,
            labels: labels!,
            weights: weights!,
            height,
            width,
            channels,
          }) / examples;
      }
      return sum;
    };
    const result = backward(model, parameters, batch, tf.fill([1, examples], 1 / examples));
    expect(tf.mean(result.losses).dataSync()[0]).toBeCloseTo(loss(values), 4);
    const { total } = assembleGradients(result.uses, 1);
    const random = testStream(5);
    for (const { name } of model.parameters) {
      // A random direction in the space of one parameter, of unit length.
      const own = values.get(name)!;
      const raw = own.map(() => random.normal());
      const length = Math.sqrt(raw.reduce((sum, x) => sum + x * x, 0));
      const direction = raw.map((x) => x / length);
      const step = 1e-6;
      const moved = (sign: 1 | -1): number =>
        loss(new Map([...values, [name, own.map((x, i) => x + sign * step * direction[i]!)]]));
      const difference = (moved(1) - moved(-1)) / (2 * step);
      const gradient = total.get(name)!.dataSync<'float32'>();
      const slope = direction.reduce((sum, x, i) => sum + x * gradient[i]!, 0);
      const norm = Math.sqrt(gradient.reduce((sum, x) => sum + x * x, 0));
      expect(Math.abs(slope - difference), name).toBeLessThan(2e-5 * (norm + 1));
    }
  });
});
