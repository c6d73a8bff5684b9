import type { DataSizes, ExperimentData, TestSet } from './experiment.js';
import { fieldSize } from './fields.js';

/** Bytes of a row beside its fields: its object, group and variable. */
const bytesPerRow = 300;

/** Sizes of data that are built, for an experiment that does not know them by arithmetic. */
export function sizesOfData(data: ExperimentData): DataSizes {
  const { shape, groups, tests } = data;
  const testRows = tests.reduce((sum, { examples }) => sum + examples.size, 0);
  const numbers = tests
    .flatMap(({ examples }) => Object.values(examples.fields))
    .reduce((most, field) => Math.max(most, fieldSize(field)), 0);
  return {
    shape,
    groups,
    training(subset) {
      const { size, probability, epochSize } = data.training(subset);
      return { rows: size, mixtureEpoch: probability === undefined ? null : (epochSize ?? size) };
    },
    testRows,
    largestTest: Math.max(0, ...tests.map(({ examples }) => examples.size)),
    heldOut: Math.max(0, ...tests.filter(({ name, subset }) => name === subset).map(mostOfVariable)),
    bytes: testRows * (bytesPerRow + 8 * numbers),
  };
}

/** Rows of the variable that has most. */
function mostOfVariable({ examples: { variable } }: TestSet): number {
  const rows = new Map<number, number>();
  for (const own of variable) rows.set(own, (rows.get(own) ?? 0) + 1);
  return Math.max(0, ...rows.values());
}
