import fs from 'node:fs';
import path from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { createStream } from '../../data/random/streams.js';
import { withTagControl, type AnalysedArm } from '../../src/analysis/tag-control.js';
import { analyseArm } from '../../src/analysis/analyse-arm.js';
import { claimSpecs, judgeClaims, type Claim } from '../../src/analysis/claims.js';
import { claimAlpha } from '../../src/analysis/inference/claim.js';
import { withLooks } from '../../src/analysis/looks.js';
import { makeQuantity, seedValue, type Quantity, type RunValue } from '../../src/analysis/quantity.js';
import { groupIntoArms, openRun } from '../../src/analysis/run-data.js';
import { armReport } from '../../src/report/text/arm-report.js';
import { temporaryFolder } from '../tui/support/folders.js';
import { writePlantedRun, type Effects, type PlantedRun } from './support/planted-runs.js';

const planted: Effects = {
  tag: 1,
  consistency: 1,
  matching: 1,
  ownShare: 0.9,
  deviation: 0,
  residual: 0.2,
};
const none: Effects = {
  tag: 0,
  consistency: 0,
  matching: 0,
  ownShare: 0.5,
  deviation: 0.05,
  residual: 0.5,
};
const reversed: Effects = {
  tag: -1,
  consistency: -1,
  matching: -1,
  ownShare: 0.9,
  deviation: 0.3,
  residual: 1.2,
};

const root = temporaryFolder();
const seeds = [0, 1, 2, 3, 4, 5, 6, 7];

async function analysed(
  run: Omit<PlantedRun, 'seed'>,
  own: readonly number[] = seeds,
  failed: readonly number[] = [],
): Promise<AnalysedArm> {
  const runs = [];
  for (const seed of own) {
    const folder = await writePlantedRun(root, { ...run, seed, failed: failed.includes(seed) });
    runs.push(await openRun(folder));
  }
  const [arm] = groupIntoArms(runs);
  return { arm: arm!, analysis: await analyseArm(arm!) };
}

const verdicts = ({ analysis }: Pick<AnalysedArm, 'analysis'>): Record<string, string> =>
  Object.fromEntries(analysis.claims.map(({ id, judgement }) => [id, judgement.verdict]));

const claimOf = ({ analysis }: Pick<AnalysedArm, 'analysis'>, id: string): Claim =>
  analysis.claims.find((claim) => claim.id === id)!;

/** Claims about runs that have been retrained: whose planted tables are in `retrain-study.test.ts`. */
const ofRetraining = claimSpecs.filter(({ quantity }) => /^(retraining|datamodelingScore)\./.test(quantity));

/**
 * Claims of an arm at alpha = 1; the two below are those of an arm with all four subsets. A composition's is about runs that
 * have no law of the penalty: a test of its own.
 */
const atOne = claimSpecs
  .map(({ id }) => id)
  .filter((id) => !/^(weakTagEffect|consistencyEffect|composition)$/.test(id))
  .filter((id) => !ofRetraining.some((own) => own.id === id));
const split = ['weakTagEffect', 'consistencyEffect'];

let full: AnalysedArm;
let half: AnalysedArm;
let nothing: AnalysedArm;

beforeAll(async () => {
  full = await analysed({ name: 'planted', effects: planted });
  // Where the tag means nothing: right definitions help as much as in the arm it is the control of.
  half = await analysed({ name: 'planted50', effects: { ...planted, tag: 0 }, alpha: 0.5 });
  nothing = await analysed({ name: 'null', effects: none });
});

test('every claim is supported by runs with its effect', async () => {
  expect(verdicts(full)).toEqual(Object.fromEntries(atOne.map((id) => [id, 'supported'])));
  const both = await analysed({ name: 'planted75', effects: planted, alpha: 0.75 });
  expect(verdicts(both)).toMatchObject(Object.fromEntries(split.map((id) => [id, 'supported'])));
});

test('no claim is supported by runs without it', async () => {
  expect(Object.keys(verdicts(nothing)).toSorted()).toEqual(atOne.toSorted());
  expect(Object.values(verdicts(nothing))).not.toContain('supported');
  const both = await analysed({ name: 'null75', effects: none, alpha: 0.75 });
  expect(Object.values(verdicts(both))).not.toContain('supported');
  expect(Object.keys(verdicts(both))).toEqual(expect.arrayContaining(split));
});

test('every claim is contradicted by runs with the opposite', async () => {
  const against = await analysed({ name: 'reversed', effects: reversed });
  expect(verdicts(against)).toEqual(Object.fromEntries(atOne.map((id) => [id, 'contradicted'])));
  const both = await analysed({ name: 'reversed75', effects: reversed, alpha: 0.75 });
  expect(verdicts(both)).toMatchObject(Object.fromEntries(split.map((id) => [id, 'contradicted'])));
});

test('untrained networks support nothing: seeds alike, and seeds that differ by chance', async () => {
  const alike = await analysed({ name: 'constant', effects: none, noise: 0 });
  expect(Object.values(verdicts(alike))).not.toContain('supported');
  const byChance = await analysed({ name: 'untrained', effects: none, noise: 3 });
  expect(Object.values(verdicts(byChance))).not.toContain('supported');
});

describe('where the tag means nothing (alpha = 0.5)', () => {
  test('tag and consistency are taken apart: only claims that are not about tags are supported', () => {
    const tags = new Set(claimSpecs.filter((spec) => spec.aboutTags).map(({ id }) => id));
    const own = verdicts(half);
    expect(own['consistencyEffect']).toBe('supported');
    expect(Object.keys(own)).not.toContain('weakInternalization');
    expect(Object.entries(own).filter(([id, verdict]) => tags.has(id) && verdict === 'supported')).toEqual(
      [],
    );
    expect(claimOf(half, 'strongInternalization').claim).toContain('a control: the tag means nothing here');
  });

  test('it is a control of every claim about tags, seed by seed', () => {
    const [own] = withTagControl([full, half]);
    for (const { id, aboutTags } of claimSpecs.filter((spec) => atOne.includes(spec.id))) {
      const { controls } = own!.claims.find((claim) => claim.id === id)!;
      const expected = aboutTags === true || id === 'weakInternalization' ? ['tagControl'] : [];
      expect([id, controls.map((control) => control.id)]).toEqual([id, expected]);
    }
    // The weak gap at alpha = 1 is all of the consistency: nothing of it is left against the control.
    const weak = own!.claims.find(({ id }) => id === 'weakInternalization')!.controls[0]!;
    expect(weak.difference).toMatchObject({ seeds: 8 });
    expect(Math.abs(weak.difference.kind === 'value' ? weak.difference.estimate : 1)).toBeLessThan(0.02);
    const text = armReport(own!, { width: 100, colour: false }).join(' ').replaceAll(/\s+/g, ' ');
    expect(text).toMatch(/Against alpha = 0\.5 \(planted50\), the tag means nothing: \+0\.0/);
  });

  test('without common seeds the arms are compared as two groups', async () => {
    const apart = await analysed(
      { name: 'apart50', effects: { ...planted, tag: 0 }, alpha: 0.5 },
      [20, 21, 22, 23],
    );
    const [own] = withTagControl([full, apart]);
    const { difference, label } = own!.claims.find(({ id }) => id === 'strongInternalization')!.controls[0]!;
    expect(label).toContain('other seeds');
    expect(difference).toMatchObject({ method: 'welch', seeds: 12 });
  });
});

test.each([
  ['supported', 0, 0.002],
  ['undecided', 0, 0.05],
  ['contradicted', 0.1, 0.002],
] as const)('a composition that is as its law says, or not: %s', (verdict, deviation, spread) => {
  const random = createStream(2, 'composition');
  const quantity = makeQuantity(
    {
      id: 'cooccurrence.composedDeviation',
      label: 'assigned - law',
      unit: '1',
      values: seeds.map((seed) => seedValue(seed, deviation + spread * random.normal())),
      null: { kind: 'zero', label: '0, the law' },
      controls: [],
    },
    () => random,
  );
  const claims = judgeClaims([quantity]);
  expect(claims.map(({ id, judgement }) => [id, judgement.verdict])).toEqual([['composition', verdict]]);
});

describe.each(ofRetraining)('$id', ({ id, quantity: quantityId }) => {
  test.each([
    ['supported', 1],
    ['undecided', 0],
    ['contradicted', -1],
  ] as const)('%s where the effect is %d', (verdict, effect) => {
    const random = createStream(3, 'retraining');
    const quantity = makeQuantity(
      {
        id: quantityId,
        label: 'effect',
        unit: '1',
        values: seeds.map((seed) => seedValue(seed, effect + (seed % 2 === 0 ? 0.3 : -0.3))),
        null: { kind: 'zero', label: '0' },
        controls: [],
      },
      () => random,
    );
    const claims = judgeClaims([quantity]);
    expect(claims.map((own) => [own.id, own.judgement.verdict])).toEqual([[id, verdict]]);
  });
});

test('a claim says which seeds are not in its mean, how the family counts, and exact sign flips', async () => {
  const arm = await analysed({ name: 'failing', effects: planted }, seeds, [3]);
  const { judgement, adjustedPValue, pValue, signFlipsPValue } = claimOf(arm, 'strongInternalization');
  expect(judgement.reason).toContain(
    '1 of 8 seeds is not in the mean (seed 3 failed: the loss is NaN at step 12)',
  );
  expect(signFlipsPValue).toBe(2 / 2 ** 7);
  expect(judgement.reason).toContain('exact sign flips over seeds: p = 0.016');
  expect(adjustedPValue!).toBeGreaterThanOrEqual(pValue!);
  expect(judgement.reason).toMatch(/Holm over \d+ claims/);
});

test('tables of older probes are read: their transfer has no null but 0, and says so', async () => {
  const old = await analysed({ name: 'older', effects: planted, oldProbe: true });
  expect(verdicts(old)['transferGap']).toBe('supported');
  const quantities = old.analysis.sections.flatMap((section) => section.quantities);
  const { null: own } = quantities.find(({ id }) => id === 'transfer.gap')!;
  expect(own).toMatchObject({ kind: 'zero', label: expect.stringContaining('probe again') });
  const { null: now } = full.analysis.sections
    .flatMap((section) => section.quantities)
    .find(({ id }) => id === 'transfer.gap')!;
  expect(now).toMatchObject({ kind: 'measured', estimate: { kind: 'value' } });
});

test('joint runs measure new variables after training on them, and say so', async () => {
  const joint = await analysed({ name: 'joint', effects: planted, stages: ['full'] });
  expect(claimOf(joint, 'alignmentGap').judgement.reason).toContain('Joint training');
  const section = (id: string) => joint.analysis.sections.find((own) => own.id === id)!;
  for (const id of ['internalization', 'alignment', 'alignmentByLayer'])
    expect(section(id).notes.join(' ')).toContain('Joint training');
  const strong = section('internalization').quantities.find(({ id }) => id === 'internalization.strongGap')!;
  expect(strong.controls).toEqual([]);
});

test('the stage with questions is the last one before new definitions', async () => {
  const stages = ['stage1_only_defns', 'stage1_only_qa', 'stage2'];
  const three = await analysed({ name: 'three', effects: planted, stages });
  expect(verdicts(three)).toEqual(Object.fromEntries(atOne.map((id) => [id, 'supported'])));
});

test('an analysis remembers when it was looked at, with how many seeds', async () => {
  const place = temporaryFolder();
  const of = async (count: number) => {
    const runs = [];
    for (const seed of seeds.slice(0, count)) {
      const folder = path.join(place, `looks-seed${seed}`);
      if (!fs.existsSync(folder))
        await writePlantedRun(place, { name: 'looks', seed, effects: { ...planted, tag: 0.2 } });
      runs.push(await openRun(folder));
    }
    const analysis = withLooks(await analyseArm(groupIntoArms(runs)[0]!), new Date(1e12 + count));
    const folder = path.join(place, 'analysis', 'looks');
    fs.mkdirSync(folder, { recursive: true });
    fs.writeFileSync(path.join(folder, 'analysis.json'), JSON.stringify(analysis));
    return analysis;
  };
  expect((await of(2)).looks).toHaveLength(1);
  await of(4);
  await of(4);
  const last = await of(8);
  expect(last.looks.map((look) => look.seeds.length)).toEqual([2, 4, 8]);
  expect(last.looks[2]).toMatchObject({ date: new Date(1e12 + 8).toISOString() });
  expect(last.looks.map(({ verdicts: own }) => own['strongInternalization'])).toEqual([
    'undecided',
    expect.any(String),
    claimOf({ analysis: last }, 'strongInternalization').judgement.verdict,
  ]);
  const text = armReport(last, { width: 100, colour: false }).join('\n');
  expect(text).toContain('looked at 3 times, with 2, 4, 8 seeds');
});

describe('over many draws of seeds without any effect', () => {
  const draws = 600;
  const random = createStream(0, 'claims');
  const noise = (): number => random.normal();

  /** Quantities of an arm at the border of every claim, 8 seeds. */
  function atBorder(): Quantity[] {
    return claimSpecs
      .filter(({ unless }) => unless === undefined)
      .flatMap(({ quantity, band, threshold = 0 }) => {
        const ids = quantity.endsWith('.') ? [`${quantity}8`, `${quantity}16`] : [quantity];
        return ids.map((id, i) => {
          const isRatio = id === 'transferPath.share.own' || id === 'forces.size';
          const values = seeds.map((): RunValue => {
            // One batch size lies at the end of the band, the other one on the law.
            const denominator = 1 + 0.3 * noise();
            if (Array.isArray(band)) {
              const end = i === 0 ? (band as readonly number[])[1]! : 0;
              return { numerator: end * denominator + 0.01 * noise(), denominator };
            }
            return isRatio
              ? { numerator: threshold * denominator + 0.1 * noise(), denominator }
              : threshold + noise();
          });
          const isMeasured = id.startsWith('alignment.');
          return makeQuantity(
            {
              id,
              label: id,
              unit: '1',
              values: values.map((value, seed) => seedValue(seed, value)),
              null: isMeasured
                ? { kind: 'measured', label: 'null', values: seeds.map((seed) => seedValue(seed, noise())) }
                : { kind: 'zero', label: '0' },
              controls: [],
            },
            () => random,
          );
        });
      });
  }

  test('a claim is supported in at most 5 % of reports, and so is any claim of a report', () => {
    const supported = new Map<string, number>();
    let reports = 0;
    for (let draw = 0; draw < draws; draw++) {
      const claims = judgeClaims(atBorder());
      const found = claims.filter(({ judgement }) => judgement.verdict === 'supported');
      if (found.length > 0) reports++;
      for (const { id } of found) supported.set(id, (supported.get(id) ?? 0) + 1);
    }
    // Four standard errors of a share of 5 % in so many draws.
    const most = claimAlpha + 4 * Math.sqrt((claimAlpha * (1 - claimAlpha)) / draws);
    expect([...supported].filter(([, times]) => times / draws > most)).toEqual([]);
    expect(reports / draws).toBeLessThanOrEqual(most);
    // Without Holm a claim is judged at its own 5 %: the test can tell.
    expect(reports).toBeGreaterThan(0);
  });
});
