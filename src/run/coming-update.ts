import { tables } from '../store/tables/registry.js';
import { TableReader } from '../store/table-reader.js';
import { readTyped } from '../store/typed-table.js';
import { scheduleFactor } from '../train/optimizers/schedule.js';
import type { RunPlan } from './plan.js';

/** What an update does to the gradients of its examples. */
export interface ComingUpdate {
  /** Factor of the schedule on the full learning rates. */
  readonly rateFactor: number;
  /** Factor of clipping on the gradient. */
  readonly clipFactor: number;
  /** Examples of its minibatch. */
  readonly batchSize: number;
}

/** Clipping and minibatch size by update, as the table `steps` of a run has them. */
export type LoggedUpdates = ReadonlyMap<number, Omit<ComingUpdate, 'rateFactor'>>;

/** Reads them. Throws a UserError when the table cannot be read. */
export async function loggedUpdates(folder: string): Promise<LoggedUpdates> {
  const reader = await TableReader.open(folder, tables.steps.name);
  try {
    const { columns } = await readTyped(reader, tables.steps, ['step', 'clip_factor', 'batch_size']);
    const { step, clip_factor: clip, batch_size: batchSize } = columns;
    return new Map(
      Array.from(step, (own, row) => [own, { clipFactor: clip[row]!, batchSize: batchSize[row]! }]),
    );
  } finally {
    await reader.close();
  }
}

/** The update that comes after `stageStep` of a stage; null at the end of the stage, and where it was not logged. */
export function comingUpdate(
  { stages }: Pick<RunPlan, 'stages'>,
  stage: number,
  stageStep: number,
  logged: LoggedUpdates,
): ComingUpdate | null {
  const { config, firstStep, steps, plannedSteps } = stages[stage]!;
  const own = logged.get(firstStep + stageStep + 1);
  if (own === undefined || stageStep >= steps) return null;
  return { ...own, rateFactor: scheduleFactor(config.schedule, stageStep + 1, plannedSteps) };
}
