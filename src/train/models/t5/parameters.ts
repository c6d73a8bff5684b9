import type { ParameterRole, ParameterSpec } from '../model.js';
import type { T5Architecture } from './architecture.js';

export const t5Names = {
  embedding: 'shared.weight',
  encoderBias: 'encoder.relative_attention_bias.weight',
  decoderBias: 'decoder.relative_attention_bias.weight',
  encoderNorm: 'encoder.final_layer_norm',
  decoderNorm: 'decoder.final_layer_norm',
  unembedding: 'lm_head.weight',
} as const;

/** Names of the parts of block `i` of a stack. */
export function t5BlockNames(stack: 'encoder' | 'decoder', i: number) {
  const block = `${stack}.layers.${i}`;
  return {
    attentionNorm: `${block}.attention_norm`,
    /** Columns query | key | value, each head by head. */
    projection: `${block}.attention.query_key_value`,
    attentionOutput: `${block}.attention.dense`,
    crossNorm: `${block}.cross_attention_norm`,
    crossQuery: `${block}.cross_attention.query`,
    /** Columns key | value. */
    crossKeyValue: `${block}.cross_attention.key_value`,
    crossOutput: `${block}.cross_attention.dense`,
    mlpNorm: `${block}.mlp_norm`,
    mlpGate: `${block}.mlp.gate`,
    mlpIn: `${block}.mlp.dense_in`,
    mlpOut: `${block}.mlp.dense_out`,
  } as const;
}

export type T5Parameter = Pick<ParameterSpec, 'name' | 'shape' | 'role'>;

/** Parameters of a T5 in the order of the forward pass; weights of linear maps are `[in, out]`. */
export function t5Parameters(architecture: T5Architecture): T5Parameter[] {
  const { width, heads, headSize, feedForward, buckets, vocabularySize, isGated, isTied } = architecture;
  const inner = heads * headSize;
  const parameters: T5Parameter[] = [];
  const add = (name: string, shape: readonly number[], role: ParameterRole): void => {
    parameters.push({ name, shape, role });
  };
  const addMap = (name: string, role: ParameterRole, inputs: number, outputs: number): void =>
    add(`${name}.weight`, [inputs, outputs], role);
  const addNorm = (name: string): void => add(`${name}.weight`, [width], 'norm');
  const addMlp = (own: ReturnType<typeof t5BlockNames>): void => {
    addNorm(own.mlpNorm);
    if (isGated) addMap(own.mlpGate, 'mlp', width, feedForward);
    addMap(own.mlpIn, 'mlp', width, feedForward);
    addMap(own.mlpOut, 'mlp', feedForward, width);
  };
  const addAttention = (own: ReturnType<typeof t5BlockNames>): void => {
    addNorm(own.attentionNorm);
    addMap(own.projection, 'attention', width, 3 * inner);
    addMap(own.attentionOutput, 'attention', inner, width);
  };

  add(t5Names.embedding, [vocabularySize, width], 'embedding');
  add(t5Names.encoderBias, [buckets, heads], 'position');
  for (let i = 0; i < architecture.encoderLayers; i++) {
    const own = t5BlockNames('encoder', i);
    addAttention(own);
    addMlp(own);
  }
  addNorm(t5Names.encoderNorm);
  add(t5Names.decoderBias, [buckets, heads], 'position');
  for (let i = 0; i < architecture.decoderLayers; i++) {
    const own = t5BlockNames('decoder', i);
    addAttention(own);
    addNorm(own.crossNorm);
    addMap(own.crossQuery, 'attention', width, inner);
    addMap(own.crossKeyValue, 'attention', width, 2 * inner);
    addMap(own.crossOutput, 'attention', inner, width);
    addMlp(own);
  }
  addNorm(t5Names.decoderNorm);
  if (!isTied) add(t5Names.unembedding, [width, vocabularySize], 'unembedding');
  return parameters;
}
