import type { ConvnetConfig } from '../../../src/train/models/convnet/config.js';
import { convnetNames } from '../../../src/train/models/convnet/convnet.js';
import { normalise, softmaxInPlace } from '../../../src/probe/reference/float64-maths.js';
import type { Float64Parameters } from '../../../src/probe/reference/transformer-float64.js';

/** One image with its questions on the host. */
export interface Float64Image {
  /** `[height, width, channel]` */
  readonly image: ArrayLike<number>;
  readonly height: number;
  readonly width: number;
  readonly channels: number;
  readonly labels: ArrayLike<number>;
  readonly weights: ArrayLike<number>;
}

/**
 * Loss of one example, in nats, by the ConvNet written out in loops over float64 numbers: what the engine's float32
 * results, and finite differences of them, are held against. Slow, and sharing nothing with the engine.
 */
export function convnetLossFloat64(
  config: ConvnetConfig,
  parameters: Float64Parameters,
  { image, height, width, channels, labels, weights }: Float64Image,
): number {
  const get = (name: string): Float64Array => parameters.get(name)!;
  let picture: Picture = { values: Float64Array.from(image), height, width, channels };
  config.convolutions.forEach((layer, i) => {
    if (i > 0) picture = { ...picture, values: picture.values.map((x) => Math.max(0, x)) };
    const name = convnetNames.convolution(i);
    picture = convolve(picture, layer, get(`${name}.weight`), get(`${name}.bias`));
  });
  const normRelu = (x: Float64Array, name: string): Float64Array =>
    normalise(x, get(`${name}.weight`), get(`${name}.bias`), config.layerNormEpsilon).map((value) =>
      Math.max(0, value),
    );
  let x = normRelu(picture.values, convnetNames.trunkNorm);
  config.hidden.forEach((_, i) => {
    const name = convnetNames.hidden(i);
    x = normRelu(affine(x, get(`${name}.weight`), get(`${name}.bias`)), convnetNames.hiddenNorm(i));
  });
  const { output } = convnetNames;
  const logits = affine(x, get(`${output}.weight`), get(`${output}.bias`));
  const answers = logits.length / labels.length;
  let loss = 0;
  for (let query = 0; query < labels.length; query++) {
    const own = logits.slice(query * answers, (query + 1) * answers);
    softmaxInPlace(own);
    loss -= weights[query]! * Math.log(own[labels[query]!]!);
  }
  return loss;
}

interface Picture {
  /** `[height, width, channel]` */
  readonly values: Float64Array;
  readonly height: number;
  readonly width: number;
  readonly channels: number;
}

function convolve(
  { values, height, width, channels }: Picture,
  { kernel, stride, padding, channels: outputs }: ConvnetConfig['convolutions'][number],
  weight: Float64Array,
  bias: Float64Array,
): Picture {
  const around =
    typeof padding === 'number' ? { top: padding, bottom: padding, left: padding, right: padding } : padding;
  const rows = Math.floor((height + around.top + around.bottom - kernel) / stride) + 1;
  const columns = Math.floor((width + around.left + around.right - kernel) / stride) + 1;
  const result = new Float64Array(rows * columns * outputs);
  for (let y = 0; y < rows; y++) {
    for (let x = 0; x < columns; x++) {
      const at = (y * columns + x) * outputs;
      result.set(bias, at);
      for (let i = 0; i < kernel; i++) {
        for (let j = 0; j < kernel; j++) {
          const [row, column] = [y * stride + i - around.top, x * stride + j - around.left];
          if (row < 0 || row >= height || column < 0 || column >= width) continue;
          for (let c = 0; c < channels; c++) {
            const value = values[(row * width + column) * channels + c]!;
            const from = ((i * kernel + j) * channels + c) * outputs;
            for (let o = 0; o < outputs; o++) result[at + o]! += value * weight[from + o]!;
          }
        }
      }
    }
  }
  return { values: result, height: rows, width: columns, channels: outputs };
}

/** `x W + b` for W `[in, out]`. */
function affine(x: Float64Array, weight: Float64Array, bias: Float64Array): Float64Array {
  const y = bias.slice();
  for (let i = 0; i < x.length; i++)
    for (let j = 0; j < y.length; j++) y[j]! += x[i]! * weight[i * y.length + j]!;
  return y;
}
