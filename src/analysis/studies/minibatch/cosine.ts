import { groupName, type Design } from '../../../../data/design.js';
import type { GroupGradients } from './gradient-log.js';

export type AlignedTag = 'reliable' | 'unreliable';

/** Groups whose gradients are compared. */
export interface AlignedGroups {
  readonly definitions: string;
  readonly questions: string;
  readonly mismatched: string;
}

/**
 * Which groups' gradients are compared: the definitions of one tag with the questions of the same tag, and, as
 * null, with the questions of the other tag, whose variables are others. Subsets of weak internalization.
 */
export function alignmentPairs({
  weak: [first, second],
}: Design): Readonly<Record<AlignedTag, AlignedGroups>> {
  const groups = (own: string, other: string): AlignedGroups => ({
    definitions: groupName(own, 'definition'),
    questions: groupName(own, 'qa'),
    mismatched: groupName(other, 'qa'),
  });
  return { reliable: groups(first, second), unreliable: groups(second, first) };
}

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
export function meanMinibatchCosine(
  gradients: GroupGradients,
  definitions: string,
  questions: string,
  { from, to }: StepRange,
): number | string {
  const cosines = gradients.cosine(definitions, questions);
  let sum = 0;
  let used = 0;
  gradients.steps.forEach((step, i) => {
    if (step <= from || step > to || !Number.isFinite(cosines[i]!)) return;
    sum += cosines[i]!;
    used++;
  });
  return used === 0
    ? `no minibatch between steps ${from} and ${to} has gradients of both ${definitions} and ${questions}`
    : sum / used;
}

/** Means of cosines of two groups over consecutive windows of steps, with the 95 % interval over their minibatches. */
export interface CosineWindows {
  /** `[window]` last step of each. */
  readonly steps: readonly number[];
  /** `[window]` mean cosine of the minibatches that have both groups; null where none has. */
  readonly mean: readonly (number | null)[];
  /** `[window]` ends of the interval; null below two minibatches. */
  readonly low: readonly (number | null)[];
  readonly high: readonly (number | null)[];
}

/**
 * Cosines as in {@link meanMinibatchCosine}, averaged over windows of `width` steps up to `last`, with
 * `mean +- 1.96 SD / sqrt(minibatches)`: minibatches of one run, not seeds.
 */
export function cosineWindows(
  gradients: GroupGradients,
  definitions: string,
  questions: string,
  last: number,
  width: number,
): CosineWindows {
  const cosines = gradients.cosine(definitions, questions);
  const windows = Math.ceil(last / width);
  const means = new Float64Array(windows);
  const squares = new Float64Array(windows);
  const counts = new Int32Array(windows);
  const each = (take: (window: number, cosine: number) => void): void => {
    for (const [i, step] of gradients.steps.entries()) {
      if (step > last) break;
      if (Number.isFinite(cosines[i]!)) take(Math.floor((step - 1) / width), cosines[i]!);
    }
  };
  each((window, cosine) => {
    means[window]! += cosine;
    counts[window]!++;
  });
  for (let window = 0; window < windows; window++) means[window]! /= counts[window]!;
  each((window, cosine) => {
    squares[window]! += (cosine - means[window]!) ** 2;
  });
  const end = (sign: -1 | 1) =>
    Array.from(counts, (n, window) =>
      n < 2 ? null : means[window]! + sign * 1.96 * Math.sqrt(squares[window]! / (n - 1) / n),
    );
  return {
    steps: Array.from({ length: windows }, (_, i) => Math.min(last, (i + 1) * width)),
    mean: Array.from(means, (mean, window) => (counts[window] === 0 ? null : mean)),
    low: end(-1),
    high: end(1),
  };
}
