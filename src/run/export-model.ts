import fs from 'node:fs';
import path from 'node:path';
import { UserError } from '../../data/errors.js';
import { experiments } from '../../data/registry.js';
import { writeAtomically } from '../store/atomic-file.js';
import { nodeFileSystem, systemMessage } from '../store/file-system.js';
import { configPath, readRunInfo } from '../store/run-folder.js';
import { encodeSafetensors, type NamedTensor } from '../store/safetensors.js';
import { folderForm } from '../train/models/folder/folder-form.js';
import { folderFiles } from '../train/models/folder/model-folder.js';
import { checkpointSteps, readCheckpoint } from './checkpoint.js';
import { loadExperimentsOf } from './experiment-module.js';
import { readStoredConfig } from './run-config.js';

/** What was written. */
export interface ExportedModel {
  readonly run: string;
  /** Update after which the parameters were so. */
  readonly step: number;
  readonly modelType: string;
  /** Numbers of the parameters that were written. */
  readonly parameters: number;
  /** Files of the folder, by name. */
  readonly files: readonly string[];
}

/** Files of a tokenizer, and of how texts are written with it. */
const tokenizerFiles = [
  'tokenizer.json',
  'tokenizer_config.json',
  'special_tokens_map.json',
  'added_tokens.json',
  'vocab.json',
  'merges.txt',
  'spiece.model',
  'tokenizer.model',
  'generation_config.json',
];

/**
 * Writes the parameters of a run as a model folder that Hugging Face's programs read, and that a config can name as
 * `model: { from: folder }`: float32, with the tokenizer of the folder that the model came from. Parameters that no such
 * model has, those of a table of variables, lie beside it in `variables.safetensors`.
 *
 * @param source a run folder, whose last checkpoint is taken, or the file of a checkpoint
 * @param out a folder that is not there, or empty
 * @throws UserError when there is no checkpoint, no family is such a model, or the folder cannot be written
 */
export async function exportModel(source: string, out: string): Promise<ExportedModel> {
  const { run, step } = checkpointOf(source);
  requireEmpty(out);
  const { seed } = readRunInfo(run);
  await loadExperimentsOf(configPath(run));
  const { config } = readStoredConfig(run);
  const experiment = experiments.get(config.experiment);
  if (experiment === undefined) throw new UserError(`unknown experiment ${config.experiment}`);
  const { shape } = experiment.sizes(config.data, config.loss);
  const form = folderForm(config.model, shape);
  const checkpoint = readCheckpoint(run, step);
  if (checkpoint.seed !== seed)
    throw new UserError(
      `${source}: is of seed ${checkpoint.seed}, the run of seed ${seed}; give a checkpoint of the run`,
    );

  const values = new Map(checkpoint.parameters.map((own) => [own.name, own]));
  const tensors: NamedTensor[] = form.mappings.flatMap(({ parameter, tensors: expected, toTensors }) => {
    const own = values.get(parameter);
    const size = expected.reduce(
      (sum, { shape: axes }) => sum + axes.reduce((product, n) => product * n, 1),
      0,
    );
    if (own?.values.length !== size) {
      throw new UserError(
        `${source}: the parameter ${parameter} has ${own?.values.length ?? 'no'} values instead of ${size}; the config.yaml of the run is of another model`,
      );
    }
    values.delete(parameter);
    return toTensors(own.values).map((part, i) => ({ ...expected[i]!, values: part }));
  });
  // Readers of this format ask which program's tensors they are.
  const metadata = { format: 'pt' };
  const files: string[] = [];
  const write = (name: string, content: string | readonly Uint8Array[]): void => {
    writeAtomically(nodeFileSystem, path.join(out, name), content);
    files.push(name);
  };
  try {
    nodeFileSystem.makeFolder(out);
  } catch (error) {
    throw new UserError(`${out}: cannot be made (${systemMessage(error)}); give another folder`, {
      cause: error,
    });
  }
  write(folderFiles.config, `${JSON.stringify(form.config, null, 2)}\n`);
  write(folderFiles.weights, encodeSafetensors({ tensors, metadata }));
  const beside = [...values.values()];
  if (beside.length > 0) write(folderFiles.variables, encodeSafetensors({ tensors: beside, metadata }));
  for (const name of form.origin === null ? [] : tokenizerFiles) {
    const file = path.join(form.origin!, name);
    if (fs.existsSync(file)) write(name, [fs.readFileSync(file)]);
  }
  return {
    run,
    step,
    modelType: String(form.config['model_type']),
    parameters: tensors.reduce((sum, own) => sum + own.values.length, 0),
    files,
  };
}

/** The run and the step that a path names. Throws a UserError when there is no checkpoint. */
function checkpointOf(source: string): { run: string; step: number } {
  const match = /^step-(\d+)\.safetensors$/.exec(path.basename(source));
  if (match !== null)
    return { run: path.dirname(path.dirname(path.resolve(source))), step: Number(match[1]) };
  readRunInfo(source);
  const step = checkpointSteps(source).at(-1);
  if (step === undefined) throw new UserError(`${source}: has no checkpoint to export; train the run first`);
  return { run: source, step };
}

function requireEmpty(out: string): void {
  if (!fs.existsSync(out)) return;
  if (fs.statSync(out).isDirectory() && fs.readdirSync(out).length === 0) return;
  throw new UserError(`${out}: is there already; give a folder that is not, or remove it`);
}
