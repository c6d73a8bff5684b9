import { assertExamples, everyExample } from './gram.js';
import type { Gram } from './gram.js';
import { meanOf } from './measured.js';
import type { Measured } from './measured.js';
import { lengths } from './pairs.js';

/**
 * Cosine of each example's gradient with the mean of the others, `[indices]`: with s_i the row sum of K,
 * `(s_i - K_ii) / sqrt(K_ii (S_2 - 2 s_i + K_ii))`. An example inside its own mean would give orthogonal gradients
 * 1/sqrt(N) instead of 0. Of all examples by default. The reason for fewer than 2 examples, or a gradient or mean of
 * the others that is 0 or not finite.
 */
export function cosinesToMean(
  gram: Gram,
  indices: readonly number[] = everyExample(gram),
): Float64Array | string {
  assertExamples(gram, indices);
  if (indices.length < 2) return 'fewer than 2 examples';
  const norms = lengths(gram, indices);
  if (typeof norms === 'string') return norms;
  const rowSums = indices.map((i) => indices.reduce((sum, j) => sum + gram.at(i, j), 0));
  const sizes = indices.reduce((sum, i) => sum + indices.reduce((s, j) => s + Math.abs(gram.at(i, j)), 0), 0);
  const total = rowSums.reduce((sum, row) => sum + row, 0);
  const cosines = new Float64Array(indices.length);
  for (const [place, i] of indices.entries()) {
    const own = gram.at(i, i);
    const rest = total - 2 * rowSums[place]! + own;
    if (!Number.isFinite(rest)) return 'an inner product is not finite';
    if (rest <= 16 * Number.EPSILON * sizes) return `the gradients other than example ${i}'s cancel`;
    cosines[place] = (rowSums[place]! - own) / norms[place]! / Math.sqrt(rest);
  }
  return cosines;
}

/** Mean over examples of {@link cosinesToMean}, a plain number. The reason as there. */
export function meanCosineToMean(gram: Gram, indices?: readonly number[]): Measured {
  return meanOf(cosinesToMean(gram, indices));
}
