import { nodeEnvironment } from '../store/environment.js';
import { RunFolder } from '../store/run-folder.js';
import { exchangedSuffix } from '../store/run-info.js';
import type { Checkpoint } from './checkpoint.js';
import { describeRun, dimensionsOf, metadataOf } from './description.js';
import { discardRun, removeIfEmpty } from './discard.js';
import { RunTables } from './log/run-tables.js';
import { startStep, type RunPlan } from './plan.js';
import { mayEndEarly, totalSteps } from './stage-ends.js';
import { describeProcess } from './provenance.js';
import { runId, type RunRequest } from './request.js';
import type { Replica } from './session.js';
import { writeExamples } from './step-rows.js';

/**
 * Makes the run folders of a plan's runs, with empty tables: all of them, or, when one cannot be made, none.
 *
 * @param folders of the replicas, in their order
 * @param resolved content of config.yaml of each
 * @throws UserError when a folder cannot be made or holds a run
 */
export function createReplicas(
  plan: RunPlan,
  folders: readonly string[],
  resolved: readonly string[],
  request: RunRequest,
): Replica[] {
  // Not the folders' names, which people may have changed.
  const suffix = plan.exchangesTags ? exchangedSuffix : '';
  const names = plan.seeds.map((seed, i) => `${runId(plan.configs[i]!.name, seed)}${suffix}`);
  const siblings = { group: crypto.randomUUID(), names };
  const made: Replica[] = [];
  try {
    for (const [replica, folder] of folders.entries())
      made.push(createReplica(plan, replica, folder, resolved[replica]!, siblings, request));
    return made;
  } catch (error) {
    undoCreation(made, request);
    throw error;
  }
}

/** Removes runs that {@link createReplicas} has made and that were not trained. */
function undoCreation(replicas: readonly Replica[], { environment = nodeEnvironment }: RunRequest): void {
  for (const { folder, tables } of replicas) {
    try {
      tables.abandon();
      discardRun(folder.path, environment.fs);
      folder.release();
      removeIfEmpty(folder.path);
    } catch {
      // What stands in the way here stood in the way of the start, whose error is the one to report.
    }
  }
}

function createReplica(
  plan: RunPlan,
  replica: number,
  path: string,
  resolved: string,
  siblings: { readonly group: string; readonly names: readonly string[] },
  request: RunRequest,
): Replica {
  const { environment = nodeEnvironment } = request;
  const seed = plan.seeds[replica]!;
  const folder = RunFolder.create(path, describeRun(plan, replica, siblings, request), resolved, environment);
  try {
    const tables = openTables(plan, replica, folder, null, request);
    writeExamples(tables, plan.data[replica]!.examples());
    const words = `${startWords(plan, replica)}; ${describeProcess(request, environment)}`;
    tables.event(startStep(plan, replica), 'start', words, environment.now().getTime());
    return { seed, folder, tables };
  } catch (error) {
    discardRun(path, environment.fs);
    folder.release();
    removeIfEmpty(path);
    throw error;
  }
}

function startWords(plan: RunPlan, replica: number): string {
  const { configs, seeds, stages, ends, exchangesTags } = plan;
  const seed = seeds[replica]!;
  const atMost = configs[replica]!.stages.some(mayEndEarly) ? 'at most ' : '';
  const total = `${atMost}${totalSteps(stages, ends[replica]!)}`;
  return exchangesTags
    ? `seed ${seed}, tags exchanged, from step ${startStep(plan, replica)} of ${runId(configs[replica]!.name, seed)} to ${total}`
    : `seed ${seed}, ${total} steps`;
}

/** The tables of a replica: new ones, or those of its run, cut back to where they were at a checkpoint. */
export function openTables(
  plan: RunPlan,
  replica: number,
  folder: RunFolder,
  checkpoint: Checkpoint | null,
  request: Pick<RunRequest, 'engine'>,
): RunTables {
  return new RunTables(
    folder.path,
    plan.config.log.tier,
    dimensionsOf(plan),
    metadataOf(plan, replica, request),
    checkpoint?.tables ?? null,
    folder.fs,
  );
}
