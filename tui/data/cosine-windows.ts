import type { GroupGradients } from '../../src/analysis/group-gradients.js';

/** Means of cosines over windows of steps, with the 95 % interval of each mean over its minibatches. */
export interface CosineWindows {
  /** `[window]` last step of each. */
  readonly steps: readonly number[];
  /** `[window]` null where no minibatch has both groups. */
  readonly mean: readonly (number | null)[];
  readonly low: readonly (number | null)[];
  readonly high: readonly (number | null)[];
}

/**
 * Mean over consecutive windows of `width` steps up to `last` of the cosine of two groups' shares of the minibatch
 * gradient, as `cosineSeries` of the analysis, with `mean +- 1.96 SD / sqrt(minibatches)`: minibatches of one run, not
 * seeds.
 */
export function cosineWindows(
  gradients: GroupGradients,
  a: string,
  b: string,
  last: number,
  width: number,
): CosineWindows {
  const inner = gradients.inner(a, b);
  const [x, y] = [gradients.norm2(a), gradients.norm2(b)];
  const windows = Math.ceil(last / width);
  const [mean, squares, count] = [
    new Float64Array(windows),
    new Float64Array(windows),
    new Int32Array(windows),
  ];
  const { steps } = gradients;
  for (let i = 0; i < steps.length && steps[i]! <= last; i++) {
    const cosine = inner[i]! / Math.sqrt(x[i]! * y[i]!);
    if (!Number.isFinite(cosine)) continue;
    const window = Math.floor((steps[i]! - 1) / width);
    count[window]!++;
    const change = cosine - mean[window]!;
    mean[window]! += change / count[window]!;
    squares[window]! += change * (cosine - mean[window]!);
  }
  const at = (window: number, sign: -1 | 0 | 1): number | null => {
    const n = count[window]!;
    if (n === 0 || (n < 2 && sign !== 0)) return null;
    return mean[window]! + (sign === 0 ? 0 : sign * 1.96 * Math.sqrt(squares[window]! / (n - 1) / n));
  };
  const all = (sign: -1 | 0 | 1) => Array.from({ length: windows }, (_, window) => at(window, sign));
  return {
    steps: Array.from({ length: windows }, (_, i) => Math.min(last, (i + 1) * width)),
    mean: all(0),
    low: all(-1),
    high: all(1),
  };
}
