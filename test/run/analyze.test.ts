import fs from 'node:fs';
import path from 'node:path';

import { beforeAll, describe, expect, test } from 'vitest';
import { withTagControl, type AnalysedArm } from '../../src/analysis/tag-control.js';
import { analyseArm, type ArmAnalysis } from '../../src/analysis/analyse-arm.js';
import { writeAnalysisTables } from '../../src/analysis/analysis-tables.js';
import type { Quantity } from '../../src/analysis/quantity.js';
import { analysisDocument, analysisFolder, outputFolder } from '../../src/analysis/document.js';
import { findRuns } from '../../src/analysis/find-runs.js';
import { groupIntoArms } from '../../src/analysis/run-data.js';
import { armReport } from '../../src/report/text/arm-report.js';
import { listRuns } from '../../src/store/list-runs.js';
import { loadEngine } from '../../src/train/engine/load.js';
import { polars, type Frame } from '../store/polars.js';
import { commandLine } from '../support/command-line.js';
import { temporaryFolder, trainTiny } from './support.js';

const root = temporaryFolder();
const chance = temporaryFolder();
let analysis: ArmAnalysis;
/** An arm that differs in `data.alpha` alone, of seeds 1 and 2. */
let control: AnalysedArm;

beforeAll(async () => {
  const engine = await loadEngine({ engine: 'auto' });
  await trainTiny({ root, engine, seeds: [0, 1, 2] });
  await trainTiny({ root: chance, engine, seeds: [1, 2], overrides: ['name=tiny50', 'data.alpha=0.5'] });
  const [arm] = groupIntoArms((await findRuns([chance])).runs);
  control = { arm: arm!, analysis: await analyseArm(arm!) };
  const { runs } = await findRuns([root]);
  analysis = await analyseArm(groupIntoArms(runs)[0]!);
}, 120_000);

const read = (seed: number, table: string): Frame =>
  polars.readIPC(fs.readFileSync(path.join(root, 'set-inclusion', `tiny-seed${seed}`, `${table}.arrow`)));

const valueOf = (id: string, seed: number): number => {
  const quantity = analysis.sections.flatMap(({ quantities }) => quantities).find((own) => own.id === id);
  return quantity!.seeds.find((own) => own.seed === seed)!.value!;
};

describe('an analysis equals what another program finds in the tables', () => {
  test.each([0, 1, 2])('strong gap of seed %i', (seed) => {
    const metrics = read(seed, 'metrics').toRecords();
    const last = Math.max(...metrics.map((row) => Number(row['step'])));
    const at = (set: string): number =>
      Number(
        metrics.find(
          (row) => row['set'] === set && row['metric'] === 'accuracy' && Number(row['step']) === last,
        )!['value'],
      );
    expect(valueOf('internalization.strongGap', seed)).toBeCloseTo(at('d1consis') - at('d2consis'), 12);
  });

  test.each([0, 1, 2])('mean cosine in the minibatches of seed %i', (seed) => {
    const pair = new Set(['qd1consis/definition', 'qd1consis/qa']);
    const cosines = read(seed, 'gram')
      .toRecords()
      .filter(
        (row) =>
          row['tensor'] === 'total' &&
          row['stage'] === 'stage1' &&
          pair.has(String(row['group_a'])) &&
          pair.has(String(row['group_b'])) &&
          row['group_a'] !== row['group_b'] &&
          row['cosine'] !== null,
      )
      .map((row) => Number(row['cosine']));
    expect(cosines.length).toBeGreaterThan(5);
    const mean = cosines.reduce((sum, value) => sum + value, 0) / cosines.length;
    expect(valueOf('minibatchCosine.reliable.own', seed)).toBeCloseTo(mean, 9);
  });
});

test('every number that is there is finite, and has its seeds', () => {
  const document = JSON.stringify(analysisDocument(analysis, { command: [], versions: {} }));
  expect(document).not.toMatch(/NaN|Infinity/);
  for (const { estimate, seeds } of analysis.sections[0]!.quantities) {
    expect(estimate).toMatchObject({ kind: 'value', units: 3 });
    expect(seeds).toHaveLength(3);
  }
});

test('runs whose tag says nothing are a control, seed by seed', async () => {
  const [arm] = groupIntoArms((await findRuns([root])).runs);
  const [own, other] = withTagControl([{ arm: arm!, analysis }, control]);
  const gapOf = (from: ArmAnalysis, id: string): Quantity =>
    from.sections[0]!.quantities.find((quantity) => quantity.id === id)!;
  const gap = gapOf(own!, 'internalization.strongGap');
  expect(gap.controls.map(({ id }) => id)).toEqual(['before', 'tagControl']);
  const [, tagControl] = gap.controls;
  expect(tagControl!.label).toContain('tiny50');
  const plain = gapOf(control.analysis, 'internalization.strongGap');
  const expected = plain.seeds.map(
    ({ seed, value }) => gap.seeds.find((one) => one.seed === seed)!.value! - value!,
  );
  expect(tagControl!.difference).toMatchObject({
    seeds: 2,
    estimate: (expected[0]! + expected[1]!) / 2,
  });
  // Also of the weak gap, which is as large where the tag means nothing: it compares right with wrong definitions.
  expect(gapOf(own!, 'internalization.weakGap').controls.map(({ id }) => id)).toEqual(['tagControl']);
  expect(own!.claims.find(({ id }) => id === 'strongInternalization')!.controls).toEqual([tagControl]);
  // The control has none itself; its claims take tag and consistency apart.
  expect(gapOf(other!, 'internalization.strongGap').controls.map(({ id }) => id)).toEqual(['before']);
  expect(control.analysis.claims.map(({ id }) => id)).toEqual(
    expect.arrayContaining(['weakTagEffect', 'consistencyEffect']),
  );
  expect(control.analysis.claims.map(({ id }) => id)).not.toContain('weakInternalization');
});

/** Makes a run one of another config, as runs were before their config was tied to them. */
function forgetHash(folder: string): void {
  const file = path.join(folder, 'run.json');
  const { configHash: _, ...info } = JSON.parse(fs.readFileSync(file, 'utf8')) as Record<string, unknown>;
  fs.writeFileSync(file, JSON.stringify(info));
}

test('arms that differ in more than alpha are no controls', async () => {
  const folder = path.join(chance, 'set-inclusion', 'tiny50-seed1');
  const changed = temporaryFolder();
  fs.cpSync(folder, changed, { recursive: true });
  const config = path.join(changed, 'config.yaml');
  fs.writeFileSync(config, fs.readFileSync(config, 'utf8').replace('batchSize: 64', 'batchSize: 32'));
  forgetHash(changed);
  const [other] = groupIntoArms((await findRuns([changed])).runs);
  const [arm] = groupIntoArms((await findRuns([root])).runs);
  const [own] = withTagControl([
    { arm: arm!, analysis },
    { arm: other!, analysis: control.analysis },
  ]);
  const controls = own!.sections.flatMap(({ quantities }) => quantities.flatMap((one) => one.controls));
  expect(controls.filter(({ id }) => id === 'tagControl')).toEqual([]);
});

test('the tables of an analysis say what analysis.json says, to another program', async () => {
  const folder = temporaryFolder();
  await writeAnalysisTables(folder, analysis);
  // A second time replaces them.
  await writeAnalysisTables(folder, analysis);
  const table = (name: string): Record<string, unknown>[] =>
    polars.readIPC(fs.readFileSync(path.join(folder, `${name}.arrow`))).toRecords();
  const all = analysis.sections.flatMap(({ id: section, quantities }) =>
    quantities.map((quantity) => ({ section, quantity })),
  );
  const rows = table('quantities');
  expect(rows.map((row) => [row['section'], row['quantity']])).toEqual(
    all.map(({ section, quantity }) => [section, quantity.id]),
  );
  all.forEach(({ quantity: { estimate, unit } }, i) => {
    expect(rows[i]!['unit']).toBe(unit);
    if (estimate.kind === 'absent') {
      expect(rows[i]).toMatchObject({ estimate: null, reason: estimate.reason });
    } else
      expect([rows[i]!['estimate'], rows[i]!['low']]).toEqual([
        estimate.estimate,
        estimate.interval?.[0] ?? null,
      ]);
  });
  expect(table('seed_values')).toHaveLength(3 * all.length);
  expect(table('claims').map((row) => row['verdict'])).toEqual(
    analysis.claims.map(({ judgement }) => judgement.verdict),
  );
  const curve = table('curves').filter((row) => row['seed'] === 2);
  expect(curve.length).toBe(analysis.alignmentCurves.reduce((sum, { steps }) => sum + steps.length, 0));
  for (const name of ['entity_values', 'penalty_curve']) expect(table(name)).toEqual([]);
  expect(table('checks').map((row) => [row['check'], row['result']])).toEqual(
    analysis.checks.map(({ id, passed }) => [id, passed ? 'pass' : 'fail']),
  );
  expect(table('controls').map((row) => row['control'])).toEqual(['before', 'before']);
});

test('the report fits its width and names every quantity', () => {
  for (const width of [80, 100]) {
    const lines = armReport(analysis, { width, colour: false });
    const text = lines.join('\n');
    for (const name of ['weak gap', 'interaction of', 'gradient variance', 'Claims'])
      expect(text).toContain(name);
    expect(lines.filter((line) => line.length > Math.max(width, 104))).toEqual([]);
    expect(text).not.toContain('\u001B');
  }
  expect(armReport(analysis, { width: 100, colour: true }).join('\n')).toContain('\u001B');
});

test('an analysis beside the runs is not taken for a run', async () => {
  const folder = analysisFolder(analysis);
  fs.mkdirSync(folder, { recursive: true });
  fs.writeFileSync(path.join(folder, 'analysis.json'), '{}');
  fs.writeFileSync(path.join(folder, 'claims.arrow'), '');
  for (const place of [root, path.join(root, 'set-inclusion')]) {
    const found = await listRuns(place);
    expect(found.map(({ error }) => error)).toEqual([null, null, null]);
  }
});

test('a folder without runs, and a run that cannot be read', async () => {
  await expect(findRuns([temporaryFolder()])).rejects.toThrow(/no run to analyse: .*there is no run in it/);
  const broken = temporaryFolder();
  fs.cpSync(path.join(root, 'set-inclusion', 'tiny-seed0'), path.join(broken, 'a'), { recursive: true });
  fs.mkdirSync(path.join(broken, 'b'));
  fs.writeFileSync(path.join(broken, 'b', 'run.json'), '{"formatVersion": 1');
  const { runs, problems } = await findRuns([broken]);
  expect(runs).toHaveLength(1);
  expect(problems).toHaveLength(1);
  expect(problems[0]).toMatch(/b\/run\.json: not JSON/);
});

test('runs of one name and different configs are not averaged', async () => {
  const other = temporaryFolder();
  const folder = path.join(other, 'tiny-seed1');
  fs.cpSync(path.join(root, 'set-inclusion', 'tiny-seed1'), folder, { recursive: true });
  fs.appendFileSync(path.join(folder, 'config.yaml'), 'changed: 1\n');
  forgetHash(folder);
  const { runs } = await findRuns([path.join(root, 'set-inclusion', 'tiny-seed0'), folder]);
  expect(() => groupIntoArms(runs)).toThrow(/same name and different configs/);
});

describe('one bad item ends nothing', () => {
  const copyOf = (...seeds: number[]): string => {
    const folder = temporaryFolder();
    for (const seed of seeds) {
      const name = `tiny-seed${seed}`;
      fs.cpSync(path.join(root, 'set-inclusion', name), path.join(folder, name), { recursive: true });
    }
    return folder;
  };
  const cut = (file: string): void => fs.truncateSync(file, fs.statSync(file).size - 100);
  const valueIn = (from: ArmAnalysis, id: string) =>
    from.sections.flatMap(({ quantities }) => quantities).find((own) => own.id === id)!.seeds;

  test('a damaged table: its sections have a reason for that seed, everything else is as before', async () => {
    const folder = copyOf(0, 1, 2);
    cut(path.join(folder, 'tiny-seed1', 'gradients.arrow'));
    const damaged = await analyseArm(groupIntoArms((await findRuns([folder])).runs)[0]!);
    expect(damaged.failures).toHaveLength(1);
    expect(damaged.failures[0]).toMatch(
      /^minibatchCosine, gradientNoise.*: .*tiny-seed1\/gradients\.arrow: /,
    );
    const [, second, third] = valueIn(damaged, 'gradientNoise.gamma');
    expect(second).toMatchObject({ value: null, reason: expect.stringContaining('gradients.arrow') });
    expect(third!.value).toBe(valueIn(analysis, 'gradientNoise.gamma')[2]!.value);
    expect(valueIn(damaged, 'internalization.strongGap')).toEqual(
      valueIn(analysis, 'internalization.strongGap'),
    );
    expect(armReport(damaged, { width: 100, colour: false }).join('\n')).toContain('Claims');
  });

  test('a sampler of another version, a stage without rows: reasons', async () => {
    const folder = copyOf(0, 1);
    for (const [seed, from, to] of [
      [0, /"sampler": "shuffle"/g, '"sampler": "fancy"'],
      [1, /"examples": \d+(?=,\s+"sampler")/g, '"examples": 0'],
    ] as const) {
      const file = path.join(folder, `tiny-seed${seed}`, 'run.json');
      fs.writeFileSync(file, fs.readFileSync(file, 'utf8').replaceAll(from, to));
    }
    const odd = await analyseArm(groupIntoArms((await findRuns([folder])).runs)[0]!);
    expect(odd.failures.join('\n')).toContain('unknown sampler fancy');
    expect(odd.failures.join('\n')).toContain('has no gradients');
    expect(valueIn(odd, 'internalization.strongGap').every(({ value }) => value !== null)).toBe(true);
  });

  test('runs of one name that cannot be averaged, and a folder that is not there', async () => {
    const folder = copyOf(1, 2);
    fs.appendFileSync(path.join(folder, 'tiny-seed2', 'config.yaml'), 'more: 1\n');
    forgetHash(path.join(folder, 'tiny-seed2'));
    const { runs, problems } = await findRuns([folder, path.join(chance, 'set-inclusion'), 'nowhere/at/all']);
    expect(problems).toHaveLength(1);
    expect(problems[0]).toContain('nowhere/at/all');
    const left: string[] = [];
    const arms = groupIntoArms(runs, (problem) => left.push(problem));
    expect(arms.map(({ name }) => name)).toEqual(['tiny50']);
    expect(left).toEqual([expect.stringContaining('different configs')]);
  });

  test('an analysis of fewer seeds has a place of its own; one of a removed run is replaced', async () => {
    const folder = copyOf(0, 1, 2);
    const all = await findRuns([folder]);
    const [arm] = groupIntoArms(all.runs);
    const whole = { name: 'tiny', seeds: [0, 1, 2], folders: arm!.runs.map((run) => run.folder) };
    const main = path.join(folder, 'analysis', 'tiny');
    expect(outputFolder(whole, null)).toBe(main);
    fs.mkdirSync(main, { recursive: true });
    fs.writeFileSync(path.join(main, 'analysis.json'), JSON.stringify(whole));
    const part = (...seeds: number[]) => ({
      name: 'tiny',
      seeds,
      folders: seeds.map((seed) => path.join(folder, `tiny-seed${seed}`)),
    });
    expect(outputFolder(part(1), null)).toBe(`${main}+seed1`);
    expect(outputFolder(part(0, 1), null)).toBe(`${main}+seeds0-1`);
    expect(outputFolder(part(2, 0), null)).toBe(`${main}+seeds0,2`);
    expect(outputFolder(part(0, 1, 2), null)).toBe(main);
    expect(outputFolder(part(1), '/elsewhere')).toBe('/elsewhere/tiny');
    fs.rmSync(path.join(folder, 'tiny-seed2'), { recursive: true });
    expect(outputFolder(part(0, 1), null)).toBe(main);
    expect(() => outputFolder({ ...whole, name: '../../outside' }, null)).toThrow(/is no name of a folder/);
  });

  test('the command shows what it cannot keep, says so at the end, and exits with 1', async () => {
    const folder = copyOf(0, 1);
    cut(path.join(folder, 'tiny-seed1', 'gram.arrow'));
    fs.writeFileSync(path.join(folder, 'analysis'), 'a file in the way');
    const { code, stdout, stderr } = await commandLine(['analyze', folder]);
    expect(code).toBe(1);
    expect(stdout).toContain('Claims');
    expect(stdout).not.toContain('written:');
    expect(stderr).toMatch(/left out: .*gram\.arrow/);
    expect(stderr).toMatch(/the analysis is not kept: .*analysis/);
    expect(stderr).not.toMatch(/^\s+at /m);
  }, 120_000);
});

test.each([
  ['full batch', ['stages.0.batchSize=100000', 'stages.0.epochs=8', 'stages.0.sampler=shuffle']],
  ['shuffling', []],
  ['with replacement', ['stages.0.sampler=withReplacement']],
  ['single examples', ['stages.0.batchSize=1', 'stages.0.epochs=0.05']],
  ['blocks', ['stages.0.sampler=blocks', 'stages.0.blocks=[definition, qa]']],
])('%s: every number of the noise is there or has a reason of the theory', async (name, overrides) => {
  const own = temporaryFolder();
  const engine = await loadEngine({ engine: 'auto' });
  await trainTiny({
    root: own,
    engine,
    overrides: ['name=other', 'log.exampleNorms={ every: 1 }', ...overrides],
  });
  const [arm] = groupIntoArms((await findRuns([own])).runs);
  const result = await analyseArm(arm!);
  expect(result.failures).toEqual([]);
  const found = Object.fromEntries(
    result.sections
      .find(({ id }) => id === 'gradientNoise')!
      .quantities.map(({ id, seeds }) => [id.split('.')[1], seeds[0]!.value ?? seeds[0]!.reason]),
  );
  const { effectiveBatchSize, examples } = arm!.runs[0]!.info.stages[0]!;
  if (name === 'full batch') {
    expect(effectiveBatchSize).toBe(examples);
    expect(found).toMatchObject({ variancePart: 0, dose: 0 });
    expect(found['gamma']).toBeGreaterThan(0);
  } else if (name === 'with replacement') {
    expect(found['variancePart']).toMatch(/independently/);
    expect(found['dose']).toMatch(/independently/);
    expect(found['normPart']).toEqual(expect.any(Number));
    expect(result.notes.join('\n')).toContain('independently');
  } else if (name === 'single examples') {
    expect(found['gamma']).toMatch(/one example/);
  } else if (name === 'blocks') {
    const { clipped, ...others } = found;
    expect(clipped).toEqual(expect.any(Number));
    for (const own of Object.values(others)) expect(own).toMatch(/decides which rows share a minibatch/);
    expect(result.notes.join('\n')).toContain('decides which rows share a minibatch');
  } else {
    expect(found['variancePart']).toBeGreaterThan(0);
    expect(found['dose']).toBeGreaterThan(0);
  }
});
