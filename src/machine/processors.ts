import { cpuQuota } from './cgroup.js';
import { numberOf, thisMachine, type Machine, type EnvironmentVariables } from './machine.js';

/**
 * Processors that this process may keep busy: the fewest of those that the system lets it run on, those that its job
 * asked for, and the quota of its container, rounded up. Many clusters and all of Kubernetes restrict the time and not
 * the processors that are seen: as many threads as the machine has processors would then wait for each other.
 */
export function availableProcessors(machine: Machine = thisMachine): number {
  const bounds = [machine.parallelism(), ...processorsOfJob(machine.variables), cpuQuota(machine.read)];
  const known = bounds.filter((bound) => bound !== null);
  return Math.max(1, Math.ceil(Math.min(...known)));
}

/** What the schedulers Slurm and HyperQueue say that they gave. */
export function processorsOfJob(variables: EnvironmentVariables): number[] {
  return [
    numberOf(variables, 'SLURM_CPUS_PER_TASK'),
    // Of all tasks on this node, for jobs that do not say how many a task gets.
    numberOf(variables, 'SLURM_CPUS_ON_NODE'),
    listLength(variables['HQ_CPUS']),
  ].filter((count) => count !== null);
}

/** Number of entries of `0,2,5-7`; null where it is no such list. */
function listLength(list: string | undefined): number | null {
  if (list === undefined || !/^\d+(?:-\d+)?(?:,\d+(?:-\d+)?)*$/.test(list)) return null;
  return list.split(',').reduce((count, entry) => {
    const [first, last = first] = entry.split('-').map(Number);
    return count + Math.max(0, last! - first! + 1);
  }, 0);
}
