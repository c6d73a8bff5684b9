import * as tf from '@tensorflow/tfjs-core';
import type { TransformerConfig } from '../../../src/train/models/transformer/config.js';

/**
 * The transformer once more, for one replica, as plain tfjs operations on `[example, row, width]` with no tape, no
 * pruning and no custom gradients: what tfjs's own differentiation is applied to.
 *
 * @param part copies of the parameters, and `[example, row]` how much of every use at a row is theirs: their gradient is that of
 * the places, each as far as it counts
 */
export function referenceLosses(
  config: TransformerConfig,
  vocabularySize: number,
  parameters: ReadonlyMap<string, tf.Tensor>,
  inputs: Readonly<Record<string, tf.Tensor>>,
  part?: { readonly parameters: ReadonlyMap<string, tf.Tensor>; readonly weights: tf.Tensor },
): tf.Tensor {
  const used = (apply: (get: (name: string) => tf.Tensor) => tf.Tensor): tf.Tensor => {
    const whole = apply((name) => parameters.get(name)!);
    if (part === undefined) return whole;
    const weights = tf.expandDims(part.weights, 2);
    const own = apply((name) => part.parameters.get(name)!);
    return tf.add(tf.mul(weights, own), tf.mul(tf.sub(1, weights), whole));
  };
  const linear = (x: tf.Tensor, name: string): tf.Tensor =>
    used((get) => tf.add(product(x, get(`${name}.weight`)), get(`${name}.bias`)));
  const norm = (x: tf.Tensor, name: string): tf.Tensor => {
    const { mean, variance } = tf.moments(x, -1, true);
    const scaled = tf.div(tf.sub(x, mean), tf.sqrt(tf.add(variance, config.layerNormEpsilon)));
    return used((get) => tf.add(tf.mul(scaled, get(`${name}.weight`)), get(`${name}.bias`)));
  };
  const tokens = inputs['tokens'] as tf.Tensor2D;
  const [examples, rows] = tokens.shape;
  const d = config.width;
  const headSize = d / config.heads;

  let x = used((get) => embed(config, vocabularySize, get, inputs));
  if (config.positions === 'learned')
    x = tf.add(
      x,
      used((get) => tf.expandDims(tf.slice(get('embed_position.weight'), [0, 0], [rows, d]), 0)),
    );
  for (let i = 0; i < config.layers; i++) {
    const attention = (input: tf.Tensor): tf.Tensor => {
      const qkv = tf.reshape(linear(input, `layers.${i}.attention.query_key_value`), [
        examples,
        rows,
        3,
        config.heads,
        headSize,
      ]);
      const [q, k, v] = [0, 1, 2].map((part) =>
        tf.transpose(tf.squeeze(tf.slice(qkv, [0, 0, part, 0, 0], [-1, -1, 1, -1, -1]), [2]), [0, 2, 1, 3]),
      );
      const turn = (t: tf.Tensor): tf.Tensor => (config.positions === 'learned' ? t : turned(t, config));
      const scores = tf.div(tf.matMul(turn(q!), turn(k!), false, true), Math.sqrt(headSize));
      const allowed = tf.linalg.bandPart(tf.ones([rows, rows]), -1, 0);
      const weights = tf.softmax(tf.where(tf.cast(allowed, 'bool'), scores, tf.fill(scores.shape, -1e9)));
      const merged = tf.reshape(tf.transpose(tf.matMul(weights, v!), [0, 2, 1, 3]), [examples, rows, d]);
      return linear(merged, `layers.${i}.attention.dense`);
    };
    const mlp = (input: tf.Tensor): tf.Tensor => {
      const h = linear(input, `layers.${i}.mlp.dense_h_to_4h`);
      const activated = tf.mul(tf.mul(h, 0.5), tf.add(tf.erf(tf.div(h, Math.SQRT2)), 1));
      return linear(activated, `layers.${i}.mlp.dense_4h_to_h`);
    };
    const attended = attention(norm(x, `layers.${i}.input_layernorm`));
    const between = tf.add(x, attended);
    const mlpInput = config.residual === 'parallel' ? x : between;
    x = tf.add(between, mlp(norm(mlpInput, `layers.${i}.post_attention_layernorm`)));
  }
  x = norm(x, 'final_layer_norm');
  const logits = used((get) =>
    config.tiedEmbedding
      ? product(x, tf.transpose(get('embed_in.weight')))
      : product(x, get('embed_out.weight')),
  );

  // Every position's cross-entropy, then the weighted sum over queries.
  const labels = inputs['labels'] as tf.Tensor2D;
  const queries = labels.shape[1];
  const positions =
    inputs['positions'] ?? tf.tile(tf.expandDims(tf.range(0, queries, 1, 'int32'), 0), [examples, 1]);
  const selector = tf.oneHot(tf.cast(positions, 'int32'), rows);
  const chosen = tf.matMul(tf.cast(selector, 'float32'), logits);
  const logProbabilities = tf.sub(chosen, tf.logSumExp(chosen, -1, true));
  const oneHot = tf.oneHot(labels, chosen.shape[2]!);
  const losses = tf.neg(tf.sum(tf.mul(logProbabilities, oneHot), -1));
  return tf.sum(tf.mul(losses, inputs['weights']!), 1);
}

function embed(
  config: TransformerConfig,
  vocabularySize: number,
  get: (name: string) => tf.Tensor,
  inputs: Readonly<Record<string, tf.Tensor>>,
): tf.Tensor {
  const tokens = inputs['tokens'] as tf.Tensor2D;
  const variables = config.variableEmbedding;
  if (variables === null) return lookUp(tokens, get('embed_in.weight'));
  const tags = config.tagEmbedding === null ? null : get('tag_embedding.weight');
  const first = vocabularySize + (tags?.shape[0] ?? 0);
  const isVariable = tf.cast(tf.greaterEqual(tokens, first), 'float32');
  const table = get('variable_embedding.weight');
  const ids = tf.maximum(tf.sub(tokens, tf.scalar(first, 'int32')), tf.scalar(0, 'int32'));
  let rows = lookUp(ids as tf.Tensor2D, table);
  if (variables.normalise === 'rms') {
    rows = tf.div(rows, tf.sqrt(tf.add(tf.mean(tf.mul(rows, rows), -1, true), variables.epsilon)));
  }
  const noise = inputs['variableNoise'];
  if (noise !== undefined) rows = tf.add(rows, tf.expandDims(noise, 1));
  rows = tf.mul(rows, variables.scale);
  if (variables.projection) rows = product(rows, get('variable_projection.weight'));
  const words = lookUp(tf.minimum(tokens, tf.scalar(vocabularySize - 1, 'int32')), get('embed_in.weight'));
  const mask = tf.expandDims(isVariable, 2);
  const others = tags === null ? words : withTags(tokens, words, tags, vocabularySize);
  return tf.add(tf.mul(mask, rows), tf.mul(tf.sub(1, mask), others));
}

/** Rows of words, but for tokens that are tags: theirs. */
function withTags(tokens: tf.Tensor2D, words: tf.Tensor, tags: tf.Tensor, first: number): tf.Tensor {
  const [count] = tags.shape as [number, number];
  const places = tf.sub(tokens, tf.scalar(first, 'int32'));
  const inside = tf.logicalAnd(tf.greaterEqual(tokens, first), tf.less(tokens, first + count));
  const ids = tf.minimum(tf.maximum(places, tf.scalar(0, 'int32')), tf.scalar(count - 1, 'int32'));
  const mask = tf.expandDims(tf.cast(inside, 'float32'), 2);
  return tf.add(tf.mul(mask, lookUp(ids as tf.Tensor2D, tags)), tf.mul(tf.sub(1, mask), words));
}

/** Embedding as a product with one-hot rows, whose gradient every engine has. */
function lookUp(ids: tf.Tensor2D, table: tf.Tensor): tf.Tensor {
  const [examples, rows] = ids.shape;
  const oneHot = tf.cast(tf.oneHot(tf.reshape(ids, [-1]), table.shape[0]), 'float32');
  return tf.reshape(tf.matMul(oneHot, table), [examples, rows, table.shape[1]!]);
}

function product(x: tf.Tensor, weight: tf.Tensor): tf.Tensor {
  const [examples, rows, width] = x.shape as [number, number, number];
  return tf.reshape(tf.matMul(tf.reshape(x, [examples * rows, width]), weight), [
    examples,
    rows,
    weight.shape[1]!,
  ]);
}

/** Interleaved pairs are sorted into halves, turned, and put back. */
function turned(x: tf.Tensor, config: TransformerConfig): tf.Tensor {
  if (config.positions === 'rotary') return rotate(x, config);
  const size = x.shape[3]!;
  const count = Math.floor(size * config.rotaryFraction);
  const place = (i: number): number => (i >= count ? i : (i % 2) * (count / 2) + Math.floor(i / 2));
  const sort = tf.tensor2d(
    Array.from({ length: size }, (_, i) => Array.from({ length: size }, (_, j) => (place(i) === j ? 1 : 0))),
  );
  const times = (y: tf.Tensor, transposed: boolean): tf.Tensor =>
    tf.reshape(tf.matMul(tf.reshape(y, [-1, size]), sort, false, transposed), y.shape);
  return times(rotate(times(x, false), config), true);
}

/** Rotary embedding in its complex form: pair (i, i + n/2) times exp(i angle). */
function rotate(x: tf.Tensor, config: TransformerConfig): tf.Tensor {
  const [, , rows, size] = x.shape as [number, number, number, number];
  const rotated = Math.floor(size * config.rotaryFraction);
  const half = rotated / 2;
  const real = tf.slice(x, [0, 0, 0, 0], [-1, -1, -1, half]);
  const imaginary = tf.slice(x, [0, 0, 0, half], [-1, -1, -1, half]);
  const rest = tf.slice(x, [0, 0, 0, rotated], [-1, -1, -1, size - rotated]);
  const angle = tf.tensor2d(
    Array.from({ length: rows }, (_, t) =>
      Array.from({ length: half }, (_, i) => t / config.rotaryBase ** ((2 * i) / rotated)),
    ),
  );
  const [c, s] = [tf.cos(angle), tf.sin(angle)];
  return tf.concat(
    [tf.sub(tf.mul(real, c), tf.mul(imaginary, s)), tf.add(tf.mul(real, s), tf.mul(imaginary, c)), rest],
    -1,
  );
}
