import { expect, test } from 'vitest';
import type { ExampleSet } from '../../data/experiment.js';
import { createStream } from '../../data/random/streams.js';
import { minibatchOrder, stepsPerEpoch } from '../../src/train/sampler.js';

const stream: ExampleSet = {
  size: 3,
  fields: {},
  group: Int32Array.of(0, 0, 0),
  variable: Int32Array.of(0, 1, 2),
  id: Int32Array.of(0, 1, 2),
  probability: Float64Array.of(2, 0, 6),
  epochSize: 40_000,
  fill: () => {},
};

test('an epoch of a stream is as long as the data say, with rows in their probabilities', () => {
  expect(stepsPerEpoch(stream, 128, 'mixture')).toBe(313);
  const order = minibatchOrder(stream, 128, 'mixture', createStream(0, 'order'));
  expect(order.stepsPerEpoch).toBe(313);
  const batches = order.epoch(0);
  expect(batches.map((rows) => rows.length)).toEqual(new Array(313).fill(128));
  const counts = [0, 0, 0];
  for (const rows of batches) for (const row of rows) counts[row]!++;
  expect(counts[1]).toBe(0);
  // 40,064 draws with probability 1/4: a standard deviation of 87.
  expect(Math.abs(counts[0]! - 40_064 / 4)).toBeLessThan(350);
});

test('other samplers pass over the rows, and a stream without a length is as long as its rows', () => {
  expect(stepsPerEpoch(stream, 2, 'shuffle')).toBe(2);
  const { epochSize: _, ...rows } = stream;
  expect(stepsPerEpoch(rows, 2, 'mixture')).toBe(2);
});
