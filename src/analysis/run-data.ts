import path from 'node:path';
import { UserError } from '../../data/errors.js';
import type { ColumnName, TableDefinition } from '../store/columns.js';
import { armHashOf } from '../store/config-hash.js';
import { findExchangedHalf } from '../store/exchanged-half.js';
import { readRunInfo } from '../store/run-folder.js';
import type { RunInfo } from '../store/run-info.js';
import { listTables, TableReader } from '../store/table-reader.js';
import { readTyped, type TypedTable } from '../store/typed-table.js';

/** A run folder that is analysed. */
export interface RunData {
  readonly folder: string;
  readonly info: RunInfo;
  /** Tables that can be opened. */
  readonly tables: ReadonlySet<string>;
  /** See `armHashOf`: runs of one hash differ by seed alone. */
  readonly configHash: string;
  /** The same run with the tags of new variables exchanged from their stage on; null or absent where there is none. */
  readonly exchanged?: RunData | null;
}

/** Runs of one config, one per seed, sorted by seed. */
export interface Arm {
  readonly experiment: string;
  readonly name: string;
  readonly runs: readonly RunData[];
}

/**
 * Opens a run folder, and with it its exchanged half. Throws a UserError when it is none, or when its
 * config.yaml was changed since the run began.
 */
export async function openRun(folder: string): Promise<RunData> {
  const info = readRunInfo(folder);
  const configHash = armHashOf(folder, info);
  const tables = new Set(await listTables(folder));
  return { folder, info, tables, configHash, exchanged: await openExchangedHalf(folder, info) };
}

/** Opens the exchanged half of a run; null where there is none that can be opened. */
export async function openExchangedHalf(folder: string, info: RunInfo): Promise<RunData | null> {
  const half = await findExchangedHalf(folder, info);
  if (half === null) return null;
  try {
    return await openRun(half.folder);
  } catch (error) {
    if (error instanceof UserError) return null;
    throw error;
  }
}

/**
 * Sorts runs into arms. Runs of one name must be averaged: where two have the same config and seed, or different configs,
 * the arm is refused.
 *
 * @param onProblem told why an arm is left out; without it a UserError is thrown
 */
export function groupIntoArms(
  runs: readonly RunData[],
  onProblem: (message: string) => void = (message) => {
    throw new UserError(message);
  },
): Arm[] {
  const arms = new Map<string, RunData[]>();
  for (const run of runs) {
    const key = `${run.info.experiment}/${run.info.name}`;
    arms.set(key, [...(arms.get(key) ?? []), run]);
  }
  return [...arms.values()].flatMap((own): Arm[] => {
    const problem = whyNoArm(own);
    if (problem !== null) {
      onProblem(problem);
      return [];
    }
    const { experiment, name } = own[0]!.info;
    return [{ experiment, name, runs: own.toSorted((a, b) => a.info.seed - b.info.seed) }];
  });
}

function whyNoArm(runs: readonly RunData[]): string | null {
  const [first] = runs;
  const other = runs.find(({ configHash }) => configHash !== first!.configHash);
  if (other !== undefined) {
    return (
      `${other.folder} and ${first!.folder} have the same name and different configs: they cannot be averaged; ` +
      'give one of them another name (--set name=...), or analyze them apart'
    );
  }
  for (const [i, { folder, info }] of runs.entries()) {
    const twin = runs.slice(0, i).find((own) => own.info.seed === info.seed);
    if (twin !== undefined) {
      return `${folder} and ${twin.folder} are the same seed of one config; name one of them alone`;
    }
  }
  return null;
}

/**
 * Columns of a table of a run, or null where its tier of the log does not have it.
 *
 * @param names columns that every version wrote
 * @param later columns that runs of earlier versions lack: null there
 */
export async function readTable<
  D extends TableDefinition,
  N extends ColumnName<D>,
  L extends ColumnName<D> = never,
>(
  run: Pick<RunData, 'folder' | 'tables'>,
  table: D,
  names: readonly N[],
  later: readonly L[] = [],
): Promise<TypedTable<D, N, L> | null> {
  if (!run.tables.has(table.name)) return null;
  const reader = await TableReader.open(run.folder, table.name);
  try {
    return await readTyped(reader, table, names, later);
  } finally {
    await reader.close();
  }
}

/** Shortest way to name a folder for people. */
export function shownPath(folder: string): string {
  const relative = path.relative(process.cwd(), folder);
  return relative === '' || relative.startsWith('..') ? folder : relative;
}
