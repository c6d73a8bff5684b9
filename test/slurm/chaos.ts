import { setTimeout } from 'node:timers/promises';
import type { RandomStream } from '../../data/random/streams.js';
import { runProgram, statesOf, type Cluster } from './cluster.js';

/** Faults that were made, by kind. */
export type FaultCounts = Record<'power cut' | 'requeue' | 'preemption' | 'USR1' | 'release', number>;

const pick = <T>(random: RandomStream, list: readonly T[]): T | undefined =>
  list.length === 0 ? undefined : list[random.integer(list.length)];

const active = /^(?:PENDING|RUNNING|COMPLETING|CONFIGURING|REQUEUE|SUSPENDED)/;

/** Whether any of the jobs is not over. */
export async function isActive(cluster: Cluster, ids: readonly string[]): Promise<boolean> {
  const states = await statesOf(cluster, ids);
  return [...states.values()].some((state) => active.test(state));
}

/**
 * Disturbs the tasks of jobs for some seconds, or until they are over: power cuts of nodes, requeues by an administrator,
 * tasks that are preempted by urgent ones, and the signal that comes before a time limit.
 *
 * @param tell told of every fault
 */
export async function disturb(
  cluster: Cluster,
  ids: readonly string[],
  seconds: number,
  random: RandomStream,
  tell: (text: string) => void,
): Promise<FaultCounts> {
  const counts: FaultCounts = { 'power cut': 0, requeue: 0, preemption: 0, USR1: 0, release: 0 };
  const { environment } = cluster;
  const end = Date.now() + 1000 * seconds;
  while (Date.now() < end && (await isActive(cluster, ids))) {
    await setTimeout(1000 * (4 + random.integer(8)));
    const states = await statesOf(cluster, ids);
    const running = [...states].flatMap(([id, state]) => (state === 'RUNNING' ? [id] : []));
    const task = pick(random, running);
    switch (random.integer(4)) {
      case 0: {
        if (!cluster.canLosePower) break;
        const node = pick(random, cluster.nodes)!;
        counts['power cut']++;
        tell(`power cut of ${node}`);
        cluster.cutPower(node);
        // Shorter and longer than Slurm takes to notice (15 s).
        await setTimeout(1000 * random.integer(25));
        cluster.restorePower(node);
        break;
      }
      case 1:
        if (task === undefined) break;
        counts.requeue++;
        tell(`requeue of ${task}`);
        await runProgram(['scontrol', 'requeue', task], environment);
        break;
      case 2:
        counts.preemption++;
        tell('urgent job');
        await runProgram(['sbatch', '-p', 'urgent', '-o', '/dev/null', '--wrap=sleep 2'], environment);
        break;
      default:
        if (task === undefined) break;
        counts.USR1++;
        tell(`USR1 to ${task}`);
        await runProgram(['scancel', '--signal=USR1', '--batch', task], environment);
    }
    await releaseHeld(cluster, ids, counts);
  }
  return counts;
}

/** Lets tasks start that Slurm holds back after a node could not start them, as a person would. */
export async function releaseHeld(
  cluster: Cluster,
  ids: readonly string[],
  counts: FaultCounts,
): Promise<void> {
  for (const [id, state] of await statesOf(cluster, ids)) {
    if (!state.endsWith('held')) continue;
    counts.release++;
    await runProgram(['scontrol', 'release', id], cluster.environment);
  }
}
