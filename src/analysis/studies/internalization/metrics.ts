import { designOf } from '../../../../data/internalization-design.js';
import { endOfQuestions } from '../../../../data/stage-roles.js';
import { tables } from '../../../store/tables/registry.js';
import { readTable, type RunData } from '../../run-data.js';
import { meanOfTwo } from '../../measures/measured.js';

/** Metrics of a run: `get(set, metric, step)`, null where it was not measured. */
export interface MetricsOfRun {
  /** Steps at which the run was evaluated, ascending. */
  readonly steps: readonly number[];
  readonly sets: readonly string[];
  get(set: string, metric: string, step: number): number | null;
  /** Updates of the run; absent where nobody asks. */
  readonly end?: number;
  /** Those of the run's exchanged half; null or absent where it has none. */
  readonly exchanged?: MetricsOfRun | null;
}

/** Reads the metrics of a run. */
export async function readMetrics(run: RunData): Promise<MetricsOfRun> {
  const table = await readTable(run, tables.metrics, ['step', 'set', 'metric', 'value']);
  const values = new Map<string, number>();
  const steps = new Set<number>();
  const sets = new Set<string>();
  if (table !== null) {
    const { step, set, metric, value } = table.columns;
    for (let row = 0; row < table.rows; row++) {
      const name = set.text(row);
      values.set(`${name}\n${metric.text(row)}\n${step[row]!}`, value[row]!);
      steps.add(step[row]!);
      sets.add(name);
    }
  }
  return {
    steps: [...steps].toSorted((a, b) => a - b),
    sets: [...sets],
    end: run.info.stepsTotal,
    exchanged: run.exchanged ? await readMetrics(run.exchanged) : null,
    get: (set, metric, step) => values.get(`${set}\n${metric}\n${step}`) ?? null,
  };
}

export type GapKind = 'weak' | 'strong';

/** A metric at which gaps are taken. */
export type GapMetric = 'accuracy' | 'margin';

/**
 * A gap of a run: test metric of the subset with the reliable tag minus that of its counterpart with the unreliable
 * one. Weak internalization is taken when the stage with questions ends, strong when training ends, as the mean over
 * tags as assigned and exchanged where the run has an exchanged half ({@link strongGaps}). The design of the run has the
 * subsets. Returns the reason where the run has not come that far.
 */
export function gapOf(
  run: Pick<RunData, 'info'>,
  metrics: MetricsOfRun,
  kind: GapKind,
  metric: GapMetric,
): number | string {
  return kind === 'strong'
    ? strongGaps(run, metrics, metric).gap
    : gapWhen(run, metrics, kind, metric, endOfQuestions(run.info));
}

/** The strong gap of a run in its parts; a text is the reason why there is none. */
export interface StrongGaps {
  /** {@link StrongGaps.mean} where there is an exchanged half, else the gap as assigned. */
  readonly gap: number | string;
  readonly asAssigned: number | string;
  /** With the tags of the two sets of new variables exchanged. */
  readonly exchanged: number | string;
  /**
   * Mean of both: half the gap of the one set between its two tags plus half that of the other, so that a difference in
   * difficulty between the sets is not in it.
   */
  readonly mean: number | string;
}

export function strongGaps(run: Pick<RunData, 'info'>, metrics: MetricsOfRun, metric: GapMetric): StrongGaps {
  const { seed, stepsTotal } = run.info;
  const asAssigned = gapWhen(run, metrics, 'strong', metric, stepsTotal);
  const half = metrics.exchanged ?? null;
  const exchanged =
    half === null
      ? `seed ${seed} has no half with tags exchanged`
      : withReason(
          gapWhen(run, half, 'strong', metric, half.end ?? stepsTotal),
          'its half with tags exchanged: ',
        );
  const mean = meanOfTwo(asAssigned, exchanged);
  return { gap: half === null ? asAssigned : mean, asAssigned, exchanged, mean };
}

function withReason(value: number | string, prefix: string): number | string {
  return typeof value === 'string' ? prefix + value : value;
}

function gapWhen(
  { info }: Pick<RunData, 'info'>,
  metrics: MetricsOfRun,
  kind: GapKind,
  metric: GapMetric,
  step: number,
): number | string {
  const [reliable, unreliable] = designOf(info)[kind];
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
