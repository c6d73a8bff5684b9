import * as tf from '@tensorflow/tfjs-core';
import { gather } from '../../engine/ops/gather.js';

/** How rotary positions turn the dimensions of a head. */
export interface RotaryConfig {
  /** Leading dimensions of a head that are turned, an even number. */
  readonly rotated: number;
  readonly base: number;
  /**
   * Which dimensions are turned as a pair: `half` i and i + rotated/2 (GPT-NeoX, Llama as Hugging Face has it), `interleaved`
   * 2i and 2i + 1 (GPT-J, Llama as Meta has it).
   */
  readonly pairing: 'half' | 'interleaved';
}

/**
 * Rotary position embedding (Su et al. 2021; Black et al. 2022): pair i of a head's dimensions is turned by
 * `position * base^(-2i / rotated)`.
 *
 * @param x `[batch, row, head, d]`
 * @param positions `[batch, row]` int32 below `limit`; null where row t is at position t
 * @param limit positions that there are at most; not read without `positions`
 */
export function rotary(
  x: tf.Tensor4D,
  config: RotaryConfig,
  positions: tf.Tensor2D | null = null,
  limit = 0,
): tf.Tensor4D {
  const anglesOf = (): Angles =>
    positions === null ? angles(x.shape[1], config) : anglesAt(positions, limit, config);
  return tf.customGrad((input) => ({
    value: turn(input as tf.Tensor4D, config, anglesOf(), 1),
    // The inverse of a rotation is its transpose.
    gradFunc: (dy) => turn(dy as tf.Tensor4D, config, anglesOf(), -1),
  }))(x) as tf.Tensor4D;
}

function turn(x: tf.Tensor4D, config: RotaryConfig, own: Angles, direction: 1 | -1): tf.Tensor4D {
  const [batch, rows, heads, size] = x.shape;
  const { rotated } = config;
  const turned =
    config.pairing === 'half'
      ? turnHalves(x, rotated, own, direction)
      : turnPairs(x, rotated, own, direction);
  if (rotated < size) turned.push(tf.slice(x, [0, 0, 0, rotated], [batch, rows, heads, size - rotated]));
  return (turned.length === 1 ? turned[0]! : tf.concat(turned, 3)) as tf.Tensor4D;
}

function turnHalves(
  x: tf.Tensor4D,
  rotated: number,
  { cosine, sine }: Angles,
  direction: 1 | -1,
): tf.Tensor[] {
  const [batch, rows, heads] = x.shape;
  const half = rotated / 2;
  const first = tf.slice(x, [0, 0, 0, 0], [batch, rows, heads, half]);
  const second = tf.slice(x, [0, 0, 0, half], [batch, rows, heads, half]);
  return turnedPair(first, second, cosine, direction === 1 ? sine : tf.neg(sine));
}

/** The two dimensions of pairs turned by angles, `[first cos - second sin, second cos + first sin]`. */
function turnedPair(first: tf.Tensor, second: tf.Tensor, cosine: tf.Tensor, sine: tf.Tensor): tf.Tensor[] {
  return [
    tf.sub(tf.mul(first, cosine), tf.mul(second, sine)),
    tf.add(tf.mul(second, cosine), tf.mul(first, sine)),
  ];
}

function turnPairs(
  x: tf.Tensor4D,
  rotated: number,
  { cosine, sine }: Angles,
  direction: 1 | -1,
): tf.Tensor[] {
  const [batch, rows, heads] = x.shape;
  const half = rotated / 2;
  const used = tf.slice(x, [0, 0, 0, 0], [batch, rows, heads, rotated]);
  // One axis fewer than the pairs would take: tensors have at most five here, and engines are fastest with four.
  const pairs = tf.reshape(used, [batch * rows, heads, half, 2]);
  const [first, second] = tf.split(pairs, 2, 3) as [tf.Tensor4D, tf.Tensor4D];
  const spread = (angle: tf.Tensor4D): tf.Tensor => {
    const all = angle.shape[0] === batch ? angle : tf.tile(angle, [batch, 1, 1, 1]);
    return tf.reshape(all, [batch * rows, 1, half, 1]);
  };
  const cosines = spread(cosine);
  const sines = spread(direction === 1 ? sine : tf.neg(sine));
  const turned = tf.concat(turnedPair(first, second, cosines, sines), 3);
  return [tf.reshape(turned, [batch, rows, heads, rotated])];
}

interface Angles {
  /** `[1 or batch, row, 1, rotated / 2]` */
  readonly cosine: tf.Tensor4D;
  readonly sine: tf.Tensor4D;
}

/** Those of positions 0, 1, ... `rows - 1`. */
function angles(rows: number, { rotated, base }: RotaryConfig): Angles {
  const half = rotated / 2;
  const values = Float64Array.from(
    { length: rows * half },
    (_, i) => Math.floor(i / half) * base ** (-(2 * (i % half)) / rotated),
  );
  const shape: [number, number, number, number] = [1, rows, 1, half];
  return {
    cosine: tf.tensor4d(Float32Array.from(values, Math.cos), shape),
    sine: tf.tensor4d(Float32Array.from(values, Math.sin), shape),
  };
}

function anglesAt(positions: tf.Tensor2D, limit: number, config: RotaryConfig): Angles {
  const all = angles(limit, config);
  const half = config.rotated / 2;
  const pick = (table: tf.Tensor4D): tf.Tensor4D =>
    tf.reshape(gather(tf.reshape(table, [limit, half]), tf.reshape(positions, [-1]), 0), [
      ...positions.shape,
      1,
      half,
    ]);
  return { cosine: pick(all.cosine), sine: pick(all.sine) };
}
