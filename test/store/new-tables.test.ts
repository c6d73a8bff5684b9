import fs from 'node:fs';
import { describe, expect, it } from 'vitest';
import { UserError } from '../../data/errors.js';
import { writeAtomically } from '../../src/store/atomic-file.js';
import { int32 } from '../../src/store/columns.js';
import { nodeFileSystem } from '../../src/store/file-system.js';
import { NewTables } from '../../src/store/new-tables.js';
import { temporaryPath } from '../../src/store/temporary.js';
import {
  dimensions,
  ended,
  failingFileSystem,
  fakeEnvironment,
  firstLine,
  range,
  rowsOf,
  startChild,
  temporaryFolder,
} from './support.js';

const here = () => fakeEnvironment(20, new Map([[20, 'b']]));

/** A table under the name of a probe's. */
const penalty = { name: 'penalty', row: 'one step', columns: { step: int32('Step.') } } as const;

/** Opens the table and writes a row for each step. */
function fillPenalty(replaced: NewTables, steps: readonly number[]): void {
  const writer = replaced.open({ table: penalty, dimensions, batchRows: 10 });
  for (const step of steps) writer.append({ step });
}

const stepsOf = async (folder: string) => (await rowsOf(folder, 'penalty')).map((row) => row['step']);

describe('NewTables', () => {
  it('keeps earlier tables until the new ones are whole', async () => {
    const folder = temporaryFolder();
    const first = new NewTables(folder, here());
    fillPenalty(first, range(0, 25));
    await first.publish();
    expect(await stepsOf(folder)).toEqual(range(0, 25));

    const stopped = new NewTables(folder, here());
    fillPenalty(stopped, range(50, 25));
    expect(await stepsOf(folder)).toEqual(range(0, 25));
    stopped.discard();
    expect(await stepsOf(folder)).toEqual(range(0, 25));

    const second = new NewTables(folder, here());
    fillPenalty(second, range(100, 5));
    await second.publish();
    expect(await stepsOf(folder)).toEqual(range(100, 5));
    expect(fs.readdirSync(folder)).toEqual(['penalty.arrow']);
  });

  it('removes earlier tables that are not written again, and what an earlier version left of them', async () => {
    const folder = temporaryFolder();
    for (const name of ['factors.arrow', 'landscape.arrows', 'penalty.arrows']) {
      fs.writeFileSync(`${folder}/${name}`, '');
    }
    const replaced = new NewTables(folder, here());
    fillPenalty(replaced, [1]);
    await replaced.publish(['penalty', 'landscape', 'factors']);
    expect(fs.readdirSync(folder)).toEqual(['penalty.arrow']);
  });

  it('keeps earlier tables, and leaves nothing, when the device is full at any byte', async () => {
    const folder = temporaryFolder();
    const first = new NewTables(folder, here());
    fillPenalty(first, range(0, 5));
    await first.publish();
    for (let budget = 50; ; budget += 400) {
      const disk = failingFileSystem(budget);
      const replaced = new NewTables(folder, { ...here(), fs: disk });
      try {
        fillPenalty(replaced, range(0, 25));
        await replaced.publish();
        break;
      } catch (error) {
        expect(error).toBeInstanceOf(UserError);
        replaced.discard();
        expect(await stepsOf(folder)).toEqual(range(0, 5));
        expect(fs.readdirSync(folder)).toEqual(['penalty.arrow']);
      }
    }
    expect(await stepsOf(folder)).toEqual(range(0, 25));
  });

  it('clears away what a killed process left, and nothing of a living one or of another machine', () => {
    const folder = temporaryFolder();
    const ghost = new Map([[10, 'a']]);
    const dead = temporaryPath(`${folder}/penalty.arrows`, fakeEnvironment(10, ghost).processes);
    const living = temporaryPath(`${folder}/penalty.arrows`, here().processes);
    const other = temporaryPath(
      `${folder}/penalty.arrows`,
      fakeEnvironment(10, ghost, 'elsewhere').processes,
    );
    for (const path of [dead, living, other]) fs.writeFileSync(path, '');
    const environment = here();
    environment.time = new Date();
    new NewTables(folder, environment).discard();
    expect([dead, living, other].map((path) => fs.existsSync(path))).toEqual([false, true, true]);
    environment.time = new Date(Date.now() + 25 * 60 * 60 * 1000);
    new NewTables(folder, environment).discard();
    expect([living, other].map((path) => fs.existsSync(path))).toEqual([true, false]);
  });

  it('gives whole tables to readers, whatever number of processes replace them at once', async () => {
    const folder = temporaryFolder();
    const children = [1, 2, 3].map((step) => startChild('table-replacer', folder, String(step)));
    const lines = await Promise.all(children.map(firstLine));
    expect(lines).toEqual(['replacing', 'replacing', 'replacing']);
    const over = Promise.all(children.map(ended)).then(() => true);
    let reads = 0;
    while (!(await Promise.race([over, new Promise((resolve) => setTimeout(resolve, 5, false))]))) {
      if (!fs.existsSync(`${folder}/gram.arrow`)) continue;
      const steps = new Set((await rowsOf(folder, 'gram')).map((row) => row['step']));
      expect(steps.size).toBe(1);
      const document: unknown = JSON.parse(fs.readFileSync(`${folder}/analysis.json`, 'utf8'));
      expect(document).toSatisfy((values: string[]) => values.length === 300 && new Set(values).size === 1);
      reads++;
    }
    expect(reads).toBeGreaterThan(10);
    expect(children.map(({ exitCode }) => exitCode)).toEqual([0, 0, 0]);
    expect(await rowsOf(folder, 'gram')).toHaveLength(300);
    expect(fs.readdirSync(folder).sort()).toEqual(['analysis.json', 'gram.arrow']);
  });
});

describe('temporary names', () => {
  it('are never opened through a link', async () => {
    const folder = temporaryFolder();
    const target = `${temporaryFolder()}/precious`;
    fs.writeFileSync(target, 'kept');
    const next = (path: string): string => {
      const now = temporaryPath(path);
      return now.replace(/\d+$/, (number) => String(Number(number) + 1));
    };
    fs.symlinkSync(target, next(`${folder}/run.json`));
    expect(() => writeAtomically(nodeFileSystem, `${folder}/run.json`, '{}')).toThrow(
      /run\.json: cannot be written \(EEXIST/,
    );
    for (const name of ['run.json.tmp', 'penalty.arrow.tmp', 'penalty.arrows.tmp']) {
      fs.symlinkSync(target, `${folder}/${name}`);
    }
    writeAtomically(nodeFileSystem, `${folder}/run.json`, '{}');
    const replaced = new NewTables(folder);
    fillPenalty(replaced, [1]);
    await replaced.publish();
    expect(fs.readFileSync(target, 'utf8')).toBe('kept');
    expect(fs.lstatSync(`${folder}/run.json`).isFile()).toBe(true);
    expect(fs.lstatSync(`${folder}/penalty.arrow`).isFile()).toBe(true);
  });
});
