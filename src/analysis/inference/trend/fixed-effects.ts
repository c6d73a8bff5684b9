import { assertProbability, unusable } from '../check.js';
import { absent, estimateOf, type Absent, type Estimate } from '../estimate.js';
import type { IntervalOptions } from '../seeds/mean.js';
import { tEstimate } from '../t-interval.js';
import { standardisedFit } from './standardised-fit.js';

/** One run of a sweep in a regression. */
export interface PanelRow {
  /** What has an effect of its own, such as the arm: only differences within it count. */
  readonly group: string;
  readonly seed: number;
  readonly response: number;
  /** In the order of the names. */
  readonly predictors: readonly number[];
}

/** A least-squares fit with an effect for every group. */
export interface FixedEffectsValue {
  readonly kind: 'value';
  /** In the order of the names. */
  readonly slopes: readonly { readonly name: string; readonly effect: Estimate }[];
  readonly rows: number;
  readonly groups: number;
  readonly seeds: number;
  /** Share of the variation of the response within groups that the predictors account for. */
  readonly rSquared: number;
}

/** Fewer seeds than these have no spread to judge by. */
const fewestSeeds = 3;

/**
 * Least squares of a response on predictors with an effect for every group: the groups' means are taken off both sides
 * (Frisch and Waugh 1933). The runs of a seed in several groups are not independent: the standard error is that of the
 * delete-one-seed jackknife, `SE^2 = (S-1)/S sum_s (b_(s) - mean)^2`, with a t interval on S - 1 degrees of freedom (the
 * cluster-robust CR3, MacKinnon, Nielsen and Webb 2023). `rows`: `[run]`.
 *
 * Absent for fewer than 3 seeds, a number that is not finite, a predictor that does not vary within groups, and predictors
 * that are collinear there (the reason names them), also where that is so without one of the seeds. Throws a RangeError for
 * a level outside (0, 1) and rows whose predictors are not as many as the names.
 */
export function fixedEffects(
  rows: readonly PanelRow[],
  names: readonly string[],
  options: IntervalOptions = {},
): FixedEffectsValue | Absent {
  const { level = 0.95 } = options;
  assertProbability('level', level);
  const seeds = [...new Set(rows.map(({ seed }) => seed))];
  if (seeds.length < fewestSeeds) return absent(`${seeds.length} seeds, at least ${fewestSeeds} needed`);
  const all = slopesWithin(rows, names);
  if (all.kind === 'absent') return all;
  const without: (readonly number[])[] = [];
  for (const seed of seeds) {
    const fit = slopesWithin(
      rows.filter((row) => row.seed !== seed),
      names,
    );
    if (fit.kind === 'absent') return absent(`without seed ${seed}: ${fit.reason}`);
    without.push(fit.slopes);
  }
  const groups = new Set(rows.map(({ group }) => group)).size;
  const slopes = names.map((name, j) => ({
    name,
    effect: jackknife(
      all.slopes[j]!,
      without.map((own) => own[j]!),
      level,
    ),
  }));
  return { kind: 'value', slopes, rows: rows.length, groups, seeds: seeds.length, rSquared: all.rSquared };
}

/**
 * A number with the t interval of the delete-one-seed jackknife. `without`: `[seed]` the same number without each seed.
 */
export function jackknife(estimate: number, without: readonly number[], level = 0.95): Estimate {
  const n = without.length;
  const mean = without.reduce((sum, value) => sum + value, 0) / n;
  const standardError = Math.sqrt(
    ((n - 1) / n) * without.reduce((sum, value) => sum + (value - mean) ** 2, 0),
  );
  const common = { estimate, level, method: 'jackknife', unit: 'seed', units: n, seeds: n } as const;
  if (standardError === 0) {
    return estimateOf({ ...common, standardError, missing: 'it is the same without each of the seeds' });
  }
  return tEstimate({ ...common, standardError, degreesOfFreedom: n - 1 });
}

type Within =
  { readonly kind: 'value'; readonly slopes: readonly number[]; readonly rSquared: number } | Absent;

/** Slopes of the response on the predictors, both less the means of their groups. */
function slopesWithin(rows: readonly PanelRow[], names: readonly string[]): Within {
  if (rows.some(({ predictors }) => predictors.length !== names.length)) {
    throw new RangeError(`rows have other numbers of predictors than ${names.join(', ')}`);
  }
  const y = centredBy(rows, ({ response }) => response);
  const columns = names.map((_, j) => centredBy(rows, ({ predictors }) => predictors[j]!));
  const reason = [y, ...columns].map((own) => unusable(own, 1, 'seed')).find((own) => own !== null);
  if (reason !== undefined) return absent(reason ?? 'a number is not finite');
  const scales = columns.map((own) =>
    Math.sqrt(own.reduce((sum, value) => sum + value * value, 0) / rows.length),
  );
  const sizes = names.map((_, j) => Math.max(...rows.map(({ predictors }) => Math.abs(predictors[j]!))));
  // What is left of a constant by rounding.
  const flat = names.findIndex((_, j) => scales[j]! <= 1e-12 * sizes[j]!);
  if (flat >= 0) return absent(`${names[flat]} does not vary within groups`);
  const groups = new Set(rows.map(({ group }) => group)).size;
  if (rows.length - groups < names.length + 1) {
    return absent(`${rows.length} runs in ${groups} groups are too few for ${names.length} predictors`);
  }
  const fit = standardisedFit(
    columns.map((own, j) => own.map((value) => value / scales[j]!)),
    y,
  );
  if (fit.kind === 'collinear') {
    return absent(`collinear predictors: ${fit.columns.map((j) => names[j]).join(', ')}`);
  }
  const total = y.reduce((sum, value) => sum + value * value, 0);
  return {
    kind: 'value',
    slopes: fit.slopes.map((slope, j) => slope / scales[j]!),
    rSquared: total === 0 ? 0 : Math.max(0, 1 - fit.residuals / total),
  };
}

/** Values of rows less the mean of their group. */
function centredBy(rows: readonly PanelRow[], valueOf: (row: PanelRow) => number): number[] {
  const sums = new Map<string, { sum: number; count: number }>();
  for (const row of rows) {
    const own = sums.get(row.group) ?? { sum: 0, count: 0 };
    sums.set(row.group, { sum: own.sum + valueOf(row), count: own.count + 1 });
  }
  return rows.map((row) => {
    const { sum, count } = sums.get(row.group)!;
    return valueOf(row) - sum / count;
  });
}
