import { totalTensor } from '../../store/schemas.js';
import { tagSwapGap, tagSwapNull, type AlignmentPlace } from '../panel-alignment.js';
import type { RunValue } from '../quantity.js';
import type { QuantitySpec, SectionSpec } from '../section.js';

/** How the tag-swap gap comes about and goes over training. */
export const alignmentCourse: SectionSpec = {
  name: 'alignment-course',
  title: 'Tag-swap gap of the cosine over training, new variables, all tensors',
  quantities: (_, measured) => {
    const steps = new Set(measured.flatMap((own) => Object.keys(own).map((key) => parseInt(key, 10))));
    return [...steps]
      .toSorted((a, b) => a - b)
      .map((step): QuantitySpec => ({
        key: String(step),
        name: `step ${step}`,
        unit: '1',
        null: { kind: 'measured', name: 'the same with questions of other variables', key: `${step} null` },
      }));
  },
  measure: async (_, reader) => {
    const alignment = await reader.alignment();
    if (alignment === null) return null;
    const values: Record<string, RunValue> = {};
    for (const step of alignment.steps) {
      const place: AlignmentPlace = { step, tensors: [totalTensor], questions: 'heldout' };
      values[step] = tagSwapGap(alignment, place);
      values[`${step} null`] = tagSwapNull(alignment, place);
    }
    return values;
  },
};
