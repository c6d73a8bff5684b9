import path from 'node:path';
import { Command, Option } from 'commander';
import type { SweepDocument } from '../analysis/sweep.js';
import type { Sweep } from '../run/sweep-config.js';
import type { Threads } from '../train/engine/load.js';
import type { EngineName } from '../train/engine/names.js';
import { engineOption, threadsOption } from './options.js';
import { print, tell } from './output.js';
import { presetFile } from './preset.js';
import { ProgressLine, standardError } from './progress.js';
import { listenForStop } from './stop-signals.js';
import { columnsOf } from '../report/terminal.js';
import { versions } from './version.js';

interface Flags {
  readonly set: string[];
  readonly out: string;
  readonly existing: 'resume' | 'overwrite';
  readonly report?: boolean;
  readonly engine: EngineName | 'auto';
  readonly threads?: Threads;
}

export function sweepCommand(): Command {
  return new Command('sweep')
    .description(
      'train an experiment in several arms: values of its keys, or named overrides; draw what changes',
    )
    .argument('<sweep>', 'sweep file, such as configs/sweeps/mnist-pairs.yaml')
    .option(
      '--set <key=value>',
      'override a value of the experiment in every arm; can be repeated',
      (value: string, before: string[]) => [...before, value],
      [],
    )
    .option('--out <folder>', 'folder that holds the runs', 'runs')
    .addOption(
      new Option(
        '--existing <what>',
        'what to do with existing runs that cannot be continued or have another config: leave them, or train them again',
      )
        .choices(['resume', 'overwrite'])
        .default('resume'),
    )
    .option('--report', 'train nothing; write table and figure of the existing runs')
    .addOption(engineOption())
    .addOption(threadsOption())
    .addHelpText(
      'after',
      `
Examples:
  gradscope sweep configs/sweeps/mnist-pairs.yaml
  gradscope sweep configs/sweeps/mnist-pairs.yaml --report

Complete runs are kept and interrupted ones continued: after Ctrl-C the same command continues the sweep. Table
(sweep.json, sweep.arrow, sweep.csv) and figure (sweep.svg, sweep.png) are written to <out>/<experiment>/sweeps/<name>.`,
    )
    .action(async (file: string, flags: Flags) => {
      process.exitCode = await sweep(presetFile(file), flags);
    });
}

/** Returns the exit code: 0 done, 1 some run failed, 130 interrupted. */
export async function sweep(file: string, flags: Flags): Promise<number> {
  const { loadSweepAndModule } = await import('../run/sweep-config.js');
  const { armFolders, whyOtherConfig } = await import('../run/sweep.js');
  const loaded = await loadSweepAndModule(file, flags.set);
  const code = flags.report === true ? 0 : await train(loaded, flags);
  if (code === 130) return code;

  const { analyseSweep, sweepFolder, sweepFormatVersion } = await import('../analysis/sweep.js');
  const { sweepCsv, sweepRows, writeSweepTable } = await import('../analysis/sweep/table.js');
  const { loadPlotter } = await import('../report/figures/plot-library.js');
  const { sweepFigure } = await import('../report/figures/sweep-figure.js');
  const { toPng } = await import('../report/figures/svg.js');
  const { sweepReport } = await import('../report/text/sweep-report.js');
  const { attempt } = await import('../analysis/failures.js');
  const { makeFolder } = await import('../analysis/write-analysis.js');
  const { writeAtomically } = await import('../store/atomic-file.js');
  const { nodeFileSystem } = await import('../store/file-system.js');
  const { sweepFile } = await import('../store/list-runs.js');

  const { name, description, experiment, design, axes, arms } = loaded;
  const analysis = await analyseSweep(
    { name, description, experiment, design, axes },
    arms.map((arm) => ({
      name: arm.name,
      values: arm.values,
      seeds: arm.seeds,
      folders: armFolders(arm, flags.out),
      whyOther: (folder) => whyOtherConfig(arm, folder),
    })),
  );
  // Shown whether or not it can be kept.
  for (const line of sweepReport(analysis, columnsOf(process.stdout))) print(line);
  const others = analysis.arms.flatMap(({ quantities }) =>
    quantities[0]!.seeds.flatMap(({ reason }) =>
      reason?.includes('another config') === true ? [reason] : [],
    ),
  );
  for (const reason of others) tell(`gradscope: left out: ${reason}`);
  const folder = sweepFolder(analysis, flags.out);
  const written = await attempt(async () => {
    makeFolder(flags.out, folder);
    const write = (own: string, content: string | Uint8Array): void =>
      writeAtomically(
        nodeFileSystem,
        path.join(folder, own),
        typeof content === 'string' ? content : [content],
      );
    const document: SweepDocument = {
      formatVersion: sweepFormatVersion,
      command: ['gradscope', ...process.argv.slice(2)],
      versions: versions(),
      ...analysis,
    };
    write(sweepFile, `${JSON.stringify(document, null, 2)}\n`);
    const rows = sweepRows(analysis);
    await writeSweepTable(folder, analysis, rows);
    write('sweep.csv', sweepCsv(rows));
    const figure = sweepFigure(analysis, await loadPlotter());
    write('sweep.svg', figure.svg);
    write('sweep.png', toPng(figure));
  });
  if (written.failed === null) print(`\nwritten: ${folder}/sweep.{json,arrow,csv,svg,png}`);
  else tell(`gradscope: the table and figure are not kept: ${written.failed}`);
  return written.failed === null && others.length === 0 ? code : Math.max(1, code);
}

async function train(loaded: Sweep, flags: Flags): Promise<number> {
  const { defaultThreads, loadEngine } = await import('../train/engine/load.js');
  const { modelWidth } = await import('../train/models/registry.js');
  const { runSweep } = await import('../run/sweep.js');
  const width = Math.max(...loaded.arms.map(({ config }) => modelWidth(config.model)));
  const engine = await loadEngine({
    engine: flags.engine,
    threads: flags.threads ?? defaultThreads({ width }),
  });

  const line = new ProgressLine(standardError());
  if (engine.notice !== null) line.message(engine.notice);
  const stop = listenForStop(line);
  try {
    const { end, failed } = await runSweep(
      loaded,
      {
        root: flags.out,
        engine,
        command: ['gradscope', ...process.argv.slice(2)],
        signal: stop.signal,
        onProgress: (progress) => line.update(progress),
        onMessage: (message) => line.message(message),
        versions: { ...versions(), engine: engine.version },
      },
      ({ name, seeds }, index) => {
        line.end();
        line.message(`arm ${index + 1} of ${loaded.arms.length}: ${name}, ${seeds.length} seeds`);
      },
      flags.existing === 'overwrite',
    );
    line.end();
    for (const { folder, reason } of failed) tell(`gradscope: ${folder}: ${reason}`);
    if (end === 'interrupted') {
      tell('interrupted; the same command goes on');
      return 130;
    }
    return failed.length > 0 ? 1 : 0;
  } finally {
    line.end();
    stop.release();
  }
}
