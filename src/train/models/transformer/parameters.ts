import { constant, normal } from '../initialise.js';
import type { ParameterRole, ParameterSpec } from '../model.js';
import { projectionWidths, type CausalArchitecture } from './architecture.js';
import type { TransformerConfig } from './config.js';

/** Names of the tensors of block `i`: those of GPT-NeoX checkpoints, and `gate` of a gated MLP. */
export function blockNames(i: number) {
  const block = `layers.${i}`;
  return {
    attentionNorm: `${block}.input_layernorm`,
    projection: `${block}.attention.query_key_value`,
    attentionOutput: `${block}.attention.dense`,
    mlpNorm: `${block}.post_attention_layernorm`,
    mlpGate: `${block}.mlp.gate`,
    mlpIn: `${block}.mlp.dense_h_to_4h`,
    mlpOut: `${block}.mlp.dense_4h_to_h`,
  } as const;
}

export const transformerNames = {
  embedding: 'embed_in.weight',
  positions: 'embed_position.weight',
  variables: 'variable_embedding.weight',
  variableProjection: 'variable_projection.weight',
  tags: 'tag_embedding.weight',
  finalNorm: 'final_layer_norm',
  unembedding: 'embed_out.weight',
} as const;

/** What a parameter is in its network, by which its initial values are chosen. */
type ParameterOrigin =
  | { readonly kind: 'table' | 'gain' | 'bias' | 'variables' | 'tags' }
  /** A linear map, and one into the residual stream. */
  | { readonly kind: 'map' | 'residualMap'; readonly fanIn: number };

/** A parameter without initial values. */
export interface CausalParameter extends Pick<ParameterSpec, 'name' | 'shape' | 'role'> {
  readonly origin: ParameterOrigin;
}

/**
 * Parameters of a transformer in the order of the forward pass. Weights of linear maps are `[in, out]`; the columns
 * of `query_key_value` are query | key | value, each head by head, as in GPT-2 (GPT-NeoX interleaves them by head).
 *
 * @param own variables and tags of tables of their own
 */
export function causalParameters(
  architecture: CausalArchitecture,
  own: { readonly variables: number; readonly tags?: number },
): CausalParameter[] {
  const { width, layers, feedForward, variableEmbedding, positions, norm, biases, isGated } = architecture;
  const parameters: CausalParameter[] = [];
  const add = (
    name: string,
    shape: readonly number[],
    role: ParameterRole,
    origin: ParameterOrigin,
  ): void => {
    parameters.push({ name, shape, role, origin });
  };
  const addLinear = (
    name: string,
    role: ParameterRole,
    [fanIn, fanOut]: readonly [number, number],
    kind: 'map' | 'residualMap',
    hasBias: boolean,
  ): void => {
    add(`${name}.weight`, [fanIn, fanOut], role, { kind, fanIn });
    if (hasBias) add(`${name}.bias`, [fanOut], role, { kind: 'bias' });
  };
  const addNorm = (name: string): void => {
    add(`${name}.weight`, [width], 'norm', { kind: 'gain' });
    if (norm.kind === 'layer') add(`${name}.bias`, [width], 'norm', { kind: 'bias' });
  };

  if (variableEmbedding !== null) {
    const { width: inner, projection } = variableEmbedding;
    add(transformerNames.variables, [own.variables, inner], 'variable', { kind: 'variables' });
    if (projection)
      add(transformerNames.variableProjection, [inner, width], 'variable', { kind: 'map', fanIn: inner });
  }
  if (architecture.tagEmbedding !== null)
    add(transformerNames.tags, [own.tags ?? 0, width], 'tag', { kind: 'tags' });
  add(transformerNames.embedding, [architecture.vocabularySize, width], 'embedding', { kind: 'table' });
  if (positions.kind === 'learned')
    add(transformerNames.positions, [positions.rows, width], 'position', { kind: 'table' });
  const { query, key } = projectionWidths(architecture);
  for (let i = 0; i < layers; i++) {
    const block = blockNames(i);
    addNorm(block.attentionNorm);
    addLinear(block.projection, 'attention', [width, query + 2 * key], 'map', biases.attention);
    addLinear(block.attentionOutput, 'attention', [query, width], 'residualMap', biases.attentionOutput);
    addNorm(block.mlpNorm);
    if (isGated) addLinear(block.mlpGate, 'mlp', [width, feedForward], 'map', biases.mlp);
    addLinear(block.mlpIn, 'mlp', [width, feedForward], 'map', biases.mlp);
    addLinear(block.mlpOut, 'mlp', [feedForward, width], 'residualMap', biases.mlp);
  }
  addNorm(transformerNames.finalNorm);
  if (!architecture.isTied) {
    add(transformerNames.unembedding, [width, architecture.outputSize], 'unembedding', {
      kind: 'map',
      fanIn: width,
    });
  }
  return parameters;
}

/** A parameter with initial values drawn as a config says. */
export function drawnParameter(
  { origin, ...parameter }: CausalParameter,
  config: InitialValues,
): ParameterSpec {
  const size = parameter.shape.reduce((product, length) => product * length, 1);
  const draw = (deviation: number): ParameterSpec => ({ ...parameter, initialise: normal(size, deviation) });
  const { embeddingDeviation, mapDeviation, residualDeviation } = initialDeviations(config);
  switch (origin.kind) {
    case 'gain':
      return { ...parameter, initialise: constant(size, 1) };
    case 'bias':
      return { ...parameter, initialise: constant(size, 0) };
    case 'variables':
      return draw(config.variableEmbedding!.standardDeviation);
    case 'tags':
      return draw(config.tagEmbedding!.standardDeviation);
    case 'table':
      return draw(embeddingDeviation);
    case 'map':
      return draw(mapDeviation(origin.fanIn));
    case 'residualMap':
      return draw(residualDeviation(origin.fanIn));
  }
}

/** What initial values depend on. */
export type InitialValues = Pick<
  TransformerConfig,
  'initialisation' | 'width' | 'layers' | 'variableEmbedding' | 'tagEmbedding'
>;

/** Standard deviations of initial weights, by `initialisation` of the config. */
function initialDeviations({ width, layers, initialisation }: InitialValues): {
  readonly embeddingDeviation: number;
  readonly mapDeviation: (fanIn: number) => number;
  readonly residualDeviation: (fanIn: number) => number;
} {
  switch (initialisation.kind) {
    case 'scaled':
      return {
        embeddingDeviation: 0.1,
        mapDeviation: (fanIn) => 1 / Math.sqrt(fanIn),
        residualDeviation: (fanIn) => 1 / Math.sqrt(fanIn * 2 * layers),
      };
    // "Small" initialisation of Nguyen & Salazar (2019) and the output initialisation of Wang & Komatsuzaki (2021).
    case 'small':
      return {
        embeddingDeviation: 0.02,
        mapDeviation: () => Math.sqrt(2 / (5 * width)),
        residualDeviation: () => 2 / (layers * Math.sqrt(width)),
      };
    case 'normal': {
      const { standardDeviation } = initialisation;
      return {
        embeddingDeviation: standardDeviation,
        mapDeviation: () => standardDeviation,
        residualDeviation: () => standardDeviation,
      };
    }
  }
}
