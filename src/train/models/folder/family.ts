import type { Model, ModelContext, ModelSource, ParameterSpec } from '../model.js';
import type { OwnTables } from './config.js';
import type { ConfigReader } from './config-reader.js';
import type { TensorMapping } from './layout.js';

/** A family of models that Hugging Face folders hold. */
export interface FolderFamily {
  /** `model_type` in `config.json`. */
  readonly modelType: string;
  /**
   * Reads the config of a folder. Throws a UserError for a model that cannot be computed.
   *
   * @param hasTensor whether the files of the folder hold a tensor, where the config alone does not say what the model is
   */
  open(reader: ConfigReader, hasTensor: (name: string) => boolean): FamilyModel;
}

/** A model as the config of its folder says it. */
export interface FamilyModel {
  /** Width of the residual stream. */
  readonly width: number;
  /** Its parameters as tensors of the folder. */
  readonly mappings: readonly TensorMapping[];
  /** What the names of tensors begin with, where the file holds the whole model and not its trunk alone. */
  readonly prefix: string;
  /** Further names of a tensor: for one of them, or as a copy. */
  readonly aliases: readonly { readonly name: string; readonly of: string }[];
  /** Whether a tensor is no parameter, such as a mask that older versions saved. */
  readonly isIgnored: (name: string) => boolean;
  /**
   * @param stored the parameter that a mapping is of, with its values from the folder
   * @param beside another parameter with values from the folder, or null where it has none
   */
  build(
    context: ModelContext,
    source: ModelSource,
    tables: OwnTables,
    stored: (parameter: StoredParameter) => ParameterSpec,
    beside: (parameter: StoredParameter) => ParameterSpec | null,
  ): Model;
}

export type StoredParameter = Pick<ParameterSpec, 'name' | 'shape' | 'role'>;
