import { describe, expect, test } from 'vitest';
import { holm } from '../../src/analysis/inference/multiplicity/holm.js';
import { meanOverSeeds } from '../../src/analysis/inference/seeds/mean.js';
import { pValueAgainstNull } from '../../src/analysis/quantity.js';
import type { RunData } from '../../src/analysis/run-data.js';
import { sectionOf, type RunValues, type SectionSpec } from '../../src/analysis/section.js';
import { sectionReport } from '../../src/report/text/section-report.js';
import { newRun } from '../store/samples.js';

const runs = [3, 4, 5, 8].map((seed): RunData => ({
  folder: `runs/x/y-seed${seed}`,
  info: {
    ...newRun,
    seed,
    formatVersion: 1,
    status: 'complete',
    started: '',
    updated: '',
    ended: '',
    stepsDone: 1,
    failure: null,
    process: { pid: 1, host: '', birth: '' },
  },
  tables: new Set(),
  configHash: '',
}));

const spec: SectionSpec = {
  id: 'example',
  title: 'Example',
  multiplicity: 'holm',
  quantities: [
    {
      id: 'effect',
      label: 'effect',
      unit: 'nats',
      null: { kind: 'measured', label: 'shuffled', key: 'shuffled' },
      controls: [{ id: 'untrained', label: 'untrained', key: 'untrained' }],
      tagDifference: true,
    },
    { id: 'other', label: 'other', unit: '1', null: { kind: 'zero', label: '0' } },
    { id: 'size', label: 'size', unit: '1', null: null },
  ],
  measure: async () => null,
};

/** Entities of four seeds, whose means are 1, 2, 3 and 4. */
const measured: RunValues[] = [1, 2, 3, 4].map((mean) => ({
  effect: [mean - 0.5, mean, mean, mean + 0.5],
  shuffled: mean / 8,
  untrained: mean > 3 ? 'it was not probed' : 0.5,
  other: 0.2 - mean / 100,
  size: mean,
}));

const section = sectionOf(spec, runs, measured)!;
const [effect, other, size] = section.quantities;

test('the value of a seed is the mean of its entities, which are kept', () => {
  expect(effect!.seeds.map(({ seed, value }) => [seed, value])).toEqual([
    [3, 1],
    [4, 2],
    [5, 3],
    [8, 4],
  ]);
  expect(effect!.seeds[0]).toMatchObject({ entities: [0.5, 1, 1, 1.5] });
  expect(effect!.estimate).toEqual(meanOverSeeds([1, 2, 3, 4]));
  expect(size!.entityLevel).toBeNull();
});

test('null and controls are subtracted run by run; a run without a control does not count for it', () => {
  expect(effect!.null).toMatchObject({
    kind: 'measured',
    estimate: meanOverSeeds([0.125, 0.25, 0.375, 0.5]),
    difference: meanOverSeeds([0.875, 1.75, 2.625, 3.5]),
  });
  const [control] = effect!.controls;
  expect(control!.estimate).toMatchObject({ kind: 'value', seeds: 3, estimate: 0.5 });
  expect(control!.difference).toEqual(meanOverSeeds([0.5, 1.5, 2.5]));
});

test('a control that has some of the entities is compared with the quantity over the same ones', () => {
  const paired: SectionSpec = {
    ...spec,
    quantities: [
      {
        id: 'all',
        label: 'all',
        unit: '1',
        null: null,
        controls: [{ id: 'some', label: 'some', key: 'some', ofKey: 'all of these' }],
      },
    ],
  };
  const values = [1, 2, 3, 4].map((seed) => ({
    all: [seed, seed + 10],
    some: [seed - 1],
    'all of these': [seed],
  }));
  const [quantity] = sectionOf(paired, runs, values)!.quantities;
  expect(quantity!.controls[0]).toMatchObject({
    id: 'some',
    estimate: meanOverSeeds([0, 1, 2, 3]),
    difference: { estimate: 1 },
  });
  // Entities whose sign is no difference between tags have no flips of the tag.
  expect(quantity!.entityLevel).toMatchObject({ tagFlips: null, bootstrap: { kind: 'value' } });
});

test('a ratio is one of averages, over every seed, whatever the sign of its denominator', () => {
  const ratio: SectionSpec = { ...spec, quantities: [{ id: 'r', label: 'r', unit: '1', null: null }] };
  const values = [2, 3, 4, -0.5].map((denominator) => ({ r: { numerator: 2, denominator } }));
  const [quantity] = sectionOf(ratio, runs, values)!.quantities;
  expect(quantity!.estimate).toMatchObject({ estimate: 8 / 8.5, seeds: 4, method: 'fieller' });
  expect(quantity!.seeds.map(({ value }) => value)).toEqual([1, 2 / 3, 0.5, -4]);
});

test('p-values of a section are adjusted for each other; sizes have none', () => {
  const plain = section.quantities.map(pValueAgainstNull);
  expect(plain[2]).toBeNull();
  expect(section.quantities.map(({ adjustedPValue }) => adjustedPValue)).toEqual(holm(plain));
  expect(other!.adjustedPValue).toBeGreaterThanOrEqual(plain[1]!);
});

test('bootstrap and sign flips of the entities are the same at every call', () => {
  expect(sectionOf(spec, runs, measured)).toEqual(section);
  const { bootstrap, tagFlips } = effect!.entityLevel!;
  expect(bootstrap).toMatchObject({ kind: 'value', estimate: 2.5, units: 4 });
  // All 16 entities are positive: only the flip of none or of all is as extreme.
  expect(tagFlips).toMatchObject({ kind: 'value', units: 16, seeds: 4 });
  expect(tagFlips?.kind === 'value' && tagFlips.pValue).toBeLessThan(0.001);
});

test('one seed: the interval over seeds is missing with its reason, that over entities is there', () => {
  const entities = [0.5, 1, 1.5, 0.7, 1.3, 0.9];
  const single = sectionOf(spec, runs.slice(0, 1), [{ ...measured[0]!, effect: entities }])!;
  expect(single.quantities[0]!.estimate).toMatchObject({ interval: null, missing: '1 seed shows no spread' });
  const { bootstrap } = single.quantities[0]!.entityLevel!;
  expect(bootstrap).toMatchObject({ unit: 'entity', units: 6 });
  expect(bootstrap.kind === 'value' && bootstrap.interval).toHaveLength(2);
});

describe('what is missing says why', () => {
  test('no run has the section', () => {
    expect(sectionOf(spec, runs, [null, null, null, null])).toBeNull();
  });

  test('a run without it, one without a key, one with NaN, one without entities', () => {
    const partly = sectionOf(spec, runs, [null, { effect: 1 }, { effect: NaN }, { effect: [] }])!;
    expect(partly.quantities[0]!.seeds.map(({ value, reason }) => value ?? reason)).toEqual([
      'seed 3 has not been measured',
      1,
      'it comes out as NaN',
      'there is no entity',
    ]);
    expect(partly.quantities[1]!.estimate).toMatchObject({ kind: 'absent' });
    expect(JSON.stringify(partly)).not.toMatch(/NaN[^'"]*[,}\]]/);
  });
});

test('the report names quantity, unit, interval, null, controls and bootstrap, within its width', () => {
  for (const width of [80, 100]) {
    const lines = sectionReport(section, width);
    expect(lines.filter((line) => line.length > width)).toEqual([]);
    const text = lines.join('\n');
    for (const part of [
      'effect',
      'nats',
      '+2.50',
      'against untrained',
      'null: shuffled',
      'flips',
      'Holm',
      'BCa',
    ])
      expect(text).toContain(part);
  }
  expect(sectionReport(section, 100).join('\n')).toMatchInlineSnapshot(`
    "Example
              unit    mean  95 % interval     seeds    null      p  flips   Holm
      effect  nats   +2.50  [+0.446, +4.55]       4  +0.313  0.030  0.125  0.030
      other         +0.175  [+0.154, +0.196]      4       0   1e-4  0.125   2e-4
      size            2.50  [0.446, 4.55]         4
      null: shuffled
      null: 0
      further controls   control  difference  95 % interval    seeds      p
      effect
      against untrained   +0.500       +1.50  [-0.984, +3.98]      3  0.122
      bootstrap, and flips of the tag  95 % interval (BCa)  over  entities  p (tag flips)
      effect                           none                 seed        16           1e-4
      no BCa interval: 4 seeds, the bootstrap needs 5: use the t interval
    "
  `);
});
