import { describe, expect, it } from 'vitest';
import type { ExampleSet } from '../../data/experiment.js';
import { allocateFields } from '../../data/fields.js';
import { createStream } from '../../data/random/streams.js';
import { replayedRows, withReplay } from '../../data/replay.js';
import { rowProbabilities, samplingOf } from '../../data/samplers.js';
import { tableExamples } from '../../data/table.js';
import { minibatchOrder } from '../../src/train/sampler.js';

/** Rows whose one field is their own number. */
function numbered(first: number, size: number, group: number): ExampleSet {
  const values = Int32Array.from({ length: size }, (_, i) => first + i);
  const table = {
    fields: { value: { dtype: 'int32' as const, shape: [] } },
    buffers: { value: values },
    group: new Int32Array(size).fill(group),
    variable: values,
    id: values,
  };
  return tableExamples(
    table,
    Int32Array.from({ length: size }, (_, i) => i),
  );
}

const rows = numbered(0, 20, 0);
const facts = numbered(100, 50, 1);
const set = withReplay(rows, facts, 0.25);

describe('withReplay', () => {
  it('puts the facts behind the rows', () => {
    expect(set.size).toBe(70);
    expect(set.replay).toEqual({ first: 20, perEpoch: 5 });
    const buffers = allocateFields(set.fields, 3);
    set.fill([19, 20, 69], 0, buffers, () => createStream(0, 'unused'));
    expect(Array.from(buffers['value']!)).toEqual([19, 100, 149]);
    expect(Array.from(set.group.subarray(18, 22))).toEqual([0, 0, 1, 1]);
  });

  it('meets every row once an epoch, and as many facts as the share says, others in every epoch', () => {
    const order = minibatchOrder(set, 8, 'shuffle', createStream(3, 'order'));
    expect(order.stepsPerEpoch).toBe(4);
    const epochs = Array.from({ length: 40 }, (_, epoch) => {
      const minibatches = order.epoch(epoch);
      expect(minibatches.map((own) => own.length)).toEqual([8, 8, 8, 1]);
      return minibatches.flatMap((own) => [...own]);
    });
    const met = new Map<number, number>();
    for (const epoch of epochs) {
      expect(epoch.filter((row) => row < 20).toSorted((a, b) => a - b)).toEqual([...rows.id]);
      const replayed = epoch.filter((row) => row >= 20);
      expect(new Set(replayed).size).toBe(5);
      for (const row of replayed) met.set(row, (met.get(row) ?? 0) + 1);
    }
    // 200 draws of 50 facts, 4 each on average.
    expect(met.size).toBeGreaterThan(45);
    expect(Math.max(...met.values())).toBeLessThan(13);
  });

  it('gives every row the share of an epoch that it has', () => {
    const probabilities = rowProbabilities(set, 'shuffle');
    expect(probabilities[0]! / probabilities[69]!).toBeCloseTo(10, 12);
    expect(probabilities.reduce((sum, own) => sum + own, 0)).toBeCloseTo(1, 12);
  });

  it('is no uniform sample, so that the laws of shuffled minibatches say nothing', () => {
    const sampling = samplingOf({ sampler: 'shuffle', batchSize: 8, examples: 70, isReplayed: true });
    expect(sampling).toMatchObject({ draws: 'arranged', arranger: 'the replay of facts' });
  });

  it('replays one row at least and all at most', () => {
    expect(replayedRows(20, 50, 0.001)).toBe(1);
    expect(replayedRows(20, 50, 100)).toBe(50);
  });

  it('refuses rows with other fields', () => {
    const other = { ...facts, fields: { value: { dtype: 'float32' as const, shape: [] } } };
    expect(() => withReplay(rows, other, 1)).toThrow(
      'rows to replay have other fields than those of the stage',
    );
  });
});
