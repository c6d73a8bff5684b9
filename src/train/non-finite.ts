import * as tf from '@tensorflow/tfjs-core';
import type { MinibatchGradient } from './gradient-function.js';
import type { ParameterTensors } from './tape/factor-tape.js';

/**
 * Says which tensor of one replica first holds a number that is not finite: a parameter before the step, else an
 * activation in the order of the forward pass, else a loss, else a back-activation in the order of the backward pass. Of
 * an accumulated gradient, which has no activations: a parameter, a loss or the gradient.
 *
 * @returns e.g. `input of layers.1.mlp.dense_4h_to_h.weight`, or null when all is finite
 */
export function firstNonFinite(
  parameters: ParameterTensors,
  gradient: MinibatchGradient,
  replica: number,
): string | null {
  const lane = gradient.lanes.find(({ first, replicas }) => replica >= first && replica < first + replicas);
  const broken = (tensor: tf.Tensor, own = replica): boolean => {
    const slice = tf.slice(tensor, [own], [1]);
    const finite = slice.dataSync().every((value) => Number.isFinite(value));
    slice.dispose();
    return !finite;
  };
  for (const [name, tensor] of parameters) if (broken(tensor)) return `parameter ${name}`;
  if (lane === undefined) {
    if (broken(gradient.losses)) return 'loss';
    return gradient.blocks.some((block) => broken(block)) ? 'gradient of a micro-batch' : null;
  }
  const backwardOrder = lane.uses;
  const inLane = replica - lane.first;
  for (const use of backwardOrder.toReversed()) {
    if (use.kind === 'linear' && broken(use.left, inLane)) return `input of ${use.parameter}`;
  }
  if (broken(gradient.losses)) return 'loss';
  for (const use of backwardOrder) {
    const back = use.kind === 'vector' ? use.sums : use.right;
    if (broken(back, inLane)) return `gradient at the output of ${use.parameter}`;
  }
  return null;
}
