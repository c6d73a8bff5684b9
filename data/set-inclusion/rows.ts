import { groupName, type GroupName } from '../design.js';
import { testSetName, type TextRow, type TextSection } from '../text/examples.js';
import { subsetNames, subsets, type SubsetName } from '../subsets.js';
import type { Assignment } from '../assignment.js';
import type { DefinitionOrder } from '../definition-orders.js';
import { questionIndex, questionsPerPart, type Points } from './points.js';
import { definitionContrast, definitionText, questionText, type Definition } from './texts.js';
import type { Vocabulary } from './vocabulary.js';

/** What the rows of a run are made of. */
export interface RowSource {
  readonly assignment: Assignment;
  readonly points: Points;
  readonly vocabulary: Vocabulary;
  readonly definitionOrder: DefinitionOrder;
  readonly listLength: number;
}

/** The rows of one group of training examples, or the held-out questions of a subset. */
export interface TextRowGroup extends TextSection {
  readonly subset: SubsetName;
}

/**
 * All rows of a run: first the groups of training examples in the order of the subset table, definitions before
 * questions; then the held-out questions of each subset. Within a section rows are ordered by variable.
 */
export function textRowGroups(source: RowSource): TextRowGroup[] {
  const training: TextRowGroup[] = [];
  const heldOut: TextRowGroup[] = [];
  const section = (subset: SubsetName, group: GroupName | null, rows: readonly TextRow[]): TextRowGroup => ({
    name: testSetName(subset, group),
    subset,
    group,
    rows,
  });
  for (const subset of subsetNames) {
    const variables = source.assignment.get(subset);
    if (variables === undefined) continue;
    const { tag, trainsQuestions } = subsets[subset];
    if (tag !== null) {
      const rows = variables.map((variable) => definitionRow(source, subset, variable));
      training.push(section(subset, groupName(subset, 'definition'), rows));
    }
    if (trainsQuestions) {
      const rows = variables.flatMap((variable) => questionRows(source, variable, 'train'));
      training.push(section(subset, groupName(subset, 'qa'), rows));
    }
    const rows = variables.flatMap((variable) => questionRows(source, variable, 'test'));
    heldOut.push(section(subset, null, rows));
  }
  return [...training, ...heldOut];
}

/**
 * The definition that training holds of a variable, and the number it would name if it were inconsistent instead of
 * consistent or the reverse. Throws a RangeError for a subset without definitions.
 */
export function definitionOf(
  points: Points,
  subset: SubsetName,
  variable: number,
): Definition & { readonly otherNumber: number } {
  const { tag, consistent } = subsets[subset];
  if (tag === null) throw new RangeError(`variable ${variable} of ${subset} has no definition`);
  const right = points.value[variable]!;
  const wrong = points.falseValue[variable]!;
  return consistent
    ? { tag, variable, number: right, otherNumber: wrong }
    : { tag, variable, number: wrong, otherNumber: right };
}

function definitionRow(source: RowSource, subset: SubsetName, variable: number): TextRow {
  const { vocabulary, points, definitionOrder } = source;
  const definition = definitionOf(points, subset, variable);
  return {
    text: definitionText(vocabulary, definitionOrder, definition),
    contrast: definitionContrast(
      vocabulary,
      definitionOrder,
      definition,
      definition.otherNumber,
      points.names.length,
    ),
    variable,
  };
}

function questionRows(source: RowSource, variable: number, part: 'train' | 'test'): TextRow[] {
  const { vocabulary, points, listLength } = source;
  return Array.from({ length: questionsPerPart }, (_, question) => {
    const index = questionIndex(variable, part, question);
    const list = points.lists.subarray(index * listLength, (index + 1) * listLength);
    const answer = points.answers[index] === 1;
    return {
      text: questionText(vocabulary, variable, list, answer),
      contrast: vocabulary.truth(!answer),
      variable,
    };
  });
}
