import { unseenTagSubset, weakIsConfounded, type Design, type SubsetPair } from '../../../data/design.js';
import { designOf } from '../../../data/internalization-design.js';
import { endOfQuestions, stageRoles } from '../../../data/stage-roles.js';
import { meanOfTwo } from '../measures/measured.js';
import { gapAt, strongGaps, type MetricsOfRun } from './internalization/metrics.js';
import type { RunData } from '../run-data.js';
import type { QuantitySpec, RunValues, SectionSpec } from '../section.js';
import type { Study } from '../study.js';

const zero = { kind: 'zero', label: '0, the same in both subsets' } as const;

const metrics = [
  { metric: 'accuracy', suffix: 'Gap', unit: 'accuracy' },
  { metric: 'margin', suffix: 'Margin', unit: 'nats' },
] as const;

/** A difference of accuracy between two test sets, taken where a run has both; `at` the end of a stage. */
interface Contrast {
  readonly id: string;
  readonly label: string;
  readonly sets: SubsetPair;
  readonly at: 'questions' | 'end';
}

/** The contrasts of a design, their labels with its subsets. */
function contrastsOf(design: Design): Contrast[] {
  const { weak, strong, tagEffect, consistencyEffect, questionsOnly, untrained } = design;
  const contrast = (id: string, what: string, sets: SubsetPair, at: Contrast['at']): Contrast => ({
    id,
    label: `${what}: accuracy of ${sets.join(' - ')}`,
    sets,
    at,
  });
  const of = <T>(part: T | null, make: (part: T) => readonly Contrast[]): readonly Contrast[] =>
    part === null ? [] : make(part);
  return [
    ...of(tagEffect, ({ right, wrong }) => [
      contrast('weakTagEffect.right', 'effect of the tag, right definitions', right, 'questions'),
      contrast('weakTagEffect.wrong', 'effect of the tag, wrong definitions', wrong, 'questions'),
    ]),
    ...of(consistencyEffect, ({ reliable, unreliable }) => [
      contrast(
        'consistencyEffect.reliable',
        'effect of right definitions, reliable tag',
        reliable,
        'questions',
      ),
      contrast(
        'consistencyEffect.unreliable',
        'effect of right definitions, unreliable tag',
        unreliable,
        'questions',
      ),
    ]),
    ...of(weakIsConfounded(design) ? questionsOnly : null, (none) => [
      contrast('rightOverNone', 'right definitions against none', [weak[0], none], 'questions'),
      contrast('noneOverWrong', 'no definitions against wrong ones', [none, weak[1]], 'questions'),
    ]),
    ...of(unseenTagSubset(design), (unseen) => [
      contrast(
        'unseenOverUnreliable',
        'new variables, unseen tag, against the unreliable tag',
        [unseen, strong[1]],
        'end',
      ),
      contrast(
        'reliableOverUnseen',
        'new variables, reliable tag, against the unseen tag',
        [strong[0], unseen],
        'end',
      ),
    ]),
    ...of(untrained, (never) => [
      contrast(
        'reliableOverUntrained',
        'new variables, reliable tag, against untrained ones',
        [strong[0], never],
        'end',
      ),
      contrast(
        'unreliableOverUntrained',
        'new variables, unreliable tag, against untrained ones',
        [strong[1], never],
        'end',
      ),
    ]),
  ];
}

/**
 * Differences in the log-probability of the right answer, for runs on real facts: exact match is coarse where questions are few
 * and answers hard.
 */
function logProbabilitiesOf({ weak, questionsOnly }: Design): Omit<Contrast, 'at'>[] {
  const contrast = (id: string, what: string, sets: SubsetPair): Omit<Contrast, 'at'> => ({
    id,
    label: `${what}: log-probability of the right answer, ${sets.join(' - ')}`,
    sets,
  });
  return [
    contrast('weakLogProbability', 'weak gap', weak),
    ...(questionsOnly === null
      ? []
      : [
          contrast('rightOverNoneLogProbability', 'right definitions against none', [weak[0], questionsOnly]),
          contrast('noneOverWrongLogProbability', 'no definitions against wrong ones', [
            questionsOnly,
            weak[1],
          ]),
        ]),
  ];
}

/** Means of two contrasts; the two effects that weak internalization confounds. */
const effects = [
  {
    id: 'weakTagEffect',
    label: 'effect of the tag on trained variables, accuracy, definitions equally right or wrong',
    of: ['weakTagEffect.right', 'weakTagEffect.wrong'],
  },
  {
    id: 'consistencyEffect',
    label: 'effect of right against wrong definitions on trained variables, accuracy, same tag',
    of: ['consistencyEffect.reliable', 'consistencyEffect.unreliable'],
  },
] as const;

const exchangedGap = 'internalization.strongGapExchanged';

const withoutExchange =
  'Strong gap without tag exchange: it includes any difference in difficulty between the two sets of new variables.';

const majority: QuantitySpec = {
  id: 'majority',
  label: 'majority baseline: accuracy of answering every kind of question with its most frequent answer',
  unit: 'accuracy',
  null: null,
};

/** Weak and strong gaps, and what they are made of. */
export const internalization: SectionSpec = {
  id: 'internalization',
  title: 'Internalization: accuracy and margin on held-out questions, by the subset of their variable',
  ids: (design) => [
    ...metrics.flatMap(({ suffix }) => [
      `weak${suffix}`,
      ...['', 'AsAssigned', 'Exchanged'].map((kind) => `strong${suffix}${kind}`),
    ]),
    ...[...effects, ...contrastsOf(design), ...logProbabilitiesOf(design), majority].map(({ id }) => id),
  ],
  quantities: (run, measured) => {
    const has = (id: string): boolean => measured.some((own) => own[id] !== undefined);
    const extra = [...effects, ...contrastsOf(designOf(run.info))].filter(({ id }) => has(id));
    return [
      ...metrics.map(({ metric, suffix, unit }): QuantitySpec => ({
        id: `weak${suffix}`,
        label: `weak gap, ${metric}`,
        unit,
        null: zero,
      })),
      ...metrics.flatMap((own) => strongQuantities(own, measured)),
      ...extra.map(({ id, label }): QuantitySpec => ({ id, label, unit: 'accuracy', null: zero })),
      ...logProbabilitiesOf(designOf(run.info))
        .filter(({ id }) => has(id))
        .map(({ id, label }): QuantitySpec => ({ id, label, unit: 'nats', null: zero })),
      ...(has('majority') ? [majority] : []),
    ];
  },
  notes: (quantities, run) =>
    notesOf(
      quantities.map(({ id }) => id),
      run,
    ),
  measure: async (run, reader) => measureGaps(run, await reader.metrics()),
};

/**
 * The strong gap. With exchanged halves it is the mean of both; a seed without one has then no value, and the mean
 * over seeds holds nothing but means. Before training on new variables that mean is 0 by construction, so that the
 * control belongs to the gap as assigned.
 */
function strongQuantities(
  { metric, suffix, unit }: (typeof metrics)[number],
  measured: readonly RunValues[],
): QuantitySpec[] {
  const has = (key: string): boolean => measured.some((own) => own[key] !== undefined);
  const before = {
    id: 'before',
    label: 'the same before training on new variables',
    key: `strong${suffix}.before`,
  };
  const controls = has(before.key) ? [before] : [];
  const id = `strong${suffix}`;
  const plain: QuantitySpec = { id, label: `strong gap, ${metric}`, unit, null: zero };
  if (!has(`${id}Exchanged`)) return [{ ...plain, controls }];
  return [
    {
      ...plain,
      key: `${id}.mean`,
      label: `strong gap, ${metric}, mean over tags as assigned and exchanged`,
    },
    { ...plain, id: `${id}AsAssigned`, label: `strong gap, ${metric}, tags as assigned`, controls },
    { ...plain, id: `${id}Exchanged`, label: `strong gap, ${metric}, tags exchanged` },
  ];
}

function measureGaps(run: RunData, read: MetricsOfRun): RunValues {
  const { info } = run;
  const { weak, strong: fresh } = designOf(info);
  const steps = { questions: endOfQuestions(info), end: info.stepsTotal };
  const gap = ([a, b]: SubsetPair, metric: string, at: 'questions' | 'end', from = read): number | string => {
    // The half's stages may have ended after other numbers of updates.
    const step = at === 'end' ? (from.end ?? steps.end) : steps[at];
    return gapAt(from, a, b, metric, step) ?? `seed ${info.seed} was not evaluated at step ${step}`;
  };
  const values: Record<string, number | string> = {};
  for (const { metric, suffix } of metrics) {
    values[`weak${suffix}`] = gap(weak, metric, 'questions');
    const strong = strongGaps(run, read, metric);
    values[`strong${suffix}`] = strong.gap;
    values[`strong${suffix}AsAssigned`] = strong.asAssigned;
    if (read.exchanged) values[`strong${suffix}Exchanged`] = strong.exchanged;
    values[`strong${suffix}.mean`] = strong.mean;
    if (!stageRoles(info).joint) values[`strong${suffix}.before`] = gap(fresh, metric, 'questions');
  }
  for (const { id, sets, at } of contrastsOf(designOf(info))) {
    if (!sets.every((set) => read.sets.includes(set))) continue;
    const value = gap(sets, 'accuracy', at);
    const half = at === 'end' ? read.exchanged : null;
    values[id] = half ? meanOfTwo(value, gap(sets, 'accuracy', at, half)) : value;
  }
  const baseline = read.get(weak[0], 'majority', steps.questions);
  if (baseline !== null) {
    values['majority'] = baseline;
    for (const { id, sets } of logProbabilitiesOf(designOf(info))) {
      if (!sets.every((set) => read.sets.includes(set))) continue;
      const loss = gap(sets, 'loss', 'questions');
      values[id] = typeof loss === 'string' ? loss : -loss;
    }
  }
  for (const { id, of } of effects) {
    const [a, b] = of.map((key) => values[key]);
    if (a === undefined || b === undefined) continue;
    values[id] = meanOfTwo(a, b);
  }
  return values;
}

function notesOf(ids: readonly string[], { info }: RunData): string[] {
  const isSplit = ids.includes('internalization.weakTagEffect');
  const design = designOf(info);
  const { weak, strong } = design;
  const isConfounded = weakIsConfounded(design);
  return [
    `Weak gap: ${weak.join(' - ')} when the stage with questions ends; strong gap: ${strong.join(' - ')} when training ` +
      'ends.',
    ids.includes(exchangedGap)
      ? 'The strong gap is the mean of two: with the tags as assigned, and with those of the two sets of new variables ' +
        'exchanged (their stage trained again from the same checkpoint). A difference in difficulty between the sets is ' +
        'not in it.'
      : withoutExchange,
    isSplit
      ? 'The weak gap compares right with wrong definitions as well as tags; the effect of each alone is given below it.'
      : isConfounded
        ? 'The weak gap compares right definitions (reliable tag) with wrong ones (unreliable tag): tag and consistency go ' +
          'together.'
        : 'The weak gap compares definitions that are equally right or wrong.',
    ...(stageRoles(info).joint
      ? [
          'Joint training: there is no moment at which questions are learnt and new variables are not trained on.',
        ]
      : []),
  ];
}

/** How much better questions are answered whose definitions were worth believing. */
export const internalizationStudy: Study = {
  sections: [internalization],
  claims: [
    {
      id: 'weakInternalization',
      claim:
        'weak internalization: questions about variables with right definitions (reliable tag) are answered better than ' +
        'about variables with wrong ones (unreliable tag); tag and consistency are confounded here',
      equallyRight:
        'weak internalization: questions about variables whose definitions have the reliable tag are answered better than ' +
        'about variables whose definitions, equally right, have the unreliable one',
      quantity: 'internalization.weakGap',
      predicted: 'positive',
      unless: 'internalization.weakTagEffect',
    },
    {
      id: 'weakTagEffect',
      claim:
        'weak internalization by the tag: of variables whose definitions are equally right or wrong, those with the ' +
        'reliable tag are answered better',
      quantity: 'internalization.weakTagEffect',
      predicted: 'positive',
      aboutTags: true,
    },
    {
      id: 'consistencyEffect',
      claim:
        'consistency: of variables with the same tag, those with right definitions are answered better than those with wrong ones',
      quantity: 'internalization.consistencyEffect',
      predicted: 'positive',
    },
    {
      id: 'rightDefinitionsHelp',
      claim: 'right definitions help: their variables are answered better than variables with questions only',
      quantity: 'internalization.rightOverNone',
      predicted: 'positive',
    },
    {
      id: 'wrongDefinitionsHurt',
      claim: 'wrong definitions hurt: their variables are answered worse than variables with questions only',
      quantity: 'internalization.noneOverWrong',
      predicted: 'positive',
    },
    {
      id: 'strongInternalization',
      claim:
        'strong internalization: of new variables, about which no question was trained on, those defined with the ' +
        'reliable tag are answered better',
      quantity: 'internalization.strongGap',
      predicted: 'positive',
      aboutTags: true,
    },
  ],
};
