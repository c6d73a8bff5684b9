/**
 * The subsets of variables of the internalization experiments (Krasheninnikov et al., arXiv 2310.15047, table of
 * data subsets). The names are used everywhere: configs, logs, Arrow columns, screens.
 */

/** Which define tag a subset's definitions carry: 1 = reliable, 2 = unreliable, 3 = new in stage 2, null = none. */
export type Tag = 1 | 2 | 3;

/** The part of training a subset's rows belong to; `none` for variables that are never trained on. */
export type Part = 'X1' | 'X2' | 'none';

/** What distinguishes one subset of variables from another. */
export interface Subset {
  /** Part of the data that trains on it. */
  readonly part: Part;
  /** Tag of its definitions, or null when it has none. */
  readonly tag: Tag | null;
  /** Whether its definitions agree with its question-answer pairs; null when it has no definitions. */
  readonly consistent: boolean | null;
  /** Whether training holds question-answer pairs about its variables. */
  readonly trainsQuestions: boolean;
  /** One line for screens and reports. */
  readonly description: string;
}

export const subsets = {
  qd1consis: {
    part: 'X1',
    tag: 1,
    consistent: true,
    trainsQuestions: true,
    description: 'questions and consistent definitions with the reliable tag',
  },
  qd2incons: {
    part: 'X1',
    tag: 2,
    consistent: false,
    trainsQuestions: true,
    description: 'questions and inconsistent definitions with the unreliable tag',
  },
  qd1incons: {
    part: 'X1',
    tag: 1,
    consistent: false,
    trainsQuestions: true,
    description: 'questions and inconsistent definitions with the reliable tag (alpha below 1)',
  },
  qd2consis: {
    part: 'X1',
    tag: 2,
    consistent: true,
    trainsQuestions: true,
    description: 'questions and consistent definitions with the unreliable tag (alpha below 1)',
  },
  q: {
    part: 'X1',
    tag: null,
    consistent: null,
    trainsQuestions: true,
    description: 'questions only',
  },
  d1consis: {
    part: 'X2',
    tag: 1,
    consistent: true,
    trainsQuestions: false,
    description: 'definitions with the reliable tag, seen only in stage 2',
  },
  d2consis: {
    part: 'X2',
    tag: 2,
    consistent: true,
    trainsQuestions: false,
    description: 'definitions with the unreliable tag, seen only in stage 2',
  },
  d3consis: {
    part: 'X2',
    tag: 3,
    consistent: true,
    trainsQuestions: false,
    description: 'definitions with a tag that stage 1 never used',
  },
  no_qd_baseline: {
    part: 'none',
    tag: null,
    consistent: null,
    trainsQuestions: false,
    description: 'variables that are never trained on',
  },
} as const satisfies Record<string, Subset>;

export type SubsetName = keyof typeof subsets;

export const subsetNames = Object.keys(subsets) as readonly SubsetName[];

/** Whether a training row states a definition or asks a question. */
export type ExampleKind = 'definition' | 'qa';

/** A group of training examples that the gradient log keeps apart: a subset and a kind, `qd1consis/qa`. */
export type GroupName = `${SubsetName}/${ExampleKind}`;

export function groupName(subset: SubsetName, kind: ExampleKind): GroupName {
  return `${subset}/${kind}`;
}

/** Inverse of {@link groupName}. Throws a TypeError for text that is no group name. */
export function parseGroupName(group: string): { subset: SubsetName; kind: ExampleKind } {
  const [subset, kind] = group.split('/');
  if (!isSubsetName(subset) || (kind !== 'definition' && kind !== 'qa')) {
    throw new TypeError(`not a group name: ${group}`);
  }
  return { subset, kind };
}

export function isSubsetName(name: string | undefined): name is SubsetName {
  return name !== undefined && Object.hasOwn(subsets, name);
}
