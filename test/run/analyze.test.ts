import fs from 'node:fs';
import path from 'node:path';

import { beforeAll, describe, expect, test } from 'vitest';
import { withAlphaControl, type AnalysedArm } from '../../src/analysis/alpha-control.js';
import { analyseArm, type ArmAnalysis } from '../../src/analysis/analyse-arm.js';
import { writeAnalysisTables } from '../../src/analysis/analysis-tables.js';
import type { Quantity } from '../../src/analysis/quantity.js';
import { analysisDocument, analysisFolder } from '../../src/analysis/document.js';
import { findRuns } from '../../src/analysis/find-runs.js';
import { groupIntoArms } from '../../src/analysis/run-data.js';
import { armReport } from '../../src/report/text/arm-report.js';
import { listRuns } from '../../src/store/list-runs.js';
import { loadEngine } from '../../src/train/engine/load.js';
import { polars, type Frame } from '../store/polars.js';
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
  const [own, other] = withAlphaControl([{ arm: arm!, analysis }, control]);
  const gapOf = (from: ArmAnalysis, id: string): Quantity =>
    from.sections[0]!.quantities.find((quantity) => quantity.id === id)!;
  const gap = gapOf(own!, 'internalization.strongGap');
  expect(gap.controls.map(({ id }) => id)).toEqual(['before', 'alpha50']);
  const [, alpha50] = gap.controls;
  expect(alpha50!.label).toContain('tiny50');
  const plain = gapOf(control.analysis, 'internalization.strongGap');
  const expected = plain.seeds.map(
    ({ seed, value }) => gap.seeds.find((one) => one.seed === seed)!.value! - value!,
  );
  expect(alpha50!.difference).toMatchObject({
    seeds: 2,
    estimate: (expected[0]! + expected[1]!) / 2,
  });
  // Also of the weak gap, which is as large where the tag means nothing: it compares right with wrong definitions.
  expect(gapOf(own!, 'internalization.weakGap').controls.map(({ id }) => id)).toEqual(['alpha50']);
  expect(own!.claims.find(({ id }) => id === 'strongInternalization')!.controls).toEqual([alpha50]);
  // The control has none itself; its claims take tag and consistency apart.
  expect(gapOf(other!, 'internalization.strongGap').controls.map(({ id }) => id)).toEqual(['before']);
  expect(control.analysis.claims.map(({ id }) => id)).toEqual(
    expect.arrayContaining(['weakTagEffect', 'consistencyEffect']),
  );
  expect(control.analysis.claims.map(({ id }) => id)).not.toContain('weakInternalization');
});

test('arms that differ in more than alpha are no controls', async () => {
  const folder = path.join(chance, 'set-inclusion', 'tiny50-seed1');
  const changed = temporaryFolder();
  fs.cpSync(folder, changed, { recursive: true });
  const config = path.join(changed, 'config.yaml');
  fs.writeFileSync(config, fs.readFileSync(config, 'utf8').replace('batchSize: 64', 'batchSize: 32'));
  const [other] = groupIntoArms((await findRuns([changed])).runs);
  const [arm] = groupIntoArms((await findRuns([root])).runs);
  const [own] = withAlphaControl([
    { arm: arm!, analysis },
    { arm: other!, analysis: control.analysis },
  ]);
  const controls = own!.sections.flatMap(({ quantities }) => quantities.flatMap((one) => one.controls));
  expect(controls.filter(({ id }) => id === 'alpha50')).toEqual([]);
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
  for (const name of ['entity_values', 'penalty_curve', 'checks']) expect(table(name)).toEqual([]);
  expect(table('controls').map((row) => row['control'])).toEqual(['before', 'before']);
});

test('the report fits its width and names every quantity', () => {
  for (const width of [80, 100]) {
    const lines = armReport(analysis, { width, colour: false });
    const text = lines.join('\n');
    for (const name of [
      'weak gap, accuracy',
      'interaction of definitions',
      'gradient variance Gamma',
      'Claims',
    ])
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
  fs.appendFileSync(path.join(folder, 'config.yaml'), '# changed\n');
  const { runs } = await findRuns([path.join(root, 'set-inclusion', 'tiny-seed0'), folder]);
  expect(() => groupIntoArms(runs)).toThrow(/same name and different configs/);
});
