import path from 'node:path';
import type { SweepDocument } from '../../analysis/sweep.js';
import { columnsOf } from '../../report/terminal.js';
import type { Sweep } from '../../run/sweep-config.js';
import { print, tell } from '../output.js';
import { versions } from '../version.js';
import { analysisOfSweep } from './analysis.js';

/** Prints and keeps what the runs show; whether all of it could be, and no run was left out for its config. */
export async function reportSweep(loaded: Sweep, out: string): Promise<boolean> {
  const { sweepFolder, sweepFormatVersion } = await import('../../analysis/sweep.js');
  const { sweepCsv, sweepRows, writeSweepTable } = await import('../../analysis/sweep/table.js');
  const { writeVerdictTable } = await import('../../analysis/sweep/verdict-table.js');
  const { loadPlotter } = await import('../../report/figures/plot-library.js');
  const { armsFigure } = await import('../../report/figures/arms-figure.js');
  const { sweepFigure } = await import('../../report/figures/sweep-figure.js');
  const { toPng } = await import('../../report/figures/svg.js');
  const { evidenceReport } = await import('../../report/text/evidence-report.js');
  const { sweepReport } = await import('../../report/text/sweep-report.js');
  const { verdictReport } = await import('../../report/text/verdict-report.js');
  const { attempt } = await import('../../analysis/failures.js');
  const { makeFolder } = await import('../../analysis/write-analysis.js');
  const { writeAtomically } = await import('../../store/atomic-file.js');
  const { nodeFileSystem } = await import('../../store/file-system.js');
  const { sweepFile } = await import('../../store/list-runs.js');

  const analysis = await analysisOfSweep(loaded, out);
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
