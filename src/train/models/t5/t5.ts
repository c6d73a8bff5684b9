import * as tf from '@tensorflow/tfjs-core';
import { UserError } from '../../../../data/errors.js';
import type { FactorTape } from '../../tape/factor-tape.js';
import type { Model, ModelContext, ModelInputs, ModelSource, ParameterSpec } from '../model.js';
import { causalMask } from '../ops/masks.js';
import { t5Activations, type SourceShape, type T5Architecture } from './architecture.js';
import { t5Generation } from './generation.js';
import { decode, embed, encode, encodedKeys, selfBias } from './stacks.js';

/**
 * T5 with given parameters, those of {@link t5Parameters}: an encoder of a source text and a decoder that gives logits at
 * every position of its own.
 *
 * Reads `tokens [replica, example, inputLength]`, whose padding is hidden, and `decoderTokens [replica, example, row]`, which
 * begins with the padding token and goes on with the labels but the last.
 */
export function t5Model(
  architecture: T5Architecture,
  parameters: readonly ParameterSpec[],
  context: ModelContext,
  source: ModelSource | null,
): Model {
  const shape = sourceShape(context);
  return {
    parameters,
    ...(source === null ? {} : { source }),
    noise: [],
    activationsPerExample: t5Activations(architecture, {
      inputs: shape.inputLength,
      targets: shape.blockSize,
    }),
    trainingInputs: ['tokens', 'decoderTokens'],
    testInputs: ['tokens', 'decoderTokens'],
    logits: (tape, inputs) => t5Logits(architecture, shape, tape, inputs),
    generation: t5Generation(architecture, shape),
  };
}

/** The shape of the data, which must be pairs of texts. Throws a UserError. */
function sourceShape({ shape }: ModelContext): SourceShape {
  if (shape.modality !== 'text') throw new UserError('model.kind folder needs an experiment on text');
  const { inputLength } = shape;
  if (inputLength === undefined) {
    throw new UserError(
      'model.kind folder: a t5 reads a source text and writes another, and the data are whole texts; give a causal model, or data ' +
        'with a source text',
    );
  }
  if (shape.variables > 0) {
    throw new UserError(
      'model.kind folder: a t5 has no table of variables; use data whose variables are ordinary tokens',
    );
  }
  return { ...shape, inputLength };
}

function t5Logits(
  architecture: T5Architecture,
  shape: SourceShape,
  tape: FactorTape,
  inputs: ModelInputs,
): tf.Tensor3D {
  const targets = inputs['decoderTokens'] as tf.Tensor3D;
  const [, , rows] = targets.shape;
  const { encoded, mask } = encode(architecture, shape, tape, inputs['tokens'] as tf.Tensor3D);
  // Behind the source text stand the tokens that the decoder reads.
  const decoder = (): tf.Tensor3D => placesFrom(targets.shape, shape.inputLength);
  tape.at(decoder);
  return decode(architecture, tape, embed(tape, targets), {
    rows,
    bias: selfBias(architecture, tape, 'decoder', rows, rows),
    mask: causalMask(rows),
    remember: (keys, values) => [keys, values],
    encodedOf: (layer) => {
      tape.at(null);
      const keys = encodedKeys(architecture, tape, encoded, layer);
      tape.at(decoder);
      return keys;
    },
    encodedMask: mask,
  });
}

/** `[replica, example, row]` the same places of every example, one after the other. */
function placesFrom(
  [replicas, examples, rows]: readonly [number, number, number],
  first: number,
): tf.Tensor3D {
  const own = tf.reshape(tf.range(first, first + rows, 1, 'int32'), [1, 1, rows]);
  return tf.tile(own, [replicas, examples, 1]) as tf.Tensor3D;
}
