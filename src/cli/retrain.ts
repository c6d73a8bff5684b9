import { Command } from 'commander';
import { UserError } from '../../data/errors.js';
import { programCommand } from '../../data/shell-word.js';
import type { Threads } from '../train/engine/load.js';
import type { EngineName } from '../train/engine/names.js';
import type { ShownScore } from '../report/text/retrain-report.js';
import { engineOption, positive, threadsOption } from './options.js';
import { print, tell } from './output.js';
import { formatDuration, standardError } from './progress.js';
import { StatusLine } from './status-line.js';
import { listenForStop } from './stop-signals.js';
import { widestModel } from './widest-model.js';

interface Flags {
  readonly variables: number;
  readonly questions: number;
  readonly halves: number;
  readonly orders: number;
  readonly replicas?: number;
  readonly missing?: boolean;
  readonly engine: EngineName | 'auto';
  readonly threads?: Threads;
}

export function retrainCommand(): Command {
  return new Command('retrain')
    .description(
      'train the stage of new variables again without a definition, with its tag swapped, and with random halves: what cheap ' +
        'predictions say of it',
    )
    .argument('<folders...>', 'folders of complete runs, or folders that hold runs')
    .option('--variables <n>', 'variables of each subset that are dropped and asked about', positive, 25)
    .option('--questions <n>', 'questions per variable', positive, 12)
    .option('--halves <n>', 'random halves of the definitions', positive, 100)
    .option(
      '--orders <n>',
      'orders of minibatches and noise, that of the run among them: what retraining says of itself',
      positive,
      2,
    )
    .option('--replicas <n>', 'retrainings that are computed together (default: by memory)', positive)
    .option('--missing', 'skip runs that have been retrained')
    .addOption(engineOption())
    .addOption(threadsOption())
    .addHelpText(
      'after',
      `
Examples:
  gradscope retrain runs/set-inclusion
  gradscope retrain runs/set-inclusion/small-seed0 --variables 5 --halves 20 --orders 1

Ctrl-C stops at the next update; the same command goes on. Writes the tables retrained, retrain_halves, retrain_predictions and
retrain_scores into each run folder; gradscope analyze reads them.`,
    )
    .action(async (folders: string[], flags: Flags) => {
      await retrainFolders(folders, flags);
    });
}

/** Share of the work before which a rate says nothing. */
const soon = 0.003;

async function retrainFolders(folders: readonly string[], flags: Flags): Promise<void> {
  const { findRuns } = await import('../analysis/find-runs.js');
  const { openRun } = await import('../analysis/run-data.js');
  const { scoreRetrained } = await import('../analysis/studies/retrain/table.js');
  const { retrainReport } = await import('../report/text/retrain-report.js');
  const { retrainRun } = await import('../probe/retrain.js');
  const { RetrainTools } = await import('../probe/retrain/tools.js');
  const { availableMemory } = await import('../machine/memory.js');
  const { defaultThreads, loadEngine } = await import('../train/engine/load.js');
  const found = await findRuns(folders);
  for (const problem of found.problems) tell(`left out: ${problem}`);
  const pending = found.runs.filter((run) => flags.missing !== true || !run.tables.has('retrain_scores'));
  const width = await widestModel(pending.map(({ folder }) => folder));
  const threads = flags.threads ?? defaultThreads({ width });
  const line = new StatusLine(standardError());
  const started = line.now();
  const scored: { readonly name: string; readonly scores: readonly ShownScore[] }[] = [];
  /** `interrupted`: the exit code of a signal. */
  const counts: { retrained: number; failed: number; interrupted: number | null } = {
    retrained: 0,
    failed: 0,
    interrupted: null,
  };
  if (pending.length > 0) {
    const engine = await loadEngine({ engine: flags.engine, threads });
    const tools = new RetrainTools();
    const stop = listenForStop(line, 'stopping; retrainings that are finished are kept');
    const options = {
      variables: flags.variables,
      questions: flags.questions,
      halves: flags.halves,
      orders: flags.orders,
      replicas: flags.replicas ?? null,
    };
    try {
      for (const [i, { folder, info }] of pending.entries()) {
        try {
          const end = await retrainRun(folder, options, { engine, memory: availableMemory }, tools, {
            signal: stop.signal,
            onMessage: (text) => line.message(text),
            onProgress: ({ done, all, share }) =>
              line.show(() => {
                const seconds = line.now() - started;
                const whole = (i + share) / pending.length;
                const left = whole > soon ? `  ${formatDuration((seconds * (1 - whole)) / whole)} left` : '';
                return `retraining run ${i + 1} of ${pending.length}: ${folder}, ${done}/${all} retrainings (${Math.floor(100 * share)} %)${left}`;
              }),
          });
          if (end === 'interrupted') {
            counts.interrupted = stop.exitCode;
            break;
          }
          const scores = await scoreRetrained(await openRun(folder));
          if (scores !== null) scored.push({ name: `${info.experiment}/${info.name}`, scores });
          counts.retrained++;
        } catch (error) {
          if (!(error instanceof UserError)) throw error;
          if (pending.length === 1) throw error;
          line.message(`left out: ${error.message}`);
          counts.failed++;
          process.exitCode = 1;
        }
      }
    } finally {
      stop.release();
      tools.dispose();
      line.end();
    }
  }
  for (const name of new Set(scored.map((own) => own.name))) {
    const own = scored.filter((one) => one.name === name);
    print(`\n${name}, ${own.length} ${own.length === 1 ? 'run' : 'runs'}`);
    for (const text of retrainReport(own.map(({ scores }) => scores))) print(text);
  }
  const { retrained, failed, interrupted } = counts;
  const before = found.runs.length - pending.length;
  print(
    `\nretrained ${retrained} ${retrained === 1 ? 'run' : 'runs'} in ${formatDuration(line.now() - started)}` +
      (before === 0 ? '' : `; ${before} had their tables already`) +
      (failed === 0 ? '' : `; ${failed} left out`),
  );
  if (interrupted !== null) {
    process.exitCode = interrupted;
    print('interrupted; the same command goes on');
  } else print(`next: ${programCommand('analyze', ...folders)}`);
}
