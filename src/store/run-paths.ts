import { join, relative, sep } from 'node:path';
import { z } from 'zod';
import { UserError } from '../../data/errors.js';
import { systemCode, systemMessage } from './file-system.js';
import type { FileSystem } from './file-system.js';
import { adviceFor } from './system-error.js';

/** Names that become folders: of an experiment, a config, a run folder, a sweep. None can lead out of its folder. */
export const folderName = z
  .string()
  .max(200)
  .regex(/^[a-z0-9][a-z0-9.-]*$/, 'expected lower-case letters, digits, dots and hyphens');

/** Where the analysis of the runs of one config is kept: `<folder of the runs>/analysis/<name>`. */
export function analysisPath(runs: string, name: string): string {
  return folderIn(runs, 'analysis', name);
}

/** Where the results of a sweep are kept: `<root>/<experiment>/sweeps/<name>`. */
export function sweepPath(root: string, experiment: string, name: string): string {
  return folderIn(root, experiment, 'sweeps', name);
}

/** The one place where names become a path. Throws a UserError for a name that would lead elsewhere. */
export function folderIn(parent: string, ...names: readonly string[]): string {
  for (const name of names) {
    if (!folderName.safeParse(name).success) {
      throw new UserError(`${parent}: ${JSON.stringify(name)} is no name of a folder in it`);
    }
  }
  return join(parent, ...names);
}

/**
 * Make a folder that one of the above gave, in a folder that somebody else may have filled: nothing is written through a
 * link to elsewhere. Throws a UserError when it cannot be made.
 */
export function makeFolderBelow(fs: FileSystem, parent: string, path: string): void {
  const parts = relative(parent, path).split(sep);
  try {
    fs.makeFolder(parent);
    for (const i of parts.keys()) {
      const part = join(parent, ...parts.slice(0, i + 1));
      if (fs.isLink(part))
        throw new UserError(`${part}: is a link, through which nothing is written; move it away`);
      fs.makeFolder(part);
    }
  } catch (error) {
    if (error instanceof UserError) throw error;
    throw new UserError(
      `${path}: cannot be made (${systemMessage(error)}); ${adviceFor(systemCode(error))}`,
      {
        cause: error,
      },
    );
  }
}
