import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { TextShape } from '../../../data/experiment.js';
import { createStream } from '../../../data/random/streams.js';
import { readLlama2c, writeLlamaFolder } from '../../../scripts/import-llama2c.js';
import { forward } from '../../../src/train/backward.js';
import { createGenerator } from '../../../src/train/generate.js';
import { Learner } from '../../../src/train/learner.js';
import { parameterCount } from '../../../src/train/models/model.js';
import { buildModel } from '../../../src/train/models/registry.js';
import { unpack } from '../../../src/train/parameters/layout.js';
import { useTestEngine } from '../support/engine.js';

const file = path.resolve('../shared/models/stories260K.bin');
const isThere = fs.existsSync(file);
if (!isThere) console.log(`skipping the test on real weights: there is no ${file}`);

/** The first tokens of the story that upstream's program writes. */
const story = [
  403, 407, 261, 378, 432, 383, 286, 261, 376, 298, 315, 421, 395, 317, 426, 338, 401, 396, 267, 337, 410,
  408, 419, 292, 411, 322, 265, 282, 295, 433, 426, 385, 328, 432, 358, 394, 261, 370, 432, 352,
];
const start = 1;
const shape: TextShape = {
  modality: 'text',
  vocabularySize: 512,
  variables: 0,
  outputSize: 512,
  blockSize: 128,
  queries: 127,
  padToken: 0,
};

describe.skipIf(!isThere)('stories260K', () => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'gradscope-stories-'));
  afterAll(() => fs.rmSync(folder, { recursive: true, force: true }));
  beforeAll(async () => {
    await useTestEngine();
    writeLlamaFolder(readLlama2c(file), folder);
  });

  test('real weights have the logits, the story and the likelihood of upstream', () => {
    const model = buildModel(
      { kind: 'folder', from: folder, variableEmbedding: null, tagEmbedding: null },
      { shape, hidePadding: false },
    );
    expect(parameterCount(model)).toBe(260_032);
    const learner = new Learner(model, 2, 'example');
    learner.initialise([createStream(0, 'unused'), createStream(1, 'unused')]);
    const values = learner.read();
    const generator = createGenerator(model, learner.blocks);
    const written = generator.generate(values, [[[start]], [[start]]], { maxNewTokens: 60, stopToken: null });
    generator.dispose();
    expect(written[1]).toEqual(written[0]);
    const text = written[0]![0]!;
    expect(text.slice(0, story.length)).toEqual(story);

    const parameters = unpack(learner.blocks, values);
    const batch = {
      tokens: tf.tensor([[[start, ...text]], [[start, ...text]]], [2, 1, 61], 'int32'),
      labels: tf.tensor([[text], [text]], [2, 1, 60], 'int32'),
      weights: tf.fill([2, 1, 60], 1 / 60),
    };
    const { logits, losses } = forward(model, parameters, batch);
    const first = logits.dataSync().subarray(0, 512);
    for (const [token, logit] of [
      [403, 17.0235],
      [385, 15.4062],
      [410, 13.1083],
    ] as const)
      expect(Math.abs(first[token]! - logit)).toBeLessThan(1e-3);
    for (const loss of losses.dataSync()) expect(loss).toBeCloseTo(0.3772, 3);
    learner.dispose();
  });
});
