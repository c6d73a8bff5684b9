import { existsSync } from 'node:fs';
import path from 'node:path';
import { Command, Option } from 'commander';
import { printableJson } from '../../data/printable.js';
import type { SweepAnalysis, SweepDocument } from '../analysis/sweep.js';
import type { RunsEnd } from '../run/request.js';
import type { Sweep } from '../run/sweep-config.js';
import type { Threads } from '../train/engine/load.js';
import type { EngineName } from '../train/engine/names.js';
import { exitCodeOfRuns, exitCodes } from './exit-codes.js';
import { engineOption, parseSeeds, threadsOption } from './options.js';
import { print, tell } from './output.js';
import { presetFile } from './preset.js';
import { formatDuration, ProgressLine, standardError } from './progress.js';
import { listenForStop } from './stop-signals.js';
import { columnsOf } from '../report/terminal.js';
import { versions } from './version.js';

interface Flags {
  readonly set: string[];
  readonly seeds?: number[];
  readonly out: string;
  readonly existing: 'resume' | 'overwrite';
  readonly report?: boolean;
  readonly status?: boolean;
  readonly json?: boolean;
  /** Folder of a pilot, or the folder of the runs itself. */
  readonly power?: string | true;
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
    .option('--report', 'train nothing; write tables and figures of the existing runs')
    .option('--status', 'train nothing; say how far the runs are and how long the rest takes')
    .option('--json', 'with --status: as JSON')
    .option(
      '--power [folder]',
      'train nothing; seeds that the predictions need, by the runs of the sweep in a folder (a pilot), or in --out',
    )
    .addOption(engineOption())
    .addOption(threadsOption())
    .addHelpText(
      'after',
      `
Examples:
  gradscope sweep configs/sweeps/mnist-pairs.yaml
  gradscope sweep configs/sweeps/batch-size-smoke.yaml --status
  gradscope sweep configs/sweeps/batch-size-smoke.yaml --report
  gradscope sweep mine.yaml --seeds 100..103 --out pilot && gradscope sweep mine.yaml --power pilot

Complete runs are kept and interrupted ones continued: after Ctrl-C the same command continues the sweep. Results
(sweep.json, sweep.arrow, sweep.csv, verdicts.arrow) and figures (sweep.svg, arms.svg, and as PNG) are written to
<out>/<experiment>/sweeps/<name>. Exit code 1: a run failed; 75: other processes hold
what is left, or SIGUSR1 or SIGUSR2 stopped it; 130: interrupted.`,
    )
    .action(async (file: string, flags: Flags) => {
      process.exitCode = await sweep(presetFile(file), flags);
    });
}

/** Returns one of {@link exitCodes}; runs that others hold are reported without. */
export async function sweep(file: string, flags: Flags): Promise<number> {
  const { nodeFileSystem } = await import('../store/file-system.js');
  const { loadSweepAndModule } = await import('../run/sweep-config.js');
  const { sweepChanges } = await import('../run/sweep.js');
  const { unknownQuantity } = await import('../analysis/known-quantities.js');
  const { readSweepRecord } = await import('../store/sweep-record.js');
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
  if (flags.status === true) return showStatus(loaded, flags);
  if (flags.power !== undefined) return showPower(loaded, flags.power === true ? flags.out : flags.power);
  const { end, code } =
    flags.report === true ? ({ end: 'complete', code: exitCodes.done } as const) : await train(loaded, flags);
  if (end === 'interrupted') return code;
  if (flags.report !== true) await probeFor(loaded, flags);
  const kept = await report(loaded, flags.out);
  return kept ? code : exitCodes.failed;
}

/** The analysis of a sweep's runs in a folder. */
async function analyse(loaded: Sweep, root: string): Promise<SweepAnalysis> {
  const { armFolders, hashOfSweep, whyOtherConfig } = await import('../run/sweep.js');
  const { analyseSweep } = await import('../analysis/sweep.js');
  const { nodeFileSystem } = await import('../store/file-system.js');
  const { readSweepRecord } = await import('../store/sweep-record.js');
  const { name, description, experiment, design, axes, arms, predictions, outcome, mediator } = loaded;
  const hash = hashOfSweep(loaded);
  return analyseSweep(
    { name, description, experiment, design, axes, predictions, hash, outcome, mediator },
    arms.map((arm) => ({
      name: arm.name,
      values: arm.values,
      seeds: arm.seeds,
      folders: armFolders(arm, root),
      whyOther: (folder) => whyOtherConfig(arm, folder),
    })),
    readSweepRecord(nodeFileSystem, root, experiment, name),
  );
}

/** Prints and keeps what the runs show; whether all of it could be, and no run was left out for its config. */
async function report(loaded: Sweep, out: string): Promise<boolean> {
  const { sweepFolder, sweepFormatVersion } = await import('../analysis/sweep.js');
  const { sweepCsv, sweepRows, writeSweepTable } = await import('../analysis/sweep/table.js');
  const { writeVerdictTable } = await import('../analysis/sweep/verdict-table.js');
  const { loadPlotter } = await import('../report/figures/plot-library.js');
  const { armsFigure } = await import('../report/figures/arms-figure.js');
  const { sweepFigure } = await import('../report/figures/sweep-figure.js');
  const { toPng } = await import('../report/figures/svg.js');
  const { evidenceReport } = await import('../report/text/evidence-report.js');
  const { sweepReport } = await import('../report/text/sweep-report.js');
  const { verdictReport } = await import('../report/text/verdict-report.js');
  const { attempt } = await import('../analysis/failures.js');
  const { makeFolder } = await import('../analysis/write-analysis.js');
  const { writeAtomically } = await import('../store/atomic-file.js');
  const { nodeFileSystem } = await import('../store/file-system.js');
  const { sweepFile } = await import('../store/list-runs.js');

  const analysis = await analyse(loaded, out);
  // Shown whether or not it can be kept.
  const width = columnsOf(process.stdout);
  for (const line of sweepReport(analysis, width)) print(line);
  for (const line of evidenceReport(analysis.evidence, width)) print(line);
  for (const line of verdictReport(analysis, width)) print(line);
  const others = analysis.arms.flatMap(({ quantities }) =>
    quantities[0]!.seeds.flatMap(({ reason }) =>
      reason?.includes('another config') === true ? [reason] : [],
    ),
  );
  for (const reason of others) tell(`gradscope: left out: ${reason}`);
  const folder = sweepFolder(analysis, out);
  const written = await attempt(async () => {
    makeFolder(out, folder);
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
    const plotter = await loadPlotter();
    for (const [own, figure] of [
      ['sweep', sweepFigure(analysis, plotter)],
      ['arms', armsFigure(analysis.evidence, analysis.name, plotter)],
    ] as const) {
      write(`${own}.svg`, figure.svg);
      write(`${own}.png`, toPng(figure));
    }
  });
  if (written.failed === null)
    print(`\nwritten: ${folder}/sweep.{json,arrow,csv,svg,png}, arms.{svg,png}, verdicts.arrow`);
  else tell(`gradscope: the tables and figures are not kept: ${written.failed}`);
  return written.failed === null && others.length === 0;
}

async function showStatus(loaded: Sweep, flags: Flags): Promise<number> {
  const { isProbed } = await import('../probe/prober.js');
  const { probeDefaults } = await import('../probe/probe.js');
  const { sweepStatus } = await import('../run/sweep-status.js');
  const { textTable } = await import('../report/text/table.js');
  const only = await probesOf(loaded);
  const status = sweepStatus(loaded, flags.out, (folder) => isProbed(folder, { ...probeDefaults, only }));
  if (flags.json === true) {
    print(printableJson(status, 2));
    return 0;
  }
  const { arms, stepsDone, stepsTotal, secondsLeft, toProbe } = status;
  const kinds = ['complete', 'running', 'interrupted', 'failed', 'missing'] as const;
  const share = (done: number, total: number): string =>
    `${total === 0 ? 100 : Math.floor((100 * done) / total)} %`;
  const rows = arms.map((own) => [
    own.arm,
    String(own.runs),
    ...kinds.map((kind) => (own[kind] === 0 ? '' : String(own[kind]))),
    share(own.stepsDone, own.stepsTotal),
  ]);
  const head = ['arm', 'runs', ...kinds, 'updates'];
  for (const line of textTable(
    [head, ...rows],
    head.map((_, i) => (i === 0 ? 'left' : 'right')),
  ))
    print(line);
  const left =
    secondsLeft === null
      ? 'how long the rest takes is not known before a run is complete'
      : secondsLeft === 0
        ? 'nothing is left to train'
        : `about ${formatDuration(secondsLeft)} of training left`;
  print(`\n${share(stepsDone, stepsTotal)} of ${stepsTotal} updates; ${left}`);
  if (toProbe > 0) {
    const runs = toProbe === 1 ? '1 run is' : `${toProbe} runs are`;
    print(`${runs} to be probed (${only.join(', ')}), which takes time beside the training`);
  }
  return 0;
}

/** What the predictions need, by the runs in a folder. */
async function showPower(loaded: Sweep, pilot: string): Promise<number> {
  const { plannedPower } = await import('../analysis/sweep/power-plan.js');
  const { powerReport } = await import('../report/text/power-report.js');
  const { seedsInFolder } = await import('../run/sweep.js');
  // A pilot has other seeds than the sweep: what was looked at before is no test of a prediction.
  const arms = loaded.arms.map((arm) => ({ ...arm, seeds: seedsInFolder(arm, pilot) }));
  const { verdicts, arms: analysed } = await analyse({ ...loaded, arms }, pilot);
  for (const { name, quantities } of analysed) {
    const left = quantities[0]!.seeds.flatMap(({ reason }) => reason ?? []);
    if (left.length > 0) tell(`gradscope: arm ${name}: ${left.length} runs left out, the first: ${left[0]}`);
  }
  const plan = plannedPower(verdicts, (arm) => loaded.arms.find(({ name }) => name === arm)?.seeds ?? []);
  for (const line of powerReport(plan, columnsOf(process.stdout))) print(line);
  return 0;
}

/** Names of the probes whose tables the predictions and figures of a sweep are made of. */
async function probesOf({ predictions, outcome, mediator }: Sweep): Promise<string[]> {
  const { sectionOfQuantity } = await import('../analysis/known-quantities.js');
  const asked = [
    outcome,
    ...(mediator === null ? [] : [mediator]),
    ...predictions.map((own) => own.quantity),
  ];
  return [...new Set(asked.flatMap((id) => sectionOfQuantity(id)?.probe ?? []))];
}

/** Probes the complete runs for what predictions and figures are about, where they lack it. */
async function probeFor(sweep: Sweep, flags: Flags): Promise<void> {
  const { armFolders } = await import('../run/sweep.js');
  const { listRuns } = await import('../store/list-runs.js');
  const { probeFlags, probeRuns } = await import('./probe.js');
  const probes = await probesOf(sweep);
  if (probes.length === 0) return;
  const folders: string[] = [];
  for (const folder of sweep.arms.flatMap((arm) => armFolders(arm, flags.out))) {
    if (!existsSync(folder)) continue;
    const [run] = await listRuns(folder, { depth: 0 });
    if (run?.info?.status === 'complete') folders.push(folder);
  }
  if (folders.length === 0) return;
  const { engine, threads } = flags;
  const only = probes.join(',');
  const { probed, seconds } = await probeRuns(folders, {
    ...probeFlags,
    only,
    missing: true,
    engine,
    ...(threads === undefined ? {} : { threads }),
  });
  if (probed > 0) tell(`probed ${probed} runs (${only}) in ${formatDuration(seconds)}`);
}

async function train(
  loaded: Sweep,
  flags: Flags,
): Promise<{ readonly end: RunsEnd['end']; readonly code: number }> {
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
    const { end, failed, busy } = await runSweep(
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
    for (const { reason } of busy) tell(`gradscope: ${reason}`);
    if (end === 'interrupted') {
      tell('interrupted; the same command goes on');
      return { end, code: stop.exitCode };
    }
    return { end, code: exitCodeOfRuns({ failed, busy }) };
  } finally {
    line.end();
    stop.release();
  }
}
