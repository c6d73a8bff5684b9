import * as tf from '@tensorflow/tfjs-core';
import { compile, type CompiledFunction } from '../engine/compiled.js';
import { unpack, type ParameterBlock } from '../parameters/layout.js';

/** Squared norms of the minibatch gradient, tensor by tensor. */
export class TensorNorms {
  private readonly run: CompiledFunction;

  constructor(parameters: readonly string[], blocks: readonly ParameterBlock[]) {
    this.run = compile('tensor norms', (values) => {
      const tensors = unpack(blocks, values);
      const norms2 = parameters.map((name) => {
        const tensor = tensors.get(name)!;
        const axes = tensor.shape.map((_, axis) => axis).slice(1);
        return tf.sum(tf.square(tensor), axes);
      });
      return [tf.stack(norms2, 1)];
    });
  }

  /**
   * @param gradients of the blocks, `[replica, size]`
   * @returns `[replica, parameter]`
   */
  measure(gradients: readonly tf.Tensor[]): Float32Array {
    const [norms2] = this.run(gradients);
    const values = Float32Array.from(norms2!.dataSync());
    norms2!.dispose();
    return values;
  }

  dispose(): void {
    this.run.dispose();
  }
}
