import type * as tf from '@tensorflow/tfjs-core';
import { geluTanh } from './gelu-tanh.js';
import { gelu } from './gelu.js';
import { relu } from './relu.js';
import { silu } from './silu.js';

/** Non-linear functions of an MLP, element by element. */
const activations = { gelu, geluTanh, relu, silu } as const;

export type Activation = keyof typeof activations;

/** Applies a function element by element. */
export function activate(name: Activation, x: tf.Tensor3D): tf.Tensor3D {
  return activations[name](x);
}
