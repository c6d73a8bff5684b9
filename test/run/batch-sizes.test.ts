import path from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { readColumns } from '../../src/store/read-columns.js';
import { readRunInfo } from '../../src/store/run-folder.js';
import { tables } from '../../src/store/tables/registry.js';
import { TableReader } from '../../src/store/table-reader.js';
import { readTyped } from '../../src/store/typed-table.js';
import type { Engine } from '../../src/train/engine/load.js';
import { useTestEngine } from '../train/support/engine.js';
import { finalWeights, temporaryFolder, trainTiny } from './support.js';

let engine: Engine;
beforeAll(async () => {
  engine = await useTestEngine();
});

/** A network that trains in no time; what takes time is building its graphs. */
const small = [
  'model.layers=1',
  'model.width=8',
  'model.feedForward=8',
  'model.heads=2',
  'data.variables=30',
  'stages.0.epochs=1',
  'stages.1.epochs=1',
  'evaluation.maxExamples=4',
  'log.gram={ every: 1 }',
  'log.exampleNorms={ every: 1 }',
  'log.sketch={ every: 1 }',
  'log.vectors={ every: 1 }',
];

const folderOf = (root: string): string => path.join(root, 'set-inclusion', 'tiny-seed0');

async function train(batch: string, tier: string, sampler = 'shuffle'): Promise<string> {
  const root = temporaryFolder();
  const stages = [0, 1].flatMap((stage) => [
    `stages.${stage}.batchSize=${batch}`,
    `stages.${stage}.sampler=${sampler}`,
  ]);
  await trainTiny({ root, engine, overrides: [...small, ...stages, `log.tier=${tier}`] });
  return folderOf(root);
}

async function columnsOf(folder: string, table: string, names: readonly string[]): Promise<number[][]> {
  const reader = await TableReader.open(folder, table);
  try {
    const columns = await readColumns(reader, names);
    return names.map((name) => {
      const view = columns.view(name);
      if (view.kind !== 'float64' && view.kind !== 'int32') throw new Error(`${name} holds no numbers`);
      return Array.from(view.values);
    });
  } finally {
    await reader.close();
  }
}

/** Step -> squared norm of the whole minibatch gradient, in the table `gradients`. */
async function minibatchNorms(folder: string): Promise<Map<number, number>> {
  const reader = await TableReader.open(folder, 'gradients');
  try {
    const names = ['step', 'group', 'tensor', 'norm2'] as const;
    const { rows, columns } = await readTyped(reader, tables.gradients, names);
    const { step, group, tensor, norm2 } = columns;
    const norms = new Map<number, number>();
    for (let row = 0; row < rows; row++) {
      const isWhole = group.text(row) === 'minibatch' && tensor.text(row) === 'total';
      if (isWhole) norms.set(step[row]!, norm2[row]!);
    }
    return norms;
  } finally {
    await reader.close();
  }
}

describe('any batch size with any remainder', () => {
  // Stage 1 has an even number of rows; what remains of it at the end of an epoch, and of stage 2, follows below.
  test.each([
    ['odd, even remainder', '63', 'full'],
    ['odd, odd remainder', '35', 'groups'],
    ['even, odd remainder', '14', 'sketch'],
    ['odd, more than there are rows', '1001', 'full'],
    ['one example', '97', 'full'],
  ])('%s: the log adds up to the minibatch, and does not change the weights', async (_, batch, tier) => {
    const folder = await train(batch, tier);
    const { stages } = readRunInfo(folder);
    const [step, size, norm] = (await columnsOf(folder, 'steps', ['step', 'batch_size', 'grad_norm'])) as [
      number[],
      number[],
      number[],
    ];
    const rows = stages.flatMap(({ examples, steps, batchSize }) =>
      Array.from({ length: steps }, (_step, i) => Math.min(batchSize, examples - i * batchSize)),
    );
    expect(size).toEqual(rows);
    // The log has the squared norm of a minibatch as the sum of the Gram matrix of its groups.
    const logged = await minibatchNorms(folder);
    expect([...logged.keys()]).toEqual(step);
    for (const [i, at] of step.entries()) {
      expect(Math.abs(logged.get(at)! / norm[i]! ** 2 - 1), `step ${at}`).toBeLessThan(1e-4);
    }
    const unlogged = finalWeights(await train(batch, 'off'));
    for (const [name, values] of finalWeights(folder)) expect(values, name).toEqual(unlogged.get(name));
  });

  test.each(['withReplacement', 'shuffleOnce'])('sampler %s', async (sampler) => {
    const folder = await train('63', 'groups', sampler);
    expect(readRunInfo(folder).status).toBe('complete');
  });
});
