import fs from 'node:fs';
import { createRequire } from 'node:module';
import os from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, expect, test } from 'vitest';
import { experiments } from '../../data/registry.js';
import { parseYaml } from '../../data/yaml.js';
import { loadStudies } from '../../src/analysis/own-study.js';
import { loadRunConfig } from '../../src/run/experiment-module.js';
import { hashConfig } from '../../src/store/config-hash.js';

const root = fs.mkdtempSync(path.join(os.tmpdir(), 'gradscope-module-'));
afterAll(() => fs.rmSync(root, { recursive: true }));

const zod = pathToFileURL(createRequire(import.meta.url).resolve('zod')).href;
const design = `{
  tags: [{ tag: 1, name: 'a', role: 'reliable' }, { tag: 2, name: 'b', role: 'unreliable' }],
  subsets: [
    { name: 'right', part: 'X1', tag: 1, consistent: true, trainsQuestions: true, description: '' },
    { name: 'wrong', part: 'X1', tag: 2, consistent: false, trainsQuestions: true, description: '' },
    { name: 'new_a', part: 'X2', tag: 1, consistent: true, trainsQuestions: false, description: '' },
    { name: 'new_b', part: 'X2', tag: 2, consistent: true, trainsQuestions: false, description: '' },
  ],
  weak: ['right', 'wrong'], strong: ['new_a', 'new_b'],
  tagEffect: null, consistencyEffect: null, questionsOnly: null, untrained: null, exchange: null,
}`;
const experimentText = (name: string): string => `import { z } from '${zod}';
export default { name: '${name}', design: ${design}, schema: z.strictObject({ size: z.number() }), build: () => null };`;

function write(name: string, text: string): string {
  const file = path.join(root, name);
  fs.mkdirSync(path.dirname(file), { recursive: true });
  fs.writeFileSync(file, text);
  return file;
}

/** An experiment file that differs from a preset in its experiment and its data. */
function configOf(name: string, experiment: string): string {
  const { value } = parseYaml('preset', fs.readFileSync('configs/set-inclusion.yaml', 'utf8'));
  const changed = { ...(value as object), experiment, data: { size: 3 }, tagExchange: false };
  return write(name, JSON.stringify(changed));
}

const messageOf = async (work: Promise<unknown>): Promise<string> => {
  const error: unknown = await work.then(
    () => null,
    (thrown: unknown) => thrown,
  );
  expect(error).toMatchObject({ name: 'UserError' });
  return error instanceof Error ? error.message : '';
};

test('an experiment is named by the path of its module, relative to the file that says so', async () => {
  write('own/mine.mjs', experimentText('mine'));
  const { config, resolved } = await loadRunConfig(configOf('own/run.yaml', './mine.mjs'));
  expect(config).toMatchObject({ experiment: 'mine', data: { size: 3 } });
  expect(config.module).toMatchObject({ path: path.join(root, 'own/mine.mjs') });
  // A run's config.yaml is read from another folder.
  const again = await loadRunConfig(write('runs/config.yaml', resolved));
  expect(again.config).toEqual(config);
  expect(hashConfig(again.config)).toBe(hashConfig(config));
});

test('the hash of a config counts what the module holds, and not its place', () => {
  const config = { experiment: 'mine', module: { path: '/a/mine.mjs', sha256: 'a' } };
  expect(hashConfig({ ...config, module: { path: '/b/mine.mjs', sha256: 'a' } })).toBe(hashConfig(config));
  expect(hashConfig({ ...config, module: { path: '/a/mine.mjs', sha256: 'b' } })).not.toBe(
    hashConfig(config),
  );
});

test('the data of an experiment from a module are checked by its own schema', async () => {
  write('own/strict.mjs', experimentText('strict'));
  const file = configOf('own/strict.yaml', './strict.mjs');
  expect(await messageOf(loadRunConfig(file, ['data.size=many']))).toMatch(/data\.size/);
});

test.each([
  [
    'missing',
    null,
    /own\/missing\.yaml: experiment: the module .*missing\.mjs cannot be read \(there is no such file\)/,
  ],
  ['broken', 'export default {', /the module .*broken\.mjs cannot be loaded/],
  ['empty', 'export const a = 1;', /its default export is no experiment: .*defineExperiment/],
  [
    'plain',
    `export default { name: 'plain', schema: {}, build: () => null }`,
    /schema: .*the z of gradscope/,
  ],
  ['taken', experimentText('set-inclusion'), /the experiment set-inclusion is built in already/],
  [
    'undesigned',
    experimentText('undesigned').replace("'right', 'wrong'", "'right', 'left'"),
    /experiment undesigned: design/,
  ],
])('a module that is %s is refused in one line', async (name, text, message) => {
  if (text !== null) write(`own/${name}.mjs`, text);
  const found = await messageOf(loadRunConfig(configOf(`own/${name}.yaml`, `./${name}.mjs`)));
  expect(found).toMatch(message);
  expect(found).not.toContain('\n');
});

test('what an experiment throws while it builds is one line with its file and line; a built-in one keeps its stack', async () => {
  const built = experimentText('thrower').replace('() => null', '(config) => config.missing.length');
  const place = write('own/thrower.mjs', `// a comment\n${built}`);
  const { config } = await loadRunConfig(configOf('own/thrower.yaml', './thrower.mjs'));
  const thrown = (name: string): unknown => {
    try {
      return experiments.get(name)!.build(config.data, config.loss, 7);
    } catch (error) {
      return error;
    }
  };
  expect(thrown('thrower')).toMatchObject({
    name: 'UserError',
    message: `${place}, line 13: build (seed 7) threw: Cannot read properties of undefined (reading 'length'); mend it there`,
  });
  expect(thrown('set-inclusion')).toMatchObject({ name: 'ZodError' });
});

test('a run whose module is gone or another says which', async () => {
  const module = write('own/kept.mjs', experimentText('kept'));
  const { resolved } = await loadRunConfig(configOf('own/kept.yaml', './kept.mjs'));
  const stored = write('runs/kept/config.yaml', resolved);
  fs.appendFileSync(module, '// changed\n');
  expect(await messageOf(loadRunConfig(stored))).toMatch(
    /config\.yaml: module\.path: .*kept\.mjs is not the module that the run began with \(sha256 [0-9a-f]{12}/,
  );
  fs.rmSync(module);
  expect(await messageOf(loadRunConfig(stored))).toMatch(
    /module\.path: the module .*kept\.mjs cannot be read/,
  );
});

const study = (id: string): string =>
  `export default { id: '${id}', title: '', quantities: [], measure: async () => null };`;

test('studies are loaded from modules', async () => {
  const [loaded] = await loadStudies([write('study.mjs', study('mine'))]);
  expect(loaded?.study.id).toBe('mine');
  expect(loaded?.module.sha256).toMatch(/^[0-9a-f]{64}$/);
});

test.each([
  ['missing', null, /cannot be read/],
  ['no study', 'export default { id: 1 }', /its default export is no study: id/],
  ['one with the id of a section', study('internalization'), /there is a study internalization already/],
])('a study that is %s is refused in one line', async (name, text, message) => {
  const file = path.join(root, `${name}.mjs`);
  if (text !== null) fs.writeFileSync(file, text);
  const found = await messageOf(loadStudies([file]));
  expect(found).toMatch(message);
  expect(found).not.toContain('\n');
});

test('two studies of one id are refused', async () => {
  const files = [write('first.mjs', study('same')), write('second.mjs', study('same'))];
  expect(await messageOf(loadStudies(files))).toMatch(/second\.mjs: there is a study same already/);
});
