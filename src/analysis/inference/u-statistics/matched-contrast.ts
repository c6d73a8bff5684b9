import { mean } from 'simple-statistics';
import { assertProbability, count } from '../check.js';
import { absent } from '../estimate.js';
import type { Estimate } from '../estimate.js';
import type { MatchedBlocks } from './entity-blocks.js';
import { hajekEstimate } from './hajek.js';
import type { PairOptions } from './hajek.js';

/** Means of an `[n, n]` matrix by entity. */
export interface Margins {
  /** `[n]` the matched pairs. */
  readonly diagonal: readonly number[];
  /** `[n]` mean of row e off the diagonal. */
  readonly rows: readonly number[];
  /** `[n]` mean of column e off the diagonal. */
  readonly columns: readonly number[];
}

/** Diagonal and off-diagonal means of `means`, `[n, n]` row by row, n >= 2. */
export function margins(means: ArrayLike<number>, n: number): Margins {
  const rows = new Array<number>(n).fill(0);
  const columns = new Array<number>(n).fill(0);
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < n; j++) {
      if (i === j) continue;
      const share = means[i * n + j]! / (n - 1);
      rows[i]! += share;
      columns[j]! += share;
    }
  }
  return { diagonal: rows.map((_, i) => means[i * n + i]!), rows, columns };
}

/**
 * Mean over matched pairs minus mean over mismatched pairs, with its interval over the entities of one seed. Entity
 * e contributes M_ee - (row mean + column mean of its mismatched pairs), SE = SD / sqrt(n), t with n - 1 degrees of
 * freedom. Note that a positive contrast may be trivial: both texts of a matched pair share the variable's token.
 *
 * Absent for fewer than 3 entities or a product that is not finite. Throws a RangeError for a level outside (0, 1).
 */
export function matchedContrast<K>(blocks: MatchedBlocks<K>, options: PairOptions = {}): Estimate {
  const { level = 0.95 } = options;
  assertProbability('level', level);
  const n = blocks.entities.length;
  if (n < 3) return absent(`${count(n, 'entity')}, at least 3 needed`);
  const { diagonal, rows, columns } = margins(blocks.means, n);
  const contributions = diagonal.map((value, e) => value - rows[e]! - columns[e]!);
  return hajekEstimate(mean([...diagonal]) - mean([...rows]), contributions, level);
}
