import { groupName, type ExampleKind, type GroupName } from '../design.js';
import { subsetNames, subsets, type SubsetName } from '../subsets.js';
import type { Assignment } from '../assignment.js';
import type { Variables } from './variables.js';

/** Cell of a row that asks for all cells: a definition. */
export const wholeGrid = -1;

/** One row: a definition or a question, whatever the images it is shown with. */
export interface GridRow {
  readonly variable: number;
  /** Cell that is asked for, or {@link wholeGrid}. */
  readonly cell: number;
}

/** The rows of one group of training examples, or the held-out questions of a subset. */
export interface GridRowGroup {
  readonly subset: SubsetName;
  readonly kind: ExampleKind;
  /** Null for held-out questions. */
  readonly group: GroupName | null;
  readonly rows: readonly GridRow[];
}

/**
 * All rows of a run: first the groups of training examples in the order of the subset table, definitions before
 * questions; then the held-out questions of each subset, which are about the held-out cells where the others are
 * trained and about all cells elsewhere. Within a section rows are ordered by variable, then by cell.
 */
export function gridRowGroups(assignment: Assignment, variables: Variables): GridRowGroup[] {
  const training: GridRowGroup[] = [];
  const heldOut: GridRowGroup[] = [];
  for (const subset of subsetNames) {
    const members = assignment.get(subset);
    if (members === undefined) continue;
    const { tag, trainsQuestions } = subsets[subset];
    const questions = (wanted: (held: boolean) => boolean): GridRow[] =>
      members.flatMap((variable) =>
        Array.from({ length: variables.cells }, (_, cell) => ({ variable, cell })).filter(({ cell }) =>
          wanted(variables.heldOut[variable * variables.cells + cell] === 1),
        ),
      );
    if (tag !== null) {
      const rows = members.map((variable) => ({ variable, cell: wholeGrid }));
      training.push({ subset, kind: 'definition', group: groupName(subset, 'definition'), rows });
    }
    if (trainsQuestions) {
      training.push({ subset, kind: 'qa', group: groupName(subset, 'qa'), rows: questions((held) => !held) });
    }
    const rows = questions((held) => held || !trainsQuestions);
    if (rows.length > 0) heldOut.push({ subset, kind: 'qa', group: null, rows });
  }
  return [...training, ...heldOut];
}

/** Name of the test set of a section. */
export function testName({ subset, kind, group }: GridRowGroup): string {
  if (group === null) return subset;
  return kind === 'definition' ? `train_defs_${subset}` : `train_questions_${subset}`;
}
