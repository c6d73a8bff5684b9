import { beforeAll, describe, expect, it } from 'vitest';
import { createStream } from '../../../data/random/streams.js';

/** Quantiles of N(0, 1) from R's `qnorm`. */
const quantiles = [
  [0.0001, -3.719016485],
  [0.001, -3.090232306],
  [0.01, -2.326347874],
  [0.05, -1.644853627],
  [0.25, -0.6744897502],
  [0.5, 0],
  [0.75, 0.6744897502],
  [0.95, 1.644853627],
  [0.99, 2.326347874],
  [0.999, 3.090232306],
  [0.9999, 3.719016485],
] as const;

describe('standardNormal', () => {
  const n = 1_000_000;
  const drawn = new Float64Array(n);
  beforeAll(() => {
    const stream = createStream(0, 'noise');
    for (let i = 0; i < n; i++) drawn[i] = stream.normal();
  });

  it('has the moments of N(0, 1)', () => {
    const moment = (power: number) => drawn.reduce((sum, x) => sum + x ** power, 0) / n;
    // Bounds of 4 standard errors: the variance of x^p is (2p-1)!! - ((p-1)!! if p is even)^2.
    const within = (variance: number) => 4 * Math.sqrt(variance / n);
    expect(Math.abs(moment(1))).toBeLessThan(within(1));
    expect(Math.abs(moment(2) - 1)).toBeLessThan(within(2));
    expect(Math.abs(moment(3))).toBeLessThan(within(15));
    expect(Math.abs(moment(4) - 3)).toBeLessThan(within(96));
    expect(Math.abs(moment(6) - 15)).toBeLessThan(within(10_170));
  });

  it('has its quantiles, the tail beyond the last layer included', () => {
    for (const [probability, quantile] of quantiles) {
      const share = drawn.reduce((count, x) => count + (x < quantile ? 1 : 0), 0) / n;
      const standardError = Math.sqrt((probability * (1 - probability)) / n);
      expect(Math.abs(share - probability), `below ${quantile}`).toBeLessThan(4 * standardError);
    }
  });

  it('neighbours are uncorrelated', () => {
    const product = drawn.subarray(1).reduce((sum, x, i) => sum + x * drawn[i]!, 0) / n;
    expect(Math.abs(product)).toBeLessThan(4 / Math.sqrt(n));
  });
});
