import type { ExperimentData } from '../experiment.js';
import type { FactRows } from './build.js';
import { membersOf } from './rows.js';

/** Sizes of a run: variables of each subset and rows of each section. */
export function summariseFacts({ draws, sections }: FactRows): ExperimentData['summary'] {
  return [
    { name: 'variables', value: draws.variables.length },
    ...Array.from(membersOf(draws), ([subset, own]) => ({
      name: `variables of ${subset}`,
      value: own.length,
    })),
    ...sections.map(({ name, group, rows }) => ({
      name: group === null ? `test rows of ${name}` : `rows of ${group}`,
      value: rows.length,
    })),
  ];
}
