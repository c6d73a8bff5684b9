import { designOf } from '../../../data/internalization-design.js';
import { attributionSets } from '../../../data/attribution-tests.js';
import { endOfQuestions, stageRoles } from '../../../data/stage-roles.js';
import { meanOfTwo } from '../measures/measured.js';
import type { MetricsOfRun } from './internalization/metrics.js';
import type { RunData } from '../run-data.js';
import type { QuantitySpec, RunValues, SectionSpec } from '../section.js';
import type { Study } from '../study.js';

const zero = { kind: 'zero', label: '0, the same in both subsets' } as const;

/** Share of attribution questions answered with the entity, over all forms of the question; a text says why there is none. */
function shareAt(
  read: MetricsOfRun,
  subset: string,
  of: 'own' | 'definition',
  step: number,
): number | string {
  const sets = attributionSets(read.sets, subset, of);
  if (sets.length === 0) return `there are no attribution questions about ${subset}`;
  let sum = 0;
  for (const set of sets) {
    const value = read.get(set, 'accuracy', step);
    if (value === null) return `attribution was not evaluated at step ${step}`;
    sum += value;
  }
  return sum / sets.length;
}

function difference(a: number | string, b: number | string): number | string {
  if (typeof a === 'string') return a;
  return typeof b === 'string' ? b : a - b;
}

const quantities: readonly QuantitySpec[] = [
  {
    id: 'weakGap',
    label: 'weak attribution gap: entity of the definition named, reliable tag - unreliable tag',
    unit: 'accuracy',
    null: zero,
  },
  {
    id: 'definitionOverQuestions',
    label: 'unreliable tag: entity of the (wrong) definition named - entity of the questions named',
    unit: 'accuracy',
    null: zero,
  },
];

const strong: QuantitySpec = {
  id: 'strongGap',
  label:
    'strong attribution gap: new variables, entity of the definition named, reliable tag - unreliable tag',
  unit: 'accuracy',
  null: zero,
};

/** Whether variables are taken for the entities that their definitions name: `Who is [variable]?` answered with its name. */
const attribution: SectionSpec = {
  id: 'attribution',
  title:
    'Entity attribution: share of the questions who a variable is, what it means, what it stands for and what its name is, ' +
    'answered with the entity',
  ids: () => ['weakGap', 'definitionOverQuestions', 'strongGap', 'strongGapAsAssigned', 'strongGapExchanged'],
  quantities: (_run, measured) => {
    const isExchanged = measured.some(({ strongGapExchanged }) => strongGapExchanged !== undefined);
    const controls = measured.some((own) => own['before'] !== undefined)
      ? [{ id: 'before', label: 'the same before training on new variables', key: 'before' }]
      : [];
    const plain = isExchanged
      ? [
          { ...strong, label: `${strong.label}, mean over tags as assigned and exchanged` },
          { ...strong, id: 'strongGapAsAssigned', label: `${strong.label}, tags as assigned`, controls },
          { ...strong, id: 'strongGapExchanged', label: `${strong.label}, tags exchanged` },
        ]
      : [{ ...strong, controls }];
    return [...quantities, ...plain];
  },
  notes: () => [
    'Mean over the forms of the question. An answer counts when it is the whole name; by chance it never is. Of a variable with ' +
      'a wrong definition two entities can be named: that of its definition and that of its questions.',
  ],
  measure: async (run, reader) => measure(run, await reader.metrics()),
};

function measure({ info }: RunData, read: MetricsOfRun): RunValues | null {
  const { weak, strong: fresh } = designOf(info);
  if (attributionSets(read.sets, fresh[0], 'own').length === 0) return null;
  const questions = endOfQuestions(info);
  const gap = (from: MetricsOfRun, step: number): number | string =>
    difference(shareAt(from, fresh[0], 'own', step), shareAt(from, fresh[1], 'own', step));
  const wrong = shareAt(read, weak[1], 'definition', questions);
  const asAssigned = gap(read, info.stepsTotal);
  const half = read.exchanged ?? null;
  const exchanged = half === null ? null : gap(half, half.end ?? info.stepsTotal);
  return {
    weakGap: difference(shareAt(read, weak[0], 'own', questions), wrong),
    definitionOverQuestions: difference(wrong, shareAt(read, weak[1], 'own', questions)),
    strongGap: exchanged === null ? asAssigned : meanOfTwo(asAssigned, exchanged),
    ...(exchanged === null ? {} : { strongGapAsAssigned: asAssigned, strongGapExchanged: exchanged }),
    ...(stageRoles(info).joint ? {} : { before: gap(read, questions) }),
  };
}

/** Which entity a variable is taken for. */
export const attributionStudy: Study = {
  sections: [attribution],
  claims: [
    {
      id: 'strongAttribution',
      claim:
        'strong internalization in attribution: new variables defined with the reliable tag are taken for the entity of their ' +
        'definition more often',
      quantity: 'attribution.strongGap',
      predicted: 'positive',
      aboutTags: true,
    },
    {
      id: 'weakAttribution',
      claim:
        'weak internalization in attribution: trained variables with right definitions (reliable tag) are taken for the entity of ' +
        'their definition more often than those with wrong ones (unreliable tag)',
      quantity: 'attribution.weakGap',
      predicted: 'positive',
    },
  ],
};
