import { spawnSync } from 'node:child_process';
import { setTimeout } from 'node:timers/promises';
import { systemMessage } from '../../store/system-error.js';
import { exitCodes } from '../exit-codes.js';

/** What a task of Slurm needs to be queued again. */
export interface RequeueContext {
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Runs a program and waits for it; null when it is done, else why not. */
  readonly run: (program: string, ...args: readonly string[]) => string | null;
  readonly tell: (text: string) => void;
}

/** Times that a task may be started again when it does not say how often. */
const usualRestarts = 100;

/** Time for those who hold a run to come along, ms. */
const busyPause = 15_000;

/** The id by which Slurm knows this task; null outside of it. */
function taskId(environment: RequeueContext['environment']): string | null {
  const { SLURM_ARRAY_JOB_ID: array, SLURM_ARRAY_TASK_ID: element, SLURM_JOB_ID: job } = environment;
  // The last element's own id is the array's: by it Slurm would queue all elements again.
  return array === undefined || element === undefined ? (job ?? null) : `${array}_${element}`;
}

/**
 * Asks Slurm to queue this task again after exit code 75, as long as it was not started more than `most` times. Does nothing
 * after another exit code: a job that was cancelled stays so.
 */
export function requeueTask(code: number, most: number, { environment, run, tell }: RequeueContext): void {
  const id = taskId(environment);
  if (code !== exitCodes.again || id === null) return;
  const restarts = Number(environment['SLURM_RESTART_COUNT'] ?? 0);
  if (restarts >= most) {
    tell(`gradscope: task ${id} was started again ${restarts} times, and is not queued once more`);
    return;
  }
  const problem = run('scontrol', 'requeue', id);
  tell(
    problem === null
      ? `gradscope: task ${id} is queued again`
      : `gradscope: task ${id} cannot be queued again (${problem}); docs/cluster.md has a script that does it`,
  );
}

/**
 * {@link requeueTask} at the end of this process, whatever ends it: a task may be told that its time is up before it has
 * begun. Slurm has noted it before the process is gone, so that the end does not count as one of the job.
 */
export function requeueAtExit(most: number | true, tell: (text: string) => void): void {
  process.once('exit', (code) =>
    requeueTask(Number(process.exitCode ?? code), most === true ? usualRestarts : most, {
      environment: process.env,
      run: runAndWait,
      tell,
    }),
  );
}

/** Keeps a task that others stand in the way of from coming again at once. A signal ends the process meanwhile. */
export const pauseForOthers = (): Promise<void> => setTimeout(busyPause);

function runAndWait(program: string, ...args: readonly string[]): string | null {
  const { error, status, stderr } = spawnSync(program, args, { encoding: 'utf8', timeout: 60_000 });
  if (error !== undefined) return systemMessage(error);
  return status === 0 ? null : stderr.trim() || `exit code ${status}`;
}
