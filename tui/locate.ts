import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { UserError } from '../data/errors.js';
import { systemMessage } from '../src/store/file-system.js';
import { analysisFile } from '../src/store/list-runs.js';

/** The folder to browse, and the runs in it that were asked for. */
export interface Located {
  readonly root: string;
  readonly runs: readonly string[];
}

/**
 * Where folders lie: of a run folder its parent is browsed, for the seeds beside it. Several runs must have a common
 * folder at most two levels above them. Throws a UserError when a folder cannot be read or they lie farther apart.
 */
export async function locate(folders: readonly string[]): Promise<Located> {
  const found: { readonly folder: string; readonly isRun: boolean }[] = [];
  for (const folder of folders) {
    found.push({ folder, isRun: await isRun(folder) });
  }
  const [first] = found;
  if (first === undefined) throw new UserError('give a run folder, or one that holds runs');
  if (found.length === 1 && !first.isRun) return { root: shown(first.folder), runs: [] };
  const other = found.find(({ isRun }) => !isRun);
  if (other !== undefined)
    throw new UserError(`${other.folder}: not a run folder; give several runs, or one folder`);
  const absolute = found.map(({ folder }) => path.resolve(folder));
  let root = path.dirname(absolute[0]!);
  while (!absolute.every((own) => own.startsWith(`${root}${path.sep}`) || path.dirname(own) === root)) {
    root = path.dirname(root);
  }
  const far = absolute.find((own) => path.relative(root, own).split(path.sep).length > 2);
  if (far !== undefined) {
    throw new UserError(
      `${far}: too far from the other runs; their common folder may be two levels up at most`,
    );
  }
  return { root: shown(root), runs: absolute.map((own) => path.join(shown(root), path.relative(root, own))) };
}

/** Whether a folder is a run folder, by what lies in it: listing all runs below it would take as long as the browser. */
async function isRun(folder: string): Promise<boolean> {
  const names = await readdir(folder).catch((cause: unknown) => {
    throw new UserError(`${folder}: cannot be read (${systemMessage(cause)})`, { cause });
  });
  return (
    !names.includes(analysisFile) && names.some((name) => name === 'run.json' || /\.arrows?$/.test(name))
  );
}

/** A folder relative to where one is, where that is shorter. */
function shown(folder: string): string {
  const relative = path.relative(process.cwd(), path.resolve(folder));
  return relative === '' ? '.' : relative.startsWith('..') ? path.resolve(folder) : relative;
}
