import { totalTensor } from '../../../store/tables/common.js';
import { tagSwapGap, tagSwapNull, type AlignmentPlace } from './cosines.js';
import type { RunValue } from '../../quantity.js';
import type { QuantitySpec, SectionSpec } from '../../section.js';

/** How the tag-swap gap comes about and goes over training. */
export const alignmentCourse: SectionSpec = {
  id: 'alignmentCourse',
  title: 'Alignment over training: tag-swap gap of the cosine, new variables, all tensors',
  quantities: (_, measured) => {
    const steps = new Set(
      measured.flatMap((own) => Object.keys(own).map((key) => parseInt(key.slice('step'.length), 10))),
    );
    return [...steps]
      .toSorted((a, b) => a - b)
      .map((step): QuantitySpec => ({
        id: `step${step}`,
        label: `step ${step}: tag-swap gap of new variables`,
        shortLabel: `step ${step}`,
        unit: '1',
        null: {
          kind: 'measured',
          label: 'the same with definitions of other variables of the subset (mean of their cosines)',
          key: `step${step}.null`,
        },
        tagDifference: true,
      }));
  },
  measure: async (_, reader) => {
    const alignment = await reader.alignment();
    if (alignment === null) return null;
    const values: Record<string, RunValue> = {};
    for (const step of alignment.steps) {
      const place: AlignmentPlace = { step, tensors: [totalTensor], questions: 'heldout' };
      values[`step${step}`] = tagSwapGap(alignment, place);
      values[`step${step}.null`] = tagSwapNull(alignment, place);
    }
    return values;
  },
};
