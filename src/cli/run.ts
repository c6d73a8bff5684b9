import { Command, Option } from 'commander';
import { UserError } from '../../data/errors.js';
import { shellCommand } from '../../data/shell-word.js';
import type { ExistingRuns } from '../run/run.js';
import type { Threads } from '../train/engine/load.js';
import type { EngineName } from '../train/engine/names.js';
import { engineOption, parseSeeds, threadsOption } from './options.js';
import { print, tell } from './output.js';
import { ProgressLine, standardError } from './progress.js';
import { listenForStop } from './stop-signals.js';
import { versions } from './version.js';

interface Flags {
  readonly seed?: number[];
  readonly seeds?: number[];
  readonly set: string[];
  readonly out: string;
  readonly resume?: string;
  readonly existing: ExistingRuns;
  readonly engine: EngineName | 'auto';
  readonly threads?: Threads;
}

export function runCommand(): Command {
  return new Command('run')
    .description('train an experiment and log the gradient of every minibatch')
    .argument('[config]', 'experiment file, such as configs/set-inclusion.yaml')
    .addOption(new Option('--seed <seed>', 'one seed').argParser(parseSeeds).conflicts('seeds'))
    .option('--seeds <seeds>', 'several seeds, such as 0..7; they train together', parseSeeds)
    .option('--set <key=value>', 'override a config value; may be given again', collect, [])
    .option('--out <folder>', 'folder that holds the runs', 'runs')
    .addOption(
      new Option('--resume <run>', 'go on with an interrupted run (and those it trained with)')
        // A resumed run has all of these from its folder.
        .conflicts(['seed', 'seeds', 'set', 'existing']),
    )
    .addOption(
      new Option(
        '--existing <what>',
        'what to do with runs that are there and unfinished or of another config',
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
  if (flags.existing === 'overwrite')
    throw new UserError(
      `${file}: a sweep leaves complete runs as they are; remove those that it is to train again`,
    );
  const { sweep } = await import('./sweep.js');
  return sweep(file, flags);
}

/** Returns the exit code: 0 done, 1 some run failed, 130 interrupted. */
async function run(config: string | undefined, flags: Flags): Promise<number> {
  if ((config === undefined) === (flags.resume === undefined)) {
    throw new UserError('give an experiment file, or --resume with a run folder');
  }
  const { loadConfig } = await import('../config/load.js');
  const { isSweepFile } = await import('../run/sweep-config.js');
  if (config !== undefined && isSweepFile(config)) return runSweepFile(config, flags);
  const { runSchema } = await import('../run/config.js');
  const { configPath, readRunInfo } = await import('../store/run-folder.js');
  if (flags.resume !== undefined) readRunInfo(flags.resume);
  const file = flags.resume === undefined ? config! : configPath(flags.resume);
  const { config: parsed, resolved } = loadConfig(file, runSchema, flags.set);
  const { defaultThreads, loadEngine } = await import('../train/engine/load.js');
  const { modelWidth } = await import('../train/models/registry.js');
  const threads = flags.threads ?? defaultThreads({ width: modelWidth(parsed.model) });
  const engine = await loadEngine({ engine: flags.engine, threads });

  const line = new ProgressLine(standardError());
  if (engine.notice !== null) line.message(engine.notice);
  const stop = listenForStop(line);
  const { resumeRuns, startRuns } = await import('../run/run.js');
  const request = {
    root: flags.out,
    engine,
    command: ['gradscope', ...process.argv.slice(2)],
    signal: stop.signal,
    onProgress: (progress: Parameters<ProgressLine['update']>[0]) => line.update(progress),
    onMessage: (message: string) => line.message(message),
    existing: flags.existing,
    versions: { ...versions(), engine: engine.version },
  };
  try {
    const seeds = flags.seeds ?? flags.seed ?? [0];
    const { end, folders, failed } =
      flags.resume === undefined
        ? await startRuns(parsed, resolved, seeds, request)
        : await resumeRuns(flags.resume, request);
    line.end();
    for (const { folder, reason } of failed) tell(`gradscope: ${folder}: ${reason}`);
    if (end === 'interrupted') {
      tell(
        `interrupted; continue with: ${shellCommand(['npx', 'gradscope', 'run', '--resume', folders[0]!])}`,
      );
      return 130;
    }
    for (const folder of folders) print(folder);
    return failed.length > 0 ? 1 : 0;
  } finally {
    line.end();
    stop.release();
  }
}
