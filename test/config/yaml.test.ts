import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { UserError } from '../../data/errors.js';
import { parseYaml } from '../../data/yaml.js';
import { loadConfig } from '../../src/config/load.js';
import { runSchema } from '../../src/run/config.js';
import { isSweepFile, loadSweep } from '../../src/run/sweep-config.js';

const preset = path.resolve('configs/set-inclusion-smoke.yaml');
let folder: string;
beforeAll(() => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), 'gradscope-yaml-'));
});
afterAll(() => fs.rmSync(folder, { recursive: true }));

function messageOf(action: () => unknown): string {
  const before = performance.now();
  try {
    action();
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    expect(performance.now() - before).toBeLessThan(5000);
    return error.message;
  }
  return 'accepted';
}

/** What loading a file of this text says. */
function refusal(text: string, name = 'own.yaml'): string {
  const file = path.join(folder, name);
  fs.writeFileSync(file, text);
  return messageOf(() => loadConfig(file, runSchema));
}

const bomb = Array.from({ length: 10 }, (_, i) => {
  const [name, before] = ['abcdefghij'[i], 'abcdefghij'[i - 1]];
  return `${name}: &${name} [${Array.from({ length: 10 }, () => (i === 0 ? 'x' : `*${before}`)).join()}]`;
}).join('\n');

describe('what YAML can do to a reader is one line with its place', () => {
  test.each([
    ['an alias without an anchor', 'name: *nothing\n', /own\.yaml:2:7 there is no anchor &nothing/],
    ['an anchor after its alias', 'name: *n\ndescription: &n x\n', /own\.yaml:2:7 there is no anchor &n/],
    [
      'a circle',
      'data: &d { variables: *d }\n',
      /own\.yaml:2:23 the alias \*d stands inside of what it repeats/,
    ],
    ['an alias bomb', `${bomb}\n`, /own\.yaml:\d+:\d+ more than 200000 values/],
    [
      'a merge key',
      'data: &d { variables: 40 }\nmodel:\n  <<: *d\n',
      /own\.yaml:4:3 merge keys \(<<\) are not read/,
    ],
    ['a map as a key', 'data: { ? { a: 1 } : 2 }\n', /own\.yaml:2:\d+ a key must be plain text/],
    ['a key twice', 'name: a\nname: b\n', /own\.yaml:3:1 Map keys must be unique/],
    ['__proto__', '__proto__: { name: evil }\n', /own\.yaml:2:1 "__proto__" cannot be a key/],
    [
      '__proto__ inside',
      'data: { __proto__: { alpha: 0.5 } }\n',
      /own\.yaml:2:9 "__proto__" cannot be a key/,
    ],
    ['constructor', 'model:\n  constructor: 1\n', /own\.yaml:3:3 "constructor" cannot be a key/],
    ['prototype in a list', 'stages: [{ prototype: 1 }]\n', /own\.yaml:2:12 "prototype" cannot be a key/],
    ['nesting', `a: ${'['.repeat(100)}${']'.repeat(100)}\n`, /own\.yaml:2:\d+ maps and lists are nested/],
    ['two documents', 'name: a\n---\nname: b\n', /own\.yaml:3:1 .*multiple documents/],
  ])('%s', (_, text, expected) => {
    const message = refusal(`extends: ${preset}\n${text}`);
    expect(message).toMatch(expected);
    expect(message).not.toContain('\n');
  });

  test('nesting that takes the parser down', () => {
    expect(refusal(`a: ${'[1, '.repeat(50_000)}`)).toMatch(/own\.yaml:\d+:\d+ /);
  });

  test('aliases that a file may well have', () => {
    const text = `extends: ${preset}\nname: &n twice\ndescription: *n\n`;
    expect(refusal(text)).toBe('accepted');
    const list = `extends: ${preset}\nx: &x { a: 1 }\ny: [${'*x, '.repeat(199)}*x]\n`;
    expect(refusal(list)).toMatch(/own\.yaml:2:1 x: unknown key "x".*\n.*own\.yaml:3:1 y: unknown key "y"/);
  });

  test('problems inside of what an alias repeats are placed where it is written', () => {
    const text = `extends: ${preset}\nlog: { gram: &g { every: 0 }, exampleNorms: *g }\n`;
    expect(refusal(text)).toMatch(
      /own\.yaml:2:26 log\.gram\.every.*\n.*own\.yaml:2:26 log\.exampleNorms\.every/,
    );
  });

  test('the sweep reader, too', () => {
    const file = path.join(folder, 'sweep.yaml');
    fs.writeFileSync(file, 'sweep: *x\n');
    expect(messageOf(() => isSweepFile(file))).toMatch(/sweep\.yaml:1:8 there is no anchor/);
  });

  test('a sweep of too many points', () => {
    const file = path.join(folder, 'sweep.yaml');
    const points = '{ value: 1, seeds: 0 }, '.repeat(2000);
    fs.writeFileSync(
      file,
      `sweep: many\nbase: ${preset}\naxis: { key: data.variables, label: x }\npoints: [${points}]\n`,
    );
    expect(messageOf(() => loadSweep(file))).toMatch(
      /sweep\.yaml:4:9 points: too big: .*<=1000 items, got a list of 2000$/,
    );
  });

  test('the same values as without aliases', () => {
    expect(parseYaml('x', 'a: &a { b: [1, 2] }\nc: *a\nd: [*a]\n').value).toEqual({
      a: { b: [1, 2] },
      c: { b: [1, 2] },
      d: [{ b: [1, 2] }],
    });
  });
});

describe('files that are none', () => {
  test.each([
    ['a device', '/dev/zero', /it is no file but a device/],
    ['a folder', os.tmpdir(), /it is a folder/],
    ['nothing', '/nowhere.yaml', /there is no such file/],
  ])('extends %s', (_, target, expected) => {
    expect(refusal(`extends: ${target}\n`)).toMatch(
      new RegExp(`^\\S*own\\.yaml:1:10 extends: cannot read config ${target}: ${expected.source}`),
    );
  });

  test('extends a pipe that nobody writes', () => {
    const pipe = path.join(folder, 'pipe');
    execFileSync('mkfifo', [pipe]);
    expect(refusal(`extends: ${pipe}\n`)).toMatch(/it is no file but a device, a pipe or a socket/);
  });

  test('a file too large', () => {
    expect(refusal(`description: ${'x'.repeat(1 << 18)}\n`)).toMatch(
      /more than 262144 bytes, which no config has$/,
    );
  });

  test('a chain of files without end', () => {
    for (let i = 0; i < 30; i++) {
      fs.writeFileSync(path.join(folder, `chain${i}.yaml`), `extends: chain${i + 1}.yaml\n`);
    }
    expect(messageOf(() => loadConfig(path.join(folder, 'chain0.yaml'), runSchema))).toMatch(
      /extends a chain of more than 20 files$/,
    );
  });
});

describe('many mistakes take no long time and make no long message', () => {
  const lines = (message: string): string[] => message.split('\n');

  test('tens of thousands of unknown keys, and hundreds of thousands', () => {
    const keys = Array.from({ length: 20_000 }, (_, i) => `k${i}: 1`).join('\n');
    const message = refusal(`extends: ${preset}\n${keys}\n`);
    expect(lines(message)).toHaveLength(21);
    expect(message).toMatch(/and 19980 more problems$/);
    expect(refusal(`extends: ${preset}\n${keys.repeat(5)}\n`)).toMatch(/which no config has$/);
  });

  test('thousands of wrong stages', () => {
    const message = refusal(`extends: ${preset}\nstages: [${'{ name: 1 }, '.repeat(5000)}]\n`);
    expect(message).toMatch(/stages: too big: expected a list to have <=100 items, got a list of 5000$/);
    const fewer = refusal(`extends: ${preset}\nstages: [${'{ name: 1 }, '.repeat(90)}]\n`);
    expect(lines(fewer)).toHaveLength(21);
    expect(fewer).toMatch(/and \d+ more problems$/);
  });

  test('a long word', () => {
    const message = refusal(`extends: ${preset}\n? ${'x'.repeat(100_000)}\n: 1\n`);
    expect(message.length).toBeLessThan(600);
  });
});
