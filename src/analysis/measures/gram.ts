/**
 * Inner products `K_ij = g_i . g_j` of per-example gradients, symmetric, in units of the loss squared over those of the
 * parameters squared. K is additive over tensors: every measure of a Gram matrix is one of a layer too.
 */
export interface Gram {
  /** Number of examples. */
  readonly size: number;
  /** `K_ij`, for 0 <= i, j < size. */
  at(i: number, j: number): number;
}

/**
 * A Gram matrix of `products`, `[size, size]` row by row, which is not copied. Throws a RangeError when it does not
 * hold size * size numbers.
 */
export function gramMatrix(products: ArrayLike<number>, size: number): Gram {
  if (products.length !== size * size) {
    throw new RangeError(`${products.length} products, not ${size} times ${size}`);
  }
  return { size, at: (i, j) => products[i * size + j]! };
}

/** Inner products of `vectors`, `[example][parameter]`. Throws a RangeError when they differ in length. */
export function gramOf(vectors: readonly ArrayLike<number>[]): Gram {
  const n = vectors.length;
  const products = new Float64Array(n * n);
  for (let i = 0; i < n; i++) {
    for (let j = 0; j <= i; j++) products[i * n + j] = products[j * n + i] = dot(vectors[i]!, vectors[j]!);
  }
  return gramMatrix(products, n);
}

/** Inner product of two vectors, summed in float64. Throws a RangeError when they differ in length. */
export function dot(a: ArrayLike<number>, b: ArrayLike<number>): number {
  if (a.length !== b.length) throw new RangeError(`vectors of ${a.length} and ${b.length} numbers`);
  let sum = 0;
  for (let p = 0; p < a.length; p++) sum += a[p]! * b[p]!;
  return sum;
}

/**
 * The Gram matrix of all tensors together, from one of each: inner products add up over tensors, cosines do not.
 * Throws a RangeError without any or when they differ in size.
 */
export function sumOfGrams(grams: readonly Gram[]): Gram {
  const size = grams[0]?.size;
  if (size === undefined) throw new RangeError('no Gram matrix to add up');
  const products = new Float64Array(size * size);
  for (const gram of grams) {
    if (gram.size !== size) throw new RangeError(`Gram matrices of ${size} and ${gram.size} examples`);
    for (let i = 0; i < size; i++) for (let j = 0; j < size; j++) products[i * size + j]! += gram.at(i, j);
  }
  return gramMatrix(products, size);
}

/** All examples of a Gram matrix, `0 .. size - 1`. */
export function everyExample(gram: Gram): readonly number[] {
  return Array.from({ length: gram.size }, (_, i) => i);
}

/** Throws a RangeError when an index is none of the matrix or comes twice. */
export function assertExamples(gram: Gram, indices: readonly number[]): void {
  const wrong = indices.find((i) => !Number.isInteger(i) || i < 0 || i >= gram.size);
  if (wrong !== undefined) throw new RangeError(`no example ${wrong} among ${gram.size}`);
  if (new Set(indices).size !== indices.length) throw new RangeError('an example comes twice in a group');
}
