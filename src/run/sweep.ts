import path from 'node:path';
import { runId, startRuns, type RunRequest, type RunsEnd } from './run.js';
import type { Sweep, SweepPoint } from './sweep-config.js';

/** Folders of the runs of a point, in the order of its seeds. */
export function pointFolders({ config, seeds }: SweepPoint, root: string): string[] {
  return seeds.map((seed) => path.join(root, config.experiment, runId(config, seed)));
}

/**
 * Trains the points of a sweep that are not complete, one after the other, the seeds of each together. Complete runs are
 * left alone and interrupted ones gone on with, so that a sweep that was stopped is started again by the same call.
 *
 * @param onPoint told of every point before it starts
 */
export async function runSweep(
  sweep: Sweep,
  request: Omit<RunRequest, 'existing'>,
  onPoint: (point: SweepPoint, index: number) => void,
): Promise<RunsEnd> {
  const folders: string[] = [];
  const failed: { folder: string; reason: string }[] = [];
  for (const [index, point] of sweep.points.entries()) {
    onPoint(point, index);
    const end = await startRuns(point.config, point.resolved, point.seeds, {
      ...request,
      existing: 'resume',
    });
    folders.push(...end.folders);
    failed.push(...end.failed);
    if (end.end === 'interrupted') return { end: 'interrupted', folders, failed };
  }
  return { end: 'complete', folders, failed };
}
