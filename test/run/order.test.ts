import fs from 'node:fs';
import path from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { analyseArm } from '../../src/analysis/analyse-arm.js';
import { findRuns } from '../../src/analysis/find-runs.js';
import { groupIntoArms } from '../../src/analysis/run-data.js';
import { loadConfig } from '../../src/config/load.js';
import { runSchema } from '../../src/run/config.js';
import { sameShapes } from '../../src/run/same-shapes.js';
import { readRunInfo } from '../../src/store/run-folder.js';
import { runInfoPath } from '../../src/store/run-info.js';
import type { Engine } from '../../src/train/engine/load.js';
import { polars } from '../store/polars.js';
import { useTestEngine } from '../train/support/engine.js';
import { brief, differencesOfStops, trainBrief } from './intervention-support.js';
import { finalWeights, temporaryFolder, tiny } from './support.js';

let engine: Engine;
/** Folders of runs of seed 0. */
let plain: string;
let placed: string;
let placebo: string;
beforeAll(async () => {
  engine = await useTestEngine();
  [plain, placed, placebo] = [await train(), await train(together), await train(...apart)];
});

/** 24 variables with a definition and 12 questions: 312 rows, in 5 minibatches of 70 or 13 of 24. */
const composition = (own: string): string => `stages.0.composition=${own}`;
const together = composition('{ share: 0.9, place: together }');
const apart = [composition('{ pairs: mismatched, share: 1, place: apart }'), 'stages.0.batchSize=24'];

const train = async (...overrides: string[]): Promise<string> =>
  (await trainBrief({ engine, overrides }))[0]!;

type Row = Record<string, unknown>;

const read = (folder: string, table: string): Row[] =>
  polars.readIPC(fs.readFileSync(path.join(folder, `${table}.arrow`))).toRecords();

/** Pairs of which both rows are in a minibatch, from the tables that name every example. */
function meetings(folder: string) {
  const examples = read(folder, 'examples');
  return read(folder, 'batches').map(({ examples: ids }) => {
    const rows = Array.from(ids as Iterable<number>, (id) => examples[id]!);
    const definitions = rows.filter(({ kind }) => kind === 'definition');
    const questions = rows.filter(({ kind }) => kind === 'qa');
    const matched = definitions.flatMap((d) => questions.filter((q) => q['variable'] === d['variable']));
    return {
      matched: matched.length,
      mismatched: definitions.length * questions.length - matched.length,
    };
  });
}

describe('the table cooccurrence counts the pairs that meet in the minibatches of training', () => {
  test.each([
    ['of a shuffle', () => plain, null],
    ['placed together', () => placed, 'matched'],
    ['of the placebo, apart', () => placebo, 'mismatched'],
  ] as const)('%s', (_, folderOf, pairs) => {
    const folder = folderOf();
    const { firstStep, stepsPerEpoch, composition: own, pairs: all } = readRunInfo(folder).stages[0]!;
    const rows = read(folder, 'cooccurrence');
    expect(rows.map(({ matched, mismatched }) => ({ matched, mismatched }))).toEqual(meetings(folder));
    expect(rows.map(({ step }) => step)).toEqual(read(folder, 'steps').map(({ step }) => step));
    expect(all).toEqual({ definitions: 24, questions: 288, matched: 288 });
    const epoch = rows.slice(firstStep, firstStep + stepsPerEpoch);
    const sum = (column: string): number => epoch.reduce((total, row) => total + Number(row[column]), 0);
    if (pairs === null) {
      expect(own).toBeNull();
      expect(rows.every(({ assigned }) => assigned === null)).toBe(true);
    } else if (pairs === 'matched') {
      expect(own).toMatchObject({ variables: 24, questionsPerVariable: 12, share: 0.9 });
      expect(epoch.map(({ assigned }) => assigned)).toEqual(epoch.map(({ matched }) => matched));
      // 22 of 24 variables have all their questions beside their definition.
      expect(sum('matched')).toBeGreaterThanOrEqual(22 * 12);
    } else {
      expect(sum('assigned')).toBe(0);
      expect(sum('matched')).toBeGreaterThan(0);
    }
    // The second stage has no questions.
    expect(rows.at(-1)).toMatchObject({ matched: 0, mismatched: 0, assigned: null });
  });
});

test('a share of 0 is the plain shuffle, bit for bit', async () => {
  const none = await train(composition('{ share: 0, place: apart }'));
  expect(finalWeights(none)).toEqual(finalWeights(plain));
  expect(finalWeights(placed)).not.toEqual(finalWeights(plain));
});

test('stopped, resumed and beside others, a run with a composition is the same', async () => {
  const { weights, rows, alone } = await differencesOfStops(engine, [together]);
  expect({ weights, rows }).toEqual({ weights: 0, rows: 0 });
  expect(alone).toBeLessThan(1e-5);
});

test('what meets after a stop is what would have met', async () => {
  const stopped = await trainBrief({ engine, overrides: apart, stops: [5, 16] });
  const whole = await train(...apart);
  for (const table of ['batches', 'cooccurrence'])
    expect(read(stopped[0]!, table)).toEqual(read(whole, table));
});

test('runs that differ in their composition train as one computation', () => {
  const load = (...own: string[]) =>
    loadConfig('configs/set-inclusion-smoke.yaml', runSchema, [...tiny, ...brief, ...own]).config;
  const configs = ['0.5', '0.9'].map((share) => load(composition(`{ share: ${share}, place: together }`)));
  expect(sameShapes([load(), ...configs])).toBeNull();
});

test.each([
  [
    [composition('{ share: 1, place: together }'), 'stages.0.batchSize=1'],
    /^stage stage1: composition: 24 times a definition and its 12 questions do not fit together into 312 minibatches of 1 rows: set batchSize to 13 or more$/,
  ],
  [
    [composition('{ share: 1, place: apart }')],
    /^stage stage1: composition: .* do not fit apart into 5 minibatches of 70 rows: set batchSize so that there are 13 minibatches or more$/,
  ],
  [
    ['stages.1.composition={ share: 1, place: apart }'],
    /^stage stage2: composition: none of its variables has both a definition and a question$/,
  ],
  [
    [together, 'stages.0.trainOn=stage1_only_qa'],
    /^stage stage1: composition: none of its variables has both a definition and a question$/,
  ],
  [
    [together, 'stages.0.batchSize=312'],
    /^stage stage1: composition: every minibatch has all rows: there is nothing to compose$/,
  ],
  [
    [together, 'stages.0.sampler=withReplacement'],
    /stages\.0\.composition: it shuffles what it does not place, which the sampler withReplacement does not; set that to shuffle or shuffleOnce/,
  ],
  [[composition('{ share: 1.5, place: together }')], /stages\.0\.composition\.share/],
] as const)('%j is refused in one line', async (overrides, reason) => {
  await expect(train(...overrides)).rejects.toThrow(reason);
});

describe('the report', () => {
  /** Trains two seeds, changes what run.json says if asked to, and analyses them. */
  async function analysed(overrides: readonly string[], change: (text: string) => string = (own) => own) {
    const folders = await trainBrief({
      engine,
      seeds: [0, 1],
      overrides: [...overrides, 'log.tier=groups', 'log.exampleNorms={ every: 1 }'],
    });
    const copy = temporaryFolder();
    for (const folder of folders) {
      const own = path.join(copy, path.basename(folder));
      fs.cpSync(folder, own, { recursive: true });
      fs.writeFileSync(runInfoPath(own), change(fs.readFileSync(runInfoPath(own), 'utf8')));
    }
    const [arm] = groupIntoArms((await findRuns([copy])).runs);
    const { sections, claims, checks, notes, failures } = await analyseArm(arm!);
    expect(failures).toEqual([]);
    const quantities = sections.flatMap((own) => own.quantities);
    const valueOf = (id: string): number | string => {
      const { estimate } = quantities.find((own) => own.id === id)!;
      return estimate.kind === 'value' ? estimate.estimate : estimate.reason;
    };
    const nullOf = (id: string) => {
      const own = quantities.find((one) => one.id === id)?.null;
      if (own?.kind !== 'measured') return null;
      return own.estimate.kind === 'value' ? own.estimate.estimate : own.estimate.reason;
    };
    return {
      valueOf,
      nullOf,
      ids: quantities.map(({ id }) => id),
      notes: notes.join('\n'),
      claim: claims.find(({ id }) => id === 'composition')?.judgement,
      check: checks.find(({ id }) => id === 'cooccurrenceLaw'),
    };
  }

  test('of a shuffle: its law with the smaller last minibatch, and no claim', async () => {
    const { valueOf, nullOf, check, claim, ids } = await analysed(['stages.0.epochs=6']);
    // 4 minibatches of 70 and one of 32.
    const law = (4 * 70 * 69 + 32 * 31) / (312 * 311);
    expect(nullOf('cooccurrence.matched')).toBeCloseTo(law, 12);
    // 288 pairs in 6 epochs of 2 seeds: a standard error of 0.007.
    expect(valueOf('cooccurrence.matched')).toBeCloseTo(law, 1);
    expect(valueOf('cooccurrence.mismatched')).toBeCloseTo(law, 2);
    expect(check?.passed).toBe(true);
    expect(claim).toBeUndefined();
    expect(ids).not.toContain('cooccurrence.composedDeviation');
  });

  test('of a composition: its law, and no numbers of a shuffle', async () => {
    const { valueOf, nullOf, check, claim, notes } = await analysed([...apart, 'stages.0.epochs=2']);
    expect(valueOf('cooccurrence.assigned')).toBe(0);
    expect(nullOf('cooccurrence.assigned')).toBe(0);
    expect(valueOf('cooccurrence.composedDeviation')).toBe(0);
    expect(check?.passed).toBe(true);
    expect(claim?.verdict).not.toBe('contradicted');
    expect(notes).toContain('The composition decides which rows share a minibatch');
    for (const id of ['gamma', 'variancePart', 'dose'])
      expect(valueOf(`gradientNoise.${id}`)).toMatch(/^the composition decides/);
    expect(valueOf('minibatchCosine.meeting')).toMatch(/not told for a composition/);
  });

  test('of a composition that was not the one described: check and claim fail', async () => {
    const { check, claim } = await analysed([together, 'stages.0.epochs=2'], (text) =>
      text.replace('"share": 0.9', '"share": 0.5'),
    );
    expect(check?.passed).toBe(false);
    expect(claim?.verdict).toBe('contradicted');
  });

  test('of blocks: what meets, and no law', async () => {
    const blocks = ['stages.0.sampler=blocks', 'stages.0.blocks=[definition, qa]'];
    const { valueOf, nullOf, check } = await analysed(blocks);
    // One minibatch has the end of the definitions and the first questions.
    expect(valueOf('cooccurrence.mismatched')).toBeGreaterThan(0);
    expect(nullOf('cooccurrence.matched')).toBe('the sampler blocks decides, not chance');
    expect(check).toBeUndefined();
  });
});
