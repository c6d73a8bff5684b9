import * as tf from '@tensorflow/tfjs-core';
import type { TextShape } from '../../data/experiment.js';
import { createStream, type RandomStream } from '../../data/random/streams.js';
import { backward } from '../train/backward.js';
import { assembleGradients } from '../train/gradient.js';
import type { Model } from '../train/models/model.js';
import { transformerSchema } from '../train/models/transformer/config.js';
import { buildTransformer } from '../train/models/transformer/transformer.js';
import { transformerLossFloat64 } from './reference/transformer-float64.js';

/** One check of the engine's numbers. */
export interface SelfCheck {
  readonly name: string;
  readonly passed: boolean;
  /** What was measured, and the bound it is held against. */
  readonly detail: string;
}

const rows = 12;
const config = transformerSchema.parse({
  kind: 'transformer',
  layers: 2,
  width: 32,
  heads: 4,
  feedForward: 64,
  positions: 'rotary',
  residual: 'parallel',
  initialisation: { kind: 'scaled' },
});
const shape: TextShape = {
  modality: 'text',
  vocabularySize: 20,
  variables: 0,
  outputSize: 20,
  blockSize: rows,
  queries: 1,
  padToken: 0,
};

/**
 * Checks the present engine on a small transformer: an example's gradient is the same alone and inside a padded
 * batch, and loss and gradient agree with a float64 computation that shares nothing with the engine.
 */
export function selfTest(): SelfCheck[] {
  const engine = tf.engine();
  engine.startScope();
  try {
    const model = buildTransformer(config, { shape, hidePadding: false });
    const random = createStream(0, 'self-test');
    const values = new Map(model.parameters.map(({ name, initialise }) => [name, initialise(random)]));
    const example = drawExample(random, rows);
    return [aloneAgainstBatch(model, values, example, random), ...againstFloat64(model, values, example)];
  } finally {
    engine.endScope();
  }
}

interface Example {
  readonly tokens: readonly number[];
  readonly position: number;
  readonly label: number;
}

function drawExample(random: RandomStream, length: number): Example {
  const tokens = Array.from({ length }, () => 1 + random.integer(shape.vocabularySize - 1));
  return { tokens, position: length - 1, label: random.integer(shape.outputSize) };
}

/** Gradient of the first example in a batch padded to `blockSize`, and all losses. */
function firstGradient(
  model: Model,
  values: ReadonlyMap<string, Float32Array>,
  examples: readonly Example[],
  blockSize: number,
): { gradient: Map<string, Float32Array>; loss: number } {
  const parameters = new Map(
    model.parameters.map(({ name, shape }) => [name, tf.tensor(values.get(name)!, [1, ...shape])]),
  );
  const padded = examples.map(({ tokens }) => [
    ...tokens,
    ...new Array<number>(blockSize - tokens.length).fill(shape.padToken),
  ]);
  const batch = {
    tokens: tf.tensor([padded], [1, examples.length, blockSize], 'int32'),
    positions: tf.tensor(
      examples.map(({ position }) => position),
      [1, examples.length, 1],
      'int32',
    ),
    labels: tf.tensor(
      examples.map(({ label }) => label),
      [1, examples.length, 1],
      'int32',
    ),
    weights: tf.ones([1, examples.length, 1]),
  };
  const only = tf.tensor(
    examples.map((_, i) => (i === 0 ? 1 : 0)),
    [1, examples.length],
  ) as tf.Tensor2D;
  const { uses, losses } = backward(model, parameters, batch, only);
  const { total } = assembleGradients(uses, 1);
  const gradient = new Map(
    Array.from(total, ([name, tensor]) => [name, Float32Array.from(tensor.dataSync())]),
  );
  const loss = losses.dataSync()[0]!;
  for (const use of uses) tf.dispose(Object.values(use).filter((value) => value instanceof tf.Tensor));
  losses.dispose();
  return { gradient, loss };
}

function aloneAgainstBatch(
  model: Model,
  values: ReadonlyMap<string, Float32Array>,
  example: Example,
  random: RandomStream,
): SelfCheck {
  const short = { ...example, tokens: example.tokens.slice(0, 7), position: 6 };
  const alone = firstGradient(model, values, [short], short.tokens.length).gradient;
  const others = Array.from({ length: 31 }, (_, i) => drawExample(random, 3 + (i % (rows - 3))));
  const batched = firstGradient(model, values, [short, ...others], rows).gradient;
  const value = cosine(alone, batched);
  return {
    name: 'an example alone and in a padded batch',
    passed: value >= 0.9999,
    detail: `cosine of its gradients ${value.toFixed(8)} (at least 0.9999)`,
  };
}

function againstFloat64(
  model: Model,
  values: ReadonlyMap<string, Float32Array>,
  example: Example,
): SelfCheck[] {
  const { gradient, loss } = firstGradient(model, values, [example], rows);
  const exact = new Map(Array.from(values, ([name, own]) => [name, Float64Array.from(own)]));
  const lossAt = (parameters: Map<string, Float64Array>): number =>
    transformerLossFloat64(config, shape.vocabularySize, parameters, {
      tokens: example.tokens,
      positions: [example.position],
      labels: [example.label],
      weights: [1],
    });
  const lossError = Math.abs(loss - lossAt(exact)) / lossAt(exact);
  // Along the gradient's own direction the slope is its norm.
  const norm = Math.sqrt(sumOfProducts(gradient, gradient));
  const step = 1e-4;
  const moved = (sign: 1 | -1): number =>
    lossAt(
      new Map(
        Array.from(exact, ([name, own]) => [
          name,
          own.map((x, i) => x + (sign * step * gradient.get(name)![i]!) / norm),
        ]),
      ),
    );
  const slope = (moved(1) - moved(-1)) / (2 * step);
  const slopeError = Math.abs(slope - norm) / norm;
  return [
    {
      name: 'loss against float64',
      passed: lossError < 1e-5,
      detail: `relative error ${lossError.toExponential(1)} (below 1e-5)`,
    },
    {
      name: 'gradient against a float64 central difference',
      passed: slopeError < 1e-4,
      detail: `relative error ${slopeError.toExponential(1)} (below 1e-4)`,
    },
  ];
}

function sumOfProducts(a: ReadonlyMap<string, Float32Array>, b: ReadonlyMap<string, Float32Array>): number {
  let sum = 0;
  for (const [name, values] of a) {
    const others = b.get(name)!;
    for (let i = 0; i < values.length; i++) sum += values[i]! * others[i]!;
  }
  return sum;
}

function cosine(a: ReadonlyMap<string, Float32Array>, b: ReadonlyMap<string, Float32Array>): number {
  return sumOfProducts(a, b) / Math.sqrt(sumOfProducts(a, a) * sumOfProducts(b, b));
}

/** Rate of a product of two 1024 x 1024 float32 matrices, GFLOP/s; the median of `repetitions`. */
export function matMulRate(repetitions: number): number {
  const size = 1024;
  return tf.tidy(() => {
    const a = tf.randomNormal([size, size]);
    const b = tf.randomNormal([size, size]);
    const rates = Array.from({ length: repetitions + 1 }, () => {
      const started = performance.now();
      const product = tf.matMul(a, b);
      product.dataSync();
      product.dispose();
      return (2 * size ** 3) / (performance.now() - started) / 1e6;
    });
    // The first product warms the engine up.
    return rates.slice(1).toSorted((x, y) => x - y)[repetitions >> 1]!;
  });
}
