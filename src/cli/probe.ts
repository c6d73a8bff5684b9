import { Command, InvalidArgumentError } from 'commander';
import { UserError } from '../../data/errors.js';
import { programCommand } from '../../data/shell-word.js';
import type { Threads } from '../train/engine/load.js';
import type { EngineName } from '../train/engine/names.js';
import { engineOption, threadsOption } from './options.js';
import { print, tell } from './output.js';
import { formatDuration, standardError } from './progress.js';
import { StatusLine } from './status-line.js';

interface Flags {
  readonly variables: number;
  readonly questions: number;
  readonly draws: number;
  readonly factors?: boolean;
  readonly only?: string;
  readonly missing?: boolean;
  readonly exchanged?: boolean;
  readonly engine: EngineName | 'auto';
  readonly threads?: Threads;
}

export function probeCommand(): Command {
  return new Command('probe')
    .description(
      'measure gradients of single examples at the checkpoints of runs: alignment, penalty, transfer',
    )
    .argument('<folders...>', 'run folders, or folders that hold runs')
    .option('--variables <n>', 'variables of each subset in the panel', positive, 25)
    .option('--questions <n>', 'questions per variable', positive, 12)
    .option('--draws <n>', 'random partitions of the training set for the penalty', positive, 1)
    .option(
      '--factors',
      'also store the gradient factors of every example of the panel (table factors, float32)',
    )
    .option(
      '--only <names>',
      'run only these probes, such as panel,transfer; the tables of other probes are kept',
    )
    .option('--missing', 'skip runs that already have these tables')
    .option('--exchanged', 'also probe the halves of runs with tags exchanged, which are left out otherwise')
    .addOption(engineOption())
    .addOption(threadsOption())
    .addHelpText(
      'after',
      `
Examples:
  gradscope probe runs/set-inclusion
  gradscope probe runs/set-inclusion/small-seed0 --variables 50
  gradscope probe runs/set-inclusion --only penalty,epoch-drift --draws 4

Writes the tables alignment, panel_gram, panel_questions, entity_gram, transfer, transfer_path, penalty, landscape and
epoch_drift into each run folder (with --factors also factors); gradscope analyze reads them.`,
    )
    .action(async (folders: string[], flags: Flags) => {
      await probe(folders, flags);
    });
}

async function probe(folders: readonly string[], flags: Flags): Promise<void> {
  const { findRuns } = await import('../analysis/find-runs.js');
  const { defaultThreads, loadEngine } = await import('../train/engine/load.js');
  const { Prober } = await import('../probe/prober.js');
  const { probeDefaults } = await import('../probe/probe.js');
  const { probes } = await import('../probe/registry.js');
  const { nodeEnvironment } = await import('../store/environment.js');
  const { effectiveStatus } = await import('../store/run-info.js');
  const found = await findRuns(folders, flags.exchanged ?? false);
  for (const problem of found.problems) tell(`left out: ${problem}`);
  const halves = found.exchanged.length;
  if (halves > 0 && flags.exchanged !== true) {
    const what = halves === 1 ? '1 half' : `${halves} halves`;
    tell(`left out: ${what} of runs with tags exchanged; --exchanged probes them too`);
  }
  const runs = flags.exchanged === true ? [...found.runs, ...found.exchanged] : found.runs;
  const width = await widestModel(runs.map(({ folder }) => folder));
  const engine = await loadEngine({
    engine: flags.engine,
    threads: flags.threads ?? defaultThreads({ width }),
  });
  const line = new StatusLine(standardError());
  const started = line.now();
  const options = {
    ...probeDefaults,
    variablesPerSubset: flags.variables,
    questions: flags.questions,
    draws: flags.draws,
    factors: flags.factors ?? false,
    only: namesOf(flags.only, probes),
  };
  let done = 0;
  let before = 0;
  let left = runs.length;
  const prober = new Prober(
    options,
    { engine },
    {
      onMessage: (message) => line.message(message),
      onProgress: ({ folder, step, totalSteps, share }) =>
        line.show(() => {
          const rate = (done + share) / (line.now() - started);
          const time = rate > 0 ? `  ${formatDuration((left - share) / rate)} left` : '';
          return `probing run ${done + 1} of ${done + left}: ${folder}, step ${step}/${totalSteps}${time}`;
        }),
    },
  );
  try {
    for (const { folder, info } of runs) {
      if (flags.missing === true && prober.isProbed(folder)) {
        before++;
        left--;
        continue;
      }
      try {
        if (effectiveStatus(info, nodeEnvironment.processes).status === 'running') {
          throw new UserError(`${folder}: is being written; probe it when it has ended`);
        }
        await prober.probe(folder);
        done++;
      } catch (error) {
        // One run that cannot be probed keeps no other from its turn.
        if (!(error instanceof UserError) || runs.length === 1) throw error;
        line.message(`left out: ${error.message}`);
        process.exitCode = 1;
      }
      left--;
    }
  } finally {
    line.end();
    prober.dispose();
  }
  const failed = runs.length - done - before;
  print(
    `probed ${done} runs in ${formatDuration(line.now() - started)}` +
      (before === 0 ? '' : `; ${before} had their tables already`) +
      (failed === 0 ? '' : `; ${failed} left out`),
  );
  print(`next: ${programCommand('analyze', ...folders)}`);
}

/** Width of the widest model of some runs; a run whose config cannot be read says why when its turn comes. */
async function widestModel(folders: readonly string[]): Promise<number> {
  const { loadRunConfig } = await import('../run/experiment-module.js');
  const { modelWidth } = await import('../train/models/registry.js');
  const { configPath } = await import('../store/run-folder.js');
  const widths = [0];
  for (const folder of folders) {
    try {
      const { config } = await loadRunConfig(configPath(folder));
      widths.push(modelWidth(config.model));
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
    }
  }
  return Math.max(...widths);
}

/** Names of probes, separated by commas. Throws a UserError for one that there is not. */
function namesOf(text: string | undefined, probes: readonly { readonly name: string }[]): string[] | null {
  if (text === undefined) return null;
  const names = text.split(',').map((name) => name.trim());
  const known = probes.map(({ name }) => name);
  const unknown = names.find((name) => !known.includes(name));
  if (unknown !== undefined)
    throw new UserError(`there is no probe ${unknown}; there are ${known.join(', ')}`);
  return names;
}

function positive(text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 1)
    throw new InvalidArgumentError('expected a positive whole number');
  return value;
}
