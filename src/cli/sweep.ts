import { existsSync } from 'node:fs';
import path from 'node:path';
import { Command, Option } from 'commander';
import type { SweepDocument } from '../analysis/sweep.js';
import type { Sweep } from '../run/sweep-config.js';
import type { Threads } from '../train/engine/load.js';
import type { EngineName } from '../train/engine/names.js';
import { engineOption, threadsOption } from './options.js';
import { print, tell } from './output.js';
import { presetFile } from './preset.js';
import { formatDuration, ProgressLine, standardError } from './progress.js';
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
  const { nodeFileSystem } = await import('../store/file-system.js');
  const { loadSweepAndModule } = await import('../run/sweep-config.js');
  const { armFolders, hashOfSweep, sweepChanges, whyOtherConfig } = await import('../run/sweep.js');
  const { unknownQuantity } = await import('../analysis/known-quantities.js');
  const { readSweepRecord } = await import('../store/sweep-record.js');
  const loaded = await loadSweepAndModule(file, flags.set, unknownQuantity);
  const before = readSweepRecord(nodeFileSystem, flags.out, loaded.experiment, loaded.name);
  const changes = sweepChanges(loaded, before, flags.out);
  if (changes.length > 0) {
    tell(`gradscope: ${file} says otherwise than on ${before.versions.at(-1)!.since}:`);
    for (const change of changes) tell(`  ${change}`);
  }
  const code = flags.report === true ? 0 : await train(loaded, flags);
  if (code === 130) return code;
  if (flags.report !== true) await probeFor(loaded, flags);

  const { analyseSweep, sweepFolder, sweepFormatVersion } = await import('../analysis/sweep.js');
  const { sweepCsv, sweepRows, writeSweepTable } = await import('../analysis/sweep/table.js');
  const { loadPlotter } = await import('../report/figures/plot-library.js');
  const { sweepFigure } = await import('../report/figures/sweep-figure.js');
  const { toPng } = await import('../report/figures/svg.js');
  const { writeVerdictTable } = await import('../analysis/sweep/verdict-table.js');
  const { verdictReport } = await import('../report/text/verdict-report.js');
  const { sweepReport } = await import('../report/text/sweep-report.js');
  const { attempt } = await import('../analysis/failures.js');
  const { makeFolder } = await import('../analysis/write-analysis.js');
  const { writeAtomically } = await import('../store/atomic-file.js');
  const { sweepFile } = await import('../store/list-runs.js');

  const { name, description, experiment, design, axes, arms, predictions } = loaded;
  const analysis = await analyseSweep(
    { name, description, experiment, design, axes, predictions, hash: hashOfSweep(loaded) },
    arms.map((arm) => ({
      name: arm.name,
      values: arm.values,
      seeds: arm.seeds,
      folders: armFolders(arm, flags.out),
      whyOther: (folder) => whyOtherConfig(arm, folder),
    })),
    readSweepRecord(nodeFileSystem, flags.out, experiment, name),
  );
  // Shown whether or not it can be kept.
  const width = columnsOf(process.stdout);
  for (const line of sweepReport(analysis, width)) print(line);
  for (const line of verdictReport(analysis, width)) print(line);
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
    await writeVerdictTable(folder, analysis);
    write('sweep.csv', sweepCsv(rows));
    const figure = sweepFigure(analysis, await loadPlotter());
    write('sweep.svg', figure.svg);
    write('sweep.png', toPng(figure));
  });
  if (written.failed === null) print(`\nwritten: ${folder}/sweep.{json,arrow,csv,svg,png}, verdicts.arrow`);
  else tell(`gradscope: the table and figure are not kept: ${written.failed}`);
  return written.failed === null && others.length === 0 ? code : Math.max(1, code);
}

/** Probes the complete runs for what predictions are about, where they lack it. */
async function probeFor({ predictions, arms }: Sweep, flags: Flags): Promise<void> {
  const { sectionOfQuantity } = await import('../analysis/known-quantities.js');
  const { armFolders } = await import('../run/sweep.js');
  const { listRuns } = await import('../store/list-runs.js');
  const { probeFlags, probeRuns } = await import('./probe.js');
  const probes = new Set(predictions.flatMap(({ quantity }) => sectionOfQuantity(quantity)?.probe ?? []));
  if (probes.size === 0) return;
  const folders: string[] = [];
  for (const folder of arms.flatMap((arm) => armFolders(arm, flags.out))) {
    if (!existsSync(folder)) continue;
    const [run] = await listRuns(folder, { depth: 0 });
    if (run?.info?.status === 'complete') folders.push(folder);
  }
  if (folders.length === 0) return;
  const { engine, threads } = flags;
  const only = [...probes].join(',');
  const { probed, seconds } = await probeRuns(folders, {
    ...probeFlags,
    only,
    missing: true,
    engine,
    ...(threads === undefined ? {} : { threads }),
  });
  if (probed > 0) tell(`probed ${probed} runs (${only}) in ${formatDuration(seconds)}`);
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
      (arms, first) => {
        line.end();
        const names = arms.map(({ name }) => name).join(', ');
        const runs = arms.reduce((sum, { seeds }) => sum + seeds.length, 0);
        line.message(
          `arm ${first + 1} of ${loaded.arms.length}: ${names}, ${runs} runs${arms.length > 1 ? ', together' : ''}`,
        );
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
