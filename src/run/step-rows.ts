import type { ExampleDescription, ExampleSet } from '../../data/experiment.js';
import type { RandomStream } from '../../data/random/streams.js';
import { parseGroupName } from '../../data/design.js';
import { groupColumnName } from '../store/columns.js';
import type { InterventionColumn } from '../store/tables/interventions.js';
import { tables as definitions } from '../store/tables/registry.js';
import type { StepPlace } from './log/gradient-log.js';
import type { RunTables } from './log/run-tables.js';
import type { MetPairs } from './order.js';

/** A row of the table `steps`. */
export interface StepRow {
  readonly place: StepPlace;
  readonly epoch: number;
  readonly learningRate: number;
  readonly batchSize: number;
  readonly loss: number;
  readonly gradNorm: number;
  readonly clipFactor: number;
  /** null where it was not measured. */
  readonly updateNorm: number | null;
  readonly stepMs: number;
  readonly logMs: number;
  /** What interventions did; null where nothing was done or measured. */
  readonly interventions: Readonly<Partial<Record<InterventionColumn, number | null>>>;
  /** `[group]` examples of each group. */
  readonly counts: Int32Array;
}

/** Appends a row to the table `steps`. */
export function writeStep(tables: RunTables, groups: readonly string[], row: StepRow): void {
  const writer = tables.steps;
  const i = writer.reserve(1);
  writer.column('stage')[i] = row.place.stage;
  writer.column('step')[i] = row.place.step;
  writer.column('stage_step')[i] = row.place.stageStep;
  writer.column('epoch')[i] = row.epoch;
  writer.column('learning_rate')[i] = row.learningRate;
  writer.column('batch_size')[i] = row.batchSize;
  writer.column('loss')[i] = row.loss;
  writer.column('grad_norm')[i] = row.gradNorm;
  writer.column('clip_factor')[i] = row.clipFactor;
  writer.column('update_norm')[i] = row.updateNorm ?? NaN;
  writer.column('step_ms')[i] = row.stepMs;
  writer.column('log_ms')[i] = row.logMs;
  for (const [name, value] of Object.entries(row.interventions))
    writer.column(name as InterventionColumn)[i] = value ?? NaN;
  groups.forEach((group, g) => {
    writer.column(groupColumnName(definitions.steps.groupColumns.prefix, group))[i] = row.counts[g]!;
  });
}

/**
 * Appends a row to the table `batches`.
 *
 * @param rows of the minibatch in `set`, in the order in which the step saw them
 * @param random what the examples drew from
 */
export function writeBatch(
  { batches }: RunTables,
  { stage, step, stageStep }: StepPlace,
  set: ExampleSet,
  rows: Int32Array,
  random: () => RandomStream,
): void {
  if (batches === null) return;
  const i = batches.reserve(1);
  batches.column('stage')[i] = stage;
  batches.column('step')[i] = step;
  batches.column('stage_step')[i] = stageStep;
  batches.column('examples').push(rows.map((row) => set.id[row]!));
  batches.column('images').push(set.sourceImages?.(rows, random) ?? new Int32Array(0));
}

/** Appends a row to the table `cooccurrence`. */
export function writeMeetings(
  { cooccurrence }: RunTables,
  { stage, step, stageStep }: StepPlace,
  { matched, mismatched, assigned }: MetPairs,
): void {
  if (cooccurrence === null) return;
  const i = cooccurrence.reserve(1);
  cooccurrence.column('stage')[i] = stage;
  cooccurrence.column('step')[i] = step;
  cooccurrence.column('stage_step')[i] = stageStep;
  cooccurrence.column('matched')[i] = matched;
  cooccurrence.column('mismatched')[i] = mismatched;
  if (assigned !== null) cooccurrence.column('assigned')[i] = assigned;
}

/** Fills the table `examples`. */
export function writeExamples({ examples }: RunTables, all: readonly ExampleDescription[]): void {
  all.forEach((example, i) => {
    const { subset, kind } = parseGroupName(example.group);
    examples?.append({ example: i, subset, kind, ...example });
  });
}
