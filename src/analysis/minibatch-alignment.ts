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
 * Cosine of the mean gradients of two groups, freed of the attenuation by the noise of few examples: the
 * U-statistic `mean_{i in D, j in Q} g_i . g_j / sqrt(U_D U_Q)`, `U_X = mean_{i != i'} g_i . g_i'` (gradient-maths
 * of the docs, section "unbiased estimators"), each mean averaged over the minibatches of the range that measure
 * per-example norms, then divided: a ratio of averages, not an average of ratios.
 *
 * With the group's share of the minibatch gradient `s_X = (1/B) sum_{i in X} g_i`,
 * `mean g_i . g_j = B^2 s_D . s_Q / (n_D n_Q)` and `U_X = (B^2 |s_X|^2 - sum_{i in X} |g_i|^2) / (n_X (n_X - 1))`.
 *
 * @returns the cosine, or why there is none
 */
export function unbiasedCosine(
  gradients: GroupGradients,
  definitions: string,
  questions: string,
  { from, to }: StepRange,
): number | string {
  const inner = gradients.inner(definitions, questions);
  const batch = gradients.count('minibatch');
  const sides = [definitions, questions].map((group) => ({
    norm2: gradients.norm2(group),
    example: gradients.exampleNorm2(group),
    count: gradients.count(group),
  }));
  let product = 0;
  const own = [0, 0];
  let used = 0;
  gradients.steps.forEach((step, i) => {
    if (step <= from || step > to) return;
    const counts = sides.map(({ count }) => count[i]!);
    if (
      counts.some((count) => count < 2) ||
      !Number.isFinite(inner[i]!) ||
      !Number.isFinite(sides[0]!.example[i]!)
    )
      return;
    used++;
    const square = batch[i]! ** 2;
    product += (square * inner[i]!) / (counts[0]! * counts[1]!);
    sides.forEach(({ norm2, example }, side) => {
      const n = counts[side]!;
      own[side]! += (square * norm2[i]! - example[i]!) / (n * (n - 1));
    });
  });
  if (used === 0) return `no minibatch between steps ${from} and ${to} has both groups and per-example norms`;
  if (own[0]! <= 0 || own[1]! <= 0) return 'the squared norm of a mean gradient is not above its noise';
  return product / Math.sqrt(own[0]! * own[1]!);
}

/** Means of plain cosines of two groups over consecutive windows of steps. */
export interface CosineSeries {
  /** `[window]` last step of each. */
  readonly steps: readonly number[];
  /** `[window]` mean cosine of the minibatches that have both groups; null where none has. */
  readonly cosines: readonly (number | null)[];
}

/** Plain cosines `s_D . s_Q / (|s_D| |s_Q|)`, averaged over windows of `width` steps up to `last`. */
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
