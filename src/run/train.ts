import { performance } from 'node:perf_hooks';
import { BusyError } from '../../data/errors.js';
import { nodeEnvironment, type Environment } from '../store/environment.js';
import { checkpointSteps, type Checkpoint } from './checkpoint.js';
import { discardRun, removeIfEmpty } from './discard.js';
import { finishRun } from './finish.js';
import type { RunPlan } from './plan.js';
import type { BusyRun, FailedRun, RunRequest } from './request.js';
import { unreachedStops } from './stage-ends.js';
import { TrainingSession, type Replica, type SessionEnd } from './session.js';

/** How the replicas of one session ended. */
export interface TrainingEnd {
  readonly end: SessionEnd;
  /** Replicas that failed while others went on. */
  readonly failed: readonly FailedRun[];
  /** Those that are another process's by now, and those that were stopped with them. */
  readonly busy: readonly BusyRun[];
}

/**
 * Trains replicas together and brings their folders to an end: complete with files for tables, interrupted, or failed. A folder
 * that is lost to another process ends the work on all of them; each can be gone on with from its last checkpoint.
 *
 * @param checkpoints of each replica to go on from, all at the same position; null to start from initial parameters.
 *   What is read of them is position, parameters and optimizer state: the replicas' tables are open already and may
 *   be those of other runs, such as new ones that take a later stage from another run's checkpoint.
 * @param begins whether the replicas begin here, be it from checkpoints of other runs
 * @throws UserError when every replica failed or a log cannot be written; the folders say so then, and are
 *   released
 */
export async function trainReplicas(
  ...[plan, replicas, ...rest]: Parameters<typeof trainToEnd>
): Promise<TrainingEnd> {
  try {
    return { ...(await trainToEnd(plan, replicas, ...rest)), busy: [] };
  } catch (error) {
    if (!(error instanceof BusyError)) throw error;
    const busy = replicas.map(({ folder }) => ({ folder: folder.path, reason: error.message }));
    return { end: 'complete', failed: [], busy };
  }
}

async function trainToEnd(
  plan: RunPlan,
  replicas: readonly Replica[],
  checkpoints: readonly Checkpoint[] | null,
  request: Pick<RunRequest, 'environment' | 'signal' | 'onProgress' | 'onMessage'>,
  begins: boolean = checkpoints === null,
): Promise<Omit<TrainingEnd, 'busy'>> {
  const environment = request.environment ?? nodeEnvironment;
  const session = new TrainingSession(plan, replicas, {
    signal: request.signal,
    onProgress: request.onProgress,
    time: () => environment.now().getTime(),
    elapsed: () => performance.now(),
  });
  const failed: FailedRun[] = [];
  try {
    const end = await session.run(checkpoints, begins);
    for (const replica of session.survivors) await endOf(replica, end, environment);
    if (end === 'complete') {
      replicas.forEach(({ folder }, i) => {
        for (const text of unreachedStops(plan.configs[i]!, folder.info))
          request.onMessage(`${folder.path}: ${text}`);
      });
    }
    return { end, failed };
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    for (const replica of session.survivors) abandon(replica, reason, environment);
    throw error;
  } finally {
    const survivors = new Set(session.survivors);
    for (const replica of replicas) {
      const { failure } = replica.folder.info;
      if (survivors.has(replica) || failure === null) continue;
      failed.push({ folder: replica.folder.path, reason: failure });
      try {
        await replica.tables.finalize();
      } finally {
        replica.folder.release();
      }
    }
  }
}

async function endOf({ folder, tables }: Replica, end: SessionEnd, environment: Environment): Promise<void> {
  const time = environment.now().getTime();
  if (end === 'complete') {
    await finishRun(folder, tables, folder.info.stepsTotal, time);
    return;
  }
  tables.event(folder.info.stepsDone, 'interrupt', 'stopped on request', time);
  tables.close();
  folder.end('interrupted');
}

/**
 * Ends a run for a reason outside it, such as a full disk; its streams stay as they are, readable up to their last
 * batch, and it can be resumed. A run that was not trained yet is removed. One whose folder another process has taken,
 * or somebody has removed, is left alone.
 */
function abandon({ folder, tables }: Replica, reason: string, { fs }: Environment): void {
  try {
    if (!folder.isStillOurs()) {
      tables.abandon();
      folder.release();
      return;
    }
    if (checkpointSteps(folder.path).length === 0) {
      tables.abandon();
      discardRun(folder.path, fs);
      folder.release();
      removeIfEmpty(folder.path);
      return;
    }
    tables.close();
  } catch {
    // The reason is the one that is reported; what could not be flushed is lost, what was written is not.
  }
  try {
    // A run that ended before is complete, or failed, and stays so.
    if (folder.info.status === 'running') folder.end('interrupted', reason);
  } catch {
    folder.release();
  }
}
