import { expect, test } from 'vitest';
import { loadConfig } from '../../src/config/load.js';
import { runSchema } from '../../src/run/config.js';
import { commandLine } from '../support/command-line.js';

const config = (...args: string[]) => commandLine(['config', ...args]);

test('prints the whole config that a file and overrides stand for', async () => {
  const { code, stdout } = await config('set-inclusion-smoke', '--set', 'stages.0.batchSize=full');
  expect(code).toBe(0);
  const { resolved } = loadConfig('configs/set-inclusion-smoke.yaml', runSchema, ['stages.0.batchSize=full']);
  expect(stdout.trimEnd()).toBe(resolved.trimEnd());
  expect(stdout).toContain('batchSize: full');
});

test('explains a key, its value in a file, and the keys below it', async () => {
  const { code, stdout } = await config('set-inclusion-smoke', '--explain', 'stages.0.optimizer');
  expect(code).toBe(0);
  expect(stdout).toContain('stages.0.optimizer in this file:\n    kind: adamw\n');
  expect(stdout).toContain(
    'stages[].optimizer.beta2   (kind: adamw)\n    a number from 0, below 1; by default 0.999\n    decay of the mean of their squares\n',
  );
});

test('only keys of the experiment of a file', async () => {
  const own = await config('set-inclusion-smoke', '--explain', 'data');
  expect(own.stdout).toContain('data.listLength\n');
  expect(own.stdout).not.toContain('data.grid');
  const all = await config('--explain', 'data');
  expect(all.stdout).toContain('data.grid   (experiment: mnist-qa)\n');
});

test.each([
  [
    ['--explain', 'stages.0.samplr'],
    'there is no config key stages.0.samplr; did you mean stages.0.sampler?',
  ],
  [['--explain', '\u001b[31mx'], 'gradscope config --explain lists all keys'],
  [['--set', 'name=x'], 'name one: gradscope config <file> --set'],
  [['nowhere.yaml'], 'nowhere.yaml'],
])('%j: one line', async (args, message) => {
  const { code, stdout, stderr } = await config(...args);
  expect(code).toBe(1);
  expect(stdout).toBe('');
  expect(stderr.trimEnd().split('\n')).toHaveLength(1);
  expect(stderr).toContain(message);
  expect(stderr).not.toContain('\u001b');
});
