import { groupColumnName } from '../store/columns.js';
import { tables as definitions } from '../store/schemas.js';
import type { StepPlace } from './log/gradient-log.js';
import type { RunTables } from './log/run-tables.js';

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
  groups.forEach((group, g) => {
    writer.column(groupColumnName(definitions.steps.groupColumns.prefix, group))[i] = row.counts[g]!;
  });
}
