import { existsSync } from 'node:fs';
import { UserError } from '../../../data/errors.js';
import type { Sweep } from '../../run/sweep-config.js';
import { runInfoPath } from '../../store/run-info.js';
import { analyze } from '../analyze.js';

/** Analyses the runs of all arms that there are, as `gradscope analyze` does. Returns the exit code. */
export async function analyzeSweep(loaded: Sweep, out: string): Promise<number> {
  const { armFolders } = await import('../../run/sweep.js');
  const folders = loaded.arms
    .flatMap((arm) => armFolders(arm, out))
    .filter((folder) => existsSync(runInfoPath(folder)));
  if (folders.length === 0) throw new UserError(`${out}: holds no run of the sweep ${loaded.name}`);
  return analyze(folders, { study: [] });
}
