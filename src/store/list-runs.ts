import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { UserError } from '../../data/errors.js';
import { systemCode, systemMessage } from './file-system.js';
import { parseRunInfo, runInfoPath } from './run-info.js';
import type { RunInfo } from './run-info.js';

/** A run folder that was found: what its `run.json` says, or why that cannot be read. */
export type ListedRun =
  | { readonly path: string; readonly info: RunInfo; readonly error: null }
  | { readonly path: string; readonly info: null; readonly error: UserError };

/** A folder with one of these is a run folder; one without `run.json` is listed with an error. */
const marks = /^(?:run\.json|config\.yaml|lock|.+\.arrows?)$/;

/**
 * The run folders in `root`: `root` itself, folders in it, and folders in those (`<root>/<experiment>/<run>`), sorted
 * by path. Reads one small file a run. Throws a UserError when `root` cannot be read.
 */
export async function listRuns(root: string): Promise<ListedRun[]> {
  const found: ListedRun[] = [];
  let level: readonly string[] = [root];
  for (let depth = 0; depth <= 2; depth++) {
    const entries = await inGroups(level, entriesOf);
    const unreadable = entries.find((entry) => entry.error !== null)?.error;
    if (depth === 0 && unreadable !== undefined && unreadable !== null) throw unreadable;
    found.push(
      ...entries.flatMap(({ path, error }) => (error === null ? [] : [{ path, info: null, error }])),
    );
    const runs = entries.filter((entry) => entry.isRun).map((entry) => entry.path);
    found.push(...(await inGroups(runs, read)));
    level = entries.filter((entry) => !entry.isRun).flatMap((entry) => entry.folders);
  }
  return found.sort((a, b) => (a.path < b.path ? -1 : 1));
}

/** A folder with this file holds the analysis of runs, whose tables look like a run's. */
export const analysisFile = 'analysis.json';

/** The same for a sweep over runs. */
export const sweepFile = 'sweep.json';

/** Reading everything at once would open more files than a process may. */
const groupSize = 64;

async function inGroups<T, R>(items: readonly T[], work: (item: T) => Promise<R>): Promise<R[]> {
  const results: R[] = [];
  for (let i = 0; i < items.length; i += groupSize) {
    results.push(...(await Promise.all(items.slice(i, i + groupSize).map(work))));
  }
  return results;
}

interface Entries {
  readonly path: string;
  readonly isRun: boolean;
  readonly folders: readonly string[];
  readonly error: UserError | null;
}

async function entriesOf(path: string): Promise<Entries> {
  try {
    const entries = await readdir(path, { withFileTypes: true });
    const folders = entries.filter((entry) => entry.isDirectory()).map((entry) => join(path, entry.name));
    const isAnalysis = entries.some((entry) => entry.name === analysisFile || entry.name === sweepFile);
    const isRun = !isAnalysis && entries.some((entry) => !entry.isDirectory() && marks.test(entry.name));
    return { path, isRun, folders, error: null };
  } catch (cause) {
    const error = new UserError(`${path}: cannot be read (${systemMessage(cause)})`, { cause });
    return { path, isRun: false, folders: [], error };
  }
}

async function read(path: string): Promise<ListedRun> {
  const file = runInfoPath(path);
  try {
    return { path, info: parseRunInfo(file, await readFile(file, 'utf8')), error: null };
  } catch (error) {
    if (error instanceof UserError) return { path, info: null, error };
    const reason = systemCode(error) === 'ENOENT' ? 'is missing' : systemMessage(error);
    return { path, info: null, error: new UserError(`${file}: ${reason}`, { cause: error }) };
  }
}
