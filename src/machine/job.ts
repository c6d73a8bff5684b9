import { thisMachine, type EnvironmentVariables } from './machine.js';

/**
 * The job of a scheduler that this process is part of, for people: `Slurm job 4711_3, restart 2`; null outside of one.
 * Nothing is decided by it: after a network was cut, a scheduler may start a job again while its first process lives on.
 */
export function describeJob(variables: EnvironmentVariables = thisMachine.variables): string | null {
  const restarts = (count: string | undefined): string =>
    Number(count ?? 0) > 0 ? `, restart ${count}` : '';
  const slurm = variables['SLURM_JOB_ID'];
  if (slurm !== undefined) {
    const [array, task] = [variables['SLURM_ARRAY_JOB_ID'], variables['SLURM_ARRAY_TASK_ID']];
    const id = array === undefined || task === undefined ? slurm : `${array}_${task}`;
    return `Slurm job ${id}${restarts(variables['SLURM_RESTART_COUNT'])}`;
  }
  const queue = variables['HQ_JOB_ID'];
  if (queue !== undefined) {
    const task = variables['HQ_TASK_ID'];
    return `HyperQueue job ${queue}${task === undefined ? '' : `.${task}`}${restarts(variables['HQ_INSTANCE_ID'])}`;
  }
  const index = variables['JOB_COMPLETION_INDEX'];
  return index === undefined
    ? null
    : `Kubernetes pod ${variables['HOSTNAME'] ?? 'without a name'}, index ${index}`;
}
