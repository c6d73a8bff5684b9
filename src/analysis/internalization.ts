import { readTable, type RunData } from './run-data.js';
import { endOfQuestions } from './stages.js';

/** Metrics of a run: `get(set, metric, step)`, null where it was not measured. */
export interface MetricsOfRun {
  /** Steps at which the run was evaluated, ascending. */
  readonly steps: readonly number[];
  readonly sets: readonly string[];
  get(set: string, metric: string, step: number): number | null;
}

/** Reads the metrics of a run. */
export async function readMetrics(run: RunData): Promise<MetricsOfRun> {
  const columns = await readTable(run, 'metrics', ['step', 'set', 'metric', 'value']);
  const values = new Map<string, number>();
  const steps = new Set<number>();
  const sets = new Set<string>();
  if (columns !== null) {
    const step = columns.column('step', 'int32').values;
    const set = columns.column('set', 'dictionary');
    const metric = columns.column('metric', 'dictionary');
    const value = columns.column('value', 'float64').values;
    for (let row = 0; row < columns.rows; row++) {
      const name = set.values[set.indices[row]!]!;
      values.set(`${name}\n${metric.values[metric.indices[row]!]!}\n${step[row]!}`, value[row]!);
      steps.add(step[row]!);
      sets.add(name);
    }
  }
  return {
    steps: [...steps].toSorted((a, b) => a - b),
    sets: [...sets],
    get: (set, metric, step) => values.get(`${set}\n${metric}\n${step}`) ?? null,
  };
}

export type GapKind = 'weak' | 'strong';

/** Which subsets a gap compares. */
export const gapSubsets = {
  weak: ['qd1consis', 'qd2incons'],
  strong: ['d1consis', 'd2consis'],
} as const satisfies Record<GapKind, readonly [string, string]>;

/**
 * A gap of a run: test metric of the subset with the reliable tag minus that of its counterpart with the unreliable
 * one. Weak internalization (qd1consis - qd2incons) is taken when the stage with questions ends, strong (d1consis -
 * d2consis) when training ends. Returns the reason where the run has not come that far.
 */
export function gapOf(
  run: RunData,
  metrics: MetricsOfRun,
  kind: GapKind,
  metric: 'accuracy' | 'margin',
): number | string {
  const { info } = run;
  const step = kind === 'weak' ? endOfQuestions(info) : info.stepsTotal;
  const [reliable, unreliable] = gapSubsets[kind];
  return (
    gapAt(metrics, reliable, unreliable, metric, step) ??
    `seed ${info.seed} was not evaluated at step ${step}`
  );
}

/** Difference of a metric between two test sets at a step, or null. */
export function gapAt(
  metrics: MetricsOfRun,
  reliable: string,
  unreliable: string,
  metric: string,
  step: number,
): number | null {
  const [a, b] = [metrics.get(reliable, metric, step), metrics.get(unreliable, metric, step)];
  return a === null || b === null ? null : a - b;
}
