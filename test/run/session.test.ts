import fs from 'node:fs';
import path from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, test } from 'vitest';
import { readCheckpoint, writeCheckpoint } from '../../src/run/checkpoint.js';
import { readColumns } from '../../src/store/read-columns.js';
import { readRunInfo } from '../../src/store/run-folder.js';
import { nodeEnvironment } from '../../src/store/environment.js';
import { nodeFileSystem } from '../../src/store/file-system.js';
import { TableReader } from '../../src/store/table-reader.js';
import type { Engine } from '../../src/train/engine/load.js';
import { useTestEngine } from '../train/support/engine.js';
import { finalWeights, resumeTiny, temporaryFolder, trainTiny } from './support.js';

let engine: Engine;
beforeAll(async () => {
  engine = await useTestEngine();
});

const folderOf = (root: string, seed = 0): string => path.join(root, 'set-inclusion', `tiny-seed${seed}`);

async function lossesOf(folder: string): Promise<number[]> {
  const reader = await TableReader.open(folder, 'steps');
  try {
    const columns = await readColumns(reader, ['loss']);
    return Array.from(columns.column('loss', 'float64').values);
  } finally {
    await reader.close();
  }
}

function expectSameBits(actual: Map<string, Float32Array>, expected: Map<string, Float32Array>): void {
  expect([...actual.keys()]).toEqual([...expected.keys()]);
  for (const [name, values] of expected) {
    expect(Buffer.from(actual.get(name)!.buffer).equals(Buffer.from(values.buffer)), name).toBe(true);
  }
}

test('a run ends complete, with every table as an Arrow file, and no tensor left', async () => {
  const root = temporaryFolder();
  const before = tf.memory().numTensors;
  const { end, folders, failed } = await trainTiny({ root, engine });
  expect({ end, folders, failed }).toEqual({ end: 'complete', folders: [folderOf(root)], failed: [] });
  expect(tf.memory().numTensors).toBe(before);
  const names = fs
    .readdirSync(folderOf(root))
    .filter((name) => name.includes('.arrow'))
    .sort();
  expect(names).toEqual(
    ['events', 'gradients', 'gram', 'metrics', 'sketches', 'steps', 'vectors'].map((name) => `${name}.arrow`),
  );
  const info = readRunInfo(folderOf(root));
  expect(info).toMatchObject({ status: 'complete', seed: 0, stepsDone: info.stepsTotal });
  expect(await lossesOf(folderOf(root))).toHaveLength(info.stepsTotal);
});

test('the number of tensors does not grow over steps', async () => {
  const counts: number[] = [];
  await trainTiny({ root: temporaryFolder(), engine, onProgress: () => counts.push(tf.memory().numTensors) });
  // The first steps of a stage create its optimizer's state and capture its graphs.
  expect(new Set(counts.slice(3, 15)).size).toBe(1);
});

test('the same seed gives the same data, losses and weights', async () => {
  const roots = [temporaryFolder(), temporaryFolder()];
  for (const root of roots) await trainTiny({ root, engine });
  const [first, second] = roots.map((root) => folderOf(root));
  expect(readRunInfo(second!).dataHash).toBe(readRunInfo(first!).dataHash);
  expect(await lossesOf(second!)).toEqual(await lossesOf(first!));
  expectSameBits(finalWeights(second!), finalWeights(first!));
});

test.each(['off', 'norms', 'groups', 'sketch'])(
  'logging tier %s leaves the weights as they are, bit for bit',
  async (tier) => {
    const [full, other] = [temporaryFolder(), temporaryFolder()];
    await trainTiny({ root: full, engine, seeds: [0, 1] });
    await trainTiny({ root: other, engine, seeds: [0, 1], overrides: [`log.tier=${tier}`] });
    for (const seed of [0, 1]) {
      expect(await lossesOf(folderOf(other, seed))).toEqual(await lossesOf(folderOf(full, seed)));
      expectSameBits(finalWeights(folderOf(other, seed)), finalWeights(folderOf(full, seed)));
    }
  },
);

test('a replica comes out as it does alone, within rounding', async () => {
  const [together, alone] = [temporaryFolder(), temporaryFolder()];
  await trainTiny({ root: together, engine, seeds: [0, 5, 9] });
  await trainTiny({ root: alone, engine, seeds: [5] });
  const [mine, others] = [await lossesOf(folderOf(alone, 5)), await lossesOf(folderOf(together, 5))];
  expect(others).toHaveLength(mine.length);
  mine.forEach((loss, i) => expect(Math.abs(others[i]! - loss)).toBeLessThan(1e-3 * (1 + loss)));
  const weights = finalWeights(folderOf(alone, 5));
  for (const [name, values] of finalWeights(folderOf(together, 5))) {
    values.forEach((value, i) => expect(Math.abs(value - weights.get(name)![i]!), name).toBeLessThan(2e-3));
  }
  expect(await lossesOf(folderOf(together, 0))).not.toEqual(others);
});

describe('stopping', () => {
  test.each([1, 7, 12, 17])(
    'at step %i and resuming gives the weights of an uninterrupted run',
    async (stopAt) => {
      const [whole, stopped] = [temporaryFolder(), temporaryFolder()];
      await trainTiny({ root: whole, engine, seeds: [0, 1] });
      const { end } = await trainTiny({
        root: stopped,
        engine,
        seeds: [0, 1],
        onProgress: ({ step }, abort) => step === stopAt && abort(),
      });
      expect(end).toBe('interrupted');
      expect(readRunInfo(folderOf(stopped))).toMatchObject({ status: 'interrupted', stepsDone: stopAt });
      await resumeTiny(folderOf(stopped), { root: stopped, engine });
      for (const seed of [0, 1]) {
        expect(readRunInfo(folderOf(stopped, seed)).status).toBe('complete');
        expectSameBits(finalWeights(folderOf(stopped, seed)), finalWeights(folderOf(whole, seed)));
        expect(await lossesOf(folderOf(stopped, seed))).toEqual(await lossesOf(folderOf(whole, seed)));
      }
    },
  );

  test('a second process gets a clear error while a run is going', async () => {
    const root = temporaryFolder();
    const refusals: Promise<unknown>[] = [];
    await trainTiny({
      root,
      engine,
      onProgress: () => {
        if (refusals.length > 0) return;
        refusals.push(resumeTiny(folderOf(root), { root, engine }).catch((error: unknown) => error));
      },
    });
    expect(String(await refusals[0])).toMatch(/is being written by process \d+/);
  });

  test('a complete run is left alone, another config is refused, overwriting replaces', async () => {
    const root = temporaryFolder();
    await trainTiny({ root, engine });
    const { updated } = readRunInfo(folderOf(root));
    await trainTiny({ root, engine });
    expect(readRunInfo(folderOf(root)).updated).toBe(updated);
    await expect(trainTiny({ root, engine, overrides: ['stages.0.epochs=2'] })).rejects.toThrow(
      /holds a run of another config/,
    );
    await trainTiny({ root, engine, overrides: ['stages.0.epochs=2'], request: { existing: 'overwrite' } });
    expect(readRunInfo(folderOf(root)).updated).not.toBe(updated);
  });
});

describe('what goes wrong', () => {
  test('a loss that is not finite ends its run, says where, and keeps the log', async () => {
    const root = temporaryFolder();
    const failing = trainTiny({
      root,
      engine,
      overrides: [
        'stages.0.optimizer.learningRate=1e30',
        'stages.0.parameterGroups=[]',
        'stages.0.clipNorm=null',
      ],
    });
    await expect(failing).rejects.toThrow(
      /seed 0: the (loss|gradient) is not finite at step \d+ of stage stage1; first in: .+; lower the learning rate/,
    );
    const info = readRunInfo(folderOf(root));
    expect(info.status).toBe('failed');
    expect(info.failure).toContain('not finite');
    expect((await lossesOf(folderOf(root))).length).toBe(info.stepsDone);
  });

  test('one broken replica does not stop the others', async () => {
    const root = temporaryFolder();
    const stopAt = 5;
    await trainTiny({
      root,
      engine,
      seeds: [0, 1],
      onProgress: ({ step }, abort) => step === stopAt && abort(),
    });
    const checkpoint = readCheckpoint(folderOf(root, 1), stopAt);
    checkpoint.parameters.at(-1)!.values[3] = Infinity;
    writeCheckpoint(folderOf(root, 1), checkpoint, nodeFileSystem);
    const { failed, end } = await resumeTiny(folderOf(root), { root, engine });
    expect(end).toBe('complete');
    expect(failed).toHaveLength(1);
    expect(failed[0]).toMatchObject({ folder: folderOf(root, 1) });
    expect(failed[0]!.reason).toContain('first in: parameter embed_out.weight');
    expect(readRunInfo(folderOf(root, 0)).status).toBe('complete');
    expect(readRunInfo(folderOf(root, 1))).toMatchObject({ status: 'failed', stepsDone: stopAt });
    expect(await lossesOf(folderOf(root, 1))).toHaveLength(stopAt);
  });

  test('a full disk stops the run with its reason; what was written stays readable', async () => {
    const root = temporaryFolder();
    let written = 0;
    const full = {
      ...nodeFileSystem,
      write: (fd: number, chunks: readonly Uint8Array[], position: number): number => {
        written += chunks.reduce((sum, chunk) => sum + chunk.length, 0);
        if (written > 150_000)
          throw Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' });
        return nodeFileSystem.write(fd, chunks, position);
      },
    };
    const failing = trainTiny({ root, engine, request: { environment: { ...nodeEnvironment, fs: full } } });
    await expect(failing).rejects.toThrow(/ENOSPC/);
    const reader = await TableReader.open(folderOf(root), 'steps');
    expect(reader.rows).toBeGreaterThanOrEqual(0);
    await reader.close();
  });
});
