import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { UserError } from '../../data/errors.js';
import { nodeFileSystem, systemMessage } from './file-system.js';
import { readRunInfo } from './run-folder.js';
import type { RunInfo } from './run-info.js';
import { adviceFor, systemCode } from './system-error.js';

/**
 * A run folder that was found: what its `run.json` says, or why that cannot be read. A folder that was not looked at
 * counts as one of those, so that whoever shows the runs says what is left out.
 */
export type ListedRun =
  | { readonly path: string; readonly info: RunInfo; readonly error: null }
  | { readonly path: string; readonly info: null; readonly error: UserError };

/** How far {@link listRuns} looks. */
export interface ListLimits {
  /** Levels of folders below the one given, 8 by default. */
  readonly depth?: number;
  /** Folders in all, 20000 by default. */
  readonly folders?: number;
}

/**
 * The run folders in `root`: `root` itself and folders below it, links to folders followed, sorted by path. A folder is
 * a run when it has a `run.json`; without one, when it has what only a run has (a config with a lock, checkpoints or the
 * table `steps`): those are listed with an error. Other files make no folder a run, and folders in a run are looked at
 * too. A folder that is reached twice counts once, by the path without links. Reads one small file per run. Throws a
 * UserError when `root` cannot be read.
 */
export async function listRuns(root: string, limits: ListLimits = {}): Promise<ListedRun[]> {
  const { depth = 8, folders = 20_000 } = limits;
  const runs: ListedRun[] = [];
  const leaveOut = (path: string, reason: string): void => {
    runs.push({ path, info: null, error: new UserError(`${path}: ${reason}`) });
  };
  const seen = new Set<string>();
  const links: Place[] = [];
  const state = { isFull: false };

  const walk = async (from: readonly Place[]): Promise<void> => {
    for (let level = from; level.length > 0;) {
      const entries = await inGroups(level, entriesOf);
      const next: Place[] = [];
      for (const found of entries) {
        if (found.error !== null) {
          if (found.path === root) throw found.error;
          runs.push({ path: found.path, info: null, error: found.error });
          continue;
        }
        if (seen.has(found.key)) continue;
        if (seen.size >= folders) {
          state.isFull = true;
          continue;
        }
        seen.add(found.key);
        if (found.isRun) runs.push(read(found.path));
        const isDeepest = found.depth >= depth;
        if (isDeepest && found.folders.length + found.links.length > 0) {
          leaveOut(
            found.path,
            `folders in it are not looked at, since it is ${depth} levels down; give it itself`,
          );
        }
        if (isDeepest) continue;
        next.push(...found.folders.map((path) => ({ path, depth: found.depth + 1 })));
        links.push(...found.links.map((path) => ({ path, depth: found.depth + 1 })));
      }
      level = state.isFull ? [] : next;
    }
  };

  await walk([{ path: root, depth: 0 }]);
  // Links wait, so that a folder that is also there without one is known by its own path.
  while (links.length > 0 && !state.isFull) await walk(links.splice(0));
  if (state.isFull) {
    leaveOut(root, `has more than ${folders} folders, of which the rest is not looked at; give one in it`);
  }
  return runs.sort((a, b) => (a.path < b.path ? -1 : 1));
}

/** A folder with this file holds the analysis of runs, whose tables look like a run's. */
export const analysisFile = 'analysis.json';

/** The same for a sweep over runs. */
export const sweepFile = 'sweep.json';

/** Reading everything at once would open more files than a process may. */
const groupSize = 16;

async function inGroups<T, R>(items: readonly T[], work: (item: T) => Promise<R>): Promise<R[]> {
  const results: R[] = [];
  for (let i = 0; i < items.length; i += groupSize) {
    results.push(...(await Promise.all(items.slice(i, i + groupSize).map(work))));
  }
  return results;
}

interface Place {
  readonly path: string;
  /** Levels below the folder where the search began. */
  readonly depth: number;
}

interface Entries extends Place {
  /** The same for every path to the folder. */
  readonly key: string;
  readonly isRun: boolean;
  readonly folders: readonly string[];
  /** Links, to folders or to anything else. */
  readonly links: readonly string[];
  readonly error: UserError | null;
}

/** Folders of other programs with more entries than all runs, and never with runs in them. */
const passedOver: ReadonlySet<string> = new Set(['node_modules', '.git']);

async function entriesOf({ path, depth }: Place): Promise<Entries> {
  const nothing = { path, depth, key: '', isRun: false, folders: [], links: [], error: null };
  try {
    const found = await stat(path, { bigint: true });
    const key = `${found.dev}:${found.ino}`;
    // A link may lead to a file, which is nobody's run.
    if (!found.isDirectory() && depth > 0) return { ...nothing, key };
    const entries = await readdir(path, { withFileTypes: true });
    const isFile = (name: string): boolean =>
      entries.some((entry) => entry.name === name && !entry.isDirectory());
    const isOther = isFile(analysisFile) || isFile(sweepFile);
    const leftovers =
      isFile('lock') ||
      isFile('steps.arrow') ||
      isFile('steps.arrows') ||
      entries.some((entry) => entry.name === 'checkpoints' && entry.isDirectory());
    const isRun = isFile('run.json') || (!isOther && isFile('config.yaml') && leftovers);
    const open = entries.filter(({ name }) => !passedOver.has(name) && !(isRun && name === 'checkpoints'));
    const folders = open.filter((entry) => entry.isDirectory()).map(({ name }) => join(path, name));
    const links = open.filter((entry) => entry.isSymbolicLink()).map(({ name }) => join(path, name));
    return { path, depth, key, isRun, folders, links, error: null };
  } catch (cause) {
    const code = systemCode(cause);
    const error = new UserError(`${path}: cannot be read (${systemMessage(cause)}); ${adviceFor(code)}`, {
      cause,
    });
    return { ...nothing, error };
  }
}

function read(path: string): ListedRun {
  try {
    return { path, info: readRunInfo(path, nodeFileSystem), error: null };
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return { path, info: null, error };
  }
}
