import { questionStage } from '../../../data/stage-roles.js';
import { tables } from '../../store/tables/registry.js';
import { cooccurrenceLaw, shuffledSharing, type PairProbabilities } from '../measures/cooccurrence-law.js';
import { readTable, type RunData } from '../run-data.js';
import type { QuantitySpec, RunValues, SectionSpec } from '../section.js';
import { stageSampling, type StageInfo } from '../stage-sampling.js';
import type { Study } from '../study.js';

const kinds = ['matched', 'mismatched', 'assigned'] as const;

type Kind = (typeof kinds)[number];

const words: Readonly<Record<Kind, string>> = {
  matched: 'a definition and a question about its variable',
  mismatched: 'a definition and a question about another variable',
  assigned: 'a definition and a question that the composition assigns to it',
};

const lawOf = (kind: Kind): string => `${kind}.law`;

const probability = (kind: Kind): QuantitySpec => ({
  id: kind,
  label: `${words[kind]} in one minibatch of an epoch: share of the pairs`,
  shortLabel: kind,
  unit: '1',
  null: { kind: 'measured', label: 'the law of the sampler', key: lawOf(kind) },
});

/** Which definitions meet which questions in the minibatches of training, against the law of how rows are drawn. */
const cooccurrence: SectionSpec = {
  id: 'cooccurrence',
  title:
    'Co-occurrence: probability that a definition and a question share a minibatch of an epoch, in training and by the law of ' +
    'the sampler; stage with questions',
  quantities: ({ info }) => {
    const { composition = null } = questionStage(info);
    return [
      probability('matched'),
      probability('mismatched'),
      {
        id: 'excess',
        label:
          'matched - mismatched: how much more often a definition meets the questions about its variable',
        shortLabel: 'matched - mismatched',
        unit: '1',
        null: { kind: 'zero', label: '0, a shuffle' },
      },
      {
        id: 'standardised',
        label: 'matched pairs in one minibatch, realised - law, in standard errors',
        shortLabel: 'matched - law, in standard errors',
        unit: '1',
        null: { kind: 'zero', label: '0, the law' },
      },
      // Of matched pairs the assigned ones are all.
      ...(composition?.pairs === 'mismatched' ? [probability('assigned')] : []),
      ...(composition === null ? [] : [composedDeviation]),
    ];
  },
  measure,
};

const composedDeviation: QuantitySpec = {
  id: 'composedDeviation',
  label: 'assigned pairs in one minibatch, realised - law',
  shortLabel: 'assigned - law',
  unit: '1',
  null: { kind: 'zero', label: '0, the law' },
};

async function measure(run: RunData): Promise<RunValues | null> {
  const stage = questionStage(run.info);
  const { pairs } = stage;
  if (pairs === undefined || pairs.matched === 0 || !run.tables.has(tables.cooccurrence.name)) return null;
  const table = await readTable(run, tables.cooccurrence, ['step', ...kinds]);
  if (table === null) return null;
  const { columns } = table;
  const steps = columns.step;
  const first = steps.findIndex((step) => step > stage.firstStep);
  const past = steps.findIndex((step) => step > stage.firstStep + stage.steps);
  const trained = first < 0 ? 0 : (past < 0 ? steps.length : past) - first;
  const epochs = Math.floor(trained / stage.stepsPerEpoch);
  if (epochs === 0) return allAbsent(`seed ${run.info.seed}: no whole epoch of the stage with questions`);
  const until = first + epochs * stage.stepsPerEpoch;
  const counts: Readonly<Record<Kind, ArrayLike<number>>> = {
    matched: columns.matched,
    mismatched: columns.mismatched,
    assigned: columns.assigned.values,
  };
  const pairsOf: Readonly<Record<Kind, number>> = {
    matched: pairs.matched,
    mismatched: pairs.definitions * pairs.questions - pairs.matched,
    assigned: (stage.composition?.variables ?? 0) * (stage.composition?.questionsPerVariable ?? 0),
  };
  const share = (kind: Kind): number => {
    let met = 0;
    for (let row = first; row < until; row++) met += counts[kind][row]!;
    return met / (epochs * pairsOf[kind]);
  };
  const law = lawOfStage(stage);
  const found: Record<string, number | string> = {};
  for (const kind of kinds) {
    if (pairsOf[kind] === 0) continue;
    found[kind] = share(kind);
    found[lawOf(kind)] = typeof law === 'string' ? law : law[kind];
  }
  const { matched, mismatched, assigned } = found;
  if (typeof matched === 'number' && typeof mismatched === 'number') found['excess'] = matched - mismatched;
  if (typeof law === 'string') return { ...found, standardised: law, composedDeviation: law };
  // One partition for all epochs is one draw.
  const draws = stage.sampler === 'shuffleOnce' ? 1 : epochs;
  const expected = law.matched;
  const error = Math.sqrt((expected * (1 - expected)) / (draws * pairs.matched));
  if (typeof matched === 'number') {
    // A law of 0 or 1 has no error: then a single pair is one.
    found['standardised'] = (matched - expected) / Math.max(error, 1 / (draws * pairs.matched));
  }
  if (typeof assigned === 'number') found['composedDeviation'] = assigned - law.assigned;
  return found;
}

function allAbsent(reason: string): RunValues {
  const keys = [...kinds, ...kinds.map(lawOf), 'excess', 'standardised', 'composedDeviation'];
  return Object.fromEntries(keys.map((key) => [key, reason]));
}

/**
 * Probability that a pair shares a minibatch of an epoch, by how the rows of a stage are drawn; of independent draws the
 * expected number of minibatches that hold both. The reason where the order of the data decides.
 */
function lawOfStage(stage: StageInfo): PairProbabilities | string {
  const { pairs, composition } = stage;
  const { sampler, draws, probabilities, arranger, population, batchSize } = stageSampling(stage);
  if (composition !== null && composition !== undefined && pairs !== undefined) {
    return cooccurrenceLaw({ examples: population, batchSize, ...pairs, ...composition }, composition);
  }
  if (probabilities === 'data') {
    return `the sampler ${sampler} draws rows with different probabilities: there is no law`;
  }
  if (draws === 'arranged') return `${arranger} decides, not chance`;
  const shuffled = shuffledSharing(population, batchSize);
  const any = draws === 'independent' ? (shuffled * (population - 1)) / population : shuffled;
  return { matched: any, mismatched: any, assigned: any };
}

/** Who shares a minibatch with whom. */
export const cooccurrenceStudy: Study = {
  sections: [cooccurrence],
  claims: [
    {
      id: 'composition',
      claim:
        'composition: the pairs that it assigns share minibatches as often as its law says, within .01 (manipulation check)',
      quantity: 'cooccurrence.composedDeviation',
      predicted: 'none',
      band: [-0.01, 0.01],
    },
  ],
  checks: [
    {
      id: 'cooccurrenceLaw',
      check:
        'definitions share minibatches with the questions about their variables as often as the sampler, or the composition, says (combinatorics; ' +
        'standard errors as of independent pairs)',
      quantity: 'cooccurrence.standardised',
      tolerance: 4,
      of: 'seed',
    },
  ],
};
