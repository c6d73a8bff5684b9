import type { TransformerConfig } from '../../train/models/transformer/config.js';
import { rotatedSize } from '../../train/models/transformer/config.js';
import { blockNames, transformerNames } from '../../train/models/transformer/parameters.js';
import { meanSquare, normalise, normalCdfFloat64, softmaxInPlace } from './float64-maths.js';

/** Parameters of one replica by name, row-major float64. */
export type Float64Parameters = ReadonlyMap<string, Float64Array>;

/** One example on the host. */
export interface Float64Example {
  readonly tokens: ArrayLike<number>;
  /** Positions of the queries. */
  readonly positions: ArrayLike<number>;
  readonly labels: ArrayLike<number>;
  readonly weights: ArrayLike<number>;
}

/**
 * Loss of one example, in nats, by the transformer written out in loops over float64 numbers: what the engine's
 * float32 results, and finite differences of them, are held against. Slow, and sharing nothing with the engine.
 *
 * @param vocabularySize input tokens that are no variables and no tags with a table of their own
 */
export function transformerLossFloat64(
  config: TransformerConfig,
  vocabularySize: number,
  parameters: Float64Parameters,
  { tokens, positions, labels, weights }: Float64Example,
): number {
  const get = (name: string): Float64Array => parameters.get(name)!;
  const d = config.width;
  const norm = (x: Float64Array, name: string): Float64Array =>
    normalise(x, get(`${name}.weight`), get(`${name}.bias`), config.layerNormEpsilon);
  const linear = (x: Float64Array, name: string): Float64Array =>
    multiply(x, get(`${name}.weight`), get(`${name}.bias`));

  let rows = Array.from(tokens, (token, t) => {
    const row =
      token < vocabularySize
        ? tableRow(get(transformerNames.embedding), token, d)
        : ownRow(config, get, token - vocabularySize);
    return config.positions === 'learned' ? add(row, tableRow(get(transformerNames.positions), t, d)) : row;
  });
  for (let i = 0; i < config.layers; i++) {
    const name = blockNames(i);
    const attended = attendFloat64(
      config,
      rows.map((row) => linear(norm(row, name.attentionNorm), name.projection)),
    );
    rows = rows.map((row, t) => {
      const between = add(row, linear(attended[t]!, name.attentionOutput));
      const mlpInput = config.residual === 'parallel' ? row : between;
      const hidden = linear(norm(mlpInput, name.mlpNorm), name.mlpIn).map((x) => x * normalCdfFloat64(x));
      return add(between, linear(hidden, name.mlpOut));
    });
  }
  let loss = 0;
  for (let query = 0; query < labels.length; query++) {
    const final = norm(rows[positions[query]!]!, transformerNames.finalNorm);
    const logits = config.tiedEmbedding
      ? multiplyTransposed(final, get(transformerNames.embedding))
      : multiply(final, get(transformerNames.unembedding), null);
    softmaxInPlace(logits);
    loss -= weights[query]! * Math.log(logits[labels[query]!]!);
  }
  return loss;
}

/** The row of a tag, or of a variable behind the tags. */
function ownRow(config: TransformerConfig, get: (name: string) => Float64Array, token: number): Float64Array {
  if (config.tagEmbedding === null) return variableRow(config, get, token);
  const table = get(transformerNames.tags);
  const tags = table.length / config.width;
  return token < tags ? tableRow(table, token, config.width) : variableRow(config, get, token - tags);
}

/** A variable's embedding without noise. */
function variableRow(
  config: TransformerConfig,
  get: (name: string) => Float64Array,
  variable: number,
): Float64Array {
  const { width, normalise: how, epsilon, projection, scale: factor } = config.variableEmbedding!;
  const raw = tableRow(get(transformerNames.variables), variable, width);
  const scale = factor * (how === 'rms' ? 1 / Math.sqrt(meanSquare(raw) + epsilon) : 1);
  const scaled = raw.map((x) => x * scale);
  return projection ? multiply(scaled, get(transformerNames.variableProjection), null) : scaled;
}

/** Causal attention over rows `query | key | value`. */
function attendFloat64(config: TransformerConfig, projected: readonly Float64Array[]): Float64Array[] {
  const { width: d, heads } = config;
  const size = d / heads;
  const part = (row: Float64Array, which: number, head: number, t: number): Float64Array => {
    const values = row.slice(which * d + head * size, which * d + (head + 1) * size);
    return which < 2 && config.positions !== 'learned' ? rotate(config, values, t) : values;
  };
  return projected.map((row, t) => {
    const output = new Float64Array(d);
    for (let head = 0; head < heads; head++) {
      const query = part(row, 0, head, t);
      const weights = Float64Array.from(
        { length: t + 1 },
        (_, s) => dot(query, part(projected[s]!, 1, head, s)) / Math.sqrt(size),
      );
      softmaxInPlace(weights);
      weights.forEach((weight, s) => {
        part(projected[s]!, 2, head, s).forEach((value, i) => {
          output[head * size + i]! += weight * value;
        });
      });
    }
    return output;
  });
}

/** Turns pairs of the first `rotated` dimensions as complex numbers: (i, i + half), or neighbours where they are interleaved. */
function rotate(
  { positions, rotaryFraction, rotaryBase }: TransformerConfig,
  values: Float64Array,
  t: number,
): Float64Array {
  const rotated = rotatedSize(values.length, rotaryFraction);
  const half = rotated / 2;
  const turned = values.slice();
  for (let i = 0; i < half; i++) {
    const angle = t / rotaryBase ** ((2 * i) / rotated);
    const [a, b] = positions === 'rotary' ? [i, i + half] : [2 * i, 2 * i + 1];
    turned[a] = values[a]! * Math.cos(angle) - values[b]! * Math.sin(angle);
    turned[b] = values[a]! * Math.sin(angle) + values[b]! * Math.cos(angle);
  }
  return turned;
}

function tableRow(table: Float64Array, row: number, width: number): Float64Array {
  return table.slice(row * width, (row + 1) * width);
}

function add(a: Float64Array, b: Float64Array): Float64Array {
  return a.map((value, i) => value + b[i]!);
}

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!;
  return sum;
}

/** `x W + b` for W `[in, out]`. */
function multiply(x: Float64Array, weight: Float64Array, bias: Float64Array | null): Float64Array {
  const outputs = weight.length / x.length;
  const y = bias === null ? new Float64Array(outputs) : bias.slice();
  for (let i = 0; i < x.length; i++)
    for (let j = 0; j < outputs; j++) y[j]! += x[i]! * weight[i * outputs + j]!;
  return y;
}

/** `E x` for a table E `[size, width]`. */
function multiplyTransposed(x: Float64Array, table: Float64Array): Float64Array {
  return Float64Array.from({ length: table.length / x.length }, (_, row) =>
    dot(x, tableRow(table, row, x.length)),
  );
}
