import type { SubsetDesign } from '../design.js';
import { subsets } from '../subsets.js';

/** Tags of definitions; 4 stands for tags that each definition of `qd4consis` has for itself. */
export type FactTag = 1 | 2 | 3 | 4;

type FactSubset = Omit<SubsetDesign, 'name' | 'tag'> & { readonly tag: FactTag | null };

/**
 * Subsets of the variables of the text experiments, in the order of logs: those of set inclusion, definitions with random
 * tags, two baselines, and the control of the questions (Krasheninnikov et al., arXiv 2310.15047, table of data subsets).
 */
export const factSubsets = {
  qd1consis: subsets.qd1consis,
  qd2incons: subsets.qd2incons,
  qd1incons: subsets.qd1incons,
  qd2consis: subsets.qd2consis,
  qd4consis: {
    part: 'X1',
    tag: 4,
    consistent: true,
    trainsQuestions: true,
    description: 'questions and consistent definitions, each with a random tag of its own',
  },
  q: subsets.q,
  q_no_replacement_baseline: {
    part: 'X1',
    tag: null,
    consistent: null,
    trainsQuestions: true,
    description: 'questions only, with the real name instead of a variable',
  },
  d1consis: subsets.d1consis,
  d2consis: subsets.d2consis,
  d3consis: subsets.d3consis,
  no_qd_baseline: subsets.no_qd_baseline,
  d2incons: {
    part: 'none',
    tag: null,
    consistent: null,
    trainsQuestions: false,
    description:
      'test only: questions of d2consis with variables exchanged, answered as if the definitions were wrong',
  },
} as const satisfies Record<string, FactSubset>;

/** What a model is pretrained on: no variables, but entities by their own names. */
export const realNames = {
  name: 'facts',
  part: 'facts',
  tag: null,
  consistent: null,
  trainsQuestions: false,
  description: 'sentences about the entities by their own names, for pretraining',
} as const satisfies SubsetDesign;

export type FactSubsetName = keyof typeof factSubsets;

export const factSubsetNames = Object.keys(factSubsets) as readonly FactSubsetName[];
