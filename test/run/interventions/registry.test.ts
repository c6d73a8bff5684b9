import { expect, test } from 'vitest';
import { interventions, interventionSchemas } from '../../../src/run/interventions/registry.js';
import { hashConfig, withAddedKeys } from '../../../src/store/config-hash.js';
import { interventionColumns } from '../../../src/store/tables/interventions.js';

const keys = interventions.map(({ key }) => key).toSorted();

test('every intervention has a key of the stage, and its columns', () => {
  expect(Object.keys(interventionSchemas).toSorted()).toEqual(keys);
  expect(Object.keys(interventionColumns).toSorted()).toEqual([...keys, 'gradient'].toSorted());
});

test('a run of an earlier version is of the arm of one without interventions', () => {
  const without = Object.fromEntries(keys.map((key) => [key, interventionSchemas[key].parse(undefined)]));
  const stage = { name: 'stage1', epochs: 3 };
  const hash = (own: object): string => hashConfig(withAddedKeys({ tagExchange: false, stages: [own] }));
  expect(hash(stage)).toBe(hash({ ...stage, ...without }));
  expect(hash(stage)).not.toBe(hash({ ...stage, ...without, epochs: 4 }));
});
