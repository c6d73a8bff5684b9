import { spawn } from 'node:child_process';
import { UserError } from '../../../data/errors.js';
import { systemCode } from '../../store/file-system.js';

/** How a program ended; null where there is none of its name. */
export type SlurmEnd = { readonly code: number; readonly out: string; readonly error: string } | null;

/** Runs a program of Slurm's. */
export type RunSlurm = (words: readonly string[], input?: string) => Promise<SlurmEnd>;

/** Variables that say which cluster, and who asks, and nothing of a job. */
const kept: ReadonlySet<string> = new Set(['SLURM_CONF', 'SLURM_CONF_SERVER', 'SLURM_JWT']);

/**
 * An environment for sbatch, without what a job around this process has set (`SLURM_CPU_BIND` of it binds the processes of every
 * job that is submitted from there) and without defaults of sbatch that are not in the script.
 */
export function submittingEnvironment(
  environment: Readonly<Record<string, string | undefined>>,
): Record<string, string | undefined> {
  const isOfJobs = (name: string): boolean => /^(?:SLURM|SBATCH)_/.test(name) && !kept.has(name);
  return Object.fromEntries(Object.entries(environment).filter(([name]) => !isOfJobs(name)));
}

/** Runs a program in an environment without a job's; its input is a text. */
export const runSlurm: RunSlurm = (words, input = '') =>
  new Promise((resolve, reject) => {
    const [program = '', ...args] = words;
    const child = spawn(program, args, { env: submittingEnvironment(process.env), stdio: 'pipe' });
    let [out, error] = ['', ''];
    child.stdout.setEncoding('utf8').on('data', (text: string) => (out += text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => (error += text));
    child.once('error', (problem) => (systemCode(problem) === 'ENOENT' ? resolve(null) : reject(problem)));
    child.once('close', (code) => resolve({ code: code ?? 1, out, error }));
    // A program that ends without reading it says why.
    child.stdin.on('error', () => {});
    child.stdin.end(input);
  });

/** Elements that an array may have where Slurm does not say. */
const usualArraySize = 1001;

/** `MaxArraySize` of the cluster: the largest index of an array is one less. */
export async function largestArray(run: RunSlurm): Promise<number> {
  const end = await run(['scontrol', 'show', 'config']);
  const size = Number(/^MaxArraySize\s*=\s*(\d+)/m.exec(end?.out ?? '')?.[1] ?? NaN);
  return Number.isInteger(size) && size > 1 ? size : usualArraySize;
}

/** Gives Slurm a script; the id of its job. Throws a UserError when it is refused. */
export async function submitScript(
  run: RunSlurm,
  script: string,
  options: readonly string[],
): Promise<string> {
  const end = await run(['sbatch', '--parsable', ...options], script);
  if (end === null)
    throw new UserError('sbatch is not on this machine; call this on a login node, or take --emit sbatch');
  const id = /^(\d+)(?:;.*)?$/m.exec(end.out)?.[1];
  if (end.code === 0 && id !== undefined) return id;
  throw problemOf('sbatch', end);
}

function problemOf(program: string, { code, error }: NonNullable<SlurmEnd>): UserError {
  // Slurm's programs put their own name before it.
  const last = error
    .trim()
    .split('\n')
    .at(-1)!
    .replace(/^\w+: (?:error: )?/, '');
  return new UserError(`${program}: ${last || `exit code ${code}`}`);
}

/** A job, or an element of an array, as Slurm has it. */
export interface QueueElement {
  /** `123_4`, or `123` of a job that is no array. */
  readonly id: string;
  readonly state: string;
  /** Why it waits: `Resources`, `JobHeldUser`, `launch failed requeued held`. */
  readonly reason: string;
  /** Where it runs; empty where it does not. */
  readonly nodes: string;
  /** Time it has run, as Slurm writes it. */
  readonly elapsed: string;
}

/** Jobs that are in the queue still; null where there is no Slurm. Throws a UserError when it does not answer. */
export async function queuedElements(run: RunSlurm, ids: readonly string[]): Promise<QueueElement[] | null> {
  if (ids.length === 0) return [];
  // An unknown id among several is passed over; where all are unknown, nothing is queued.
  const end = await run(['squeue', '-h', '-r', '-j', ids.join(','), '-o', '%i|%T|%N|%M|%r']);
  if (end === null) return null;
  if (end.code !== 0 && !/invalid job id/i.test(end.error)) throw problemOf('squeue', end);
  return end.out
    .split('\n')
    .filter((line) => line.includes('|'))
    .map((line) => {
      const [id = '', state = '', nodes = '', elapsed = '', ...reason] = line.split('|');
      return { id, state, nodes, elapsed, reason: reason.join('|') };
    });
}

/** Whether an element waits until somebody releases it, as after a node failed to start it. */
export const isHeldBack = ({ state, reason }: Pick<QueueElement, 'state' | 'reason'>): boolean =>
  state === 'SPECIAL_EXIT' || (state === 'PENDING' && /held/i.test(reason));
