import { beforeAll, expect, test } from 'vitest';
import { interventions } from '../../src/run/interventions/registry.js';
import type { Engine } from '../../src/train/engine/load.js';
import { useTestEngine } from '../train/support/engine.js';
import { trainBrief, weightDifference } from './intervention-support.js';

/**
 * The native engine divides replicas into lanes, the fallback does not: other tests of interventions, which run on the
 * fallback alone, do not see a tensor that is of all replicas where one of a lane is wanted.
 */
let engine: Engine;
beforeAll(async () => {
  engine = await useTestEngine();
});

const settings: Readonly<Record<string, string>> = {
  reset: 'stages.1.reset={ parameters: ["layers.*"], to: fresh }',
  penalty: 'stages.1.penalty={ kind: variance, size: 4, lambda: 0.05 }',
  projection: 'stages.1.projection={ onto: own }',
  surgery: 'stages.0.surgery={ kind: inject, first: { kind: definition }, second: { kind: qa } }',
  noise: 'stages.0.noise={ kind: covariance, batchSize: 4 }',
  freeze: 'stages.1.freeze={ parameters: ["*.bias"] }',
};

test('every intervention is tried', () => {
  expect(Object.keys(settings).toSorted()).toEqual(interventions.map(({ key }) => key).toSorted());
});

test.each(Object.entries(settings))('%s: of two replicas one is what it is alone', async (_, setting) => {
  const [, second] = await trainBrief({ engine, overrides: [setting], seeds: [0, 1] });
  const [alone] = await trainBrief({ engine, overrides: [setting], seeds: [1] });
  expect(weightDifference(alone!, second!)).toBeLessThan(1e-3);
});
