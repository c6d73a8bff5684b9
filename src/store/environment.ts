import { randomUUID } from 'node:crypto';
import { readFileSync, readlinkSync } from 'node:fs';
import { hostname } from 'node:os';
import { performance } from 'node:perf_hooks';
import { setTimeout } from 'node:timers/promises';
import { describeJob } from '../machine/job.js';
import { nodeFileSystem, systemCode } from './file-system.js';
import type { FileSystem } from './file-system.js';
import { threadHeartbeat, type Heartbeat } from './heartbeat.js';

/** The processes of this machine. */
export interface Processes {
  /** Id of this process. */
  readonly pid: number;
  /** Name of this machine. */
  readonly host: string;
  /**
   * Which ids mean which processes: the PID namespace of this process (`pid:[4026531836]`), empty where the system has
   * none. Containers may share the host's name and yet see other processes.
   */
  readonly pidNamespace: string;
  /**
   * Text that stays the same while a process lives and differs for a later one of the same id; null = none lives. On
   * Linux the id of the boot, a blank, and the start time in clock ticks.
   */
  readonly birth: (pid: number) => string | null;
}

/** What a run folder needs of the world. */
export interface Environment {
  readonly fs: FileSystem;
  readonly processes: Processes;
  readonly now: () => Date;
  /** Time in ms from an arbitrary start; it never goes back, and no other process has the same. */
  readonly elapsed: () => number;
  readonly sleep: (ms: number) => Promise<void>;
  /** A random text that no other call gives. */
  readonly token: () => string;
  readonly heartbeat: Heartbeat;
  /** The job of a scheduler that this process is part of, for people; null outside of one. */
  readonly job: string | null;
}

/** Format fact: /proc/<pid>/stat holds the name in parentheses, then state, and 20 fields on the start time. */
const stateField = 0;
const startField = 19;

function birth(pid: number): string | null {
  if (process.platform === 'linux') {
    const stat = textOf(`/proc/${pid}/stat`);
    if (stat === null) return null;
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    // A zombie has ended; only its parent has not noticed yet.
    if (fields[stateField] === 'Z' || fields[stateField] === 'X') return null;
    return `${textOf('/proc/sys/kernel/random/boot_id')?.trim()} ${fields[startField]}`;
  }
  try {
    process.kill(pid, 0);
    return 'alive';
  } catch (error) {
    return systemCode(error) === 'EPERM' ? 'alive' : null;
  }
}

function pidNamespace(): string {
  try {
    return readlinkSync('/proc/self/ns/pid');
  } catch {
    return '';
  }
}

function textOf(path: string): string | null {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return null;
  }
}

/** This machine, this process, its clocks. */
export const nodeEnvironment: Environment = {
  fs: nodeFileSystem,
  processes: { pid: process.pid, host: hostname(), pidNamespace: pidNamespace(), birth },
  now: () => new Date(),
  elapsed: () => performance.now(),
  sleep: (ms) => setTimeout(ms),
  token: () => randomUUID(),
  heartbeat: threadHeartbeat(),
  job: describeJob(),
};
