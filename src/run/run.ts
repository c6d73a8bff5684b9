import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { UserError } from '../../data/errors.js';
import { nodeEnvironment, type Environment } from '../store/environment.js';
import { configPath, readConfig, readRunInfo, RunFolder } from '../store/run-folder.js';
import { effectiveStatus, runInfoPath, type RunInfo } from '../store/run-info.js';
import { streamPath } from '../store/table-paths.js';
import type { Engine } from '../train/engine/load.js';
import { loadConfig } from '../config/load.js';
import { checkpointSteps, readCheckpoint, type Checkpoint } from './checkpoint.js';
import { runSchema, type RunConfig } from './config.js';
import { describeRun, dimensionsOf, metadataOf } from './description.js';
import { RunTables } from './log/run-tables.js';
import { replicaLimit } from './memory.js';
import { checkedCost, planRun, type RunPlan } from './plan.js';
import { writeExamples } from './step-rows.js';
import { Session, type Progress, type Replica, type SessionEnd } from './session.js';
import { settingsWithLittleEffect } from './without-effect.js';

/** What the command line, or whoever starts runs, gives beside the config. */
export interface RunRequest {
  /** Folder that holds `<experiment>/<run>`. */
  readonly root: string;
  readonly engine: Engine;
  /** The command line that reproduces the runs. */
  readonly command: readonly string[];
  readonly signal: AbortSignal;
  readonly onProgress: (progress: Progress) => void;
  /** One line for people. */
  readonly onMessage: (message: string) => void;
  readonly existing: ExistingRuns;
  /** Versions of the program and what it runs on, for provenance. */
  readonly versions: Readonly<Record<string, string>>;
  readonly environment?: Environment;
}

/**
 * What becomes of runs that are there already and not complete, or have another config: stop with an error, replace
 * them, or go on with those that were interrupted.
 */
export type ExistingRuns = 'refuse' | 'overwrite' | 'resume';

/** How a set of runs ended. */
export interface RunsEnd {
  readonly end: SessionEnd;
  /** Folders of all runs asked for, in the order of the seeds. */
  readonly folders: readonly string[];
  /** Folders of runs that failed, with the reason. */
  readonly failed: readonly { readonly folder: string; readonly reason: string }[];
}

/** Name of a run's folder inside its experiment's folder. */
export function runId(config: RunConfig, seed: number): string {
  return `${config.name}-seed${seed}`;
}

/**
 * Trains one run for each seed, as many together as memory allows. Runs that are there already and complete are left
 * alone. Throws a UserError when a folder holds another run, or one that did not end, unless `existing` says what to do.
 */
export async function startRuns(
  config: RunConfig,
  resolved: string,
  seeds: readonly number[],
  request: RunRequest,
): Promise<RunsEnd> {
  const cost = checkedCost(config);
  const folderOf = (seed: number): string => path.join(request.root, config.experiment, runId(config, seed));
  const failed: { folder: string; reason: string }[] = [];
  const folders = seeds.map(folderOf);
  if (request.existing === 'resume') {
    for (const folder of folders) {
      if (!isInterrupted(folder, resolved, request)) continue;
      const resumed = await resumeRuns(folder, request);
      failed.push(...resumed.failed);
      if (resumed.end === 'interrupted') return { end: 'interrupted', folders, failed };
    }
  }
  const missing = seeds.filter((seed) => !isDone(folderOf(seed), resolved, request));
  const done = seeds.length - missing.length;
  if (done > 0)
    request.onMessage(`${done} of ${seeds.length} runs are complete already and are left as they are`);
  if (missing.length > 0) {
    for (const line of settingsWithLittleEffect(config, cost)) request.onMessage(line);
  }
  let rest = missing;
  while (rest.length > 0) {
    const count = batchSize(config, rest, request);
    const now = rest.slice(0, count);
    rest = rest.slice(count);
    const plan = planRun(config, now);
    const siblings = now.map((seed) => runId(config, seed));
    const replicas = now.map((seed, i) => createReplica(plan, i, seed, resolved, siblings, request));
    const end = await train(plan, replicas, null, request, failed);
    if (end === 'interrupted') return { end, folders, failed };
  }
  return { end: 'complete', folders, failed };
}

/**
 * Goes on with an interrupted run, together with those it trained with, from their last common checkpoint: the
 * weights come out the same, bit for bit, as without the interruption. Throws a UserError when there is nothing to
 * resume.
 */
export async function resumeRuns(folder: string, request: RunRequest): Promise<RunsEnd> {
  const info = readRunInfo(folder);
  if (info.status === 'complete')
    throw new UserError(`${folder}: the run is complete; there is nothing to resume`);
  const parent = path.dirname(path.resolve(folder));
  const open = info.siblings
    .map((sibling) => path.join(parent, sibling))
    .filter((sibling) => obstacle(sibling) === null);
  if (open.length === 0) throw new UserError(`${folder}: cannot be resumed (${obstacle(folder)})`);
  const { config } = loadConfig(configPath(open[0]!), runSchema);
  for (const other of open.slice(1)) {
    if (readConfig(other) !== readConfig(open[0]!)) {
      throw new UserError(`${other}: its config differs from that of ${open[0]}; resume them one by one`);
    }
  }
  const seeds = open.map((own) => readRunInfo(own).seed);
  const plan = planRun(config, seeds);
  const step = lastCommonStep(open);
  if (open.length > 1)
    request.onMessage(`resuming ${open.length} runs that train together, from step ${step}`);
  const folders = open.map((own) => RunFolder.resume(own, request.environment));
  const failed: { folder: string; reason: string }[] = [];
  const checkpoints = open.map((own) => readCheckpoint(own, step));
  const replicas = folders.map((own, i): Replica => {
    checkData(own.info, plan.data[i]!.hash);
    const tables = new RunTables(
      own.path,
      config.log.tier,
      dimensionsOf(plan),
      metadataOf(plan, i, request),
      checkpoints[i]!.tables,
      request.environment?.fs,
    );
    tables.event(step, 'resume', `resumed from step ${step}`, Date.now());
    return { seed: seeds[i]!, folder: own, tables };
  });
  const end = await train(plan, replicas, checkpoints, request, failed);
  return { end, folders: open, failed };
}

/** Whether a run is there and complete. Throws a UserError when something else is in its place. */
function isDone(
  folder: string,
  resolved: string,
  { existing, environment = nodeEnvironment }: RunRequest,
): boolean {
  if (!fs.existsSync(runInfoPath(folder))) return false;
  const info = readRunInfo(folder);
  const { status, label } = effectiveStatus(info, environment.processes);
  if (status === 'running') {
    throw new UserError(`${folder}: is being written by process ${info.process.pid} on ${info.process.host}`);
  }
  if (existing === 'overwrite') {
    fs.rmSync(folder, { recursive: true });
    return false;
  }
  const same = readConfig(folder) === resolved;
  if (status === 'complete' && same) return true;
  if (!same) {
    throw new UserError(
      `${folder}: holds a run of another config; give --set name=..., another --out, or --existing overwrite`,
    );
  }
  throw new UserError(
    `${folder}: holds a run that is ${label}; continue it with --existing resume, or replace it with --existing overwrite`,
  );
}

/** Whether a folder holds a run of the same config that can be gone on with. */
function isInterrupted(
  folder: string,
  resolved: string,
  { environment = nodeEnvironment }: RunRequest,
): boolean {
  if (!fs.existsSync(runInfoPath(folder)) || obstacle(folder) !== null) return false;
  const { status } = effectiveStatus(readRunInfo(folder), environment.processes);
  return status === 'interrupted' && readConfig(folder) === resolved;
}

function batchSize(config: RunConfig, seeds: readonly number[], request: RunRequest): number {
  if (seeds.length === 1) return 1;
  const probe = planRun(config, seeds.slice(0, 1));
  const examples = Math.max(...config.stages.map((stage) => stage.batchSize));
  const { replicas, reason } = replicaLimit(probe.model, examples, os.freemem());
  const count = Math.min(replicas, seeds.length);
  request.onMessage(
    count === seeds.length
      ? `training ${count} seeds together`
      : `training ${count} of ${seeds.length} seeds together (${reason})`,
  );
  return count;
}

function createReplica(
  plan: RunPlan,
  replica: number,
  seed: number,
  resolved: string,
  siblings: readonly string[],
  request: RunRequest,
): Replica {
  const { config } = plan;
  const folder = RunFolder.create(
    path.join(request.root, config.experiment, runId(config, seed)),
    describeRun(plan, replica, siblings, request),
    resolved,
    request.environment,
  );
  const tables = new RunTables(
    folder.path,
    config.log.tier,
    dimensionsOf(plan),
    metadataOf(plan, replica, request),
    null,
    request.environment?.fs,
  );
  writeExamples(tables, plan.data[replica]!.examples());
  tables.event(0, 'start', `seed ${seed}, ${plan.totalSteps} steps`, Date.now());
  return { seed, folder, tables };
}

/** Trains replicas and brings their folders to an end. */
async function train(
  plan: RunPlan,
  replicas: readonly Replica[],
  checkpoints: readonly Checkpoint[] | null,
  request: RunRequest,
  failed: { folder: string; reason: string }[],
): Promise<SessionEnd> {
  const environment = request.environment ?? nodeEnvironment;
  const session = new Session(plan, replicas, {
    fileSystem: environment.fs,
    signal: request.signal,
    onProgress: request.onProgress,
    now: Date.now,
  });
  try {
    const end = await session.run(checkpoints);
    for (const replica of session.survivors) await finish(replica, end, plan.totalSteps);
    return end;
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    for (const replica of session.survivors) abandon(replica, reason);
    throw error;
  } finally {
    const survivors = new Set(session.survivors);
    for (const replica of replicas) {
      const { failure } = replica.folder.info;
      if (survivors.has(replica) || failure === null) continue;
      failed.push({ folder: replica.folder.path, reason: failure });
      await replica.tables.finalize();
    }
  }
}

async function finish({ folder, tables }: Replica, end: SessionEnd, steps: number): Promise<void> {
  if (end === 'interrupted') {
    tables.event(folder.info.stepsDone, 'interrupt', 'stopped on request', Date.now());
    tables.close();
    folder.end('interrupted');
    return;
  }
  tables.event(steps, 'end', 'all stages are done', Date.now());
  tables.close();
  await tables.finalize();
  folder.update({ stepsDone: steps });
  folder.end('complete');
}

/**
 * Ends a run for a reason outside it, such as a full disk; its streams stay as they are, readable up to their last
 * batch, and it can be resumed.
 */
function abandon({ folder, tables }: Replica, reason: string): void {
  try {
    tables.close();
  } catch {
    // The reason is the one that is reported; what could not be flushed is lost, what was written is not.
  }
  try {
    folder.end('interrupted', reason);
  } catch {
    folder.release();
  }
}

/** Why a run cannot be gone on with, or null when it can. */
function obstacle(folder: string): string | null {
  if (!fs.existsSync(runInfoPath(folder))) return 'it is gone';
  const { status, failure } = readRunInfo(folder);
  if (status === 'complete') return 'it is complete';
  if (status === 'failed') return failure ?? status;
  if (checkpointSteps(folder).length === 0) return 'it ended before its first checkpoint';
  return fs.existsSync(streamPath(folder, 'steps')) ? null : 'its tables were made files, by recover';
}

/** Last step at which all runs have a checkpoint: they died while writing theirs one after the other. */
function lastCommonStep(folders: readonly string[]): number {
  const steps = folders.map((folder) => new Set(checkpointSteps(folder)));
  const common = [...steps[0]!].filter((step) => steps.every((own) => own.has(step)));
  const last = common.at(-1);
  if (last === undefined)
    throw new UserError(`${folders[0]}: the runs that trained together have no common checkpoint`);
  return last;
}

function checkData(info: RunInfo, hash: string): void {
  if (info.dataHash !== hash) {
    throw new UserError(
      `seed ${info.seed}: the data built now differ from those of the run (another version?)`,
    );
  }
}
