import * as tf from '@tensorflow/tfjs-core';
import type { TextShape } from '../../data/experiment.js';
import { createStream, type RandomStream } from '../../data/random/streams.js';
import { backward } from '../train/backward.js';
import { nativeBackend } from '../train/engine/tensorflow-binding.js';
import { assembleGradients } from '../train/gradient.js';
import { createSketcher } from '../train/groups/sketch.js';
import type { Model, ModelInputs } from '../train/models/model.js';
import { transformerSchema } from '../train/models/transformer/config.js';
import { buildTransformer } from '../train/models/transformer/transformer.js';
import { pack, planBlocks } from '../train/parameters/layout.js';
import type { ParameterTensors } from '../train/tape/factor-tape.js';
import { disposeUses, type ParameterUse } from '../train/tape/uses.js';
import { blockProducts } from '../train/parameters/block-vectors.js';
import { dotOf } from './host-vectors.js';
import { denseProducts, formGradients } from './panel/dense-products.js';
import { ghostProducts } from './panel/ghost-products.js';
import type { Panel } from './panel/panel.js';
import type { SelfCheck } from './self-test.js';
import { createTransferMeter, type TransferEffect } from './transfer.js';

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

/** What runs and probes compute with, and the checks vouch for. */
export interface Kernels {
  readonly createSketcher: typeof createSketcher;
  readonly blockProducts: typeof blockProducts;
  readonly createTransferMeter: typeof createTransferMeter;
  readonly ghostProducts: typeof ghostProducts;
  readonly denseProducts: typeof denseProducts;
}

/** Those of this version. */
export const shippedKernels: Kernels = {
  createSketcher,
  blockProducts,
  createTransferMeter,
  ghostProducts,
  denseProducts,
};

/** Sketch, sums of squares, transfer and ghost products of a small transformer on the present engine. */
export const engineChecksOf = (kernels: Kernels): readonly EngineCheck[] => [
  { id: 'V9', run: () => scoped(() => sketchedCosines(kernels)) },
  { id: 'V10', run: () => scoped(() => longSum(kernels)) },
  { id: 'V11', run: () => scoped(() => firstOrder(kernels)) },
  { id: 'V12', run: () => scoped(() => ghostAgainstDense(kernels, false)) },
  { id: 'V12', run: () => scoped(() => ghostAgainstDense(kernels, true)) },
];

export const engineChecks = engineChecksOf(shippedKernels);

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

/** The gradient of one example alone, by parameter. */
function denseGradient(setting: Setting, example: number): Map<string, Float32Array> {
  const uses = factors(setting, (i) => Number(i === example));
  const { total } = assembleGradients(uses, 1);
  const dense = new Map(Array.from(total, ([name, tensor]) => [name, Float32Array.from(tensor.dataSync())]));
  disposeUses(uses);
  return dense;
}

/** V12: ghost products, and products of formed gradients, against dense gradients. */
function ghostAgainstDense(kernels: Kernels, tied: boolean): SelfCheck {
  const setting = setUp(tied);
  const uses = factors(setting, () => 1);
  const dense = Array.from({ length: examples }, (_, example) => denseGradient(setting, example));
  let worst = 0;
  for (const { name } of setting.model.parameters) {
    const own = uses.filter(({ parameter }) => parameter === name);
    const ways = [kernels.ghostProducts(own, own)];
    if (own.length === 1) {
      ways.push(kernels.denseProducts(formGradients(own[0]!), formGradients(own[0]!)));
    }
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
  disposeUses(uses);
  return {
    name: `ghost products of a transformer, ${tied ? 'tied' : 'untied'} embedding`,
    passed: worst < 1e-5,
    detail: `largest error ${worst.toExponential(1)} of the norms (below 1e-5)`,
  };
}

/** V9: spread of the cosine of two sketched gradients over sketch seeds. */
function sketchedCosines(kernels: Kernels): SelfCheck {
  const setting = setUp(false);
  const [a, b] = [denseGradient(setting, 0), denseGradient(setting, 1)];
  const [size, seeds] = [512, 200];
  const cosines = Array.from({ length: seeds }, (_, seed) => {
    const sketches = [new Float64Array(size), new Float64Array(size)] as const;
    for (const [name, values] of a) {
      const sketcher = kernels.createSketcher(name, values.length, size, seed);
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
function longSum(kernels: Kernels): SelfCheck {
  // The WASM heap is small.
  const count = nativeBackend() === null ? 1 << 22 : 1e8;
  const value = 3.1622776e-5;
  const block = [tf.fill([1, count], value)];
  const sum = kernels.blockProducts(block, block)[0]!;
  const error = Math.abs(sum / (count * Math.fround(Math.fround(value) ** 2)) - 1);
  return {
    name: `sum of ${count.toExponential(0)} equal squares`,
    passed: error < 1e-6,
    detail: `relative error ${error.toExponential(1)} (below 1e-6)`,
  };
}

/** V11: a step on a definition changes the loss of questions as predicted, to first order and with the curvature. */
function firstOrder(kernels: Kernels): SelfCheck {
  const { model, parameters, inputs } = setUp(false);
  const blocks = planBlocks(model.parameters, () => '', true);
  const values = pack(blocks, parameters);
  const meter = kernels.createTransferMeter(model, blocks);
  const panel = panelOf(inputs);
  const pairs = [{ definition: 0, set: 0 }];
  const stepOf = (stepSize: number) => ({
    kind: 'sgd' as const,
    stepSize,
    preconditioner: null,
    unseen: null,
  });
  const [tiny] = meter(values, panel, pairs, [stepOf(1e-6)]);
  const slope = Math.abs(tiny!.predicted) / 1e-6;
  // Changes of 0.04 and 0.02 nats: small beside the loss, and their second order far above its rounding.
  const effects = meter(
    values,
    panel,
    pairs,
    [0.04, 0.02].map((change) => stepOf(change / slope)),
  );
  meter.dispose();
  const orderOf = (error: (effect: TransferEffect) => number): number =>
    Math.log2(Math.abs(error(effects[0]!)) / Math.abs(error(effects[1]!)));
  const first = orderOf(({ actual, predicted }) => actual - predicted);
  const second = orderOf(({ actual, predicted, curvature }) => actual - predicted - curvature);
  return {
    name: 'first-order transfer in a transformer',
    passed: Math.abs(first - 2) < 0.4 && Math.abs(second - 3) < 0.7,
    detail: `order of the error ${first.toFixed(2)} (2, within 0.4), with curvature ${second.toFixed(2)} (3, within 0.7)`,
  };
}

/** The first example as a definition, the others as the questions about its variable. */
function panelOf(inputs: ModelInputs): Panel {
  const host = Object.entries(inputs).map(([name, tensor]) => ({
    name,
    values: tensor.dataSync(),
    width: tensor.shape[2]!,
  }));
  return {
    entities: [{ subset: 'variables', variable: 0 }],
    definitionKinds: ['definition'],
    questionSets: [{ entity: 0, kind: 'heldout' }],
    questionsPerSet: examples - 1,
    size: examples,
    definitions: 1,
    fields: Object.fromEntries(
      host.map(({ name, width }) => [
        name,
        { dtype: name === 'weights' ? ('float32' as const) : ('int32' as const), shape: [width] },
      ]),
    ),
    fill: (from, to, buffers, first) => {
      for (const { name, values, width } of host) {
        buffers[name]!.set(Array.from(values.subarray(from * width, to * width), Number), first * width);
      }
    },
    pieces: () => null,
  };
}
