import { endOfQuestions } from '../../../../data/stage-roles.js';
import { tagSwapGap, tagSwapNull, type AlignmentPlace, jointNotes } from './cosines.js';
import type { RunData } from '../../run-data.js';
import type { RunValue } from '../../quantity.js';
import type { QuantitySpec, SectionSpec } from '../../section.js';

const others = 'the same with definitions of other variables of the subset';
const nullOfTensor = `in layers of one tensor, ${others} (mean of their cosines)`;
/** The probe stores cosines by tensor; those of other variables' definitions cannot be had from their means. */
const nullOfTensors = `in layers of several tensors, ${others} (mean inner product over mean norms)`;

/** Tag-swap gap of the new variables, layer by layer, with Holm's correction. */
export const alignmentByLayer: SectionSpec = {
  id: 'alignmentByLayer',
  title: 'Alignment by layer: tag-swap gap of the cosine, new variables (end of the stage with questions)',
  multiplicity: 'holm',
  ids: () => ['*'],
  probe: 'alignment',
  quantities: (run) =>
    [...layersOf(run)].map(([layer, tensors]): QuantitySpec => ({
      id: layer,
      label: `${layer}: tag-swap gap of new variables`,
      shortLabel: layer,
      unit: '1',
      null: {
        kind: 'measured',
        label: tensors.length === 1 ? nullOfTensor : nullOfTensors,
        key: `${layer}.null`,
      },
      tagDifference: true,
    })),
  notes: (_, run) => jointNotes(run),
  measure: async (run, reader) => {
    const alignment = await reader.alignment();
    if (alignment === null) return null;
    const values: Record<string, RunValue> = {};
    for (const [layer, tensors] of layersOf(run)) {
      const place: AlignmentPlace = { step: endOfQuestions(run.info), tensors, questions: 'heldout' };
      values[layer] = tagSwapGap(alignment, place);
      values[`${layer}.null`] = tagSwapNull(alignment, place);
    }
    return values;
  },
};

/** Tensors of each layer: `layers.0.attention.dense.weight` belongs to `layers.0.attention`, others to themselves. */
function layersOf({ info }: Pick<RunData, 'info'>): Map<string, string[]> {
  const layers = new Map<string, string[]>();
  for (const { tensor } of info.parameters) {
    const parts = tensor.split('.');
    const named = parts.at(-1) === 'weight' || parts.at(-1) === 'bias' ? parts.slice(0, -1) : parts;
    const layer = named.slice(0, 3).join('.');
    const own = layers.get(layer);
    if (own === undefined) layers.set(layer, [tensor]);
    else own.push(tensor);
  }
  return layers;
}
