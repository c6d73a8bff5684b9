import { expect, test } from 'vitest';
import type { Design, SubsetDesign } from '../../data/design.js';
import { analyseArm, type ArmAnalysis } from '../../src/analysis/analyse-arm.js';
import { claimSpecs } from '../../src/analysis/claims.js';
import { groupIntoArms, openRun } from '../../src/analysis/run-data.js';
import { withTagControl, type AnalysedArm } from '../../src/analysis/tag-control.js';
import { temporaryFolder } from '../tui/support/folders.js';
import { writePlantedRun, type Effects, type PlantedRun } from './support/planted-runs.js';

/** Effects that were put into tables are found, and none where there is none, whatever the design calls its subsets. */
const root = temporaryFolder();
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

const subset = (
  name: string,
  part: SubsetDesign['part'],
  tag: number | null,
  consistent: boolean | null,
): SubsetDesign => ({ name, part, tag, consistent, trainsQuestions: part === 'X1', description: name });

/** Two witnesses; `letters` is a third set of new variables. */
const witnesses: Design = {
  tags: [
    { tag: 7, name: 'clerk', role: 'reliable' },
    { tag: 9, name: 'rumour', role: 'unreliable' },
    { tag: 4, name: 'letter', role: 'new' },
  ],
  subsets: [
    subset('known_clerk', 'X1', 7, true),
    subset('known_rumour', 'X1', 9, false),
    subset('plain', 'X1', null, null),
    subset('fresh_clerk', 'X2', 7, true),
    subset('fresh_rumour', 'X2', 9, true),
    subset('letters', 'X2', 4, true),
    subset('unheard', 'none', null, null),
  ],
  weak: ['known_clerk', 'known_rumour'],
  strong: ['fresh_clerk', 'fresh_rumour'],
  tagEffect: null,
  consistencyEffect: null,
  questionsOnly: 'plain',
  untrained: 'unheard',
  exchange: null,
};

/** Nothing but the two pairs, whose definitions are all right. */
const equallyRight: Design = {
  ...witnesses,
  subsets: [
    subset('known_clerk', 'X1', 7, true),
    subset('known_rumour', 'X1', 9, true),
    subset('fresh_clerk', 'X2', 7, true),
    subset('fresh_rumour', 'X2', 9, true),
  ],
  questionsOnly: null,
  untrained: null,
};

const names = {
  qd1consis: 'known_clerk',
  qd2incons: 'known_rumour',
  q: 'plain',
  d1consis: 'fresh_clerk',
  d2consis: 'fresh_rumour',
  no_qd_baseline: 'unheard',
};

const variants: readonly (readonly [string, Pick<PlantedRun, 'own' | 'stages'>])[] = [
  [
    'three sets of new variables, two stages',
    { own: { design: witnesses, subsets: names, stageNames: ['hearing', 'reading'] } },
  ],
  [
    'three stages',
    {
      own: { design: witnesses, subsets: names, stageNames: ['facts', 'hearing', 'reading'] },
      stages: ['stage1_only_defns', 'stage1', 'stage2'],
    },
  ],
  [
    'two pairs of subsets and nothing else, equally right',
    { own: { design: equallyRight, subsets: names, stageNames: ['hearing', 'reading'] } },
  ],
];

type Planted = Omit<PlantedRun, 'name' | 'seed'>;

async function analysedArm(name: string, run: Planted): Promise<AnalysedArm> {
  const runs = [];
  for (let seed = 0; seed < 8; seed++)
    runs.push(await openRun(await writePlantedRun(root, { ...run, name, seed })));
  const [arm] = groupIntoArms(runs);
  return { arm: arm!, analysis: await analyseArm(arm!) };
}

async function analysed(name: string, run: Planted): Promise<ArmAnalysis> {
  return (await analysedArm(name, run)).analysis;
}

const always = [
  'weakAttribution',
  'strongAttribution',
  'weakInternalization',
  'strongInternalization',
  'alignmentGap',
  'alignmentGapWithoutEmbeddings',
  'transferGap',
  'transferPathOwn',
  'transferPathShare',
  'minibatchMatching',
  'penaltyLaw',
  'epochDriftResidual',
  'alignmentForceDifference',
  'alignmentForceGap',
  'alignmentForceSize',
];

test.each(variants)('%s: planted effects are supported, and nothing is without them', async (name, run) => {
  const withEffects = await analysed(`${name.replaceAll(/\W/g, '')}-planted`, { ...run, effects: planted });
  const expected =
    run.own!.design.questionsOnly === null
      ? always
      : [...always, 'rightDefinitionsHelp', 'wrongDefinitionsHurt'];
  expect(Object.fromEntries(withEffects.claims.map(({ id, judgement }) => [id, judgement.verdict]))).toEqual(
    Object.fromEntries(expected.map((id) => [id, 'supported'])),
  );
  const without = await analysed(`${name.replaceAll(/\W/g, '')}-null`, { ...run, effects: none });
  expect(without.claims.map(({ id }) => id).toSorted()).toEqual(expected.toSorted());
  expect(without.claims.filter(({ judgement }) => judgement.verdict === 'supported')).toEqual([]);

  const text = JSON.stringify(withEffects);
  expect(text).toContain('known_clerk - known_rumour');
  expect(text).not.toMatch(/[qd][12]consis|incons\b|no_qd_baseline|alpha/);
  const weak = withEffects.claims.find(({ id }) => id === 'weakInternalization')!.claim;
  if (run.own!.design === equallyRight) expect(weak).toContain('equally right');
  else expect(weak).toContain('confounded');
});

test('without counterfactual definitions every gap by tag says what the design lacks and what to do, and all else is there', async () => {
  const [, first] = variants[0]!;
  const run = { ...first, effects: planted };
  const [whole, without] = [
    await analysed('whole', run),
    await analysed('without', { ...run, counterfactuals: false }),
  ];
  const quantities = ({ sections }: ArmAnalysis) => sections.flatMap((section) => section.quantities);
  const absent = quantities(without).filter(({ estimate }) => estimate.kind === 'absent');
  const reasons = absent.map(({ id, estimate }) => [id, estimate.kind === 'absent' ? estimate.reason : '']);
  const others = new Set(
    quantities(whole).flatMap(({ id, estimate }) => (estimate.kind === 'absent' ? [id] : [])),
  );
  const lacking = reasons.filter(([id]) => !others.has(id!));
  expect(lacking.map(([id]) => id)).toEqual(
    expect.arrayContaining([
      'alignment.tagSwapGap.all',
      'alignmentCourse.step10',
      'alignmentByLayer.layers.0.mlp',
      'transfer.gap',
      'transfer.explained.smallest',
      'forces.tagSwapGap.task',
    ]),
  );
  for (const [, reason] of lacking)
    expect(reason).toMatch(
      /^the experiment builds no counterfactual definitions 'tag_swap', which .* need: add them .*own\.md.* probe again$/,
    );
  const gap = without.claims.find(({ id }) => id === 'alignmentGap')!.judgement;
  expect([gap.verdict, gap.reason]).toEqual(['undecided', expect.stringContaining("'tag_swap'")]);
  const swap = quantities(without)
    .find(({ id }) => id === 'alignment.cosine.reliable')!
    .controls.find(({ id }) => id === 'entitySwap');
  expect(JSON.stringify(swap)).toContain("'entity_swap'");
  const kept = [
    'weakInternalization',
    'strongInternalization',
    'transferPathOwn',
    'alignmentForceDifference',
  ];
  for (const id of kept)
    expect(without.claims.find((claim) => claim.id === id)!.judgement.verdict).toBe('supported');
});

test('tagControl: runs whose key has its value are the control of claims about tags, by a name that all designs share', async () => {
  const own = {
    design: { ...witnesses, tagControl: { key: 'trust', value: 0 } },
    subsets: names,
    stageNames: ['hearing', 'reading'],
  };
  const arm = (name: string, tag: number, data: Readonly<Record<string, number>>) =>
    analysedArm(name, { effects: { ...planted, tag }, own: { ...own, data } });
  const trusted = await arm('trusted', 1, { trust: 0.9, words: 3 });
  const mute = await arm('mute', 0, { trust: 0, words: 3 });
  const otherWords = await arm('otherwords', 0, { trust: 0, words: 4 });

  const [treated, control] = withTagControl([trusted, mute]);
  const aboutTags = new Set(claimSpecs.flatMap(({ id, aboutTags: is }) => (is === true ? [id] : [])));
  for (const { id, controls } of treated!.claims) {
    if (!aboutTags.has(id)) continue;
    expect([id, controls.map((one) => [one.id, one.label])]).toEqual([
      id,
      [['tagControl', 'trust = 0 (mute), the tag means nothing']],
    ]);
    expect(controls[0]!.difference).toMatchObject({ kind: 'value', seeds: 8 });
  }
  expect(treated!.claims.filter(({ id }) => aboutTags.has(id)).length).toBeGreaterThan(3);
  expect(control!.claims.find(({ id }) => id === 'strongInternalization')!.claim).toContain('a control');

  // What differs in more than the key, or whose design names no control, has none.
  const { tagControl: _, ...plain } = own.design;
  const silent = (name: string, trust: number) =>
    analysedArm(name, { effects: planted, own: { ...own, design: plain, data: { trust, words: 3 } } });
  for (const arms of [
    [trusted, otherWords],
    [await silent('silent', 0.9), await silent('silent0', 0)],
  ])
    expect(withTagControl(arms).flatMap(({ claims }) => claims.flatMap(({ controls }) => controls))).toEqual(
      [],
    );
});
