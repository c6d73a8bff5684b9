import type { ExperimentData } from '../experiment.js';
import { subsetNames } from '../subsets.js';
import { questionIndex, questionsPerPart } from './points.js';
import type { RowSource, TextRowGroup } from './rows.js';

/** Sizes of a run: variables of each subset, rows of each section, and how many test questions training also holds. */
export function summarise(source: RowSource, rows: readonly TextRowGroup[]): ExperimentData['summary'] {
  const present = subsetNames.filter((subset) => source.assignment.has(subset));
  return [
    { name: 'variables', value: source.points.names.length },
    ...present.map((subset) => ({
      name: `variables of ${subset}`,
      value: source.assignment.get(subset)!.length,
    })),
    ...rows.map(({ subset, group, rows }) => ({
      name: group === null ? `test rows of ${subset}` : `rows of ${group}`,
      value: rows.length,
    })),
    { name: 'words', value: source.vocabulary.size + source.vocabulary.variables },
    { name: 'test questions equal to a training question', value: repeatedQuestions(source, rows) },
  ];
}

/** Test questions with the list of a training question about the same variable: frequent only for tiny lists. */
function repeatedQuestions({ points, listLength }: RowSource, rows: readonly TextRowGroup[]): number {
  let repeated = 0;
  for (const { group, rows: questions } of rows) {
    if (!group?.endsWith('/qa')) continue;
    for (let i = 0; i < questions.length; i += questionsPerPart) {
      const { variable } = questions[i]!;
      const key = (part: 'train' | 'test', question: number) => {
        const start = questionIndex(variable, part, question) * listLength;
        return points.lists.subarray(start, start + listLength).join();
      };
      const trained = new Set(
        Array.from({ length: questionsPerPart }, (_, question) => key('train', question)),
      );
      for (let question = 0; question < questionsPerPart; question++) {
        if (trained.has(key('test', question))) repeated++;
      }
    }
  }
  return repeated;
}
