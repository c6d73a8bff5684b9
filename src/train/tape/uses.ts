import type * as tf from '@tensorflow/tfjs-core';

/**
 * A use of a parameter in a forward pass, with the factors from which every gradient of that use is assembled. An
 * example contributes `rows` consecutive rows (its positions, its image patches); `examples * rows` rows in all.
 *
 * Back-activations carry whatever weights the loss gave the examples: with a loss of `sum_i w_i C_i` the assembled
 * gradient is `sum_i w_i grad C_i`.
 *
 * Three kinds suffice. A tied unembedding `logits = x W^T` is a linear use of `W [vocabulary, width]` whose left
 * factor is the gradient at the logits and whose right factor is `x`; positions and gains are vector uses; a
 * convolution is a linear use of its patches.
 */
export type ParameterUse = LinearUse | VectorUse | EmbeddingUse;

/** Gradient `sum over rows of left (x) right`, an outer product per row: the weight of a linear map. */
export interface LinearUse {
  readonly kind: 'linear';
  readonly parameter: string;
  readonly rows: number;
  /** `[replica, example * row, in]`; for `y = x W` the activations `x`. */
  readonly left: tf.Tensor3D;
  /** `[replica, example * row, out]`; for `y = x W` the gradient at `y`. */
  readonly right: tf.Tensor3D;
}

/** Gradient `sum over examples of sums`: biases, gains, learned positions. */
export interface VectorUse {
  readonly kind: 'vector';
  readonly parameter: string;
  /** `[replica, example, size]`, already summed over an example's rows. */
  readonly sums: tf.Tensor3D;
}

/** Gradient `sum over rows of onehot(id) (x) right`: an embedding table. */
export interface EmbeddingUse {
  readonly kind: 'embedding';
  readonly parameter: string;
  readonly rows: number;
  /** Rows of the table. */
  readonly size: number;
  /** `[replica, example * row]` int32; an id outside `[0, size)` means that the row did not use the table. */
  readonly ids: tf.Tensor2D;
  /** `[replica, example * row, width]` gradient at the embedding's output. */
  readonly right: tf.Tensor3D;
}

/** Factors of a use in a fixed order, for passing them between compiled functions. */
export function factorsOf(use: ParameterUse): tf.Tensor[] {
  switch (use.kind) {
    case 'linear':
      return [use.left, use.right];
    case 'vector':
      return [use.sums];
    case 'embedding':
      return [use.ids, use.right];
  }
}

/** Disposes of the factors of uses; one that several uses share, once. */
export function disposeUses(uses: readonly ParameterUse[]): void {
  for (const factor of new Set(uses.flatMap(factorsOf))) factor.dispose();
}

/** The same use with other factors, given in the order of {@link factorsOf}. */
function withFactors(use: ParameterUse, factors: readonly tf.Tensor[]): ParameterUse {
  switch (use.kind) {
    case 'linear':
      return { ...use, left: factors[0] as tf.Tensor3D, right: factors[1] as tf.Tensor3D };
    case 'vector':
      return { ...use, sums: factors[0] as tf.Tensor3D };
    case 'embedding':
      return { ...use, ids: factors[0] as tf.Tensor2D, right: factors[1] as tf.Tensor3D };
  }
}

/**
 * Uses with their distinct factor tensors pulled out: a bias shares its factor with the weight of its layer, and
 * neither should travel twice. `slots[i]` lists, for use i, the positions of its factors in `factors`.
 */
export interface FlatUses {
  readonly uses: readonly ParameterUse[];
  readonly slots: readonly (readonly number[])[];
  readonly factors: readonly tf.Tensor[];
}

export function flattenUses(uses: readonly ParameterUse[]): FlatUses {
  const factors: tf.Tensor[] = [];
  const positions = new Map<object, number>();
  const slots = uses.map((use) =>
    factorsOf(use).map((factor) => {
      // Tensors that share values share a dataId; shapes differ only by reshapes of it.
      const key = positions.get(factor.dataId);
      if (key !== undefined && sameShape(factors[key]!, factor)) return key;
      positions.set(factor.dataId, factors.length);
      return factors.push(factor) - 1;
    }),
  );
  return { uses, slots, factors };
}

/** Puts factor tensors back into uses; inverse of {@link flattenUses} for other tensors of the same shapes. */
export function bindUses(
  flat: Pick<FlatUses, 'uses' | 'slots'>,
  factors: readonly tf.Tensor[],
): ParameterUse[] {
  return flat.uses.map((use, i) =>
    withFactors(
      use,
      flat.slots[i]!.map((slot) => factors[slot]!),
    ),
  );
}

function sameShape(a: tf.Tensor, b: tf.Tensor): boolean {
  return a.shape.length === b.shape.length && a.shape.every((size, axis) => size === b.shape[axis]);
}
