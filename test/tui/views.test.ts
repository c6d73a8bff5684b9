import fs from 'node:fs';
import { stripVTControlCharacters } from 'node:util';
import { beforeAll, describe, expect, test } from 'vitest';
import { welchDifference } from '../../src/analysis/inference/seeds/welch.js';
import { analyseSweep, sweepFormatVersion } from '../../src/analysis/sweep.js';
import { emptySweepRecord } from '../../src/store/sweep-record.js';
import { meanOverSeeds } from '../../src/analysis/inference/seeds/mean.js';
import type { Estimate } from '../../src/analysis/inference/estimate.js';
import { formatValue } from '../../src/report/charts/index.js';
import { formatInterval, formatNumber } from '../../src/report/text/numbers.js';
import { show, type ShowOptions } from '../../tui/show.js';
import type { ForceName } from '../../src/store/tables/forces.js';
import { plainStyle } from './support/plain-style.js';
import {
  accuracyOf,
  cosineOf,
  cosineOfGroups,
  driftOf,
  driftRates,
  fallOf,
  forceOf,
  gradNormOf,
  lossOf,
  measuredNorm2,
  tokensSaid,
  variables,
  writeRun,
} from './support/fixture-run.js';
import { temporaryFolder } from './support/folders.js';

/** Steps of stage 1 and of all. */
const [stage1, total] = [40, 50];
const seeds = [0, 1, 2];
let root: string;

beforeAll(async () => {
  root = temporaryFolder();
  for (const seed of seeds) await writeRun(root, seed);
});

const run = (seed: number): string => `${root}/tiny-seed${seed}`;

/** What a view prints about seed 0, or about other folders. */
const shown = async (view: string, options: Partial<ShowOptions> = {}): Promise<string[]> =>
  show({ folders: [run(0)], view, width: 160, height: 60, style: plainStyle, ...options });

/** The line that begins with a text, its cells apart. */
function cells(lines: readonly string[], start: string): string[] {
  const line = lines.find((own) => own.replace(/^[› ●]*/, '').startsWith(start));
  if (line === undefined) throw new Error(`no line ${start} in\n${lines.join('\n')}`);
  return line
    .replace(/^[› ●]*/, '')
    .trim()
    .split(/ {2,}/);
}

const signedNumber = (value: number): string => formatNumber(value, true);
const interval = (estimate: Estimate): string => formatInterval(estimate, true);

/** Gap of the tags of new variables, over the panel, as the tables hold it. */
function tagSwap(seed: number): { gap: number; none: number } {
  const mean = (subset: string, place: number, pairing: string): number =>
    Array.from({ length: variables }, (_, i) =>
      cosineOf(subset, pairing, 10 * place + i, 'total', stage1, seed),
    ).reduce((a, b) => a + b) / variables;
  const gap = (asTrained: string, swapped: string): number =>
    (mean('d1consis', 2, asTrained) + mean('d2consis', 3, swapped)) / 2 -
    (mean('d1consis', 2, swapped) + mean('d2consis', 3, asTrained)) / 2;
  return { gap: gap('matched', 'tag_swap'), none: gap('mismatched', 'tag_swap_mismatched') };
}

const weak = (seed: number): number =>
  accuracyOf('qd1consis', stage1, seed) - accuracyOf('qd2incons', stage1, seed);
const strong = (seed: number): number =>
  accuracyOf('d1consis', total, seed) - accuracyOf('d2consis', total, seed);

describe('the numbers on screen are those of the tables', () => {
  test('runs: gaps of each run, and of the seeds with interval and null', async () => {
    const lines = await shown('runs', { folders: [root], panel: 'runs' });
    for (const seed of seeds) {
      const row = cells(lines, `tiny-seed${seed}`);
      expect(row.slice(1, 2)).toEqual(['complete']);
      expect(row.slice(3, 7)).toEqual([
        '100 %',
        signedNumber(weak(seed)),
        signedNumber(strong(seed)),
        signedNumber(tagSwap(seed).gap),
      ]);
    }
    const means = {
      weak: meanOverSeeds(seeds.map(weak)),
      swap: meanOverSeeds(seeds.map((seed) => tagSwap(seed).gap)),
    };
    expect(cells(lines, 'weak gap, accuracy')).toEqual(
      expect.arrayContaining(['accuracy', signedNumber(weak(0)), interval(means.weak), '3', '0']),
    );
    const none = seeds.map((seed) => tagSwap(seed).none).reduce((a, b) => a + b) / 3;
    expect(cells(lines, 'tag-swap gap of new variables, all tensors')).toEqual(
      expect.arrayContaining([signedNumber(tagSwap(0).gap), interval(means.swap), signedNumber(none)]),
    );
  });

  test('training: accuracies at a step with their interval over variables', async () => {
    const lines = await shown('training', {
      panel: 'curves',
      choose: 'accuracy of the test sets',
      cursor: 20,
    });
    for (const set of ['qd1consis', 'd2consis']) {
      const value = accuracyOf(set, 20, 0);
      const ends = [value - 1.96 * 0.02, value + 1.96 * 0.02].map((end) => formatNumber(end));
      expect(cells(lines, `${set} `)).toEqual([set, formatNumber(value), `[${ends.join(', ')}]`, '120']);
    }
    expect(cells(lines, 'step 20')).toEqual(['step 20', 'accuracy', '95 % over variables', 'questions']);
  });

  test('training: means over selected seeds with their t interval', async () => {
    const lines = await shown('training', {
      folders: seeds.map(run),
      panel: 'mean over seeds',
      choose: 'accuracy of the test sets',
    });
    const estimate = meanOverSeeds(seeds.map((seed) => accuracyOf('d1consis', total, seed)));
    expect(cells(lines, 'd1consis ')).toEqual([
      'd1consis',
      estimate.kind === 'value' ? formatNumber(estimate.estimate) : '',
      formatInterval(estimate),
      '360',
    ]);
  });

  test('alignment: entities sorted by their gap, and one of them by tensor', async () => {
    const lines = await shown('alignment', { panel: 'entities' });
    const all = ['qd1consis', 'qd2incons', 'd1consis', 'd2consis'].flatMap((subset, place) =>
      Array.from({ length: variables }, (_, i) => {
        const variable = 10 * place + i;
        const own = (pairing: string): number => cosineOf(subset, pairing, variable, 'total', stage1, 0);
        const sign = place % 2 === 0 ? 1 : -1;
        return { variable, subset, gap: sign * (own('matched') - own('tag_swap')), matched: own('matched') };
      }),
    );
    const sorted = all.toSorted((a, b) => b.gap - a.gap);
    const header = lines.findIndex((line) => line.includes('tag-swap gap▼'));
    const rows = lines.slice(header + 1).map((line) => line.replace(/^[› ]*/, '').split(/ {2,}/));
    expect(rows.slice(0, 20).map((row) => [row[0], row[1], row[3], row[5]])).toEqual(
      sorted.map((own) => [
        String(own.variable),
        own.subset,
        signedNumber(own.gap),
        signedNumber(own.matched),
      ]),
    );
    const drilled = await shown('alignment', { drill: `${stage1}:d1consis/21/heldout` });
    const tensor = cells(drilled, 'without_embeddings');
    expect(tensor[2]).toBe(
      signedNumber(cosineOf('d1consis', 'matched', 21, 'without_embeddings', stage1, 0)),
    );
  });

  test('alignment: what the selected entity says, token by token', async () => {
    const said = ['definition', 'heldout'];
    const [definition, question] = tokensSaid('d1consis', 21);
    const expected = [
      `definition  define1  w121          |  w50`,
      `            3 tag    121 variable  |  50 entity`,
      `heldout     w121          w51  w52  |  yes`,
      `            121 variable  51   52   |  2 answer`,
    ];
    expect(definition!.length + question!.length).toBe(7);
    const drilled = await shown('alignment', { drill: `${stage1}:d1consis/21/heldout`, panel: 'tokens' });
    const start = drilled.findIndex((line) => line.startsWith(said[0]!));
    expect(drilled.slice(start)).toEqual(expected);
    // Below the list of entities, of the one that is selected.
    const list = await shown('alignment', { panel: 'entities', filter: '21 d1consis' });
    expect(list.slice(-4)).toEqual(expected);
    // Without a colour nothing is lost: the kinds are words.
    const narrow = await shown('alignment', {
      drill: `${stage1}:d1consis/21/heldout`,
      panel: 'tokens',
      width: 30,
    });
    expect(narrow.map((line) => line.trim())).toContain('|  50 entity');
  });

  test('training: the kinds of test sets, one after the other, as filters', async () => {
    const sets = async (filter: string): Promise<string[]> =>
      (await shown('training', { panel: 'curves', choose: 'accuracy of the test sets', filter }))
        .slice(-8)
        .flatMap((line) => /^(\w+) {2,}[\d.]+ /.exec(line)?.slice(1) ?? []);
    expect(await sets('')).toEqual(['qd1consis', 'qd2incons', 'd1consis', 'd2consis']);
    expect(await sets('d1consis !train')).toEqual(['qd1consis', 'd1consis']);
    expect(await sets('train_ d2consis')).toEqual(['train_d2consis']);
    expect(await sets('all')).toHaveLength(8);
  });

  test('alignment: matched minus mismatched of a tensor, the gap with its null taken off', async () => {
    const lines = await shown('alignment', { folders: seeds.map(run), panel: 'layers', row: 0 });
    const estimate = meanOverSeeds(
      seeds.map((seed) => {
        // At the last checkpoint the formulas give the same as at the end of stage 1.
        const { gap, none } = tagSwap(seed);
        return gap - none;
      }),
    );
    if (estimate.kind === 'absent') throw new Error(estimate.reason);
    const line = lines.find((own) => own.startsWith('total, step'))!;
    expect(line).toContain(`: ${signedNumber(estimate.estimate)} ${interval(estimate)} over 3 seeds; null 0`);
  });

  test('minibatches: values of steps, and the Gram matrix of one', async () => {
    const lines = await shown('minibatches', { row: 6, width: 140 });
    const row = cells(lines, '7 ');
    expect(row.slice(0, 6)).toEqual([
      '7',
      'stage1',
      '0.70',
      '16',
      formatNumber(lossOf(7, 0)),
      formatNumber(gradNormOf(7, 0)),
    ]);
    const coloured = await shown('minibatches', {
      row: 6,
      width: 140,
      style: { ...plainStyle, colour: true },
    });
    const gram = coloured.map((line) => stripVTControlCharacters(line));
    const cosine = cosineOfGroups('qd1consis/definition', 'qd1consis/qa', 7, 0);
    const row1 = gram
      .find((line) => line.includes('1 qd1consis/definition'))!
      .trim()
      .split(/ +/);
    expect(row1[2]).toBe('1');
    expect(Number(row1[3])).toBeCloseTo(cosine, 2);
  });

  test('variance: measured norms and the law', async () => {
    const lines = await shown('variance', { panel: 'penalty' });
    const row = cells(lines, '16 ');
    expect(row).toEqual([
      '16',
      formatNumber(measuredNorm2(16)),
      formatNumber(measuredNorm2(16) / 1.02),
      '+2.0 %',
      'none: 1 seed shows no spread',
    ]);
    expect(lines.join('\n')).toContain(
      'Gamma 8.00, |G|^2 2.00 nats^2/parameter^2, noise scale Gamma/|G|^2 4.00 examples; N 160',
    );
  });

  test('transfer: explained fraction and single variables', async () => {
    const lines = await shown('transfer', { panel: 'predicted', choose: 'step 40, size 0.0010' });
    expect(lines.join('\n')).toContain('explained fraction of all definitions on the chart: 1.10 ');
    const list = await shown('transfer', {
      panel: 'variables',
      choose: 'step 40, size 0.0010',
      filter: 'variable=21 !tag_swap',
    });
    const predicted = -1e-3 * 6 * cosineOf('d1consis', 'matched', 21, 'total', stage1, 0);
    expect(cells(list, '21 ').slice(0, 8)).toEqual([
      '21',
      'd1consis',
      'definition',
      'reliable',
      signedNumber(predicted),
      signedNumber(0),
      signedNumber(predicted / 1.1),
      '1.10',
    ]);
  });

  test('transfer: predictions of all updates added up', async () => {
    const lines = await shown('transfer', { panel: 'path', style: { ...plainStyle, screenReader: true } });
    const text = lines.join(' ');
    const updates = total - stage1;
    for (const subset of ['d1consis', 'd2consis']) {
      const fall = updates * fallOf(subset);
      expect(text).toContain(`last ${formatValue(-fall)} at step ${total}`);
      expect(text).toContain(`last ${formatValue(-1.1 * fall)} at step ${total}`);
    }
  });

  test('variance: loss, curvature and noise at the checkpoints', async () => {
    const lines = await shown('variance', { panel: 'landscape' });
    expect(cells(lines, '40 ')).toEqual([
      '40',
      'stage1',
      '1.60',
      '1.50',
      '8.00',
      '3.00',
      '+0.250',
      '0.020',
      '7.00',
    ]);
  });

  test('variance: drift of epochs at the checkpoints, and its quantities with interval and null over seeds', async () => {
    const folders = seeds.map(run);
    const lines = await shown('variance', { folders, panel: 'drift', width: 110 });
    const [small] = driftRates;
    const projection = driftOf(0, small);
    expect(cells(lines, '40 ')).toEqual([
      '40',
      'stage1',
      formatNumber(small),
      '4',
      '8',
      formatNumber(2e-6 * Math.hypot(projection, 0.2)),
      formatNumber(2e-6),
      signedNumber(projection),
      signedNumber(projection / Math.hypot(projection, 0.2)),
    ]);
    const estimate = meanOverSeeds(seeds.map((seed) => driftOf(seed, small) - 1));
    if (estimate.kind === 'absent') throw new Error(estimate.reason);
    const line = lines.find((own) => own.startsWith('along the prediction / prediction - 1'))!;
    expect(line).toMatch(/ 3 +0 /);
    expect(line).toContain(`${signedNumber(estimate.estimate)}  ${interval(estimate)}`);
    const inColour = await shown('variance', {
      folders,
      panel: 'drift',
      width: 110,
      style: { ...plainStyle, colour: true },
    });
    expect(inColour.map((own) => own.replaceAll('\u001B', '<esc>'))).toMatchInlineSnapshot(`
      [
        "<esc>[1mvariance: drift<esc>[22m",
        "Do epochs that shuffle end where the variance penalty says? Null: the prediction.",
        "<esc>[1m  step  stage   learning rate  minibatches  of examples  |drift|  |predicted|  along/predicted  cosine<esc>[22m",
        "<esc>[7m›    0  stage1        0.00025            4            8   2.0e-6       2.0e-6           +0.991  +0.980        <esc>[27m",
        "     0  stage1         0.0010            4            8   2.0e-6       2.0e-6           +0.976  +0.980",
        "    40  stage1        0.00025            4            8   2.0e-6       2.0e-6           +0.991  +0.980",
        "    40  stage1         0.0010            4            8   2.0e-6       2.0e-6           +0.976  +0.980",
        "    50  stage2        0.00025            4            8   2.0e-6       2.0e-6           +0.991  +0.980",
        "    50  stage2         0.0010            4            8   2.0e-6       2.0e-6           +0.976  +0.980",
        "",
        "<esc>[1m                                         unit   seed 0     mean  95 % interval     seeds  null      p<esc>[22m",
        "along the prediction / prediction - 1          -0.0092  -0.0033  [-0.018, +0.011]      3     0  0.427",
        "residual / prediction, norms                    +0.200   +0.200  [+0.200, +0.200]      3     0   1e-7",
        "cosine with the prediction, larger rate         +0.980   +0.980  [+0.979, +0.980]      3     0   2e-8",
        "<esc>[2mnull: 0, the theory; -1 if shuffling did nothing<esc>[22m",
        "<esc>[2mnull: 0, the prediction is the drift<esc>[22m",
        "<esc>[2mnull: 0, unrelated<esc>[22m",
        "<esc>[2mdrift: mean end point of shuffled epochs - of those with replacement; from: computed from the tables of 3 runs<esc>[22m",
      ]
    `);
  });

  test('forces: change in an epoch by each of them, and tensor by tensor beside questions of other variables', async () => {
    // Ten updates are an epoch; checkpoints within the stage are those at steps 10 and 20.
    const mean = (force: ForceName, pairing: string): number =>
      (10 * (forceOf(force, 'qd1consis', pairing, 10) + forceOf(force, 'qd1consis', pairing, 20))) / 2;
    const course = (await shown('forces')).join(' ').replaceAll(/\s+/g, ' ');
    for (const force of ['task', 'alignment'] as const)
      expect(course).toContain(
        `qd1consis, ${force} force nats^2/parameter^2 ${signedNumber(mean(force, 'matched'))}`,
      );
    const lines = await shown('forces', { panel: 'tensors' });
    const at = (force: ForceName, pairing: string): number => 10 * forceOf(force, 'qd1consis', pairing, 0);
    const expected = [
      at('task', 'matched'),
      at('norm', 'matched'),
      at('alignment', 'matched'),
      at('task', 'mismatched'),
      at('alignment', 'mismatched'),
      at('task', 'matched') / 10,
      at('alignment', 'matched') / 10,
    ];
    expect(cells(lines, 'total')).toEqual(['total', ...expected.map(signedNumber)]);
    expect(cells(lines, 'embed_in.weight').slice(1, 4)).toEqual(
      expected.slice(0, 3).map((value) => signedNumber(value / 4)),
    );
  });

  test('health: outliers, the cost of logging', async () => {
    const lines = await shown('health');
    expect(cells(lines, 'look')).toEqual(expect.arrayContaining(["gradient norm > 10 x its stage's"]));
    expect(lines.join('\n')).toContain('1.050 (median step 4.00 ms, log 0.200 ms per step on average)');
    expect(cells(lines, '7 ')).toEqual([
      '7',
      '50.0',
      formatNumber(50 / medianNorm()),
      formatNumber(lossOf(7, 0)),
    ]);
  });

  test('config: provenance and tables', async () => {
    const text = (await shown('config')).join('\n');
    expect(text).toContain('name: tiny');
    expect(text).toMatch(/command +gradscope run configs\/tiny\.yaml --seed 0/);
    expect(text).toMatch(/steps +file +50 +complete/);
  });

  test('findings: every claim with its interval', async () => {
    const text = (await shown('findings', { panel: 'claims' })).join(' ').replaceAll(/\s+/g, ' ');
    expect(text).toContain('supported strong internalization');
    expect(text).toContain('over 3 seeds');
  });
});

function medianNorm(): number {
  const norms = Array.from({ length: stage1 }, (_, i) => gradNormOf(i + 1, 0)).toSorted((a, b) => a - b);
  return (norms[19]! + norms[20]!) / 2;
}

describe('what cannot be shown is said', () => {
  test('a view, a panel, a choice, a column that is not there', async () => {
    await expect(shown('nosuch')).rejects.toThrow(/no view nosuch; there are runs, training/);
    await expect(shown('alignment', { panel: 'nosuch' })).rejects.toThrow(
      /no panel nosuch; there are by tag/,
    );
    await expect(shown('variance', { panel: 'penalty', choose: 'step 1' })).rejects.toThrow(
      /no checkpoint step 1/,
    );
    await expect(shown('minibatches', { sort: 'nosuch' })).rejects.toThrow(/no column nosuch/);
    await expect(shown('runs', { folders: [`${root}/nowhere`] })).rejects.toThrow(/nowhere: cannot be read/);
  });

  test('a run without a probe', async () => {
    const at = temporaryFolder();
    const folder = await writeRun(at, 0, { unprobed: true });
    for (const view of ['alignment', 'variance', 'transfer'])
      expect((await shown(view, { folders: [folder] })).join('\n')).toContain('npx gradscope probe');
  });

  test('a folder without runs', async () => {
    expect((await shown('runs', { folders: [temporaryFolder()] })).join('\n')).toContain(
      'start one: npx gradscope run',
    );
  });
});

test.each([
  'runs',
  'training',
  'alignment',
  'minibatches',
  'variance',
  'transfer',
  'config',
  'health',
  'findings',
  'forces',
])('%s stays within its box at every size, with and without colour and braille', async (view) => {
  for (const width of [80, 100, 133, 200]) {
    for (const style of [
      plainStyle,
      { ...plainStyle, colour: true },
      { ...plainStyle, ascii: true },
      { ...plainStyle, screenReader: true },
    ]) {
      const lines = await shown(view, { width, height: 19, style });
      for (const line of lines) {
        const visible = stripVTControlCharacters(line);
        expect(visible.length, visible).toBeLessThanOrEqual(width);
        if (style.ascii) expect(visible).toMatch(/^[ -~]*$/);
      }
    }
  }
});

describe('a sweep', () => {
  const made = {
    name: 'pairs',
    description: '',
    experiment: 'set-inclusion',
    axes: [],
    hash: '0123456789abcdef',
    outcome: 'internalization.strongGap',
    mediator: 'alignment.tagSwapGap.all',
    predictions: [
      {
        id: 'firstIsLarger',
        quantity: 'internalization.strongGap',
        contrast: { kind: 'difference', arm: 'first', minus: 'second' },
        paired: false,
        predicted: 'positive',
        band: null,
        because: 'it comes first',
      },
    ],
  } as const;
  const armSeeds = { first: [0, 1, 2], second: [3, 4, 5] };
  let own: string;

  beforeAll(async () => {
    own = temporaryFolder();
    for (const seed of Object.values(armSeeds).flat()) await writeRun(own, seed);
    const analysis = await analyseSweep(
      { ...made, predictions: [...made.predictions] },
      Object.entries(armSeeds).map(([name, list]) => ({
        name,
        values: [],
        seeds: list,
        folders: list.map((seed) => `${own}/tiny-seed${seed}`),
      })),
      emptySweepRecord('pairs'),
    );
    fs.mkdirSync(`${own}/sweeps/pairs`, { recursive: true });
    const document = { formatVersion: sweepFormatVersion, command: [], versions: {}, ...analysis };
    fs.writeFileSync(`${own}/sweeps/pairs/sweep.json`, JSON.stringify(document));
  });

  const ofSweep = (panel: string): Promise<string[]> =>
    shown('sweep', { folders: [`${own}/tiny-seed0`], panel, width: 200 });

  test('has a verdict for every prediction, marked where it is younger than its runs', async () => {
    const text = (await ofSweep('verdicts')).join('\n');
    const difference = welchDifference(armSeeds.first.map(strong), armSeeds.second.map(strong));
    if (difference.kind === 'absent') throw new Error(difference.reason);
    expect(text).toMatch(/inconclusive +firstIsLarger \(added after first run\): strong gap, accuracy/);
    expect(text).toContain(
      `predicted positive: ${signedNumber(difference.estimate)} ${interval(difference)} accuracy`,
    );
    expect(text).toContain('sha256 of arms and predictions: 0123456789ab');
  });

  test('has outcome and mediator of every arm', async () => {
    const row = cells(await ofSweep('arms'), 'second');
    const outcome = meanOverSeeds(armSeeds.second.map(strong));
    const mediator = meanOverSeeds(armSeeds.second.map((seed) => tagSwap(seed).gap));
    for (const [cell, estimate] of [
      [row[1], outcome],
      [row[2], mediator],
    ] as const) {
      if (estimate.kind === 'absent') throw new Error(estimate.reason);
      expect(cell).toBe(`${signedNumber(estimate.estimate)} ${interval(estimate)}`);
    }
    expect(row[3]).toBe('3');
    expect(row[4]).toBe('40.0');
  });

  test('has the numbers of the figure, run by run', async () => {
    const row = cells(await ofSweep('sweep runs'), 'first');
    expect(row.slice(0, 4)).toEqual(['first', '0', formatNumber(strong(0)), formatNumber(tagSwap(0).gap)]);
  });

  test('is not there beside other runs', async () => {
    expect((await shown('sweep')).join('\n')).toContain('No sweep of this experiment has results');
  });
});
