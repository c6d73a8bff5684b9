import { parameterCount, type Model } from '../train/models/model.js';

/** Copies of the parameters that a step holds: value, two moments, gradient, its chunks, log vectors. */
const parameterCopies = 12;

/** Copies of the recorded activations: forward value, saved value, gradient, temporaries. */
const activationCopies = 4;

/** Bytes of a float32. */
const float = 4;

/** Bytes that one replica trains in, with minibatches of so many examples; of the right size, not exact. */
export function trainingBytes(
  model: Model,
  examples: number,
): { readonly parameterBytes: number; readonly activationBytes: number } {
  return {
    parameterBytes: float * parameterCount(model) * parameterCopies,
    activationBytes: float * examples * model.activationsPerExample * activationCopies,
  };
}

/** Bytes of the activations of so many examples once more, such as factors that are weighted. */
export function factorBytes(model: Model, examples: number): number {
  return float * examples * model.activationsPerExample;
}
