import { createHash } from 'node:crypto';
import path from 'node:path';
import { UserError } from '../../data/errors.js';
import type { ColumnSet } from '../store/column-views.js';
import { findExchangedHalf } from './exchanged-half.js';
import { readColumns } from '../store/read-columns.js';
import { readConfig, readRunInfo } from '../store/run-folder.js';
import type { RunInfo } from '../store/run-info.js';
import { listTables, TableReader } from '../store/table-reader.js';

/** A run folder that is analysed. */
export interface RunData {
  readonly folder: string;
  readonly info: RunInfo;
  /** Tables that can be opened. */
  readonly tables: ReadonlySet<string>;
  /** sha256 of the resolved config: runs of one hash differ by seed alone. */
  readonly configHash: string;
  /** The same run with the tags of new variables exchanged from their stage on; null or absent where there is none. */
  readonly exchanged?: RunData | null;
}

/** Runs of one config, one a seed, sorted by seed. */
export interface Arm {
  readonly experiment: string;
  readonly name: string;
  readonly runs: readonly RunData[];
}

/** Opens a run folder, and with it its exchanged half. Throws a UserError when it is none. */
export async function openRun(folder: string): Promise<RunData> {
  const info = readRunInfo(folder);
  const configHash = createHash('sha256').update(readConfig(folder)).digest('hex');
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
 * Sorts runs into arms. Throws a UserError when two runs have the same config and seed, and when runs of one name
 * have different configs: their seeds must not be averaged.
 */
export function groupIntoArms(runs: readonly RunData[]): Arm[] {
  const arms = new Map<string, RunData[]>();
  for (const run of runs) {
    const key = `${run.info.experiment}/${run.info.name}`;
    const others = arms.get(key) ?? [];
    const [first] = others;
    if (first !== undefined && first.configHash !== run.configHash) {
      throw new UserError(
        `${run.folder} and ${first.folder} have the same name and different configs: they cannot be averaged; ` +
          'give one of them another name (--set name=...)',
      );
    }
    const twin = others.find(({ info }) => info.seed === run.info.seed);
    if (twin !== undefined)
      throw new UserError(`${run.folder} and ${twin.folder} are the same seed of one config`);
    arms.set(key, [...others, run]);
  }
  return Array.from(arms.values(), (own) => ({
    experiment: own[0]!.info.experiment,
    name: own[0]!.info.name,
    runs: own.toSorted((a, b) => a.info.seed - b.info.seed),
  }));
}

/** Columns of a table of a run, or null where its tier of the log does not have it. */
export async function readTable(
  run: RunData,
  table: string,
  names: readonly string[],
): Promise<ColumnSet | null> {
  if (!run.tables.has(table)) return null;
  const reader = await TableReader.open(run.folder, table);
  try {
    return await readColumns(reader, names);
  } finally {
    await reader.close();
  }
}

/** Shortest way to name a folder for people. */
export function shownPath(folder: string): string {
  const relative = path.relative(process.cwd(), folder);
  return relative === '' || relative.startsWith('..') ? folder : relative;
}
