/** Columns of the table `steps`, `[step]` each. */
export interface StepColumns {
  readonly step: Int32Array;
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

/** A norm above this many times the median is an outlier. */
const factor = 10;

/** Places of the steps whose gradient norm is above 10 times the median; no median without a finite norm. */
export function outliers({ gradNorm }: StepColumns): {
  readonly factor: number;
  readonly median: number | null;
  readonly places: readonly number[];
} {
  const median = medianOf(gradNorm);
  if (median === null) return { factor, median, places: [] };
  const places: number[] = [];
  for (let i = 0; i < gradNorm.length; i++) if (gradNorm[i]! > factor * median) places.push(i);
  return { factor, median, places };
}

/** Time of steps with their log over that without; null where it was not measured. */
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
