import type { Design, ExampleKind, Part } from './design.js';
import { parseGroupName, subsetOf } from './design.js';
import { UserError } from './errors.js';
import { internalizationDesign } from './internalization-design.js';

export const trainSubsets = [
  'stage1',
  'stage2',
  'full',
  'stage1_only_defns',
  'stage1_only_qa',
  'all_defns',
  'facts',
] as const;

/**
 * What a stage trains on, in the paper's terms `stage1` (X1), `stage2` (X2) or `full` (both jointly); `facts`: sentences about
 * the entities by their own names, for pretraining.
 */
export type TrainSubset = (typeof trainSubsets)[number];

/** Which rows that is, by the part of their subset and their kind. */
const selects: Readonly<Record<TrainSubset, (part: Part, kind: ExampleKind) => boolean>> = {
  stage1: (part) => part === 'X1',
  stage2: (part) => part === 'X2',
  full: (part) => part !== 'facts',
  stage1_only_defns: (part, kind) => part === 'X1' && kind === 'definition',
  stage1_only_qa: (part, kind) => part === 'X1' && kind === 'qa',
  all_defns: (_part, kind) => kind === 'definition',
  facts: (part) => part === 'facts',
};

function isTrainSubset(text: string): text is TrainSubset {
  return Object.hasOwn(selects, text);
}

/** Whether `trainOn` selects rows of this part and kind; false for a name that is no {@link TrainSubset}. */
export function selectsRows(trainOn: string, part: Part, kind: ExampleKind): boolean {
  return isTrainSubset(trainOn) && selects[trainOn](part, kind);
}

/** Whether `trainOn` selects definitions of new variables (X2), and nothing of X1. */
export function selectsNewAlone(trainOn: string): boolean {
  return (
    selectsRows(trainOn, 'X2', 'definition') &&
    !selectsRows(trainOn, 'X1', 'definition') &&
    !selectsRows(trainOn, 'X1', 'qa')
  );
}

/** Whether `trainOn` selects the rows of `group`, whose subset the design knows. */
export function trainsOn(
  trainOn: TrainSubset,
  group: string,
  design: Design = internalizationDesign,
): boolean {
  const { subset, kind } = parseGroupName(group);
  return selectsRows(trainOn, subsetOf(design, subset)?.part ?? 'none', kind);
}

/** Indices into `groups` of the groups that `trainOn` selects. Throws a UserError when there are none. */
export function groupsOf(
  trainOn: TrainSubset,
  groups: readonly string[],
  design: Design = internalizationDesign,
): number[] {
  const indices = groups.flatMap((group, i) => (trainsOn(trainOn, group, design) ? [i] : []));
  if (indices.length === 0) {
    throw new UserError(`the data have no rows for training on ${trainOn}: they hold ${groups.join(', ')}`);
  }
  return indices;
}
