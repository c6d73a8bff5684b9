import type { TextShape } from '../../../../data/experiment.js';
import { constant, normal } from '../initialise.js';
import type { ParameterRole, ParameterSpec } from '../model.js';
import type { TransformerConfig } from './config.js';

/** Names of the tensors of block `i`: those of GPT-NeoX checkpoints. */
export function blockNames(i: number) {
  const block = `layers.${i}`;
  return {
    attentionNorm: `${block}.input_layernorm`,
    projection: `${block}.attention.query_key_value`,
    attentionOutput: `${block}.attention.dense`,
    mlpNorm: `${block}.post_attention_layernorm`,
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

/**
 * Parameters of a transformer in the order of the forward pass. Weights of linear maps are `[in, out]`; the columns
 * of `query_key_value` are query | key | value, each head by head, as in GPT-2 (GPT-NeoX interleaves them by head).
 */
export function transformerParameters(config: TransformerConfig, shape: TextShape): ParameterSpec[] {
  const { width, layers, feedForward, variableEmbedding, tagEmbedding } = config;
  const { embeddingDeviation, mapDeviation, residualDeviation } = initialDeviations(config);

  const linear = (name: string, role: ParameterRole, fanIn: number, fanOut: number, deviation: number) => [
    { name: `${name}.weight`, shape: [fanIn, fanOut], role, initialise: normal(fanIn * fanOut, deviation) },
    { name: `${name}.bias`, shape: [fanOut], role, initialise: constant(fanOut, 0) },
  ];
  const norm = (name: string) => [
    { name: `${name}.weight`, shape: [width], role: 'norm' as const, initialise: constant(width, 1) },
    { name: `${name}.bias`, shape: [width], role: 'norm' as const, initialise: constant(width, 0) },
  ];
  const table = (name: string, role: ParameterRole, rows: number, columns: number, deviation: number) => ({
    name,
    shape: [rows, columns],
    role,
    initialise: normal(rows * columns, deviation),
  });

  const parameters: ParameterSpec[] = [];
  if (variableEmbedding !== null) {
    const { width: inner, standardDeviation, projection } = variableEmbedding;
    parameters.push(table(transformerNames.variables, 'variable', shape.variables, inner, standardDeviation));
    if (projection) {
      parameters.push(
        table(transformerNames.variableProjection, 'variable', inner, width, mapDeviation(inner)),
      );
    }
  }
  if (tagEmbedding !== null) {
    parameters.push(
      table(transformerNames.tags, 'tag', shape.tags ?? 0, width, tagEmbedding.standardDeviation),
    );
  }
  parameters.push(
    table(transformerNames.embedding, 'embedding', shape.vocabularySize, width, embeddingDeviation),
  );
  if (config.positions === 'learned') {
    parameters.push(
      table(transformerNames.positions, 'position', shape.blockSize, width, embeddingDeviation),
    );
  }
  for (let i = 0; i < layers; i++) {
    const block = blockNames(i);
    parameters.push(
      ...norm(block.attentionNorm),
      ...linear(block.projection, 'attention', width, 3 * width, mapDeviation(width)),
      ...linear(block.attentionOutput, 'attention', width, width, residualDeviation(width)),
      ...norm(block.mlpNorm),
      ...linear(block.mlpIn, 'mlp', width, feedForward, mapDeviation(width)),
      ...linear(block.mlpOut, 'mlp', feedForward, width, residualDeviation(feedForward)),
    );
  }
  parameters.push(...norm(transformerNames.finalNorm));
  if (!config.tiedEmbedding) {
    parameters.push(
      table(transformerNames.unembedding, 'unembedding', width, shape.outputSize, mapDeviation(width)),
    );
  }
  return parameters;
}

/** Standard deviations of initial weights, by `initialisation` of the config. */
function initialDeviations({ width, layers, initialisation }: TransformerConfig): {
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
