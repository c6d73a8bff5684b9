import { Command, Option } from 'commander';
import { BusyError, UserError } from '../../data/errors.js';
import { programCommand } from '../../data/shell-word.js';
import type { Threads } from '../train/engine/load.js';
import type { ProbeProgress } from '../probe/prober.js';
import type { RunOutcome } from './probe-jobs.js';
import type { EngineName } from '../train/engine/names.js';
import { engineOption, positive, threadsOption } from './options.js';
import { exitCodes } from './exit-codes.js';
import { probeNames } from './names.js';
import { print, tell } from './output.js';
import { formatDuration, standardError } from './progress.js';
import { StatusLine } from './status-line.js';
import { availableProcessors } from '../machine/processors.js';
import { widestModel } from './widest-model.js';

interface Flags {
  readonly variables: number;
  readonly questions: number;
  readonly draws: number;
  readonly factors?: boolean;
  readonly activations?: string;
  readonly only?: string;
  readonly missing?: boolean;
  readonly exchanged?: boolean;
  readonly engine: EngineName | 'auto';
  readonly threads?: Threads;
  readonly jobs?: number;
  readonly within?: boolean;
}

export function probeCommand(): Command {
  return new Command('probe')
    .description(
      'measure gradients of single examples at the checkpoints of runs: alignment, penalty, transfer',
    )
    .argument('<folders...>', 'run folders, or folders that hold runs')
    .option('--variables <n>', 'variables of each subset in the panel', positive, probeFlags.variables)
    .option('--questions <n>', 'questions per variable', positive, probeFlags.questions)
    .option(
      '--draws <n>',
      'random partitions of the training set for the penalty',
      positive,
      probeFlags.draws,
    )
    .option(
      '--factors',
      'also store the gradient factors of every example of the panel (table factors, float32)',
    )
    .option(
      '--activations <names>',
      'also store activations of every example of the panel (table activations, float32): names separated by commas, * stands for any characters',
    )
    .option(
      '--only <names>',
      `run only these probes, separated by commas (${probeNames.map(({ name }) => name).join(', ')}); the tables of other probes are kept`,
    )
    .option('--missing', 'skip runs that already have these tables')
    .option('--exchanged', 'also probe the halves of runs with tags exchanged, which are left out otherwise')
    .addOption(engineOption())
    .addOption(threadsOption())
    .option(
      '--jobs <n>',
      'processes that probe runs side by side (default: by model size, cores and memory)',
      positive,
    )
    .addOption(new Option('--within', 'tells the process that began this one how it goes').hideHelp())
    .addHelpText(
      'after',
      `
Examples:
  gradscope probe runs/set-inclusion
  gradscope probe runs/set-inclusion/small-seed0 --variables 50
  gradscope probe runs/set-inclusion --missing --draws 4
  gradscope probe runs/set-inclusion --only activations --activations 'layers.*.residual,layers.1.attention.heads.0'

Writes these tables into each run folder, which gradscope analyze reads (factors and activations only with the flags of these names):
${probeNames.map(({ name, tables }) => `  ${name.padEnd(14)} ${tables.join(', ')}`).join('\n')}`,
    )
    .action(async (folders: string[], flags: Flags) => {
      const { probed, before, failed, busy, seconds } = await probeRuns(folders, flags);
      if (flags.within === true) return;
      print(
        `probed ${probed} runs in ${formatDuration(seconds)}` +
          (before === 0 ? '' : `; ${before} had their tables already`) +
          (failed + busy === 0 ? '' : `; ${failed + busy} left out`),
      );
      if (failed === 0 && busy > 0) process.exitCode = exitCodes.again;
      print(`next: ${programCommand('analyze', ...folders)}`);
    });
}

/** What came of probing runs. */
interface ProbedCounts {
  readonly probed: number;
  /** Runs that had their tables already. */
  readonly before: number;
  /** Runs that were left out, and those that other processes hold, of which people have been told. */
  readonly failed: number;
  readonly busy: number;
  readonly seconds: number;
}

/** The flags of a command that probes as a part of what it does. */
export const probeFlags: Flags = { variables: 25, questions: 12, draws: 1, engine: 'auto' };

/** Probes runs, or the runs in folders; the exit code of the process is 1 where one cannot be probed. */
export async function probeRuns(folders: readonly string[], flags: Flags): Promise<ProbedCounts> {
  const { findRuns } = await import('../analysis/find-runs.js');
  const { defaultThreads, loadEngine } = await import('../train/engine/load.js');
  const { isProbed, Prober } = await import('../probe/prober.js');
  const { availableMemory } = await import('../machine/memory.js');
  const { jobsFor, probeInJobs, reporter } = await import('./probe-jobs.js');
  const { probeDefaults } = await import('../probe/probe.js');
  const { probes } = await import('../probe/registry.js');
  const { nodeEnvironment } = await import('../store/environment.js');
  const { statusOfRun } = await import('../store/run-status.js');
  const found = await findRuns(folders, flags.exchanged ?? false);
  for (const problem of found.problems) tell(`left out: ${problem}`);
  const halves = found.exchanged.length;
  if (halves > 0 && flags.exchanged !== true) {
    const what = halves === 1 ? '1 half' : `${halves} halves`;
    tell(`left out: ${what} of runs with tags exchanged; --exchanged probes them too`);
  }
  const runs = flags.exchanged === true ? [...found.runs, ...found.exchanged] : found.runs;
  const options = {
    ...probeDefaults,
    variablesPerSubset: flags.variables,
    questions: flags.questions,
    draws: flags.draws,
    factors: flags.factors ?? false,
    activations: flags.activations?.split(',').map((name) => name.trim()) ?? [],
    only: namesOfProbes(flags.only, probes),
  };
  const report = flags.within === true ? reporter() : null;
  const line = new StatusLine(standardError());
  const started = line.now();
  const counts = { probed: 0, before: 0, failed: 0, busy: 0 };
  const leaveOut = (error: UserError): 'busy' | 'failed' => {
    // One run that cannot be probed keeps no other from its turn.
    if (runs.length === 1 && report === null) throw error;
    const text = `left out: ${error.message}`;
    if (report === null) line.message(text);
    else report.tell({ kind: 'message', text });
    const outcome = error instanceof BusyError ? 'busy' : 'failed';
    count(outcome);
    return outcome;
  };
  const count = (outcome: RunOutcome): void => {
    counts[outcome]++;
    if (outcome === 'failed') process.exitCode = exitCodes.failed;
  };
  const pending: string[] = [];
  for (const { folder, info } of runs) {
    if (flags.missing === true && isProbed(folder, options)) counts.before++;
    else if (statusOfRun(folder, info, nodeEnvironment).status === 'running')
      leaveOut(new BusyError(`${folder}: is being written; probe it when it has ended`, folder));
    else pending.push(folder);
  }
  /** Shares of the runs that are at work now, by process. */
  const shares = new Map<number, number>();
  const show = (job: number, { folder, step, totalSteps, share }: ProbeProgress): void => {
    shares.set(job, share);
    line.show(() => {
      const inWork = [...shares.values()].reduce((sum, own) => sum + own, 0);
      const ended = counts.probed + counts.failed + counts.busy;
      const all = runs.length - counts.before;
      const rate = (counts.probed + inWork) / (line.now() - started);
      const time = rate > 0 ? `  ${formatDuration((all - ended - inWork) / rate)} left` : '';
      return `probing run ${ended + 1} of ${all}: ${folder}, step ${step}/${totalSteps}${time}`;
    });
  };
  try {
    const threads = flags.threads ?? defaultThreads({ width: await widestModel(pending) });
    const jobs = flags.jobs ?? jobsFor(pending.length, threads, availableMemory());
    if (pending.length > 1 && jobs > 1) {
      const used = Math.min(jobs, pending.length);
      const share = { intraOp: 1, interOp: Math.max(1, Math.floor(availableProcessors() / used)) };
      await probeInJobs(pending, used, flagsOfJob(flags, flags.threads ?? share), {
        onProgress: show,
        onMessage: (text) => line.message(text),
        onRun: (job, outcome) => {
          shares.delete(job);
          count(outcome);
        },
      });
    } else if (pending.length > 0) {
      const engine = await loadEngine({ engine: flags.engine, threads });
      const prober = new Prober(
        options,
        { engine },
        {
          onMessage: (text) =>
            report === null ? line.message(text) : report.tell({ kind: 'message', text }),
          onProgress: (progress) =>
            report === null ? show(0, progress) : report.tell({ kind: 'progress', progress }),
        },
      );
      try {
        for (const folder of pending) {
          let outcome: RunOutcome = 'probed';
          try {
            await prober.probe(folder);
            count(outcome);
          } catch (error) {
            if (!(error instanceof UserError)) throw error;
            outcome = leaveOut(error);
          }
          shares.clear();
          report?.tell({ kind: 'run', outcome });
        }
      } finally {
        prober.dispose();
      }
    }
  } finally {
    line.end();
  }
  report?.end();
  return { ...counts, seconds: line.now() - started };
}

/** What a process that probes some of the runs is told. */
function flagsOfJob(flags: Flags, { intraOp, interOp }: Threads): string[] {
  return [
    '--variables',
    String(flags.variables),
    '--questions',
    String(flags.questions),
    '--draws',
    String(flags.draws),
    ...(flags.factors === true ? ['--factors'] : []),
    ...(flags.activations === undefined ? [] : ['--activations', flags.activations]),
    ...(flags.only === undefined ? [] : ['--only', flags.only]),
    '--engine',
    flags.engine,
    '--threads',
    `${intraOp},${interOp}`,
    '--jobs',
    '1',
    '--exchanged',
  ];
}

/** Names of probes, separated by commas; null for all. Throws a UserError for one that there is not. */
export function namesOfProbes(
  text: string | undefined,
  probes: readonly { readonly name: string }[],
): string[] | null {
  if (text === undefined) return null;
  const names = text.split(',').map((name) => name.trim());
  const known = probes.map(({ name }) => name);
  const unknown = names.find((name) => !known.includes(name));
  if (unknown !== undefined)
    throw new UserError(`there is no probe ${unknown}; there are ${known.join(', ')}`);
  return names;
}
