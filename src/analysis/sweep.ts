import fs from 'node:fs';
import type { Design, SubsetPair } from '../../data/design.js';
import { designOf } from '../../data/internalization-design.js';
import { createStream } from '../../data/random/streams.js';
import { endOfQuestions } from '../../data/stage-roles.js';
import { nodeEnvironment } from '../store/environment.js';
import { sweepPath } from '../store/run-paths.js';
import type { RunInfo } from '../store/run-info.js';
import { statusOfRun } from '../store/run-status.js';
import { attempt } from './failures.js';
import { gapOf, readMetrics, type GapKind, type MetricsOfRun } from './studies/internalization/metrics.js';
import type { AxisValue, SweepAxis, SweepPrediction } from '../store/sweep-design.js';
import type { BegunRun, SweepRecord } from '../store/sweep-record.js';
import { makeQuantity, seedValue, type Quantity, type SeedValue } from './quantity.js';
import { evidenceOf, explanationQuantities, type SweepEvidence } from './sweep/evidence.js';
import { measureQuantities } from './sweep/measured.js';
import { judgeSweep, type SweepVerdict } from './sweep/verdicts.js';
import { openRun, type RunData } from './run-data.js';
import { sweepTrends, type SweepTrend } from './sweep/trend.js';

/** An arm before it is analysed. */
export interface SweepRuns {
  readonly name: string;
  /** `[axis]` its value on each axis of the sweep. */
  readonly values: readonly AxisValue[];
  /** Run folders; those that are not there yet count as missing seeds. */
  readonly folders: readonly string[];
  readonly seeds: readonly number[];
  /** Why the run in a folder is none of this arm's, such as one of another config; null where it is. */
  readonly whyOther?: (folder: string) => string | null;
}

/** What the runs of an arm show. */
export interface SweptArm {
  readonly name: string;
  /** `[axis]` */
  readonly values: readonly AxisValue[];
  /** Run folders. */
  readonly folders: readonly string[];
  /** Gaps and accuracies, strong internalization first, then what predictions are about. */
  readonly quantities: readonly Quantity[];
  /** What predictions compare: values less a null that was measured in the same run. */
  readonly compared: readonly { readonly quantity: string; readonly values: readonly SeedValue[] }[];
  /** When its runs began, and by which version of the sweep file. */
  readonly begun: readonly BegunRun[];
}

/** A sweep's results. */
export interface SweepAnalysis {
  readonly name: string;
  readonly description: string;
  readonly experiment: string;
  /** Keys that were varied in a grid; none where all arms are named. */
  readonly axes: readonly SweepAxis[];
  /** Of its experiment; that of the built-in ones where it is left out. */
  readonly design?: Design;
  readonly arms: readonly SweptArm[];
  /** How the gaps go along the axis, of a sweep over one axis of numbers. */
  readonly trends: readonly SweepTrend[];
  /** Of the arms and predictions of the sweep file. */
  readonly hash: string;
  readonly predictions: readonly SweepPrediction[];
  readonly verdicts: readonly SweepVerdict[];
  /** Ids of the quantities that the figure shows; null where no mediator is named. */
  readonly outcome: string;
  readonly mediator: string | null;
  readonly evidence: SweepEvidence;
}

/** Accuracy of one test set when training ends, or for X1 when its questions end. */
interface AccuracySpec {
  readonly kind: 'accuracy';
  readonly id: string;
  readonly label: string;
  readonly set: string;
  readonly at: 'questions' | 'end';
}

interface GapSpec {
  readonly kind: 'gap';
  readonly id: string;
  readonly label: string;
  readonly gap: GapKind;
  readonly metric: 'accuracy' | 'margin';
}

/** Ids of the quantities of an arm beside {@link accuracyQuantity}. */
export const sweepQuantities = {
  strong: 'internalization.strongGap',
  strongMargin: 'internalization.strongMargin',
  weak: 'internalization.weakGap',
} as const;

/** Id of the accuracy of a subset. */
export function accuracyQuantity(subset: string): string {
  return `internalization.accuracy.${subset}`;
}

/** The quantities of an arm, in their order. */
function specsOf({ weak, strong }: Design): (AccuracySpec | GapSpec)[] {
  const accuracies = (pair: SubsetPair, at: AccuracySpec['at'], words: string): AccuracySpec[] =>
    pair.map((set) => ({
      kind: 'accuracy',
      id: accuracyQuantity(set),
      label: `accuracy of ${set}${words}`,
      set,
      at,
    }));
  return [
    {
      kind: 'gap',
      id: sweepQuantities.strong,
      label: 'strong gap, accuracy',
      gap: 'strong',
      metric: 'accuracy',
    },
    {
      kind: 'gap',
      id: sweepQuantities.strongMargin,
      label: 'strong gap, margin',
      gap: 'strong',
      metric: 'margin',
    },
    ...accuracies(strong, 'end', ''),
    { kind: 'gap', id: sweepQuantities.weak, label: 'weak gap, accuracy', gap: 'weak', metric: 'accuracy' },
    ...accuracies(weak, 'questions', ', held-out'),
  ];
}

/** Analyses the runs of a sweep's arms; seeds whose run is missing or not complete have no value, with the reason. */
export async function analyseSweep(
  sweep: Omit<SweepAnalysis, 'arms' | 'trends' | 'verdicts' | 'evidence'>,
  arms: readonly SweepRuns[],
  record: SweepRecord,
): Promise<SweepAnalysis> {
  const analysed: SweptArm[] = [];
  const specs = specsOf(designOf(sweep));
  const { outcome, mediator, predictions } = sweep;
  const wanted = [
    ...new Set([
      ...predictions.map(({ quantity }) => quantity),
      outcome,
      ...(mediator === null ? [] : [mediator]),
      ...Object.values(explanationQuantities),
    ]),
  ];
  for (const arm of arms) analysed.push(await analyseArmOfSweep(specs, wanted, arm));
  const verdicts = judgeSweep({
    predictions,
    record,
    arms: analysed.map(({ name, begun, compared, quantities }) => ({
      name,
      begun,
      measured: compared.map(({ quantity, values }) => {
        const { label, unit } = quantities.find(({ id }) => id === quantity)!;
        return { quantity, label, unit, compared: values };
      }),
    })),
  });
  const pairs = predictions.flatMap(({ contrast, quantity, paired }) =>
    contrast.kind === 'difference' && quantity === outcome && paired ? [contrast] : [],
  );
  return {
    ...sweep,
    arms: analysed,
    trends: sweepTrends(sweep.axes, analysed),
    verdicts,
    evidence: evidenceOf(analysed, outcome, mediator, pairs),
  };
}

async function analyseArmOfSweep(
  specs: readonly (AccuracySpec | GapSpec)[],
  wanted: readonly string[],
  { name, values: axisValues, folders, seeds, whyOther }: SweepRuns,
): Promise<SweptArm> {
  const runs: { run: RunData; metrics: MetricsOfRun }[] = [];
  const missing = new Map<number, string>();
  for (const [i, folder] of folders.entries()) {
    const seed = seeds[i]!;
    if (!fs.existsSync(folder)) {
      missing.set(seed, `seed ${seed} has not been run`);
      continue;
    }
    const found = await attempt(async () => {
      const other = whyOther?.(folder) ?? null;
      if (other !== null) return `seed ${seed} is a run of another config (${other})`;
      const run = await openRun(folder);
      if (run.info.status !== 'complete') {
        return `seed ${seed} is ${statusOfRun(folder, run.info, nodeEnvironment).label}`;
      }
      return { run, metrics: await readMetrics(run) };
    });
    if (found.failed !== null) missing.set(seed, found.failed);
    else if (typeof found.value === 'string') missing.set(seed, found.value);
    else runs.push(found.value);
  }
  const quantities = specs.map((spec) => {
    const values = seeds.map((seed) => {
      const own = runs.find(({ run }) => run.info.seed === seed);
      return seedValue(seed, own === undefined ? missing.get(seed)! : measure(spec, own.run, own.metrics));
    });
    const isGap = spec.kind === 'gap';
    return makeQuantity(
      {
        id: spec.id,
        label: spec.label,
        unit: isGap && spec.metric === 'margin' ? 'nats' : 'accuracy',
        values,
        null: isGap ? { kind: 'zero', label: '0, the same in both subsets' } : null,
        controls: [],
      },
      () => createStream(0, 'analysis/sweep'),
    );
  });
  const own = runs.map(({ run }) => run);
  const measured = await measureQuantities({ seeds, runs: own, missing }, wanted);
  const further = measured.filter(({ quantity: { id } }) => !quantities.some((first) => first.id === id));
  return {
    name,
    values: axisValues,
    folders,
    quantities: [...quantities, ...further.map(({ quantity }) => quantity)],
    compared: measured.map(({ quantity, compared: values }) => ({ quantity: quantity.id, values })),
    begun: own.map(({ info }) => ({ started: info.started, hash: info.sweep?.hash ?? null })),
  };
}

function measure(spec: AccuracySpec | GapSpec, run: RunData, metrics: MetricsOfRun): number | string {
  if (spec.kind === 'gap') return gapOf(run, metrics, spec.gap, spec.metric);
  const step = stepOf(spec.at, run.info);
  return metrics.get(spec.set, 'accuracy', step) ?? `seed ${run.info.seed} has no test set ${spec.set}`;
}

function stepOf(at: AccuracySpec['at'], info: RunInfo): number {
  return at === 'end' ? info.stepsTotal : endOfQuestions(info);
}

/** Where the results of a sweep are kept: `<root>/<experiment>/sweeps/<name>`. */
export function sweepFolder(
  { experiment, name }: Pick<SweepAnalysis, 'experiment' | 'name'>,
  root: string,
): string {
  return sweepPath(root, experiment, name);
}

/** Version of `sweep.json`. */
export const sweepFormatVersion = 4;

/** Content of `sweep.json`: every number of table and figure, with the values of each seed behind it. */
export interface SweepDocument extends SweepAnalysis {
  readonly formatVersion: typeof sweepFormatVersion;
  readonly command: readonly string[];
  readonly versions: Readonly<Record<string, string>>;
}
