import { expect, test } from 'vitest';
import { loadConfig } from '../../src/config/load.js';
import { runSchema } from '../../src/run/config.js';

const load = (file: string, ...overrides: string[]) =>
  loadConfig(`configs/${file}.yaml`, runSchema, overrides).config;

test('the presets with a stage of new variables alone exchange tags, others cannot', () => {
  const names = ['set-inclusion', 'set-inclusion-alpha50', 'set-inclusion-smoke', 'set-inclusion-plain'];
  for (const name of [...names, 'mnist-qa-two-stage']) expect(load(name).tagExchange, name).toBe(true);
  for (const name of ['set-inclusion-joint', 'mnist-qa']) expect(load(name).tagExchange, name).toBe(false);
});

test.each([
  ['set-inclusion-joint', [], 'no stage trains the definitions of new variables alone (trainOn: stage2)'],
  [
    'set-inclusion',
    ['stages.0.trainOn=full'],
    'stage stage1 trains the new variables with their tags before stage stage2 does',
  ],
  [
    'set-inclusion',
    ['checkpoint.keep=last'],
    'goes on from the checkpoint before stage stage2, which checkpoint.keep last does not keep',
  ],
  [
    'set-inclusion',
    ['data.fractions={ qd1consis: 0.4, qd2incons: 0.4, d1consis: 0.2, d2consis: 0 }'],
    'd2consis has no variables (data.fractions)',
  ],
])('%s with %j is refused with the reason', (file, overrides, reason) => {
  expect(() => load(file, 'tagExchange=true', ...overrides)).toThrow(reason);
  expect(() => load(file, 'tagExchange=true', ...overrides)).toThrow('tagExchange');
  expect(load(file, 'tagExchange=false', ...overrides).tagExchange).toBe(false);
});
