import { Command, Option } from 'commander';
import { UserError } from '../../data/errors.js';
import type { ExperimentData } from '../../data/experiment.js';
import type { RunConfig } from '../run/config.js';
import { parseSeeds } from './options.js';
import { presetFile } from './preset.js';
import { print, tell } from './output.js';

interface Flags {
  readonly seed?: number[];
  readonly seeds?: number[];
  readonly set: string[];
  readonly out?: string;
  readonly examples?: number;
}

/** Data of more seeds than this are not looked at one by one. */
const mostSeeds = 100;

const mostExamples = 10_000;

export function dataCommand(): Command {
  return new Command('data')
    .description('show what an experiment trains and tests on: counts, and examples as text or as a picture')
    .argument('<config>', 'experiment file, such as configs/mnist-qa.yaml')
    .addOption(
      new Option('--seed <seed>', 'seed of the data (default: 0)').argParser(parseSeeds).conflicts('seeds'),
    )
    .option(
      '--seeds <seeds>',
      'several seeds, such as 0..7: the hash of each, and the counts that differ',
      parseSeeds,
    )
    .option(
      '--set <key=value>',
      'override a config value; can be repeated',
      (value: string, before: string[]) => [...before, value],
      [],
    )
    .option(
      '--out <file>',
      'write examples of all stages and test sets to a new file: rows with their tokens (.arrow, .csv, of texts also .jsonl), or of images a sheet with their targets (.png)',
    )
    .option(
      '--examples <n>',
      'examples of each group and test set (default: 4 on a sheet, 2 printed, all in a file of rows)',
      Number,
    )
    .addHelpText(
      'after',
      `
Examples:
  gradscope data configs/set-inclusion.yaml
  gradscope data configs/set-inclusion.yaml --out rows.arrow
  gradscope data configs/mnist-qa.yaml --out examples.png

On the sheet a target is a grid of answers: a letter is a label, _ is "no answer", . is a cell that does not count.`,
    )
    .action(async (config: string, flags: Flags) => {
      await show(presetFile(config), flags);
    });
}

async function show(file: string, flags: Flags): Promise<void> {
  const { loadRunConfig } = await import('../run/experiment-module.js');
  const { checkedCost } = await import('../run/plan.js');
  const { settingsWithLittleEffect } = await import('../run/without-effect.js');
  const { experiments } = await import('../../data/registry.js');
  const { paddingShare } = await import('../../data/padding-share.js');
  const { refuseExisting } = await import('../store/atomic-file.js');
  const { nodeFileSystem } = await import('../store/file-system.js');
  const seeds = flags.seeds ?? flags.seed ?? [0];
  checkFlags(flags, seeds);
  if (flags.out !== undefined) refuseExisting(nodeFileSystem, flags.out);
  const { config } = await loadRunConfig(file, flags.set);
  const cost = checkedCost(config);
  const build = (seed: number): ExperimentData =>
    experiments.get(config.experiment)!.build(config.data, config.loss, seed);

  const first = build(seeds[0]!);
  checkOut(first, flags.out);
  const columns = seeds.map((seed, i) => {
    const { hash, summary } = i === 0 ? first : build(seed);
    return { seed, hash, summary };
  });
  const title = `${config.experiment} ${config.name}`;
  if (columns.length === 1) print(`${title}, seed ${seeds[0]}: ${first.hash}`);
  else {
    print(`${title}, seeds ${seeds.join(', ')}`);
    for (const { seed, hash } of columns) print(`  seed ${seed}: ${hash}`);
  }
  const stages = cost.stages.map(({ name, steps }) => ({ name: `updates of ${name}`, value: steps }));
  const lines = [
    ...first.summary.map(({ name }, i) => ({
      name,
      values: columns.map(({ summary }) => summary[i]!.value),
    })),
    ...[{ name: 'parameters', value: cost.parameters }, ...stages].map(({ name, value }) => ({
      name,
      values: [value],
    })),
  ];
  const width = Math.max(...lines.map(({ name }) => name.length));
  // Numbers that differ between seeds stand beside each other.
  for (const { name, values } of lines) {
    const differ = values.some((value) => value !== values[0]);
    print(`  ${name.padEnd(width)}  ${(differ ? values : values.slice(0, 1)).join(', ')}`);
  }
  const { shape } = first;
  if (shape.modality === 'text') {
    for (const { name, trainOn } of config.stages) {
      const share = paddingShare(first.training(trainOn), shape);
      print(`  ${`padding in rows of ${name}`.padEnd(width)}  ${(100 * share).toFixed(1)} % of their tokens`);
    }
  }
  for (const note of [...settingsWithLittleEffect(config, cost), ...(await unwritable(first, config))])
    tell(note);
  await showExamples(first, config, seeds[0]!, flags);
}

/** Says which share of the answers is too long to be written. */
async function unwritable(
  { tests }: ExperimentData,
  { evaluation: { generation } }: RunConfig,
): Promise<string[]> {
  if (generation === null) return [];
  const { longAnswers } = await import('../../data/text/long-answers.js');
  const asked = tests
    .filter(({ rightAnswers }) => rightAnswers !== undefined)
    .map(({ examples }) => examples);
  const rows = asked.reduce((sum, { size }) => sum + size, 0);
  const long = asked.reduce((sum, set) => sum + longAnswers(set, generation.maxNewTokens), 0);
  return long === 0
    ? []
    : [
        `evaluation.generation.maxNewTokens: ${long} of ${rows} answers (${((100 * long) / rows).toFixed(1)} %) have more than ` +
          `${generation.maxNewTokens} tokens and cannot be written`,
      ];
}

function checkFlags({ examples, out }: Flags, seeds: readonly number[]): void {
  if (examples !== undefined && (!Number.isSafeInteger(examples) || examples < 1 || examples > mostExamples))
    throw new UserError(`--examples: expected a whole number from 1 to ${mostExamples}`);
  if (seeds.length > mostSeeds)
    throw new UserError(
      `--seeds: data of at most ${mostSeeds} seeds are shown, and these are ${seeds.length}`,
    );
  if (out !== undefined && seeds.length > 1)
    throw new UserError('--out writes the examples of one seed; give --seed with one');
}

/** Ends of the names of files of rows, of any experiment. */
const tableEnds = ['.arrow', '.csv'] as const;

/** Refuses a file that does not fit the data before anything is printed. */
function checkOut({ shape }: ExperimentData, out: string | undefined): void {
  if (out === undefined) return;
  const isTable = tableEnds.some((end) => out.endsWith(end));
  if (shape.modality === 'text' && !isTable && !out.endsWith('.jsonl'))
    throw new UserError(
      `--out ${out}: this experiment is on text; name a file .arrow, .csv or .jsonl for its rows`,
    );
  if (shape.modality === 'image' && !isTable && !out.endsWith('.png'))
    throw new UserError(
      `--out ${out}: this experiment is on images; name a file .png for a sheet of them, .arrow or .csv for rows`,
    );
}

async function showExamples(
  data: ExperimentData,
  config: RunConfig,
  seed: number,
  { out, examples }: Flags,
): Promise<void> {
  const { writeNewFile } = await import('../store/atomic-file.js');
  const { nodeFileSystem } = await import('../store/file-system.js');
  const trainOn = config.stages.map((stage) => stage.trainOn);
  if (out !== undefined && tableEnds.some((end) => out.endsWith(end))) {
    const { exampleTable } = await import('../report/text/example-table.js');
    const { toArrow } = await import('../report/slice/arrow.js');
    const { toCsv } = await import('../report/slice/csv.js');
    const table = exampleTable(data, trainOn, examples ?? Infinity, seed);
    const origin = `gradscope data, ${config.experiment} ${config.name}, seed ${seed}`;
    writeNewFile(nodeFileSystem, out, out.endsWith('.csv') ? toCsv(table) : [toArrow(table, origin)]);
  } else if (data.shape.modality === 'image') {
    if (out === undefined) return;
    const { exampleSheet } = await import('../report/figures/example-sheet.js');
    const { toPng } = await import('../report/figures/svg.js');
    const sheet = exampleSheet(data, trainOn, examples ?? 4, seed);
    writeNewFile(nodeFileSystem, out, [toPng(sheet, 1)]);
  } else {
    const { exampleLines, exampleTexts } = await import('../report/text/example-texts.js');
    if (out === undefined) {
      const { columnsOf } = await import('../report/terminal.js');
      const texts = exampleTexts(data, trainOn, examples ?? 2);
      for (const line of exampleLines(Array.from(texts), columnsOf(process.stdout))) print(line);
      return;
    }
    const lines = Array.from(exampleTexts(data, trainOn, examples ?? Infinity), ({ pieces: _, ...row }) =>
      JSON.stringify({ seed, ...row }),
    );
    writeNewFile(nodeFileSystem, out, [Buffer.from(`${lines.join('\n')}\n`)]);
  }
  print(`written: ${out}`);
}
