import { beforeAll, expect, test } from 'vitest';
import { analyseArm, type ArmAnalysis } from '../../src/analysis/analyse-arm.js';
import { groupIntoArms, openRun } from '../../src/analysis/run-data.js';
import { show } from '../../tui/show.js';
import { temporaryFolder } from '../tui/support/folders.js';
import { writeRun } from '../tui/support/fixture-run.js';
import { plainStyle } from '../tui/support/plain-style.js';
import { taught, taughtByTag, writeRetrained } from '../tui/support/retrained-run.js';

let analysis: ArmAnalysis;
let folders: string[];
let plain: string;

beforeAll(async () => {
  const root = temporaryFolder();
  folders = [];
  for (const seed of [0, 1, 2]) {
    const folder = await writeRun(root, seed);
    await writeRetrained(folder, seed);
    folders.push(folder);
  }
  const runs = [];
  for (const folder of folders) runs.push(await openRun(folder));
  analysis = await analyseArm(groupIntoArms(runs)[0]!);
  plain = await writeRun(temporaryFolder(), 0);
});

const quantityOf = (id: string) =>
  analysis.sections.flatMap(({ quantities }) => quantities).find((own) => own.id === id);

function estimateOf(id: string): number {
  const estimate = quantityOf(id)?.estimate;
  if (estimate?.kind !== 'value') throw new Error(`no ${id}`);
  return estimate.estimate;
}

test('effects are those that were planted', () => {
  const { d1consis, d2consis } = taught;
  expect(estimateOf('retraining.loss')).toBeCloseTo((d1consis + d2consis) / 2, 1);
  expect(estimateOf('retraining.lossGap')).toBeCloseTo(d1consis - d2consis, 1);
  expect(estimateOf('retraining.accuracy')).toBeCloseTo((d1consis + d2consis) / 8, 2);
  expect(estimateOf('retraining.tag')).toBeCloseTo(taughtByTag, 1);
  expect(estimateOf('retraining.tagAccuracy')).toBeCloseTo(taughtByTag / 4, 1);
  expect(Math.abs(estimateOf('retraining.otherSubset'))).toBeLessThan(0.01);
  // Two orders, 0.01 apart.
  expect(estimateOf('retraining.order')).toBeCloseTo(0.01 / Math.SQRT2, 9);
  expect(analysis.claims.find(({ id }) => id === 'retrainingLoss')?.judgement.verdict).toBe('supported');
});

test('a predictor that knows the effects scores 1, one that knows nothing is named', () => {
  for (const scope of ['own', 'other', 'pooled'])
    expect(estimateOf(`retrainingScores.${scope}.innerProduct`), scope).toBeCloseTo(1, 9);
  expect(estimateOf('retrainingScores.swap.innerProduct')).toBeCloseTo(1, 9);
  for (const halves of ['removed', 'weighted'])
    expect(estimateOf(`datamodelingScore.${halves}.innerProduct`), halves).toBeCloseTo(1, 9);
  expect(estimateOf('datamodelingScore.removed.ceiling')).toBeCloseTo(1, 9);
  expect(quantityOf('retrainingScores.swap.pathIntegral')).toBeUndefined();
  const notes = analysis.sections.flatMap((section) => section.notes);
  const failed = notes.filter((note) => note.startsWith('Does not predict'));
  expect(failed.length).toBeGreaterThan(0);
  for (const note of failed) expect(note).toMatch(/: cosine at the start\.$/);
  // Random numbers know less than the names in the texts.
  expect(notes.filter((note) => /less well than whether/.test(note))).toEqual(
    expect.arrayContaining([expect.stringMatching(/: cosine at the start\.$/)]),
  );
});

test('the browser shows predictions against effects, and what to do without them', async () => {
  const options = { view: 'retraining', width: 170, height: 60, style: plainStyle };
  const lines = (await show({ ...options, folders })).join('\n');
  expect(lines).toContain('predicted, nats');
  expect(lines).toMatch(/inner product +1\.00/);
  expect(lines).toMatch(/does not predict \(.*\): cosine/);
  const none = (await show({ ...options, folders: [plain] })).join('\n');
  expect(none).toContain('No table retrained');
  expect(none).toContain('gradscope retrain');
});
