import { requireTemporaryFolder } from '../train/engine/compiled.js';
import type { RunConfig } from './config.js';
import { availableMemory, describeCost, replicaLimit, requireMemory } from './memory.js';
import { checkedCost, planRun } from './plan.js';
import type { PlannedCost } from './planned-cost.js';
import { createReplicas } from './replica.js';
import { runFolderOf, type FailedRun, type RunRequest, type RunsEnd } from './request.js';
import { resumeAll } from './resume.js';
import { trainHalves, verdictsOnHalves } from './tag-exchange.js';
import { trainReplicas } from './train.js';
import { clear, verdictOn, type FolderVerdict } from './verdict.js';
import { settingsWithLittleEffect } from './without-effect.js';

/**
 * Trains one run for each seed, as many together as memory allows. Runs that are there already and complete are left
 * alone, and those that ended before their first update begin anew. With `tagExchange` the exchanged half of every
 * run that is complete then is trained behind all of them, under the same rules.
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
  const fresh = seeds.filter((seed) => ['train', 'replace'].includes(verdicts.get(seed)!.kind));
  const halves = verdictsOnHalves(config, folders, new Set(fresh.map(folderOf)), request);
  for (const [seed, verdict] of verdicts)
    if (verdict.kind === 'leave') failed.push({ folder: folderOf(seed), reason: verdict.reason });
  const of = (kind: FolderVerdict['kind']): number[] =>
    seeds.filter((seed) => verdicts.get(seed)!.kind === kind);

  if (fresh.length > 0) {
    requireTemporaryFolder();
    requireMemory(cost, request.memory?.() ?? availableMemory());
  }
  const resumed = await resumeAll(of('resume').map(folderOf), request);
  failed.push(...resumed.failed);
  if (resumed.end === 'interrupted') return { end: 'interrupted', folders, failed };
  const left = fresh.filter((seed) => !resumed.took(folderOf(seed)));
  const { together, notes } = replicasAtOnce(cost, left, request);
  const done = of('done').length;
  if (done > 0)
    request.onMessage(`${done} of ${seeds.length} runs are complete already and are left as they are`);

  if (left.length > 0) notes.unshift(...settingsWithLittleEffect(config, cost));
  for (let next = 0; next < left.length; next += together) {
    const now = left.slice(next, next + together);
    const plan = planRun(config, now);
    for (const seed of now) if (verdicts.get(seed)!.kind === 'replace') clear(folderOf(seed), request);
    const replicas = createReplicas(plan, now.map(folderOf), resolved, request);
    // Not before there are folders: a start that is refused says why, and nothing else.
    for (const note of notes.splice(0)) request.onMessage(note);
    const trained = await trainReplicas(plan, replicas, null, request);
    failed.push(...trained.failed);
    if (trained.end === 'interrupted') return { end: 'interrupted', folders, failed };
  }
  const trained = await trainHalves(halves, request);
  return { end: trained.end, folders, failed: [...failed, ...trained.failed] };
}

/** How many of the seeds to train together, and lines for people on what it takes. */
function replicasAtOnce(
  cost: PlannedCost,
  seeds: readonly number[],
  request: RunRequest,
): { together: number; notes: string[] } {
  if (seeds.length === 0) return { together: 0, notes: [] };
  const available = request.memory?.() ?? availableMemory();
  if (seeds.length === 1) return { together: 1, notes: [describeCost(cost)] };
  const { replicas, reason } = replicaLimit(cost, available);
  const together = Math.min(replicas, seeds.length);
  const all = together === seeds.length;
  const note = `training ${together}${all ? '' : ` of ${seeds.length}`} seeds together${all ? '' : ` (${reason})`}`;
  return { together, notes: [describeCost(cost), note] };
}
