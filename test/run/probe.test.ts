import fs from 'node:fs';
import path from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, expect, test } from 'vitest';
import { Prober } from '../../src/run/probe.js';
import { probeDefaults } from '../../src/run/probes/probe.js';
import { loadEngine, type Engine } from '../../src/train/engine/load.js';
import { polars } from '../store/polars.js';
import { temporaryFolder, trainTiny } from './support.js';

const root = temporaryFolder();
const folder = path.join(root, 'set-inclusion', 'tiny-seed0');
const options = { ...probeDefaults, variablesPerSubset: 3, questions: 4, stepSizes: [1e-5, 1e-4, 1e-3] };
let engine: Engine;

const read = (table: string): Record<string, unknown>[] =>
  polars.readIPC(fs.readFileSync(path.join(folder, `${table}.arrow`))).toRecords();

beforeAll(async () => {
  engine = await loadEngine({ engine: 'auto' });
  await trainTiny({ root, engine });
  const prober = new Prober(options, { engine }, () => {});
  await prober.probe(folder);
  prober.dispose();
}, 240_000);

test('alignment: cosines are those of its inner products and norms, layers add up to the total', () => {
  const rows = read('alignment');
  const matched = rows.filter((row) => row['pairing'] === 'matched');
  expect(matched.length).toBeGreaterThan(100);
  for (const row of matched) {
    const norms = Number(row['norm_definition']) * Number(row['norm_questions']);
    if (row['cosine'] === null) expect(norms).toBe(0);
    else expect(Number(row['cosine']) * norms).toBeCloseTo(Number(row['inner']), 8);
    expect(Math.abs(Number(row['cosine']))).toBeLessThanOrEqual(1 + 1e-5);
  }
  const sums = new Map<string, { total: number; parts: number }>();
  for (const row of matched) {
    const key = `${String(row['step'])} ${String(row['variable'])} ${String(row['questions'])}`;
    const own = sums.get(key) ?? { total: 0, parts: 0 };
    if (row['tensor'] === 'total') own.total += Number(row['inner']);
    else if (row['tensor'] !== 'without_embeddings') own.parts += Number(row['inner']);
    sums.set(key, own);
  }
  for (const { total, parts } of sums.values()) expect(parts).toBeCloseTo(total, 8);
});

test('alignment: a swapped tag is the definition of the other tag, for the same variable', () => {
  const rows = read('alignment').filter((row) => row['tensor'] === 'total');
  const pairings = new Set(rows.map((row) => row['pairing']));
  expect(pairings).toEqual(
    new Set(['matched', 'tag_swap', 'entity_swap', 'mismatched', 'tag_swap_mismatched', 'random']),
  );
  const differing = rows.filter((row) => row['pairing'] === 'tag_swap');
  const own = rows.filter((row) => row['pairing'] === 'matched');
  expect(differing).toHaveLength(own.length);
  expect(differing.map((row) => row['norm_questions'])).toEqual(own.map((row) => row['norm_questions']));
  expect(differing.map((row) => row['norm_definition'])).not.toEqual(
    own.map((row) => row['norm_definition']),
  );
});

test('penalty: norms of real minibatches follow the law of their size, with and without replacement', () => {
  const ratios = read('penalty').flatMap((row) => {
    const [b, n] = [Number(row['batch_size']), Number(row['examples'])];
    const full = Number(row['full_norm2']);
    const gamma = Number(row['example_norm2']) - full;
    const shuffled = row['sampler'] === 'shuffle';
    const law = full + ((shuffled ? (n - b) / (n - 1) : 1) * gamma) / b;
    const ratio = Number(row['norm2']) / law;
    if (shuffled && b === n) return [{ ratio, tolerance: 1e-6 }];
    // Few minibatches say little.
    return Number(row['minibatches']) < 16 ? [] : [{ ratio, tolerance: 0.5 }];
  });
  expect(ratios.length).toBeGreaterThan(8);
  expect(ratios.filter(({ ratio, tolerance }) => Math.abs(ratio - 1) > tolerance)).toEqual([]);
});

test('transfer: small updates change the loss as predicted, to first order', () => {
  const rows = read('transfer');
  const errorOf = (size: number): number => {
    const own = rows.filter((row) => row['step_size'] === size);
    expect(own.length).toBeGreaterThan(20);
    const sum = (value: (row: Record<string, unknown>) => number): number =>
      own.reduce((total, row) => total + Math.abs(value(row)), 0);
    return (
      sum((row) => Number(row['actual']) - Number(row['predicted'])) / sum((row) => Number(row['predicted']))
    );
  };
  expect(errorOf(1e-5)).toBeLessThan(0.1);
  // The rest is of second order: it grows with the step.
  expect(errorOf(1e-4)).toBeGreaterThan(errorOf(1e-5));
});

test('probing leaves no tensor behind, and a second time replaces the tables with equal ones', async () => {
  const before = fs.readFileSync(path.join(folder, 'alignment.arrow'));
  const prober = new Prober(options, { engine }, () => {});
  await prober.probe(folder);
  const { numTensors } = tf.memory();
  await prober.probe(folder);
  expect(tf.memory().numTensors).toBe(numTensors);
  prober.dispose();
  expect(fs.readFileSync(path.join(folder, 'alignment.arrow')).equals(before)).toBe(true);
});

test('a folder that is being written is refused', async () => {
  const other = temporaryFolder();
  const prober = new Prober(options, { engine }, () => {});
  await expect(prober.probe(other)).rejects.toThrow(/run\.json: is missing/);
});
