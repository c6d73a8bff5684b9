import { describe, expect, test } from 'vitest';
import type { ExampleSet } from '../../data/experiment.js';
import { createStream } from '../../data/random/streams.js';
import {
  minibatchVarianceFactor,
  rowDrawer,
  rowProbabilities,
  samplers,
  samplingOf,
  variancePenaltyFactor,
  whyNoSample,
  whyNoVariancePenalty,
  type Sampler,
} from '../../data/samplers.js';
import { minibatchOrder } from '../../src/train/sampler.js';

const rows: ExampleSet = {
  size: 10,
  fields: {},
  group: new Int32Array(10),
  variable: new Int32Array(10),
  id: new Int32Array(10),
  probability: Float64Array.of(1, 1, 2, 2, 2, 4, 4, 4, 0, 0),
  epochSize: 25,
  fill: () => {},
};

/** Rows 0, 1, 4 and 5 are of the first block. */
const blockOf = Int32Array.of(0, 0, 1, 1, 0, 0, 1, 1, 1, 1);

const orderOf = (sampler: Sampler, batchSize: number) =>
  minibatchOrder(rows, batchSize, sampler, createStream(1, 'order'), sampler === 'blocks' ? blockOf : null);

describe('what training draws is what its sampler declares', () => {
  test.each(samplers.flatMap((sampler) => [1, 3, 5, 10, 64].map((size) => [sampler, size] as const)))(
    '%s, minibatches of %i',
    (sampler, batchSize) => {
      const sampling = samplingOf({ sampler, batchSize, examples: rows.size });
      const order = orderOf(sampler, batchSize);
      const epochs = Array.from({ length: 200 }, (_, epoch) => order.epoch(epoch));
      for (const minibatches of epochs) {
        // Whole minibatches have the effective size; the last one of a pass may be smaller.
        for (const own of minibatches.slice(0, -1)) expect(own).toHaveLength(sampling.batchSize);
        expect(minibatches[0]!).toHaveLength(sampling.batchSize);
        const seen = minibatches.flatMap((own) => [...own]);
        if (sampling.draws !== 'independent')
          expect(seen.toSorted((a, b) => a - b)).toEqual([...Array(10).keys()]);
      }
      // A pair of rows meets in the first minibatch as often as the declaration says.
      if (sampler === 'shuffleOnce' || sampling.draws === 'arranged' || sampling.batchSize < 2) return;
      const p = rowProbabilities(rows, sampler);
      const B = sampling.batchSize;
      const together = epochs.filter(([first]) => first!.includes(6) && first!.includes(7)).length / 200;
      const expected =
        sampling.draws === 'partition'
          ? (B * (B - 1)) / (10 * 9)
          : 1 - 2 * (1 - p[6]!) ** B + (1 - p[6]! - p[7]!) ** B;
      expect(Math.abs(together - expected)).toBeLessThan(
        4 * Math.sqrt((expected * (1 - expected)) / 200) + 1e-9,
      );
    },
  );

  test('an order that is drawn once stays', () => {
    const order = minibatchOrder(rows, 4, 'shuffleOnce', createStream(1, 'order'));
    expect(order.epoch(1)).toEqual(order.epoch(0));
  });

  test('an order that is fixed is that of the data', () => {
    const order = orderOf('fixed', 4);
    const minibatches = [
      [0, 1, 2, 3],
      [4, 5, 6, 7],
      [8, 9],
    ].map((own) => Int32Array.from(own));
    expect([order.epoch(0), order.epoch(1)]).toEqual([minibatches, minibatches]);
  });

  test('blocks come one after the other, in a new order within each, and minibatches go on across their end', () => {
    const order = orderOf('blocks', 3);
    const places = Array.from({ length: 10 }, () => new Float64Array(4));
    for (let epoch = 0; epoch < 2000; epoch++) {
      const minibatches = order.epoch(epoch);
      expect(minibatches.map((own) => own.length)).toEqual([3, 3, 3, 1]);
      const seen = minibatches.flatMap((own) => [...own]);
      expect(seen.map((row) => blockOf[row])).toEqual([0, 0, 0, 0, 1, 1, 1, 1, 1, 1]);
      for (let place = 0; place < 4; place++) places[seen[place]!]![place]! += 1 / 2000;
    }
    // Every order of the first block is equally likely: each row is at each of 4 places 1/4 of the time, SD 0.0097.
    for (const row of [0, 1, 4, 5])
      for (const share of places[row]!) expect(Math.abs(share - 0.25)).toBeLessThan(0.04);
  });

  test('rows come with their probabilities', () => {
    const draw = rowDrawer(rows.probability!);
    const random = createStream(2, 'rows');
    const counts = new Float64Array(10);
    for (let i = 0; i < 20_000; i++) counts[draw(random)]! += 1 / 20_000;
    const p = rowProbabilities(rows, 'mixture');
    expect(p[5]).toBe(0.2);
    counts.forEach((share, row) => expect(Math.abs(share - p[row]!)).toBeLessThan(0.015));
    expect(rowProbabilities(rows, 'shuffle')[3]).toBe(0.1);
    const { probability: _, ...plain } = rows;
    expect(() => rowProbabilities(plain, 'mixture')).toThrow('needs data with probabilities');
  });
});

describe('factors', () => {
  const of = (sampler: string, batchSize: number, examples: number) =>
    samplingOf({ sampler, batchSize, examples });

  test('a minibatch is never larger than a pass over the rows, but for a stream', () => {
    expect(of('shuffle', 418, 416).batchSize).toBe(416);
    expect(of('withReplacement', 418, 416).batchSize).toBe(416);
    expect(of('mixture', 418, 80).batchSize).toBe(418);
  });

  test.each(['shuffle', 'shuffleOnce'])('%s', (sampler) => {
    expect(minibatchVarianceFactor(of(sampler, 4, 16))).toBeCloseTo(12 / 15 / 4, 15);
    expect(variancePenaltyFactor(of(sampler, 4, 16))).toBeCloseTo(12 / 15 / 16, 15);
    // 3 minibatches of 7, 7 and 2.
    expect(variancePenaltyFactor(of(sampler, 7, 16))).toBeCloseTo(2 / 60, 15);
    for (const size of [16, 17, 1e9]) {
      expect(
        [minibatchVarianceFactor, variancePenaltyFactor].map((own) => own(of(sampler, size, 16))),
      ).toEqual([0, 0]);
    }
    expect(minibatchVarianceFactor(of(sampler, 8, 1))).toBe(0);
    expect(whyNoVariancePenalty(of(sampler, 4, 16))).toBeNull();
  });

  test.each(['withReplacement', 'mixture'])('%s', (sampler) => {
    expect(minibatchVarianceFactor(of(sampler, 4, 16))).toBe(0.25);
    expect(variancePenaltyFactor(of(sampler, 4, 16))).toBe(0);
    expect(whyNoVariancePenalty(of(sampler, 4, 16))).toContain('independently');
  });

  test.each(['fixed', 'blocks'])('%s: no number, and why', (sampler) => {
    const arranged = of(sampler, 4, 16);
    expect([minibatchVarianceFactor, variancePenaltyFactor].map((own) => own(arranged))).toEqual([NaN, NaN]);
    expect(whyNoVariancePenalty(arranged)).toContain(`the sampler ${sampler} decides`);
    expect(whyNoSample(arranged)).toContain('no random sample of them');
    // One minibatch of all rows is the same whatever their order.
    const full = of(sampler, 16, 16);
    expect([minibatchVarianceFactor, variancePenaltyFactor].map((own) => own(full))).toEqual([0, 0]);
    expect([whyNoVariancePenalty, whyNoSample].map((own) => own(full))).toEqual([null, null]);
  });

  test('a run of another version', () => {
    expect(() => of('fancy', 4, 16)).toThrow(/unknown sampler fancy; this gradscope knows shuffle/);
    expect(() => of('shuffle', 4, 0)).toThrow(/has no gradients/);
  });
});
