import { readFileSync } from 'node:fs';
import os from 'node:os';

/** Environment variables of a process. */
export type EnvironmentVariables = Readonly<Record<string, string | undefined>>;

/** What this process can ask of the machine that it runs on. */
export interface Machine {
  readonly variables: EnvironmentVariables;
  /** Processors that the system lets this process run on: an affinity mask counts, a share of their time does not. */
  readonly parallelism: () => number;
  /** Bytes that this process may come to hold beside those it holds, by the system and by a container's limit. */
  readonly availableMemory: () => number;
  /** Bytes that this process holds. */
  readonly residentMemory: () => number;
  /** Model of the processor; null where the system does not say. */
  readonly processor: () => string | null;
  /** Content of a small text file; null where there is none. */
  readonly read: (path: string) => string | null;
}

/** The machine that this process runs on. */
export const thisMachine: Machine = {
  variables: process.env,
  parallelism: () => os.availableParallelism(),
  availableMemory: () => process.availableMemory(),
  residentMemory: () => process.memoryUsage.rss(),
  processor: () => os.cpus()[0]?.model ?? null,
  read(path) {
    try {
      return readFileSync(path, 'utf8');
    } catch {
      return null;
    }
  },
};

/** A positive number of a variable; null where it is not set, or says something else (Slurm's 0 is "all there is"). */
export function numberOf(variables: EnvironmentVariables, name: string): number | null {
  const value = Number(variables[name] ?? NaN);
  return Number.isFinite(value) && value > 0 ? value : null;
}
