import type { MetricsOfRun } from '../../src/analysis/studies/internalization/metrics.js';
import { tables } from '../../src/store/tables/registry.js';
import type { RunSource } from './run-source.js';

/** A metric of a test set at an evaluation. */
export interface LoggedMetric {
  readonly value: number;
  /** Null where it is not defined. */
  readonly standardError: number | null;
  /** Examples behind the value. */
  readonly n: number;
}

/** Metrics of a run as the analysis takes them, with their standard errors. */
export interface RunMetrics extends MetricsOfRun {
  readonly metrics: readonly string[];
  at(set: string, metric: string, step: number): LoggedMetric | null;
}

/** Reads the metrics of a run; without any value where it has no such table. */
export async function readRunMetrics(run: RunSource): Promise<RunMetrics> {
  const table = await run.tables.read(tables.metrics, [
    'step',
    'set',
    'metric',
    'value',
    'n',
    'standard_error',
  ]);
  const values = new Map<string, LoggedMetric>();
  const [steps, sets, metrics] = [new Set<number>(), new Set<string>(), new Set<string>()];
  if (table !== null) {
    const { step, set, metric, value, n, standard_error: error } = table.columns;
    for (let row = 0; row < table.rows; row++) {
      const [ofSet, ofMetric] = [set.text(row), metric.text(row)];
      values.set(`${ofSet}\n${ofMetric}\n${step[row]}`, {
        value: value[row]!,
        standardError: Number.isFinite(error.values[row]!) ? error.values[row]! : null,
        n: n[row]!,
      });
      steps.add(step[row]!);
      sets.add(ofSet);
      metrics.add(ofMetric);
    }
  }
  const at = (set: string, metric: string, step: number): LoggedMetric | null =>
    values.get(`${set}\n${metric}\n${step}`) ?? null;
  return {
    steps: [...steps].toSorted((a, b) => a - b),
    sets: [...sets],
    metrics: [...metrics],
    at,
    get: (set, metric, step) => at(set, metric, step)?.value ?? null,
  };
}
