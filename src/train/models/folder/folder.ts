import { UserError } from '../../../../data/errors.js';
import { readStoredTensor } from '../../../store/stored-tensors.js';
import type { Model, ModelContext, ParameterSpec } from '../model.js';
import type { FolderConfig } from './config.js';
import { configReader } from './config-reader.js';
import { gpt2 } from './families/gpt2.js';
import { gptNeox } from './families/gpt-neox.js';
import { llama } from './families/llama.js';
import { t5 } from './families/t5.js';
import type { FamilyModel, FolderFamily, StoredParameter } from './family.js';
import { openModelFolder, type ModelFolder } from './model-folder.js';
import { parameterReader } from './tensors.js';

/** Families that can be read, by their `model_type`. */
const families: readonly FolderFamily[] = [gptNeox, gpt2, llama, t5];

/** A folder with the model that its config says. */
export interface OpenedFolder {
  readonly folder: ModelFolder;
  readonly modelType: string;
  readonly model: FamilyModel;
}

/** Opens a folder and reads its config. Throws a UserError, one line, for a model that cannot be computed. */
export function openFamily(path: string): OpenedFolder {
  const folder = openModelFolder(path);
  const reader = configReader(path, folder.config);
  const modelType = folder.config['model_type'];
  const family = families.find((own) => own.modelType === modelType);
  if (family === undefined) {
    const known = families.map((own) => own.modelType).join(', ');
    throw reader.refuse(
      'model_type',
      typeof modelType === 'string'
        ? `${modelType} cannot be computed; known are ${known}`
        : `missing; known are ${known}`,
    );
  }
  return {
    folder,
    modelType: family.modelType,
    model: family.open(reader, (name) => folder.tensors().has(name)),
  };
}

/**
 * A pretrained model from a local folder (see docs/models.md). Its parameters stay in the files until they are read one by one.
 * Throws a UserError where the folder is no model, or does not fit the data.
 */
export function buildFolderModel(config: FolderConfig, context: ModelContext): Model {
  const { from } = config;
  const { folder, modelType, model } = openFamily(from);
  const read = parameterReader(folder, modelType, model);
  const withValues = ({ name, shape, role }: StoredParameter, values: () => Float32Array): ParameterSpec => ({
    name,
    shape,
    role,
    initialise: values,
    isStored: true,
  });
  const stored = (own: StoredParameter): ParameterSpec => withValues(own, () => read(own.name));
  const beside = (own: StoredParameter): ParameterSpec | null => {
    const tensor = folder.variables().get(own.name);
    if (tensor === undefined) return null;
    if (tensor.shape.join() !== own.shape.join()) {
      throw new UserError(
        `${tensor.file}: ${own.name} is [${tensor.shape.join()}], and the data need [${own.shape.join()}]; remove the file to draw ` +
          'it, or give the data that it was trained on',
      );
    }
    return withValues(own, () => readStoredTensor(tensor));
  };
  return model.build(context, { folder: from, hash: folder.hash }, config, stored, beside);
}

/** Width of a folder's model. Throws a UserError as {@link buildFolderModel} does. */
export function folderWidth({ from }: FolderConfig): number {
  return openFamily(from).model.width;
}
