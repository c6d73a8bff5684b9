import * as tf from '@tensorflow/tfjs-core';
import type { TextShape } from '../../../../data/experiment.js';
import type { FactorTape } from '../../tape/factor-tape.js';
import { activate } from '../ops/activation.js';
import { attention } from '../ops/attention.js';
import { distanceBuckets } from '../ops/distance-buckets.js';
import { paddingMask } from '../ops/masks.js';
import type { T5Architecture } from './architecture.js';
import { t5BlockNames, t5Names } from './parameters.js';

/** What the encoder makes of source texts, `[replica, example * row, width]`, and the mask that hides their padding. */
export function encode(
  architecture: T5Architecture,
  { padToken }: TextShape,
  tape: FactorTape,
  tokens: tf.Tensor3D,
): { encoded: tf.Tensor3D; mask: tf.Tensor4D } {
  const [, , rows] = tokens.shape;
  tape.at(null);
  const mask = paddingMask(tokens, padToken);
  const bias = selfBias(architecture, tape, 'encoder', rows, rows);
  let x = embed(tape, tokens);
  for (let i = 0; i < architecture.encoderLayers; i++) {
    const name = t5BlockNames('encoder', i);
    const [query, key, value] = selfProjections(architecture, tape, x, name);
    const own = byExample(tape, [query, key, value], rows);
    const attended = attend(architecture, own[0]!, own[1]!, own[2]!, mask, bias);
    x = tf.add(x, outputOf(tape, attended, x, name.attentionOutput));
    x = mlp(architecture, tape, x, name);
  }
  return { encoded: norm(architecture, tape, x, t5Names.encoderNorm), mask };
}

/** What the blocks of a decoder share. */
export interface DecoderPass {
  /** Rows of an example that are decoded. */
  readonly rows: number;
  readonly bias: tf.Tensor4D;
  readonly mask: tf.Tensor4D;
  /** Takes keys and values of a block, `[replica * example, row, width]`, and gives those that are attended to. */
  readonly remember: (keys: tf.Tensor3D, values: tf.Tensor3D) => readonly [tf.Tensor3D, tf.Tensor3D];
  /** Keys and values of the source text for a block. */
  readonly encodedOf: (layer: number) => readonly [tf.Tensor3D, tf.Tensor3D];
  readonly encodedMask: tf.Tensor4D;
}

/** Logits of decoder rows, `[replica, example * row, token]`. */
export function decode(
  architecture: T5Architecture,
  tape: FactorTape,
  embeddings: tf.Tensor3D,
  pass: DecoderPass,
): tf.Tensor3D {
  let x = embeddings;
  for (let i = 0; i < architecture.decoderLayers; i++) {
    const name = t5BlockNames('decoder', i);
    const [query, key, value] = byExample(tape, selfProjections(architecture, tape, x, name), pass.rows) as [
      tf.Tensor3D,
      tf.Tensor3D,
      tf.Tensor3D,
    ];
    const [keys, values] = pass.remember(key, value);
    const attended = attend(architecture, query, keys, values, pass.mask, pass.bias);
    x = tf.add(x, outputOf(tape, attended, x, name.attentionOutput));

    const asked = tape.linear(norm(architecture, tape, x, name.crossNorm), `${name.crossQuery}.weight`, null);
    const [encodedKey, encodedValue] = pass.encodedOf(i);
    const [crossQuery] = byExample(tape, [asked], pass.rows);
    const read = attend(architecture, crossQuery!, encodedKey, encodedValue, pass.encodedMask, null);
    x = tf.add(x, outputOf(tape, read, x, name.crossOutput));
    x = mlp(architecture, tape, x, name);
  }
  x = norm(architecture, tape, x, t5Names.decoderNorm);
  if (architecture.isScaled) x = tf.mul(x, 1 / Math.sqrt(architecture.width));
  return architecture.isTied
    ? tape.unembedding(x, t5Names.embedding)
    : tape.linear(x, t5Names.unembedding, null);
}

/** Rows of the shared table, `[replica, example * row, width]` of `[replica, example, row]` int32. */
export function embed(tape: FactorTape, tokens: tf.Tensor3D): tf.Tensor3D {
  const [replicas, examples, rows] = tokens.shape;
  const flat = tf.reshape(tokens, [replicas, examples * rows]) as tf.Tensor2D;
  return tape.embedding(flat, t5Names.embedding, null);
}

/** Keys and values of the source text for a block of the decoder, each `[replica * example, row, width]`. */
export function encodedKeys(
  { heads, headSize }: T5Architecture,
  tape: FactorTape,
  encoded: tf.Tensor3D,
  layer: number,
): readonly [tf.Tensor3D, tf.Tensor3D] {
  const { crossKeyValue } = t5BlockNames('decoder', layer);
  const inner = heads * headSize;
  const both = tape.linear(encoded, `${crossKeyValue}.weight`, null);
  const parts = tf.split(both, [inner, inner], 2) as tf.Tensor3D[];
  return byExample(tape, parts, encoded.shape[1] / tape.examples) as [tf.Tensor3D, tf.Tensor3D];
}

/** The bias of a stack's attention to its own rows, `[replica * example, head, query, row]`, the same in all its blocks. */
export function selfBias(
  { buckets, longestDistance }: T5Architecture,
  tape: FactorTape,
  stack: 'encoder' | 'decoder',
  queries: number,
  rows: number,
): tf.Tensor4D {
  const bothWays = stack === 'encoder';
  const own = distanceBuckets(queries, rows, { buckets, longest: longestDistance, bothWays });
  return tape.relativeBias(bothWays ? t5Names.encoderBias : t5Names.decoderBias, own, queries, rows);
}

type BlockNames = ReturnType<typeof t5BlockNames>;

/** Query, key and value of the rows of a stack, each `[replica, example * row, width]`. */
function selfProjections(
  architecture: T5Architecture,
  tape: FactorTape,
  x: tf.Tensor3D,
  { attentionNorm, projection }: BlockNames,
): [tf.Tensor3D, tf.Tensor3D, tf.Tensor3D] {
  const projected = tape.linear(norm(architecture, tape, x, attentionNorm), `${projection}.weight`, null);
  return tf.split(projected, 3, 2) as [tf.Tensor3D, tf.Tensor3D, tf.Tensor3D];
}

/** `[replica * example, row, width]` of `[replica, example * row, width]`. */
function byExample(tape: FactorTape, parts: readonly tf.Tensor3D[], rows: number): tf.Tensor3D[] {
  return parts.map((part) => {
    const [replicas, , width] = part.shape;
    return tf.reshape(part, [replicas * tape.examples, rows, width]);
  });
}

/** The scores are not scaled: the initialisation of T5 stands in for it. */
function attend(
  { heads }: T5Architecture,
  query: tf.Tensor3D,
  key: tf.Tensor3D,
  value: tf.Tensor3D,
  mask: tf.Tensor4D,
  bias: tf.Tensor4D | null,
): tf.Tensor3D {
  return attention(query, key, value, mask, { heads, keyValueHeads: heads, scale: 1, bias });
}

/** The map from attention back into the residual stream `like`. */
function outputOf(tape: FactorTape, attended: tf.Tensor3D, like: tf.Tensor3D, name: string): tf.Tensor3D {
  const [replicas, rows] = like.shape;
  return tape.linear(tf.reshape(attended, [replicas, rows, attended.shape[2]]), `${name}.weight`, null);
}

function norm({ epsilon }: T5Architecture, tape: FactorTape, x: tf.Tensor3D, name: string): tf.Tensor3D {
  return tape.rmsNorm(x, `${name}.weight`, epsilon);
}

function mlp(
  architecture: T5Architecture,
  tape: FactorTape,
  x: tf.Tensor3D,
  { mlpNorm, mlpGate, mlpIn, mlpOut }: BlockNames,
): tf.Tensor3D {
  const { activation, isGated } = architecture;
  const normalised = norm(architecture, tape, x, mlpNorm);
  const linear = (input: tf.Tensor3D, name: string): tf.Tensor3D =>
    tape.linear(input, `${name}.weight`, null);
  const inner = linear(normalised, mlpIn);
  const hidden = isGated
    ? tf.mul(activate(activation, linear(normalised, mlpGate)), inner)
    : activate(activation, inner);
  return tf.add(x, linear(hidden as tf.Tensor3D, mlpOut));
}
