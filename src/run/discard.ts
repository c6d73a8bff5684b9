import fs from 'node:fs';
import path from 'node:path';
import { UserError } from '../../data/errors.js';
import { systemMessage, type FileSystem } from '../store/file-system.js';
import { configPath } from '../store/run-folder.js';
import { runInfoPath } from '../store/run-info.js';
import { checkpointFolder } from '../store/checkpoint-path.js';

/** What a run writes beside its checkpoints, run.json and config.yaml: tables, whole, going on or half made. */
const tableFile = /\.arrows?(?:\.|$)/;

/**
 * Removes a run from its folder, and the folder when nothing else lies in it. run.json goes first: without it the
 * folder holds no run, however far this comes. The caller holds the folder's lock, which stays for it to release.
 *
 * @throws UserError when something cannot be removed
 */
export function discardRun(folder: string, fileSystem: FileSystem): void {
  try {
    fileSystem.remove(runInfoPath(folder));
    fileSystem.remove(configPath(folder));
    fs.rmSync(checkpointFolder(folder), { recursive: true, force: true });
    for (const name of fs.readdirSync(folder)) {
      if (tableFile.test(name)) fs.rmSync(path.join(folder, name), { force: true });
    }
  } catch (error) {
    throw new UserError(`${folder}: the run in it cannot be removed (${systemMessage(error)})`, {
      cause: error,
    });
  }
}

/** Removes a folder in which a discarded run left nothing; a missing or filled one is no error. */
export function removeIfEmpty(folder: string): void {
  try {
    fs.rmdirSync(folder);
  } catch {
    // It holds something that is not the run's.
  }
}
