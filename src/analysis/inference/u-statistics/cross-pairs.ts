import { assertProbability } from '../check.js';
import { absent } from '../estimate.js';
import type { Estimate } from '../estimate.js';
import type { EntityBlocks } from './entity-blocks.js';
import { projected } from './hajek.js';
import type { PairOptions } from './hajek.js';

/** Options of {@link crossPairsMean}. */
export interface CrossPairOptions extends PairOptions {
  /** `mismatched`, the default, leaves out the pairs of an entity with itself. */
  readonly pairs?: 'mismatched' | 'all';
}

/**
 * Mean over definition x QA pairs, with its interval over entities: a two-sample U-statistic. With a_e the centred
 * row mean of entity e (0 without a definition) and b_e its centred column mean (0 without QA), SE^2 = sum_e (a_e /
 * sqrt(n_D (n_D - 1)) + b_e / sqrt(n_Q (n_Q - 1)))^2. For entities that all differ that is SD^2(rows)/n_D +
 * SD^2(columns)/n_Q; an entity on both sides brings both its means at once, as when matched entities are resampled
 * jointly. Interval by t with min(n_D, n_Q) - 1 degrees of freedom.
 *
 * Absent for fewer than 3 entities on a side or a product that is not finite. Throws a RangeError for a level
 * outside (0, 1).
 */
export function crossPairsMean<K>(blocks: EntityBlocks<K>, options: CrossPairOptions = {}): Estimate {
  const { level = 0.95, pairs = 'mismatched' } = options;
  assertProbability('level', level);
  const { rows, columns, means } = blocks;
  const [nD, nQ] = [rows.length, columns.length];
  if (Math.min(nD, nQ) < 3) return absent(`${nD} by ${nQ} entities, at least 3 of each needed`);
  const rowTotals = rows.map(() => new Total());
  const columnTotals = columns.map(() => new Total());
  const all = new Total();
  for (const [i, row] of rows.entries()) {
    for (const [j, column] of columns.entries()) {
      if (pairs === 'mismatched' && row === column) continue;
      const value = means[i * nQ + j]!;
      if (!Number.isFinite(value))
        return absent(`the product of ${String(row)} and ${String(column)} is ${value}`);
      for (const total of [rowTotals[i]!, columnTotals[j]!, all]) total.add(value);
    }
  }
  const error = new Map<K, number>();
  const contribute = (keys: readonly K[], totals: readonly Total[]): void => {
    const scale = Math.sqrt(keys.length * (keys.length - 1));
    const centre = totals.reduce((sum, total) => sum + total.mean, 0) / keys.length;
    for (const [i, key] of keys.entries()) {
      error.set(key, (error.get(key) ?? 0) + (totals[i]!.mean - centre) / scale);
    }
  };
  contribute(rows, rowTotals);
  contribute(columns, columnTotals);
  const squares = [...error.values()].reduce((sum, value) => sum + value * value, 0);
  const rounding = 16 * Number.EPSILON * Math.abs(all.mean);
  const standardError = Math.sqrt(squares) <= rounding ? 0 : Math.sqrt(squares);
  return projected(all.mean, standardError, Math.min(nD, nQ) - 1, error.size, level);
}

class Total {
  #sum = 0;
  #count = 0;

  add(value: number): void {
    this.#sum += value;
    this.#count++;
  }

  get mean(): number {
    return this.#sum / this.#count;
  }
}
