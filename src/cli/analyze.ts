import path from 'node:path';
import { Command } from 'commander';
import { printableJson } from '../../data/printable.js';
import type { AnalysedArm } from '../analysis/tag-control.js';
import { print, tell } from './output.js';
import { standardError } from './progress.js';
import { columnsOf, terminalStyle } from '../report/terminal.js';
import { versions } from './version.js';

export function analyzeCommand(): Command {
  return new Command('analyze')
    .description(
      'report what runs show: internalization, gradient alignment, gradient noise, with nulls and intervals',
    )
    .argument('<folders...>', 'run folders, or folders that hold runs')
    .option('--json', 'print the analysis as JSON instead of a report')
    .option(
      '--study <module>',
      'a further section, the default export of a module; can be repeated',
      (value: string, before: string[]) => [...before, value],
      [],
    )
    .option('--out <folder>', 'write the analysis of each config to <folder>/<name>')
    .addHelpText(
      'after',
      `
Examples:
  gradscope analyze runs/set-inclusion
  gradscope analyze runs/set-inclusion/small-seed{0..7}
  gradscope analyze runs/set-inclusion --study ./mine.mjs
  gradscope analyze runs --json | jq '.[0].sections[0].quantities[0].estimate'

Runs of one config are averaged over their seeds. Everything printed, with the values of each seed, is written to
<folder of the runs>/analysis/<name>/: analysis.json, and tables quantities, controls, seed_values, entity_values,
claims, checks, penalty_curve, curves (.arrow). Runs in which tags mean nothing (data.alpha = 0.5) and that
differ in nothing else become a control. Does not load TensorFlow; also reads runs that are in progress.

An analysis of some of the seeds never replaces that of more: it is written to analysis/<name>+seed0 or the like. What
cannot be read or computed is left out with its reason, at the end on standard error, and the exit code is then 1.`,
    )
    .action(async (folders: string[], flags: Flags) => {
      process.exitCode = await analyze(folders, flags);
    });
}

interface Flags {
  readonly json?: boolean;
  readonly study: readonly string[];
  readonly out?: string;
}

/** Returns the exit code: 1 where something was left out. */
export async function analyze(
  folders: readonly string[],
  { json = false, out, study }: Flags,
): Promise<number> {
  const { findRuns } = await import('../analysis/find-runs.js');
  const { groupIntoArms, shownPath } = await import('../analysis/run-data.js');
  const { analyseArm } = await import('../analysis/analyse-arm.js');
  const { attempt } = await import('../analysis/failures.js');
  const { withTagControl } = await import('../analysis/tag-control.js');
  const { withLooks } = await import('../analysis/looks.js');
  const { analysisDocument, outputFolder } = await import('../analysis/document.js');
  const { writeAnalysis } = await import('../analysis/write-analysis.js');
  const { analysisFile } = await import('../store/list-runs.js');
  const { armReport } = await import('../report/text/arm-report.js');

  const { loadStudies } = await import('../analysis/own-study.js');

  const studies = await loadStudies(study);
  const { runs, problems } = await findRuns(folders);
  const leftOut = [...problems];
  const target = standardError();
  const style = { width: columnsOf(process.stdout), colour: terminalStyle().colour };
  const analysed: AnalysedArm[] = [];
  for (const arm of groupIntoArms(runs, (problem) => leftOut.push(problem))) {
    let lastShown = target.now();
    const found = await attempt(() =>
      analyseArm(
        arm,
        (done) => {
          if (target.now() - lastShown < 2000) return;
          lastShown = target.now();
          target.write(`analyzing ${arm.experiment}/${arm.name}: ${done} of ${arm.runs.length} runs\n`);
        },
        studies.map(({ study: own }) => own),
      ),
    );
    if (found.failed !== null) leftOut.push(`${arm.runs[0]!.folder}: ${found.failed}`);
    else analysed.push({ arm, analysis: found.value });
  }
  const compared = await attempt(async () => withTagControl(analysed));
  if (compared.failed !== null) leftOut.push(`arms are not compared with each other: ${compared.failed}`);

  const origin = {
    command: ['gradscope', ...process.argv.slice(2)],
    versions: versions(),
    ...(studies.length === 0 ? {} : { studies: studies.map(({ module }) => module) }),
  };
  const documents = [];
  for (const judged of compared.value ?? analysed.map(({ analysis }) => analysis)) {
    const place = await attempt(async () => outputFolder(judged, out ?? null));
    const analysis = place.value === null ? judged : withLooks(judged, new Date(), place.value);
    const document = analysisDocument(analysis, origin);
    documents.push(document);
    // Shown whether or not it can be kept.
    if (!json) for (const line of armReport(analysis, style)) print(line);
    leftOut.push(...analysis.failures);
    const { value: folder } = place;
    const written = folder === null ? place : await attempt(() => writeAnalysis(folder, analysis, document));
    if (written.failed !== null) leftOut.push(`the analysis is not kept: ${written.failed}`);
    if (json) continue;
    print('');
    if (written.failed === null && folder !== null) {
      print(
        `written: ${shownPath(path.join(folder, analysisFile))}, and tables: ${shownPath(folder)}/*.arrow`,
      );
    }
    const [first] = analysis.folders;
    print(`gradients, Gram matrices, vectors, metrics of each seed: ${shownPath(first!)}/*.arrow, ...`);
    print('next:');
    for (const command of nextCommands(analysis.experiment, analysis.name)) print(`  ${command}`);
  }
  if (json) print(printableJson(documents, 2));
  for (const problem of leftOut) tell(`gradscope: left out: ${problem}`);
  return leftOut.length > 0 ? 1 : 0;
}

/** Commands worth trying after an analysis. */
function nextCommands(experiment: string, name: string): string[] {
  const browse = 'npx gradscope tui   # browse runs and findings in the terminal';
  if (experiment !== 'set-inclusion' || name !== 'small') return [browse];
  return [
    browse,
    'npx gradscope run configs/set-inclusion-alpha50.yaml --seeds 0..7   # tags that mean nothing: the null',
    'npx gradscope run configs/set-inclusion-plain.yaml --seeds 0..7     # a plain transformer, for long',
    'npx gradscope run configs/set-inclusion-joint.yaml --seeds 0..7     # one stage',
  ];
}
