import { UserError } from '../../../../data/errors.js';
import type { TextShape } from '../../../../data/experiment.js';
import type { Model, ModelContext, ModelSource, ParameterSpec } from '../model.js';
import { activationsOf, architectureOf, type CausalArchitecture } from './architecture.js';
import { causalLogits, variableNoise } from './causal.js';
import { causalSites } from './sites.js';
import type { TagEmbedding, TransformerConfig, VariableEmbedding } from './config.js';
import { causalGeneration } from './generation.js';
import { causalParameters, drawnParameter } from './parameters.js';

/**
 * A causal decoder-only transformer from a config: GPT-NeoX shape (rotary, parallel residual), GPT-2 shape (learned
 * positions, sequential), and anything between. See {@link causalModel}.
 */
export function buildTransformer(config: TransformerConfig, context: ModelContext): Model {
  const shape = textShape('transformer', context);
  checkVariables(config, shape);
  if (config.tiedEmbedding && shape.outputSize !== shape.vocabularySize) {
    throw new UserError('model.tiedEmbedding needs an output vocabulary equal to the input vocabulary');
  }
  const architecture = architectureOf(config, shape);
  const parameters = causalParameters(architecture, shape).map((own) => drawnParameter(own, config));
  return causalModel(architecture, parameters, context, null);
}

/**
 * A causal decoder-only transformer with given parameters, those of {@link causalParameters}.
 *
 * Reads `tokens [replica, example, row]` and, where only some positions are asked for, `positions [replica,
 * example, query]`; the last block then computes queries, MLP and logits for those positions only. Without
 * `positions` every position but the last is asked for, and the last token, which nothing may look at, is left out.
 */
export function causalModel(
  architecture: CausalArchitecture,
  parameters: readonly ParameterSpec[],
  context: ModelContext,
  source: ModelSource | null,
): Model {
  const shape = textShape('transformer', context);
  const { variableEmbedding } = architecture;
  return {
    parameters,
    ...(source === null ? {} : { source }),
    noise:
      variableEmbedding === null || variableEmbedding.noise === 0
        ? []
        : [
            {
              name: variableNoise,
              shape: [variableEmbedding.width],
              standardDeviation: variableEmbedding.noise,
            },
          ],
    sites: causalSites(architecture),
    activationsPerExample: activationsOf(architecture, { rows: shape.blockSize, queries: shape.queries }),
    trainingInputs: asksEverywhere(shape) ? ['tokens'] : ['tokens', 'positions'],
    testInputs: ['tokens', 'positions'],
    logits: (tape, inputs) => causalLogits(architecture, shape, context.hidePadding, tape, inputs),
    generation: causalGeneration(architecture, shape),
  };
}

/** The shape of the data, which must be texts that a model continues. Throws a UserError. */
export function textShape(kind: string, { shape }: ModelContext): TextShape {
  if (shape.modality !== 'text') throw new UserError(`model.kind ${kind} needs an experiment on text`);
  if (shape.inputLength !== undefined) {
    throw new UserError(
      `model.kind ${kind} continues a text, and the data have a source text apart from its answer: give a model with an ` +
        'encoder, or data of whole texts',
    );
  }
  return shape;
}

/**
 * Whether a training row asks at every position but the last, so that no positions are needed. With rows of two tokens
 * the one query may as well be about what comes after them.
 */
function asksEverywhere({ queries, blockSize }: TextShape): boolean {
  return queries > 1 && queries === blockSize - 1;
}

/** Throws a UserError where the variables or tags of the data have no table, or a table has no variables. */
export function checkVariables(
  {
    variableEmbedding,
    tagEmbedding,
  }: { readonly variableEmbedding: VariableEmbedding | null; readonly tagEmbedding: TagEmbedding | null },
  shape: TextShape,
): void {
  if (shape.variables > 0 && variableEmbedding === null) {
    throw new UserError(
      'model.variableEmbedding is null, but data.format compact keeps variables out of the vocabulary: ' +
        'give variableEmbedding, or use data.format paper',
    );
  }
  if (shape.variables === 0 && variableEmbedding !== null) {
    throw new UserError(
      'model.variableEmbedding is given, but data.format paper has variables as ordinary tokens: set it to null',
    );
  }
  const tags = shape.tags ?? 0;
  if (tags > 0 !== (tagEmbedding !== null)) {
    throw new UserError(
      tags > 0
        ? 'model.tagEmbedding is null, but the data keep tags out of the vocabulary: give tagEmbedding'
        : 'model.tagEmbedding is given, but the data have tags as ordinary tokens: set it to null',
    );
  }
  if (tags > 0 && variableEmbedding === null) {
    throw new UserError('model.tagEmbedding needs model.variableEmbedding: give both or neither');
  }
}
