import fs from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { analyseArm, type ArmAnalysis } from '../../src/analysis/analyse-arm.js';
import { findExchangedHalf } from '../../src/store/exchanged-half.js';
import { findRuns } from '../../src/analysis/find-runs.js';
import { groupIntoArms, openRun } from '../../src/analysis/run-data.js';
import { analyseSweep, sweepQuantities } from '../../src/analysis/sweep.js';
import { nodeEnvironment } from '../../src/store/environment.js';
import { finalizeTable } from '../../src/store/finalize.js';
import { readRunInfo, RunFolder } from '../../src/store/run-folder.js';
import { tables } from '../../src/store/tables/registry.js';
import { TableWriter } from '../../src/store/table-writer.js';
import { quickNumbers } from '../../tui/data/quick-numbers.js';
import { readRunIndex } from '../../tui/data/run-index.js';
import { RunSource } from '../../tui/data/run-source.js';
import { dimensions, newRun, subsets, wobble } from '../tui/support/fixture-run.js';
import { emptySweepRecord } from '../../src/store/sweep-record.js';
import { temporaryFolder } from '../tui/support/folders.js';

/** Accuracies that are planted: what the tag does, and how much easier the first set of new variables is. */
interface Planted {
  readonly tag: number;
  readonly difficulty: number;
}

const [stage1, stage2] = [40, 10];
const seeds = [0, 1, 2, 3, 4, 5];

/** Accuracy after the last stage: half of each effect to each side of .6, and a little of everything else. */
function accuracyOf(set: string, seed: number, exchanged: boolean, { tag, difficulty }: Planted): number {
  if (set.startsWith('qd')) return 0.8;
  const reliable = set === 'd1consis';
  const first = reliable !== exchanged;
  const rest = 0.01 * wobble(seed, 5 * subsets.indexOf(set) + (exchanged ? 3 : 0));
  return 0.6 + (reliable ? tag : -tag) / 2 + (first ? difficulty : -difficulty) / 2 + rest;
}

async function writePlanted(
  root: string,
  seed: number,
  exchanged: boolean,
  planted: Planted,
): Promise<string> {
  const run = newRun(seed, 'planted', stage1, stage2);
  const folder = path.join(root, `planted-seed${seed}${exchanged ? '-exchanged' : ''}`);
  const half = exchanged ? { exchangeOf: `planted-seed${seed}` } : {};
  const own = RunFolder.create(folder, { ...run, ...half }, 'name: planted\n');
  const writer = TableWriter.create({ folder, table: tables.metrics, dimensions });
  for (const step of exchanged ? [stage1, stage1 + stage2] : [0, stage1, stage1 + stage2]) {
    for (const set of subsets) {
      const isLast = step > stage1;
      const value = accuracyOf(set, seed, exchanged, isLast ? planted : { ...planted, tag: 0 });
      for (const metric of ['accuracy', 'margin']) {
        const place = { stage: isLast ? 'stage2' : 'stage1', step, epoch: 1, set, subset: set, metric };
        writer.append({ ...place, value, n: 100, standard_error: 0.01 });
      }
    }
  }
  writer.close();
  await finalizeTable(folder, 'metrics');
  own.update({ stepsDone: stage1 + stage2 });
  own.end('complete');
  return folder;
}

async function plantedRuns(planted: Planted, halves: readonly number[] = seeds): Promise<string> {
  const root = temporaryFolder();
  for (const seed of seeds) await writePlanted(root, seed, false, planted);
  for (const seed of halves) await writePlanted(root, seed, true, planted);
  return root;
}

async function analyse(root: string): Promise<ArmAnalysis> {
  const arms = groupIntoArms((await findRuns([root])).runs);
  expect(arms.length).toBe(1);
  return analyseArm(arms[0]!);
}

const quantity = ({ sections }: ArmAnalysis, id: string) =>
  sections.flatMap(({ quantities }) => quantities).find((own) => own.id === `internalization.${id}`);

const meanOf = (analysis: ArmAnalysis, id: string): number => {
  const found = quantity(analysis, id)?.estimate;
  if (found?.kind !== 'value') throw new Error(`no ${id}`);
  return found.estimate;
};

const strongClaim = ({ claims }: ArmAnalysis) => claims.find(({ id }) => id === 'strongInternalization')!;

test('a planted difference in difficulty is a strong gap without the exchange, and none with it', async () => {
  const planted = { tag: 0, difficulty: 0.15 };
  const without = await analyse(await plantedRuns(planted, []));
  expect(meanOf(without, 'strongGap')).toBeCloseTo(0.15, 1);
  expect(quantity(without, 'strongGapExchanged')).toBeUndefined();
  // This is what the note is for.
  expect(strongClaim(without).judgement.verdict).toBe('supported');
  expect(strongClaim(without).judgement.reason).toContain(
    'Without tag exchange: the gap includes any difference in difficulty between the two sets of new variables.',
  );

  const analysis = await analyse(await plantedRuns(planted));
  expect(meanOf(analysis, 'strongGapAsAssigned')).toBeCloseTo(0.15, 1);
  expect(meanOf(analysis, 'strongGapExchanged')).toBeCloseTo(-0.15, 1);
  expect(Math.abs(meanOf(analysis, 'strongGap'))).toBeLessThan(0.01);
  expect(strongClaim(analysis).judgement.verdict).toBe('undecided');
  expect(strongClaim(analysis).judgement.reason).not.toContain('Without tag exchange');
  const { notes } = analysis.sections.find(({ id }) => id === 'internalization')!;
  expect(notes.join(' ')).toContain('The strong gap is the mean of two');
});

test('a planted effect of the tag stays, whatever the difficulty', async () => {
  for (const difficulty of [-0.1, 0.1]) {
    const analysis = await analyse(await plantedRuns({ tag: 0.2, difficulty }));
    expect(meanOf(analysis, 'strongGap')).toBeCloseTo(0.2, 1);
    expect(strongClaim(analysis).judgement.verdict).toBe('supported');
    // By seed: exactly the mean of the two.
    const [mean, assigned, exchanged] = ['strongGap', 'strongGapAsAssigned', 'strongGapExchanged'].map((id) =>
      quantity(analysis, id)!.seeds.map(({ value }) => value!),
    );
    mean!.forEach((value, i) => expect(value).toBeCloseTo((assigned![i]! + exchanged![i]!) / 2, 12));
    expect(quantity(analysis, 'strongMargin')!.estimate).toMatchObject({ kind: 'value' });
  }
});

test('a seed without its half has no value in a mean of means, and says so', async () => {
  const analysis = await analyse(await plantedRuns({ tag: 0.2, difficulty: 0.1 }, [0, 1, 2, 3]));
  const { seeds: own } = quantity(analysis, 'strongGap')!;
  expect(own.map(({ value }) => value === null)).toEqual([false, false, false, false, true, true]);
  expect(own[4]!.reason).toBe('seed 4 has no half with tags exchanged');
  expect(meanOf(analysis, 'strongGap')).toBeCloseTo(0.2, 1);
  expect(quantity(analysis, 'strongGapAsAssigned')!.seeds.every(({ value }) => value !== null)).toBe(true);
});

test('an exchanged half is attached to its run, also under another name, and is no seed', async () => {
  const root = await plantedRuns({ tag: 0.2, difficulty: 0.1 }, [0, 1]);
  const { runs, exchanged, problems } = await findRuns([root]);
  expect(runs.map(({ info }) => info.seed)).toEqual(seeds);
  expect(exchanged.map(({ info }) => info.exchangeOf)).toEqual(['planted-seed0', 'planted-seed1']);
  expect(problems).toEqual([]);
  expect(runs.map((run) => run.exchanged?.info.seed)).toEqual([0, 1, ...seeds.slice(2).map(() => undefined)]);

  const renamed = path.join(root, 'renamed');
  fs.renameSync(path.join(root, 'planted-seed0'), renamed);
  fs.renameSync(path.join(root, 'planted-seed0-exchanged'), path.join(root, 'other-exchanged'));
  const half = await findExchangedHalf(renamed, readRunInfo(renamed));
  expect(half?.folder).toBe(path.join(root, 'other-exchanged'));

  const alone = await findRuns([path.join(root, 'planted-seed1-exchanged'), renamed]);
  expect(alone.problems).toEqual([
    expect.stringContaining('is the exchanged half of planted-seed1, which is not among the runs'),
  ]);
});

/** Of a sweep that has not been run. */
const emptyRecord = emptySweepRecord('x');

test('the list of runs and a sweep show the mean', async () => {
  const root = await plantedRuns({ tag: 0.2, difficulty: 0.1 }, [0, 1]);
  const entries = await readRunIndex(root, nodeEnvironment);
  expect(entries.map(({ name }) => name)).toEqual(seeds.map((seed) => `planted-seed${seed}`));
  expect(entries[0]!.exchanged?.name).toBe('planted-seed0-exchanged');
  const run = await openRun(entries[0]!.path);
  const source = new RunSource(entries[0]!, run.info);
  await source.tables.refresh();
  const quick = await quickNumbers(source);
  expect(Math.abs(quick.strong! - 0.2)).toBeLessThan(0.02);
  await source.tables.close();

  const folders = [0, 1].map((seed) => path.join(root, `planted-seed${seed}`));
  const { arms } = await analyseSweep(
    {
      name: 'x',
      description: '',
      experiment: 'set-inclusion',
      axes: [{ key: 'k', label: 'k', scale: 'linear' }],
      hash: '',
      predictions: [],
      outcome: 'internalization.strongGap',
      mediator: null,
    },
    [{ name: '1', values: [1], folders, seeds: [0, 1] }],
    emptyRecord,
  );
  const strong = arms[0]!.quantities.find(({ id }) => id === sweepQuantities.strong)!;
  for (const { value } of strong.seeds) expect(Math.abs(value! - 0.2)).toBeLessThan(0.02);
});
