import { Command } from 'commander';
import { print } from './output.js';

interface Flags {
  readonly model: string;
  readonly out: string;
}

export function exportCommand(): Command {
  return new Command('export')
    .description('write the parameters of a run as a model folder that Hugging Face programs read')
    .requiredOption('--model <run>', 'run folder (its last checkpoint), or the file of a checkpoint')
    .requiredOption('--out <folder>', 'folder to write; must not be there')
    .addHelpText(
      'after',
      `
Examples:
  gradscope export --model runs/set-inclusion/paper-seed0 --out models/after-stage2
  gradscope export --model runs/set-inclusion/paper-seed0/checkpoints/step-00000580.safetensors --out models/after-stage1

The folder holds config.json and model.safetensors in float32, and the tokenizer of the folder that the model came from. A
config reads it as model: { from: models/after-stage2 }, and transformers with from_pretrained.`,
    )
    .action(async ({ model, out }: Flags) => {
      const { exportModel } = await import('../run/export-model.js');
      const { run, step, modelType, parameters, files } = await exportModel(model, out);
      print(
        `${out}: ${modelType} with ${parameters.toLocaleString('en-US')} parameters, those of ${run} after update ${step}; ` +
          files.join(', '),
      );
    });
}
