import * as tf from '@tensorflow/tfjs-core';
import {
  boolAttribute,
  nativeBackend,
  shapeAttribute,
  stringAttribute,
  typeAttribute,
  type NativeBackend,
} from './tensorflow-binding.js';

/** A float32 tensor that is updated over time: parameters and optimizer state. */
export interface Variable {
  readonly shape: readonly number[];
  /** The present value; the caller disposes of it. Dispose before the next update, which can then work in place. */
  read(): tf.Tensor;
  /** Takes a new value; the caller keeps ownership of the tensor it passes. */
  assign(value: tf.Tensor): void;
  dispose(): void;
}

/** A variable that starts as `initial` (which the caller still owns), kept where the engine updates it fastest. */
export function createVariable(initial: tf.Tensor): Variable {
  const native = nativeBackend();
  return native === null ? new TensorVariable(initial) : new ResourceVariable(native, initial);
}

class TensorVariable implements Variable {
  private value: tf.Tensor;

  constructor(initial: tf.Tensor) {
    this.value = tf.keep(tf.clone(initial));
  }

  get shape(): readonly number[] {
    return this.value.shape;
  }

  read(): tf.Tensor {
    return tf.clone(this.value);
  }

  assign(value: tf.Tensor): void {
    const next = tf.keep(tf.clone(value));
    this.value.dispose();
    this.value = next;
  }

  dispose(): void {
    this.value.dispose();
  }
}

let created = 0;

/** A TensorFlow resource variable: fused optimizer ops update it in place, reading it copies nothing. */
class ResourceVariable implements Variable {
  readonly shape: readonly number[];
  private readonly handle: tf.Tensor;

  constructor(
    private readonly native: NativeBackend,
    initial: tf.Tensor,
  ) {
    this.shape = initial.shape;
    this.handle = tf.keep(
      native.executeSingleOutput(
        'VarHandleOp',
        [
          typeAttribute('dtype', 'float32'),
          shapeAttribute('shape', initial.shape),
          stringAttribute('shared_name', `gradscope-${created++}`),
          stringAttribute('container', ''),
        ],
        [],
      ),
    );
    this.assign(initial);
  }

  read(): tf.Tensor {
    return this.native.executeSingleOutput(
      'ReadVariableOp',
      [typeAttribute('dtype', 'float32')],
      [this.handle],
    );
  }

  assign(value: tf.Tensor): void {
    this.native.executeMultipleOutputs(
      'AssignVariableOp',
      [typeAttribute('dtype', 'float32')],
      [this.handle, value],
      0,
    );
  }

  dispose(): void {
    this.native.executeMultipleOutputs(
      'DestroyResourceOp',
      [boolAttribute('ignore_lookup_error', true)],
      [this.handle],
      0,
    );
    this.handle.dispose();
  }

  /** Runs an op that updates variables in place, e.g. `ResourceApplyAdam`. */
  static apply(
    op: string,
    variables: readonly ResourceVariable[],
    operands: readonly tf.Tensor[],
    nesterov: boolean,
  ): void {
    const { native } = variables[0]!;
    native.executeMultipleOutputs(
      op,
      [
        typeAttribute('T', 'float32'),
        boolAttribute('use_locking', false),
        boolAttribute('use_nesterov', nesterov),
      ],
      [...variables.map(({ handle }) => handle), ...operands],
      0,
    );
  }
}

/** Scalars of an Adam step. */
export interface AdamScalars {
  readonly learningRate: number;
  readonly beta1: number;
  readonly beta2: number;
  readonly epsilon: number;
  /** Steps taken, this one included. */
  readonly step: number;
}

/**
 * One Adam step in a single pass over memory, in place, where the engine has such an op; returns false elsewhere.
 * TensorFlow adds its epsilon before the bias correction of the second moment,
 * `lr sqrt(1 - b2^t) / (1 - b1^t) * m / (sqrt(v) + e)`; with `e = epsilon sqrt(1 - b2^t)` that is PyTorch's
 * `lr (m / (1 - b1^t)) / (sqrt(v / (1 - b2^t)) + epsilon)`.
 */
export function fusedAdam(
  parameter: Variable,
  firstMoment: Variable,
  secondMoment: Variable,
  gradient: tf.Tensor,
  { learningRate, beta1, beta2, epsilon, step }: AdamScalars,
): boolean {
  const variables = [parameter, firstMoment, secondMoment].filter((v) => v instanceof ResourceVariable);
  if (variables.length < 3) return false;
  tf.tidy(() => {
    const power1 = beta1 ** step;
    const power2 = beta2 ** step;
    const scalars = [power1, power2, learningRate, beta1, beta2, epsilon * Math.sqrt(1 - power2)];
    ResourceVariable.apply(
      'ResourceApplyAdam',
      variables,
      [...scalars.map((value) => tf.scalar(value)), gradient],
      false,
    );
  });
  return true;
}
