import path from 'node:path';
import { UserError } from '../../../data/errors.js';
import { shellCommand } from '../../../data/shell-word.js';
import type { Sweep } from '../../run/sweep-config.js';
import type { SweepPack, TaskShare } from '../../run/sweep-tasks.js';
import type { TaskWork } from '../../run/train-sweep.js';
import type { QueuedJob, TaskRecord } from '../../store/task-record.js';
import { callOfThisProcess, commandIn, jobWords, taskCommands } from '../queue/job-command.js';
import { kubernetesJob } from '../queue/kubernetes-job.js';
import {
  arrayParts,
  logPattern,
  sbatchScript,
  type ArrayPart,
  type SlurmJob,
  type SlurmResources,
} from '../queue/sbatch-script.js';
import { largestArray, runSlurm, submitScript } from '../queue/slurm.js';
import { print, tell } from '../output.js';
import type { SweepFlags } from './flags.js';
import { probesOf } from './probe.js';

/** The packs of a sweep, as every task of it finds them by itself. */
async function packsFor(loaded: Sweep, flags: SweepFlags, tasks?: number): Promise<SweepPack[]> {
  const { packsOf } = await import('../../run/sweep-tasks.js');
  return packsOf(loaded.arms, { seeds: flags.pack, memory: flags.mem?.bytes, tasks });
}

/**
 * What the task of a command line has to do. Throws a UserError for a task that there is not, and when the tasks were made by a
 * file that said otherwise.
 */
export async function workOfTask(
  loaded: Sweep,
  file: string,
  flags: SweepFlags & { readonly task: string },
): Promise<TaskWork> {
  const { packsOfOthers, packsOfTask, parseTask, shareOf } = await import('../../run/sweep-tasks.js');
  const { versionOfSweep } = await import('../../run/sweep.js');
  const { readTaskRecord, requireSameTasks } = await import('../../store/task-record.js');
  const { nodeFileSystem } = await import('../../store/file-system.js');
  const parsed = parseTask(flags.task);
  const packs = await packsFor(loaded, flags, parsed.count ?? undefined);
  const share: TaskShare = shareOf(parsed, packs);
  const record = readTaskRecord(nodeFileSystem, flags.out, loaded.experiment, loaded.name);
  if (record === null) await keepTasks(loaded, flags.out);
  else requireSameTasks(record, versionOfSweep(loaded, new Date()), file);
  return {
    own: packsOfTask(packs, share),
    others: flags.steal === 'off' ? [] : packsOfOthers(packs, share),
  };
}

/** Keeps by which file the tasks of a sweep are made, and which jobs do them. */
async function keepTasks(loaded: Sweep, out: string, jobs: readonly QueuedJob[] = []): Promise<void> {
  const { registerSweep } = await import('../../run/train-sweep.js');
  const { taskRecordOf, readTaskRecord, writeTaskRecord } = await import('../../store/task-record.js');
  const { nodeEnvironment } = await import('../../store/environment.js');
  const { fs, now } = nodeEnvironment;
  // Here, before there are tasks: many that begin at once would write it at once.
  const version = registerSweep(loaded, out, nodeEnvironment);
  let before: TaskRecord | null = null;
  try {
    before = readTaskRecord(fs, out, loaded.experiment, loaded.name);
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    tell(`gradscope: ${error.message}`);
  }
  const record = taskRecordOf(loaded.name, version, before);
  const submission = { submitted: now().toISOString(), jobs: [...jobs] };
  writeTaskRecord(fs, out, loaded.experiment, {
    ...record,
    submissions: [...record.submissions, ...(jobs.length > 0 ? [submission] : [])],
  });
}

/** Prints how a queue does the tasks of a sweep, and runs nothing. */
export async function emitTasks(
  loaded: Sweep,
  file: string,
  flags: SweepFlags & { readonly emit: NonNullable<SweepFlags['emit']> },
): Promise<void> {
  const call = callOfThisProcess(file, flags);
  const does = flags.probe === undefined ? 'train' : 'probe';
  const count = (await packsFor(loaded, flags)).length;
  await keepTasks(loaded, flags.out);
  if (flags.emit === 'commands') for (const line of taskCommands(call, does, count)) print(line);
  else if (flags.emit === 'k8s') {
    const { cpus, gpus, mem, arrayLimit: limit = null } = flags;
    print(kubernetesJob({ name: loaded.name, does, count, limit, cpus, gpus, memory: mem?.bytes }, call));
  } else {
    const logs = await makeLogFolder(loaded, flags.out);
    const tasks: ArrayPart = { first: 0, count, all: count, limit: flags.arrayLimit ?? null };
    const job: SlurmJob = { does, name: loaded.name, logs, tasks };
    print(sbatchScript(job, call, resourcesOf(flags)).trimEnd());
  }
  const next: QueuedJob['does'][] = [];
  if (does === 'train' && (await probesOf(loaded)).length > 0) next.push('probe');
  next.push('report');
  tell(`${count} tasks; when they have ended:`);
  for (const own of next) tell(`  ${commandIn(call, shellCommand(jobWords(call, own)))}`);
}

/** Gives the tasks of a sweep to Slurm, and behind them its probes and its report; or shows what would be given. */
export async function submitTasks(loaded: Sweep, file: string, flags: SweepFlags): Promise<void> {
  const call = callOfThisProcess(file, flags);
  const resources = resourcesOf(flags);
  const count = (await packsFor(loaded, flags)).length;
  const probes = await probesOf(loaded, flags.probe);
  const largest = await largestArray(runSlurm);
  const logs = await makeLogFolder(loaded, flags.out);
  const parts = arrayParts(count, largest, flags.arrayLimit ?? null);
  const arrays = (does: 'train' | 'probe'): SlurmJob[] =>
    parts.map((tasks) => ({ does, name: `${loaded.name}-${does}`, logs, tasks }));
  const single = (does: 'report' | 'analyze'): SlurmJob[] => [
    { does, name: `${loaded.name}-${does}`, logs, tasks: null },
  ];
  const phases = [
    arrays('train'),
    ...(probes.length > 0 ? [arrays('probe')] : []),
    [...single('report'), ...(flags.analyze === true ? single('analyze') : [])],
  ];
  tellLeftOut(process.env);
  if (flags.dryRun === true) {
    let waitsFor: readonly string[] = [];
    for (const phase of phases) {
      for (const job of phase) {
        const words = ['sbatch', ...dependency(waitsFor)];
        print(`# ${shellCommand(words)} <<'EOF'\n${sbatchScript(job, call, resources)}`);
      }
      waitsFor = phase.map(({ does }) => `<${does}>`);
    }
    return;
  }
  await keepTasks(loaded, flags.out);
  const queued: QueuedJob[] = [];
  try {
    let waitsFor: readonly string[] = [];
    for (const phase of phases) {
      const ids: string[] = [];
      for (const job of phase) {
        const { does, tasks } = job;
        const id = await submitScript(runSlurm, sbatchScript(job, call, resources), dependency(waitsFor));
        ids.push(id);
        const own = tasks === null ? null : { first: tasks.first, count: tasks.count };
        queued.push({ does, id, tasks: own, log: logPattern(job) });
        print(`${does}: job ${id}${tasks === null ? '' : `, ${tasks.count} tasks`}`);
      }
      waitsFor = ids;
    }
  } finally {
    // Also those that were taken before one was refused.
    await keepTasks(loaded, flags.out, queued);
  }
  const status = ['npx', 'gradscope', 'sweep', file, '--out', flags.out, '--status'];
  print(`logs: ${logs}\nhow far it is: ${shellCommand(status)}`);
}

/** Not afterok: a job behind an array with one failed task would wait for ever. */
const dependency = (ids: readonly string[]): string[] =>
  ids.length === 0 ? [] : [`--dependency=afterany:${ids.join(':')}`];

/** People have defaults of sbatch in their environment, which do not count here. */
function tellLeftOut(environment: Readonly<Record<string, string | undefined>>): void {
  const names = Object.keys(environment).filter((name) => name.startsWith('SBATCH_'));
  if (names.length > 0)
    tell(`gradscope: not passed on: ${names.join(', ')}; give what jobs need as --partition, --sbatch "..."`);
}

async function makeLogFolder(loaded: Sweep, out: string): Promise<string> {
  const { logFolder } = await import('../../store/task-record.js');
  const { makeFolderBelow } = await import('../../store/run-paths.js');
  const { nodeFileSystem } = await import('../../store/file-system.js');
  const folder = path.resolve(logFolder(out, loaded.experiment, loaded.name));
  // Slurm ends a job at once whose log cannot be opened.
  makeFolderBelow(nodeFileSystem, path.resolve(out), folder);
  return folder;
}

function resourcesOf(flags: SweepFlags): SlurmResources {
  const { partition, account, time, cpus, mem, gpus, sbatch = [] } = flags;
  return { partition, account, time, cpus, gpus, mem: mem?.text, others: sbatch };
}
