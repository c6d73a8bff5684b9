import { dot } from './gram.js';

/** Gradient of a loss at parameters `[parameter]`, as a new array. */
export type GradientAt = (parameters: Float64Array) => Float64Array;

/** `a + scale b`, as a new array. */
export function shifted(a: Float64Array, scale: number, b: Float64Array): Float64Array {
  return a.map((value, p) => value + scale * b[p]!);
}

/** Euclidean length. */
export function length(vector: Float64Array): number {
  return Math.sqrt(dot(vector, vector));
}

/** Mean of vectors of one length, at least one of them. */
export function meanVector(vectors: readonly Float64Array[]): Float64Array {
  const sum = new Float64Array(vectors[0]?.length ?? 0);
  for (const vector of vectors) for (let p = 0; p < sum.length; p++) sum[p]! += vector[p]! / vectors.length;
  return sum;
}

/**
 * Hessian times `vector` without second derivatives, by central differences of the gradient along the unit vector,
 * `(grad(w + r u) - grad(w - r u)) |v| / (2r)`; error O(r^2), about 1e-10 relative for r = 1e-5 in float64. A zero
 * vector gives zeros.
 */
export function hessianVector(
  gradient: GradientAt,
  parameters: Float64Array,
  vector: Float64Array,
  step = 1e-5,
): Float64Array {
  const norm = length(vector);
  if (norm === 0) return new Float64Array(vector.length);
  const ahead = gradient(shifted(parameters, step / norm, vector));
  const behind = gradient(shifted(parameters, -step / norm, vector));
  return ahead.map((value, p) => ((value - behind[p]!) / (2 * step)) * norm);
}
