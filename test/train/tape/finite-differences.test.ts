import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, test } from 'vitest';
import { transformerLossFloat64 } from '../../../src/probe/reference/transformer-float64.js';
import { normalCdfFloat64 } from '../../../src/probe/reference/float64-maths.js';
import { backward } from '../../../src/train/backward.js';
import { assembleGradients } from '../../../src/train/gradient.js';
import { buildTransformer } from '../../../src/train/models/transformer/transformer.js';
import { useTestEngine } from '../support/engine.js';
import { randomParameters, testStream } from '../support/random.js';
import { randomTextBatch, transformerCases } from '../support/transformer-cases.js';

beforeAll(useTestEngine);

describe.each(transformerCases)('$name', ({ config, shape }) => {
  const examples = 3;
  const model = buildTransformer(config, { shape, hidePadding: false });

  /** The batch of one replica, and its mean loss in float64 as a function of the parameters. */
  function problem() {
    const parameters = randomParameters(model, 1, testStream());
    const batch = randomTextBatch(shape, 1, examples, null);
    const field = (name: string, example: number): ArrayLike<number> =>
      tf.slice(batch[name]!, [0, example], [1, 1]).dataSync<'float32'>();
    const implicit = Array.from({ length: shape.queries }, (_, t) => t);
    const loss = (values: Map<string, Float64Array>): number => {
      let sum = 0;
      for (let example = 0; example < examples; example++) {
        const asked = {
          tokens: field('tokens', example),
          positions: batch['positions'] === undefined ? implicit : field('positions', example),
          labels: field('labels', example),
          weights: field('weights', example),
        };
        sum += transformerLossFloat64(config, shape.vocabularySize, values, asked) / examples;
      }
      return sum;
    };
    const values = new Map(
      Array.from(parameters, ([name, tensor]) => [name, Float64Array.from(tensor.dataSync())]),
    );
    return { parameters, batch, loss, values };
  }

  test('every gradient equals the central difference of the float64 loss', () => {
    const { parameters, batch, loss, values } = problem();
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
      const step = 1e-5;
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

test('the normal distribution function has full precision', () => {
  // scipy.stats.norm.cdf
  const expected: [number, number][] = [
    [0, 0.5],
    [1, 0.8413447460685429],
    [-2.5, 0.006209665325776132],
    [5, 0.9999997133484281],
    [-8, 6.220960574271785e-16],
  ];
  for (const [x, value] of expected) expect(Math.abs(normalCdfFloat64(x) / value - 1)).toBeLessThan(1e-12);
});
