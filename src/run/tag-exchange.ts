import { UserError } from '../../data/errors.js';
import { readRunInfo } from '../store/run-folder.js';
import { exchangedStage, type RunConfig } from './config.js';
import { checkpointsBefore, halfFolderOf } from './exchange-origin.js';
import { folderState } from './folder-state.js';
import { availableMemory, replicaLimit } from './memory.js';
import { checkedCost, planRun } from './plan.js';
import { createReplicas } from './replica.js';
import type { FailedRun, RunRequest, RunsEnd } from './request.js';
import { resumeAll, resumeOne } from './resume.js';
import { readStoredConfig } from './run-config.js';
import { siblingsOf } from './siblings.js';
import { trainReplicas, type TrainingEnd } from './train.js';
import { clear, verdictOn, type FolderVerdict } from './verdict.js';

/**
 * The exchanged half of a run trains the stage of new variables, and what follows it, once more: from the run's own
 * checkpoint before that stage, with the same streams of random numbers, and with the tags of the two sets of new
 * variables exchanged. It is a run folder of its own beside the run.
 */
interface Half {
  /** Folder of the run, which is complete before the half begins. */
  readonly run: string;
  readonly folder: string;
  readonly verdict: FolderVerdict;
}

/** Exchanged halves to train, by what is to be done with their folders. */
export interface Halves {
  readonly config: RunConfig;
  readonly list: readonly Half[];
}

/**
 * What is to be done with the exchanged halves of runs; nothing where the config does not exchange tags. A half is
 * treated as its run is: one whose run is trained anew is trained anew.
 *
 * @param folders of the runs
 * @param anew those that are trained from their start
 * @throws UserError when a folder holds something that `existing` does not cover
 */
export function verdictsOnHalves(
  config: RunConfig,
  folders: readonly string[],
  anew: ReadonlySet<string>,
  request: RunRequest,
): Halves {
  const list = (config.tagExchange ? folders : []).map((run): Half => {
    const folder = halfFolderOf(run);
    const verdict = verdictOn(folder, config, request);
    if (!anew.has(run) || (verdict.kind !== 'done' && verdict.kind !== 'resume'))
      return { run, folder, verdict };
    if (request.existing !== 'refuse') return { run, folder, verdict: { kind: 'replace' } };
    throw new UserError(
      `${folder}: is the exchanged half of a run that is not there any more, or not trained; ` +
        'remove it, or give --existing overwrite',
    );
  });
  return { config, list };
}

/** Trains exchanged halves, as many together as memory allows, and goes on with those that were interrupted. */
export async function trainHalves({ config, list }: Halves, request: RunRequest): Promise<TrainingEnd> {
  const failed: FailedRun[] = [];
  const ready = list.filter(({ run, folder, verdict }) => {
    if (verdict.kind === 'leave') failed.push({ folder, reason: verdict.reason });
    // A run that failed, or that another process trains, has no half.
    return verdict.kind !== 'leave' && folderState(run, request.environment).kind === 'complete';
  });
  const open = ready.filter(({ verdict }) => verdict.kind === 'resume');
  const resumed = await resumeAll(
    open.map(({ folder }) => folder),
    request,
  );
  failed.push(...resumed.failed);
  if (resumed.end === 'interrupted') return { end: 'interrupted', failed };
  const fresh = ready.filter(
    (half) =>
      (half.verdict.kind === 'train' || half.verdict.kind === 'replace') &&
      !resumed.took(half.folder) &&
      canBegin(config, half, failed),
  );
  const together = Math.min(
    fresh.length,
    replicaLimit(checkedCost(config), request.memory?.() ?? availableMemory()).replicas,
  );
  for (let next = 0; next < fresh.length; next += together) {
    const trained = await begin(config, fresh.slice(next, next + together), request);
    failed.push(...trained.failed);
    if (trained.end === 'interrupted') return { end: 'interrupted', failed };
  }
  return { end: 'complete', failed };
}

/** Whether a half has its checkpoint to begin from; one that has not is among the failed, and keeps no other waiting. */
function canBegin(config: RunConfig, { run, folder }: Half, failed: FailedRun[]): boolean {
  try {
    checkpointsBefore(planRun(config, [readRunInfo(run).seed], true), [run]);
    return true;
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    failed.push({ folder, reason: error.message });
    return false;
  }
}

async function begin(config: RunConfig, halves: readonly Half[], request: RunRequest): Promise<TrainingEnd> {
  const plan = planRun(
    config,
    halves.map(({ run }) => readRunInfo(run).seed),
    true,
  );
  const checkpoints = checkpointsBefore(
    plan,
    halves.map(({ run }) => run),
  );
  for (const { folder, verdict } of halves) if (verdict.kind === 'replace') clear(folder, request);
  const { resolved } = readStoredConfig(halves[0]!.run);
  const replicas = createReplicas(
    plan,
    halves.map(({ folder }) => folder),
    resolved,
    request,
  );
  const { name } = config.stages[exchangedStage(config)]!;
  const runs = halves.length === 1 ? '1 run' : `${halves.length} runs together`;
  request.onMessage(`tags exchanged: training ${name} of ${runs} again`);
  return trainReplicas(plan, replicas, checkpoints, request, true);
}

/**
 * Goes on with an interrupted run and those it trained with, and then with their exchanged halves; of complete runs with
 * what is left of the halves.
 *
 * @throws UserError as {@link resumeOne} does
 */
export async function resumeRuns(folder: string, request: RunRequest): Promise<RunsEnd> {
  const isComplete = folderState(folder, request.environment).kind === 'complete';
  const before = isComplete ? openHalves(folder, request) : null;
  if (before !== null && before.list.length > 0) {
    const runs = before.list.map(({ run }) => run);
    request.onMessage(`${folder}: is complete; going on with its half with tags exchanged`);
    return { ...(await trainHalves(before, request)), folders: runs };
  }
  const ended = await resumeOne(folder, request);
  if (ended.end === 'interrupted') return ended;
  const halves = openHalves(folder, request);
  if (halves === null) return ended;
  const trained = await trainHalves(halves, request);
  return { end: trained.end, folders: ended.folders, failed: [...ended.failed, ...trained.failed] };
}

/** Halves that are not complete of the complete runs among a run and its siblings; null where none are wanted. */
function openHalves(folder: string, request: RunRequest): Halves | null {
  if (readRunInfo(folder).exchangeOf !== undefined) return null;
  const { config } = readStoredConfig(folder);
  if (!config.tagExchange) return null;
  const complete = siblingsOf(folder)
    .members.map((member) => member.folder)
    .filter((own) => folderState(own, request.environment).kind === 'complete');
  const { list } = verdictsOnHalves(config, complete, new Set(), { ...request, existing: 'resume' });
  return { config, list: list.filter(({ verdict }) => verdict.kind !== 'done') };
}
