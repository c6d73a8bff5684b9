import fs from 'node:fs';
import { BusyError, UserError } from '../../data/errors.js';
import { availableMemory } from '../machine/memory.js';
import { nodeEnvironment, type Environment } from '../store/environment.js';
import { lockPath } from '../store/lock.js';
import type { RunInfo } from '../store/run-info.js';
import { readRunInfo } from '../store/run-folder.js';
import { readSweepRecord, writeSweepRecord, type SweepVersion } from '../store/sweep-record.js';
import { checkpointSteps } from './checkpoint.js';
import { halfFolderOf } from './exchange-origin.js';
import { replicaLimit } from './memory.js';
import { checkedCost } from './plan.js';
import { runFolderOf, type BusyRun, type FailedRun, type RunRequest, type RunsEnd } from './request.js';
import { sameShapes } from './same-shapes.js';
import { shareWork, type WorkLook, type WorkOutcome } from './share-work.js';
import { startTogether, type WantedRun } from './start.js';
import type { Sweep, SweepArm } from './sweep-config.js';
import type { SweepPack } from './sweep-tasks.js';
import { armFolders, versionOfSweep } from './sweep.js';
import { isOfConfig } from './verdict.js';

/** Runs of a sweep that one computation trains. */
export interface SweepPiece {
  readonly arms: readonly SweepArm[];
  readonly runs: readonly WantedRun[];
}

/** What a process does of a sweep: the packs of its task first, then, where it helps others, theirs. */
export interface TaskWork {
  readonly own: readonly SweepPack[];
  readonly others: readonly SweepPack[];
}

/** What is trained of a sweep, and how. */
export interface SweepWork {
  /** The part of a task; everything by default. */
  readonly task?: TaskWork | undefined;
  /** Whether runs that cannot be resumed or have another config are trained again. */
  readonly repair?: boolean;
  /** Called before the runs of a piece start, of this process's part or of others'. */
  readonly onPiece?: (piece: SweepPiece, isOwn: boolean) => void;
}

/** What helps someone who typed `sweep`: the name of its runs is the sweep's. */
const advice = {
  otherConfig: 'give another --out, another name in the sweep file, or --existing overwrite',
  again: '--existing overwrite trains it again',
};

/**
 * Trains the runs of a sweep that are not complete: the seeds of an arm together, and, of a whole sweep, with them those of arms
 * that differ in nothing but numbers of the step ({@link sameShapes}). Complete runs are left alone and interrupted ones resumed,
 * so that a sweep that was stopped is started again by the same call. Several processes may do so at once on one folder: a
 * run that another one writes is passed over and come back to ({@link shareWork}). Runs that failed or cannot be resumed are
 * reported and do not stop the others.
 *
 * @returns as `busy` the runs that were to be trained here and are left to other processes
 * @throws UserError when a folder holds a run of another config that is not to be repaired; nothing is trained then
 */
export async function runSweep(
  sweep: Sweep,
  request: Omit<RunRequest, 'existing' | 'advice' | 'sweep'>,
  { task, repair = false, onPiece = () => {} }: SweepWork = {},
): Promise<RunsEnd> {
  const { root, environment = nodeEnvironment } = request;
  const version = registerSweep(sweep, root, environment);
  const own = task === undefined ? wholeSweep(sweep, request) : task.own.map(pieceOfPack);
  const others = (task?.others ?? []).map(pieceOfPack);
  const isOwn = new Set(own);
  if (!repair) own.forEach((piece) => requireSameConfigs(piece, root));
  const failed = new Map<string, FailedRun>();
  const busy = new Map<SweepPiece, readonly BusyRun[]>();
  const note = (arms: readonly SweepArm[]): void => noteFirstRuns(sweep, arms, root, environment);

  const attempt = async (piece: SweepPiece): Promise<WorkOutcome> => {
    onPiece(piece, isOwn.has(piece));
    // Before they may be trained again, which makes them younger.
    note(piece.arms);
    busy.delete(piece);
    try {
      const ended = await startTogether(piece.runs, {
        ...request,
        existing: repair && isOwn.has(piece) ? 'repair' : 'resume',
        advice,
        sweep: { name: sweep.name, hash: version.hash },
      });
      // Of others' runs their own processes say what is wrong.
      if (isOwn.has(piece)) for (const run of ended.failed) failed.set(run.folder, run);
      if (ended.busy.length > 0) busy.set(piece, ended.busy);
      if (ended.end === 'interrupted') return 'interrupted';
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      const left = leftBy(error, piece, root);
      if (isOwn.has(piece)) for (const run of left.failed) failed.set(run.folder, run);
      if (left.busy.length > 0) busy.set(piece, left.busy);
    } finally {
      note(piece.arms);
    }
    return busy.has(piece) ? 'held' : 'through';
  };

  const end = await shareWork({ own, others, look: (piece) => lookAtPiece(piece, root), attempt });
  note(sweep.arms);
  return {
    end: end === 'interrupted' ? 'interrupted' : 'complete',
    folders: sweep.arms.flatMap((arm) => armFolders(arm, root)),
    failed: [...failed.values()],
    busy: own.flatMap((piece) => busy.get(piece) ?? []),
  };
}

/**
 * Whether nothing is left to train of a sweep, or of a task and those that it would help, as its folders say: no engine is needed
 * for it then. Throws a UserError as {@link runSweep} does.
 */
export function isTrained(sweep: Sweep, root: string, task?: TaskWork): boolean {
  const own = (task?.own ?? sweep.arms.map((arm) => ({ arm, seeds: arm.seeds }))).map(pieceOfPack);
  own.forEach((piece) => requireSameConfigs(piece, root));
  const others = (task?.others ?? []).map(pieceOfPack);
  // To say of a run that it failed is for whoever tries it.
  const isComplete = (piece: SweepPiece): boolean =>
    foldersOf(piece, root).every((folder) => infoOf(folder)?.status === 'complete');
  return (
    own.every((piece) => isComplete(piece) && lookAtPiece(piece, root) === 'through') &&
    others.every((piece) => lookAtPiece(piece, root) === 'through')
  );
}

function pieceOfPack({ arm, seeds }: SweepPack): SweepPiece {
  const { config, resolved } = arm;
  return { arms: [arm], runs: seeds.map((seed) => ({ config, resolved, seed })) };
}

/** All runs of a sweep: arms in groups that can train as one computation, in the order of their first, as memory allows. */
function wholeSweep({ arms }: Sweep, request: Pick<RunRequest, 'memory'>): SweepPiece[] {
  const groups: SweepArm[][] = [];
  for (const arm of arms) {
    const group = groups.find(([first]) => sameShapes([first!.config, arm.config]) === null);
    if (group === undefined) groups.push([arm]);
    else group.push(arm);
  }
  return groups.flatMap((group): SweepPiece[] => {
    const runs = group.flatMap((arm) => pieceOfPack({ arm, seeds: arm.seeds }).runs);
    const cost = checkedCost(group[0]!.config);
    const { replicas } = replicaLimit(cost, request.memory?.() ?? availableMemory());
    return Array.from({ length: Math.ceil(runs.length / replicas) }, (_, i) => {
      const own = runs.slice(i * replicas, (i + 1) * replicas);
      const configs = new Set(own.map(({ config }) => config));
      return { arms: group.filter(({ config }) => configs.has(config)), runs: own };
    });
  });
}

const foldersOf = ({ runs }: SweepPiece, root: string): string[] =>
  runs.map(({ config, seed }) => runFolderOf(root, config, seed));

/** Throws a UserError for a trained run of another config. */
function requireSameConfigs(piece: SweepPiece, root: string): void {
  for (const { config, seed } of piece.runs) {
    const folder = runFolderOf(root, config, seed);
    const info = infoOf(folder);
    if (info === null || info.status === 'failed' || !hasTrained(folder, info)) continue;
    if (!isOfConfig(folder, config))
      throw new UserError(`${folder}: holds a run of another config; ${advice.otherConfig}`);
  }
}

function hasTrained(folder: string, { status }: RunInfo): boolean {
  if (status === 'complete') return true;
  try {
    return checkpointSteps(folder).length > 0;
  } catch {
    // What is wrong with the folder is said when it is its turn.
    return false;
  }
}

/** What a look at the folders of a piece says, without asking for their locks. */
function lookAtPiece(piece: SweepPiece, root: string): WorkLook {
  const looks = piece.runs.map(({ config, seed }) => {
    const folder = runFolderOf(root, config, seed);
    const own = lookAtRun(folder);
    // A run that failed has no half.
    if (own !== 'through' || !config.tagExchange || infoOf(folder)?.status !== 'complete') return own;
    return lookAtRun(halfFolderOf(folder));
  });
  if (looks.includes('open')) return 'open';
  return looks.includes('held') ? 'held' : 'through';
}

function lookAtRun(folder: string): WorkLook {
  const status = infoOf(folder)?.status;
  if (status === 'complete' || status === 'failed') return 'through';
  return fs.existsSync(lockPath(folder)) ? 'held' : 'open';
}

/** What became of the runs of a piece that ended with an error. */
function leftBy(
  error: UserError,
  piece: SweepPiece,
  root: string,
): { readonly failed: readonly FailedRun[]; readonly busy: readonly BusyRun[] } {
  const failed: FailedRun[] = [];
  const busy: BusyRun[] = [];
  for (const folder of foldersOf(piece, root)) {
    const info = infoOf(folder);
    const reason = error.message;
    if (info?.status === 'complete') continue;
    if (info?.status === 'failed') failed.push({ folder, reason: info.failure ?? 'it failed' });
    else if (error instanceof BusyError || lookAtRun(folder) === 'held') busy.push({ folder, reason });
    else failed.push({ folder, reason });
  }
  return { failed, busy };
}

/** Notes in the record of a sweep what its file says now, before runs are trained by it. Throws a UserError as writing does. */
export function registerSweep(sweep: Sweep, root: string, { fs: files, now }: Environment): SweepVersion {
  const record = readSweepRecord(files, root, sweep.experiment, sweep.name);
  const version = versionOfSweep(sweep, now());
  const last = record.versions.at(-1);
  if (last?.hash === version.hash) return last;
  writeSweepRecord(files, root, sweep.experiment, { ...record, versions: [...record.versions, version] });
  return version;
}

/**
 * Notes in the record by which version of the file the oldest run of each arm began; a run of no sweep has none. The record is
 * read anew each time, since other processes write it too; what one of them loses in between is noted again.
 */
function noteFirstRuns(
  { experiment, name }: Sweep,
  arms: readonly SweepArm[],
  root: string,
  { fs: files }: Environment,
): void {
  const record = readSweepRecord(files, root, experiment, name);
  const found = arms
    .filter((arm) => record.firstRuns[arm.name] === undefined)
    .flatMap((arm) => {
      const oldest = armFolders(arm, root)
        .flatMap((folder) => infoOf(folder) ?? [])
        .toSorted((a, b) => (a.started < b.started ? -1 : 1))[0];
      return oldest === undefined
        ? []
        : [[arm.name, { hash: oldest.sweep?.hash ?? null, started: oldest.started }] as const];
    });
  if (found.length === 0) return;
  const firstRuns = { ...record.firstRuns, ...Object.fromEntries(found) };
  writeSweepRecord(files, root, experiment, { ...record, firstRuns });
}

function infoOf(folder: string): RunInfo | null {
  try {
    return readRunInfo(folder);
  } catch {
    return null;
  }
}
