import * as tf from '@tensorflow/tfjs-core';
import { sparseSoftmaxCrossEntropy } from '../../engine/ops/sparse-softmax-cross-entropy.js';

/**
 * Loss of each example: the weighted cross-entropy, in nats, of its queries.
 *
 * @param logits `[replica, example * query, answer]`
 * @param labels `[replica, example, query]` int32
 * @param weights `[replica, example, query]`
 * @returns `[replica, example]`
 */
export function queryLoss(logits: tf.Tensor3D, labels: tf.Tensor3D, weights: tf.Tensor3D): tf.Tensor2D {
  const [replicas, total, answers] = logits.shape;
  const [, examples, queries] = labels.shape;
  const flatLabels = (): tf.Tensor1D => tf.reshape(labels, [-1]) as tf.Tensor1D;
  return tf.customGrad((input, save) => {
    const { loss, gradient } = sparseSoftmaxCrossEntropy(
      tf.reshape(input as tf.Tensor, [replicas * total, answers]),
      flatLabels(),
    );
    (save as tf.GradSaveFunc)([gradient]);
    const weighted = tf.mul(tf.reshape(loss, [replicas, examples, queries]), weights);
    return {
      value: tf.sum(weighted, 2),
      gradFunc: (dy, [gradient]) => {
        const perQuery = tf.mul(weights, tf.expandDims(dy, 2));
        const perRow = tf.mul(gradient!, tf.reshape(perQuery, [replicas * total, 1]));
        return tf.reshape(perRow, [replicas, total, answers]);
      },
    };
  })(logits) as tf.Tensor2D;
}
