import type { ImageShape } from '../../../../data/experiment.js';
import { constant, normal } from '../initialise.js';
import type { ParameterRole, ParameterSpec } from '../model.js';
import type { ConvnextConfig } from './config.js';

/** Names of the layers, after those of the published ConvNeXt V2 checkpoints. */
export const convnextNames = {
  stem: 'downsample_layers.0.0',
  stemNorm: 'downsample_layers.0.1',
  downsampleNorm: (stage: number) => `downsample_layers.${stage}.0`,
  downsample: (stage: number) => `downsample_layers.${stage}.1`,
  block: (stage: number, block: number) => {
    const own = `stages.${stage}.${block}`;
    return {
      depthwise: `${own}.dwconv`,
      norm: `${own}.norm`,
      expand: `${own}.pwconv1`,
      response: `${own}.grn`,
      contract: `${own}.pwconv2`,
    } as const;
  },
  finalNorm: 'norm',
  head: 'head',
} as const;

/**
 * Parameters in the order of the forward pass; weights are `[in, out]`, those of convolutions `[tap * channel, out]`,
 * depthwise ones `[tap, channel]`.
 */
export function convnextParameters(config: ConvnextConfig, shape: ImageShape): ParameterSpec[] {
  const { stem, stages, kernel, expansion, standardDeviation } = config;
  const names = convnextNames;
  const weight = (name: string, role: ParameterRole, rows: number, columns: number): ParameterSpec => ({
    name: `${name}.weight`,
    shape: [rows, columns],
    role,
    initialise: normal(rows * columns, standardDeviation),
  });
  const vector = (name: string, role: ParameterRole, width: number, value: number): ParameterSpec => ({
    name,
    shape: [width],
    role,
    initialise: constant(width, value),
  });
  const map = (name: string, role: ParameterRole, fanIn: number, outputs: number): ParameterSpec[] => [
    weight(name, role, fanIn, outputs),
    vector(`${name}.bias`, role, outputs, 0),
  ];
  const norm = (name: string, width: number): ParameterSpec[] => [
    vector(`${name}.weight`, 'norm', width, 1),
    vector(`${name}.bias`, 'norm', width, 0),
  ];
  const parameters: ParameterSpec[] = [];
  stages.forEach(({ width, blocks }, stage) => {
    const before = stages[stage - 1];
    parameters.push(
      ...(before === undefined
        ? [
            ...map(names.stem, 'convolution', stem.kernel ** 2 * shape.channels, width),
            ...norm(names.stemNorm, width),
          ]
        : [
            ...norm(names.downsampleNorm(stage), before.width),
            ...map(names.downsample(stage), 'convolution', 4 * before.width, width),
          ]),
    );
    for (let i = 0; i < blocks; i++) {
      const block = names.block(stage, i);
      const inner = expansion * width;
      parameters.push(
        ...map(block.depthwise, 'convolution', kernel ** 2, width),
        ...norm(block.norm, width),
        ...map(block.expand, 'mlp', width, inner),
        // Global response normalisation starts as the identity.
        vector(`${block.response}.gamma`, 'norm', inner, 0),
        vector(`${block.response}.beta`, 'norm', inner, 0),
        ...map(block.contract, 'mlp', inner, width),
      );
    }
  });
  const last = stages.at(-1)!.width;
  parameters.push(
    ...norm(names.finalNorm, last),
    ...map(names.head, 'unembedding', last, shape.queries * shape.outputSize),
  );
  return parameters;
}
