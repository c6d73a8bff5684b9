import { dot } from '../measures/gram.js';
import { length } from '../measures/hessian-vector.js';

/** Cosine of two vectors that are not 0. */
export function cosineOf(a: Float64Array, b: Float64Array): number {
  return dot(a, b) / length(a) / length(b);
}
