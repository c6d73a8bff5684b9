import type { CoordinateMoments } from '../../../data/gradient-snr.js';

/**
 * Moments from the sums `sum g_i` and `sum g_i^2` (`[parameter]`) over `count` examples: one pass over the gradients.
 * A variance that is rounding is 0. The reason for fewer than 2 examples or a sum that is not finite; throws a
 * RangeError when the sums differ in length.
 */
export function coordinateMoments(
  count: number,
  sum: ArrayLike<number>,
  sumSquares: ArrayLike<number>,
): CoordinateMoments | string {
  if (sum.length !== sumSquares.length) {
    throw new RangeError(`sums of ${sum.length} and ${sumSquares.length} parameters`);
  }
  if (count < 2) return 'fewer than 2 examples';
  if (sum.length === 0) return 'there are no parameters';
  const mean = Float64Array.from(sum, (value) => value / count);
  const variance = Float64Array.from(sumSquares, (squares, p) => {
    const spread = squares - count * mean[p]! ** 2;
    return spread <= 16 * Number.EPSILON * squares ? 0 : spread / (count - 1);
  });
  const odd = mean.findIndex((value, p) => !Number.isFinite(value + variance[p]!));
  return odd < 0 ? { count, mean, variance } : `parameter ${odd} has a sum that is not finite`;
}

/** Moments of `gradients`, `[example][parameter]`. The reason as for {@link coordinateMoments}. */
export function coordinateMomentsOf(gradients: readonly ArrayLike<number>[]): CoordinateMoments | string {
  const sum = new Float64Array(gradients[0]?.length ?? 0);
  const sumSquares = new Float64Array(sum.length);
  for (const gradient of gradients) {
    if (gradient.length !== sum.length)
      throw new RangeError(`gradients of ${sum.length} and ${gradient.length}`);
    for (let p = 0; p < sum.length; p++) {
      sum[p]! += gradient[p]!;
      sumSquares[p]! += gradient[p]! ** 2;
    }
  }
  return coordinateMoments(gradients.length, sum, sumSquares);
}
