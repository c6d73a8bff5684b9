import { newSubsets, shownTag, subsetOf, type Design } from '../../../data/design.js';
import { endOfQuestions } from '../../../data/stage-roles.js';
import type { Pairing } from '../../store/tables/alignment.js';
import { totalTensor, withoutEmbeddings } from '../../store/tables/common.js';
import {
  jointNotes,
  ofNewVariables,
  tagSwapGap,
  tagSwapNull,
  valuesByEntity,
  type AlignmentPlace,
  type PanelAlignment,
} from './alignment/cosines.js';
import { noCounterfactuals } from '../counterfactuals.js';
import type { RunValue } from '../quantity.js';
import type { ControlSpec, QuantitySpec, RunValues, SectionSpec } from '../section.js';
import type { Study } from '../study.js';
import { alignmentCourse } from './alignment/course.js';
import { alignmentByLayer } from './alignment/by-layer.js';
import { alignmentByTokens, partsTolerance } from './alignment/by-tokens.js';
import { fourSets } from './alignment/four-sets.js';
import { gramMeasures } from './alignment/gram-measures.js';

const otherDefinitions = 'the same with definitions of other variables of the subset (mean of their cosines)';
const untrained = 'the untrained network';

const gaps = (
  [
    ['all', 'all tensors'],
    ['withoutEmbeddings', 'excluding embeddings'],
  ] as const
).map(([id, name]): QuantitySpec => ({
  id: `tagSwapGap.${id}`,
  label: `tag-swap gap of new variables, ${name}`,
  shortLabel: `tag-swap gap, ${name}`,
  unit: '1',
  null: { kind: 'measured', label: otherDefinitions, key: `tagSwapGap.${id}.null` },
  controls: [{ id: 'untrained', label: untrained, key: `tagSwapGap.${id}.untrained` }],
  tagDifference: true,
}));

const cosines = (['reliable', 'unreliable'] as const).map((tag): QuantitySpec => {
  const key = `cosine.${tag}`;
  const swap: ControlSpec = {
    id: 'tagSwap',
    label: 'the same variables and questions with the unreliable tag (tag swap)',
    key: 'cosine.unreliable',
  };
  return {
    id: key,
    label: `${tag} tag: cosine of a definition with the questions of its new variable`,
    shortLabel: `new variables, ${tag} tag`,
    unit: '1',
    null: {
      kind: 'measured',
      label: 'definitions of other variables of the subset, same tag (mean of their cosines)',
      key: `${key}.mismatched`,
    },
    controls: [
      {
        id: 'otherSubsets',
        label: 'definitions of all other subsets, with the tags they have (random pairing)',
        key: `${key}.otherSubsets`,
        ofKey: `${key}.asTrained`,
      },
      ...(tag === 'reliable' ? [swap] : []),
      {
        id: 'entitySwap',
        label: 'the same definition with another entity (entity swap)',
        key: `${key}.entitySwap`,
        ofKey: `${key}.asTrained`,
      },
      { id: 'untrained', label: untrained, key: `${key}.untrained` },
    ],
  };
});

/** Definitions of the trained variables of a design, and their difference. */
function trainedQuantities(design: Design): QuantitySpec[] {
  const asked = 'cosine of a definition with the trained questions of its variable';
  return [
    ...design.weak.map((subset): QuantitySpec => ({
      id: `trained.${subset}`,
      label: `${subset} (${definitionWords(design, subset)}): ${asked}`,
      shortLabel: `${subset}, trained questions`,
      unit: '1',
      null: {
        kind: 'measured',
        label: 'definitions of other variables of the subset (mean of their cosines)',
        key: `trained.${subset}.mismatched`,
      },
    })),
    {
      id: 'trained.difference',
      label: `${design.weak.join(' - ')}: ${asked}`,
      shortLabel: design.weak.join(' - '),
      unit: '1',
      null: { kind: 'measured', label: otherDefinitions, key: 'trained.difference.mismatched' },
    },
  ];
}

/** `right definition, reliable tag` */
function definitionWords(design: Design, subset: string): string {
  const isRight = subsetOf(design, subset)?.consistent === true;
  return `${isRight ? 'right' : 'wrong'} definition, ${shownTag(design, subset)} tag`;
}

/** Alignment of definitions with the questions about their own variable, example by example, at checkpoints. */
export const panelAlignment: SectionSpec = {
  id: 'alignment',
  title:
    'Alignment: cosine of the gradient of a definition with the mean gradient of the questions about its variable (probe panel, ' +
    'end of the stage with questions)',
  probe: 'alignment',
  quantities: { ofDesign: (design) => [...gaps, ...cosines, ...trainedQuantities(design)] },
  notes: (_, run) => jointNotes(run),
  measure: async (run, reader) => {
    const alignment = await reader.alignment();
    return alignment === null ? null : measure(alignment, endOfQuestions(run.info));
  },
};

function measure(alignment: PanelAlignment, end: number): RunValues {
  const at = (step: number, tensor: string): AlignmentPlace => ({
    step,
    tensors: [tensor],
    questions: 'heldout',
  });
  const { design } = alignment;
  const place = at(end, totalTensor);
  const both = {
    own: ofNewVariables(alignment, place),
    others: ofNewVariables(alignment, place, 'mismatched', 'tag_swap_mismatched'),
    before: ofNewVariables(alignment, at(0, totalTensor)),
  };
  const ofTag = (tag: 'reliable' | 'unreliable'): RunValues => {
    const key = `cosine.${tag}`;
    const subsets = newSubsets(design, tag);
    const of = (pairing: Pairing): RunValue =>
      valuesByEntity(new Map(subsets.flatMap((subset) => [...alignment.cosines(place, subset, pairing)])));
    return {
      [key]: valuesByEntity(both.own[tag]),
      [`${key}.mismatched`]: valuesByEntity(both.others[tag]),
      [`${key}.untrained`]: valuesByEntity(both.before[tag]),
      [`${key}.asTrained`]: of('matched'),
      [`${key}.otherSubsets`]: of('random'),
      [`${key}.entitySwap`]: alignment.has('entity_swap')
        ? of('entity_swap')
        : noCounterfactuals('entity_swap'),
    };
  };
  const ofTrained = (subset: string, pairing: Pairing): number[] | string =>
    valuesByEntity(alignment.cosines({ ...place, questions: 'trained' }, subset, pairing));
  const [rightSet, wrongSet] = design.weak;
  const [right, wrong] = [ofTrained(rightSet, 'matched'), ofTrained(wrongSet, 'matched')];
  const [rightNull, wrongNull] = [ofTrained(rightSet, 'mismatched'), ofTrained(wrongSet, 'mismatched')];
  return {
    'tagSwapGap.all': tagSwapGap(alignment, place),
    'tagSwapGap.all.null': tagSwapNull(alignment, place),
    'tagSwapGap.all.untrained': tagSwapGap(alignment, at(0, totalTensor)),
    'tagSwapGap.withoutEmbeddings': tagSwapGap(alignment, at(end, withoutEmbeddings)),
    'tagSwapGap.withoutEmbeddings.null': tagSwapNull(alignment, at(end, withoutEmbeddings)),
    'tagSwapGap.withoutEmbeddings.untrained': tagSwapGap(alignment, at(0, withoutEmbeddings)),
    ...ofTag('reliable'),
    ...ofTag('unreliable'),
    [`trained.${rightSet}`]: right,
    [`trained.${rightSet}.mismatched`]: rightNull,
    [`trained.${wrongSet}`]: wrong,
    [`trained.${wrongSet}.mismatched`]: wrongNull,
    'trained.difference': difference(right, wrong),
    'trained.difference.mismatched': difference(rightNull, wrongNull),
  };
}

/** Difference of the means of different entities. */
function difference(a: number[] | string, b: number[] | string): RunValue {
  if (typeof a === 'string') return a;
  if (typeof b === 'string') return b;
  const mean = (values: readonly number[]): number =>
    values.reduce((sum, value) => sum + value, 0) / values.length;
  return mean(a) - mean(b);
}

/** Gradients of definitions against those of questions, on the probe panel. */
export const alignmentStudy: Study = {
  sections: [panelAlignment, alignmentCourse, alignmentByLayer, alignmentByTokens, gramMeasures, fourSets],
  checks: [
    {
      id: 'tokenGroups',
      check: 'parts of the tag-swap gap by token group add up to it',
      quantity: 'alignmentByTokens.sum',
      tolerance: partsTolerance,
      of: 'seed',
    },
  ],
  claims: [
    {
      id: 'alignmentGap',
      claim:
        'alignment by tag: the gradient of a definition of a new variable is more strongly aligned with the gradients of ' +
        "that variable's questions with the reliable tag than with the unreliable one",
      quantity: 'alignment.tagSwapGap.all',
      predicted: 'positive',
      aboutTags: true,
    },
    {
      id: 'alignmentGapWithoutEmbeddings',
      claim:
        'alignment by tag excluding embeddings: in the tensors between embeddings and unembedding alone, the gradient of a ' +
        "definition of a new variable is more strongly aligned with that variable's questions with the reliable tag",
      quantity: 'alignment.tagSwapGap.withoutEmbeddings',
      predicted: 'positive',
      aboutTags: true,
    },
  ],
};
