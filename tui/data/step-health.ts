/** Columns of the table `steps`, `[step]` each. */
export interface StepColumns {
  readonly step: Int32Array;
  /** Number of the stage. */
  readonly stage: Int32Array;
  readonly loss: Float64Array;
  readonly gradNorm: Float64Array;
  /** Milliseconds; NaN where not measured. */
  readonly stepMs: Float64Array;
  readonly logMs: Float64Array;
}

/** Steps whose loss or gradient norm is no finite number. */
export function nonFinite({ loss, gradNorm }: StepColumns): number {
  let count = 0;
  for (let i = 0; i < loss.length; i++) {
    if (!Number.isFinite(loss[i]!) || !Number.isFinite(gradNorm[i]!)) count++;
  }
  return count;
}

/** A norm above this many times the median of its stage is an outlier. */
const factor = 10;

/** Steps with a gradient norm far above the others of their stage: stages differ in data, and so in the size of gradients. */
export interface Outliers {
  readonly factor: number;
  /** Median norm of each stage; of one without a finite norm there is none. */
  readonly medians: ReadonlyMap<number, number>;
  readonly places: readonly number[];
}

/** Places of the steps whose gradient norm is above 10 times the median of their stage. */
export function outliers({ stage, gradNorm }: StepColumns): Outliers {
  const medians = new Map<number, number>();
  for (const own of new Set(stage)) {
    const median = medianOf(gradNorm.filter((_, i) => stage[i] === own));
    if (median !== null) medians.set(own, median);
  }
  const places: number[] = [];
  for (let i = 0; i < gradNorm.length; i++) {
    if (gradNorm[i]! > factor * (medians.get(stage[i]!) ?? Infinity)) places.push(i);
  }
  return { factor, medians, places };
}

/**
 * Time of steps with what is logged after the gradient over that without; null where it was not measured. The Gram matrices
 * are computed with the gradient and count as the step's.
 */
export function loggingCost({ stepMs, logMs }: StepColumns): {
  readonly ratio: number;
  readonly stepMs: number;
  readonly meanLogMs: number;
} | null {
  let [step, log, count] = [0, 0, 0];
  for (let i = 0; i < stepMs.length; i++) {
    if (!Number.isFinite(stepMs[i]!) || !Number.isFinite(logMs[i]!)) continue;
    step += stepMs[i]!;
    log += logMs[i]!;
    count++;
  }
  const median = medianOf(stepMs);
  return count === 0 || step === 0 || median === null
    ? null
    : { ratio: (step + log) / step, stepMs: median, meanLogMs: log / count };
}

function medianOf(values: Float64Array): number | null {
  const sorted = values.filter((value) => Number.isFinite(value)).sort();
  if (sorted.length === 0) return null;
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}
