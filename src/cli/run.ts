import path from 'node:path';
import { performance } from 'node:perf_hooks';
import { Command, Option } from 'commander';
import { UserError } from '../../data/errors.js';
import { programCommand } from '../../data/shell-word.js';
import type { Threads } from '../train/engine/load.js';
import type { EngineName } from '../train/engine/names.js';
import { exitCodeOfRuns } from './exit-codes.js';
import { engineOption, parseSeeds, threadsOption } from './options.js';
import { print, tell } from './output.js';
import { presetFile } from './preset.js';
import { formatDuration, ProgressLine, standardError } from './progress.js';
import { listenForStop } from './stop-signals.js';
import { versions } from './version.js';

interface Flags {
  readonly seed?: number[];
  readonly seeds?: number[];
  readonly set: string[];
  readonly out: string;
  readonly resume?: string;
  readonly existing: 'refuse' | 'resume' | 'overwrite';
  readonly engine: EngineName | 'auto';
  readonly threads?: Threads;
}

export function runCommand(): Command {
  return new Command('run')
    .description('train an experiment and log the gradient of every minibatch')
    .argument('[config]', 'experiment file, such as configs/set-inclusion.yaml, or the name of a preset')
    .addOption(new Option('--seed <seed>', 'one seed').argParser(parseSeeds).conflicts('seeds'))
    .option('--seeds <seeds>', 'several seeds, such as 0..7; they train together', parseSeeds)
    .option('--set <key=value>', 'override a config value; can be repeated', collect, [])
    .option('--out <folder>', 'folder that holds the runs', 'runs')
    .addOption(
      new Option('--resume <run>', 'continue an interrupted run (and the seeds that trained with it)')
        // A resumed run has all of these from its folder.
        .conflicts(['seed', 'seeds', 'set', 'existing']),
    )
    .addOption(
      new Option(
        '--existing <what>',
        'what to do with existing runs that are unfinished or have another config',
      )
        .choices(['refuse', 'resume', 'overwrite'])
        .default('refuse'),
    )
    .addOption(engineOption())
    .addOption(threadsOption())
    .addHelpText(
      'after',
      `
Examples:
  gradscope run configs/set-inclusion.yaml --seeds 0..7
  gradscope run configs/set-inclusion.yaml --seed 3 --set data.alpha=0.5 --set name=alpha50
  gradscope run --resume runs/set-inclusion/small-seed3

Ctrl-C stops at the next step and leaves a run that --resume continues to the same weights.`,
    )
    .action(async (config: string | undefined, flags: Flags) => {
      process.exitCode = await run(config, flags);
    });
}

function collect(value: string, before: string[]): string[] {
  return [...before, value];
}

/** A sweep file says itself which seeds it runs, and always goes on with what was interrupted. */
async function runSweepFile(file: string, flags: Flags): Promise<number> {
  if (flags.seed !== undefined || flags.seeds !== undefined)
    throw new UserError(
      `${file}: is a sweep, whose points have seeds of their own; leave --seed and --seeds out`,
    );
  const { sweep } = await import('./sweep.js');
  return sweep(file, { ...flags, existing: flags.existing === 'overwrite' ? 'overwrite' : 'resume' });
}

/** Returns one of `exitCodes`. */
async function run(config: string | undefined, flags: Flags): Promise<number> {
  if ((config === undefined) === (flags.resume === undefined)) {
    throw new UserError('give an experiment file, or --resume with a run folder');
  }
  const { isSweepFile } = await import('../run/sweep-config.js');
  const given = config === undefined ? null : presetFile(config);
  if (given !== null && isSweepFile(given)) return runSweepFile(given, flags);
  const { loadRunConfig } = await import('../run/experiment-module.js');
  const { configPath, readRunInfo } = await import('../store/run-folder.js');
  const isInterrupted = (folder: string): boolean => {
    try {
      return readRunInfo(folder).status === 'interrupted';
    } catch {
      return false;
    }
  };
  if (flags.resume !== undefined) readRunInfo(flags.resume);
  const file = flags.resume === undefined ? given! : configPath(flags.resume);
  const { config: parsed, resolved } = await loadRunConfig(file, flags.set);
  const { defaultThreads, loadEngine } = await import('../train/engine/load.js');
  const { modelWidth } = await import('../train/models/registry.js');
  const threads = flags.threads ?? defaultThreads({ width: modelWidth(parsed.model) });
  const engine = await loadEngine({ engine: flags.engine, threads });

  const line = new ProgressLine(standardError());
  if (engine.notice !== null) line.message(engine.notice);
  const stop = listenForStop(line);
  const { resumeRuns, startRuns } = await import('../run/run.js');
  const started = performance.now();
  let trained = false;
  const request = {
    root: flags.out,
    engine,
    command: ['gradscope', ...process.argv.slice(2)],
    signal: stop.signal,
    onProgress: (progress: Parameters<ProgressLine['update']>[0]) => {
      trained = true;
      line.update(progress);
    },
    onMessage: (message: string) => line.message(message),
    existing: flags.existing,
    versions: { ...versions(), engine: engine.version },
  };
  try {
    const seeds = flags.seeds ?? flags.seed ?? [0];
    const { end, folders, failed, busy } =
      flags.resume === undefined
        ? await startRuns(parsed, resolved, seeds, request)
        : await resumeRuns(flags.resume, request);
    line.end();
    for (const { folder, reason } of failed) tell(`gradscope: ${folder}: ${reason}`);
    for (const reason of new Set(busy.map((own) => own.reason))) tell(`gradscope: ${reason}`);
    if (end === 'interrupted') {
      const open = folders.find((folder) => isInterrupted(folder)) ?? folders[0]!;
      tell(`interrupted; continue with: ${programCommand('run', '--resume', open)}`);
      return stop.exitCode;
    }
    for (const folder of folders) print(folder);
    if (trained) await summarise(folders, (performance.now() - started) / 1000);
    return exitCodeOfRuns({ failed, busy });
  } finally {
    line.end();
    stop.release();
  }
}

/** Says what came out, how long it took, and what to type next. */
async function summarise(folders: readonly string[], seconds: number): Promise<void> {
  const { gapSummary } = await import('../analysis/studies/internalization/gap-summary.js');
  for (const text of await gapSummary(folders)) tell(text);
  const runs = folders.length === 1 ? folders[0]! : path.dirname(folders[0]!);
  const next = programCommand('analyze', runs);
  tell(`done in ${formatDuration(seconds)}; next: ${next}`);
}
