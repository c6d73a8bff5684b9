import { designOf } from '../../../data/internalization-design.js';
import { endOfQuestions, questionStage } from '../../../data/stage-roles.js';
import type { GroupGradients } from './minibatch/gradient-log.js';
import { meanOf } from '../measures/measured.js';
import { alignmentPairs, meanMinibatchCosine, type AlignedTag, type StepRange } from './minibatch/cosine.js';
import type { RunData } from '../run-data.js';
import type { QuantitySpec, SectionSpec } from '../section.js';
import type { Study } from '../study.js';
import { gradientNoise } from './minibatch/gradient-noise.js';

const noInteraction = {
  kind: 'zero',
  label: '0, which questions belong to which definitions does not matter',
} as const;
const noEffect = { kind: 'zero', label: '0, both groups alike' } as const;

const cells = (['reliable', 'unreliable'] as const).flatMap((tag): QuantitySpec[] => [
  {
    id: `${tag}.own`,
    label: `${tag} tag, questions of the same subset: cosine in a minibatch`,
    shortLabel: `${tag} tag, same subset`,
    unit: '1',
    null: null,
  },
  {
    id: `${tag}.other`,
    label: `${tag} tag, questions of the other subset: cosine in a minibatch`,
    shortLabel: `${tag} tag, other subset`,
    unit: '1',
    null: null,
  },
]);

/** Cosine of the groups' gradients in the minibatches that training saw. */
const minibatchCosine: SectionSpec = {
  id: 'minibatchCosine',
  title: ({ weak }) =>
    `Minibatches: cosine of the gradients of definitions and questions in a minibatch (${weak.join(', ')}), mean over the stage ` +
    'with questions',
  quantities: {
    ofDesign: ({ weak }) => [
      {
        id: 'interaction',
        label:
          'interaction of definitions and questions in a minibatch: same - other subset, summed over tags',
        shortLabel: 'interaction',
        unit: '1',
        null: noInteraction,
      },
      ...cells,
      {
        id: 'definitionEffect',
        label: 'effect of the definitions alone on the minibatch cosine, reliable - unreliable tag',
        shortLabel: 'main effect of the definitions',
        unit: '1',
        null: noEffect,
      },
      {
        id: 'questionEffect',
        label: `effect of the questions alone on the minibatch cosine, ${weak.join(' - ')}`,
        shortLabel: 'main effect of the questions',
        unit: '1',
        null: noEffect,
      },
      {
        id: 'meeting',
        label: 'share of definitions with a question about the same variable in their minibatch',
        shortLabel: 'share with a question on the same variable',
        unit: '1',
        null: null,
      },
    ],
  },
  notes: (_, { info }) => [
    `Interaction: c11 + c22 - c12 - c21, with definitions of ${designOf(info).weak.join(' and ')} as rows and questions of the two as columns: ` +
      'what a group of definitions or of questions is like by itself cancels. Questions "of their subset" are mostly ' +
      'about other variables of it.',
  ],
  measure: async (run, reader) => {
    const gradients = await reader.gradients();
    if (gradients === null) return null;
    const { info } = run;
    const pairs = alignmentPairs(designOf(info));
    const range = { from: questionStage(info).firstStep, to: endOfQuestions(info) };
    const cosine = (tag: AlignedTag, which: 'questions' | 'mismatched'): number | string =>
      meanMinibatchCosine(gradients, pairs[tag].definitions, pairs[tag][which], range);
    const [c11, c12] = [cosine('reliable', 'questions'), cosine('reliable', 'mismatched')];
    const [c22, c21] = [cosine('unreliable', 'questions'), cosine('unreliable', 'mismatched')];
    return {
      'reliable.own': c11,
      'reliable.other': c12,
      'unreliable.own': c22,
      'unreliable.other': c21,
      interaction: combined([c11, c22, c12, c21], [1, 1, -1, -1]),
      definitionEffect: combined([c11, c12, c21, c22], [0.5, 0.5, -0.5, -0.5]),
      questionEffect: combined([c11, c21, c12, c22], [0.5, 0.5, -0.5, -0.5]),
      meeting: meeting(run, gradients, range),
    };
  },
};

/** Weighted sum, or the reason of the first that is missing. */
function combined(values: readonly (number | string)[], weights: readonly number[]): number | string {
  let sum = 0;
  for (const [i, value] of values.entries()) {
    if (typeof value === 'string') return value;
    sum += weights[i]! * value;
  }
  return sum;
}

/**
 * Probability that a definition's minibatch holds at least one of its variable's k questions: with B - 1 other places of
 * N - 1 examples `1 - C(N-1-k, B-1) / C(N-1, B-1)`. k is the number of questions per definition, one definition per variable.
 */
function meeting({ info }: RunData, gradients: GroupGradients, { from, to }: StepRange): number | string {
  const { examples, batchSize, sampler, composition } = questionStage(info);
  if (sampler !== 'shuffle' && sampler !== 'shuffleOnce') return `it is not told for the sampler ${sampler}`;
  if ((composition ?? null) !== null) return 'it is not told for a composition: see cooccurrence.matched';
  const { definitions, questions } = alignmentPairs(designOf(info)).reliable;
  const mean = (group: string): number | string => {
    const counts = gradients.count(group);
    return meanOf(counts.filter((_, i) => gradients.steps[i]! > from && gradients.steps[i]! <= to));
  };
  const [d, q] = [mean(definitions), mean(questions)];
  if (typeof d === 'string') return d;
  if (typeof q === 'string') return q;
  if (d === 0 || q === 0) return 'no minibatch holds definitions and questions';
  const own = Math.round(q / d);
  let none = 1;
  for (let i = 0; i < own; i++) none *= Math.max(0, examples - batchSize - i) / (examples - 1 - i);
  return 1 - none;
}

/** Gradients of groups within the minibatches that training saw, and their noise. */
export const minibatchStudy: Study = {
  sections: [minibatchCosine, gradientNoise],
  claims: [
    {
      id: 'minibatchMatching',
      claim:
        'minibatch matching: in a minibatch, the gradients of definitions are more strongly aligned with those of questions ' +
        'on their own subset than on the other one (interaction of the two groups, their main effects removed)',
      quantity: 'minibatchCosine.interaction',
      predicted: 'positive',
    },
  ],
};
