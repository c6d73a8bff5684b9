import fs from 'node:fs';
import path from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { groupColumnName } from '../../src/store/columns.js';
import { readRunInfo } from '../../src/store/run-folder.js';
import type { Engine } from '../../src/train/engine/load.js';
import { polars } from '../store/polars.js';
import { pythonWithArrow, runPython } from '../support/python.js';
import { useTestEngine } from '../train/support/engine.js';
import { temporaryFolder, trainTiny } from './support.js';

type Row = Record<string, unknown>;

let engine: Engine;
let folders: readonly string[];

beforeAll(async () => {
  engine = await useTestEngine();
  ({ folders } = await trainTiny({ root: temporaryFolder(), engine, seeds: [0, 1] }));
});

const read = (folder: string, table: string): Row[] =>
  polars.readIPC(fs.readFileSync(path.join(folder, `${table}.arrow`))).toRecords();

const numbers = (value: unknown): number[] => Array.from(value as Iterable<number>, Number);

describe('the tables batches and examples', () => {
  test('number every training example once, whatever the stage', () => {
    for (const folder of folders) {
      const examples = read(folder, 'examples');
      expect(examples.map((row) => Number(row['example']))).toEqual(examples.map((_, i) => i));
      const { groups, stages } = readRunInfo(folder);
      expect([...new Set(examples.map((row) => row['group']))]).toEqual(groups);
      expect(examples.length).toBe(stages.reduce((sum, stage) => sum + stage.examples, 0));
      for (const row of examples) {
        expect(row['group']).toBe(`${String(row['subset'])}/${String(row['kind'])}`);
        expect(row['tag'] === null).toBe(row['kind'] === 'qa');
        // Words and tokens say the same: a number is its own token, and the answer is the target.
        const words = String(row['text']).split(' ');
        if (row['kind'] === 'definition') {
          expect(numbers(row['labels'])).toEqual([Number(words.at(-1))]);
          const consistent = !String(row['subset']).endsWith('incons');
          expect(words.at(-1) === row['entity']).toBe(consistent);
        } else {
          const listed = words.slice(1, -1);
          expect(numbers(row['tokens']).slice(1, 1 + listed.length)).toEqual(listed.map(Number));
          expect(listed.includes(String(row['entity']))).toBe(words.at(-1) === 'true');
        }
        expect(words).toContain(row['name']);
      }
    }
  });

  test('give every step its examples: each once an epoch, as many of each group as steps says', () => {
    for (const folder of folders) {
      const { groups, stages } = readRunInfo(folder);
      const groupOf = read(folder, 'examples').map((row) => String(row['group']));
      const batches = read(folder, 'batches');
      const steps = read(folder, 'steps');
      expect(batches.length).toBe(steps.length);
      steps.forEach((row, i) => {
        const ids = numbers(batches[i]!['examples']);
        expect(batches[i]!['step']).toEqual(row['step']);
        expect(ids.length).toBe(row['batch_size']);
        for (const group of groups) {
          const count = ids.filter((id) => groupOf[id] === group).length;
          expect(count).toBe(row[groupColumnName('examples_', group)]);
        }
      });
      for (const { name, stepsPerEpoch, examples } of stages) {
        const epoch = batches.filter(({ stage }) => stage === name).slice(0, stepsPerEpoch);
        const seen = epoch.flatMap((row) => numbers(row['examples']));
        expect(new Set(seen).size).toBe(examples);
        expect(seen.length).toBe(examples);
      }
    }
  });

  test('differ between seeds, and are those of a run that trained alone', async () => {
    const alone = await trainTiny({ root: temporaryFolder(), engine, seeds: [1] });
    for (const table of ['batches', 'examples']) {
      const [first, second] = folders.map((folder) => read(folder, table));
      expect(second).not.toEqual(first);
      expect(read(alone.folders[0]!, table)).toEqual(second);
    }
  });
});

describe('examples/python/recompute.py', () => {
  const python = pythonWithArrow();
  const recompute = (...args: readonly string[]) =>
    runPython(python!, ['examples/python/recompute.py', ...args]);

  test.skipIf(python === null)('recomputes the gradients of a minibatch from the tables', () => {
    for (const folder of folders) {
      const { stages } = readRunInfo(folder);
      const steps = [[], ['--step', '1'], ['--step', String(stages[1]!.firstStep + 1)]];
      for (const args of steps) {
        const { code, stdout, stderr } = recompute(folder, ...args, '--tolerance', '2e-5');
        expect({ code, stderr }, stdout).toEqual({ code: 0, stderr: '' });
        for (const kind of ['loss', 'norms of groups', 'inner products']) expect(stdout).toContain(kind);
      }
    }
  });

  test.skipIf(python === null)('says so when a logged number is another', () => {
    // The noise of another seed: what the streams contribute is seen.
    const copy = path.join(temporaryFolder(), 'copy');
    fs.cpSync(folders[0]!, copy, { recursive: true });
    const info: unknown = JSON.parse(fs.readFileSync(path.join(copy, 'run.json'), 'utf8'));
    fs.writeFileSync(path.join(copy, 'run.json'), JSON.stringify({ ...(info as object), seed: 1 }));
    const { code, stdout } = recompute(copy);
    expect(code).toBe(1);
    expect(stdout).toContain('NOT all differences are at most 0.0001');
  });

  test.skipIf(python === null)('refuses a step whose parameters are not known', () => {
    const { code, stderr } = recompute(folders[0]!, '--step', '2');
    expect(code).toBe(2);
    expect(stderr).toMatch(/no checkpoint after step 1; choose the step after a kept one\n$/);
  });
});
