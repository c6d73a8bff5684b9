import * as tf from '@tensorflow/tfjs-core';
import { nativeBackend, typeAttribute } from '../tensorflow-binding.js';

/**
 * Cross-entropy in nats of integer labels, with its gradient in one pass.
 *
 * @param logits `[row, class]`
 * @param labels `[row]`, int32 in `[0, classes)`
 * @returns `loss` `[row]` = log sum exp(logits) - logits[label] and `gradient` `[row, class]` = softmax - one-hot,
 * the derivative of each row's own loss (no 1/rows).
 */
export function sparseSoftmaxCrossEntropy(
  logits: tf.Tensor2D,
  labels: tf.Tensor1D,
): { loss: tf.Tensor1D; gradient: tf.Tensor2D } {
  const native = nativeBackend();
  if (native !== null) {
    const attributes = [typeAttribute('T', 'float32'), typeAttribute('Tlabels', 'int32')];
    const [loss, gradient] = native.executeMultipleOutputs(
      'SparseSoftmaxCrossEntropyWithLogits',
      attributes,
      [logits, labels],
      2,
    );
    return { loss: loss as tf.Tensor1D, gradient: gradient as tf.Tensor2D };
  }
  return tf.tidy(() => {
    const oneHot = tf.oneHot(labels, logits.shape[1]) as tf.Tensor2D;
    const logSoftmax = tf.sub(logits, tf.logSumExp(logits, 1, true)) as tf.Tensor2D;
    return {
      loss: tf.neg(tf.sum(tf.mul(logSoftmax, oneHot), 1)),
      gradient: tf.sub(tf.exp(logSoftmax), oneHot),
    };
  });
}
