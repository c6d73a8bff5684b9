import type { GroupGradients } from './group-gradients.js';

/**
 * Which groups' gradients are compared: the definitions of one tag with the questions of the same tag, and, as
 * null, with the questions of the other tag, whose variables are others.
 */
export const alignmentPairs = {
  reliable: {
    definitions: 'qd1consis/definition',
    questions: 'qd1consis/qa',
    mismatched: 'qd2incons/qa',
  },
  unreliable: {
    definitions: 'qd2incons/definition',
    questions: 'qd2incons/qa',
    mismatched: 'qd1consis/qa',
  },
} as const;

export type AlignedTag = keyof typeof alignmentPairs;

/** Steps `from < step <= to`. */
export interface StepRange {
  readonly from: number;
  readonly to: number;
}

/**
 * Mean over minibatches of the cosine of two groups' shares of the minibatch gradient, `s_D . s_Q / (|s_D| |s_Q|)`:
 * what one update sees of their alignment. The noise of few examples draws it towards 0, that of its null alike: only
 * the two together mean something.
 *
 * @returns the mean over the range's minibatches that hold both groups, or why there is none
 */
export function meanCosine(
  gradients: GroupGradients,
  definitions: string,
  questions: string,
  { from, to }: StepRange,
): number | string {
  const inner = gradients.inner(definitions, questions);
  const [a, b] = [gradients.norm2(definitions), gradients.norm2(questions)];
  let sum = 0;
  let used = 0;
  gradients.steps.forEach((step, i) => {
    const cosine = inner[i]! / Math.sqrt(a[i]! * b[i]!);
    if (step <= from || step > to || !Number.isFinite(cosine)) return;
    sum += cosine;
    used++;
  });
  return used === 0
    ? `no minibatch between steps ${from} and ${to} has gradients of both ${definitions} and ${questions}`
    : sum / used;
}

/** Means of cosines of two groups over consecutive windows of steps. */
export interface CosineSeries {
  /** `[window]` last step of each. */
  readonly steps: readonly number[];
  /** `[window]` mean cosine of the minibatches that have both groups; null where none has. */
  readonly cosines: readonly (number | null)[];
}

/** Cosines as in {@link meanCosine}, averaged over windows of `width` steps up to `last`. */
export function cosineSeries(
  gradients: GroupGradients,
  definitions: string,
  questions: string,
  last: number,
  width: number,
): CosineSeries {
  const inner = gradients.inner(definitions, questions);
  const [a, b] = [gradients.norm2(definitions), gradients.norm2(questions)];
  const windows = Math.ceil(last / width);
  const sums = new Float64Array(windows);
  const counts = new Int32Array(windows);
  gradients.steps.forEach((step, i) => {
    const cosine = inner[i]! / Math.sqrt(a[i]! * b[i]!);
    if (step > last || !Number.isFinite(cosine)) return;
    const window = Math.floor((step - 1) / width);
    sums[window]! += cosine;
    counts[window]!++;
  });
  return {
    steps: Array.from({ length: windows }, (_, i) => Math.min(last, (i + 1) * width)),
    cosines: Array.from(sums, (sum, i) => (counts[i] === 0 ? null : sum / counts[i]!)),
  };
}
