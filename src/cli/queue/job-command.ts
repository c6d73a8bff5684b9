import fs from 'node:fs';
import path from 'node:path';
import { shellCommand } from '../../../data/shell-word.js';
import type { QueuedJob } from '../../store/task-record.js';
import type { SweepFlags } from '../sweep/flags.js';

/** How the tasks of a sweep call this program: in words without anything of where it was called. */
export interface JobCall {
  /** Node and the file of the command line, absolute. */
  readonly program: readonly string[];
  /** Folder that paths in the sweep's values are relative to. */
  readonly folder: string;
  /** The sweep file, absolute. */
  readonly file: string;
  readonly flags: Pick<
    SweepFlags,
    'set' | 'seeds' | 'out' | 'existing' | 'engine' | 'threads' | 'probe' | 'pack' | 'mem' | 'steal'
  >;
}

/** The call by which this process was started, for a sweep file. */
export function callOfThisProcess(file: string, flags: SweepFlags): JobCall {
  return {
    // Not npx and not a link of npm's: a signal to the task is to reach Node itself.
    program: [process.execPath, fs.realpathSync(process.argv[1]!)],
    folder: process.cwd(),
    file: path.resolve(file),
    flags: { ...flags, out: path.resolve(flags.out) },
  };
}

/** Words of the command that does a job; those that are tasks lack their `--task`. */
export function jobWords({ program, file, flags }: JobCall, does: QueuedJob['does']): string[] {
  const { set, seeds, out, existing, engine, threads, probe, pack, mem, steal } = flags;
  const common = [
    ...program,
    'sweep',
    file,
    '--out',
    out,
    ...set.flatMap((override) => ['--set', override]),
    ...(seeds === undefined ? [] : ['--seeds', seeds.join(',')]),
  ];
  if (does === 'report') return [...common, '--report'];
  if (does === 'analyze') return [...common, '--analyze'];
  return [
    ...common,
    ...(does === 'probe' ? ['--probe', ...(typeof probe === 'string' ? [probe] : [])] : []),
    ...(does === 'train' && existing === 'overwrite' ? ['--existing', existing] : []),
    // The fallback would go on a hundred times slower, and one slow task among many is not seen.
    '--engine',
    engine === 'auto' ? 'native' : engine,
    ...(threads === undefined ? [] : ['--threads', `${threads.intraOp},${threads.interOp}`]),
    '--pack',
    String(pack ?? 'auto'),
    ...(typeof pack !== 'number' && mem !== undefined ? ['--mem', mem.text] : []),
    ...(steal === 'off' ? ['--steal', steal] : []),
  ];
}

/** A shell command for each of the tasks that a job is cut into, from any folder. */
export function taskCommands(call: JobCall, does: 'train' | 'probe', count: number): string[] {
  return Array.from({ length: count }, (_, i) =>
    commandIn(call, shellCommand([...jobWords(call, does), '--task', `${i}/${count}`])),
  );
}

/** A shell command that ends as the given one does, and gets its signals. */
export const commandIn = ({ folder }: JobCall, command: string): string =>
  `cd ${shellCommand([folder])} && exec ${command}`;
