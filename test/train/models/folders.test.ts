import fs from 'node:fs';
import path from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import type { TextShape } from '../../../data/experiment.js';
import { createStream } from '../../../data/random/streams.js';
import { readStoredTensor, storedTensors } from '../../../src/store/stored-tensors.js';
import { backward, forward } from '../../../src/train/backward.js';
import { createGenerator } from '../../../src/train/generate.js';
import { assembleGradients } from '../../../src/train/gradient.js';
import { openFamily } from '../../../src/train/models/folder/folder.js';
import { Learner } from '../../../src/train/learner.js';
import type { Model } from '../../../src/train/models/model.js';
import { buildModel } from '../../../src/train/models/registry.js';
import { distanceBuckets } from '../../../src/train/models/ops/distance-buckets.js';
import { optimizerSchema } from '../../../src/train/optimizers/registry.js';
import { pack, planBlocks } from '../../../src/train/parameters/layout.js';
import { useTestEngine } from '../support/engine.js';

beforeAll(useTestEngine);

const root = 'test/fixtures/models';
const folders = fs.readdirSync(root).filter((name) => fs.statSync(path.join(root, name)).isDirectory());

interface Golden {
  readonly shape: readonly number[];
  readonly values: Float32Array;
  readonly dtype: string;
}

function goldenOf(folder: string): ReadonlyMap<string, Golden> {
  const tensors = storedTensors(path.join(root, folder, 'golden.safetensors'));
  return new Map(
    tensors.map((own) => [own.name, { shape: own.shape, values: readStoredTensor(own), dtype: own.dtype }]),
  );
}

function shapeOf(golden: ReadonlyMap<string, Golden>): TextShape {
  const [, rows] = golden.get('tokens')!.shape as [number, number];
  const targets = golden.get('decoder_tokens')?.shape[1];
  return {
    modality: 'text',
    vocabularySize: 64,
    variables: 0,
    outputSize: 64,
    blockSize: targets ?? rows,
    queries: targets ?? rows - 1,
    padToken: 0,
    ...(targets === undefined ? {} : { inputLength: rows }),
  };
}

function load(folder: string, shape: TextShape): Model {
  const config = {
    kind: 'folder',
    from: path.join(root, folder),
    variableEmbedding: null,
    tagEmbedding: null,
  } as const;
  return buildModel(config, { shape, hidePadding: false });
}

/** Parameters of a folder for R replicas. */
function parametersOf(model: Model, replicas: number): Map<string, tf.Tensor> {
  const random = createStream(0, 'unused');
  return new Map(
    model.parameters.map(({ name, shape, initialise }) => [
      name,
      tf.tile(tf.expandDims(tf.tensor(initialise(random), [...shape]), 0), [replicas, ...shape.map(() => 1)]),
    ]),
  );
}

function largestDifference(actual: ArrayLike<number>, expected: ArrayLike<number>): number {
  expect(actual.length).toBe(expected.length);
  let scale = 0;
  let difference = 0;
  for (let i = 0; i < expected.length; i++) {
    scale = Math.max(scale, Math.abs(expected[i]!));
    difference = Math.max(difference, Math.abs(actual[i]! - expected[i]!));
  }
  return difference / scale;
}

function batchOf(golden: ReadonlyMap<string, Golden>, replicas: number): Record<string, tf.Tensor> {
  const names = {
    tokens: 'tokens',
    decoder_tokens: 'decoderTokens',
    labels: 'labels',
    weights: 'weights',
  };
  return Object.fromEntries(
    Object.entries(names).flatMap(([name, own]) => {
      const field = golden.get(name);
      if (field === undefined) return [];
      const dtype = name === 'weights' ? 'float32' : 'int32';
      const one = tf.tensor(
        dtype === 'int32' ? Int32Array.from(field.values) : field.values,
        [1, ...field.shape],
        dtype,
      );
      return [[own, tf.tile(one, [replicas, ...field.shape.map(() => 1)])]];
    }),
  );
}

/** Rows of a golden tensor of ids. */
function rowsOf({ shape, values }: Golden): number[][] {
  const [rows, length] = shape as [number, number];
  return Array.from({ length: rows }, (_, i) => Array.from(values.subarray(i * length, (i + 1) * length)));
}

describe.each(folders)('%s', (folder) => {
  test('has the logits, losses and gradients of an independent program', () => {
    const golden = goldenOf(folder);
    const model = load(folder, shapeOf(golden));
    const values = parametersOf(model, 2);
    const batch = batchOf(golden, 2);
    const examples = golden.get('tokens')!.shape[0]!;
    const logits = forward(model, values, batch).logits.dataSync();
    const expected = golden.get('logits')!.values;
    for (const half of [logits.subarray(0, expected.length), logits.subarray(expected.length)])
      expect(largestDifference(half, expected)).toBeLessThan(2e-5);

    const { losses, uses } = backward(model, values, batch, tf.fill([2, examples], 1 / examples));
    expect(
      largestDifference(losses.dataSync().slice(0, examples), golden.get('losses')!.values),
    ).toBeLessThan(1e-5);
    const { total } = assembleGradients(uses, 1);
    const { mappings } = openFamily(path.join(root, folder)).model;
    expect(mappings.map(({ parameter }) => parameter).toSorted()).toEqual(
      model.parameters.map(({ name }) => name).toSorted(),
    );
    for (const { parameter, tensors, fromTensors } of mappings) {
      const gradients = tensors.map(({ name }) => golden.get(`gradient/${name}`)!);
      const theirs = fromTensors(gradients.map((own) => own.values));
      // Numbers of half precision are rounded by up to 2^-11 of themselves.
      const tolerance = gradients[0]!.dtype === 'F16' ? 1e-3 : 1e-4;
      const ours = total.get(parameter)!.dataSync();
      for (const half of [ours.slice(0, theirs.length), ours.slice(theirs.length)])
        expect(largestDifference(half, theirs), parameter).toBeLessThan(tolerance);
    }
  });

  test('layouts of a folder and back are the same values', () => {
    const { folder: opened, model } = openFamily(path.join(root, folder));
    const tensors = opened.tensors();
    for (const mapping of model.mappings) {
      const stored = mapping.tensors.map(({ name }) => readStoredTensor(tensors.get(name)!));
      expect(mapping.toTensors(mapping.fromTensors(stored))).toEqual(stored);
    }
  });

  test('writes the tokens of an independent program, in any batch and without leaving tensors', () => {
    const golden = goldenOf(folder);
    const model = load(folder, shapeOf(golden));
    const blocks = planBlocks(model.parameters, () => '', true);
    const values = pack(blocks, parametersOf(model, 2));
    const source = golden.get('prompts') ?? golden.get('tokens')!;
    const prompts = rowsOf(source).map((row) => row.filter((id) => id !== 0));
    const expected = rowsOf(golden.get('generated')!);
    const generator = createGenerator(model, blocks);
    const options = { maxNewTokens: 6, stopToken: null };
    // A second replica with the prompts in another order.
    const order = [2, 0, 1];
    const both = [prompts, order.map((i) => prompts[i]!)];
    const first = generator.generate(values, both, options);
    expect(first).toEqual([expected, order.map((i) => expected[i]!)]);
    const { numTensors } = tf.memory();
    expect(generator.generate(values, both, options)).toEqual(first);
    expect(tf.memory().numTensors).toBe(numTensors);

    // A stop token ends its own text alone.
    const stopToken = expected[0]![2]!;
    const cut = (row: number[]): number[] =>
      row.includes(stopToken) ? row.slice(0, row.indexOf(stopToken)) : row;
    expect(generator.generate(values, both, { ...options, stopToken })).toEqual(
      first.map((own) => own.map(cut)),
    );
    generator.dispose();
  });
});

test.each(folders.filter((name) => !name.startsWith('t5')))(
  '%s: prompts of different lengths are continued as each by itself without a cache',
  (folder) => {
    const model = load(folder, { ...shapeOf(goldenOf(folder)), blockSize: 12, queries: 1 });
    const blocks = planBlocks(model.parameters, () => '', true);
    const parameters = parametersOf(model, 1);
    const prompts = [[5], [9, 33, 2, 41, 8], [61, 3]];
    const generator = createGenerator(model, blocks);
    const [written] = generator.generate(pack(blocks, parameters), [prompts], {
      maxNewTokens: 5,
      stopToken: null,
    });
    generator.dispose();
    const alone = prompts.map((prompt) => {
      const text = [...prompt];
      for (let made = 0; made < 5; made++) {
        const batch = {
          tokens: tf.tensor([[text]], [1, 1, text.length], 'int32'),
          positions: tf.tensor([[[text.length - 1]]], [1, 1, 1], 'int32'),
          labels: tf.zeros([1, 1, 1], 'int32'),
          weights: tf.ones([1, 1, 1]),
        };
        const logits = forward(model, parameters, batch).logits.dataSync();
        text.push(logits.indexOf(Math.max(...logits)));
      }
      return text.slice(prompt.length);
    });
    expect(written).toEqual(alone);
  },
);

test('distances of T5 are in the buckets of an independent program', () => {
  const golden = z
    .object({ first: z.int(), bothWays: z.array(z.int()), backwards: z.array(z.int()) })
    .parse(JSON.parse(fs.readFileSync(path.join(root, 't5_buckets.json'), 'utf8')));
  const rows = golden.bothWays.length;
  // A query in the middle of rows that are that far away.
  const bucketsOf = (bothWays: boolean): number[] =>
    Array.from(distanceBuckets(1, rows, { buckets: 32, longest: 128, bothWays }, -golden.first));
  expect(bucketsOf(true)).toEqual(golden.bothWays);
  expect(bucketsOf(false)).toEqual(golden.backwards);
});

test.each(['llama-tied', 't5'])('%s is trained: two replicas alike, each to a lower loss', (folder) => {
  const golden = goldenOf(folder);
  const model = load(folder, shapeOf(golden));
  const learner = new Learner(model, 2, 'example');
  learner.initialise([createStream(0, 'unused'), createStream(1, 'unused')]);
  const optimizer = optimizerSchema.parse({
    kind: 'adafactor',
    learningRate: 0.03,
    epsilon: 1e-30,
    clipThreshold: 1,
    decayRate: -0.8,
    weightDecay: 0,
  });
  learner.beginStage({ optimizer, learningRate: () => 0.03 });
  const batch = batchOf(golden, 2);
  const losses: number[][] = [];
  for (let step = 1; step <= 20; step++) {
    const gradient = learner.gradient(batch, 1);
    losses.push(Array.from(gradient.losses.dataSync()));
    learner.update(gradient.blocks, [1, 1], [1, 1], step);
    gradient.dispose();
  }
  const mean = (own: readonly number[]): number => own.reduce((sum, loss) => sum + loss, 0) / own.length;
  const examples = losses[0]!.length / 2;
  expect(largestDifference(losses[0]!.slice(0, examples), golden.get('losses')!.values)).toBeLessThan(1e-5);
  expect(mean(losses.at(-1)!)).toBeLessThan(0.5 * mean(losses[0]!));
  // Rounding grows from update to update, for T5 to .002 to .011 after twenty.
  for (const own of losses.slice(0, 5))
    expect(largestDifference(own.slice(examples), own.slice(0, examples))).toBeLessThan(1e-4);
  learner.dispose();
});

test('prompts that cannot be continued are refused with one line', () => {
  const golden = goldenOf('gpt2');
  const model = load('gpt2', shapeOf(golden));
  const blocks = planBlocks(model.parameters, () => '', true);
  const values = pack(blocks, parametersOf(model, 1));
  const generator = createGenerator(model, blocks);
  const options = { maxNewTokens: 5, stopToken: null };
  expect(() => generator.generate(values, [[[1], []]], options)).toThrow(
    'a prompt is empty: it needs one token at least',
  );
  const long = Array.from({ length: 13 }, (_, i) => i + 1);
  expect(() => generator.generate(values, [[long]], options)).toThrow(
    'a prompt of 13 tokens and 5 after it are more than the 16 positions of the model; shorten one',
  );
  const [[written]] = generator.generate(values, [[long.slice(1)]], options) as [[number[]]];
  expect(written).toHaveLength(5);
  expect(generator.generate(values, [[[1]]], { ...options, maxNewTokens: 0 })).toEqual([[[]]]);
  expect(generator.generate(values, [[]], options)).toEqual([[]]);
  generator.dispose();
});
