import { expect, test } from 'vitest';
import type { Design, SubsetDesign } from '../../data/design.js';
import { analyseArm, type ArmAnalysis } from '../../src/analysis/analyse-arm.js';
import { groupIntoArms, openRun } from '../../src/analysis/run-data.js';
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

async function analysed(name: string, run: Omit<PlantedRun, 'name' | 'seed'>): Promise<ArmAnalysis> {
  const runs = [];
  for (let seed = 0; seed < 8; seed++)
    runs.push(await openRun(await writePlantedRun(root, { ...run, name, seed })));
  return analyseArm(groupIntoArms(runs)[0]!);
}

const always = [
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
