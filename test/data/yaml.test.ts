import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseYaml, stringifyYaml } from '../../data/yaml.js';
import { loadConfig } from '../../src/config/load.js';
import { runSchema } from '../../src/run/config.js';

/** What readers of YAML 1.1 take for a number: PyYAML's expressions for floats and decimal integers. */
const float = /^[-+]?(?:[0-9][0-9_]*)\.[0-9_]*(?:[eE][-+][0-9]+)?$/;
const integer = /^(?:[-+]?0|[-+]?[1-9][0-9_]*)$/;

/** Doubles as configs hold them, and all others: random bits, whole numbers, powers of ten. */
const doubles = fc.oneof(
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  fc.integer(),
  fc
    .tuple(fc.integer({ min: -99, max: 99 }), fc.integer({ min: -320, max: 300 }))
    .map(([m, e]) => Number(`${m}e${e}`)),
);

test('every double is written as a number of YAML 1.1 and of 1.2, and read back the same', () => {
  fc.assert(
    fc.property(doubles, (value) => {
      const text = stringifyYaml({ value });
      const written = /^value: (.*)\n$/.exec(text)?.[1] ?? '';
      expect(float.test(written) || integer.test(written), written).toBe(true);
      expect(parseYaml('x', text).value).toEqual({ value });
    }),
    { seed: 1, numRuns: 2000 },
  );
});

test.each([
  [1e-8, '1.0e-8'],
  [1.5e-7, '1.5e-7'],
  [1e21, '1.0e+21'],
  [0.000001, '0.000001'],
  [2.5, '2.5'],
  [30, '30'],
  ['1e-8', '"1e-8"'],
  ['yes', '"yes"'],
  ['012', '"012"'],
  ['1:30', '"1:30"'],
])('%j is written %s', (value, expected) => {
  expect(stringifyYaml(value)).toBe(`${expected}\n`);
});

test('PyYAML reads the same values', () => {
  const python = process.env['GRADSCOPE_PYTHON'] ?? 'python3';
  const script =
    'import json, sys, yaml; print(json.dumps([yaml.safe_load(text) for text in json.load(sys.stdin)]))';
  if (spawnSync(python, ['-c', 'import yaml']).status !== 0) {
    console.log(`skipped: ${python} has no module yaml; set GRADSCOPE_PYTHON`);
    return;
  }
  const values: unknown[] = [
    fc.sample(doubles, { seed: 2, numRuns: 1000 }),
    ...fs
      .readdirSync('configs')
      .filter((name) => name.endsWith('.yaml'))
      .map((name) => loadConfig(path.join('configs', name), runSchema).config),
  ];
  const { stdout } = spawnSync(python, ['-c', script], {
    input: JSON.stringify(values.map(stringifyYaml)),
    encoding: 'utf8',
  });
  // -0 is 0 there, as in JSON.
  expect(JSON.parse(stdout)).toEqual(JSON.parse(JSON.stringify(values)));
});

test('YAML is read and written in one place', () => {
  const files = ['data', 'src', 'tui'].flatMap((room) =>
    fs
      .readdirSync(room, { recursive: true, encoding: 'utf8' })
      .filter((name) => /\.tsx?$/.test(name))
      .map((name) => path.join(room, name)),
  );
  const reading = files.filter((file) => /from 'yaml'/.test(fs.readFileSync(file, 'utf8')));
  expect(reading).toEqual([path.join('data', 'yaml.ts')]);
});
