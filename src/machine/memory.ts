import { numberOf, thisMachine, type Machine, type EnvironmentVariables } from './machine.js';
import { processorsOfJob } from './processors.js';

/** Slurm counts memory in MiB. */
const mebibyte = 2 ** 20;

/**
 * Memory that this process may still come to hold, in bytes. The limit of a container counts, and what a job asked for,
 * also where nothing enforces it: other jobs have been promised the rest.
 */
export function availableMemory(machine: Machine = thisMachine): number {
  const ofJob = memoryOfJob(machine.variables);
  const available = machine.availableMemory();
  return ofJob === null ? available : Math.max(0, Math.min(available, ofJob - machine.residentMemory()));
}

/** What Slurm says that a job has on this node, in bytes; null where it does not say. */
function memoryOfJob(variables: EnvironmentVariables): number | null {
  const ofNode = numberOf(variables, 'SLURM_MEM_PER_NODE');
  const ofProcessor = numberOf(variables, 'SLURM_MEM_PER_CPU');
  const processors = processorsOfJob(variables);
  const bounds = [
    ...(ofNode === null ? [] : [ofNode]),
    ...(ofProcessor === null || processors.length === 0 ? [] : [ofProcessor * Math.min(...processors)]),
  ];
  return bounds.length === 0 ? null : Math.min(...bounds) * mebibyte;
}
