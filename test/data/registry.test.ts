import { describe, expect, it } from 'vitest';
import { experiments } from '../../data/registry.js';
import { buildSetInclusion } from '../../data/set-inclusion/experiment.js';
import { answerLoss, smallConfig } from './support/set-inclusion.js';

describe('experiments', () => {
  it('are found by name and build what their files build', () => {
    const experiment = experiments.get('set-inclusion');
    expect(experiment?.name).toBe('set-inclusion');
    const config = { variables: 1000, maxNumber: 15, listLength: 4 };
    const { hash } = buildSetInclusion(smallConfig(), answerLoss, 5);
    expect(experiment?.build(config, answerLoss, 5).hash).toBe(hash);
    expect(experiment?.build(experiment.schema.parse(config), answerLoss, 5).hash).toBe(hash);
    expect(() => experiment?.build({ variables: 0 }, answerLoss, 5)).toThrow('variables');
  });
});
