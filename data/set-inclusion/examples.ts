import type { ExampleSet, TestSet, TrainSubset } from '../experiment.js';
import { allocateFields } from '../fields.js';
import { hashTables } from '../hash.js';
import type { GroupName } from '../subsets.js';
import { tableExamples, type ExampleTable } from '../table.js';
import { questionFields, trainingFields, type TextLayout } from '../text/layout.js';
import { writeQuestionRow, writeTrainingRow } from '../text/rows.js';
import { groupsOf } from '../train-subsets.js';
import type { Section } from './rows.js';

/** The example sets of a run. */
export interface Examples {
  readonly groups: readonly GroupName[];
  training(subset: TrainSubset): ExampleSet;
  readonly tests: readonly TestSet[];
  /** sha256 over all rows. */
  readonly hash: string;
}

/**
 * Writes every row twice, as training sees it and as a test asks it, into two flat tables of which all example sets
 * are selections.
 */
export function buildExamples(all: readonly Section[], layout: TextLayout): Examples {
  const groups = all.flatMap(({ group }) => (group === null ? [] : [group]));
  const starts = new Map<Section, number>();
  let size = 0;
  for (const section of all) {
    starts.set(section, size);
    size += section.rows.length;
  }
  const group = new Int32Array(size).fill(-1);
  const variable = new Int32Array(size);
  const asTraining = emptyTable(trainingFields(layout), group, variable);
  const asQuestion = emptyTable(questionFields(layout), group, variable);
  for (const [section, start] of starts) {
    const groupIndex = section.group === null ? -1 : groups.indexOf(section.group);
    section.rows.forEach((row, i) => {
      group[start + i] = groupIndex;
      variable[start + i] = row.variable;
      writeTrainingRow(layout, row.text, start + i, asTraining.buffers);
      writeQuestionRow(layout, row.text, row.contrast, start + i, asQuestion.buffers);
    });
  }

  const rowsOf = (section: Section) => range(starts.get(section)!, section.rows.length);
  const trainingSections = all.filter((section) => section.group !== null);
  return {
    groups,
    training(subset) {
      const rows = groupsOf(subset, groups).flatMap((i) => Array.from(rowsOf(trainingSections[i]!)));
      return tableExamples(asTraining, Int32Array.from(rows));
    },
    tests: all.map((section) => ({
      name: testName(section),
      subset: section.subset,
      examples: tableExamples(asQuestion, rowsOf(section)),
      asTraining: tableExamples(asTraining, rowsOf(section)),
    })),
    hash: hashTables([asTraining, asQuestion]),
  };
}

function emptyTable(fields: ExampleTable['fields'], group: Int32Array, variable: Int32Array): ExampleTable {
  // The tables share the arrays of groups and variables, which are filled once.
  const buffers = allocateFields(fields, group.length);
  return { fields, buffers, group, variable };
}

function testName({ subset, group }: Section): string {
  if (group === null) return subset;
  return group.endsWith('/definition') ? `train_defs_${subset}` : `train_questions_${subset}`;
}

function range(start: number, length: number): Int32Array {
  return Int32Array.from({ length }, (_, i) => start + i);
}
