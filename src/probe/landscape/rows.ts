import type { RandomStream } from '../../../data/random/streams.js';
import type { Population } from '../population.js';

/** Single examples computed at once, as replicas. */
export const together = 64;

/** Rows with weights that add up to 1. */
export interface WeightedRows {
  readonly rows: Int32Array;
  readonly weights: Float64Array;
}

/** All rows with their probabilities; of more than `most`, a random choice of equal weights. */
export function chooseRows(
  { set, probabilities, isUniform, draw }: Population,
  random: RandomStream,
  most: number,
): WeightedRows {
  const equal = (rows: Int32Array): WeightedRows => ({
    rows,
    weights: new Float64Array(rows.length).fill(1 / rows.length),
  });
  if (isUniform) return equal(random.permutation(set.size).slice(0, Math.min(set.size, most)));
  const met = Int32Array.from(probabilities.keys()).filter((row) => probabilities[row]! > 0);
  if (met.length > most) return equal(Int32Array.from({ length: most }, () => draw(random)));
  return { rows: met, weights: Float64Array.from(met, (row) => probabilities[row]!) };
}

/** Rows of one round with their weights; a short round is filled up with its last row, which then weighs nothing. */
export function roundOf(rows: Int32Array, weights: Float64Array, first: number) {
  const count = Math.min(together, rows.length - first);
  return {
    chosen: Int32Array.from({ length: together }, (_, i) => rows[first + Math.min(i, count - 1)]!),
    counts: Float32Array.from({ length: together }, (_, i) => (i < count ? weights[first + i]! : 0)),
  };
}
