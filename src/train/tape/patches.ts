import * as tf from '@tensorflow/tfjs-core';
import { gather } from '../engine/ops/gather.js';

/** Rows or columns of zeros around a picture. */
export interface Padding {
  readonly top: number;
  readonly bottom: number;
  readonly left: number;
  readonly right: number;
}

/** A convolution: what it reads, and how its window moves. */
export interface ConvolutionShape {
  readonly height: number;
  readonly width: number;
  /** Side of the window. */
  readonly kernel: number;
  /** Distance between neighbouring windows. */
  readonly stride: number;
  readonly padding: Padding;
}

/** Positions of a convolution's output. */
export interface OutputShape {
  readonly height: number;
  readonly width: number;
}

/** `floor((size + padding - kernel) / stride) + 1` in both directions; not positive where the window does not fit. */
export function outputShape({ height, width, kernel, stride, padding }: ConvolutionShape): OutputShape {
  const along = (size: number, around: number): number => Math.floor((size + around - kernel) / stride) + 1;
  return {
    height: along(height, padding.top + padding.bottom),
    width: along(width, padding.left + padding.right),
  };
}

/**
 * Which pixel every tap of every window reads, `[position * tap]`; `height * width`, one behind the last pixel, where
 * the window lies in the padding. Taps are in reading order.
 */
export function patchSources(shape: ConvolutionShape): Int32Array {
  const { height, width, kernel, stride, padding } = shape;
  const output = outputShape(shape);
  const sources = new Int32Array(output.height * output.width * kernel * kernel);
  let at = 0;
  for (let y = 0; y < output.height; y++) {
    for (let x = 0; x < output.width; x++) {
      for (let i = 0; i < kernel; i++) {
        for (let j = 0; j < kernel; j++) {
          const row = y * stride + i - padding.top;
          const column = x * stride + j - padding.left;
          const inside = row >= 0 && row < height && column >= 0 && column < width;
          sources[at++] = inside ? row * width + column : height * width;
        }
      }
    }
  }
  return sources;
}

/**
 * Inverse of {@link patchSources}: the taps that read each pixel. `rounds[r][pixel]` is the r-th place in
 * `[position * tap]` that reads the pixel, or `missing` where fewer do.
 */
function pixelReaders(sources: Int32Array, pixels: number, missing: number): Int32Array[] {
  const rounds: Int32Array[] = [];
  const filled = new Int32Array(pixels);
  sources.forEach((pixel, place) => {
    if (pixel === pixels) return;
    const round = filled[pixel]!++;
    (rounds[round] ??= new Int32Array(pixels).fill(missing))[pixel] = place;
  });
  return rounds;
}

/** Pictures of fewer channels are read in runs of pixels: gathering single numbers is slow. */
const fewChannels = 4;

/**
 * The windows of a convolution as rows ("im2col"), so that a convolution is a linear map of them. They are gathered
 * pixel by pixel: on the CPU three to six times as fast as by TensorFlow's own ExtractImagePatches.
 *
 * @param x `[replica, example * pixel, channel]`
 * @returns `[replica, example * position, tap * channel]`
 */
export function extractPatches(x: tf.Tensor3D, examples: number, shape: ConvolutionShape): tf.Tensor3D {
  const [replicas, , channels] = x.shape;
  const pixels = shape.height * shape.width;
  const output = outputShape(shape);
  const taps = shape.kernel ** 2;
  const asRows = (patches: tf.Tensor): tf.Tensor3D =>
    tf.reshape(patches, [replicas, examples * output.height * output.width, taps * channels]);
  if (channels < fewChannels) return asRows(windowsOfRows(x, examples, shape));
  const sources = patchSources(shape);
  const rows = tf.reshape(x, [replicas * examples, pixels, channels]) as tf.Tensor3D;
  const padded = sources.includes(pixels) ? withZeroRow(rows) : rows;
  return asRows(gather(padded, tf.tensor1d(sources, 'int32'), 1));
}

/**
 * The same in two steps: a product with a matrix of zeros and ones cuts every row of pixels into the windows' runs, and
 * the runs of a window, one below the other, are gathered.
 */
function windowsOfRows(x: tf.Tensor3D, examples: number, shape: ConvolutionShape): tf.Tensor {
  const [replicas, , channels] = x.shape;
  const { height, width, kernel, stride, padding } = shape;
  const output = outputShape(shape);
  const run = kernel * channels;
  const cut = new Float32Array(width * channels * output.width * run);
  for (let column = 0; column < output.width; column++) {
    for (let i = 0; i < run; i++) {
      const source = (column * stride - padding.left) * channels + i;
      if (source >= 0 && source < width * channels) cut[source * output.width * run + column * run + i] = 1;
    }
  }
  const runs = tf.matMul(
    tf.reshape(x, [replicas * examples * height, width * channels]),
    tf.tensor2d(cut, [width * channels, output.width * run]),
  );
  // A row of runs behind the last stands for the padding above and below.
  const perExample = tf.reshape(runs, [replicas * examples, height * output.width, run]) as tf.Tensor3D;
  const sources: number[] = [];
  for (let y = 0; y < output.height; y++) {
    for (let column = 0; column < output.width; column++) {
      for (let i = 0; i < kernel; i++) {
        const row = y * stride + i - padding.top;
        sources.push(row >= 0 && row < height ? row * output.width + column : height * output.width);
      }
    }
  }
  const padded = sources.includes(height * output.width) ? withZeroRow(perExample) : perExample;
  return gather(padded, tf.tensor1d(sources, 'int32'), 1);
}

/**
 * Gradient of {@link extractPatches} for patches that are a linear map's input: what flows back to the pixels from
 * gradients at the map's output. A pixel gathers from the at most `ceil(kernel / stride)^2` windows that read it.
 *
 * @param dy `[replica, example * position, out]` gradient at the output of the map
 * @param weight `[replica, tap * channel, out]` the map
 * @returns `[replica, example * pixel, channel]`
 */
export function patchesGradient(
  dy: tf.Tensor3D,
  weight: tf.Tensor3D,
  examples: number,
  shape: ConvolutionShape,
): tf.Tensor3D {
  const [replicas, total, outputs] = dy.shape;
  const positions = total / examples;
  const taps = shape.kernel ** 2;
  const channels = weight.shape[1] / taps;
  const pixels = shape.height * shape.width;
  const missing = positions * taps;
  const rounds = pixelReaders(patchSources(shape), pixels, missing);
  // Appended to the outputs rather than to their several times larger product.
  const needsZero = rounds.some((round) => round.includes(missing));
  const perExample = tf.reshape(dy, [replicas * examples, positions, outputs]) as tf.Tensor3D;
  const padded = needsZero ? withZeroRow(perExample) : perExample;
  const rows = needsZero ? positions + 1 : positions;
  const product = tf.matMul(tf.reshape(padded, [replicas, examples * rows, outputs]), weight, false, true);
  const perTap = tf.reshape(product, [replicas * examples, rows * taps, channels]);
  const parts = rounds.map((round) => gather(perTap, tf.tensor1d(round, 'int32'), 1));
  if (parts.length === 0) return tf.zeros([replicas, examples * pixels, channels]);
  const sum = parts.length === 1 ? parts[0]! : tf.addN(parts);
  return tf.reshape(sum, [replicas, examples * pixels, channels]);
}

/** Appends a row of zeros to every example: `[n, rows + 1, width]`. */
function withZeroRow(x: tf.Tensor3D): tf.Tensor3D {
  const [n, , width] = x.shape;
  return tf.concat([x, tf.zeros([n, 1, width])], 1) as tf.Tensor3D;
}
