import { Command, Option } from 'commander';
import { UserError } from '../../data/errors.js';
import { print } from './output.js';
import { parseSeeds } from './options.js';

interface Flags {
  readonly seed: number[];
  readonly set: string[];
  readonly out?: string;
  readonly examples: number;
}

export function dataCommand(): Command {
  return new Command('data')
    .description('what an experiment is trained and tested on: counts, and examples as a picture')
    .argument('<config>', 'experiment file, such as configs/mnist-qa.yaml')
    .addOption(new Option('--seed <seed>', 'seed of the data').argParser(parseSeeds).default([0], '0'))
    .option(
      '--set <key=value>',
      'override a config value; may be given again',
      (value: string, before: string[]) => [...before, value],
      [],
    )
    .option('--out <file.png>', 'write a sheet of examples with their targets (experiments on images)')
    .option('--examples <n>', 'examples of each group and test set on the sheet', Number, 4)
    .addHelpText(
      'after',
      `
Examples:
  gradscope data configs/mnist-qa.yaml
  gradscope data configs/mnist-qa.yaml --out examples.png

On the sheet a target is a grid of answers: a letter is a label, _ is "no answer", . is a cell that does not count.`,
    )
    .action(async (config: string, flags: Flags) => {
      await show(config, flags);
    });
}

async function show(file: string, flags: Flags): Promise<void> {
  const { loadConfig } = await import('../config/load.js');
  const { runSchema } = await import('../run/config.js');
  const { experiments } = await import('../../data/registry.js');
  const { config } = loadConfig(file, runSchema, flags.set);
  if (!Number.isSafeInteger(flags.examples) || flags.examples < 1)
    throw new UserError(`--examples: expected a positive whole number`);
  const seed = flags.seed[0]!;
  const data = experiments.get(config.experiment)!.build(config.data, config.loss, seed);
  const width = Math.max(...data.summary.map(({ name }) => name.length));
  print(`${config.experiment} ${config.name}, seed ${seed}: ${data.hash}`);
  for (const { name, value } of data.summary) print(`  ${name.padEnd(width)}  ${value}`);
  if (flags.out === undefined) return;

  const { exampleSheet } = await import('../report/figures/example-sheet.js');
  const { toPng } = await import('../report/figures/svg.js');
  const { writeAtomically } = await import('../store/atomic-file.js');
  const { nodeFileSystem } = await import('../store/file-system.js');
  const sheet = exampleSheet(data, config.stages[0]!.trainOn, flags.examples, seed);
  writeAtomically(nodeFileSystem, flags.out, [toPng(sheet, 1)]);
  print(`written: ${flags.out}`);
}
