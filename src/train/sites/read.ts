import * as tf from '@tensorflow/tfjs-core';
import type { Model, ModelInputs } from '../models/model.js';
import { FactorTape, type ParameterTensors } from '../tape/factor-tape.js';
import type { Site } from './site.js';

/**
 * Positions that ask a model at every place of its texts, `[replica, example, row]` int32: its last block then has all rows
 * too.
 *
 * @param shape of the tokens, `[replica, example, row]`
 */
function everyPosition(shape: readonly number[]): tf.Tensor3D {
  const [replicas, examples, rows] = shape as [number, number, number];
  return tf.tile(tf.reshape(tf.range(0, rows, 1, 'int32'), [1, 1, rows]), [
    replicas,
    examples,
    1,
  ]) as tf.Tensor3D;
}

/**
 * Activations at sites, each `[replica, example * row, width]`, in the order of `sites`: by the forward pass that training
 * and tests take.
 *
 * @param inputs `tokens [replica, example, row]`
 */
export function readActivations(
  model: Model,
  parameters: ParameterTensors,
  inputs: ModelInputs,
  sites: readonly Site[],
): tf.Tensor3D[] {
  const seen = new Map<string, tf.Tensor3D>();
  const { shape } = inputs['tokens']!;
  const tape = new FactorTape(parameters, shape[1]!, tf.scalar(0));
  const positions = everyPosition(shape);
  tape.hooked(
    (name, x) => {
      seen.set(name, x);
      return x;
    },
    () => model.logits(tape, { ...inputs, positions }),
  );
  return sites.map(({ name, activation, first, width, of }) => {
    const whole = seen.get(activation);
    if (whole === undefined) throw new Error(`the forward pass has no activation ${name}`);
    return width === of
      ? whole
      : tf.slice(whole, [0, 0, first], [...whole.shape.slice(0, 2), width] as [number, number, number]);
  });
}
