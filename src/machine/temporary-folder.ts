import { statSync } from 'node:fs';
import type { EnvironmentVariables } from './machine.js';

/** EnvironmentVariables that name the folder for temporary files, in the order in which Node asks them. */
const names = ['TMPDIR', 'TMP', 'TEMP'] as const;

/**
 * EnvironmentVariables that name a folder for temporary files which is not there: a job often has the variables of the machine it
 * was sent from.
 */
export function missingTemporaryFolders(
  variables: EnvironmentVariables,
  isFolder: (path: string) => boolean = isFolderHere,
): { readonly name: string; readonly folder: string }[] {
  return names.flatMap((name) => {
    const folder = variables[name];
    return folder === undefined || folder === '' || isFolder(folder) ? [] : [{ name, folder }];
  });
}

function isFolderHere(path: string): boolean {
  try {
    return statSync(path).isDirectory();
  } catch {
    return false;
  }
}
