import fs from 'node:fs';
import path from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { analyseSweep, sweepQuantities } from '../../src/analysis/sweep.js';
import { sweepCsv, sweepRows, writeSweepTable } from '../../src/analysis/sweep/table.js';
import { isSweepFile, loadSweep, type Sweep } from '../../src/run/sweep-config.js';
import {
  armFolders,
  foldersOfPack,
  hashOfSweep,
  seedsInFolder,
  sweepChanges,
  whyOtherConfig,
} from '../../src/run/sweep.js';
import { packsOf, packsOfOthers, packsOfTask } from '../../src/run/sweep-tasks.js';
import { runningRun } from '../../src/run/running-runs.js';
import { isTrained, runSweep, type SweepPiece } from '../../src/run/train-sweep.js';
import { nodeEnvironment } from '../../src/store/environment.js';
import { sweepStatus } from '../../src/run/sweep-status.js';
import { nodeFileSystem } from '../../src/store/file-system.js';
import { unknownQuantity } from '../../src/analysis/known-quantities.js';
import { listRuns } from '../../src/store/list-runs.js';
import { emptySweepRecord, readSweepRecord, registrationOf } from '../../src/store/sweep-record.js';
import { readRunInfo } from '../../src/store/run-folder.js';
import type { Engine } from '../../src/train/engine/load.js';
import { polars } from '../store/polars.js';
import { useTestEngine } from '../train/support/engine.js';
import { quietRequest, temporaryFolder, tiny } from './support.js';

let engine: Engine;
beforeAll(async () => {
  engine = await useTestEngine();
});

const folder = temporaryFolder();

const emptyRecord = emptySweepRecord('batch-size');

/** A sweep file over the batch size of the tiny set-inclusion runs. */
function write(name: string, changes: Readonly<Record<string, string>> = {}): string {
  const parts: Record<string, string> = {
    sweep: 'batch-size',
    base: path.resolve('configs/set-inclusion-smoke.yaml'),
    set: JSON.stringify([
      ...tiny.filter((own) => !own.startsWith('name=')),
      'model.layers=1',
      'log.tier=off',
      'stages.0.epochs=1',
    ]),
    axis: '{ key: stages.0.batchSize, label: batch size, scale: log }',
    points: '[{ value: 128, seeds: 0..1 }, { value: 256, seeds: "2,0" }]',
    ...changes,
  };
  const file = path.join(folder, `${name}.yaml`);
  fs.writeFileSync(
    file,
    Object.entries(parts)
      .filter(([, value]) => value !== '')
      .map(([key, value]) => `${key}: ${value}\n`)
      .join(''),
  );
  return file;
}

describe('a sweep file', () => {
  test('gives every point the config of its value, and its name', () => {
    const { name, experiment, arms } = loadSweep(write('good'));
    expect([name, experiment]).toEqual(['batch-size', 'set-inclusion']);
    expect(
      arms.map(({ values, seeds, config }) => [values[0], seeds, config.name, config.stages[0]!.batchSize]),
    ).toEqual([
      [128, [0, 1], 'batch-size-128', 128],
      [256, [2, 0], 'batch-size-256', 256],
    ]);
    expect(isSweepFile(write('good'))).toBe(true);
    expect(isSweepFile('configs/mnist-qa.yaml')).toBe(false);
  });

  test('makes an arm of every combination of named arms and axes, in the order of the file', () => {
    const file = write('grid', {
      seeds: '0..3',
      axis: '',
      points: '',
      axes: '[{ key: stages.0.batchSize, values: [64, 128], scale: log }, { key: stages.0.sampler, values: [shuffle, withReplacement] }]',
      arms: '[{ name: plain }, { name: fast, seeds: 7, set: { stages.0.optimizer.learningRate: 0.01, stages.1.clipNorm: null } }]',
    });
    const { arms, axes } = loadSweep(file);
    expect(axes).toEqual([
      { key: 'stages.0.batchSize', label: 'stages.0.batchSize', scale: 'log' },
      { key: 'stages.0.sampler', label: 'stages.0.sampler', scale: 'linear' },
    ]);
    expect(arms.map(({ name }) => name)).toEqual([
      'plain-64-shuffle',
      'plain-64-withreplacement',
      'plain-128-shuffle',
      'plain-128-withreplacement',
      'fast-64-shuffle',
      'fast-64-withreplacement',
      'fast-128-shuffle',
      'fast-128-withreplacement',
    ]);
    const last = arms.at(-1)!;
    expect([last.values, last.seeds, last.config.name]).toEqual([
      [128, 'withReplacement'],
      [7],
      'batch-size-fast-128-withreplacement',
    ]);
    const [stage, next] = last.config.stages;
    expect([stage!.batchSize, stage!.sampler, stage!.optimizer.learningRate, next!.clipNorm]).toEqual([
      128,
      'withReplacement',
      0.01,
      null,
    ]);
    expect(arms[0]!.seeds).toEqual([0, 1, 2, 3]);
  });

  test.each([
    [
      'no arms',
      { axis: '', points: '' },
      /no-arms\.yaml:1:8 sweep: has no arms; give axes, arms, or axis with points/,
    ],
    [
      'an axis beside arms',
      { arms: '[{ name: a }]' },
      /axis: stands beside axes or arms; write it as one of the axes/,
    ],
    [
      'no seeds',
      { axis: '', points: '', arms: '[{ name: a }]' },
      /no-seeds\.yaml:\d+:8 has no seeds; add seeds: 0\.\.7 to the file, or to the arm$/,
    ],
    [
      'two arms of one name',
      { axis: '', points: '', seeds: '0', arms: '[{ name: a }, { name: b }, { name: a }]' },
      /:\d+:34 makes a second arm a beside that of .*:\d+:8; give each its own name or values$/,
    ],
    [
      'an arm that makes no config',
      { axis: '', points: '', seeds: '0', arms: '[{ name: a, set: { stages.0.batchSize: -3 } }]' },
      /config\.yaml:\d+:\d+ stages\.0\.batchSize=-3 stages\.0\.batchSize: .*>0.*$/,
    ],
    [
      'an axis that makes no config',
      { axis: '', points: '', seeds: '0', axes: '[{ key: stages.0.epocs, values: [1, 2] }]' },
      /config\.yaml:\d+:40 stages\.0\.epocs=1 stages\.0\.epocs: unknown key "epocs"; did you mean "epochs"\?$/,
    ],
    [
      'a map on an axis',
      {
        axis: '',
        points: '',
        seeds: '0',
        axes: '[{ key: stages.0.freeze, values: [{ parameters: ["*"] }, null] }]',
      },
      /map-on-an-axis\.yaml:\d+:\d+ axes\.0\.values\.0: expected a number, .* named arm \(arms\), got \{ parameters \}$/m,
    ],
    [
      'text on a log axis',
      {
        axis: '',
        points: '',
        seeds: '0',
        axes: '[{ key: stages.0.sampler, values: [shuffle], scale: log }]',
      },
      /stages\.0\.sampler is shuffle there: a log axis takes values above 0; make it linear$/,
    ],
  ])('with %s is refused with its place', (name, changes, message) => {
    expect(() => loadSweep(write(name.replaceAll(/^an? /g, '').replaceAll(' ', '-'), changes))).toThrow(
      message,
    );
  });

  test('of the project loads, with its base', () => {
    for (const own of fs.readdirSync('configs/sweeps')) {
      expect(loadSweep(path.join('configs/sweeps', own)).arms.length).toBeGreaterThan(1);
    }
  });

  test.each([
    [
      'an unknown key',
      { axiss: '1' },
      /unknown-key\.yaml:\d+:\d+ axiss: unknown key "axiss"; did you mean "axis"\?/,
    ],
    [
      'a key that the base does not have',
      { axis: '{ key: data.varables, label: x }' },
      /axis\.key: data\.varables is no number of .*smoke\.yaml/,
    ],
    [
      'a value twice',
      { points: '[{ value: 2, seeds: 0 }, { value: 2, seeds: 1 }]' },
      /:\d+:34 makes a second arm 2 beside that of .*:\d+:10; give each its own value$/,
    ],
    [
      'seeds that are none',
      { points: '[{ value: 2, seeds: a }]' },
      /points\.0\.seeds: expected seeds such as 3, 0\.\.7/,
    ],
    ['zero on a log axis', { points: '[{ value: 0, seeds: 0 }]' }, /a log axis takes values above 0/],
    [
      'a value that makes no config',
      { points: '[{ value: 2.5, seeds: 0 }]' },
      /:\d+:\d+ stages\.0\.batchSize=2\.5 stages\.0\.batchSize: expected int/,
    ],
    ['a base that is not there', { base: 'nowhere.yaml' }, /cannot read config .*nowhere\.yaml/],
  ])('with %s is refused with its place', (name, changes, message) => {
    expect(() => loadSweep(write(name.replaceAll(/^an? /g, '').replaceAll(' ', '-'), changes))).toThrow(
      message,
    );
  });
});

test('a sweep that was interrupted goes on, leaves complete runs alone, and is analysed over seeds', async () => {
  const root = temporaryFolder();
  const sweep = loadSweep(write('run'));
  const run = (stopAt: number | null): ReturnType<typeof runSweep> => {
    const abort = new AbortController();
    return runSweep(sweep, {
      root,
      engine,
      command: ['test'],
      signal: abort.signal,
      onProgress: ({ step }) => {
        if (step === stopAt) abort.abort();
      },
      onMessage: () => {},
      versions: {},
    });
  };
  const folders = sweep.arms.map((point) => armFolders(point, root));
  expect((await run(2)).end).toBe('interrupted');
  expect(folders.flat().filter((own) => fs.existsSync(own))).toHaveLength(2);
  const partial = await analyse(sweep, folders);
  expect(partial.arms[0]!.quantities[0]!.estimate).toEqual({
    kind: 'absent',
    reason: 'seed 0 is interrupted',
  });
  expect(partial.arms[1]!.quantities[0]!.estimate).toEqual({
    kind: 'absent',
    reason: 'seed 2 has not been run',
  });

  expect((await run(null)).end).toBe('complete');
  const written = folders.flat().map((own) => fs.statSync(path.join(own, 'run.json')).mtimeMs);
  expect((await run(null)).end).toBe('complete');
  expect(folders.flat().map((own) => fs.statSync(path.join(own, 'run.json')).mtimeMs)).toEqual(written);
  expect(folders.flat().map((own) => readRunInfo(own).status)).toEqual([
    'complete',
    'complete',
    'complete',
    'complete',
  ]);

  const analysis = await analyse(sweep, folders);
  const rows = sweepRows(analysis);
  const accuracy = (own: string, set: string): number => {
    const metrics = polars.readIPC(fs.readFileSync(path.join(own, 'metrics.arrow'))).toRecords();
    const last = Math.max(...metrics.map((row) => Number(row['step'])));
    return Number(
      metrics.find(
        (row) => row['set'] === set && row['metric'] === 'accuracy' && Number(row['step']) === last,
      )!['value'],
    );
  };
  folders.forEach((own, point) => {
    const [first, second] = own.map((run) => accuracy(run, 'd1consis') - accuracy(run, 'd2consis')) as [
      number,
      number,
    ];
    const row = rows.find(
      ({ value, quantity }) => value === sweep.arms[point]!.values[0] && quantity === sweepQuantities.strong,
    )!;
    expect(row.mean).toBeCloseTo((first + second) / 2, 12);
    expect(row.seeds).toBe(2);
    if (first === second) return;
    // For two values the t interval is mean +- 12.7062 * |difference| / 2.
    expect(row.high! - row.mean!).toBeCloseTo((12.7062047 * Math.abs(first - second)) / 2, 6);
  });

  // A report with an override that no run had: every seed is marked, none is averaged.
  const other = loadSweep(write('run'), ['stages.0.epochs=77']);
  const marked = await analyseSweep(
    {
      name: other.name,
      description: '',
      experiment: other.experiment,
      axes: other.axes,
      hash: '',
      predictions: [],
      outcome: 'internalization.strongGap',
      mediator: null,
    },
    other.arms.map((arm, i) => ({
      name: arm.name,
      values: arm.values,
      seeds: arm.seeds,
      folders: folders[i]!,
      whyOther: (own) => whyOtherConfig(arm, own),
    })),
    emptyRecord,
  );
  expect(marked.arms[0]!.quantities[0]!.estimate).toEqual({
    kind: 'absent',
    reason: 'seed 0 is a run of another config (it has "epochs: 1" where this sweep has "epochs: 77")',
  });
  expect(
    sweep.arms.every((point, i) => folders[i]!.every((own) => whyOtherConfig(point, own) === null)),
  ).toBe(true);

  const target = path.join(root, 'set-inclusion', 'sweeps', 'batch-size');
  fs.mkdirSync(target, { recursive: true });
  fs.writeFileSync(path.join(target, 'sweep.json'), '{}');
  await writeSweepTable(target, analysis, rows);
  const table = polars.readIPC(fs.readFileSync(path.join(target, 'sweep.arrow'))).toRecords();
  expect(table).toEqual(rows);
  expect(sweepCsv(rows).split('\n')).toHaveLength(rows.length + 2);
  // Results beside the runs are no run.
  expect((await listRuns(path.join(root, 'set-inclusion'))).map(({ error }) => error)).toEqual([
    null,
    null,
    null,
    null,
  ]);
});

describe('predictions of a sweep file', () => {
  const arms =
    '[{ name: small, set: { stages.0.batchSize: 64 } }, { name: large }, { name: other, set: { data.variables: 64 } }]';
  const grid = { axis: '', points: '', seeds: '0..1', arms };
  const because = 'because: it was said before';
  const predictions = (own: string): Record<string, string> => ({
    ...grid,
    predictions: `[{ ${own}, ${because} }]`,
  });

  test('name arms, a quantity and a sign', () => {
    const file = write('predicted', {
      ...grid,
      predictions: `[
        { id: gap, quantity: internalization.strongGap, arm: small, minus: large, predicted: positive, ${because} },
        { id: same, quantity: alignment.tagSwapGap.all, arm: small, minus: other, paired: false, predicted: none, band: 0.1, ${because} },
        { id: slope, quantity: internalization.weakGap, trend: stages.0.batchSize, arms: ["b-*"], scale: log, predicted: negative, ${because} }]`,
      arms: `[{ name: small }, { name: large }, { name: other, set: { data.variables: 64 } }, { name: b-1, set: { stages.0.batchSize: 32 } }, { name: b-2, set: { stages.0.batchSize: 64 } }, { name: b-3, set: { stages.0.batchSize: 128 } }]`,
    });
    expect(loadSweep(file, [], unknownQuantity).predictions).toMatchObject([
      { id: 'gap', contrast: { kind: 'difference', arm: 'small', minus: 'large' }, paired: true, band: null },
      { id: 'same', predicted: 'none', band: 0.1, paired: false },
      {
        id: 'slope',
        contrast: {
          kind: 'trend',
          scale: 'log',
          arms: [
            { arm: 'b-1', at: 32 },
            { arm: 'b-2', at: 64 },
            { arm: 'b-3', at: 128 },
          ],
        },
        because: 'it was said before',
      },
    ]);
  });

  test.each([
    [
      'an unknown quantity',
      'id: a, quantity: internalization.strongGab, arm: small, minus: large, predicted: positive',
      /yaml:\d+:34 predictions\.0\.quantity: there is no quantity internalization\.strongGab; internalization has weakGap, strongGap/,
    ],
    [
      'an unknown section',
      'id: a, quantity: align.gap, arm: small, minus: large, predicted: positive',
      /there is no quantity align\.gap: ids begin with internalization, attribution, alignment/,
    ],
    [
      'an unknown arm',
      'id: a, quantity: internalization.strongGap, arm: smal, minus: large, predicted: positive',
      /predictions\.0\.arm: there is no arm smal; did you mean small\?; the arms are small, large, other$/,
    ],
    [
      'arms of other data',
      'id: a, quantity: internalization.strongGap, arm: small, minus: other, predicted: positive',
      /the arms small and other have different data, so that a seed of one is not the same seed of the other; add paired: false/,
    ],
    [
      'no band',
      'id: a, quantity: internalization.strongGap, arm: small, minus: large, predicted: none',
      /predictions\.0\.predicted: none needs a band/,
    ],
    [
      'a trend over too few values',
      'id: a, quantity: internalization.strongGap, trend: stages.0.batchSize, arms: [small, large], predicted: positive',
      /stages\.0\.batchSize has 1 different value in these arms, and a trend needs 3$/,
    ],
    [
      'a trend over a text',
      'id: a, quantity: internalization.strongGap, trend: stages.0.sampler, predicted: positive',
      /stages\.0\.sampler is no number in arm small; give the key of one$/,
    ],
    [
      'nothing to compare',
      'id: a, quantity: internalization.strongGap, arm: small, predicted: positive',
      /predictions\.0\.id: compares nothing; give arm and minus, or trend/,
    ],
  ])('about %s are refused with their place', (name, own, message) => {
    expect(() =>
      loadSweep(write(`predicted-${name.replaceAll(' ', '-')}`, predictions(own)), [], unknownQuantity),
    ).toThrow(message);
  });

  test('are in the record before the runs, which carry their hash; what changes later is told', async () => {
    const root = temporaryFolder();
    const own = 'id: a, quantity: internalization.strongGap, arm: small, minus: large, predicted: positive';
    const parts: Record<string, string> = {
      ...predictions(own),
      arms: '[{ name: small, set: { stages.0.batchSize: 128 } }, { name: large, seeds: 0, set: { stages.0.batchSize: 256 } }]',
    };
    parts['predictions'] = parts['predictions']!.replace('predicted', 'paired: false, predicted');
    const first = loadSweep(write('registered', parts));
    const request = quietRequest(root, engine);
    const before = sweepStatus(first, root);
    expect(before).toMatchObject({
      arms: [
        { arm: 'small', runs: 2, missing: 2, complete: 0 },
        { arm: 'large', runs: 1, missing: 1 },
      ],
      stepsDone: 0,
      secondsLeft: null,
    });
    await runSweep(first, request);
    const after = sweepStatus(first, root);
    expect(after).toMatchObject({
      stepsDone: before.stepsTotal,
      stepsTotal: before.stepsTotal,
      secondsLeft: 0,
    });
    expect(after.arms.map(({ complete }) => complete)).toEqual([2, 1]);
    expect(before.arms[0]!.seeds.map(({ seed, status }) => `${seed} ${status}`)).toEqual([
      '0 missing',
      '1 missing',
    ]);
    const [seen] = after.arms[0]!.seeds;
    expect(seen).toMatchObject({ seed: 0, status: 'complete', failure: null });
    const asRunning = await runningRun(seen!.folder, readRunInfo(seen!.folder), nodeEnvironment);
    expect(asRunning).toMatchObject({ pid: process.pid, step: asRunning.stepsTotal, lastBeat: null });
    expect(asRunning.rate).toBeGreaterThan(0);
    expect(after.toProbe).toBe(0);
    const [probed] = armFolders(first.arms[1]!, root);
    expect(sweepStatus(first, root, (folder) => folder === probed)).toMatchObject({
      arms: [{ toProbe: 2 }, { toProbe: 0 }],
      toProbe: 2,
    });
    // Two more seeds of the larger arm take what the rate says.
    const more = { ...first, arms: first.arms.map((arm) => ({ ...arm, seeds: [0, 1, 2] })) };
    const left = sweepStatus(more, root);
    expect(left.secondsLeft! / left.secondsPerStep!).toBeCloseTo(left.stepsTotal - before.stepsTotal, 6);
    expect(seedsInFolder(first.arms[0]!, root)).toEqual([0, 1]);
    const readRecord = () => readSweepRecord(nodeFileSystem, root, 'set-inclusion', 'batch-size');
    const record = readRecord();
    const hash = hashOfSweep(first);
    expect(record.versions).toMatchObject([{ hash, predictions: [{ id: 'a', predicted: 'positive' }] }]);
    const infos = first.arms.flatMap((arm) => armFolders(arm, root)).map((folder) => readRunInfo(folder));
    expect(infos.map((info) => info.sweep)).toEqual(infos.map(() => ({ name: 'batch-size', hash })));
    expect(record.firstRuns['large']).toEqual({ hash, started: infos.at(-1)!.started });
    expect(sweepChanges(first, record, root)).toEqual([]);
    // Layout, comments and reasons are no change.
    const same = loadSweep(
      write('registered', { ...parts, predictions: parts['predictions'].replace('it was', 'we') }),
    );
    expect(hashOfSweep(same)).toBe(hash);

    const changed = loadSweep(
      write('registered', {
        ...parts,
        predictions: parts['predictions'].replace('positive', 'negative'),
        arms: '[{ name: small, set: { stages.0.batchSize: 64 } }, { name: large, seeds: 0..1, set: { stages.0.batchSize: 256 } }]',
      }),
    );
    const folder = armFolders(changed.arms[0]!, root)[0];
    expect(sweepChanges(changed, record, root)).toEqual([
      'arm small: its config is another',
      `affected: ${folder}: it has "batchSize: 128" where this sweep has "batchSize: 64"`,
      expect.stringMatching(/^affected: .*small-seed1: /),
      'arm large: seeds 0,1 instead of 0',
      'prediction a: changed',
    ]);
    await runSweep(changed, request, { repair: true });
    const later = readRecord();
    expect(later.versions.map((version) => version.predictions[0]!.predicted)).toEqual([
      'positive',
      'negative',
    ]);
    // The runs of the arm were trained again; that they are not the first ones is known.
    expect(later.firstRuns['small']!.hash).toBe(hash);
    expect(readRunInfo(folder!).sweep!.hash).toBe(hashOfSweep(changed));
    const arms = changed.arms.map((arm) => arm.name);
    expect(registrationOf(changed.predictions[0]!, later, arms, [])).toBe('changed');
    expect(registrationOf(first.predictions[0]!, later, arms, [])).toBe('registered');
  });
});

test('arms that differ in numbers of the step alone train as one computation, each in its own folders', async () => {
  const root = temporaryFolder();
  const sweep = loadSweep(
    write('packed', {
      axis: '',
      points: '',
      seeds: '0',
      arms: '[{ name: slow, set: { stages.0.optimizer.learningRate: 1.0e-4 } }, { name: large, set: { stages.0.batchSize: 256 } }, { name: fast }]',
    }),
  );
  const together: string[][] = [];
  const { end, failed } = await runSweep(sweep, quietRequest(root, engine), {
    onPiece: ({ arms }) => together.push(arms.map(({ name }) => name)),
  });
  expect([end, failed]).toEqual(['complete', []]);
  expect(together).toEqual([['slow', 'fast'], ['large']]);
  const infos = sweep.arms.map((arm) => readRunInfo(armFolders(arm, root)[0]!));
  expect(infos.map((info) => [info.status, info.stages[0]!.learningRate, info.siblings.length])).toEqual([
    ['complete', 1e-4, 2],
    ['complete', 2e-3, 1],
    ['complete', 2e-3, 2],
  ]);
});

test('seeds that diverge are reported, stop no other point, and are not tried again', async () => {
  const root = temporaryFolder();
  const sweep = loadSweep(
    write('diverging', {
      points:
        '[{ value: 128, seeds: 0..1, set: ["stages.0.optimizer.learningRate=1.0e+38"] }, { value: 256, seeds: 3 }]',
    }),
  );
  const started: string[] = [];
  const run = (): ReturnType<typeof runSweep> =>
    runSweep(sweep, quietRequest(root, engine), {
      onPiece: ({ arms }) => started.push(...arms.map(({ name }) => name)),
    });
  for (let attempt = 0; attempt < 2; attempt++) {
    const { end, failed } = await run();
    expect(end).toBe('complete');
    expect(failed.map(({ folder }) => folder)).toEqual(armFolders(sweep.arms[0]!, root));
    expect(failed[0]!.reason).toMatch(/not finite at step \d+/);
  }
  expect(started).toEqual(['128', '256', '128', '256']);
  const folders = sweep.arms.map((point) => armFolders(point, root));
  const { arms } = await analyse(sweep, folders);
  expect(arms[0]!.quantities[0]!.estimate).toEqual({ kind: 'absent', reason: 'seed 0 is failed' });
  expect(arms[1]!.quantities[0]!.estimate).toMatchObject({ kind: 'value', units: 1 });
});

const analyse = (sweep: Sweep, folders: readonly string[][]) =>
  analyseSweep(
    {
      name: sweep.name,
      description: '',
      experiment: sweep.experiment,
      axes: sweep.axes,
      hash: '',
      predictions: [],
      outcome: 'internalization.strongGap',
      mediator: null,
    },
    sweep.arms.map(({ name, values, seeds }, i) => ({ name, values, seeds, folders: folders[i]! })),
    emptyRecord,
  );

describe('runs in the way of a sweep', () => {
  const points = '[{ value: 128, seeds: 0 }, { value: 256, seeds: 0 }]';

  test('of another config are refused with what can be done about them, and replaced if told so', async () => {
    const root = temporaryFolder();
    await runSweep(loadSweep(write('first', { points })), quietRequest(root, engine));
    const changed = loadSweep(write('second', { points }), ['stages.1.clipNorm=3']);
    await expect(runSweep(changed, quietRequest(root, engine))).rejects.toThrow(
      /batch-size-128-seed0: holds a run of another config; give another --out, another name in the sweep file, or --existing overwrite$/,
    );
    const { failed } = await runSweep(changed, quietRequest(root, engine), { repair: true });
    expect(failed).toEqual([]);
    const [folder] = armFolders(changed.arms[0]!, root);
    expect(fs.readFileSync(path.join(folder!, 'config.yaml'), 'utf8')).toContain('clipNorm: 3');
    // Now they are its own: nothing is trained again.
    const { updated } = readRunInfo(folder!);
    await runSweep(changed, quietRequest(root, engine), { repair: true });
    expect(readRunInfo(folder!).updated).toBe(updated);
  });

  test('that another process writes are left to it, and one that cannot be read stops no other', async () => {
    const root = temporaryFolder();
    const three = '[{ value: 64, seeds: 0 }, { value: 128, seeds: 0 }, { value: 256, seeds: 0 }]';
    const sweep = loadSweep(write('busy', { points: three }));
    const [broken, busy, other] = sweep.arms.map((point) => armFolders(point, root)[0]!) as [
      string,
      string,
      string,
    ];
    await runSweep({ ...sweep, arms: sweep.arms.slice(1, 2) }, quietRequest(root, engine));
    const info = readRunInfo(busy);
    fs.writeFileSync(path.join(busy, 'run.json'), JSON.stringify({ ...info, status: 'running' }));
    // A living process of this machine, and not this one.
    const living = nodeEnvironment.processes.birth(process.ppid);
    const { host } = nodeEnvironment.processes;
    const holder = { pid: process.ppid, host, birth: living, started: info.started };
    fs.writeFileSync(path.join(busy, 'lock'), JSON.stringify(holder));
    fs.mkdirSync(broken, { recursive: true });
    fs.writeFileSync(path.join(broken, 'run.json'), '{');

    const tried: string[] = [];
    const {
      end,
      failed,
      busy: left,
    } = await runSweep(sweep, quietRequest(root, engine), {
      onPiece: ({ arms }) => tried.push(...arms.map(({ name }) => name)),
    });
    expect(end).toBe('complete');
    // The busy one is passed over, and asked again when the others are done.
    expect(tried.slice(0, 2)).toEqual(['64', '256']);
    expect(tried.at(-1)).toBe('128');
    expect(left).toEqual([{ folder: busy, reason: expect.stringMatching(/being written by process/) }]);
    expect(failed).toEqual([{ folder: broken, reason: expect.stringMatching(/run\.json: not JSON/) }]);
    expect(readRunInfo(other).status).toBe('complete');
  });

  test('are trained by the task that they belong to, and then those of others that nobody trains', async () => {
    const root = temporaryFolder();
    const sweep = loadSweep(
      write('tasks', { points: '[{ value: 128, seeds: 0..1 }, { value: 256, seeds: 0 }]' }),
    );
    const packs = packsOf(sweep.arms, { seeds: 1 });
    const share = { index: 1, count: 3 };
    const tried: string[] = [];
    const work = (steal: boolean) => ({
      task: { own: packsOfTask(packs, share), others: steal ? packsOfOthers(packs, share) : [] },
      onPiece: ({ runs }: SweepPiece, isOwn: boolean) =>
        tried.push(...runs.map(({ config, seed }) => `${config.name} ${seed}${isOwn ? '' : ', of others'}`)),
    });
    const folders = packs.flatMap((pack) => foldersOfPack(pack, root));
    await runSweep(sweep, quietRequest(root, engine), work(false));
    expect([isTrained(sweep, root, work(false).task), isTrained(sweep, root, work(true).task)]).toEqual([
      true,
      false,
    ]);
    expect(folders.map((folder) => fs.existsSync(path.join(folder, 'run.json')))).toEqual([
      false,
      true,
      false,
    ]);
    await runSweep(sweep, quietRequest(root, engine), work(true));
    expect(tried).toEqual([
      'batch-size-128 1',
      'batch-size-128 1',
      'batch-size-256 0, of others',
      'batch-size-128 0, of others',
    ]);
    expect(isTrained(sweep, root)).toBe(true);
    expect(folders.map((folder) => readRunInfo(folder).status)).toEqual(['complete', 'complete', 'complete']);
  });
});
