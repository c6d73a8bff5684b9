import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { UserError } from '../../data/errors.js';
import { loadConfig } from '../../src/config/load.js';
import { runSchema, type RunConfig } from '../../src/run/config.js';

let folder: string;
let before: string;

beforeEach(() => {
  before = process.cwd();
  folder = fs.mkdtempSync(path.join(os.tmpdir(), 'gradscope-config-'));
  fs.copyFileSync('configs/set-inclusion.yaml', path.join(folder, 'base.yaml'));
  process.chdir(folder);
});

afterEach(() => {
  process.chdir(before);
  fs.rmSync(folder, { recursive: true });
});

/** Message of the error that loading `text` (a file that extends the small preset) throws. */
function problems(text: string, overrides: string[] = []): string {
  fs.writeFileSync('own.yaml', text);
  try {
    loadConfig('own.yaml', runSchema, overrides);
  } catch (error) {
    if (error instanceof UserError) return error.message;
    throw error;
  }
  return 'no problem';
}

const load = (text: string, overrides: string[] = []): RunConfig => {
  fs.writeFileSync('own.yaml', text);
  return loadConfig('own.yaml', runSchema, overrides).config;
};

describe('problems are told with file, line, column, key and what was expected', () => {
  test.each([
    [
      'a misspelt key',
      'extends: base.yaml\nlos: 1\n',
      'own.yaml:2:1 los: unknown key "los"; did you mean "loss"?',
    ],
    [
      'a misspelt key of the data',
      'extends: base.yaml\ndata:\n  variabels: 4\n',
      'own.yaml:3:3 data.variabels: unknown key "variabels"; did you mean "variables"?',
    ],
    [
      'a misspelt key of an optimizer',
      'extends: base.yaml\nmodel:\n  layer: 4\n',
      'own.yaml:3:3 model.layer: unknown key "layer"; did you mean "layers"?',
    ],
    [
      'a wrong type',
      'extends: base.yaml\ndata:\n  variables: many\n',
      'own.yaml:3:14 data.variables: expected number, got "many"',
    ],
    [
      'an impossible value',
      'extends: base.yaml\nmodel: { layers: 0 }\n',
      'own.yaml:2:18 model.layers: too small: expected number to be >0, got 0',
    ],
    [
      'a value outside a list',
      'extends: base.yaml\nlog: { tier: ful }\n',
      'own.yaml:2:14 log.tier: expected one of "off"|"norms"|"groups"|"sketch"|"full", got "ful"',
    ],
    [
      'an unknown experiment',
      'extends: base.yaml\nexperiment: sets\n',
      'own.yaml:2:13 experiment: unknown experiment "sets"; expected one of set-inclusion',
    ],
    [
      'a value that fits no other',
      'extends: base.yaml\nmodel: { heads: 5 }\n',
      'own.yaml:2:17 model.heads: must divide the width, got 5',
    ],
    ['broken YAML', 'extends: base.yaml\ndata: { a: 1\n', 'own.yaml:3:1 '],
    ['a list at the top', '- 1\n', 'own.yaml:1:1 expected a map of keys to values'],
    ['a key twice', 'name: a\nname: b\n', 'own.yaml:2:1 Map keys must be unique'],
  ])('%s', (_name, text, expected) => {
    expect(problems(text)).toContain(expected);
  });

  test('a missing key is placed at the map it is missing from', () => {
    fs.writeFileSync('base.yaml', fs.readFileSync('base.yaml', 'utf8').replace(/^ {2}layers: 2\n/m, ''));
    expect(problems('extends: base.yaml\n')).toMatch(
      /^base\.yaml:\d+:3 model\.layers: missing; expected number$/,
    );
  });

  test('all problems are told at once', () => {
    expect(problems('extends: base.yaml\nlos: 1\nmodel: { layers: 0, width: x }\n').split('\n')).toHaveLength(
      3,
    );
  });

  test('an override is named instead of a place', () => {
    expect(problems('extends: base.yaml\n', ['model.layers=none'])).toContain(
      '--set model.layers=none model.layers: expected number',
    );
    expect(problems('extends: base.yaml\n', ['layers'])).toContain('expected key.path=value');
    expect(problems('extends: base.yaml\n', ['stages.7.epochs=1'])).toContain('expected a place from 0 to 1');
  });

  test('an override of another key whose name begins alike is not blamed', () => {
    const text = 'extends: base.yaml\nlog: { sketchSize: none }\n';
    expect(problems(text, ['log.sketch=never'])).toMatch(/^own\.yaml:2:\d+ log\.sketchSize: expected number/);
  });

  test('a missing file, and one that extends itself', () => {
    expect(() => loadConfig('none.yaml', runSchema)).toThrow(
      /^cannot read config none\.yaml: there is no such file$/,
    );
    expect(problems('extends: own.yaml\n')).toContain('extends itself');
  });
});

test('maps are merged, lists and other kinds replaced, overrides win', () => {
  const config = load('extends: base.yaml\nname: mine\ndata: { alpha: 0.5 }\n', [
    'stages.1.epochs=3',
    'data.listLength=5',
  ]);
  expect(config.name).toBe('mine');
  expect(config.data).toMatchObject({ alpha: 0.5, listLength: 5, variables: 1000 });
  expect(config.stages.map(({ epochs }) => epochs)).toEqual([30, 3]);
});

test('a file can extend several, of which later ones win, and it wins over all', () => {
  fs.writeFileSync('part.yaml', 'data: { alpha: 0.6, listLength: 6 }\n');
  fs.writeFileSync('other.yaml', 'data: { alpha: 0.7 }\nname: other\n');
  const { data, name } = load('extends: [base.yaml, part.yaml, other.yaml]\ndata: { listLength: 7 }\n');
  expect(data).toMatchObject({ alpha: 0.7, listLength: 7, variables: 1000 });
  expect(name).toBe('other');
  expect(problems('extends: [base.yaml, 3]\n')).toMatch(/extends: expected a file name, or a list of them$/);
  fs.writeFileSync('part.yaml', 'data: { alpha: 7 }\n');
  expect(problems('extends: [base.yaml, part.yaml]\n')).toMatch(/^part.yaml:1:16 data.alpha: /);
});

test('a file can extend one named by its whole path', () => {
  expect(load(`extends: ${path.resolve('base.yaml')}\nname: mine\n`).name).toBe('mine');
});

test('the resolved config replays itself', () => {
  fs.writeFileSync('own.yaml', 'extends: base.yaml\n');
  const first = loadConfig('own.yaml', runSchema, ['data.alpha=0.7']);
  fs.writeFileSync('resolved.yaml', first.resolved);
  const second = loadConfig('resolved.yaml', runSchema);
  expect(second.config).toEqual(first.config);
  expect(second.resolved).toBe(first.resolved);
});

test.each(fs.readdirSync('configs').filter((name) => name.endsWith('.yaml')))(
  'configs/%s is valid',
  (name) => {
    expect(() => loadConfig(path.join(before, 'configs', name), runSchema)).not.toThrow();
  },
);
