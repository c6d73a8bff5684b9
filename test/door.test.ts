import { execFileSync, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

/** The package as it would be installed: packed, unpacked into an empty folder, its dependencies beside it. */
const root = fs.mkdtempSync(path.join(os.tmpdir(), 'gradscope-door-'));
const packageFolder = path.join(root, 'node_modules/gradscope');
const main = path.join(packageFolder, 'dist/src/cli/main.js');
const example = (name: string): string => path.join(packageFolder, 'examples', name);
afterAll(() => fs.rmSync(root, { recursive: true }));

beforeAll(() => {
  execFileSync(process.execPath, ['scripts/build.mjs'], { stdio: 'pipe' });
  execFileSync('npm', ['pack', '--pack-destination', root], { stdio: 'pipe' });
  const tarball = fs.readdirSync(root).find((name) => name.endsWith('.tgz'))!;
  fs.mkdirSync(packageFolder, { recursive: true });
  execFileSync('tar', ['xzf', path.join(root, tarball), '-C', packageFolder, '--strip-components=1']);
  for (const name of fs.readdirSync('node_modules')) {
    if (!name.startsWith('.'))
      fs.symlinkSync(path.resolve('node_modules', name), path.join(root, 'node_modules', name));
  }
  fs.writeFileSync(path.join(root, 'package.json'), '{ "type": "module" }');
});

function node(...args: readonly string[]): string {
  return execFileSync(process.execPath, args, { cwd: root, encoding: 'utf8', stdio: 'pipe' });
}

/** Type-checks a program in the empty folder, strictly; returns the compiler's messages. */
function check(name: string, text: string, options: Record<string, unknown> = {}): string {
  fs.writeFileSync(path.join(root, `${name}.ts`), text);
  const compilerOptions = { strict: true, module: 'nodenext', target: 'es2023', noEmit: true, ...options };
  fs.writeFileSync(
    path.join(root, 'tsconfig.json'),
    JSON.stringify({ compilerOptions, include: [`${name}.ts`] }),
  );
  try {
    return node(path.resolve('node_modules/typescript/bin/tsc'), '-p', '.');
  } catch (error) {
    return String(Reflect.get(Object(error), 'stdout'));
  }
}

describe('the packed package', () => {
  test('holds what is exported, and neither sources nor tests', () => {
    const { exports } = JSON.parse(fs.readFileSync('package.json', 'utf8')) as {
      exports: Record<string, string | Record<string, string>>;
    };
    for (const place of Object.values(exports).flatMap((own) =>
      typeof own === 'string' ? [own] : Object.values(own),
    )) {
      expect(fs.existsSync(path.join(packageFolder, place)), place).toBe(true);
    }
    const files = fs.readdirSync(packageFolder, { recursive: true, encoding: 'utf8' });
    expect(files.filter((name) => /(?<!\.d)\.tsx?$|\.map$|\.test\./.test(name))).toEqual([]);
  });

  test('is described by docs/api.md', () => {
    const { stderr } = spawnSync(process.execPath, ['scripts/api-docs.mjs', '--check'], { encoding: 'utf8' });
    expect(stderr).toBe('');
  });

  test('cannot be published by accident', () => {
    expect(JSON.parse(fs.readFileSync('package.json', 'utf8'))).toMatchObject({
      publishConfig: { registry: expect.stringMatching(/\.invalid$/) },
    });
  });

  test('runs, and finds its presets by name and by path', () => {
    expect(node(main, '--version')).toMatch(/^\d+\.\d+\.\d+\n$/);
    expect(node(main, '--help')).toContain('analyze');
    expect(node(main, 'data', 'set-inclusion-smoke')).toContain('set-inclusion smoke, seed 0');
    expect(node(main, 'data', 'configs/set-inclusion-smoke.yaml')).toContain('set-inclusion smoke, seed 0');
  });

  test('type-checks where it is imported, and refuses what has the wrong type', () => {
    const program = `
      import { defineExperiment, defineStudy, readTable, tables, z, type ExperimentData } from 'gradscope';
      import { hashTables, type Design } from 'gradscope/experiments';
      import { holm, meanOverSeeds } from 'gradscope/statistics';
      import { findRuns, type RunInfo } from 'gradscope/tables';
      declare const data: ExperimentData;
      declare const design: Design;
      export default defineExperiment({
        name: 'own', design, schema: z.strictObject({ size: z.int() }),
        build: ({ size }) => { const n: number = size; return n > 0 ? data : data; },
      });
      export const study = defineStudy({
        id: 'own', title: 'own', quantities: [],
        measure: async (run) => {
          const info: RunInfo = run.info;
          const loss: Float64Array | undefined = (await readTable(run, tables.steps, ['loss']))?.columns.loss;
          // @ts-expect-error no such column
          await readTable(run, tables.steps, ['lost']);
          return loss === undefined ? null : { first: loss[0] ?? info.name };
        },
      });
      export const used = [hashTables, holm([0.1]), meanOverSeeds([1, 2]), findRuns];
    `;
    expect(check('own', program)).toBe('');
    // The types of tfjs declare WebGPU, as the library dom does.
    const gradients = `
      import { loadEngine, recordBackward, tf } from 'gradscope/gradients';
      export const used = [loadEngine, recordBackward, tf.scalar];
      // @ts-expect-error no such engine
      await loadEngine({ engine: 'abacus' });
    `;
    expect(check('gradients', gradients, { skipLibCheck: true })).toBe('');
  });

  test('the engine is loaded by gradients alone', () => {
    const names = ['.', './experiments', './tables', './statistics'].map(
      (door) => `gradscope${door.slice(1)}`,
    );
    const program = `
      import { createRequire } from 'node:module';
      const loaded = () => Object.keys(createRequire(import.meta.url).cache).some((name) => name.includes('tensorflow'));
      for (const name of ${JSON.stringify(names)}) await import(name);
      const before = loaded();
      await import('gradscope/gradients');
      console.log(before, loaded());`;
    expect(node('--input-type=module', '-e', program)).toBe('false true\n');
  });
});

describe('the examples', () => {
  const runs = path.join(root, 'runs');

  test('an experiment, a study, and a script that reads runs', () => {
    node(
      main,
      'run',
      example('own-experiment.yaml'),
      '--seeds',
      '0,1',
      '--set',
      'stages.0.epochs=4',
      '--out',
      runs,
    );
    const [document] = JSON.parse(
      node(main, 'analyze', runs, '--study', example('own-study.mjs'), '--json'),
    ) as {
      sections: { id: string; quantities: { id: string; estimate: { kind: string } }[] }[];
      studies: object[];
    }[];
    const study = document!.sections.find(({ id }) => id === 'lossCourse');
    expect(study?.quantities.map(({ id, estimate }) => [id, estimate.kind])).toEqual([
      ['lossCourse.drop', 'value'],
      ['lossCourse.end', 'value'],
    ]);
    expect(document!.studies).toMatchObject([{ path: fs.realpathSync(example('own-study.mjs')) }]);

    const lines = node(example('read-run.mjs'), runs).trimEnd().split('\n');
    expect(lines[0]).toBe('mean cosine of gradients, 2 runs');
    expect(
      lines.slice(1).some((line) => line.endsWith('asked_almanac/definition and asked_almanac/qa')),
    ).toBe(true);
    for (const line of lines.slice(1))
      expect(line).toMatch(/^ +-?[01]\.\d{3}  \[-?\d\.\d{3}, -?\d\.\d{3}\]  /);
  });

  test('a model and a loop on the factor tape', () => {
    const lines = node(example('own-model.mjs')).trimEnd().split('\n');
    const losses = lines.flatMap((line) => /loss (\S+)/.exec(line)?.[1] ?? []).map(Number);
    expect(losses).toHaveLength(5);
    expect(losses.at(-1)!).toBeLessThan(0.5 * losses[0]!);
    expect(lines.at(-1)).toContain('tensors left: 6,');
  });

  test('import nothing but the package', () => {
    for (const name of fs.readdirSync('examples').filter((own) => own.endsWith('.mjs'))) {
      const text = fs.readFileSync(path.join('examples', name), 'utf8');
      const imported = Array.from(text.matchAll(/from '([^']+)'/g), ([, own]) => own!);
      expect(imported.filter((own) => own.split('/')[0] !== 'gradscope')).toEqual([]);
    }
  });
});
