import { UserError } from '../../data/errors.js';
import { availableMemory } from '../machine/memory.js';
import { nodeEnvironment } from '../store/environment.js';
import { settleLocks } from '../store/settle-locks.js';
import { requireTemporaryFolder } from '../train/engine/compiled.js';
import { claim, stillBusy } from './claim.js';
import type { RunConfig } from './config.js';
import { halfFolderOf } from './exchange-origin.js';
import { describeCost, replicaLimit, requireMemory } from './memory.js';
import { checkedCost, planRuns, type PlannedRun } from './plan.js';
import type { PlannedCost } from './planned-cost.js';
import { pretrainedFor } from './pretraining.js';
import { createReplicas } from './replica.js';
import { runFolderOf, type BusyRun, type FailedRun, type RunRequest, type RunsEnd } from './request.js';
import { resumeAll } from './resume.js';
import { sameShapes } from './same-shapes.js';
import { trainHalves, verdictsOnHalves } from './tag-exchange.js';
import { trainReplicas } from './train.js';
import { clear, verdictOn, type FolderVerdict } from './verdict.js';
import { settingsWithLittleEffect } from './without-effect.js';

/** A run to start. */
export interface WantedRun extends PlannedRun {
  /** The config as text, the config.yaml of the run. */
  readonly resolved: string;
}

/**
 * Trains one run for each seed, as many together as memory allows: {@link startTogether} of one config.
 *
 * @param resolved the config as text, the config.yaml of the runs
 */
export function startRuns(
  config: RunConfig,
  resolved: string,
  seeds: readonly number[],
  request: RunRequest,
): Promise<RunsEnd> {
  return startTogether(
    seeds.map((seed) => ({ config, resolved, seed })),
    request,
  );
}

/**
 * Trains runs of one config or of several that {@link sameShapes} lets train as one computation, as many together as
 * memory allows. Each has a folder of its own, with its own config.yaml and hash, as if it had been started alone. Runs
 * that are there already and complete are left alone, and those that ended before their first update begin anew. With
 * `tagExchange` the exchanged half of every run that is complete then is trained behind all of them, under the same rules.
 *
 * @param runs each with another folder: no two of one name and seed
 * @returns folders in the order of the runs
 * @throws UserError when the configs have different shapes, when a folder holds another run, or one that did not end,
 *   unless `existing` says what to do, and when one run does not fit into memory; nothing is changed then
 */
export async function startTogether(runs: readonly WantedRun[], request: RunRequest): Promise<RunsEnd> {
  const configs = [...new Set(runs.map(({ config }) => config))];
  const difference = sameShapes(configs);
  if (difference !== null) throw new UserError(`runs cannot train as one computation: ${difference}`);
  const [cost] = configs.map(checkedCost);
  if (cost === undefined) throw new UserError('no seeds to run');
  const wanted = runs.map((run) => ({ ...run, folder: runFolderOf(request.root, run.config, run.seed) }));
  const folders = wanted.map(({ folder }) => folder);
  requireDistinct(folders);
  await settleRuns(wanted, request);
  const verdicts = new Map(wanted.map(({ folder, config }) => [folder, verdictOn(folder, config, request)]));
  const failed: FailedRun[] = [];
  const busy: BusyRun[] = [];
  const fresh = wanted.filter(({ folder }) => ['train', 'replace'].includes(verdicts.get(folder)!.kind));
  const halves = verdictsOnHalves(wanted, new Set(fresh.map(({ folder }) => folder)), request);
  for (const [folder, verdict] of verdicts) {
    if (verdict.kind === 'leave') failed.push({ folder, reason: verdict.reason });
    if (verdict.kind === 'busy') busy.push({ folder, reason: verdict.reason });
  }
  const of = (kind: FolderVerdict['kind']): string[] =>
    folders.filter((folder) => verdicts.get(folder)!.kind === kind);

  if (fresh.length > 0) {
    requireTemporaryFolder();
    requireMemory(cost, request.memory?.() ?? availableMemory());
  }
  const resumed = await resumeAll(of('resume'), request, folders);
  failed.push(...resumed.failed);
  busy.push(...resumed.busy);
  if (resumed.end === 'interrupted') return { end: 'interrupted', folders, failed, busy };
  const left = fresh.filter(({ folder }) => !resumed.took(folder));
  const { together, notes } = replicasAtOnce(
    cost,
    left.length,
    configs.length > 1 ? 'runs' : 'seeds',
    request,
  );
  const done = of('done').length;
  if (done > 0)
    request.onMessage(`${done} of ${runs.length} runs are complete already and are left as they are`);

  if (left.length > 0)
    notes.unshift(...new Set(configs.flatMap((config) => settingsWithLittleEffect(config, cost))));
  for (let next = 0; next < left.length; next += together) {
    const claimed = await claim(left.slice(next, next + together), request, async (now) => {
      const planned = planRuns(now);
      const pretrained = await pretrainedFor(planned.config, planned.model, request, startTogether);
      if (pretrained === 'interrupted') return pretrained;
      for (const { folder } of now) {
        const verdict = verdicts.get(folder)!;
        if (verdict.kind === 'replace') clear(folder, verdict, request);
      }
      const plan = { ...planned, pretrained };
      const replicas = createReplicas(
        plan,
        now.map(({ folder }) => folder),
        now.map(({ resolved }) => resolved),
        request,
      );
      return { plan, replicas };
    });
    busy.push(...claimed.busy);
    if (claimed.taken === 'interrupted') return { end: 'interrupted', folders, failed, busy };
    if (claimed.taken === null) continue;
    const { plan, replicas } = claimed.taken;
    // Not before there are folders: a start that is refused says why, and nothing else.
    for (const note of notes.splice(0)) request.onMessage(note);
    if (next > 0)
      request.onMessage(
        `training ${replicas.length} more of them, ${Math.max(0, left.length - next - together)} are left after these`,
      );
    const trained = await trainReplicas(plan, replicas, null, request);
    failed.push(...trained.failed);
    busy.push(...trained.busy);
    if (trained.end === 'interrupted') return { end: 'interrupted', folders, failed, busy };
  }
  const trained = await trainHalves(halves, request);
  return {
    end: trained.end,
    folders,
    failed: [...failed, ...trained.failed],
    busy: stillBusy([...busy, ...trained.busy], request.environment),
  };
}

/** Finds out of the locks of runs and their halves whether anybody is behind them. */
async function settleRuns(
  runs: readonly { readonly config: RunConfig; readonly folder: string }[],
  { environment = nodeEnvironment, onMessage }: RunRequest,
): Promise<void> {
  const halves = runs.flatMap(({ config, folder }) => (config.tagExchange ? [halfFolderOf(folder)] : []));
  await settleLocks([...runs.map(({ folder }) => folder), ...halves], environment, onMessage);
}

function requireDistinct(folders: readonly string[]): void {
  const twice = folders.find((folder, i) => folders.indexOf(folder) < i);
  if (twice !== undefined)
    throw new UserError(`${twice}: two of the runs have this folder; give their configs different names`);
}

/** How many of the runs to train together, and lines for people on what it takes. */
function replicasAtOnce(
  cost: PlannedCost,
  runs: number,
  what: 'runs' | 'seeds',
  request: RunRequest,
): { together: number; notes: string[] } {
  if (runs === 0) return { together: 0, notes: [] };
  const available = request.memory?.() ?? availableMemory();
  if (runs === 1) return { together: 1, notes: [describeCost(cost)] };
  const { replicas, reason } = replicaLimit(cost, available);
  const together = Math.min(replicas, runs);
  const all = together === runs;
  const note = `training ${together}${all ? '' : ` of ${runs}`} ${what} together${all ? '' : ` (${reason})`}`;
  return { together, notes: [describeCost(cost), note] };
}
