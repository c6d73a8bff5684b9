import { Command, InvalidArgumentError, Option } from 'commander';
import { UserError } from '../../data/errors.js';
import type { Sweep } from '../run/sweep-config.js';
import { exitCodes } from './exit-codes.js';
import { engineOption, parseSeeds, positive, threadsOption } from './options.js';
import { tell } from './output.js';
import { presetFile } from './preset.js';
import { parseMemorySize } from './queue/memory-size.js';
import type { SweepFlags } from './sweep/flags.js';

const collect = (value: string, before: string[]): string[] => [...before, value];

export function sweepCommand(): Command {
  return new Command('sweep')
    .description(
      'train an experiment in several arms: values of its keys, or named overrides; draw what changes',
    )
    .argument('<sweep>', 'sweep file, such as configs/sweeps/mnist-pairs.yaml')
    .option(
      '--set <key=value>',
      'override a value of the experiment in every arm; can be repeated',
      collect,
      [],
    )
    .option('--seeds <seeds>', 'seeds of every arm, in place of those of the file', parseSeeds)
    .option('--out <folder>', 'folder that holds the runs', 'runs')
    .addOption(
      new Option(
        '--existing <what>',
        'what to do with existing runs that cannot be continued or have another config: leave them, or train them again',
      )
        .choices(['resume', 'overwrite'])
        .default('resume'),
    )
    .addOption(engineOption())
    .addOption(threadsOption())
    .optionsGroup('Instead of training:')
    .option('--report', 'write tables and figures of the existing runs')
    .option('--status', 'say how far the runs are and how long the rest takes, and what is in the queue')
    .option('--json', 'with --status: as JSON')
    .option(
      '--power [folder]',
      'seeds that the predictions need, by the runs of the sweep in a folder (a pilot), or in --out',
    )
    .option(
      '--probe [names]',
      'probe the complete runs, for the predictions and figures, or these probes, or all',
    )
    .option('--analyze', 'analyse the runs of every arm, as gradscope analyze does')
    .option('--require-complete', 'with --report, --probe: exit code 75 while runs are not complete')
    .optionsGroup('On several machines (docs/cluster.md):')
    .option('--task <i/n>', 'do the I-th of N tasks, from 0; of as many as there are packs without N')
    .addOption(
      new Option('--steal <on|off>', 'whether a task whose part is done helps others')
        .choices(['on', 'off'])
        .default('on'),
    )
    .option('--pack <seeds>', 'seeds that a task trains together, or auto: as many as --mem holds', parsePack)
    .addOption(
      new Option('--emit <form>', 'print commands, a batch script or a Kubernetes job; run nothing').choices([
        'commands',
        'sbatch',
        'k8s',
      ]),
    )
    .option('--slurm', 'submit the tasks to Slurm, and behind them probes and report')
    .option('--dry-run', 'with --slurm: print what would be submitted')
    .option('--partition <name>', 'partition of Slurm')
    .option('--account <name>', 'account of Slurm')
    .option('--time <limit>', 'time limit of a task, such as 04:00:00; a task goes on after it')
    .option('--cpus <n>', 'processors of a task', positive)
    .option('--mem <size>', 'memory of a task, such as 2G', parseMemorySize)
    .option('--gpus <n>', 'GPUs of a task', positive)
    .option('--array-limit <n>', 'tasks that run at once', positive)
    .option('--sbatch <options>', 'further options of sbatch; can be repeated', collect, [])
    .option(
      '--requeue [most]',
      'in a task of Slurm: after exit code 75 ask to be queued again, up to so many restarts (100)',
      positive,
    )
    .addHelpText(
      'after',
      `
Examples:
  gradscope sweep configs/sweeps/mnist-pairs.yaml
  gradscope sweep configs/sweeps/batch-size-smoke.yaml --status
  gradscope sweep configs/sweeps/batch-size-smoke.yaml --report
  gradscope sweep mine.yaml --seeds 100..103 --out pilot && gradscope sweep mine.yaml --power pilot
  gradscope sweep mine.yaml --slurm --partition gpu --time 04:00:00 --cpus 4 --mem 8G --gpus 1 --array-limit 20
  gradscope sweep mine.yaml --slurm --probe all --analyze --dry-run
  gradscope sweep mine.yaml --emit commands > tasks.txt && parallel -j 8 < tasks.txt
  gradscope sweep mine.yaml --task 3/57

Complete runs are kept and interrupted ones continued: after Ctrl-C the same command continues the sweep, and several at
once, also on several machines, share its runs. Results (sweep.json, sweep.arrow, sweep.csv, verdicts.arrow) and figures
(sweep.svg, arms.svg, and as PNG) are written to <out>/<experiment>/sweeps/<name> by the command that ends last.
Exit code 0: done; 1: a run failed; 2: usage; 75: the same command goes on, after SIGUSR1, or when what is left is free: other
processes hold it; 130: stopped.`,
    )
    .action(async (file: string, flags: SweepFlags) => {
      process.exitCode = await sweep(presetFile(file), flags);
    });
}

function parsePack(text: string): number | 'auto' {
  if (text === 'auto') return text;
  try {
    return positive(text);
  } catch {
    throw new InvalidArgumentError('expected a number of seeds, or auto');
  }
}

/** Returns one of {@link exitCodes}. */
export async function sweep(file: string, flags: SweepFlags): Promise<number> {
  const { nodeFileSystem } = await import('../store/file-system.js');
  const { loadSweepAndModule } = await import('../run/sweep-config.js');
  const { sweepChanges } = await import('../run/sweep.js');
  const { unknownQuantity } = await import('../analysis/known-quantities.js');
  const { readSweepRecord } = await import('../store/sweep-record.js');
  requireOneWish(flags);
  if (flags.task !== undefined && flags.requeue !== undefined) {
    const { requeueAtExit } = await import('./queue/requeue.js');
    requeueAtExit(flags.requeue, tell);
  }
  const written = await loadSweepAndModule(file, flags.set, unknownQuantity);
  const { seeds } = flags;
  const loaded =
    seeds === undefined ? written : { ...written, arms: written.arms.map((arm) => ({ ...arm, seeds })) };
  const before = readSweepRecord(nodeFileSystem, flags.out, loaded.experiment, loaded.name);
  const changes = sweepChanges(loaded, before, flags.out);
  if (changes.length > 0) {
    tell(`gradscope: ${file} says otherwise than on ${before.versions.at(-1)!.since}:`);
    for (const change of changes) tell(`  ${change}`);
  }
  return carryOut(loaded, file, flags);
}

async function carryOut(loaded: Sweep, file: string, flags: SweepFlags): Promise<number> {
  const { emit, out, power, task } = flags;
  if (flags.status === true) {
    const { showStatus } = await import('./sweep/status.js');
    await showStatus(loaded, flags);
    return exitCodes.done;
  }
  if (power !== undefined) {
    const { showPower } = await import('./sweep/power.js');
    return showPower(loaded, power === true ? out : power);
  }
  if (emit !== undefined || flags.slurm === true) {
    const { emitTasks, submitTasks } = await import('./sweep/queue.js');
    await (emit === undefined
      ? submitTasks(loaded, file, flags)
      : emitTasks(loaded, file, { ...flags, emit }));
    return exitCodes.done;
  }
  if (flags.report === true) return reportOn(loaded, flags);
  if (flags.analyze === true) {
    const { analyzeSweep } = await import('./sweep/analyze.js');
    return analyzeSweep(loaded, out);
  }
  if (task !== undefined) return doTask(loaded, file, { ...flags, task });
  const { probeForReport, probeSweep } = await import('./sweep/probe.js');
  if (flags.probe !== undefined) return probeSweep(loaded, flags);
  const { trainSweep } = await import('./sweep/train.js');
  const { code, isStopped, busy } = await trainSweep(loaded, flags);
  if (isStopped) return code;
  if (busy > 0) {
    tell('tables and figures are written by the process that ends last, or by --report');
    return code;
  }
  await probeForReport(loaded, flags);
  const reported = await reportOn(loaded, flags);
  return reported === exitCodes.done ? code : reported;
}

/** Writes tables and figures of the runs that there are, and says how many there are not. */
async function reportOn(loaded: Sweep, { out, requireComplete }: SweepFlags): Promise<number> {
  const { reportSweep } = await import('./sweep/report.js');
  const { sweepStatus } = await import('../run/sweep-status.js');
  const kept = await reportSweep(loaded, out);
  const seeds = sweepStatus(loaded, out).arms.flatMap((arm) => arm.seeds);
  const failed = seeds.filter(({ status }) => status === 'failed').length;
  const missing = seeds.filter(({ status }) => status !== 'complete').length - failed;
  if (missing > 0) tell(`gradscope: ${missing} of ${seeds.length} runs are missing or not complete`);
  if (failed > 0) tell(`gradscope: ${failed} of ${seeds.length} runs failed`);
  if (!kept) return exitCodes.failed;
  if (requireComplete !== true) return exitCodes.done;
  return failed > 0 ? exitCodes.failed : missing > 0 ? exitCodes.again : exitCodes.done;
}

/** Trains or probes what a task has to. */
async function doTask(
  loaded: Sweep,
  file: string,
  flags: SweepFlags & { readonly task: string },
): Promise<number> {
  const { workOfTask } = await import('./sweep/queue.js');
  const work = await workOfTask(loaded, file, flags);
  const { probeSweep } = await import('./sweep/probe.js');
  const { trainSweep } = await import('./sweep/train.js');
  const { code, isStopped } =
    flags.probe === undefined
      ? await trainSweep(loaded, flags, work)
      : { code: await probeSweep(loaded, flags, work), isStopped: false };
  if (code === exitCodes.again && !isStopped && flags.requeue !== undefined) {
    const { pauseForOthers } = await import('./queue/requeue.js');
    await pauseForOthers();
  }
  return code;
}

/** Throws a UserError for flags that ask for two things at once. */
function requireOneWish(flags: SweepFlags): void {
  const wishes = {
    '--status': flags.status,
    '--power': flags.power,
    '--report': flags.report,
    '--task': flags.task,
    '--emit': flags.emit,
    '--slurm': flags.slurm,
    // With --slurm it is one of the jobs.
    '--analyze': flags.slurm === true ? undefined : flags.analyze,
  };
  const asked = Object.entries(wishes).flatMap(([name, value]) => (value === undefined ? [] : [name]));
  if (asked.length > 1) throw new UserError(`${asked.slice(0, 2).join(' and ')} cannot be given together`);
}
