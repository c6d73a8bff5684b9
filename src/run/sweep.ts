import fs from 'node:fs';
import path from 'node:path';
import { UserError } from '../../data/errors.js';
import { hashConfig } from '../store/config-hash.js';
import { nodeEnvironment, type Environment } from '../store/environment.js';
import { configPath, readRunInfo } from '../store/run-folder.js';
import type { RunInfo } from '../store/run-info.js';
import {
  readSweepRecord,
  sweepHash,
  versionChanges,
  writeSweepRecord,
  type SweepRecord,
  type SweepVersion,
} from '../store/sweep-record.js';
import { loadKnownConfig } from './experiment-module.js';
import {
  runFolderOf,
  runId,
  type BusyRun,
  type FailedRun,
  type RunRequest,
  type RunsEnd,
} from './request.js';
import { sameShapes } from './same-shapes.js';
import { startTogether } from './start.js';
import type { Sweep, SweepArm } from './sweep-config.js';

/** Folders of the runs of an arm, in the order of its seeds. */
export function armFolders({ config, seeds }: SweepArm, root: string): string[] {
  return seeds.map((seed) => runFolderOf(root, config, seed));
}

/** Seeds of an arm that have a run in a folder, ascending; none where the folder is not there. */
export function seedsInFolder({ config }: SweepArm, root: string): number[] {
  const folder = path.join(root, config.experiment);
  if (!fs.existsSync(folder)) return [];
  return fs
    .readdirSync(folder)
    .flatMap((name) => {
      const seed = Number(/-seed(\d+)$/.exec(name)?.[1] ?? NaN);
      return name === runId(config.name, seed) ? [seed] : [];
    })
    .toSorted((a, b) => a - b);
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

/** The arms and predictions of a sweep as its record keeps them. */
function versionOf({ arms, predictions }: Sweep): Omit<SweepVersion, 'hash' | 'since'> {
  return {
    arms: arms.map(({ name, seeds, config }) => ({
      name,
      configHash: hashConfig(config),
      seeds: [...seeds],
    })),
    predictions: [...predictions],
  };
}

/** The hash that runs and results of a sweep carry: of its arms and predictions. */
export const hashOfSweep = (sweep: Sweep): string => sweepHash(versionOf(sweep));

/**
 * What the sweep says otherwise than when runs were last asked for by it, and which runs that affects; empty where it is
 * the same, or new.
 */
export function sweepChanges(sweep: Sweep, record: SweepRecord, root: string): string[] {
  const last = record.versions.at(-1);
  if (last === undefined || last.hash === hashOfSweep(sweep)) return [];
  const configs = sweep.arms.flatMap((arm) => {
    const affected = armFolders(arm, root).flatMap((folder) => {
      if (!fs.existsSync(configPath(folder))) return [];
      const why = whyOtherConfig(arm, folder);
      return why === null ? [] : [`affected: ${folder}: ${why}`];
    });
    // Hashes also differ between versions of the program, which read the same of a run's config.
    return affected.length === 0 ? [] : [`arm ${arm.name}: its config is another`, ...affected];
  });
  return [...configs, ...versionChanges(last, versionOf(sweep))];
}

/** Notes in the record of a sweep what its file says now, before runs are trained by it. Throws a UserError as writing does. */
function register(sweep: Sweep, root: string, { fs: files, now }: Environment): SweepRecord {
  const record = readSweepRecord(files, root, sweep.experiment, sweep.name);
  const hash = hashOfSweep(sweep);
  if (record.versions.at(-1)?.hash === hash) return record;
  const version = { hash, since: now().toISOString(), ...versionOf(sweep) };
  const registered = { ...record, versions: [...record.versions, version] };
  writeSweepRecord(files, root, sweep.experiment, registered);
  return registered;
}

/**
 * Trains the arms of a sweep that are not complete, the seeds of each together, and with them those of arms that differ
 * in nothing but numbers of the step ({@link sameShapes}), as one computation. Complete runs are
 * left alone and interrupted ones resumed, so that a sweep that was stopped is started again by the same call. Runs
 * that failed, that another process writes, or that cannot be resumed are reported and do not stop the others.
 *
 * @param onArms told of arms that train together before they start, and of the number of the first of them
 * @param repair whether runs that cannot be resumed or have another config are trained again
 * @throws UserError when a folder holds a run of another config that is not to be repaired
 */
export async function runSweep(
  sweep: Sweep,
  request: Omit<RunRequest, 'existing' | 'advice' | 'sweep'>,
  onArms: (arms: readonly SweepArm[], first: number) => void,
  repair = false,
): Promise<RunsEnd> {
  const folders = sweep.arms.flatMap((arm) => armFolders(arm, request.root));
  const failed: FailedRun[] = [];
  const busy: BusyRun[] = [];
  const existing = repair ? 'repair' : 'resume';
  const { environment = nodeEnvironment } = request;
  let record = register(sweep, request.root, environment);
  const mark = { name: sweep.name, hash: hashOfSweep(sweep) };
  const note = (arms: readonly SweepArm[]): void => {
    for (const arm of arms) record = noteFirstRun(sweep, arm, record, request.root, environment);
  };
  for (const arms of armsTogether(sweep.arms)) {
    onArms(arms, sweep.arms.indexOf(arms[0]!));
    // Before they may be trained again, which makes them younger.
    note(arms);
    const runs = arms.flatMap(({ config, resolved, seeds }) =>
      seeds.map((seed) => ({ config, resolved, seed })),
    );
    try {
      const ended = await startTogether(runs, {
        ...request,
        existing,
        advice,
        sweep: mark,
      });
      failed.push(...ended.failed);
      busy.push(...ended.busy);
      if (ended.end === 'interrupted') return { end: 'interrupted', folders, failed, busy };
    } catch (error) {
      // Where every seed fails there is nothing to go on with in these arms, but in the others there is.
      const broken = failuresOf(arms.flatMap((arm) => armFolders(arm, request.root)));
      if (!(error instanceof UserError) || broken.length < runs.length) throw error;
      failed.push(...broken);
    } finally {
      note(arms);
    }
  }
  return { end: 'complete', folders, failed, busy };
}

/** Arms in groups that can train as one computation, in the order of their first. */
function armsTogether(arms: readonly SweepArm[]): SweepArm[][] {
  const groups: SweepArm[][] = [];
  for (const arm of arms) {
    const group = groups.find(([first]) => sameShapes([first!.config, arm.config]) === null);
    if (group === undefined) groups.push([arm]);
    else group.push(arm);
  }
  return groups;
}

/** Notes in the record by which version of the file the oldest run of an arm began; a run of no sweep has none. */
function noteFirstRun(
  { experiment }: Sweep,
  arm: SweepArm,
  record: SweepRecord,
  root: string,
  { fs: files }: Environment,
): SweepRecord {
  if (record.firstRuns[arm.name] !== undefined) return record;
  const oldest = armFolders(arm, root)
    .flatMap((folder) => infoOf(folder) ?? [])
    .toSorted((a, b) => (a.started < b.started ? -1 : 1))[0];
  if (oldest === undefined) return record;
  const first = { hash: oldest.sweep?.hash ?? null, started: oldest.started };
  const noted = { ...record, firstRuns: { ...record.firstRuns, [arm.name]: first } };
  writeSweepRecord(files, root, experiment, noted);
  return noted;
}

function infoOf(folder: string): RunInfo | null {
  try {
    return readRunInfo(folder);
  } catch {
    return null;
  }
}

/** Runs among the folders that failed, with the reason. */
function failuresOf(folders: readonly string[]): FailedRun[] {
  return folders.flatMap((folder): FailedRun[] => {
    const info = infoOf(folder);
    return info?.status === 'failed' ? [{ folder, reason: info.failure ?? 'it failed' }] : [];
  });
}
