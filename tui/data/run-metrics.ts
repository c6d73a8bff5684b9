import type { MetricsOfRun } from '../../src/analysis/internalization.js';
import type { RunSource } from './run-source.js';

/** A metric of a test set at an evaluation. */
export interface MetricValue {
  readonly value: number;
  /** Null where it is not defined. */
  readonly standardError: number | null;
  /** Examples behind the value. */
  readonly n: number;
}

/** Metrics of a run as the analysis takes them, with their standard errors. */
export interface RunMetrics extends MetricsOfRun {
  readonly metrics: readonly string[];
  at(set: string, metric: string, step: number): MetricValue | null;
}

/** Reads the metrics of a run; without any value where it has no such table. */
export async function readRunMetrics(run: RunSource): Promise<RunMetrics> {
  const columns = await run.tables.columns('metrics', [
    'step',
    'set',
    'metric',
    'value',
    'n',
    'standard_error',
  ]);
  const values = new Map<string, MetricValue>();
  const [steps, sets, metrics] = [new Set<number>(), new Set<string>(), new Set<string>()];
  if (columns !== null) {
    const step = columns.column('step', 'int32').values;
    const [set, metric] = [columns.column('set', 'dictionary'), columns.column('metric', 'dictionary')];
    const value = columns.column('value', 'float64').values;
    const n = columns.column('n', 'int32').values;
    const error = columns.column('standard_error', 'float64').values;
    for (let row = 0; row < columns.rows; row++) {
      const [ofSet, ofMetric] = [set.values[set.indices[row]!]!, metric.values[metric.indices[row]!]!];
      values.set(`${ofSet}\n${ofMetric}\n${step[row]}`, {
        value: value[row]!,
        standardError: Number.isFinite(error[row]!) ? error[row]! : null,
        n: n[row]!,
      });
      steps.add(step[row]!);
      sets.add(ofSet);
      metrics.add(ofMetric);
    }
  }
  const at = (set: string, metric: string, step: number): MetricValue | null =>
    values.get(`${set}\n${metric}\n${step}`) ?? null;
  return {
    steps: [...steps].toSorted((a, b) => a - b),
    sets: [...sets],
    metrics: [...metrics],
    at,
    get: (set, metric, step) => at(set, metric, step)?.value ?? null,
  };
}
