import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { configHashOf, hashConfig } from '../../src/store/config-hash.js';
import type { RunInfo } from '../../src/store/run-info.js';
import { newRun } from './samples.js';

const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'gradscope-hash-'));
afterAll(() => fs.rmSync(folder, { recursive: true }));

function infoOf(configHash?: string): RunInfo {
  const base: RunInfo = {
    ...newRun,
    formatVersion: 1,
    status: 'complete',
    started: '2026-01-01T00:00:00Z',
    updated: '2026-01-01T00:00:00Z',
    ended: null,
    stepsDone: 0,
    failure: null,
    process: { pid: 1, host: '', birth: '' },
  };
  return configHash === undefined ? base : { ...base, configHash };
}

function hashOf(text: string, info = infoOf()): string {
  fs.writeFileSync(path.join(folder, 'config.yaml'), text);
  return configHashOf(folder, info);
}

const config = 'name: a\nstages:\n  - { epochs: 0.5, rate: 1.0e-3 }\n';

test.each([
  ['a comment', `# mine\n${config}`],
  ['line ends of another system', config.replaceAll('\n', '\r\n')],
  ['another way to write a number', config.replace('1.0e-3', '0.001').replace('0.5', '5.0e-1')],
  ['another order of keys', 'stages:\n  - rate: 0.001\n    epochs: 0.5\nname: a\n'],
  ['quotes', config.replace('name: a', 'name: "a"')],
])('%s is no change of a config', (_, text) => {
  expect(hashOf(text)).toBe(hashOf(config));
  expect(hashOf(text)).toBe(
    hashConfig({ name: 'a', stages: [{ epochs: 0.5, rate: 0.001 }], gone: undefined }),
  );
});

test.each([
  ['a value', config.replace('0.5', '0.6')],
  ['the type of a value', config.replace('0.5', '"0.5"')],
  ['a key', config.replace('rate', 'rates')],
  ['one more', `${config}x: null\n`],
  ['the order of a list', 'name: a\nstages: [2, 1]\n'],
])('%s is one', (_, text) => {
  expect(hashOf(text)).not.toBe(hashOf(config));
});

test('a config that is not the one of run.json, or none, is refused in one line', () => {
  const info = infoOf(hashConfig({ name: 'a' }));
  expect(hashOf('name: a # as before', info)).toBe(info.configHash);
  for (const text of ['name: b', 'name: [', 'x: *nothing']) {
    expect(() => hashOf(text, info)).toThrow(
      /^[^\n]+(is not the one that the run began with|config\.yaml:\d+:\d+ )[^\n]+$/,
    );
  }
});
