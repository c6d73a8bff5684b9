import * as tf from '@tensorflow/tfjs-core';
import type { TextShape } from '../../../data/experiment.js';
import type { Model } from '../../../src/train/models/model.js';
import type { T5Architecture } from '../../../src/train/models/t5/architecture.js';
import { t5Parameters } from '../../../src/train/models/t5/parameters.js';
import { t5Model } from '../../../src/train/models/t5/t5.js';
import type { CausalArchitecture } from '../../../src/train/models/transformer/architecture.js';
import { causalParameters } from '../../../src/train/models/transformer/parameters.js';
import { causalModel } from '../../../src/train/models/transformer/transformer.js';
import { randomIntegers, randomTensor, testStream } from './random.js';

const shape: TextShape = {
  modality: 'text',
  vocabularySize: 9,
  variables: 0,
  outputSize: 9,
  blockSize: 6,
  queries: 5,
  padToken: 0,
};
const pairs: TextShape = { ...shape, blockSize: 4, queries: 4, inputLength: 6 };
const undrawn = { initialise: () => new Float32Array(0) };

/** Grouped queries, root-mean-square norms, a gated MLP and a tied table. */
const llama: CausalArchitecture = {
  layers: 2,
  width: 12,
  heads: 4,
  keyValueHeads: 2,
  headSize: 4,
  feedForward: 10,
  positions: { kind: 'rotary', rotated: 4, base: 100, pairing: 'half' },
  residual: 'sequential',
  norm: { kind: 'rms', epsilon: 1e-5 },
  activation: 'silu',
  isGated: true,
  biases: { attention: false, attentionOutput: false, mlp: false },
  vocabularySize: 9,
  outputSize: 9,
  isTied: true,
  variableEmbedding: null,
  tagEmbedding: null,
};

/** One table is read by encoder and decoder, and gives the logits. */
const t5: T5Architecture = {
  width: 8,
  heads: 2,
  headSize: 3,
  feedForward: 10,
  encoderLayers: 2,
  decoderLayers: 2,
  buckets: 6,
  longestDistance: 5,
  epsilon: 1e-6,
  activation: 'geluTanh',
  isGated: true,
  vocabularySize: 9,
  isTied: true,
  isScaled: true,
};

const buildTiedT5 = (): Model =>
  t5Model(
    t5,
    t5Parameters(t5).map((own) => ({ ...own, ...undrawn })),
    { shape: pairs, hidePadding: false },
    null,
  );

/** A random batch of `replicas` x `examples` pairs of texts, sources padded at their ends. */
function randomPairs(replicas: number, examples: number): Record<string, tf.Tensor> {
  const random = testStream(8);
  const { inputLength, blockSize, vocabularySize } = pairs;
  const sources = randomIntegers([replicas, examples, inputLength!], vocabularySize - 1, random);
  const tokens = sources.arraySync() as number[][][];
  const padded = tokens.map((own, replica) =>
    own.map((row, example) => row.map((id, t) => (t > 2 + ((replica + example) % 4) ? 0 : id + 1))),
  );
  return {
    tokens: tf.tensor(padded, [replicas, examples, inputLength!], 'int32'),
    decoderTokens: randomIntegers([replicas, examples, blockSize], vocabularySize, random),
    labels: randomIntegers([replicas, examples, blockSize], vocabularySize, random),
    weights: tf.abs(randomTensor([replicas, examples, blockSize], random)),
  };
}

/** Models of families that only folders have, and whose tables are used several times. */
export const familyCases = [
  {
    name: 'Llama shape, tied',
    build: (): Model =>
      causalModel(
        llama,
        causalParameters(llama, shape).map(({ origin: _, ...own }) => ({ ...own, ...undrawn })),
        { shape, hidePadding: false },
        null,
      ),
    batch: (replicas: number, examples: number): Record<string, tf.Tensor> => {
      const random = testStream(9);
      return {
        tokens: randomIntegers([replicas, examples, shape.blockSize], shape.vocabularySize, random),
        labels: randomIntegers([replicas, examples, shape.queries], shape.outputSize, random),
        weights: tf.abs(randomTensor([replicas, examples, shape.queries], random)),
      };
    },
  },
  { name: 'T5, a table with three uses', build: buildTiedT5, batch: randomPairs },
];
