import { UserError } from '../../../../data/errors.js';
import type { ImageShape } from '../../../../data/experiment.js';
import { outputShape, type ConvolutionShape } from '../../tape/patches.js';
import type { ConvolutionConfig } from './config.js';

/** One convolution with its sizes resolved. */
export interface TrunkLayer {
  readonly shape: ConvolutionShape;
  /** Channels of the input and of the output. */
  readonly channels: number;
  readonly outputs: number;
  /** Positions of the output. */
  readonly positions: number;
}

/** Resolves the sizes of consecutive convolutions. Throws a UserError for a window that does not fit its input. */
export function planTrunk(convolutions: readonly ConvolutionConfig[], image: ImageShape): TrunkLayer[] {
  let { height, width, channels } = image;
  return convolutions.map(({ kernel, stride, padding, channels: outputs }, i) => {
    const around =
      typeof padding === 'number'
        ? { top: padding, bottom: padding, left: padding, right: padding }
        : padding;
    const shape = { height, width, kernel, stride, padding: around };
    const output = outputShape(shape);
    if (output.height < 1 || output.width < 1) {
      throw new UserError(
        `model.convolutions.${i}: a window of ${kernel} x ${kernel} does not fit its input of ${height} x ${width}; ` +
          'lower kernel or the strides before it, or add padding',
      );
    }
    const layer = { shape, channels, outputs, positions: output.height * output.width };
    ({ height, width } = output);
    channels = outputs;
    return layer;
  });
}
