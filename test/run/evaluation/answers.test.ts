import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, expect, test } from 'vitest';
import { createStream } from '../../../data/random/streams.js';
import type { ExampleSet } from '../../../data/experiment.js';
import { createEvaluator, type AskedSet } from '../../../src/run/evaluation/answers.js';
import { planBlocks, pack } from '../../../src/train/parameters/layout.js';
import { buildTransformer } from '../../../src/train/models/transformer/transformer.js';
import { transformerSchema } from '../../../src/train/models/transformer/config.js';
import { useTestEngine } from '../../train/support/engine.js';

const shape = {
  modality: 'text',
  vocabularySize: 8,
  variables: 0,
  outputSize: 8,
  blockSize: 3,
  queries: 2,
  padToken: 0,
} as const;

/** Questions of one token that all have the answer `labels`; one that is not asked is right whatever the model says. */
function questions(rows: readonly { labels: readonly [number, number]; isAsked: boolean }[]): ExampleSet {
  return {
    size: rows.length,
    fields: {
      tokens: { dtype: 'int32', shape: [3] },
      positions: { dtype: 'int32', shape: [2] },
      labels: { dtype: 'int32', shape: [2] },
      weights: { dtype: 'float32', shape: [2] },
    },
    group: new Int32Array(rows.length).fill(-1),
    variable: Int32Array.from(rows, (_, i) => i),
    id: new Int32Array(rows.length).fill(-1),
    fill: (chosen, first, buffers) => {
      Array.from(chosen).forEach((row, i) => {
        const { labels, isAsked } = rows[row]!;
        buffers['tokens']!.set([1 + (row % 3), labels[0], 0], 3 * (first + i));
        buffers['positions']!.set([0, 1], 2 * (first + i));
        buffers['labels']!.set(labels, 2 * (first + i));
        buffers['weights']!.set(isAsked ? [1, 1] : [0, 0], 2 * (first + i));
      });
    },
  };
}

beforeAll(async () => {
  await useTestEngine();
});

test('any right answer counts, of the rows that are asked, and the first alone where that is wanted', () => {
  const config = transformerSchema.parse({
    kind: 'transformer',
    layers: 1,
    width: 8,
    heads: 2,
    feedForward: 8,
    positions: 'learned',
    residual: 'sequential',
    initialisation: { kind: 'small' },
  });
  const model = buildTransformer(config, { shape, hidePadding: false });
  const blocks = planBlocks(model.parameters, () => '', true);
  const random = createStream(0, 'answers');
  const values = pack(
    blocks,
    new Map(
      model.parameters.map(({ name, shape: own, initialise }) => [
        name,
        tf.tile(tf.tensor(initialise(random), [1, ...own]), [2, ...own.map(() => 1)]),
      ]),
    ),
  );
  const all = ([0, 1, 2, 3, 4, 5, 6, 7] as const).flatMap((a) =>
    ([0, 1, 2, 3, 4, 5, 6, 7] as const).map((b) => ({ labels: [a, b] as [number, number], isAsked: true })),
  );
  // Of 64 answers to a question the model finds one most likely; the others are wrong.
  const examples = questions(all);
  const right = questions(all.map((own) => ({ ...own, isAsked: false })));
  const sets: AskedSet[] = [
    { examples, alternatives: { examples: right, of: Int32Array.of(5, 9, 9, 40) } },
    // Another number of other answers, and some that are wrong as well.
    { examples, alternatives: { examples: questions(all.slice(0, 1)), of: Int32Array.of(9) } },
  ];
  const rows = [Int32Array.of(40, 9, 3), Int32Array.of(9, 10, 11)];
  const correct = (gold: 'any' | 'first', of = sets, asked = rows) => {
    const evaluator = createEvaluator(model, blocks, 2, gold);
    const answers = evaluator.ask(values, of, asked, () => createStream(0, 'none'));
    evaluator.dispose();
    return answers.map((own) => [...own.correct]);
  };
  const first = correct('first');
  const any = correct('any');
  const other = { examples: sets[1]!.alternatives!.examples };
  const [[alone]] = correct('first', [other, other], [Int32Array.of(0), Int32Array.of(0)]) as [[number]];
  expect(any).toEqual([
    [1, 1, first[0]![2]],
    [Math.max(alone, first[1]![0]!), first[1]![1], first[1]![2]],
  ]);
  expect(first.flat()).toContain(0);
});
