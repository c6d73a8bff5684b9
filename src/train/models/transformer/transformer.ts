import * as tf from '@tensorflow/tfjs-core';
import { UserError } from '../../../../data/errors.js';
import type { TextShape } from '../../../../data/experiment.js';
import type { FactorTape } from '../../tape/factor-tape.js';
import type { Model, ModelContext, ModelInputs } from '../model.js';
import { attention } from '../ops/attention.js';
import { gelu } from '../ops/gelu.js';
import { causalMask, causalMaskAt, paddingMask } from '../ops/masks.js';
import { rotary } from '../ops/rotary.js';
import { selectRows } from '../ops/select-rows.js';
import { rotatedSize, type TransformerConfig } from './config.js';
import { blockNames, transformerNames, transformerParameters } from './parameters.js';

/** Name of the noise added to a variable's embedding in training. */
export const variableNoise = 'variableNoise';

/**
 * A causal decoder-only transformer from a config: GPT-NeoX shape (rotary, parallel residual), GPT-2 shape (learned
 * positions, sequential), and anything between.
 *
 * Reads `tokens [replica, example, row]` and, where only some positions are asked for, `positions [replica,
 * example, query]`; the last block then computes queries, MLP and logits for those positions only. Without
 * `positions` every position but the last is asked for, and the last token, which nothing may look at, is left out.
 */
export function buildTransformer(config: TransformerConfig, context: ModelContext): Model {
  const { shape } = context;
  if (shape.modality !== 'text') throw new UserError('model.kind transformer needs an experiment on text');
  checkShape(config, shape);
  const { variableEmbedding } = config;
  return {
    parameters: transformerParameters(config, shape),
    noise:
      variableEmbedding === null || variableEmbedding.noise === 0
        ? []
        : [
            {
              name: variableNoise,
              shape: [variableEmbedding.width],
              standardDeviation: variableEmbedding.noise,
            },
          ],
    // Inputs and output gradients of a block's four maps and two norms, and its attention weights.
    activationsPerExample:
      shape.blockSize *
        config.layers *
        (12 * config.width + 4 * config.feedForward + config.heads * shape.blockSize) +
      shape.queries * shape.outputSize * 2,
    trainingInputs: asksEverywhere(shape) ? ['tokens'] : ['tokens', 'positions'],
    testInputs: ['tokens', 'positions'],
    logits: (tape, inputs) => transformerLogits(config, shape, context.hidePadding, tape, inputs),
  };
}

/**
 * Whether a training row asks at every position but the last, so that no positions are needed. With rows of two tokens
 * the one query may as well be about what comes after them.
 */
function asksEverywhere({ queries, blockSize }: TextShape): boolean {
  return queries > 1 && queries === blockSize - 1;
}

function checkShape(config: TransformerConfig, shape: TextShape): void {
  if (shape.variables > 0 && config.variableEmbedding === null) {
    throw new UserError(
      'model.variableEmbedding is null, but data.format compact keeps variables out of the vocabulary: ' +
        'give variableEmbedding, or use data.format paper',
    );
  }
  if (shape.variables === 0 && config.variableEmbedding !== null) {
    throw new UserError(
      'model.variableEmbedding is given, but data.format paper has variables as ordinary tokens: set it to null',
    );
  }
  const tags = shape.tags ?? 0;
  if (tags > 0 !== (config.tagEmbedding !== null)) {
    throw new UserError(
      tags > 0
        ? 'model.tagEmbedding is null, but the data keep tags out of the vocabulary: give tagEmbedding'
        : 'model.tagEmbedding is given, but the data have tags as ordinary tokens: set it to null',
    );
  }
  if (tags > 0 && config.variableEmbedding === null) {
    throw new UserError('model.tagEmbedding needs model.variableEmbedding: give both or neither');
  }
  if (config.tiedEmbedding && shape.outputSize !== shape.vocabularySize) {
    throw new UserError('model.tiedEmbedding needs an output vocabulary equal to the input vocabulary');
  }
}

function transformerLogits(
  config: TransformerConfig,
  shape: TextShape,
  hidePadding: boolean,
  tape: FactorTape,
  inputs: ModelInputs,
): tf.Tensor3D {
  const given = inputs['tokens'] as tf.Tensor3D;
  const positions = (inputs['positions'] ?? null) as tf.Tensor3D | null;
  const [replicas, examples, length] = given.shape;
  const rows = positions === null ? length - 1 : length;
  const tokens = positions === null ? tf.slice(given, [0, 0, 0], [replicas, examples, rows]) : given;
  let x = embedded(config, shape, tape, tokens, inputs);
  if (config.positions === 'learned') x = tape.positions(x, transformerNames.positions);
  const padding = hidePadding ? paddingMask(tokens, shape.padToken) : null;
  for (let i = 0; i < config.layers; i++) {
    x = block(config, tape, x, i, rows, i === config.layers - 1 ? positions : null, padding);
  }
  x = tape.layerNorm(
    x,
    `${transformerNames.finalNorm}.weight`,
    `${transformerNames.finalNorm}.bias`,
    config.layerNormEpsilon,
  );
  return config.tiedEmbedding
    ? tape.unembedding(x, transformerNames.embedding)
    : tape.linear(x, transformerNames.unembedding, null);
}

/** Embeddings of tokens `[replica, example, row]`, as `[replica, example * row, width]`. */
function embedded(
  config: TransformerConfig,
  shape: TextShape,
  tape: FactorTape,
  tokens: tf.Tensor3D,
  inputs: ModelInputs,
): tf.Tensor3D {
  const [replicas, examples, rows] = tokens.shape;
  const flat = (ids: tf.Tensor): tf.Tensor2D => tf.reshape(ids, [replicas, examples * rows]);
  const name = transformerNames.embedding;
  if (config.variableEmbedding === null) return tape.embedding(flat(tokens), name, null);
  const variables = variableRows(config, shape, tape, tokens, inputs);
  if (config.tagEmbedding === null) return tape.embedding(flat(tokens), name, variables);
  const first = tf.scalar(shape.vocabularySize, 'int32');
  const end = tf.scalar(shape.vocabularySize + (shape.tags ?? 0), 'int32');
  const isTag = tf.logicalAnd(tf.greaterEqual(tokens, first), tf.less(tokens, end));
  // A row names at most one tag; where it names none, the row of the table that is looked up goes nowhere.
  const tagIds = tf.max(tf.where(isTag, tf.sub(tokens, first), tf.zerosLike(tokens)), 2) as tf.Tensor2D;
  const tags = tape.embedding(tagIds, transformerNames.tags, null);
  const { width } = config;
  const inserted = tf.reshape(tf.stack([variables, tags], 2), [replicas, examples * 2, width]) as tf.Tensor3D;
  const tagSlot = tf.add(first, tf.scalar(1, 'int32'));
  const slots = tf.where(isTag, tf.add(tf.zerosLike(tokens), tagSlot), tf.minimum(tokens, first));
  return tape.embedding(flat(slots), name, inserted);
}

/** The embedding of each example's variable, `[replica, example, width]`. */
function variableRows(
  config: TransformerConfig,
  shape: TextShape,
  tape: FactorTape,
  tokens: tf.Tensor3D,
  inputs: ModelInputs,
): tf.Tensor3D {
  const { normalise, epsilon, projection, scale } = config.variableEmbedding!;
  // A row names at most one variable, and variables have the highest token ids; what is looked up of none goes nowhere.
  const first = shape.vocabularySize + (shape.tags ?? 0);
  const highest = tf.max(tokens, 2);
  const ids = tf.maximum(tf.sub(highest, tf.scalar(first, 'int32')), tf.scalar(0, 'int32')) as tf.Tensor2D;
  let rows: tf.Tensor3D = tape.embedding(ids, transformerNames.variables, null);
  if (normalise === 'rms') {
    rows = tf.mul(rows, tf.rsqrt(tf.add(tf.mean(tf.square(rows), -1, true), epsilon))) as tf.Tensor3D;
  }
  const noise = inputs[variableNoise];
  if (noise !== undefined) rows = tf.add(rows, noise) as tf.Tensor3D;
  if (scale !== 1) rows = tf.mul(rows, scale) as tf.Tensor3D;
  return projection ? tape.linear(rows, transformerNames.variableProjection, null) : rows;
}

/** One block; with `positions`, its output has only those rows, `[replica, example * query, width]`. */
function block(
  config: TransformerConfig,
  tape: FactorTape,
  x: tf.Tensor3D,
  index: number,
  rows: number,
  positions: tf.Tensor3D | null,
  padding: tf.Tensor4D | null,
): tf.Tensor3D {
  const name = blockNames(index);
  const norm = (input: tf.Tensor3D, of: string): tf.Tensor3D =>
    tape.layerNorm(input, `${of}.weight`, `${of}.bias`, config.layerNormEpsilon);
  const linear = (input: tf.Tensor3D, of: string): tf.Tensor3D =>
    tape.linear(input, `${of}.weight`, `${of}.bias`);

  const projected = linear(norm(x, name.attentionNorm), name.projection);
  const attended = linear(
    attend(config, tape.examples, projected, rows, positions, padding),
    name.attentionOutput,
  );
  const residual = positions === null ? x : selectRows(x, positions);
  const mlp = (input: tf.Tensor3D): tf.Tensor3D =>
    linear(gelu(linear(norm(input, name.mlpNorm), name.mlpIn)), name.mlpOut);
  const withAttention = tf.add(residual, attended) as tf.Tensor3D;
  return tf.add(withAttention, mlp(config.residual === 'parallel' ? residual : withAttention));
}

/**
 * Attention over projections `[replica, example * row, query | key | value]`; with `positions`, of those queries only.
 *
 * @returns `[replica, example * query, width]`
 */
function attend(
  config: TransformerConfig,
  examples: number,
  projected: tf.Tensor3D,
  rows: number,
  positions: tf.Tensor3D | null,
  padding: tf.Tensor4D | null,
): tf.Tensor3D {
  const [replicas] = projected.shape;
  const { heads, width } = config;
  const batch = replicas * examples;
  const turn = (part: tf.Tensor3D): tf.Tensor3D => {
    if (config.positions !== 'rotary') return part;
    const separated = tf.reshape(part, [batch, rows, heads, width / heads]) as tf.Tensor4D;
    const turned = rotary(separated, rotatedSize(width / heads, config.rotaryFraction), config.rotaryBase);
    return tf.reshape(turned, part.shape);
  };
  const [query, key, value] = tf.split(projected, 3, 2) as [tf.Tensor3D, tf.Tensor3D, tf.Tensor3D];
  const turned = turn(query);
  const asked = positions === null ? turned : selectRows(turned, positions);
  const queries = asked.shape[1] / examples;
  const causal = positions === null ? causalMask(rows) : causalMaskAt(positions, rows);
  const output = attention(
    tf.reshape(asked, [batch, queries, width]),
    tf.reshape(turn(key), [batch, rows, width]),
    tf.reshape(value, [batch, rows, width]),
    padding === null ? causal : tf.add(causal, padding),
    heads,
  );
  return tf.reshape(output, [replicas, examples * queries, width]);
}
