import fs from 'node:fs';
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { backward } from '../../../src/train/backward.js';
import { assembleGradients } from '../../../src/train/gradient.js';
import { transformerSchema } from '../../../src/train/models/transformer/config.js';
import { buildTransformer } from '../../../src/train/models/transformer/transformer.js';
import { useTestEngine } from '../support/engine.js';

beforeAll(useTestEngine);

const tensorSchema = z.object({ shape: z.array(z.number()), values: z.array(z.number()) });
const tensors = z.record(z.string(), tensorSchema);
const peer = z
  .object({
    tokens: z.array(z.array(z.number())),
    cases: z.record(
      z.string(),
      z.object({ losses: z.array(z.number()), parameters: tensors, gradients: tensors }),
    ),
  })
  .parse(
    JSON.parse(
      fs.readFileSync(new URL('../../fixtures/train/transformers_peer.json', import.meta.url), 'utf8'),
    ),
  );

const shared = {
  kind: 'transformer',
  layers: 2,
  width: 8,
  heads: 2,
  feedForward: 16,
  initialisation: { kind: 'normal', standardDeviation: 0.02 },
};
const configs: Record<string, object> = {
  'gpt-neox parallel': { positions: 'rotary', rotaryFraction: 0.5, residual: 'parallel' },
  'gpt-neox sequential': { positions: 'rotary', rotaryFraction: 1, residual: 'sequential' },
  'gpt-2': { positions: 'learned', residual: 'sequential', tiedEmbedding: true },
};

describe.each(Object.entries(peer.cases))('%s', (name, { losses, parameters, gradients }) => {
  test("has Hugging Face's losses and gradients", () => {
    const config = transformerSchema.parse({ ...shared, ...configs[name] });
    const [examples, rows] = [peer.tokens.length, peer.tokens[0]!.length];
    const shape = {
      modality: 'text',
      vocabularySize: 11,
      variables: 0,
      outputSize: 11,
      blockSize: rows,
      queries: rows - 1,
      padToken: 0,
    } as const;
    const model = buildTransformer(config, { shape, hidePadding: false });
    expect(model.parameters.map((parameter) => parameter.name).sort()).toEqual(
      Object.keys(parameters).sort(),
    );
    const values = new Map(
      model.parameters.map((parameter) => {
        const { shape, values } = parameters[parameter.name]!;
        expect(shape, parameter.name).toEqual(parameter.shape);
        return [parameter.name, tf.tensor(values, [1, ...shape])];
      }),
    );
    const labels = peer.tokens.map((row) => row.slice(1));
    const inputs = {
      tokens: tf.tensor([peer.tokens], [1, examples, rows], 'int32'),
      labels: tf.tensor([labels], [1, examples, rows - 1], 'int32'),
      weights: tf.fill([1, examples, rows - 1], 1 / (rows - 1)),
    };
    const result = backward(model, values, inputs, tf.fill([1, examples], 1 / examples));
    result.losses.dataSync().forEach((loss, i) => expect(loss).toBeCloseTo(losses[i]!, 4));
    const { total } = assembleGradients(result.uses, 1);
    for (const [parameter, expected] of Object.entries(gradients)) {
      const scale = Math.max(...expected.values.map(Math.abs));
      total
        .get(parameter)!
        .dataSync()
        .forEach((value, i) => {
          expect(Math.abs(value - expected.values[i]!) / scale, `${parameter}[${i}]`).toBeLessThan(1e-4);
        });
    }
  });
});
