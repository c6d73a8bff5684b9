import { UserError } from '../../data/errors.js';
import { nodeEnvironment } from '../store/environment.js';
import { hashConfig } from '../store/config-hash.js';
import { acquireLock } from '../store/lock.js';
import { requireTemporaryFolder } from '../train/engine/compiled.js';
import type { RunConfig } from './config.js';
import { discardRun } from './discard.js';
import { folderState } from './folder-state.js';
import { availableMemory, describeCost, replicaLimit, requireMemory } from './memory.js';
import { checkedCost, planRun } from './plan.js';
import type { PlannedCost } from './planned-cost.js';
import { createReplicas } from './replica.js';
import { runFolderOf, type FailedRun, type RunRequest, type RunsEnd } from './request.js';
import { resumeRuns } from './resume.js';
import { readStoredConfig } from './run-config.js';
import { trainReplicas } from './train.js';
import { settingsWithLittleEffect } from './without-effect.js';

/** What is to be done with the folder of a seed. */
type Verdict =
  | { readonly kind: 'train' | 'replace' | 'resume' | 'done' }
  | { readonly kind: 'leave'; readonly reason: string };

/**
 * Trains one run for each seed, as many together as memory allows. Runs that are there already and complete are left
 * alone, and those that ended before their first update begin anew.
 *
 * @param resolved the config as text, the config.yaml of the runs
 * @throws UserError when a folder holds another run, or one that did not end, unless `existing` says what to do, and
 *   when one seed does not fit into memory; nothing is changed then
 */
export async function startRuns(
  config: RunConfig,
  resolved: string,
  seeds: readonly number[],
  request: RunRequest,
): Promise<RunsEnd> {
  const cost = checkedCost(config);
  const folderOf = (seed: number): string => runFolderOf(request.root, config, seed);
  const folders = seeds.map(folderOf);
  const verdicts = new Map(seeds.map((seed) => [seed, verdictOn(folderOf(seed), config, request)]));
  const failed: FailedRun[] = [];
  for (const [seed, verdict] of verdicts)
    if (verdict.kind === 'leave') failed.push({ folder: folderOf(seed), reason: verdict.reason });
  const of = (...kinds: Verdict['kind'][]): number[] =>
    seeds.filter((seed) => kinds.includes(verdicts.get(seed)!.kind));

  const fresh = of('train', 'replace');
  if (fresh.length > 0) requireTemporaryFolder();
  const { together, notes } = replicasAtOnce(cost, fresh, request);
  for (const folder of of('resume').map(folderOf)) {
    // The one before may have taken this one along.
    if (folderState(folder, request.environment).kind === 'complete') continue;
    const resumed = await resumeRuns(folder, request);
    failed.push(...resumed.failed);
    if (resumed.end === 'interrupted') return { end: 'interrupted', folders, failed };
  }
  const done = of('done').length;
  if (done > 0)
    request.onMessage(`${done} of ${seeds.length} runs are complete already and are left as they are`);

  if (fresh.length > 0) notes.unshift(...settingsWithLittleEffect(config, cost));
  for (let next = 0; next < fresh.length; next += together) {
    const now = fresh.slice(next, next + together);
    const plan = planRun(config, now);
    for (const seed of now) if (verdicts.get(seed)!.kind === 'replace') clear(folderOf(seed), request);
    const replicas = createReplicas(plan, now.map(folderOf), resolved, request);
    // Not before there are folders: a start that is refused says why, and nothing else.
    for (const note of notes.splice(0)) request.onMessage(note);
    const trained = await trainReplicas(plan, replicas, null, request);
    failed.push(...trained.failed);
    if (trained.end === 'interrupted') return { end: 'interrupted', folders, failed };
  }
  return { end: 'complete', folders, failed };
}

/** Throws a UserError when the folder holds something that `existing` does not cover. */
function verdictOn(folder: string, config: RunConfig, request: RunRequest): Verdict {
  const { existing, advice = adviceOfRun } = request;
  const goesOn = existing === 'resume' || existing === 'repair';
  const state = folderState(folder, request.environment);
  switch (state.kind) {
    case 'absent':
      return { kind: 'train' };
    case 'untrained':
      return { kind: 'replace' };
    case 'busy':
      if (goesOn) return { kind: 'leave', reason: state.reason };
      throw new UserError(state.reason);
    case 'complete':
    case 'open':
    case 'closed':
  }
  if (existing === 'overwrite') return { kind: 'replace' };
  const reason = state.kind === 'closed' ? state.reason : null;
  if (reason === null && !isOfConfig(folder, config)) {
    if (existing === 'repair') return { kind: 'replace' };
    throw new UserError(`${folder}: holds a run of another config; ${advice.otherConfig}`);
  }
  if (state.kind === 'complete') return { kind: 'done' };
  if (state.kind === 'open') {
    if (goesOn) return { kind: 'resume' };
    throw new UserError(
      `${folder}: holds a run that is ${state.label}; continue it with --existing resume, or replace it with --existing overwrite`,
    );
  }
  if (existing === 'repair') return { kind: 'replace' };
  if (existing === 'resume') return { kind: 'leave', reason: `${reason}; ${advice.again}` };
  throw new UserError(`${folder}: holds a run that cannot be gone on with: ${reason}; ${advice.again}`);
}

/** Whether a run folder's config says the same as another, however it is written. */
function isOfConfig(folder: string, config: RunConfig): boolean {
  return readStoredConfig(folder).hash === hashConfig(config);
}

/** What helps someone who typed `run`. */
const adviceOfRun = {
  otherConfig: 'give --set name=..., another --out, or --existing overwrite',
  again: '--existing overwrite trains it again',
};

/** Removes the run of a folder that a new one replaces. Throws a UserError when another process has begun to write it. */
function clear(folder: string, { environment = nodeEnvironment }: RunRequest): void {
  const lock = acquireLock(folder, environment);
  try {
    discardRun(folder, environment.fs);
  } finally {
    lock.release();
  }
}

/** How many of the seeds to train together, and lines for people on what it takes. */
function replicasAtOnce(
  cost: PlannedCost,
  seeds: readonly number[],
  request: RunRequest,
): { together: number; notes: string[] } {
  if (seeds.length === 0) return { together: 0, notes: [] };
  const available = request.memory?.() ?? availableMemory();
  requireMemory(cost, available);
  if (seeds.length === 1) return { together: 1, notes: [describeCost(cost)] };
  const { replicas, reason } = replicaLimit(cost, available);
  const together = Math.min(replicas, seeds.length);
  const all = together === seeds.length;
  const note = `training ${together}${all ? '' : ` of ${seeds.length}`} seeds together${all ? '' : ` (${reason})`}`;
  return { together, notes: [describeCost(cost), note] };
}
