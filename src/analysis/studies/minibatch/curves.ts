import { designOf } from '../../../../data/internalization-design.js';
import { endOfQuestions } from '../../../../data/stage-roles.js';
import type { GroupGradients } from './gradient-log.js';
import { alignmentPairs, cosineWindows } from './cosine.js';
import type { RunData } from '../../run-data.js';

/** A curve over steps: one line of a chart, with the seeds behind it. */
export interface AlignmentCurve {
  readonly name: string;
  readonly steps: readonly number[];
  /** `[seed][point]`; null where there is no value. */
  readonly values: readonly (readonly (number | null)[])[];
}

/** Points of a curve over training. */
const curvePoints = 60;

const questionsOf = { questions: 'same subset', mismatched: 'other subset' } as const;

/**
 * Cosine of definitions and questions of each tag over the stage with questions; none where the log has no Gram.
 *
 * @param longest updates of the run of the arm in which that stage ends last: the points of all lie at the same updates
 */
export function alignmentCurves(
  run: RunData,
  gradients: GroupGradients | null,
  longest: number,
): AlignmentCurve[] {
  if (gradients === null) return [];
  const pairs = alignmentPairs(designOf(run.info));
  const last = endOfQuestions(run.info);
  const width = Math.max(1, Math.ceil(longest / curvePoints));
  return (['reliable', 'unreliable'] as const).flatMap((tag) =>
    (['questions', 'mismatched'] as const).map((which) => {
      const pair = pairs[tag];
      const { steps, mean } = cosineWindows(gradients, pair.definitions, pair[which], last, width);
      return { name: `${tag} tag, ${questionsOf[which]}`, steps, values: [mean] };
    }),
  );
}
