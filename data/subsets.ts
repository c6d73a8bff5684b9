import type { SubsetDesign } from './design.js';

/**
 * The subsets of variables of the internalization experiments (Krasheninnikov et al., arXiv 2310.15047, table of
 * data subsets). The names are used everywhere: configs, logs, Arrow columns, screens.
 */

/** Which define tag a subset's definitions carry: 1 = reliable, 2 = unreliable, 3 = new in stage 2, null = none. */
export type Tag = 1 | 2 | 3;

/** What distinguishes one subset of variables from another: a {@link SubsetDesign} with the tags that there are here. */
type Subset = Omit<SubsetDesign, 'name' | 'tag'> & { readonly tag: Tag | null };

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
