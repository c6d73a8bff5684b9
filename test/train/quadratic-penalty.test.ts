import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, test } from 'vitest';
import { transformerLossFloat64 } from '../../src/probe/reference/transformer-float64.js';
import { smallLoss } from '../../src/analysis/verify/network.js';
import { referenceData } from '../../src/analysis/verify/reference-data.js';
import { varianceGradient } from '../../src/analysis/measures/variance-gradient.js';
import { assembleGradients } from '../../src/train/gradient.js';
import { gradientFunction } from '../../src/train/gradient-function.js';
import { modelLosses, recordBackward, type LossFunction } from '../../src/train/backward.js';
import { transformerSchema } from '../../src/train/models/transformer/config.js';
import { buildTransformer } from '../../src/train/models/transformer/transformer.js';
import { pack, planBlocks, unpack } from '../../src/train/parameters/layout.js';
import {
  penaltyFunction,
  type QuadraticForm,
  type WeightedParts,
} from '../../src/train/quadratic-penalty.js';
import { useTestEngine } from './support/engine.js';
import { randomParameters, testStream } from './support/random.js';
import { randomTextBatch } from './support/transformer-cases.js';

await useTestEngine();

const config = transformerSchema.parse({
  kind: 'transformer',
  layers: 1,
  width: 4,
  heads: 1,
  feedForward: 4,
  positions: 'learned',
  residual: 'sequential',
  initialisation: { kind: 'scaled' },
});
const shape = {
  modality: 'text',
  vocabularySize: 5,
  variables: 0,
  outputSize: 5,
  blockSize: 3,
  queries: 1,
  padToken: 0,
} as const;
const examples = 6;
const model = buildTransformer(config, { shape, hidePadding: false });
const blocks = planBlocks(model.parameters, () => '', true);

const parts = (rows: readonly (readonly number[])[]): WeightedParts => {
  const size = Math.max(...rows.map((own) => own.length));
  const padded = rows.map((own) => [...own, ...new Array<number>(size - own.length).fill(0)]);
  return {
    parts: rows.length,
    size,
    examples: Int32Array.from(padded.flat()),
    taken: rows.every((own) => own.length === size)
      ? null
      : Float32Array.from(rows.flatMap((own) => padded[0]!.map((_, i) => (i < own.length ? 1 : 0)))),
    shares: Float32Array.from(rows, (own) => own.length / examples),
  };
};

interface Case {
  readonly name: string;
  readonly rows: readonly (readonly number[])[];
  readonly form: QuadraticForm;
  /** R of the parts' gradients and the minibatch's. */
  readonly value: (gradients: readonly Float64Array[], mean: Float64Array) => number;
}

const inner = (a: Float64Array, b: Float64Array): number => a.reduce((sum, x, i) => sum + x * b[i]!, 0);
const minus = (a: Float64Array, b: Float64Array): Float64Array => a.map((x, i) => x - b[i]!);
const matrix = [0, 0.7, 0, 0.7, -1.3, 0.2, 0, 0.2, 0];

const cases: Case[] = [
  {
    name: 'variance over micro-batches of 2',
    rows: [
      [3, 1],
      [0, 5],
      [4, 2],
    ],
    form: { kind: 'squares', centred: true },
    value: (g, mean) => g.reduce((sum, own) => sum + inner(minus(own, mean), minus(own, mean)) / 3, 0),
  },
  {
    name: 'variance over micro-batches of 4, the last one short',
    rows: [
      [3, 1, 0, 5],
      [4, 2],
    ],
    form: { kind: 'squares', centred: true },
    value: (g, mean) =>
      g.reduce((sum, own, k) => sum + (inner(minus(own, mean), minus(own, mean)) * [4, 2][k]!) / 6, 0),
  },
  {
    name: 'squared norm of the minibatch gradient',
    rows: [[0, 1, 2, 3, 4, 5]],
    form: { kind: 'squares', centred: false },
    value: (_, mean) => inner(mean, mean),
  },
  {
    name: 'mean squared norm of examples',
    rows: [[0], [1], [2], [3], [4], [5]],
    form: { kind: 'squares', centred: false },
    value: (g) => g.reduce((sum, own) => sum + inner(own, own) / 6, 0),
  },
  {
    name: 'inner products of three groups, any matrix',
    rows: [[0, 1, 2], [4], [3, 5]],
    form: { kind: 'matrix', coefficients: Float32Array.from(matrix) },
    value: (g) =>
      g.reduce((sum, a, k) => sum + g.reduce((own, b, l) => own + matrix[3 * k + l]! * inner(a, b), 0), 0),
  },
];

const parameters = randomParameters(model, 1, testStream());
const batch = randomTextBatch(shape, 1, examples, null);
const host = new Map(
  Array.from(parameters, ([name, tensor]) => [name, Float64Array.from(tensor.dataSync<'float32'>())]),
);
const names = model.parameters.map(({ name }) => name);
const sizes = names.map((name) => host.get(name)!.length);
const total = sizes.reduce((sum, size) => sum + size, 0);
const field = (name: string, example: number): ArrayLike<number> => {
  const all = batch[name]!.dataSync();
  return all.slice((all.length / examples) * example, (all.length / examples) * (example + 1));
};
const data = Array.from({ length: examples }, (_, example) => ({
  tokens: field('tokens', example),
  positions: field('positions', example),
  labels: field('labels', example),
  weights: field('weights', example),
}));

/** Parameters in one row, in the order of the model, and back. */
const joined = (own: ReadonlyMap<string, Float64Array>): Float64Array =>
  Float64Array.from(names.flatMap((name) => Array.from(own.get(name)!)));
const divided = (row: Float64Array): Map<string, Float64Array> => {
  let offset = 0;
  return new Map(names.map((name, i) => [name, row.slice(offset, (offset += sizes[i]!))]));
};

/** Gradient of every example, by central differences of the float64 loss. */
function exampleGradients(theta: Float64Array): Float64Array[] {
  const gradients = data.map(() => new Float64Array(total));
  const moved = theta.slice();
  const step = 1e-5;
  for (let i = 0; i < total; i++) {
    const [above, below] = [1, -1].map((sign) => {
      moved[i] = theta[i]! + sign * step;
      const own = divided(moved);
      return data.map((example) => transformerLossFloat64(config, shape.vocabularySize, own, example));
    });
    moved[i] = theta[i]!;
    gradients.forEach((gradient, e) => (gradient[i] = (above![e]! - below![e]!) / (2 * step)));
  }
  return gradients;
}

const meanOf = (rows: readonly Float64Array[]): Float64Array =>
  new Float64Array(total).map((_, i) => rows.reduce((sum, row) => sum + row[i]!, 0) / rows.length);

/** R of every case at parameters. */
function values(theta: Float64Array): number[] {
  const each = exampleGradients(theta);
  const mean = meanOf(each);
  return cases.map(({ rows, value }) =>
    value(
      rows.map((own) => meanOf(own.map((e) => each[e]!))),
      mean,
    ),
  );
}

/** What the engine says of a case: R, and its gradient in the order of the model. */
function engineSays(
  { rows, form }: Case,
  difference: 'forward' | 'central',
  step: number,
  hasFactors = true,
) {
  const theta = pack(blocks, parameters);
  const gradient = gradientFunction(model, blocks, 'example');
  const penalty = penaltyFunction(modelLosses(model), blocks, difference, step);
  const minibatch = gradient(theta, batch, 2);
  const { value, half } = penalty(
    theta,
    batch,
    hasFactors ? minibatch : { ...minibatch, lanes: [] },
    parts(rows),
    form,
  );
  const tensors = unpack(blocks, half);
  const row = Float64Array.from(
    names.flatMap((name) => Array.from(tensors.get(name)!.dataSync<'float32'>(), (x) => 2 * x)),
  );
  const result = { value: value.dataSync()[0]!, gradient: row };
  minibatch.dispose();
  for (const own of [gradient, penalty]) own.dispose();
  tf.dispose([value, ...half]);
  return result;
}

describe('a penalty and its gradient are those of the stated scalar, in float64', () => {
  const theta = joined(host);
  const random = testStream(3);
  const directions = Array.from({ length: 4 }, () => {
    const raw = theta.map(() => random.normal());
    const length = Math.sqrt(inner(raw, raw));
    return raw.map((x) => x / length);
  });
  const at = values(theta);
  const far = 1e-4;
  const slopes = directions.map((direction) => {
    const [above, below] = [far, -far].map((own) => values(theta.map((x, i) => x + own * direction[i]!)));
    return above!.map((value, c) => (value - below![c]!) / (2 * far));
  });

  const [forward, central] = [1e-4, 3e-4];
  // What is left is the one-sided difference's own error, and rounding.
  test.each([
    ['forward', forward, 5e-3],
    ['central', central, 5e-4],
  ] as const)(
    '%s differences, shifts of %s of the length of the parameters',
    (difference, step, tolerance) => {
      const errors = cases.map((own, c) => {
        const { value, gradient } = engineSays(own, difference, step);
        expect(value, own.name).toBeCloseTo(at[c]!, 4);
        const wrong = directions.map((direction, d) => Math.abs(inner(gradient, direction) - slopes[d]![c]!));
        return Math.max(...wrong) / Math.max(...slopes.map((slope) => Math.abs(slope[c]!)));
      });
      expect(
        errors.every((error) => error < tolerance),
        String(errors),
      ).toBe(true);
    },
  );

  test('without factors of the minibatch they are the same', () => {
    for (const own of cases) {
      const [whole, without] = [true, false].map((has) => engineSays(own, 'central', central, has).gradient);
      const wrong = minus(whole!, without!);
      expect(Math.sqrt(inner(wrong, wrong) / inner(whole!, whole!)), own.name).toBeLessThan(1e-3);
    }
  });

  test('the error of forward differences falls with the shift, that of central ones with its square', () => {
    const errorOf = (difference: 'forward' | 'central', step: number): number =>
      Math.abs(inner(engineSays(cases[0]!, difference, step).gradient, directions[0]!) - slopes[0]![0]!);
    expect(errorOf('forward', 4e-3) / errorOf('forward', 2e-3)).toBeCloseTo(2, 0);
    expect(errorOf('central', 4e-3) / errorOf('central', 2e-3)).toBeCloseTo(4, 0);
  });
});

test('V7: the errors at shifts of 0.02, 0.01 and 0.005 times the deviations are those of the golden check', () => {
  const { x, y, w0 } = referenceData['6,8'];
  const spec = { role: 'mlp', initialise: () => new Float32Array() } as const;
  const layout = planBlocks(
    [
      { name: 'W', shape: [3, 4], ...spec },
      { name: 'v', shape: [4, 1], ...spec },
    ],
    () => '',
    true,
  );
  const inputs = { x: tf.tensor3d([...x], [1, 6, 3]), y: tf.tensor2d([...y], [1, 6]) };
  const losses: LossFunction = (tape, own) => {
    const flat = tf.reshape(own['x']!, [own['x']!.shape[0], -1, 3]) as tf.Tensor3D;
    const hidden = tf.tanh(tape.linear(tape.input(flat), 'W', null));
    const output = tf.squeeze(tape.linear(hidden, 'v', null), [2]);
    return tf.mul(tf.square(tf.sub(output, own['y']!)), 0.5);
  };
  const W = tf.transpose(tf.tensor3d(w0.slice(0, 12), [1, 4, 3]), [0, 2, 1]);
  const theta = pack(
    layout,
    new Map([
      ['W', W],
      ['v', tf.tensor3d(w0.slice(12), [1, 4, 1])],
    ]),
  );
  const exampleWeights = tf.fill([1, 6], 1 / 6) as tf.Tensor2D;
  const { uses } = recordBackward(unpack(layout, theta), (tape) => losses(tape, inputs), exampleWeights);
  const gradient = {
    blocks: pack(layout, assembleGradients(uses, 1).total) as tf.Tensor2D[],
    lanes: [{ first: 0, replicas: 1, uses, chunks: new Map() }],
    exampleWeights,
  };
  const single = { ...parts([[0], [1], [2], [3], [4], [5]]) };
  const form = { kind: 'squares', centred: true } as const;
  const { start, gradients } = smallLoss('6,8');
  const expected = varianceGradient(gradients, start);
  const length = Math.sqrt(w0.reduce((sum, w) => sum + w * w, 0));
  const halfAt = (difference: 'forward' | 'central', step: number) => {
    const penalty = penaltyFunction(losses, layout, difference, step);
    const { value, half } = penalty(theta, inputs, gradient, single, form);
    const tensors = unpack(layout, half);
    const own = [...tf.transpose(tensors.get('W')!, [0, 2, 1]).dataSync(), ...tensors.get('v')!.dataSync()];
    penalty.dispose();
    return { value: value.dataSync()[0]!, own };
  };
  const deviation = Math.sqrt(halfAt('forward', 1e-3).value);
  const errors = (difference: 'forward' | 'central'): number[] =>
    [0.02, 0.01, 0.005].map((beta) => {
      const { own } = halfAt(difference, (beta * deviation) / length);
      return beta * Math.sqrt(own.reduce((sum, half, i) => sum + (half - expected[i]! / 2) ** 2, 0));
    });
  const golden = {
    forward: [5.74374e-2, 1.34484e-2, 3.25e-3],
    central: [1.29361e-2, 1.64994e-3, 2.07292e-4],
  };
  for (const difference of ['forward', 'central'] as const)
    errors(difference).forEach((error, i) => expect(error / golden[difference][i]!).toBeCloseTo(1, 2));
});
