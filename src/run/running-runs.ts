import type { Environment } from '../store/environment.js';
import { lockPath } from '../store/lock.js';
import type { RunInfo } from '../store/run-info.js';
import { TableReader } from '../store/table-reader.js';
import { tables } from '../store/tables/registry.js';
import { readTypedBatch } from '../store/typed-table.js';

/** A run that is being trained, as its folder shows it. */
export interface RunningRun {
  readonly folder: string;
  /** Where its process lives. */
  readonly host: string;
  readonly pid: number;
  readonly step: number;
  readonly stepsTotal: number;
  /** Updates per second over the last rows of its log; null before there are any. */
  readonly rate: number | null;
  /** Seconds since its process last gave a sign of life, by this machine's clock; null where it gives none. */
  readonly lastBeat: number | null;
}

/** How a run comes along, of which `run.json` says that it is running. */
export async function runningRun(
  folder: string,
  info: RunInfo,
  { fs, now }: Pick<Environment, 'fs' | 'now'>,
): Promise<RunningRun> {
  const logged = await lastUpdates(folder);
  const beat = fs.modified(lockPath(folder));
  return {
    folder,
    host: info.process.host,
    pid: info.process.pid,
    step: Math.max(info.stepsDone, logged?.step ?? 0),
    stepsTotal: info.stepsTotal,
    rate: logged?.rate ?? null,
    lastBeat: beat === null ? null : Math.max(0, (now().getTime() - beat) / 1000),
  };
}

/** Last update in the log, and how many a second the last batch of rows has. */
async function lastUpdates(folder: string): Promise<{ step: number; rate: number | null } | null> {
  try {
    const reader = await TableReader.open(folder, tables.steps.name);
    try {
      const last = reader.batches.length - 1;
      if (last < 0) return null;
      const { columns } = await readTypedBatch(reader, tables.steps, last, ['step', 'step_ms', 'log_ms']);
      const { step, step_ms: own, log_ms: log } = columns;
      const ms = own.reduce((sum, value, row) => sum + value + (log[row] ?? 0), 0);
      return { step: step.at(-1) ?? 0, rate: ms > 0 ? (1000 * step.length) / ms : null };
    } finally {
      await reader.close();
    }
  } catch {
    // A table that is made anew at this moment; the next look has it.
    return null;
  }
}
