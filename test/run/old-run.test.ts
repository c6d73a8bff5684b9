import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { analyseArm } from '../../src/analysis/analyse-arm.js';
import { findRuns } from '../../src/analysis/find-runs.js';
import { groupIntoArms } from '../../src/analysis/run-data.js';
import { Prober } from '../../src/probe/prober.js';
import { probeDefaults } from '../../src/probe/probe.js';
import { planRun } from '../support/plan-run.js';
import { readStoredConfig } from '../../src/run/run-config.js';
import { resumeRuns, startRuns } from '../../src/run/run.js';
import { armHashOf, hashConfig } from '../../src/store/config-hash.js';
import { recoverRun } from '../../src/store/recover.js';
import { readRunInfo } from '../../src/store/run-folder.js';
import type { Engine } from '../../src/train/engine/load.js';
import { show } from '../../tui/show.js';
import { plainStyle } from '../tui/support/plain-style.js';
import { views } from '../../tui/views/registry.js';
import { useTestEngine } from '../train/support/engine.js';
import { finalWeights, quietRequest, temporaryFolder } from './support.js';

/** Runs that an old version wrote (`test/fixtures/old-run/make.sh`) open, are analysed, probed, recovered and resumed. */
const root = temporaryFolder();
const fixtures = path.resolve('test/fixtures/old-run');
const of = (name: string, base = root): string => path.join(base, 'runs/set-inclusion', name);
let engine: Engine;

function unpack(to: string): string {
  execFileSync('tar', ['xzf', path.join(fixtures, 'runs.tar.gz'), '-C', to]);
  return to;
}

beforeAll(async () => {
  engine = await useTestEngine();
  unpack(root);
});

/** Quantities of that version that are measured in another way now. */
const redefined: Readonly<Record<string, string>> = {
  'cosine, reliable - unreliable': 'the interaction of the two groups, without their main effects',
  "Smith's penalty, variance part": "kappa, the law's factor for drawing without replacement",
  "Smith's penalty, norm part": "kappa, the law's factor for drawing without replacement",
  'dose of the variance part over the stage': "kappa, the law's factor for drawing without replacement",
  'measured / law - 1, mean over batch sizes': 'batch sizes with too few minibatches are left out',
  'with replacement: measured / (|G|^2 + Gamma/B) - 1, mean over batch sizes':
    'batch sizes with too few minibatches are left out',
  'of it because norms differ':
    "the second-order part is not divided by a short update's length and multiplied by a long one's",
  'of it because curvatures differ':
    "the second-order part is a plain difference, not divided by an update's length",
};

type Values = readonly (number | null)[];

const agrees = (a: Values, b: Values): boolean =>
  a.length === b.length &&
  a.every((value, i) => {
    const other = b[i]!;
    if (value === null || other === null) return value === other;
    return Math.abs(value - other) <= 1e-9 * Math.max(1, Math.abs(other));
  });

test('every number whose definition did not change is that of the version that wrote the runs', async () => {
  const { runs } = await findRuns([of('old-seed0'), of('old-seed1')]);
  const analysis = await analyseArm(groupIntoArms(runs)[0]!);
  expect(analysis.failures).toEqual([]);
  const before = JSON.parse(fs.readFileSync(path.join(fixtures, 'analysis.json'), 'utf8')) as Record<
    string,
    Record<string, Values>
  >;
  const now = analysis.sections.flatMap(({ quantities }) =>
    quantities.map(({ seeds }) => seeds.map(({ value }) => value)),
  );
  const missing = Object.values(before).flatMap((section) =>
    Object.entries(section)
      .filter(([, values]) => values.some((value) => value !== null))
      .filter(([, values]) => !now.some((own) => agrees(own, values)))
      .map(([name]) => name),
  );
  expect(missing.toSorted()).toEqual(Object.keys(redefined).toSorted());
});

test.each(views.map(({ id }) => id))('view %s', async (view) => {
  const folders = [of('old-seed0'), of('old-seed1'), of('stopped-seed0')];
  const lines = await show({ folders, view, width: 120, height: 40, style: plainStyle });
  // Below its title, a view without its table says in one line how it is measured.
  expect(lines.length).toBeGreaterThan(1);
  expect(lines.join('\n')).toMatch(lines.length > 3 ? /./ : /No (table|sweep) .*npx gradscope/);
  expect(lines.join('\n')).not.toMatch(/cannot be|undefined|NaN|newer version/);
});

test('its config means what it meant: the keys that were added since have the values of that version', () => {
  const folder = of('old-seed0');
  const { config } = readStoredConfig(folder);
  expect(armHashOf(folder, readRunInfo(folder))).toBe(hashConfig(config));
  expect(planRun(config, [0]).data[0]!.hash).toBe(readRunInfo(folder).dataHash);
});

test('a seed that is trained now belongs to the same arm', async () => {
  const { config, resolved } = readStoredConfig(of('old-seed0'));
  const { folders } = await startRuns(
    config,
    resolved,
    [0, 1, 2],
    quietRequest(path.join(root, 'runs'), engine),
  );
  expect(folders.map((folder) => path.basename(folder))).toEqual(['old-seed0', 'old-seed1', 'old-seed2']);
  const { runs } = await findRuns(folders);
  expect(groupIntoArms(runs).map((arm) => arm.runs.map(({ info }) => info.seed))).toEqual([[0, 1, 2]]);
});

test('a seed that was not probed is probed, the other has its tables', async () => {
  const only = ['alignment', 'penalty', 'transfer'];
  const prober = new Prober(
    { ...probeDefaults, variablesPerSubset: 2, questions: 1, only },
    { engine },
    { onProgress: () => {}, onMessage: () => {} },
  );
  expect(prober.isProbed(of('old-seed0'))).toBe(true);
  expect(prober.isProbed(of('old-seed1'))).toBe(false);
  await prober.probe(of('old-seed1'));
  expect(prober.isProbed(of('old-seed1'))).toBe(true);
  prober.dispose();
});

test('one that was interrupted goes on to the weights of an uninterrupted one', async () => {
  const place = unpack(temporaryFolder());
  const folder = of('stopped-seed0', place);
  expect(readRunInfo(folder)).toMatchObject({ status: 'interrupted', stepsDone: 4 });
  const resumed = resumeRuns(folder, quietRequest(path.join(place, 'runs'), engine));
  if (engine.name !== 'native') {
    await expect(resumed).rejects.toThrow(/trained with native.*go on with --engine native/);
    return;
  }
  const { end } = await resumed;
  expect(end).toBe('complete');
  const whole = finalWeights(of('old-seed0'));
  const weights = finalWeights(folder);
  expect([...weights.keys()]).toEqual([...whole.keys()]);
  for (const [name, values] of weights) {
    // Another engine, or processor, rounds otherwise.
    const largest = Math.max(...whole.get(name)!.map((value, i) => Math.abs(value - values[i]!)));
    expect(largest, name).toBeLessThan(1e-3);
  }
});

test('its streams become tables', async () => {
  const place = unpack(temporaryFolder());
  const recovered = await recoverRun(of('stopped-seed0', place));
  expect(recovered.map(({ table, error }) => [table, error])).toEqual(
    ['events', 'gradients', 'gram', 'metrics', 'steps'].map((table) => [table, null]),
  );
  const { runs } = await findRuns([of('stopped-seed0', place)]);
  expect([...runs[0]!.tables].toSorted()).toEqual(['events', 'gradients', 'gram', 'metrics', 'steps']);
});
