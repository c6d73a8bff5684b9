import * as tf from '@tensorflow/tfjs-core';
import type { TextShape } from '../../data/experiment.js';
import { createStream, type RandomStream } from '../../data/random/streams.js';
import { backward, forward } from '../train/backward.js';
import { nativeBackend } from '../train/engine/tensorflow-binding.js';
import { assembleGradients } from '../train/gradient.js';
import { createSketcher } from '../train/groups/sketch.js';
import type { Model, ModelInputs } from '../train/models/model.js';
import { transformerSchema } from '../train/models/transformer/config.js';
import { buildTransformer } from '../train/models/transformer/transformer.js';
import type { ParameterTensors } from '../train/tape/factor-tape.js';
import type { ParameterUse } from '../train/tape/uses.js';
import { dotOf } from './host-vectors.js';
import { denseProducts, formGradients } from './panel/dense-products.js';
import { ghostProducts } from './panel/ghost-products.js';
import type { SelfCheck } from './self-test.js';

/** A check of the engine's own kernels, numbered as the theory's that it repeats. */
export interface EngineCheck {
  readonly id: string;
  readonly run: () => SelfCheck;
}

const shape: TextShape = {
  modality: 'text',
  vocabularySize: 20,
  variables: 0,
  outputSize: 20,
  blockSize: 8,
  queries: 7,
  padToken: 0,
};
const examples = 6;

/** Sketch, sums of squares, transfer and ghost products of a small transformer on the present engine. */
export const engineChecks: readonly EngineCheck[] = [
  { id: 'V9', run: () => scoped(sketchedCosines) },
  { id: 'V10', run: () => scoped(longSum) },
  { id: 'V11', run: () => scoped(firstOrder) },
  { id: 'V12', run: () => scoped(() => ghostAgainstDense(false)) },
  { id: 'V12', run: () => scoped(() => ghostAgainstDense(true)) },
];

function scoped(check: () => SelfCheck): SelfCheck {
  const engine = tf.engine();
  engine.startScope();
  try {
    return check();
  } finally {
    engine.endScope();
  }
}

interface Setting {
  readonly model: Model;
  readonly parameters: ParameterTensors;
  readonly inputs: ModelInputs;
  readonly random: RandomStream;
}

function setUp(tiedEmbedding: boolean): Setting {
  const config = transformerSchema.parse({
    kind: 'transformer',
    layers: 2,
    width: 32,
    heads: 4,
    feedForward: 64,
    positions: 'learned',
    residual: 'sequential',
    tiedEmbedding,
    initialisation: { kind: 'scaled' },
  });
  const model = buildTransformer(config, { shape, hidePadding: false });
  const random = createStream(12, 'engine checks');
  const parameters = new Map(
    model.parameters.map(({ name, shape: own, initialise }) => [
      name,
      tf.tensor(initialise(random), [1, ...own]),
    ]),
  );
  const integers = (...axes: number[]): tf.Tensor =>
    tf.tensor(
      Int32Array.from({ length: axes.reduce((product, size) => product * size, 1) }, () =>
        random.integer(shape.vocabularySize),
      ),
      axes,
      'int32',
    );
  const inputs = {
    tokens: integers(1, examples, shape.blockSize),
    labels: integers(1, examples, shape.queries),
    weights: tf.ones([1, examples, shape.queries]),
  };
  return { model, parameters, inputs, random };
}

/** Factors of all examples when example i weighs `weightOf(i)`. */
function factors(
  { model, parameters, inputs }: Setting,
  weightOf: (i: number) => number,
): readonly ParameterUse[] {
  const weights = tf.tensor2d(
    Array.from({ length: examples }, (_, i) => weightOf(i)),
    [1, examples],
  );
  const { uses, losses } = backward(model, parameters, inputs, weights);
  losses.dispose();
  return uses;
}

function dispose(uses: readonly ParameterUse[]): void {
  for (const use of uses) tf.dispose(Object.values(use).filter((value) => value instanceof tf.Tensor));
}

/** The gradient of one example alone, by parameter. */
function denseGradient(setting: Setting, example: number): Map<string, Float32Array> {
  const uses = factors(setting, (i) => Number(i === example));
  const { total } = assembleGradients(uses, 1);
  const dense = new Map(Array.from(total, ([name, tensor]) => [name, Float32Array.from(tensor.dataSync())]));
  dispose(uses);
  return dense;
}

/** V12: ghost products, and products of formed gradients, against dense gradients. */
function ghostAgainstDense(tied: boolean): SelfCheck {
  const setting = setUp(tied);
  const uses = factors(setting, () => 1);
  const dense = Array.from({ length: examples }, (_, example) => denseGradient(setting, example));
  let worst = 0;
  for (const { name } of setting.model.parameters) {
    const own = uses.filter(({ parameter }) => parameter === name);
    const ways = [ghostProducts(own, own)];
    if (own.length === 1) ways.push(denseProducts(formGradients(own[0]!), formGradients(own[0]!)));
    const norms = dense.map((gradient) => Math.sqrt(dotOf(gradient.get(name)!, gradient.get(name)!)));
    for (let i = 0; i < examples; i++) {
      for (let j = 0; j < examples; j++) {
        const scale = norms[i]! * norms[j]!;
        if (scale === 0) continue;
        const exact = dotOf(dense[i]!.get(name)!, dense[j]!.get(name)!);
        for (const products of ways) {
          worst = Math.max(worst, Math.abs(products[i * examples + j]! - exact) / scale);
        }
      }
    }
  }
  dispose(uses);
  return {
    name: `ghost products of a transformer, ${tied ? 'tied' : 'untied'} embedding`,
    passed: worst < 1e-5,
    detail: `largest error ${worst.toExponential(1)} of the norms (below 1e-5)`,
  };
}

/** V9: spread of the cosine of two sketched gradients over sketch seeds. */
function sketchedCosines(): SelfCheck {
  const setting = setUp(false);
  const [a, b] = [denseGradient(setting, 0), denseGradient(setting, 1)];
  const [size, seeds] = [512, 200];
  const cosines = Array.from({ length: seeds }, (_, seed) => {
    const sketches = [new Float64Array(size), new Float64Array(size)] as const;
    for (const [name, values] of a) {
      const sketcher = createSketcher(name, values.length, size, seed);
      sketcher.add(values, sketches[0]);
      sketcher.add(b.get(name)!, sketches[1]);
    }
    const [x, y] = sketches;
    return dotOf(x, y) / Math.sqrt(dotOf(x, x) * dotOf(y, y));
  });
  const sum = (x: ReadonlyMap<string, Float32Array>, y: ReadonlyMap<string, Float32Array>): number =>
    Array.from(x).reduce((total, [name, values]) => total + dotOf(values, y.get(name)!), 0);
  const exact = sum(a, b) / Math.sqrt(sum(a, a) * sum(b, b));
  const mean = cosines.reduce((total, value) => total + value, 0) / seeds;
  const spread = Math.sqrt(cosines.reduce((total, value) => total + (value - mean) ** 2, 0) / (seeds - 1));
  const ratio = spread / ((1 - exact ** 2) / Math.sqrt(size));
  const bias = Math.abs(mean - exact) / (spread / Math.sqrt(seeds));
  return {
    name: "CountSketch of a transformer's gradients",
    passed: ratio > 0.85 && ratio < 1.15 && bias < 4,
    detail: `SD of the cosine ${ratio.toFixed(2)} of (1 - c^2)/sqrt(k) (within 15 %), bias ${bias.toFixed(1)} SE (below 4)`,
  };
}

/** V10: the sum of equal squares, which a float32 sum one by one gets wrong by more than half. */
function longSum(): SelfCheck {
  // The WASM heap is small.
  const count = nativeBackend() === null ? 1 << 22 : 1e8;
  const value = 3.1622776e-5;
  const sum = tf.tidy(() => tf.sum(tf.square(tf.fill([count], value)))).dataSync()[0]!;
  const error = Math.abs(sum / (count * Math.fround(Math.fround(value) ** 2)) - 1);
  return {
    name: `sum of ${count.toExponential(0)} equal squares`,
    passed: error < 1e-6,
    detail: `relative error ${error.toExponential(1)} (below 1e-6)`,
  };
}

/** V11: one gradient step changes another example's loss to first order; what is left shrinks with the square. */
function firstOrder(): SelfCheck {
  const setting = setUp(false);
  const { model, parameters, inputs } = setting;
  const [definition, question] = [denseGradient(setting, 0), denseGradient(setting, 1)];
  const lossAt = (step: number): number =>
    tf.tidy(() => {
      const moved = new Map(
        Array.from(parameters, ([name, tensor]) => [
          name,
          tf.sub(tensor, tf.mul(tf.tensor(definition.get(name)!, tensor.shape), step)),
        ]),
      );
      return forward(model, moved, inputs).losses.dataSync()[1]!;
    });
  const inner = Array.from(definition).reduce(
    (sum, [name, values]) => sum + dotOf(values, question.get(name)!),
    0,
  );
  const start = lossAt(0);
  // Changes of 0.04 and 0.02 nats: small beside the loss, and their second order far above its rounding.
  const errors = [0.04, 0.02].map((change) => {
    const step = change / Math.abs(inner);
    return Math.abs(lossAt(step) - start + step * inner);
  });
  const order = Math.log2(errors[0]! / errors[1]!);
  return {
    name: 'first-order transfer in a transformer',
    passed: Math.abs(order - 2) < 0.4,
    detail: `order of the error ${order.toFixed(2)} (2, within 0.4)`,
  };
}
