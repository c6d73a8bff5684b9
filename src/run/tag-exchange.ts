import { UserError } from '../../data/errors.js';
import { availableMemory } from '../machine/memory.js';
import { nodeEnvironment } from '../store/environment.js';
import { readRunInfo } from '../store/run-folder.js';
import { settleLocks } from '../store/settle-locks.js';
import { claim, stillBusy } from './claim.js';
import { exchangedStage, type RunConfig } from './config.js';
import { checkpointsBefore, halfFolderOf } from './exchange-origin.js';
import type { Checkpoint } from './checkpoint.js';
import { folderState } from './folder-state.js';
import { replicaLimit } from './memory.js';
import { checkedCost, planRuns, type RunPlan } from './plan.js';
import { endsOf } from './stage-ends.js';
import { createReplicas } from './replica.js';
import type { FailedRun, RunRequest, RunsEnd } from './request.js';
import { resumeAll, resumeOne } from './resume.js';
import { readStoredConfig } from './run-config.js';
import type { Replica } from './session.js';
import { siblingsOf } from './siblings.js';
import { trainReplicas } from './train.js';
import { clear, replaced, verdictOn, type FolderVerdict } from './verdict.js';

/**
 * The exchanged half of a run trains the stage of new variables, and what follows it, once more: from the run's own
 * checkpoint before that stage, with the same streams of random numbers, and with the tags of the two sets of new
 * variables exchanged. It is a run folder of its own beside the run.
 */
interface Half {
  readonly config: RunConfig;
  /** Folder of the run, which is complete before the half begins. */
  readonly run: string;
  readonly folder: string;
  readonly verdict: FolderVerdict;
}

/**
 * What is to be done with the exchanged halves of runs; nothing where a config does not exchange tags. A half is
 * treated as its run is: one whose run is trained anew is trained anew.
 *
 * @param anew folders of the runs that are trained from their start
 * @throws UserError when a folder holds something that `existing` does not cover
 */
export function verdictsOnHalves(
  runs: readonly { readonly config: RunConfig; readonly folder: string }[],
  anew: ReadonlySet<string>,
  request: RunRequest,
): readonly Half[] {
  const exchanging = runs.filter(({ config }) => config.tagExchange);
  return exchanging.map(({ config, folder: run }): Half => {
    const folder = halfFolderOf(run);
    const verdict = verdictOn(folder, config, request);
    if (!anew.has(run) || (verdict.kind !== 'done' && verdict.kind !== 'resume'))
      return { config, run, folder, verdict };
    if (request.existing !== 'refuse') return { config, run, folder, verdict: replaced(folder) };
    throw new UserError(
      `${folder}: is the exchanged half of a run that is not there any more, or not trained; ` +
        'remove it, or give --existing overwrite',
    );
  });
}

/** Trains exchanged halves, as many together as memory allows, and goes on with those that were interrupted. */
export async function trainHalves(
  halves: readonly Half[],
  request: RunRequest,
): Promise<Omit<RunsEnd, 'folders'>> {
  const failed: FailedRun[] = [];
  const busy = halves.flatMap(({ folder, verdict }) =>
    verdict.kind === 'busy' ? [{ folder, reason: verdict.reason }] : [],
  );
  const ready = halves.filter(({ run, folder, verdict }) => {
    if (verdict.kind === 'leave') failed.push({ folder, reason: verdict.reason });
    // A run that failed, or that another process trains, has no half.
    const isLeft = verdict.kind === 'leave' || verdict.kind === 'busy';
    return !isLeft && folderState(run, request.environment).kind === 'complete';
  });
  const open = ready.filter(({ verdict }) => verdict.kind === 'resume');
  const resumed = await resumeAll(
    open.map(({ folder }) => folder),
    request,
    halves.map(({ folder }) => folder),
  );
  failed.push(...resumed.failed);
  busy.push(...resumed.busy);
  if (resumed.end === 'interrupted') return { end: 'interrupted', failed, busy };
  const fresh = ready.filter(
    (half) =>
      (half.verdict.kind === 'train' || half.verdict.kind === 'replace') && !resumed.took(half.folder),
  );
  const [first] = fresh;
  if (first === undefined) return { end: 'complete', failed, busy };
  const { replicas: together } = replicaLimit(
    checkedCost(first.config),
    request.memory?.() ?? availableMemory(),
  );
  for (let next = 0; next < fresh.length; next += together) {
    const prepared = prepare(fresh.slice(next, next + together), failed);
    if (prepared === null) continue;
    const claimed = await claim(prepared.halves, request, (now) => {
      const own = now.length === prepared.halves.length ? prepared : prepare(now, failed);
      return own === null ? null : { ...own, replicas: create(own, request) };
    });
    busy.push(...claimed.busy);
    if (claimed.taken === null) continue;
    const { plan, replicas, checkpoints } = claimed.taken;
    const { name } = plan.config.stages[exchangedStage(plan.config)]!;
    const runs = replicas.length === 1 ? '1 run' : `${replicas.length} runs together`;
    request.onMessage(`tags exchanged: training ${name} of ${runs} again`);
    const trained = await trainReplicas(plan, replicas, checkpoints, request, true);
    failed.push(...trained.failed);
    busy.push(...trained.busy);
    if (trained.end === 'interrupted') return { end: 'interrupted', failed, busy };
  }
  return { end: 'complete', failed, busy: stillBusy(busy, request.environment) };
}

/** Halves that can begin together. */
interface PreparedHalves {
  readonly halves: readonly Half[];
  readonly plan: RunPlan;
  readonly checkpoints: readonly Checkpoint[];
}

/**
 * What halves begin from. One that has no checkpoint to begin from is among the failed, and keeps no other waiting; null where
 * none has. All are asked at once, since the data of each are built for it.
 */
function prepare(halves: readonly Half[], failed: FailedRun[]): PreparedHalves | null {
  try {
    const plan = planHalves(halves);
    const checkpoints = checkpointsBefore(
      plan,
      halves.map(({ run }) => run),
    );
    return { halves, plan, checkpoints };
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    const [first] = halves;
    if (halves.length === 1) {
      failed.push({ folder: first!.folder, reason: error.message });
      return null;
    }
    const able = halves.filter((half) => prepare([half], failed) !== null);
    if (able.length === halves.length) throw error;
    return able.length === 0 ? null : prepare(able, failed);
  }
}

/** Plans the exchanged halves of runs, which go on where a stage of their run ended. */
function planHalves(halves: readonly Pick<Half, 'config' | 'run'>[]): RunPlan {
  return planRuns(
    halves.map(({ config, run }) => {
      const info = readRunInfo(run);
      return { config, seed: info.seed, ends: endsOf(info).slice(0, exchangedStage(config)) };
    }),
    true,
  );
}

/** Makes the folders of halves. Throws a BusyError when another process has one of them. */
function create({ halves, plan }: PreparedHalves, request: RunRequest): Replica[] {
  for (const { folder, verdict } of halves) if (verdict.kind === 'replace') clear(folder, verdict, request);
  return createReplicas(
    plan,
    halves.map(({ folder }) => folder),
    halves.map(({ run }) => readStoredConfig(run).resolved),
    request,
  );
}

/**
 * Goes on with an interrupted run and those it trained with, and then with their exchanged halves; of complete runs with
 * what is left of the halves.
 *
 * @throws UserError as {@link resumeOne} does
 */
export async function resumeRuns(folder: string, request: RunRequest): Promise<RunsEnd> {
  const isComplete = folderState(folder, request.environment).kind === 'complete';
  const before = isComplete ? await openHalves(folder, request) : null;
  if (before !== null && before.length > 0) {
    const runs = before.map(({ run }) => run);
    request.onMessage(`${folder}: is complete; going on with its half with tags exchanged`);
    return { ...(await trainHalves(before, request)), folders: runs };
  }
  const ended = await resumeOne(folder, request);
  if (ended.end === 'interrupted') return ended;
  const halves = await openHalves(folder, request);
  if (halves === null) return ended;
  const trained = await trainHalves(halves, request);
  return {
    end: trained.end,
    folders: ended.folders,
    failed: [...ended.failed, ...trained.failed],
    busy: [...ended.busy, ...trained.busy],
  };
}

/** Halves that are not complete of the complete runs among a run and its siblings; null where none are wanted. */
async function openHalves(folder: string, request: RunRequest): Promise<readonly Half[] | null> {
  if (readRunInfo(folder).exchangeOf !== undefined) return null;
  if (!readStoredConfig(folder).config.tagExchange) return null;
  const complete = siblingsOf(folder)
    .members.filter((member) => folderState(member.folder, request.environment).kind === 'complete')
    .map((member) => ({ folder: member.folder, config: readStoredConfig(member.folder).config }));
  const { environment = nodeEnvironment, onMessage } = request;
  await settleLocks(
    complete.map((own) => halfFolderOf(own.folder)),
    environment,
    onMessage,
  );
  const halves = verdictsOnHalves(complete, new Set(), { ...request, existing: 'resume' });
  return halves.filter(({ verdict }) => verdict.kind !== 'done');
}
