import { UserError } from '../../data/errors.js';
import { configPath, readRunInfo } from '../store/run-folder.js';
import { loadKnownConfig } from './experiment-module.js';
import { runFolderOf, type FailedRun, type RunRequest, type RunsEnd } from './request.js';
import { startRuns } from './start.js';
import type { Sweep, SweepArm } from './sweep-config.js';

/** Folders of the runs of an arm, in the order of its seeds. */
export function armFolders({ config, seeds }: SweepArm, root: string): string[] {
  return seeds.map((seed) => runFolderOf(root, config, seed));
}

/** What helps someone who typed `sweep`: the name of its runs is the sweep's. */
const advice = {
  otherConfig: 'give another --out, another name in the sweep file, or --existing overwrite',
  again: '--existing overwrite trains it again',
};

/** Why the run in a folder is not one of an arm: its config, with every default written out, is another; or null. */
export function whyOtherConfig({ resolved }: Pick<SweepArm, 'resolved'>, folder: string): string | null {
  const own = loadKnownConfig(configPath(folder)).resolved;
  if (own === resolved) return null;
  const [lines, wanted] = [own.split('\n'), resolved.split('\n')];
  const at = lines.findIndex((line, i) => line !== wanted[i]);
  return `it has "${(lines[at] ?? '').trim()}" where this sweep has "${(wanted[at] ?? '').trim()}"`;
}

/**
 * Trains the arms of a sweep that are not complete, one after the other, the seeds of each together. Complete runs are
 * left alone and interrupted ones resumed, so that a sweep that was stopped is started again by the same call. Runs
 * that failed, that another process writes, or that cannot be resumed are reported and do not stop the others.
 *
 * @param onArm told of every arm before it starts
 * @param repair whether runs that cannot be resumed or have another config are trained again
 * @throws UserError when a folder holds a run of another config that is not to be repaired
 */
export async function runSweep(
  sweep: Sweep,
  request: Omit<RunRequest, 'existing' | 'advice'>,
  onArm: (arm: SweepArm, index: number) => void,
  repair = false,
): Promise<RunsEnd> {
  const folders = sweep.arms.flatMap((arm) => armFolders(arm, request.root));
  const failed: FailedRun[] = [];
  const existing = repair ? 'repair' : 'resume';
  for (const [index, arm] of sweep.arms.entries()) {
    onArm(arm, index);
    try {
      const ended = await startRuns(arm.config, arm.resolved, arm.seeds, {
        ...request,
        existing,
        advice,
      });
      failed.push(...ended.failed);
      if (ended.end === 'interrupted') return { end: 'interrupted', folders, failed };
    } catch (error) {
      // Where every seed fails there is nothing to go on with in this arm, but in the others there is.
      const broken = failuresOf(armFolders(arm, request.root));
      if (!(error instanceof UserError) || broken.length < arm.seeds.length) throw error;
      failed.push(...broken);
    }
  }
  return { end: 'complete', folders, failed };
}

/** Runs among the folders that failed, with the reason. */
function failuresOf(folders: readonly string[]): FailedRun[] {
  return folders.flatMap((folder): FailedRun[] => {
    try {
      const { status, failure } = readRunInfo(folder);
      return status === 'failed' ? [{ folder, reason: failure ?? 'it failed' }] : [];
    } catch {
      return [];
    }
  });
}
