import { UserError } from '../../../../../data/errors.js';
import type { TextShape } from '../../../../../data/experiment.js';
import type { ModelContext } from '../../model.js';
import type { CausalArchitecture } from '../../transformer/architecture.js';
import { causalParameters, drawnParameter } from '../../transformer/parameters.js';
import { causalModel, checkVariables, textShape } from '../../transformer/transformer.js';
import type { FamilyModel } from '../family.js';
import type { TensorMapping } from '../layout.js';

/** What a causal family says of a folder, beside its architecture. */
type CausalTensors = Pick<FamilyModel, 'prefix' | 'aliases' | 'isIgnored'> & {
  readonly mappings: readonly TensorMapping[];
};

/** A model of a causal family: all of them are computed by one transformer. */
export function causalFamilyModel(architecture: CausalArchitecture, tensors: CausalTensors): FamilyModel {
  return {
    ...tensors,
    width: architecture.width,
    build: (context, source, { variableEmbedding, tagEmbedding }, stored, beside) => {
      const own = { ...architecture, variableEmbedding, tagEmbedding };
      const shape = checkedShape(own, context, source.folder);
      const mapped = new Set(tensors.mappings.map(({ parameter }) => parameter));
      // What no family has are variables and tags, and the map of variables into the model.
      const drawn = { ...own, initialisation: { kind: 'scaled' } } as const;
      const parameters = causalParameters(own, shape).map((parameter) =>
        mapped.has(parameter.name)
          ? stored(parameter)
          : (beside(parameter) ?? drawnParameter(parameter, drawn)),
      );
      return causalModel(own, parameters, context, source);
    },
  };
}

/** Throws a UserError where a folder's model cannot read the texts of an experiment. */
function checkedShape(architecture: CausalArchitecture, context: ModelContext, folder: string): TextShape {
  const { vocabularySize, positions, width, variableEmbedding } = architecture;
  const shape = textShape('folder', context);
  checkVariables(architecture, shape);
  requireVocabulary(folder, vocabularySize, shape);
  if (variableEmbedding !== null && !variableEmbedding.projection && variableEmbedding.width !== width) {
    throw new UserError(
      `model.variableEmbedding.projection: must be true where the table is not as wide as the model, ${width}`,
    );
  }
  if (positions.kind === 'learned' && shape.blockSize > positions.rows) {
    throw new UserError(
      `${folder}: the model has ${positions.rows} positions and the texts up to ${shape.blockSize} tokens; shorten them`,
    );
  }
  return shape;
}

/** Throws a UserError where texts have tokens that a folder's model has no row for. */
export function requireVocabulary(folder: string, rows: number, shape: TextShape): void {
  const needed = Math.max(shape.vocabularySize, shape.outputSize);
  if (needed <= rows) return;
  throw new UserError(
    `${folder}: the model has ${rows} tokens and the data ${needed}; give the data the tokenizer of this folder`,
  );
}
