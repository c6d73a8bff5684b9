import fs from 'node:fs';
import { BusyError, UserError } from '../../data/errors.js';
import { nodeEnvironment } from '../store/environment.js';
import { settleLocks } from '../store/settle-locks.js';
import { readConfig, readRunInfo, RunFolder } from '../store/run-folder.js';
import { exchangedSuffix, type RunInfo } from '../store/run-info.js';
import { filePath } from '../store/table-paths.js';
import { readFittingCheckpoint } from './checkpoint-fit.js';
import { checkpointSteps, removeCheckpoint, type Checkpoint } from './checkpoint.js';
import { lastCommonCheckpoint } from './common-checkpoint.js';
import { describeStages } from './description.js';
import { stillBusy } from './claim.js';
import { discardRun } from './discard.js';
import { finishTrained } from './finish.js';
import { folderState } from './folder-state.js';
import { lastFinalized, tablesOfTraining } from './log/run-tables.js';
import { endsAt } from './places.js';
import { planRuns, startStep, type RunPlan } from './plan.js';
import { pretrainedBeside } from './pretraining.js';
import { createReplicas, openTables } from './replica.js';
import { changedSince, describeProcess } from './provenance.js';
import { runId, type BusyRun, type FailedRun, type RunRequest, type RunsEnd } from './request.js';
import { readStoredConfig, requireSamePlan, type StoredConfig } from './run-config.js';
import type { Replica } from './session.js';
import { checkpointsOfOrigin } from './exchange-origin.js';
import { whyOtherEngine } from './same-engine.js';
import { sameShapes } from './same-shapes.js';
import { endsOf, totalSteps, type StageEnd } from './stage-ends.js';
import { siblingsOf, type SiblingRun } from './siblings.js';
import { trainReplicas, type TrainingEnd } from './train.js';

/** A run that goes on, with its own config. */
interface Member extends SiblingRun {
  readonly stored: StoredConfig;
}

/**
 * Goes on with an interrupted run, together with those it started with that lie beside it, from the last checkpoint that
 * all of them have and that can be read: the weights come out the same, bit for bit, as without the interruption. A
 * run that has done its last update is brought to its end; runs that ended before their first checkpoint begin anew. Siblings
 * that another process writes, or that have been brought to another step meanwhile, are left alone.
 *
 * @param among folders of the siblings that may be taken along; all of them by default
 * @throws UserError when there is nothing to resume, or when what the run began with is not there any more, BusyError when
 *   another process writes it; no run is changed then, and none is locked
 */
export async function resumeOne(
  folder: string,
  request: RunRequest,
  among: readonly string[] | null = null,
): Promise<RunsEnd> {
  const { environment = nodeEnvironment } = request;
  const mayGo = among ?? siblingsOf(folder).members.map((own) => own.folder);
  await settleLocks([folder, ...mayGo], environment, request.onMessage);
  requireResumable(folder, request);
  const stored = readStoredConfig(folder);
  const { members: found, isCopy } = membersOf(folder, stored, request, among);
  const wanted = planOf(found);
  found.forEach((member, replica) => requireSamePlan(member.folder, member.info, wanted, replica));

  const held: RunFolder[] = [];
  try {
    const members = found.filter((member) => takeFolder(member, folder, held, request));
    const plan = members.length === found.length ? wanted : planOf(members);
    const folders = members.map((member) => member.folder);
    if (isCopy) becomeAlone(held[0]!);
    const ended = isUntrained(folders, plan)
      ? await beginAnew(plan, held, request)
      : await goOn(members, held, request);
    return { ...ended, folders };
  } catch (error) {
    releaseAll(held, found);
    throw error;
  }
}

/** Takes the folder of a run, which then is among those held; a sibling that another process is faster to take is left. */
function takeFolder(
  { folder }: Member,
  first: string,
  held: RunFolder[],
  { environment = nodeEnvironment, onMessage }: RunRequest,
): boolean {
  try {
    held.push(RunFolder.resume(folder, environment));
    return true;
  } catch (error) {
    if (!(error instanceof BusyError) || folder === first) throw error;
    onMessage(`${first}: goes on without ${folder} (${error.message})`);
    return false;
  }
}

/**
 * Goes on with interrupted runs, one after the other: each takes its siblings along, those that were never trained
 * among them.
 *
 * @param among folders of the siblings that may be taken along: others are nobody's business here
 * @throws UserError as {@link resumeOne} does; runs that another process writes are left to it
 */
export async function resumeAll(
  folders: readonly string[],
  request: RunRequest,
  among: readonly string[],
): Promise<TrainingEnd & { readonly took: (folder: string) => boolean }> {
  const failed: FailedRun[] = [];
  const busy: BusyRun[] = [];
  const taken = new Set<string>();
  const took = (folder: string): boolean => fs.existsSync(folder) && taken.has(fs.realpathSync(folder));
  for (const folder of folders) {
    if (took(folder) || folderState(folder, request.environment).kind === 'complete') continue;
    const resumed = await resumeOrLeave(folder, request, among);
    failed.push(...resumed.failed);
    busy.push(...resumed.busy);
    if (resumed.end === 'interrupted') return { end: 'interrupted', failed, busy, took };
    for (const member of resumed.folders) taken.add(fs.realpathSync(member));
  }
  return { end: 'complete', failed, busy: stillBusy(busy, request.environment), took };
}

async function resumeOrLeave(
  folder: string,
  request: RunRequest,
  among: readonly string[],
): Promise<RunsEnd> {
  try {
    return await resumeOne(folder, request, among);
  } catch (error) {
    if (!(error instanceof BusyError)) throw error;
    return { end: 'complete', folders: [folder], failed: [], busy: [{ folder, reason: error.message }] };
  }
}

/** Gives a copy of a run a group of its own, so that it and its original are no siblings from here on. */
function becomeAlone(folder: RunFolder): void {
  const { siblings, name, seed } = folder.info;
  const id = runId(name, seed);
  const own = siblings.filter((sibling) => sibling === id || sibling === `${id}${exchangedSuffix}`);
  folder.update({ group: crypto.randomUUID(), siblings: own });
}

function requireResumable(folder: string, { environment, engine }: RunRequest): void {
  const state = folderState(folder, environment);
  switch (state.kind) {
    case 'absent':
      // Throws: says that there is no run.
      readRunInfo(folder);
      return;
    case 'complete':
      throw new UserError(`${folder}: the run is complete; there is nothing to resume`);
    case 'busy':
      throw new BusyError(state.reason, folder);
    case 'closed':
      throw new UserError(`${folder}: cannot be resumed (${state.reason})`);
    case 'untrained':
      return;
    case 'open':
      if (state.isAtStart || state.isTrained) return;
  }
  const reason = whyOtherEngine(state.info, engine);
  if (reason !== null) throw new UserError(`${folder}: cannot be resumed: ${reason}`);
}

/** The run and its siblings that can go on with it; people are told of the others. */
function membersOf(
  folder: string,
  stored: StoredConfig,
  { environment = nodeEnvironment, onMessage }: RunRequest,
  among: readonly string[] | null,
): { members: readonly Member[]; isCopy: boolean } {
  const { members, missing, isCopy } = siblingsOf(folder);
  const isAsked = oneOf(among);
  if (isCopy) onMessage(`${folder}: is a copy of a run beside it, and goes on by itself`);
  if (missing.length > 0)
    onMessage(`${folder}: goes on without siblings that are not beside it: ${missing.join(', ')}`);
  const found = members.flatMap((member): Member[] => {
    if (member.folder === folder) return [{ ...member, stored }];
    if (!isAsked(member.folder)) return [];
    const state = folderState(member.folder, environment);
    if (state.kind === 'complete' || state.kind === 'absent') return [];
    let own: StoredConfig | null = null;
    let reason: string | null = null;
    if (state.kind === 'busy' || state.kind === 'closed') reason = state.reason;
    else {
      own = readStoredConfig(member.folder);
      reason = whyApart(stored, own, member.info) ?? whyElsewhere(folder, member.folder, stored);
    }
    if (reason !== null) onMessage(`${folder}: goes on without ${member.folder} (${reason})`);
    return own === null || reason !== null ? [] : [{ ...member, stored: own }];
  });
  return { members: found, isCopy };
}

/** Whether a folder is one of those given, by whatever path; any is where none are given. */
function oneOf(folders: readonly string[] | null): (folder: string) => boolean {
  if (folders === null) return () => true;
  const real = new Set(folders.filter((own) => fs.existsSync(own)).map((own) => fs.realpathSync(own)));
  return (folder) => real.has(fs.realpathSync(folder));
}

/**
 * Why a run is not to go on together with one that it started with, or null. They trained apart meanwhile where they have none
 * of their last two checkpoints in common, of which a kill may have left one without the other: to go on in step would take
 * one of them far back. Where stages may end early, those that have ended one wait for the others at another step.
 */
function whyElsewhere(first: string, folder: string, { config }: StoredConfig): string | null {
  if (config.stages.some(({ stop }) => stop !== null)) return null;
  const [own, other] = [checkpointSteps(first), checkpointSteps(folder)];
  if (own.length <= 1 && other.length <= 1) return null;
  const recent = new Set(own.slice(-2));
  if (other.slice(-2).some((step) => recent.has(step))) return null;
  return `it is at step ${other.at(-1) ?? 0}, and this one at ${own.at(-1) ?? 0}`;
}

/** Why a run cannot go on together with one that it started with, or null. */
function whyApart(stored: StoredConfig, own: StoredConfig, { configHash }: RunInfo): string | null {
  // Runs of several configs may have started together; one whose config.yaml was changed since goes on with nobody.
  if (own.hash !== stored.hash && own.hash !== configHash) return 'its config is another';
  return sameShapes([stored.config, own.config]);
}

function planOf(members: readonly Member[]): RunPlan {
  return planRuns(
    members.map(({ info, stored }) => ({ config: stored.config, seed: info.seed, ends: endsOf(info) })),
    members[0]!.info.exchangeOf !== undefined,
  );
}

/** Whether runs died before all of them had their first checkpoint, which is taken before the first update. */
function isUntrained(folders: readonly string[], plan: RunPlan): boolean {
  const steps = folders.map((folder) => checkpointSteps(folder));
  const isAtStart = (own: readonly number[], replica: number): boolean =>
    own.every((step) => step === startStep(plan, replica));
  return steps.some((own) => own.length === 0) && steps.every(isAtStart);
}

/** Removes runs that were never trained, gives them back, and starts them again in their folders. */
async function beginAnew(plan: RunPlan, held: RunFolder[], request: RunRequest): Promise<TrainingEnd> {
  const { environment = nodeEnvironment, onMessage } = request;
  const folders = held.map((own) => own.path);
  onMessage(`${folders[0]}: ended before its first update; beginning anew`);
  const { command } = held[0]!.info;
  const configs = folders.map((folder) => readConfig(folder));
  const origins = plan.exchangesTags ? checkpointsOfOrigin(plan, folders) : null;
  const pretrained = origins === null ? pretrainedBeside(folders[0]!, plan.config, plan.model) : null;
  for (const own of held.splice(0)) {
    discardRun(own.path, environment.fs);
    own.release();
  }
  const started = { ...plan, pretrained };
  const replicas = createReplicas(started, folders, configs, { ...request, command });
  return trainReplicas(started, replicas, origins, request, true);
}

/** Finishes the runs that have done their last update and trains the others from their common checkpoint. */
async function goOn(
  members: readonly Member[],
  held: readonly RunFolder[],
  request: RunRequest,
): Promise<TrainingEnd> {
  const runs = members.map((member, i) => ({ member, folder: held[i]! }));
  const ending = runs.filter(({ member }) => isBecomingFiles(member.folder));
  const others = runs.filter((run) => !ending.includes(run));
  const finish = async (list: typeof runs): Promise<void> => {
    for (const { member, folder } of list) {
      const plan = planOf([member]);
      const { configHash, stepsTotal } = folder.info;
      const checkpoint = readFittingCheckpoint(plan, 0, folder.path, stepsTotal, configHash);
      request.onMessage(`${folder.path}: all its updates are done; finishing it`);
      await finishTrained(plan, 0, folder, checkpoint, request);
    }
  };
  await finish(ending);
  if (others.length === 0) return { end: 'complete', failed: [], busy: [] };

  const list = others.map(({ member }) => member);
  const plan = planOf(list);
  const { checkpoints, problems } = lastCommonCheckpoint(plan, list);
  const steps = checkpoints.map(({ position }) => position.step);
  const from = [...new Set(steps)].join(', ');
  for (const problem of problems) request.onMessage(`${problem}; going on from step ${from}`);
  const ends = checkpoints.map((own) => endsAt(own.position, plan.stages, own.ends));
  others.forEach(({ folder }, i) => takeBack(plan, i, folder, checkpoints[i]!, ends[i]!));
  if (ends.every((own) => own.length === plan.stages.length)) {
    await finish(others);
    return { end: 'complete', failed: [], busy: [] };
  }
  const together = list.length > 1 ? `${list.length} runs that train together` : list[0]!.folder;
  request.onMessage(`resuming ${together}, from step ${from}`);
  const { environment = nodeEnvironment } = request;
  // What lies behind is trained again; its checkpoints say lengths of tables that are cut now.
  others.forEach(({ folder }, i) => {
    for (const later of checkpointSteps(folder.path).filter((own) => own > steps[i]!))
      removeCheckpoint(folder.path, later, folder.fs);
  });
  const replicas: Replica[] = [];
  try {
    for (const [i, { member, folder }] of others.entries()) {
      const tables = openTables(plan, i, folder, checkpoints[i]!, request);
      replicas.push({ seed: member.info.seed, folder, tables });
      const now = environment.now().getTime();
      const step = steps[i]!;
      for (const problem of problems) tables.event(step, 'warning', problem, now);
      const process = describeProcess(request, environment);
      tables.event(step, 'resume', `resumed from step ${step}; ${process}`, now);
      for (const change of changedSince(member.info, request)) tables.event(step, 'warning', change, now);
    }
  } catch (error) {
    for (const { tables } of replicas) tables.abandon();
    throw error;
  }
  return trainReplicas(plan, replicas, checkpoints, request);
}

/** Lets `run.json` say of the stages what a checkpoint says, where they may end early: what lies behind it is void. */
function takeBack(
  plan: RunPlan,
  replica: number,
  folder: RunFolder,
  checkpoint: Checkpoint,
  ends: readonly StageEnd[],
): void {
  if (plan.stages.every(({ config }) => config.stop === null)) return;
  folder.update({
    stages: describeStages(plan, replica, ends),
    stepsTotal: totalSteps(plan.stages, ends),
    stepsDone: checkpoint.position.step,
  });
}

/** Whether a run was stopped while its tables became files: it cannot be trained, nor need it be. */
function isBecomingFiles(folder: string): boolean {
  return tablesOfTraining.some((name) => name !== lastFinalized && fs.existsSync(filePath(folder, name)));
}

/** Gives runs back that could not be resumed, as they were found. */
function releaseAll(held: readonly RunFolder[], members: readonly SiblingRun[]): void {
  for (const folder of held) {
    try {
      const before = members.find((member) => member.folder === folder.path)?.info.failure ?? undefined;
      if (folder.info.status !== 'running' || !folder.isStillOurs()) folder.release();
      else if (before === undefined) folder.end('interrupted');
      else folder.end('interrupted', before);
    } catch {
      // The first error is the one to report.
    }
  }
}
