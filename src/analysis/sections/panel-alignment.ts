import type { Pairing } from '../../store/panel-names.js';
import { withoutEmbeddings } from '../../store/panel-names.js';
import { totalTensor } from '../../store/schemas.js';
import {
  differencesByEntity,
  ofNewVariables,
  tagSwapGap,
  tagSwapNull,
  valuesByEntity,
  type AlignmentPlace,
  type PanelAlignment,
} from '../panel-alignment.js';
import { endOfQuestions } from '../run-data.js';
import type { RunValue } from '../quantity.js';
import type { QuantitySpec, RunValues, SectionSpec } from '../section.js';

const tagSwapNullName = 'the same with questions of other variables';
const untrained = 'the untrained network';

/** Alignment of definitions with the questions about their own variable, example by example, at checkpoints. */
export const panelAlignment: SectionSpec = {
  name: 'panel-alignment',
  title:
    'Cosine of the gradient of a definition with the mean gradient of the questions about its variable (probe panel, ' +
    'end of the stage with questions)',
  quantities: [
    ...(
      [
        { key: 'all', name: 'all tensors' },
        { key: 'deep', name: 'without embeddings' },
      ] as const
    ).map(({ key, name }): QuantitySpec => ({
      key: `${key} swap`,
      name: `tag-swap gap of new variables, ${name}`,
      unit: '1',
      null: { kind: 'measured', name: tagSwapNullName, key: `${key} swap null` },
      controls: [{ name: untrained, key: `${key} swap untrained` }],
    })),
    {
      key: 'reliable',
      name: 'cosine, new variables, reliable tag',
      unit: '1',
      null: {
        kind: 'measured',
        name: 'questions of other variables of the subset',
        key: 'reliable mismatched',
      },
      controls: [
        { name: 'questions of other subsets (random pair)', key: 'reliable random' },
        { name: 'the same definition with the other tag (tag swap)', key: 'unreliable' },
        { name: 'the same definition with another entity (entity swap)', key: 'reliable entity swap' },
        { name: untrained, key: 'reliable untrained' },
      ],
    },
    {
      key: 'unreliable',
      name: 'cosine, new variables, unreliable tag',
      unit: '1',
      null: {
        kind: 'measured',
        name: 'questions of other variables of the subset',
        key: 'unreliable mismatched',
      },
      controls: [
        { name: 'questions of other subsets (random pair)', key: 'unreliable random' },
        { name: 'the same definition with another entity (entity swap)', key: 'unreliable entity swap' },
        { name: untrained, key: 'unreliable untrained' },
      ],
    },
    {
      key: 'trained gap',
      name: 'tag gap of trained variables',
      unit: '1',
      null: { kind: 'measured', name: tagSwapNullName, key: 'trained gap null' },
    },
  ],
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
  const place = at(end, totalTensor);
  const own = ofNewVariables(alignment, place);
  const others = ofNewVariables(alignment, place, 'mismatched', 'tag_swap_mismatched');
  const before = ofNewVariables(alignment, at(0, totalTensor));
  const ofSubset = (subset: string, pairing: Pairing): RunValue =>
    valuesByEntity(alignment.cosines(place, subset, pairing));
  const gapOf = (pairing: Pairing): RunValue => {
    const trained = { ...place, questions: 'trained' } as const;
    return difference(
      valuesByEntity(alignment.cosines(trained, 'qd1consis', pairing)),
      valuesByEntity(alignment.cosines(trained, 'qd2incons', pairing)),
    );
  };
  return {
    'all swap': differencesByEntity(own.reliable, own.unreliable),
    'all swap null': tagSwapNull(alignment, place),
    'all swap untrained': differencesByEntity(before.reliable, before.unreliable),
    'deep swap': tagSwapGap(alignment, at(end, withoutEmbeddings)),
    'deep swap null': tagSwapNull(alignment, at(end, withoutEmbeddings)),
    'deep swap untrained': tagSwapGap(alignment, at(0, withoutEmbeddings)),
    reliable: valuesByEntity(own.reliable),
    'reliable mismatched': valuesByEntity(others.reliable),
    'reliable random': ofSubset('d1consis', 'random'),
    'reliable entity swap': ofSubset('d1consis', 'entity_swap'),
    'reliable untrained': valuesByEntity(before.reliable),
    unreliable: valuesByEntity(own.unreliable),
    'unreliable mismatched': valuesByEntity(others.unreliable),
    'unreliable random': ofSubset('d2consis', 'random'),
    'unreliable entity swap': ofSubset('d2consis', 'entity_swap'),
    'unreliable untrained': valuesByEntity(before.unreliable),
    'trained gap': gapOf('matched'),
    'trained gap null': gapOf('mismatched'),
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
