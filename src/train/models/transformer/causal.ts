import * as tf from '@tensorflow/tfjs-core';
import type { TextShape } from '../../../../data/experiment.js';
import type { FactorTape } from '../../tape/factor-tape.js';
import type { ModelInputs } from '../model.js';
import { activate } from '../ops/activation.js';
import { attention } from '../ops/attention.js';
import { causalMask, causalMaskAt, paddingMask } from '../ops/masks.js';
import { rotary } from '../ops/rotary.js';
import { selectRows } from '../ops/select-rows.js';
import { projectionWidths, type CausalArchitecture } from './architecture.js';
import { blockNames, transformerNames } from './parameters.js';
import { blockSites, siteNames } from './sites.js';

/** Name of the noise added to a variable's embedding in training. */
export const variableNoise = 'variableNoise';

/** What the blocks of a forward pass share. */
interface Pass {
  /** Rows of an example in the residual stream. */
  readonly rows: number;
  /** `[replica * example, row]` int32 positions; null where row t is at position t. */
  readonly positions: tf.Tensor2D | null;
  /** Positions that there are at most. */
  readonly limit: number;
  /** `[1 or replica * example, 1, row, key]` */
  readonly mask: tf.Tensor4D;
  /** Rows that the last block goes on with, `[replica, example, query]`, and their mask; null: all. */
  readonly asked: { readonly positions: tf.Tensor3D; readonly mask: tf.Tensor4D } | null;
  /** Takes the keys and values of a block, `[replica * example, row, width]`, and gives those that are attended to. */
  readonly remember: (keys: tf.Tensor3D, values: tf.Tensor3D) => readonly [tf.Tensor3D, tf.Tensor3D];
}

/**
 * Logits of a batch.
 *
 * @param inputs `tokens [replica, example, row]` and, where only some positions are asked for, `positions [replica, example,
 *   query]`
 * @returns `[replica, example * query, answer]`
 */
export function causalLogits(
  architecture: CausalArchitecture,
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
  const padding = hidePadding ? paddingMask(tokens, shape.padToken) : null;
  const withPadding = (mask: tf.Tensor4D): tf.Tensor4D => (padding === null ? mask : tf.add(mask, padding));
  const x = embedded(architecture, shape, tape, tokens, inputs[variableNoise] ?? null);
  return causalOutput(architecture, tape, x, {
    rows,
    positions: null,
    limit: rows,
    mask: withPadding(causalMask(rows)),
    asked: positions === null ? null : { positions, mask: withPadding(causalMaskAt(positions, rows)) },
    remember: (keys, values) => [keys, values],
  });
}

/**
 * Embeddings of texts that begin at position 0, `[replica, example * row, width]`.
 *
 * @param tokens `[replica, example, row]`
 * @param noise of the variables, `[replica, example, width]`, or null
 */
export function embedded(
  architecture: CausalArchitecture,
  shape: TextShape,
  tape: FactorTape,
  tokens: tf.Tensor3D,
  noise: tf.Tensor | null,
): tf.Tensor3D {
  const [replicas, examples, rows] = tokens.shape;
  const { positions, variableEmbedding } = architecture;
  tape.at(null);
  const x =
    variableEmbedding === null
      ? tape.embedding(flatTokens(tokens), transformerNames.embedding, null)
      : wordsAndVariables(architecture, shape, tape, tokens, noise);
  if (positions.kind !== 'learned') return x;
  // A use of a table records a gradient as large as the table for every example, one of its rows only as many as there are.
  if (positions.rows <= 2 * rows) return tape.positions(x, transformerNames.positions);
  const ids = tf.tile(tf.reshape(tf.range(0, rows, 1, 'int32'), [1, 1, rows]), [replicas, examples, 1]);
  return tf.add(x, positionRows(tape, ids as tf.Tensor3D));
}

/** Learned positions of chosen rows, `[replica, example * row, width]` of `[replica, example, row]` int32. */
export function positionRows(tape: FactorTape, ids: tf.Tensor3D): tf.Tensor3D {
  return tape.embedding(flatTokens(ids), transformerNames.positions, null);
}

/** The blocks, the last norm and the logits, `[replica, example * query, answer]`. */
export function causalOutput(
  architecture: CausalArchitecture,
  tape: FactorTape,
  embeddings: tf.Tensor3D,
  pass: Pass,
): tf.Tensor3D {
  const { layers, isTied } = architecture;
  let x = tape.site(siteNames.embedding, embeddings);
  for (let i = 0; i < layers; i++)
    x = block(architecture, tape, x, i, i === layers - 1 ? pass : { ...pass, asked: null });
  x = norm(architecture, tape, x, transformerNames.finalNorm);
  return isTied
    ? tape.unembedding(x, transformerNames.embedding)
    : tape.linear(x, transformerNames.unembedding, null);
}

function norm(
  { norm: own }: CausalArchitecture,
  tape: FactorTape,
  x: tf.Tensor3D,
  name: string,
): tf.Tensor3D {
  return own.kind === 'layer'
    ? tape.layerNorm(x, `${name}.weight`, `${name}.bias`, own.epsilon)
    : tape.rmsNorm(x, `${name}.weight`, own.epsilon);
}

/** `[replica, example * row]` of `[replica, example, row]`. */
function flatTokens(tokens: tf.Tensor): tf.Tensor2D {
  const [replicas, examples, rows] = tokens.shape as [number, number, number];
  return tf.reshape(tokens, [replicas, examples * rows]);
}

/** Embeddings where variables, and possibly tags, have tables of their own, `[replica, example * row, width]`. */
function wordsAndVariables(
  architecture: CausalArchitecture,
  shape: TextShape,
  tape: FactorTape,
  tokens: tf.Tensor3D,
  noise: tf.Tensor | null,
): tf.Tensor3D {
  const [replicas, examples] = tokens.shape;
  const { vocabularySize, tagEmbedding, width } = architecture;
  const name = transformerNames.embedding;
  const variables = variableRows(architecture, shape, tape, tokens, noise);
  const first = tf.scalar(shape.vocabularySize, 'int32');
  // What is no token of the data is behind the table, which may have rows that the data do not use.
  const slot = (i: number): tf.Tensor => tf.fill(tokens.shape, vocabularySize + i, 'int32');
  const placed = tf.where(tf.less(tokens, first), tokens, slot(0));
  if (tagEmbedding === null) {
    tape.at(null);
    return tape.embedding(flatTokens(placed), name, variables);
  }
  const end = tf.scalar(shape.vocabularySize + (shape.tags ?? 0), 'int32');
  const isTag = tf.logicalAnd(tf.greaterEqual(tokens, first), tf.less(tokens, end));
  // A row names at most one tag; where it names none, the row of the table that is looked up goes nowhere.
  const tagIds = tf.max(tf.where(isTag, tf.sub(tokens, first), tf.zerosLike(tokens)), 2) as tf.Tensor2D;
  tape.at(() => tf.expandDims(tf.argMax(tf.cast(isTag, 'int32'), 2), 2));
  const tags = tape.embedding(tagIds, transformerNames.tags, null);
  const inserted = tf.reshape(tf.stack([variables, tags], 2), [replicas, examples * 2, width]) as tf.Tensor3D;
  tape.at(null);
  return tape.embedding(flatTokens(tf.where(isTag, slot(1), placed)), name, inserted);
}

/** The embedding of each example's variable, `[replica, example, width]`. */
function variableRows(
  architecture: CausalArchitecture,
  shape: TextShape,
  tape: FactorTape,
  tokens: tf.Tensor3D,
  noise: tf.Tensor | null,
): tf.Tensor3D {
  const { normalise, epsilon, projection, scale } = architecture.variableEmbedding!;
  // A row names at most one variable, and variables have the highest token ids; what is looked up of none goes nowhere.
  const first = shape.vocabularySize + (shape.tags ?? 0);
  const highest = tf.max(tokens, 2);
  const ids = tf.maximum(tf.sub(highest, tf.scalar(first, 'int32')), tf.scalar(0, 'int32')) as tf.Tensor2D;
  tape.at(() => tf.expandDims(tf.argMax(tokens, 2), 2));
  let rows: tf.Tensor3D = tape.embedding(ids, transformerNames.variables, null);
  if (normalise === 'rms') {
    rows = tf.mul(rows, tf.rsqrt(tf.add(tf.mean(tf.square(rows), -1, true), epsilon))) as tf.Tensor3D;
  }
  if (noise !== null) rows = tf.add(rows, noise) as tf.Tensor3D;
  if (scale !== 1) rows = tf.mul(rows, scale) as tf.Tensor3D;
  return projection ? tape.linear(rows, transformerNames.variableProjection, null) : rows;
}

/** One block; where only some rows are asked for, its output has those alone, `[replica, example * query, width]`. */
function block(
  architecture: CausalArchitecture,
  tape: FactorTape,
  x: tf.Tensor3D,
  index: number,
  pass: Pass,
): tf.Tensor3D {
  const { biases, residual: kind } = architecture;
  const name = blockNames(index);
  const linear = (input: tf.Tensor3D, of: string, hasBias: boolean): tf.Tensor3D =>
    tape.linear(input, `${of}.weight`, hasBias ? `${of}.bias` : null);

  const projected = linear(
    norm(architecture, tape, x, name.attentionNorm),
    name.projection,
    biases.attention,
  );
  const { asked } = pass;
  const site = blockSites(index);
  const rows = asked?.positions ?? null;
  const output = tape.site(site.heads, attend(architecture, tape.examples, projected, pass), rows);
  // What follows works on the rows that are asked for.
  if (asked !== null) tape.at(() => asked.positions);
  const attended = tape.site(
    site.attentionOutput,
    linear(output, name.attentionOutput, biases.attentionOutput),
    rows,
  );
  const residual = asked === null ? x : selectRows(x, asked.positions);
  const mlp = (input: tf.Tensor3D): tf.Tensor3D => {
    const normalised = norm(architecture, tape, input, name.mlpNorm);
    const { activation, isGated } = architecture;
    const inner = linear(normalised, name.mlpIn, biases.mlp);
    const hidden = isGated
      ? tf.mul(activate(activation, linear(normalised, name.mlpGate, biases.mlp)), inner)
      : activate(activation, inner);
    const kept = tape.site(site.mlpHidden, hidden as tf.Tensor3D, rows);
    return tape.site(site.mlpOutput, linear(kept, name.mlpOut, biases.mlp), rows);
  };
  const withAttention = tf.add(residual, attended) as tf.Tensor3D;
  const after = tf.add(withAttention, mlp(kind === 'parallel' ? residual : withAttention));
  return tape.site(site.residual, after as tf.Tensor3D, rows);
}

/**
 * Attention over projections `[replica, example * row, query | key | value]`; of the rows that are asked for only.
 *
 * @returns `[replica, example * query, width]`
 */
function attend(
  architecture: CausalArchitecture,
  examples: number,
  projected: tf.Tensor3D,
  { rows, positions, limit, mask, asked, remember }: Pass,
): tf.Tensor3D {
  const [replicas] = projected.shape;
  const { heads, keyValueHeads, headSize, positions: kind } = architecture;
  const widths = projectionWidths(architecture);
  const batch = replicas * examples;
  const turn = (part: tf.Tensor3D): tf.Tensor3D => {
    if (kind.kind !== 'rotary') return part;
    const separated = tf.reshape(part, [batch, rows, part.shape[2] / headSize, headSize]) as tf.Tensor4D;
    return tf.reshape(rotary(separated, kind, positions, limit), part.shape);
  };
  const [query, key, value] = tf.split(projected, [widths.query, widths.key, widths.key], 2) as [
    tf.Tensor3D,
    tf.Tensor3D,
    tf.Tensor3D,
  ];
  const turned = turn(query);
  const chosen = asked === null ? turned : selectRows(turned, asked.positions);
  const queries = chosen.shape[1] / examples;
  const [keys, values] = remember(
    tf.reshape(turn(key), [batch, rows, widths.key]),
    tf.reshape(value, [batch, rows, widths.key]),
  );
  const output = attention(
    tf.reshape(chosen, [batch, queries, widths.query]),
    keys,
    values,
    asked === null ? mask : asked.mask,
    { heads, keyValueHeads, scale: 1 / Math.sqrt(headSize), bias: null },
  );
  return tf.reshape(output, [replicas, examples * queries, widths.query]);
}
