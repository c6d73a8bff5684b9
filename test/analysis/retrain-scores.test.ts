import { describe, expect, test } from 'vitest';
import { createStream } from '../../data/random/streams.js';
import type { RetrainData, RetrainedOutcome } from '../../src/analysis/studies/retrain/data.js';
import { retrainScores, type RetrainScore } from '../../src/analysis/studies/retrain/scores.js';
import type { RetrainPredictor, RetrainScope } from '../../src/store/retrain-names.js';

const definitions = 40;
const asked = 20;
const random = createStream(5, 'test');
const normals = (n: number): Float64Array => Float64Array.from({ length: n }, () => random.normal());
const variables = Array.from({ length: definitions }, (_, i) => ({
  subset: i % 2 === 0 ? 'even' : 'odd',
  variable: 100 + i,
}));

/**
 * A model whose loss is linear in the parameters, trained by plain gradient descent: each definition adds its own effect,
 * whatever else there is. `effects[definition * asked]` are what retraining finds, up to noise.
 */
function planted(effects: Float64Array, predictions: Float64Array, noise: number): RetrainData {
  const losses = (present: (definition: number) => number): Float64Array =>
    Float64Array.from({ length: asked }, (_, j) => {
      let loss = 2 + noise * random.normal();
      for (let i = 0; i < definitions; i++) loss += present(i) * effects[i * asked + j]!;
      return loss;
    });
  const of = (own: Partial<RetrainedOutcome>, loss: Float64Array): RetrainedOutcome => ({
    change: 'nothing',
    order: 0,
    subset: null,
    changed: null,
    accuracy: loss,
    ...own,
    loss,
  });
  const halves = Array.from({ length: 60 }, () =>
    random
      .permutation(definitions)
      .subarray(0, definitions / 2)
      .toSorted(),
  );
  const orders = [0, 1].flatMap((order) => [
    of(
      { order },
      losses(() => 1),
    ),
    ...variables.slice(0, asked).map(({ subset, variable }, dropped) =>
      of(
        { change: 'drop', order, subset, changed: variable },
        losses((i) => Number(i !== dropped)),
      ),
    ),
    ...halves.map((half, changed) =>
      of(
        { change: 'half', order, changed },
        losses((i) => Number(half.includes(i))),
      ),
    ),
  ]);
  return {
    definitions: variables,
    asked: variables.slice(0, asked),
    outcomes: orders,
    halves,
    predictions: {
      innerProduct: predictions,
      cosine: predictions,
      oneStep: predictions.map((value) => 3 * value),
      checkpoints: predictions,
      pathIntegral: null,
      tokens: new Float64Array(definitions).fill(3),
    },
    swapped: null,
  };
}

const scoreOf = (scores: readonly RetrainScore[], predictor: RetrainPredictor, scope: RetrainScope) =>
  scores.find((own) => own.predictor === predictor && own.scope === scope)?.score ?? null;

describe('scores of predictors', () => {
  test('are 1 where effects are additive and the predictions right', () => {
    const effects = normals(definitions * asked);
    const scores = retrainScores(planted(effects, effects, 0), 0);
    for (const scope of ['question', 'other', 'own', 'pooled', 'lds'] as const) {
      expect(scoreOf(scores, 'inner_product', scope), scope).toBeCloseTo(1, 9);
      expect(scoreOf(scores, 'one_step', scope), scope).toBeCloseTo(1, 9);
      expect(scoreOf(scores, 'another_order', scope), scope).toBeCloseTo(1, 9);
      expect(Math.abs(scoreOf(scores, 'permuted', scope)!), scope).toBeLessThan(0.5);
      expect(scoreOf(scores, 'tokens', scope), scope).toBeNull();
    }
    expect(Math.abs(scoreOf(scores, 'permuted', 'pooled')!)).toBeLessThan(0.15);
    expect(Math.abs(scoreOf(scores, 'random', 'lds')!)).toBeLessThan(0.15);
  });

  test('are those of nothing where the predictions are of another model', () => {
    const scores = retrainScores(planted(normals(definitions * asked), normals(definitions * asked), 0), 0);
    expect(Math.abs(scoreOf(scores, 'inner_product', 'pooled')!)).toBeLessThan(0.15);
    expect(Math.abs(scoreOf(scores, 'inner_product', 'lds')!)).toBeLessThan(0.15);
    const pooled = scores.find((own) => own.predictor === 'inner_product' && own.scope === 'lds')!;
    expect(pooled.interval![0]).toBeLessThan(0);
    expect(pooled.interval![1]).toBeGreaterThan(0);
  });

  test('have the sign of the change: a definition that is predicted to lower the loss and raises it scores -1', () => {
    const effects = normals(definitions * asked);
    const scores = retrainScores(
      planted(
        effects,
        effects.map((value) => -value),
        0,
      ),
      0,
    );
    expect(scoreOf(scores, 'inner_product', 'own')).toBeCloseTo(-1, 9);
    expect(scoreOf(scores, 'inner_product', 'lds')).toBeCloseTo(-1, 9);
  });

  test('of retraining itself fall with its noise', () => {
    const effects = normals(definitions * asked);
    const scores = retrainScores(planted(effects, effects, 3), 0);
    // Effects of a half have a variance of 40 / 4, noise one of 9.
    const single = scoreOf(scores, 'another_order', 'lds')!;
    expect(single).toBeGreaterThan(0.35);
    expect(single).toBeLessThan(0.65);
    // The mean of two orders, by the right prediction: sqrt(10 / 14.5).
    expect(scoreOf(scores, 'inner_product', 'lds')).toBeCloseTo(0.82, 1);
  });
});
