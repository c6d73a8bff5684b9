import { stat } from 'node:fs/promises';
import path from 'node:path';
import type { UserError } from '../../data/errors.js';
import { isHalfOf } from '../../src/store/exchanged-half.js';
import type { Environment } from '../../src/store/environment.js';
import { listRuns, type ListedRun } from '../../src/store/list-runs.js';
import type { RunInfo } from '../../src/store/run-info.js';
import { statusOfRun } from '../../src/store/run-status.js';
import { filePath, streamPath } from '../../src/store/table-paths.js';

/** A run folder as the list shows it. */
export interface RunEntry {
  readonly path: string;
  /** Path below the folder that is browsed. */
  readonly name: string;
  /** Null where `run.json` cannot be read, for the reason in `error`. */
  readonly info: RunInfo | null;
  readonly error: string | null;
  /** `running`, `complete`, `interrupted (process gone)`, ..., `unreadable`. */
  readonly status: string;
  readonly isRunning: boolean;
  /** Time of the last sample, ms since 1970; null where nothing was written. */
  readonly lastSample: number | null;
  /** When a table was last added or replaced: change of the folder, ms since 1970. */
  readonly changed: number;
  /** Entry of the run's exchanged half, which has none of its own in the list; null or absent where there is none. */
  readonly exchanged?: RunEntry | null;
}

/** What the index looks at; passed in, so that a test can do without a machine. */
export type IndexEnvironment = Pick<Environment, 'fs' | 'processes' | 'now'>;

/** Lists the runs below a folder. Throws a UserError when the folder cannot be read. */
export async function readRunIndex(root: string, environment: IndexEnvironment): Promise<RunEntry[]> {
  const listed = await listRuns(root);
  const entries = await Promise.all(listed.map((run) => entryOf(root, run, environment)));
  // seed2 before seed10.
  const { compare } = new Intl.Collator('en', { numeric: true });
  return attachHalves(entries).sort((a, b) => compare(a.name, b.name));
}

/** Exchanged halves go with the runs beside them that they belong to. */
function attachHalves(entries: readonly RunEntry[]): RunEntry[] {
  const halves = entries.filter(({ info }) => info?.exchangeOf !== undefined);
  const attached = new Set<RunEntry>();
  const whole = entries.flatMap((entry): RunEntry[] => {
    const { info } = entry;
    if (info === null) return [entry];
    if (info.exchangeOf !== undefined) return [];
    const half = halves.find(
      (own) =>
        path.dirname(own.path) === path.dirname(entry.path) && own.info !== null && isHalfOf(info, own.info),
    );
    if (half !== undefined) attached.add(half);
    return [{ ...entry, exchanged: half ?? null }];
  });
  return [...whole, ...halves.filter((half) => !attached.has(half))];
}

async function entryOf(root: string, run: ListedRun, environment: IndexEnvironment): Promise<RunEntry> {
  const name = path.relative(root, run.path) || path.basename(path.resolve(run.path));
  const changed = (await stat(run.path).catch(() => null))?.mtimeMs ?? 0;
  if (run.info === null) return { path: run.path, name, changed, ...unreadable(run.error) };
  const { status, label } = statusOfRun(run.path, run.info, environment);
  const isRunning = status === 'running';
  return {
    path: run.path,
    name,
    info: run.info,
    error: null,
    status: label,
    isRunning,
    changed,
    lastSample: isRunning ? await lastWritten(run.path) : Date.parse(run.info.ended ?? run.info.updated),
  };
}

const unreadable = (error: UserError) =>
  ({
    info: null,
    error: error.message,
    status: 'unreadable',
    isRunning: false,
    lastSample: null,
  }) as const;

/** When the table `steps`, which every tier of the log has, was last written to. */
async function lastWritten(folder: string): Promise<number | null> {
  for (const file of [streamPath(folder, 'steps'), filePath(folder, 'steps')]) {
    const found = await stat(file).catch(() => null);
    if (found !== null) return found.mtimeMs;
  }
  return null;
}
