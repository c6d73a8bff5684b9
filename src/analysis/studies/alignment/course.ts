import { totalTensor } from '../../../store/tables/common.js';
import { mean } from 'simple-statistics';
import { spearman } from '../../inference/trend/spearman.js';
import { tagSwapGap, tagSwapNull, type AlignmentPlace } from './cosines.js';
import type { RunValue } from '../../quantity.js';
import type { QuantitySpec, SectionSpec } from '../../section.js';

/** Checkpoints below which a rank correlation says nothing. */
const fewestCheckpoints = 4;

/** Exploratory: no claim rests on it. */
const trend = {
  id: 'trend',
  label: 'trend over training: rank correlation of the step with the tag-swap gap minus its null (Spearman)',
  shortLabel: 'trend: rank correlation with the step',
  unit: '1',
  null: { kind: 'zero', label: '0, no trend' },
} as const satisfies QuantitySpec;

/** How the tag-swap gap comes about and goes over training. */
export const alignmentCourse: SectionSpec = {
  id: 'alignmentCourse',
  title: 'Alignment over training: tag-swap gap of the cosine, new variables, all tensors',
  ids: () => ['step*', trend.id],
  probe: 'alignment',
  quantities: (_, measured) => {
    const steps = new Set(
      measured.flatMap((own) => Object.keys(own).flatMap((key) => /^step(\d+)$/.exec(key)?.[1] ?? [])),
    );
    const course = Array.from(steps, Number)
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
    return course.length < fewestCheckpoints ? course : [...course, trend];
  },
  measure: async (_, reader) => {
    const alignment = await reader.alignment();
    if (alignment === null) return null;
    const values: Record<string, RunValue> = {};
    const excess: (number | string)[] = [];
    for (const step of alignment.steps) {
      const place: AlignmentPlace = { step, tensors: [totalTensor], questions: 'heldout' };
      const [gap, none] = [tagSwapGap(alignment, place), tagSwapNull(alignment, place)];
      values[`step${step}`] = gap;
      values[`step${step}.null`] = none;
      excess.push(
        typeof gap === 'string' ? gap : typeof none === 'string' ? none : mean([...gap]) - mean([...none]),
      );
    }
    if (excess.length >= fewestCheckpoints) values[trend.id] = rankCorrelation(alignment.steps, excess);
    return values;
  },
};

/** Spearman's rank correlation; the reason of the first value that is missing. */
function rankCorrelation(steps: readonly number[], values: readonly (number | string)[]): number | string {
  const missing = values.findIndex((value) => typeof value === 'string');
  if (missing >= 0) return `step ${steps[missing]}: ${values[missing]}`;
  const correlation = spearman(
    steps,
    values.filter((value) => typeof value === 'number'),
  );
  return correlation.kind === 'absent' ? correlation.reason : correlation.estimate;
}
