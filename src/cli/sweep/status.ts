import { UserError } from '../../../data/errors.js';
import { printableJson } from '../../../data/printable.js';
import { textTable } from '../../report/text/table.js';
import type { RunningRun } from '../../run/running-runs.js';
import type { Sweep } from '../../run/sweep-config.js';
import type { SweepStatus } from '../../run/sweep-status.js';
import type { QueuedJob } from '../../store/task-record.js';
import { print } from '../output.js';
import { formatDuration } from '../progress.js';
import { isHeldBack, queuedElements, runSlurm, type QueueElement } from '../queue/slurm.js';
import type { SweepFlags } from './flags.js';
import { probesOf } from './probe.js';

/** What Slurm has of the last jobs that a sweep was given to. */
interface QueueState {
  readonly jobs: readonly QueuedJob[];
  /** Null where there is no Slurm, or where it does not answer. */
  readonly elements: readonly QueueElement[] | null;
  /** Why it does not; null otherwise. */
  readonly problem: string | null;
}

/** Prints how far the runs of a sweep are: by arm, those that are running one by one, and what is in the queue. */
export async function showStatus(loaded: Sweep, flags: SweepFlags): Promise<void> {
  const { isProbed } = await import('../../probe/prober.js');
  const { probeDefaults } = await import('../../probe/probe.js');
  const { runningRun } = await import('../../run/running-runs.js');
  const { sweepStatus } = await import('../../run/sweep-status.js');
  const { nodeEnvironment } = await import('../../store/environment.js');
  const { readRunInfo } = await import('../../store/run-folder.js');
  const only = await probesOf(loaded);
  const status = sweepStatus(loaded, flags.out, (folder) => isProbed(folder, { ...probeDefaults, only }));
  const seeds = status.arms.flatMap((arm) => arm.seeds);
  const running = await Promise.all(
    seeds
      .filter((own) => own.status === 'running')
      .map(({ folder }) => runningRun(folder, readRunInfo(folder), nodeEnvironment)),
  );
  const queue = await queueOf(loaded, flags.out);
  if (flags.json === true) {
    print(printableJson({ ...status, runningRuns: running, queue }, 2));
    return;
  }
  for (const line of statusLines(status, only)) print(line);
  for (const line of runLines(status, running)) print(line);
  for (const line of queue === null ? [] : queueLines(queue)) print(line);
}

async function queueOf(loaded: Sweep, out: string): Promise<QueueState | null> {
  const { readTaskRecord } = await import('../../store/task-record.js');
  const { nodeFileSystem } = await import('../../store/file-system.js');
  const record = readTaskRecord(nodeFileSystem, out, loaded.experiment, loaded.name);
  if (record === null) return null;
  const jobs = record.submissions.flatMap((own) => own.jobs);
  if (jobs.length === 0) return null;
  const ids = jobs.map(({ id }) => id);
  try {
    return { jobs, elements: await queuedElements(runSlurm, ids), problem: null };
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return { jobs, elements: null, problem: error.message };
  }
}

const kinds = ['complete', 'running', 'interrupted', 'failed', 'missing'] as const;

const share = (done: number, total: number): string =>
  `${total === 0 ? 100 : Math.floor((100 * done) / total)} %`;

const firstLeft = (columns: number): ('left' | 'right')[] =>
  Array.from({ length: columns }, (_, i) => (i === 0 ? 'left' : 'right'));

function statusLines(
  { arms, stepsDone, stepsTotal, secondsLeft, toProbe }: SweepStatus,
  probes: readonly string[],
): string[] {
  const rows = arms.map((own) => [
    own.arm,
    String(own.runs),
    ...kinds.map((kind) => (own[kind] === 0 ? '' : String(own[kind]))),
    share(own.stepsDone, own.stepsTotal),
  ]);
  const head = ['arm', 'runs', ...kinds, 'updates'];
  const left =
    secondsLeft === null
      ? 'how long the rest takes is not known before a run is complete'
      : secondsLeft === 0
        ? 'nothing is left to train'
        : `about ${formatDuration(secondsLeft)} of training left`;
  const runs = toProbe === 1 ? '1 run is' : `${toProbe} runs are`;
  return [
    ...textTable([head, ...rows], firstLeft(head.length)),
    '',
    `${share(stepsDone, stepsTotal)} of ${stepsTotal} updates; ${left}`,
    ...(toProbe > 0
      ? [`${runs} to be probed (${probes.join(', ')}), which takes time beside the training`]
      : []),
  ];
}

/** Runs that are running, with where and how fast, and those that failed, with why. */
export function runLines({ arms }: Pick<SweepStatus, 'arms'>, running: readonly RunningRun[]): string[] {
  const head = ['running', 'process', 'update', 'updates/s', 'last sign of life'];
  const rows = running.map(({ folder, host, pid, step, stepsTotal, rate, lastBeat }) => [
    folder,
    `${pid} on ${host}`,
    `${step}/${stepsTotal}`,
    rate === null ? '' : rate.toPrecision(3),
    lastBeat === null ? '' : `${formatDuration(lastBeat)} ago`,
  ]);
  const seeds = arms.flatMap((arm) => arm.seeds);
  const failed = seeds.flatMap(({ folder, status, failure }) =>
    status === 'failed' ? [`${folder}: ${failure ?? 'it failed'}`] : [],
  );
  const interrupted = seeds.flatMap(({ folder, status }) => (status === 'interrupted' ? [folder] : []));
  return [
    ...(rows.length > 0 ? ['', ...textTable([head, ...rows], firstLeft(head.length))] : []),
    ...(interrupted.length > 0 ? ['', 'interrupted:', ...interrupted.map((own) => `  ${own}`)] : []),
    ...(failed.length > 0 ? ['', 'failed:', ...failed.map((own) => `  ${own}`)] : []),
  ];
}

/** What Slurm has in its queue of a sweep, with what is to be done about elements that it holds back. */
export function queueLines({ jobs, elements, problem }: QueueState): string[] {
  if (elements === null) return ['', problem ?? 'squeue is not on this machine; jobs are not looked up'];
  const lines = jobs.flatMap(({ does, id, log }): string[] => {
    const own = elements.filter((element) => element.id.split('_')[0] === id);
    if (own.length === 0) return [];
    const states = [...new Set(own.map(({ state }) => state))].map(
      (state) => `${own.filter((element) => element.state === state).length} ${state.toLowerCase()}`,
    );
    const nodes = [...new Set(own.flatMap((element) => (element.nodes === '' ? [] : [element.nodes])))];
    const where = nodes.length === 0 ? '' : ` (${nodes.join(', ')})`;
    return [`  ${does}, job ${id}: ${states.join(', ')}${where}; logs: ${log}`];
  });
  const held = elements.filter(isHeldBack);
  return [
    '',
    lines.length === 0 ? 'Slurm: no job of it is queued' : 'Slurm:',
    ...lines,
    ...held.map(({ id, reason }) => `  held back: ${id} (${reason}); scontrol release ${id} lets it start`),
  ];
}
