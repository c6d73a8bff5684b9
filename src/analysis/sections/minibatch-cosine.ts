import { difference } from '../measures/measured.js';
import { alignmentPairs, meanCosine, type AlignedTag } from '../minibatch-alignment.js';
import { endOfQuestions, questionStage } from '../run-data.js';
import type { SectionSpec } from '../section.js';

/** Cosine of the groups' gradients in the minibatches that training saw. */
export const minibatchCosine: SectionSpec = {
  name: 'minibatch-cosine',
  title:
    'Cosine of the gradients of definitions and questions in a minibatch, mean over the stage with questions',
  quantities: [
    ...(['reliable', 'unreliable'] as const).map((tag) => ({
      key: `${tag} matched`,
      name: `cosine, ${tag} tag`,
      unit: '1',
      null: {
        kind: 'measured',
        name: "questions of the other tag's variables",
        key: `${tag} mismatched`,
      } as const,
    })),
    {
      key: 'gap matched',
      name: 'cosine, reliable - unreliable',
      unit: '1',
      null: {
        kind: 'measured',
        name: "the same with questions of the other tag's variables",
        key: 'gap mismatched',
      },
    },
  ],
  measure: async ({ info }, reader) => {
    const gradients = await reader.gradients();
    if (gradients === null) return null;
    const range = { from: questionStage(info).firstStep, to: endOfQuestions(info) };
    const cosine = (tag: AlignedTag, which: 'questions' | 'mismatched'): number | string =>
      meanCosine(gradients, alignmentPairs[tag].definitions, alignmentPairs[tag][which], range);
    const values = {
      'reliable matched': cosine('reliable', 'questions'),
      'reliable mismatched': cosine('reliable', 'mismatched'),
      'unreliable matched': cosine('unreliable', 'questions'),
      'unreliable mismatched': cosine('unreliable', 'mismatched'),
    };
    return {
      ...values,
      'gap matched': difference(values['reliable matched'], values['unreliable matched']),
      'gap mismatched': difference(values['reliable mismatched'], values['unreliable mismatched']),
    };
  },
};
