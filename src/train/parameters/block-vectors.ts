import * as tf from '@tensorflow/tfjs-core';

/** Vectors over all parameters, kept as blocks `[replica, size]`; a block `[1, size]` serves every replica. */
export type BlockVectors = readonly tf.Tensor[];

/** `[replica]` inner products; float32 within a block, float64 over blocks. */
export function blockProducts(a: BlockVectors, b: BlockVectors): Float64Array {
  let total: Float64Array | null = null;
  a.forEach((block, i) => {
    const own = tf.tidy(() => tf.sum(tf.mul(block, b[i]!), 1));
    const values = own.dataSync<'float32'>();
    own.dispose();
    total ??= new Float64Array(values.length);
    for (let replica = 0; replica < values.length; replica++) total[replica]! += values[replica]!;
  });
  return total ?? new Float64Array(0);
}

/** `[replica]` inner products, float32. For use in compiled functions, or within `tf.tidy`. */
export function replicaProducts(a: BlockVectors, b: BlockVectors): tf.Tensor1D {
  return tf.addN(a.map((block, i) => tf.sum<tf.Tensor1D>(tf.mul(block, b[i]!), 1)));
}

/** `[replica]` squared Euclidean norms, float32. For use in compiled functions, or within `tf.tidy`. */
export function squaredNorms(vectors: BlockVectors): tf.Tensor1D {
  return tf.addN(vectors.map((block) => tf.sum<tf.Tensor1D>(tf.square(block), 1)));
}

/** `[replica]` Euclidean norms. */
export function blockNorms(vectors: BlockVectors): number[] {
  return rootsOf(() => squaredNorms(vectors));
}

/** `[replica]` Euclidean distances. */
export function blockDistances(a: BlockVectors, b: BlockVectors): number[] {
  return rootsOf(() =>
    tf.addN(a.map((block, i) => tf.sum<tf.Tensor1D>(tf.squaredDifference(block, b[i]!), 1))),
  );
}

function rootsOf(squares: () => tf.Tensor1D): number[] {
  const tensor = tf.tidy(squares);
  const roots = Array.from(tensor.dataSync(), Math.sqrt);
  tensor.dispose();
  return roots;
}

/** `[n * m]` products of each of n vectors with each of m; float32 within a block, float64 over blocks. */
export function productMatrix(a: BlockVectors, b: BlockVectors): Float64Array {
  const total = new Float64Array(a[0]!.shape[0] * b[0]!.shape[0]);
  a.forEach((block, i) => {
    const product = tf.tidy(() => tf.matMul(block as tf.Tensor2D, b[i]! as tf.Tensor2D, false, true));
    product.dataSync().forEach((value, at) => (total[at]! += value));
    product.dispose();
  });
  return total;
}

/** Element by element, a new vector; the caller disposes of it. */
export function blockwise(
  combine: (a: tf.Tensor, b: tf.Tensor) => tf.Tensor,
  a: BlockVectors,
  b: BlockVectors,
): tf.Tensor[] {
  return a.map((block, i) => tf.tidy(() => combine(block, b[i]!)));
}

/** `a + scale b`, with a scale for each replica or one for all; a new vector, the caller disposes of it. */
export function shiftedBy(a: BlockVectors, scale: number | ArrayLike<number>, b: BlockVectors): tf.Tensor[] {
  const factor = typeof scale === 'number' ? scale : tf.tensor(Float32Array.from(scale), [scale.length, 1]);
  const result = blockwise((x, y) => tf.add(x, tf.mul(y, factor)), a, b);
  if (typeof factor !== 'number') factor.dispose();
  return result;
}

/** Copies of `[1, size]` blocks for `replicas` replicas; the caller disposes of them. */
export function tiled(values: BlockVectors, replicas: number): tf.Tensor[] {
  return values.map((value) => tf.tile(value, [replicas, 1]));
}

/** Sums over replicas on the host, block after block `[sum of sizes]`. */
export function sumOverReplicas(vectors: BlockVectors): Float64Array {
  const sums = vectors.map((block) => tf.tidy(() => tf.sum(block, 0)));
  const values = sums.map((sum) => sum.dataSync<'float32'>());
  tf.dispose(sums);
  const total = new Float64Array(values.reduce((length, own) => length + own.length, 0));
  let offset = 0;
  for (const own of values) {
    total.set(own, offset);
    offset += own.length;
  }
  return total;
}

/** A host vector as blocks `[1, size]` shaped like others; the caller disposes of them. */
export function blocksOf(vector: Float64Array, like: BlockVectors): tf.Tensor[] {
  let offset = 0;
  return like.map((block) => {
    const size = block.shape[1]!;
    const own = Float32Array.from(vector.subarray(offset, offset + size));
    offset += size;
    return tf.tensor(own, [1, size]);
  });
}
