import { resolve } from 'node:path';
import { UserError } from '../../data/errors.js';
import { isHalfOf } from '../store/exchanged-half.js';
import { listRuns, type ListedRun } from '../store/list-runs.js';
import { openRun, type RunData } from './run-data.js';

/** Runs that were found, and why others cannot be used. */
export interface FoundRuns {
  /** Without the exchanged halves, which are attached to their runs. */
  readonly runs: readonly RunData[];
  /** The exchanged halves among the folders. */
  readonly exchanged: readonly RunData[];
  /** Pretrained models among the folders, which other runs start from: they are about no variables. */
  readonly pretrained: readonly RunData[];
  readonly problems: readonly string[];
}

/**
 * Opens the runs in folders: each a run folder, or one that holds runs at most two levels down. A run that is given
 * twice counts once; one that cannot be opened is a problem, not an end. Throws a UserError when nothing is left.
 *
 * @param halvesCount whether an exchanged half is something to go on with where its run is not among the folders
 */
export async function findRuns(folders: readonly string[], halvesCount = false): Promise<FoundRuns> {
  const runs = new Map<string, RunData>();
  const problems: string[] = [];
  for (const folder of folders) {
    const listed = await listRuns(folder).catch((cause: unknown): ListedRun[] => {
      if (!(cause instanceof UserError)) throw cause;
      return [{ path: folder, info: null, error: cause }];
    });
    if (listed.length === 0) problems.push(`${folder}: there is no run in it`);
    for (const { path, error } of listed) {
      try {
        if (error !== null) throw error;
        if (!runs.has(resolve(path))) runs.set(resolve(path), await openRun(path));
      } catch (cause) {
        if (!(cause instanceof UserError)) throw cause;
        problems.push(cause.message);
      }
    }
  }
  const opened = [...runs.values()];
  const pretrained = opened.filter(({ info }) => info.stages.every(({ trainOn }) => trainOn === 'facts'));
  const all = opened.filter((run) => !pretrained.includes(run));
  const exchanged = all.filter(({ info }) => info.exchangeOf !== undefined);
  const whole = all.filter(({ info }) => info.exchangeOf === undefined);
  for (const { folder, info } of halvesCount ? [] : exchanged) {
    if (whole.some((run) => isHalfOf(run.info, info))) continue;
    problems.push(
      `${folder}: is the exchanged half of ${info.exchangeOf}, which is not among the runs; give that run's folder`,
    );
  }
  if (whole.length + (halvesCount ? exchanged.length : 0) === 0) {
    for (const { folder } of pretrained)
      problems.push(
        `${folder}: is a pretrained model, about no variables; gradscope show tells what it knows`,
      );
    throw new UserError(
      `no run to analyse${problems.length > 0 ? `: ${problems.join('; ')}` : ''}; ` +
        'start one with: npx gradscope run configs/set-inclusion.yaml --seeds 0..7',
    );
  }
  return { runs: whole, exchanged, pretrained, problems };
}
