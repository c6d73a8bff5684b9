import { spawn, type ChildProcess } from 'node:child_process';
import { setTimeout } from 'node:timers/promises';
import { checkpointSteps } from '../../src/run/checkpoint.js';
import { testEngine } from '../train/support/engine.js';

/** How a child process ended. */
export interface Ended {
  /** Exit code; null when a signal ended it. */
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs the command line in a child process, with the engine of the test project unless `env` names another. */
export async function commandLine(
  args: readonly string[],
  options: {
    readonly env?: Readonly<Record<string, string>>;
    /** Kills the child once this resolves; the signal is aborted when the child ended by itself. */
    readonly killed?: (gone: AbortSignal, child: ChildProcess) => Promise<void>;
    /** What it is killed with; SIGKILL by default, null where `killed` sees to it. */
    readonly signal?: 'SIGKILL' | 'SIGINT' | null;
    /** A program that runs it, with its arguments. */
    readonly within?: readonly string[];
  } = {},
): Promise<Ended> {
  const line = [...(options.within ?? []), process.execPath, '--import', 'tsx', 'src/cli/main.ts', ...args];
  const child = spawn(line[0]!, line.slice(1), {
    env: { ...process.env, GRADSCOPE_ENGINE: testEngine, ...options.env },
    stdio: ['ignore', 'pipe', 'pipe'],
    // So that no child outlives a test that gave up on it.
    timeout: 110_000,
    killSignal: 'SIGKILL',
  });
  let [stdout, stderr] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  const gone = new AbortController();
  const ended = new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => {
      gone.abort();
      resolve(code);
    });
  });
  if (options.killed !== undefined) {
    await options.killed(gone.signal, child);
    if (options.signal !== null) child.kill(options.signal ?? 'SIGKILL');
  }
  return { code: await ended, stdout, stderr };
}

/** Runs the command line to a good end; with `killed`, kills it (SIGKILL) once that resolves. */
export async function gradscope(
  args: readonly string[],
  killed?: (gone: AbortSignal) => Promise<void>,
): Promise<void> {
  const { code, stderr } = await commandLine(args, killed === undefined ? {} : { killed });
  if (code !== (killed === undefined ? 0 : null)) throw new Error(`exit code ${code}: ${stderr}`);
}

/** Waits until a run has written the checkpoint of a step, or a later one, or is gone. */
export async function checkpointReached(folder: string, step: number, gone: AbortSignal): Promise<void> {
  while (!gone.aborted && (checkpointSteps(folder).at(-1) ?? -1) < step) await setTimeout(5);
}
