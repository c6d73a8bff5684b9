import fs from 'node:fs';
import path from 'node:path';
import { Command } from 'commander';
import { printableJson } from '../../data/printable.js';
import { print, tell } from './output.js';
import { standardError } from './progress.js';
import { columnsOf, terminalStyle } from '../report/terminal.js';
import { versions } from './version.js';

export function analyzeCommand(): Command {
  return new Command('analyze')
    .description(
      'what runs show: internalization, gradient alignment, gradient noise, with nulls and intervals',
    )
    .argument('<folders...>', 'run folders, or folders that hold runs')
    .option('--json', 'print the analysis as JSON instead of a report')
    .addHelpText(
      'after',
      `
Examples:
  gradscope analyze runs/set-inclusion
  gradscope analyze runs/set-inclusion/small-seed{0..7}
  gradscope analyze runs --json | jq '.[0].sections[0].quantities[0].estimate'

Runs of one config are averaged over their seeds. Everything printed, with the values of each seed, is written to
<folder of the runs>/analysis/<name>/: analysis.json, and tables quantities, controls, seed_values, entity_values,
claims, checks, penalty_curve, curves (.arrow). Runs that differ in data.alpha = 0.5 alone become a control. Loads no TensorFlow; works on runs that are still going.`,
    )
    .action(async (folders: string[], flags: { readonly json?: boolean }) => {
      await analyze(folders, flags.json ?? false);
    });
}

async function analyze(folders: readonly string[], json: boolean): Promise<void> {
  const { findRuns } = await import('../analysis/find-runs.js');
  const { groupIntoArms, shownPath } = await import('../analysis/run-data.js');
  const { analyseArm } = await import('../analysis/analyse-arm.js');
  const { withAlphaControl } = await import('../analysis/alpha-control.js');
  const { withLooks } = await import('../analysis/looks.js');
  const { writeAnalysisTables } = await import('../analysis/analysis-tables.js');
  const { analysisDocument, analysisFolder } = await import('../analysis/document.js');
  const { analysisFile } = await import('../store/list-runs.js');
  const { armReport } = await import('../report/text/arm-report.js');
  const { nodeFileSystem } = await import('../store/file-system.js');
  const { writeAtomically } = await import('../store/atomic-file.js');

  const { runs, problems } = await findRuns(folders);
  for (const problem of problems) tell(`left out: ${problem}`);
  const target = standardError();
  const style = { width: columnsOf(process.stdout), colour: terminalStyle().colour };
  const analysed = [];
  for (const arm of groupIntoArms(runs)) {
    let lastShown = target.now();
    const analysis = await analyseArm(arm, (done) => {
      if (target.now() - lastShown < 2000) return;
      lastShown = target.now();
      target.write(`analyzing ${arm.experiment}/${arm.name}: ${done} of ${arm.runs.length} runs\n`);
    });
    analysed.push({ arm, analysis });
  }
  const origin = { command: ['gradscope', ...process.argv.slice(2)], versions: versions() };
  const documents = [];
  for (const judged of withAlphaControl(analysed)) {
    const analysis = withLooks(judged, new Date());
    const document = analysisDocument(analysis, origin);
    documents.push(document);
    const folder = analysisFolder(analysis);
    const file = path.join(folder, analysisFile);
    fs.mkdirSync(folder, { recursive: true });
    writeAtomically(nodeFileSystem, file, `${JSON.stringify(document, null, 2)}\n`);
    await writeAnalysisTables(folder, analysis);
    if (json) continue;
    for (const line of armReport(analysis, style)) print(line);
    const [first] = analysis.folders;
    print(`\nwritten: ${shownPath(file)}, and tables: ${shownPath(folder)}/*.arrow`);
    print(`gradients, Gram matrices, vectors, metrics of each seed: ${shownPath(first!)}/*.arrow, ...`);
    print('next:');
    for (const command of nextCommands(analysis.experiment, analysis.name)) print(`  ${command}`);
  }
  if (json) print(printableJson(documents, 2));
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
