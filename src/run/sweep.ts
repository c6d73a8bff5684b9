import fs from 'node:fs';
import path from 'node:path';
import { UserError } from '../../data/errors.js';
import { readRunInfo } from '../store/run-folder.js';
import { runInfoPath } from '../store/run-info.js';
import { runId, startRuns, type RunRequest, type RunsEnd } from './run.js';
import type { Sweep, SweepPoint } from './sweep-config.js';

/** Folders of the runs of a point, in the order of its seeds. */
export function pointFolders({ config, seeds }: SweepPoint, root: string): string[] {
  return seeds.map((seed) => path.join(root, config.experiment, runId(config, seed)));
}

/**
 * Trains the points of a sweep that are not complete, one after the other, the seeds of each together. Complete runs are
 * left alone and interrupted ones gone on with, so that a sweep that was stopped is started again by the same call. Runs
 * that failed, by a loss that is not finite, are reported and not tried again: they would fail the same way.
 *
 * @param onPoint told of every point before it starts
 */
export async function runSweep(
  sweep: Sweep,
  request: Omit<RunRequest, 'existing'>,
  onPoint: (point: SweepPoint, index: number) => void,
): Promise<RunsEnd> {
  for (const [index, point] of sweep.points.entries()) {
    onPoint(point, index);
    const broken = new Set(failuresOf(pointFolders(point, request.root)).map(({ folder }) => folder));
    const seeds = point.seeds.filter((_, i) => !broken.has(pointFolders(point, request.root)[i]!));
    if (seeds.length === 0) continue;
    try {
      const { end } = await startRuns(point.config, point.resolved, seeds, {
        ...request,
        existing: 'resume',
      });
      if (end === 'interrupted') return endOf(sweep, request.root, 'interrupted');
    } catch (error) {
      // Where every seed fails there is nothing to go on with in this point, but in the others there is.
      const folders = pointFolders(point, request.root);
      if (!(error instanceof UserError) || failuresOf(folders).length < folders.length) throw error;
    }
  }
  return endOf(sweep, request.root, 'complete');
}

function endOf({ points }: Sweep, root: string, end: RunsEnd['end']): RunsEnd {
  const folders = points.flatMap((point) => pointFolders(point, root));
  return { end, folders, failed: failuresOf(folders) };
}

/** Runs among the folders that failed, with the reason. */
function failuresOf(folders: readonly string[]): { folder: string; reason: string }[] {
  return folders.flatMap((folder) => {
    if (!fs.existsSync(runInfoPath(folder))) return [];
    const { status, failure } = readRunInfo(folder);
    return status === 'failed' ? [{ folder, reason: failure ?? 'it failed' }] : [];
  });
}
