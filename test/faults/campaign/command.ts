import { spawn } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import type { FaultKind } from './fault-kinds.mjs';

const projectRoot = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../../..');
/** The built command line. */
export const mainFile = path.join(projectRoot, 'dist/src/cli/main.js');
/** Folder of the reviewed experiment files. */
export const configs = path.join(projectRoot, 'configs');
const injector = path.join(projectRoot, 'test/faults/campaign/fault-injector.mjs');

/** What goes wrong at which call of the file system. */
export interface Fault {
  readonly kind: FaultKind;
  /** Number of the call, from 1, among those that the kind can happen to. */
  readonly at: number;
  /** Whether all later calls fail as well. */
  readonly persistent: boolean;
}

/** How a command ended. */
export interface Ended {
  /** Exit code; null when a signal ended it. */
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
  readonly seconds: number;
  /** Whether it was still going after the time it had. */
  readonly timedOut: boolean;
  /** `operation path` of the call where the fault happened; null where there was none. */
  readonly fired: string | null;
}

export interface CommandOptions {
  /** Working directory; the fault happens to calls on paths in `runs` below it. */
  readonly cwd: string;
  readonly fault?: Fault;
  /** File that gets a line for every call of the file system. */
  readonly log?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Seconds until it is killed. */
  readonly limit?: number;
  readonly input?: string;
}

/** Runs the built command line in a child process; WASM unless `env` says otherwise: it loads fastest. */
export async function command(args: readonly string[], options: CommandOptions): Promise<Ended> {
  const { cwd, fault, log, limit = 60 } = options;
  const fired = path.join(cwd, 'fault-happened');
  fs.rmSync(fired, { force: true });
  const order = { folder: path.join(cwd, 'runs'), ...fault, log, fired };
  const imports = fault === undefined && log === undefined ? [] : ['--import', injector];
  const started = performance.now();
  const child = spawn(process.execPath, [...imports, mainFile, ...args], {
    cwd,
    env: {
      ...process.env,
      GRADSCOPE_ENGINE: 'wasm',
      NO_COLOR: '1',
      GRADSCOPE_FAULT: JSON.stringify(order),
      ...options.env,
    },
    stdio: [options.input === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'],
  });
  if (options.input !== undefined) child.stdin?.end(options.input);
  const [stdout, stderr] = [child.stdout, child.stderr].map((stream) => {
    const chunks: Buffer[] = [];
    stream?.on('data', (chunk: Buffer) => chunks.push(chunk));
    return chunks;
  });
  let timedOut = false;
  const timer = setTimeout(() => {
    timedOut = true;
    child.kill('SIGKILL');
  }, limit * 1000);
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  clearTimeout(timer);
  return {
    code,
    stdout: Buffer.concat(stdout ?? []).toString(),
    stderr: Buffer.concat(stderr ?? []).toString(),
    seconds: (performance.now() - started) / 1000,
    timedOut,
    fired: fs.existsSync(fired) ? fs.readFileSync(fired, 'utf8').trim() : null,
  };
}

const stack = /^\s+at .+(?::\d+:\d+\)?|\(native\)|<anonymous>\)?)$|Node\.js v\d|FATAL ERROR/m;

/** Whether a text holds the stack of an error. */
export function holdsStack(text: string): boolean {
  return stack.test(text);
}

/** Problems of the words of a command that ended: a stack, or a failure that is not told in one last line. */
export function problemsOfWords({ code, stdout, stderr, timedOut, seconds }: Ended): string[] {
  if (timedOut) return [`hung: killed after ${seconds.toFixed(0)} s`];
  if (holdsStack(stdout + stderr)) {
    const line = stderr.split('\n').find((text) => /^(?:\w+: )?\w*Error\b/.test(text));
    return [`stack: ${line ?? lastLine(stderr)}`];
  }
  if (code === 0 || code === null) return [];
  const lines = stderr.trimEnd().split('\n');
  // What is left out of several is told where it happens, and the work goes on.
  if (lines.some((line) => line.startsWith('left out: '))) return [];
  const told = lines.findLastIndex((line) => line.startsWith('gradscope: '));
  // A config tells every problem in a line of its own, which begins with its place.
  const rest = lines.slice(told + 1).filter((line) => !/^(?:\S+\.yaml\b|--set )/.test(line));
  if (told < 0 || rest.length > 0) {
    return [`exit code ${code}, and the last line is no error: ${JSON.stringify(lastLine(stderr))}`];
  }
  if (/unknown (?:system )?error/i.test(lastLine(stderr)))
    return [`an error without a name: ${lastLine(stderr)}`];
  return [];
}

export function lastLine(text: string): string {
  return text.trimEnd().split('\n').at(-1) ?? '';
}
