import fs from 'node:fs';
import { beforeAll, expect, test } from 'vitest';
import { analyseArm, type ArmAnalysis } from '../../src/analysis/analyse-arm.js';
import { checkSpecs } from '../../src/analysis/checks.js';
import { claimSpecs } from '../../src/analysis/claims.js';
import { groupIntoArms, openRun } from '../../src/analysis/run-data.js';
import { sections as specs } from '../../src/analysis/studies/registry.js';
import { temporaryFolder } from '../tui/support/folders.js';
import { writeRun } from '../tui/support/fixture-run.js';

let analysis: ArmAnalysis;

beforeAll(async () => {
  const root = temporaryFolder();
  const runs = [];
  for (const seed of [0, 1]) runs.push(await openRun(await writeRun(root, seed)));
  analysis = await analyseArm(groupIntoArms(runs)[0]!);
});

const duplicates = (values: readonly string[]): string[] =>
  values.filter((value, i) => values.indexOf(value) !== i);

test('sections, quantities, controls, claims and checks have unique ids of one form', () => {
  const quantities = analysis.sections.flatMap((section) => section.quantities);
  expect(quantities.length).toBeGreaterThan(60);
  const ids = quantities.map(({ id }) => id);
  expect(duplicates(ids)).toEqual([]);
  expect(ids.filter((id) => !/^[a-z][a-zA-Z0-9]*(\.[a-zA-Z0-9_]+)+$/.test(id))).toEqual([]);
  expect(duplicates(specs.map(({ id }) => id))).toEqual([]);
  expect(duplicates(claimSpecs.map(({ id }) => id))).toEqual([]);
  expect(duplicates(checkSpecs.map(({ id }) => id))).toEqual([]);
  for (const { id, quantities: own } of analysis.sections)
    expect(own.filter((quantity) => !quantity.id.startsWith(`${id}.`))).toEqual([]);
  for (const { controls } of quantities) expect(duplicates(controls.map(({ id }) => id))).toEqual([]);
});

test('a label stands alone: no two quantities share one', () => {
  const labels = analysis.sections.flatMap(({ quantities }) => quantities.map(({ label }) => label));
  expect(duplicates(labels)).toEqual([]);
  expect(labels.filter((label) => /^(of it|the same|with curvature)\b/.test(label))).toEqual([]);
});

test('claims and checks are of quantities that a section can have', () => {
  const known = new Set(specs.map(({ id }) => id));
  const named = [...claimSpecs, ...checkSpecs].map(({ quantity }) => quantity);
  expect(named.filter((quantity) => !known.has(quantity.split('.')[0]!))).toEqual([]);
  // What both lists name must not decide a claim that cannot fail.
  const checked = new Set(checkSpecs.map(({ quantity }) => quantity));
  expect(claimSpecs.filter(({ quantity }) => checked.has(quantity))).toEqual([]);
  const ids = new Set(analysis.sections.flatMap(({ quantities }) => quantities.map(({ id }) => id)));
  const judged = analysis.claims.flatMap(({ quantities }) => quantities);
  expect(judged.filter((id) => !ids.has(id))).toEqual([]);
});

test('what npm run verify expects is of quantities that there are', () => {
  // The script is no module of the program: ids are read from its text.
  const text = fs.readFileSync('scripts/verify-experiments.mjs', 'utf8');
  const expected = Array.from(text.matchAll(/quantity: '([^']+)'/g), (match) => match[1]!);
  expect(expected.length).toBeGreaterThan(8);
  const ids = new Set(analysis.sections.flatMap(({ quantities }) => quantities.map(({ id }) => id)));
  expect(expected.filter((id) => !ids.has(id))).toEqual([]);
});
