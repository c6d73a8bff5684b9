import { z } from 'zod';
import type { ExampleSet } from './experiment.js';
import type { RandomStream } from './random/streams.js';

/** Rows of a training set that are met only now and then: from row `first` on, `perEpoch` of them in every epoch. */
export interface Replay {
  readonly first: number;
  readonly perEpoch: number;
}

/** Schema of the key `replay` of a stage. */
export const replaySchema = z
  .number()
  .min(1e-6)
  .max(100)
  .nullable()
  .default(null)
  .describe(
    'rows of `facts`, as a share of the rows of the stage, that are trained on beside them: drawn anew for every epoch, so that ' +
      'what the model was pretrained on is not forgotten; null: none',
  );

/** Rows replayed in an epoch of `rows` rows: that share of them, at most all there are, and one at least. */
export function replayedRows(rows: number, facts: number, share: number): number {
  return Math.min(facts, Math.max(1, Math.round(rows * share)));
}

/**
 * The rows of a stage and behind them those of `facts`, of which every epoch meets a share. Throws a TypeError for sets whose
 * rows have different fields.
 */
export function withReplay(rows: ExampleSet, facts: ExampleSet, share: number): ExampleSet {
  if (JSON.stringify(rows.fields) !== JSON.stringify(facts.fields))
    throw new TypeError('rows to replay have other fields than those of the stage');
  const { size: first } = rows;
  const concat = (a: Int32Array, b: Int32Array): Int32Array => {
    const both = new Int32Array(a.length + b.length);
    both.set(a);
    both.set(b, a.length);
    return both;
  };
  return {
    size: first + facts.size,
    fields: rows.fields,
    group: concat(rows.group, facts.group),
    variable: concat(rows.variable, facts.variable),
    id: concat(rows.id, facts.id),
    replay: { first, perEpoch: replayedRows(first, facts.size, share) },
    fill(chosen, to, buffers, random) {
      for (let i = 0; i < chosen.length; i++) {
        const row = chosen[i]!;
        if (row < first) rows.fill([row], to + i, buffers, random);
        else facts.fill([row - first], to + i, buffers, random);
      }
    },
  };
}

/** One epoch's rows in a new order: all before `first`, and as many of the others as are replayed. */
export function shuffledWithReplay(
  size: number,
  { first, perEpoch }: Replay,
  random: RandomStream,
): Int32Array {
  const replayed = random.permutation(size - first).subarray(0, perEpoch);
  return random
    .permutation(first + perEpoch)
    .map((place) => (place < first ? place : first + replayed[place - first]!));
}
