import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { nodeEnvironment } from './environment.js';
import type { Processes } from './environment.js';
import { removeQuietly } from './file-system.js';
import type { FileSystem } from './file-system.js';
import { bootOf } from './process-record.js';

/** Names that this process gave. */
let given = 0;

/**
 * A name beside `path` for a file while it is written, which no other process and no other call gives:
 * `<path>.tmp-<machine>-<pid>-<birth>-<number>`. It tells whose it is, so that {@link removeRemains} can clear away
 * what killed processes left.
 */
export function temporaryPath(path: string, processes: Processes = nodeEnvironment.processes): string {
  const { pid, birth } = processes;
  given++;
  return `${path}.tmp-${machineOf(processes)}-${pid}-${short(birth(pid) ?? '')}-${given}`;
}

const named = /\.tmp-([0-9a-f]{8})-(\d+)-([0-9a-f]{8})-\d+$/;
/** Names of earlier versions, which did not tell whose they were. */
const unnamed = /\.(?:json|yaml|arrow|safetensors)\.tmp$/;

const day = 24 * 60 * 60 * 1000;

/**
 * Remove what processes that are gone left in a folder under temporary names. Of another machine's processes nothing is
 * known: their files are remains after a day. What cannot be removed stays, since it is in nobody's way.
 */
export function removeRemains(
  fs: FileSystem,
  folder: string,
  { processes, now }: { readonly processes: Processes; readonly now: () => Date },
): void {
  const machine = machineOf(processes);
  const isOld = (path: string): boolean => {
    const modified = fs.modified(path);
    return modified !== null && now().getTime() - modified > day;
  };
  const isRemains = (name: string): boolean => {
    const [, itsMachine, pid, birth] = named.exec(name) ?? [];
    if (itsMachine !== machine) {
      return (itsMachine !== undefined || unnamed.test(name)) && isOld(join(folder, name));
    }
    return short(processes.birth(Number(pid)) ?? '') !== birth;
  };
  try {
    for (const name of fs.list(folder)) if (isRemains(name)) removeQuietly(fs, join(folder, name));
  } catch {
    // A folder that is missing or cannot be read is for those who need it to complain about.
  }
}

/** Processes that can look each other up have the same. */
function machineOf({ host, pid, pidNamespace, birth }: Processes): string {
  return short(`${host} ${pidNamespace} ${bootOf(birth(pid) ?? '') ?? ''}`);
}

function short(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 8);
}
