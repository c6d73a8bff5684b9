import { thisMachine } from '../machine/machine.js';
import type { Environment } from '../store/environment.js';
import type { RunInfo } from '../store/run-info.js';
import type { RunRequest } from './request.js';
import { describeEngine } from './same-engine.js';

/** What {@link changedSince} compares, by its name in `versions` of `run.json`. */
const compared = {
  commit: 'commit',
  processor: 'processor',
  engine: 'engine version',
  node: 'Node',
} as const;

/** Versions that a run is begun with: those of the request, and the processor's model, on which its last digits may depend. */
export function versionsHere({ versions }: Pick<RunRequest, 'versions'>): Record<string, string> {
  const processor = thisMachine.processor();
  return processor === null ? { ...versions } : { ...versions, processor };
}

/**
 * Who trains from here on, for the table `events`: `native (TensorFlow 2.21.0, cpu), threads 1,2, commit 1a2b3c, processor
 * ..., process 12 on n1, Slurm job 17_3`.
 */
export function describeProcess(
  request: Pick<RunRequest, 'engine' | 'versions'>,
  { processes, job }: Pick<Environment, 'processes' | 'job'>,
): string {
  const { commit, processor } = versionsHere(request);
  const { intraOp, interOp } = request.engine.threads;
  return [
    describeEngine(request.engine),
    `threads ${intraOp},${interOp}`,
    ...(commit === undefined ? [] : [`commit ${commit}`]),
    ...(processor === undefined ? [] : [`processor ${processor}`]),
    `process ${processes.pid} on ${processes.host}`,
    ...(job === null ? [] : [job]),
  ].join(', ');
}

/** What is another now than when a run began, one entry each: `commit 4d5e6f, and it began with 1a2b3c`. */
export function changedSince(
  { versions }: Pick<RunInfo, 'versions'>,
  request: Pick<RunRequest, 'versions'>,
): string[] {
  const now = versionsHere(request);
  return Object.entries(compared).flatMap(([key, name]) => {
    const [own, before] = [now[key], versions[key]];
    if (own === undefined || before === undefined || own === before) return [];
    return [`goes on with ${name} ${own}; it began with ${before}`];
  });
}
