import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { UserError } from '../../data/errors.js';
import { loadConfig } from '../../src/config/load.js';
import { runSchema, type RunConfig } from '../../src/run/config.js';

let before: string;
let folder: string;

beforeAll(() => {
  before = process.cwd();
  folder = fs.mkdtempSync(path.join(os.tmpdir(), 'gradscope-messages-'));
  for (const name of ['set-inclusion.yaml', 'set-inclusion-smoke.yaml', 'mnist-qa.yaml']) {
    fs.copyFileSync(path.join('configs', name), path.join(folder, name));
  }
  process.chdir(folder);
});

afterAll(() => {
  process.chdir(before);
  fs.rmSync(folder, { recursive: true });
});

function load(text: string, ...overrides: string[]): RunConfig {
  fs.writeFileSync('own.yaml', `extends: set-inclusion-smoke.yaml\n${text}`);
  return loadConfig('own.yaml', runSchema, overrides).config;
}

function refusal(text: string, ...overrides: string[]): string {
  try {
    load(text, ...overrides);
  } catch (error) {
    if (error instanceof UserError) return error.message;
    throw error;
  }
  return 'accepted';
}

/** What an override of the smoke preset is told, with its own text left out. */
const told = (override: string): string => refusal('', override).replaceAll(`--set ${override} `, 'SET ');

describe('a value is shown as it was typed', () => {
  test.each([
    ['.inf', 'expected a finite number, got .inf'],
    ['-.inf', 'expected a finite number, got -.inf'],
    ['.nan', 'expected a finite number, got .nan'],
    ['1e400', 'expected a finite number, got 1e400'],
    ['"40"', 'expected number, got "40"'],
    ['-0x10', 'expected number, got "-0x10"'],
    ['null', 'expected number, got null'],
    ['~', 'expected number, got ~'],
    ['0.0', 'too small: expected number to be >0, got 0.0'],
    ['[1, 2]', 'expected number, got a list of 2'],
    ['{ a: 1 }', 'expected number, got { a }'],
    ['{}', 'expected number, got an empty map'],
  ])('%s', (value, expected) => {
    expect(told(`stages.0.epochs=${value}`)).toBe(`SET stages.0.epochs: ${expected}`);
    expect(refusal(`data: { alpha: ${value} }\n`), 'in a file').not.toContain('Infinity');
  });

  test('in a file, with its place', () => {
    expect(refusal('data: { variables: 1e400 }\n')).toBe(
      'own.yaml:2:20 data.variables: expected a finite number, got 1e400',
    );
  });
});

describe('suggestions come from the kind that was chosen', () => {
  test('an override that changes the kind alone', () => {
    // As in a file that extends another, another kind replaces what it shares no keys with.
    expect(told('model.kind=convnet').split('\n')).toEqual([
      'SET model.convolutions: missing; expected a list',
      'SET model.hidden: missing; expected a list',
    ]);
    expect(refusal('', 'model={ kind: convnet, layers: 2, hidden: [] }')).toMatch(
      /model\.layers: unknown key "layers", which kind convnet does not have$/m,
    );
  });

  test('a key of another kind, and of another experiment', () => {
    expect(refusal('', 'stages.0.optimizer.momentum=0.9')).toContain(
      'unknown key "momentum", which kind adamw does not have',
    );
    expect(refusal('', 'data.gridd=2')).toMatch(/unknown key "gridd"$/);
    expect(refusal('', 'data.variabels=2')).toMatch(/did you mean "variables"\?$/);
  });

  test('an unknown kind, and none', () => {
    expect(told('model.kind=transformers')).toBe(
      'SET model.kind: unknown kind "transformers"; expected one of transformer, convnet, convnext, folder',
    );
    expect(told('stages.0.optimizer={ learningRate: 1 }')).toBe(
      'SET stages.0.optimizer.kind: missing; expected one of sgd, adamw, adafactor',
    );
    expect(told('model=big')).toBe('SET model: expected a map, got "big"');
    expect(told('experiment=sets')).toBe(
      'SET experiment: unknown experiment "sets"; expected one of set-inclusion, mnist-qa, people, works',
    );
  });
});

describe('a union is explained by all its members, or the one that was meant', () => {
  const members = 'expected never, { every, offset }, { logarithmic } or { at }';
  test.each([
    ['log.gram=sometimes', `SET log.gram: ${members}, got "sometimes"`],
    ['log.gram=5', `SET log.gram: ${members}, got 5`],
    ['log.gram={}', `SET log.gram: ${members}, got an empty map`],
    ['log.gram={ often: 1 }', `SET log.gram: ${members}, got { often }`],
    ['log.gram={ every: 1, at: [1] }', `SET log.gram: ${members}, got { every, at }`],
    ['log.gram={ every: 0 }', 'SET log.gram.every: too small: expected number to be >0, got 0'],
    ['log.gram={ at: [1, 0] }', 'SET log.gram.at.1: too small: expected number to be >0, got 0'],
    ['log.gram.logarithmic={ start: 1 }', 'SET log.gram.logarithmic.end: missing; expected number'],
  ])('%s', (override, expected) => {
    expect(told(override).split('\n')[0]).toBe(expected);
  });
});

describe('another member of a union replaces, the same one merges', () => {
  test('in a file', () => {
    expect(load('log: { gram: { at: [1, 2] } }\n').log.gram).toEqual({ at: [1, 2] });
    expect(load('log: { gram: { offset: 3 } }\n').log.gram).toEqual({ every: 1, offset: 3 });
    expect(load('log: { gram: never }\n').log.gram).toBe('never');
    expect(load('log: { sketch: { logarithmic: { start: 1, end: 9, steps: 3 } } }\n').log.sketch).toEqual({
      logarithmic: { start: 1, end: 9, steps: 3 },
    });
  });

  test('in overrides', () => {
    expect(load('', 'log.gram.at=[3]').log.gram).toEqual({ at: [3] });
    expect(load('', 'log.gram.offset=3').log.gram).toEqual({ every: 1, offset: 3 });
    expect(load('', 'log.gram.logarithmic={ start: 1, end: 9, steps: 3 }').log.gram).toHaveProperty(
      'logarithmic',
    );
  });

  test('a misspelt key replaces nothing', () => {
    expect(refusal('data: { variabels: 3 }\n')).toMatch(
      /^own\.yaml:2:9 data\.variabels: unknown key .*"variables"\?$/,
    );
  });
});

describe('the place is that of the cause', () => {
  test('an override below the path of the problem', () => {
    expect(told('data.fractions.qd1consis=0.9')).toMatch(/^SET data\.fractions: they sum to 1\.5; /);
    expect(told('data.listLength=8')).toMatch(/^SET data\.listLength: false lists of 8/);
  });

  test('an override beside the path of the problem', () => {
    // 5 heads are a mistake only since the width is what it is: the file has both, the override one.
    expect(told('model.width=30')).toBe('SET model.heads: must divide the width, got 4');
  });

  test('the file, where an override has no part in it', () => {
    expect(refusal('model: { layers: 0 }\n', 'data.alpha=0.5')).toMatch(/^own\.yaml:2:18 model\.layers:/);
  });

  test('a key missing in a list that replaces another points to the list', () => {
    const text = 'stages:\n  - name: only\n    trainOn: stage1\n    epochs: 1\n    sampler: shuffle\n';
    const lines = refusal(text).split('\n');
    expect(lines).toContain('own.yaml:3:5 stages.0.batchSize: expected a whole number or full, got nothing');
    expect(lines.every((line) => line.startsWith('own.yaml:3:5 '))).toBe(true);
  });

  test('a key missing in a map of another kind', () => {
    const lines = refusal('model: { kind: convnet }\n').split('\n');
    expect(lines).toEqual([
      'own.yaml:2:8 model.convolutions: missing; expected a list',
      'own.yaml:2:8 model.hidden: missing; expected a list',
    ]);
  });

  test('a value of the base file that the file below does not touch', () => {
    fs.writeFileSync('base.yaml', 'extends: set-inclusion.yaml\nmodel:\n  layers: none\n');
    fs.writeFileSync('over.yaml', 'extends: base.yaml\nmodel: { width: 32 }\n');
    expect(() => loadConfig('over.yaml', runSchema)).toThrow(
      /^base\.yaml:3:11 model\.layers: expected number, got "none"$/,
    );
  });
});

describe('paths of overrides are what they seem', () => {
  test.each([
    ['stages..epochs=3', /a key of the path is empty/],
    ['.stages=3', /a key of the path is empty/],
    ['stages.=3', /a key of the path is empty/],
    ['a..b=1', /a key of the path is empty/],
    ['stages.0x1.epochs=3', /expected a place from 0 to 1, got 0x1/],
    ['stages.1e0.epochs=3', /expected a place from 0 to 1, got 1e0/],
    ['stages.01.epochs=3', /expected a place from 0 to 1, got 01/],
    ['stages.-1.epochs=3', /expected a place from 0 to 1, got -1/],
    ['stages.2.epochs=3', /expected a place from 0 to 1, got 2/],
    ['stages.length=3', /expected a place from 0 to 1, got length/],
    ['stages. 1.epochs=3', /the key " 1" has blanks around it/],
    ['__proto__.x=3', /"__proto__" cannot be a key/],
    ['data.constructor=3', /"constructor" cannot be a key/],
    ['data={ __proto__: 1 }', /"__proto__" cannot be a key/],
    ['name=*x', /the value is no YAML: there is no anchor &x/],
    ['name=[', /the value is no YAML/],
    [`${'a.'.repeat(100)}b=1`, /the path has 101 keys/],
    ['=3', /expected key\.path=value/],
    ['name', /expected key\.path=value/],
  ])('%s', (override, expected) => {
    const message = refusal('', override);
    expect(message).toMatch(expected);
    expect(message).toMatch(/^--set /);
    expect(message).not.toContain('\n');
  });

  test('names and printed values hold nothing that a terminal obeys', () => {
    expect(refusal('', 'name="x\\e[31m"')).not.toContain('\u001B');
    expect(refusal('"k\\e]0;title\\a": 1\n')).not.toContain('\u001B');
    expect(refusal('', 'name=../../outside')).toMatch(
      /expected lower-case letters, digits, dots and hyphens/,
    );
  });
});
