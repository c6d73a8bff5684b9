import { UserError } from './errors.js';
import type { TrainSubset } from './experiment.js';
import { parseGroupName, subsets, type ExampleKind, type GroupName, type Part } from './subsets.js';

const selects: Record<TrainSubset, (part: Part, kind: ExampleKind) => boolean> = {
  stage1: (part) => part === 'X1',
  stage2: (part) => part === 'X2',
  full: () => true,
  stage1_only_defns: (part, kind) => part === 'X1' && kind === 'definition',
  stage1_only_qa: (part, kind) => part === 'X1' && kind === 'qa',
  all_defns: (_part, kind) => kind === 'definition',
};

/** Whether `subset` of the training data holds the rows of `group`. */
export function trainsOn(subset: TrainSubset, group: GroupName): boolean {
  const { subset: name, kind } = parseGroupName(group);
  return selects[subset](subsets[name].part, kind);
}

/** Indices into `groups` of the groups that `subset` trains on. Throws a UserError when there are none. */
export function groupsOf(subset: TrainSubset, groups: readonly GroupName[]): number[] {
  const indices = groups.flatMap((group, i) => (trainsOn(subset, group) ? [i] : []));
  if (indices.length === 0) {
    throw new UserError(`the data have no rows for training on ${subset}: they hold ${groups.join(', ')}`);
  }
  return indices;
}
