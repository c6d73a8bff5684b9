import type { ExampleDescription, ExampleSet, TestSet, TrainSubset } from '../experiment.js';
import { allocateFields, fieldSize } from '../fields.js';
import { hashTables } from '../hash.js';
import type { GroupName } from '../design.js';
import { subsets } from '../subsets.js';
import { tableExamples, type ExampleTable } from '../table.js';
import { questionFields, trainingFields, type TextLayout } from '../text/layout.js';
import { writeQuestionRow, writeTrainingRow } from '../text/rows.js';
import { groupsOf } from '../train-subsets.js';
import type { TextRow, RowSource, TextRowGroup } from './rows.js';

/** The example sets of a run. */
export interface Examples {
  readonly groups: readonly GroupName[];
  training(subset: TrainSubset): ExampleSet;
  examples(): readonly ExampleDescription[];
  readonly tests: readonly TestSet[];
  /** sha256 over all rows. */
  readonly hash: string;
}

/**
 * Writes every row twice, as training sees it and as a test asks it, into two flat tables of which all example sets
 * are selections.
 */
export function buildExamples(all: readonly TextRowGroup[], source: RowSource, layout: TextLayout): Examples {
  const groups = all.flatMap(({ group }) => (group === null ? [] : [group]));
  const starts = new Map<TextRowGroup, number>();
  let size = 0;
  for (const section of all) {
    starts.set(section, size);
    size += section.rows.length;
  }
  const group = new Int32Array(size).fill(-1);
  const variable = new Int32Array(size);
  const id = new Int32Array(size).fill(-1);
  const columns = { group, variable, id };
  const asTraining = emptyTable(trainingFields(layout), columns);
  const asQuestion = emptyTable(questionFields(layout), columns);
  for (const [section, start] of starts) {
    const groupIndex = section.group === null ? -1 : groups.indexOf(section.group);
    section.rows.forEach((row, i) => {
      group[start + i] = groupIndex;
      variable[start + i] = row.variable;
      // Training sections come first: the place of a row in the tables is its number among the examples.
      if (groupIndex >= 0) id[start + i] = start + i;
      writeTrainingRow(layout, row.text, start + i, asTraining.buffers);
      writeQuestionRow(layout, row.text, row.contrast, start + i, asQuestion.buffers);
    });
  }

  const rowsOf = (section: TextRowGroup) => range(starts.get(section)!, section.rows.length);
  const trainingSections = all.filter((section) => section.group !== null);
  return {
    groups,
    training(subset) {
      const rows = groupsOf(subset, groups).flatMap((i) => Array.from(rowsOf(trainingSections[i]!)));
      return tableExamples(asTraining, Int32Array.from(rows));
    },
    examples: () =>
      trainingSections.flatMap((section) =>
        section.rows.map((row, i) =>
          describeExample(source, section, row, asTraining, starts.get(section)! + i),
        ),
      ),
    tests: all.map((section) => ({
      name: testName(section),
      subset: section.subset,
      examples: tableExamples(asQuestion, rowsOf(section)),
      asTraining: tableExamples(asTraining, rowsOf(section)),
    })),
    hash: hashTables([asTraining, asQuestion]),
  };
}

/** The tables share the columns beside the fields, which are filled once. */
function emptyTable(
  fields: ExampleTable['fields'],
  columns: Pick<ExampleTable, 'group' | 'variable' | 'id'>,
): ExampleTable {
  return { fields, buffers: allocateFields(fields, columns.group.length), ...columns };
}

function describeExample(
  { points, vocabulary }: RowSource,
  { subset, group }: TextRowGroup,
  { variable, text }: TextRow,
  { fields, buffers }: ExampleTable,
  at: number,
): ExampleDescription {
  const field = (name: string): ArrayLike<number> => {
    const width = fieldSize(fields[name]!);
    return buffers[name]!.subarray(at * width, (at + 1) * width);
  };
  return {
    group: group!,
    variable,
    name: points.names[variable]!,
    entity: String(points.value[variable]!),
    tag: group!.endsWith('/definition') ? subsets[subset].tag : null,
    text: vocabulary.decode(text.tokens),
    tokens: field('tokens'),
    positions: field('positions'),
    labels: field('labels'),
    weights: field('weights'),
    digits: [],
    strip: [],
    probability: null,
  };
}

function testName({ subset, group }: TextRowGroup): string {
  if (group === null) return subset;
  return group.endsWith('/definition') ? `train_defs_${subset}` : `train_questions_${subset}`;
}

function range(start: number, length: number): Int32Array {
  return Int32Array.from({ length }, (_, i) => start + i);
}
