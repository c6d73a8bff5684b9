import fs from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { internalizationDesign } from '../../data/internalization-design.js';
import { readGroupGradients } from '../../src/analysis/studies/minibatch/gradient-log.js';
import { openRun, readTable } from '../../src/analysis/run-data.js';
import { RunReader } from '../../src/analysis/run-reader.js';
import { panelAlignment } from '../../src/analysis/studies/alignment.js';
import { internalization } from '../../src/analysis/studies/internalization.js';
import { tables } from '../../src/store/tables/registry.js';
import {
  cosineColumns,
  meanOverEntities,
  panelCosines,
  tagSwapGap,
  tagSwapNull,
} from '../../src/analysis/studies/alignment/cosines.js';
import type { RunValue } from '../../src/analysis/quantity.js';
import { alignmentByLayer } from '../../src/analysis/studies/alignment/by-layer.js';
import { nodeEnvironment } from '../../src/store/environment.js';
import { readAnalysis } from '../../tui/data/analysis-file.js';
import { ArmNumbers } from '../../tui/data/arm-numbers.js';
import { quickNumbers } from '../../tui/data/quick-numbers.js';
import { readRunIndex } from '../../tui/data/run-index.js';
import { RunSource } from '../../tui/data/run-source.js';
import { RunTableCache } from '../../tui/data/run-tables.js';
import { sketchErrors } from '../../tui/data/sketch-errors.js';
import { openSession, press } from './support/fake-session.js';
import { groups, writeRun } from './support/fixture-run.js';
import { temporaryFolder } from './support/folders.js';

let root: string;
let folder: string;

beforeAll(async () => {
  root = temporaryFolder();
  folder = await writeRun(root, 0);
  await writeRun(root, 1);
});

const opened: RunSource[] = [];

afterAll(async () => {
  for (const run of opened) await run.tables.close();
});

async function source(name = 'tiny-seed0', at = root): Promise<RunSource> {
  const entries = await readRunIndex(at, nodeEnvironment);
  const entry = entries.find((own) => own.name === name)!;
  const run = new RunSource(entry, entry.info!);
  await run.tables.refresh();
  opened.push(run);
  return run;
}

test('the browser and the analysis read one gradient log: its rows of the sum over tensors', async () => {
  const run = await openRun(folder);
  const { log, info } = await source();
  const [own, whole] = [await log.read(info), await readGroupGradients(run)];
  expect(own!.steps).toEqual(whole!.steps);
  const gram = await readTable(run, tables.gram, ['step', 'tensor', 'group_a', 'group_b', 'cosine']);
  const { step, tensor, group_a: a, group_b: b, cosine } = gram!.columns;
  for (let row = 0; row < gram!.rows; row++) {
    if (tensor.text(row) !== 'total') continue;
    const series = own!.cosine(b.text(row), a.text(row));
    expect(series[own!.steps.indexOf(step[row]!)]).toBe(cosine.values[row]);
  }
  expect(own!.cosine('minibatch', 'no such group').every(Number.isNaN)).toBe(true);
  for (const group of ['minibatch', ...groups]) {
    expect(own!.norm2(group)).toEqual(whole!.norm2(group));
    expect(own!.exampleNorm2(group)).toEqual(whole!.exampleNorm2(group));
    expect(own!.count(group)).toEqual(whole!.count(group));
    for (const other of groups) expect(own!.cosine(group, other)).toEqual(whole!.cosine(group, other));
  }
});

test('the gaps of the list are those of the analysis', async () => {
  const run = await source();
  const reader = new RunReader(await openRun(folder));
  const gaps = await internalization.measure(reader.run, reader);
  const alignment = await panelAlignment.measure(reader.run, reader);
  const quick = await quickNumbers(run);
  expect(quick.weak).toBe(gaps!['weakGap']);
  expect(quick.strong).toBe(gaps!['strongGap']);
  expect(quick.alignment).toBe(meanOf(alignment!['tagSwapGap.all']!));
});

test('the tag-swap gap and its null are the same number in the browser and in the analysis', async () => {
  const run = await source();
  const table = await run.tables.read(tables.alignment, cosineColumns);
  const cosines = panelCosines(table!, internalizationDesign);
  const reader = new RunReader(await openRun(folder));
  const total = await panelAlignment.measure(reader.run, reader);
  const layers = await alignmentByLayer.measure(reader.run, reader);
  const of = (tensor: string) => ({ step: 40, tensor, questions: 'heldout' as const });
  const expected = [
    ['total', total!['tagSwapGap.all'], total!['tagSwapGap.all.null']],
    [
      'without_embeddings',
      total!['tagSwapGap.withoutEmbeddings'],
      total!['tagSwapGap.withoutEmbeddings.null'],
    ],
    ['layers.0.mlp.weight', layers!['layers.0.mlp'], layers!['layers.0.mlp.null']],
  ] as const;
  for (const [tensor, gap, none] of expected) {
    expect(meanOverEntities(tagSwapGap(cosines, of(tensor)))).toBe(meanOf(gap!));
    expect(meanOverEntities(tagSwapNull(cosines, of(tensor)))).toBe(meanOf(none!));
    expect(meanOf(none!)).not.toBe(0);
  }
  // Reports and the browser's table of an arm take the same section.
  const arm = await new ArmNumbers().measure(run, 'alignmentByLayer');
  expect(arm!['layers.0.mlp.null']).toBe(meanOf(layers!['layers.0.mlp.null']!));
  expect(cosines.cosines({ ...of('total'), questions: 'trained' }, 'd1consis', 'matched').size).toBe(0);
});

/** The number of a run from the values of its entities. */
function meanOf(value: RunValue): number {
  return Array.isArray(value) ? meanOverEntities(value) : NaN;
}

test('rows of steps are found by bisection, at both ends and outside', async () => {
  const { tables: own } = await source();
  for (const [from, to] of [
    [1, 1],
    [23, 25],
    [50, 50],
    [49, 90],
    [0, 0],
    [60, 70],
  ] as const) {
    const rows = await own.rowsOfSteps(tables.gram, ['step', 'tensor'], from, to);
    const found = [...rows!.columns.step].filter((step) => step >= from && step <= to);
    const steps = Array.from({ length: 50 }, (_, i) => i + 1).filter((step) => step >= from && step <= to);
    // Three tensors, six pairs of groups.
    expect(found).toEqual(steps.flatMap((step) => Array.from({ length: 18 }, () => step)));
  }
});

test('sketches of gradients in a plane are exact', async () => {
  const errors = await sketchErrors(await source());
  expect(errors!.pairs).toBe(60);
  expect(errors!.standardised).toBeLessThan(1e-5);
});

test('an arm is measured from its tables, with interval and null', async () => {
  const arm = [await source('tiny-seed0'), await source('tiny-seed1')];
  const section = await new ArmNumbers().section(arm, 'internalization');
  expect(section!.source).toBe('computed from the tables of 2 runs');
  const weak = section!.quantities.find(({ id }) => id === 'internalization.weakGap')!;
  expect(weak.null).toMatchObject({ kind: 'zero' });
  expect(weak.estimate).toMatchObject({ kind: 'value', seeds: 2 });
});

test.skipIf(!fs.existsSync('/proc/self/fd'))('a browser of 60 runs keeps few files open', async () => {
  const folder = temporaryFolder();
  const first = await writeRun(folder, 0);
  for (let seed = 1; seed < 60; seed++) {
    const copy = path.join(folder, `tiny-seed${seed}`);
    fs.cpSync(first, copy, { recursive: true });
    const file = path.join(copy, 'run.json');
    fs.writeFileSync(file, fs.readFileSync(file, 'utf8').replace(/"seed": ?0/, `"seed": ${seed}`));
  }
  const watched = await openSession(folder);
  await press(watched, 'a');
  for (const view of '123569') {
    const text = (await press(watched, view)).join('\n');
    expect(text).not.toContain('EMFILE');
    expect(text).not.toContain('cannot be opened');
    const own = fs.readdirSync('/proc/self/fd').filter((fd) => {
      try {
        return fs.readlinkSync(`/proc/self/fd/${fd}`).startsWith(folder);
      } catch {
        return false;
      }
    });
    expect(own.length).toBeLessThanOrEqual(32);
  }
  await watched.session.close();
});

describe('what grows is read on', () => {
  test('new batches alone, then the file that replaces the stream', async () => {
    const at = temporaryFolder();
    const full = await writeRun(at, 3);
    const growing = path.join(at, 'growing');
    fs.mkdirSync(growing);
    // The stream as the writer left it after some batches and in the middle of the next one.
    const stream = await streamOf(at);
    const grown = new RunTableCache(growing);
    const write = (bytes: number): void =>
      fs.writeFileSync(path.join(growing, 'gram.arrows'), stream.subarray(0, bytes));
    write(Math.floor(stream.length / 2));
    await grown.refresh();
    const first = await grown.read(tables.gram, ['step', 'inner']);
    const version = grown.version;
    await grown.refresh();
    expect(grown.version).toBe(version);
    fs.appendFileSync(path.join(growing, 'gram.arrows'), stream.subarray(Math.floor(stream.length / 2)));
    await grown.refresh();
    expect(grown.version).toBeGreaterThan(version);
    const second = await grown.read(tables.gram, ['step', 'inner']);
    expect(second!.rows).toBeGreaterThan(first!.rows);
    const whole = new RunTableCache(full);
    await whole.refresh();
    const expected = (await whole.read(tables.gram, ['step', 'inner']))!.columns.inner;
    expect(second!.columns.inner).toEqual(expected.subarray(0, second!.rows));
    fs.copyFileSync(path.join(full, 'gram.arrow'), path.join(growing, 'gram.arrow'));
    fs.rmSync(path.join(growing, 'gram.arrows'));
    await grown.refresh();
    const third = await grown.read(tables.gram, ['step', 'inner']);
    expect(third!.columns.inner).toEqual(expected);
    expect((await grown.states()).map(({ format }) => format)).toEqual(['file']);
    await grown.close();
    await whole.close();
  });

  /** The stream of `gram` of a run that is going, whole. */
  async function streamOf(at: string): Promise<Uint8Array> {
    const running = await writeRun(at, 3, { name: 'stream', running: true, steps: 100 });
    return fs.readFileSync(path.join(running, 'gram.arrows'));
  }
});

test('a foreign and a cut file show as such and take nothing else down', async () => {
  const at = temporaryFolder();
  const broken = await writeRun(at, 0);
  fs.writeFileSync(path.join(broken, 'metrics.arrow'), 'no Arrow file at all');
  const running = await writeRun(at, 1, { running: true });
  const file = path.join(running, 'steps.arrows');
  fs.truncateSync(file, fs.statSync(file).size - 100);
  fs.mkdirSync(path.join(at, 'empty-run'));
  fs.writeFileSync(path.join(at, 'empty-run', 'run.json'), '{');
  const entries = await readRunIndex(at, nodeEnvironment);
  expect(entries.map(({ name, status }) => [name, status])).toEqual([
    ['empty-run', 'unreadable'],
    ['tiny-seed0', 'complete'],
    ['tiny-seed1', 'running'],
  ]);
  const states = await (await source('tiny-seed0', at)).tables.states();
  expect(states.find(({ name }) => name === 'metrics')!.problem).toMatch(/metrics\.arrow: not an Arrow file/);
  expect(states.find(({ name }) => name === 'steps')).toMatchObject({ problem: null, rows: 50 });
  const cut = await (await source('tiny-seed1', at)).tables.states();
  expect(cut.find(({ name }) => name === 'steps')!.truncated).not.toBeNull();
  const quick = await quickNumbers(await source('tiny-seed0', at));
  expect(quick).toMatchObject({ weak: null, strong: null });
  expect(quick.alignment).not.toBeNull();
  expect(quick.problems[0]).toMatch(/not an Arrow file/);
});

test('an analysis of an older version says so in one line, and no other is taken for one', async () => {
  const file = path.join(temporaryFolder(), 'analysis.json');
  expect(await readAnalysis(file)).toBeNull();
  fs.writeFileSync(
    file,
    JSON.stringify({ formatVersion: 2, seeds: [0], sections: [], claims: [], notes: [] }),
  );
  expect(await readAnalysis(file)).toMatch(/^[^\n]*older version: run npx gradscope analyze again[^\n]*$/);
  fs.writeFileSync(file, '{}');
  expect(await readAnalysis(file)).toMatch(/is not an analysis that this version reads/);
});
