import { z } from 'zod';
import type { Processes } from './environment.js';

/** A process that writes, or wrote, a run folder. */
export const processSchema = z.object({
  pid: z.int(),
  host: z.string(),
  /** {@link Processes.birth} of the process; tells it from a later one with its id. */
  birth: z.string(),
  /** {@link Processes.pidNamespace} of the process; records of earlier versions have none. */
  pidNamespace: z.string().optional(),
});

export type ProcessRecord = z.infer<typeof processSchema>;

/** This process. */
export function thisProcess({ pid, host, birth, pidNamespace }: Processes): ProcessRecord {
  return { pid, host, birth: birth(pid) ?? '', pidNamespace };
}

/**
 * Whether a process still lives; null where nothing is known of it. Only where host, boot and PID namespace are all this
 * process's can it be looked up: containers on two machines may share a name, and two on one machine have other ids for the
 * same processes. A process of an earlier boot may as well be one of another machine of that name.
 */
export function isAlive(record: ProcessRecord, processes: Processes): boolean | null {
  const { pid, host, birth, pidNamespace } = record;
  if (host !== processes.host) return null;
  const boot = bootOf(birth);
  const thisBoot = bootOf(processes.birth(processes.pid) ?? '');
  if (boot !== null && thisBoot !== null && boot !== thisBoot) return null;
  const isHere = pidNamespace === undefined || pidNamespace === processes.pidNamespace;
  return isHere ? processes.birth(pid) === birth : null;
}

/** Where a process lives that cannot be looked up, for people. */
export function placeOf({ host }: ProcessRecord, processes: Processes): string {
  return host === processes.host ? `${host}, in another container or boot` : host;
}

/** Id of the boot in {@link Processes.birth}; null for systems that have none. */
export function bootOf(birth: string): string | null {
  const [boot, start] = birth.split(' ');
  return start === undefined || boot === undefined ? null : boot;
}
