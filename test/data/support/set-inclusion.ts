import type { ExampleSet, FieldBuffers, TestSet } from '../../../data/experiment.js';
import { allocateFields } from '../../../data/fields.js';
import type { LossConfig } from '../../../data/loss.js';
import { createStream } from '../../../data/random/streams.js';
import { setInclusionSchema, type SetInclusionConfig } from '../../../data/set-inclusion/config.js';
import type { SetInclusionData } from '../../../data/set-inclusion/experiment.js';

export const answerLoss: LossConfig = { target: 'answer', normalisation: 'example', includePadding: false };
export const textLoss: LossConfig = { target: 'text', normalisation: 'example', includePadding: false };

/** The preset of 1000 variables, with changes. */
export function smallConfig(changes: object = {}): SetInclusionConfig {
  return setInclusionSchema.parse({ variables: 1000, maxNumber: 15, listLength: 4, ...changes });
}

/** A run of 60 variables in the published format, with changes. */
export function paperConfig(changes: object = {}): SetInclusionConfig {
  return setInclusionSchema.parse({
    variables: 60,
    maxNumber: 98,
    listLength: 8,
    format: 'paper',
    ...changes,
  });
}

/** All rows of a set in one set of buffers. */
export function fillAll(examples: ExampleSet): FieldBuffers {
  const buffers = allocateFields(examples.fields, examples.size);
  const random = () => createStream(0, 'noise');
  examples.fill(
    Array.from({ length: examples.size }, (_, row) => row),
    0,
    buffers,
    random,
  );
  return buffers;
}

/** Field `name` of row `row` as an array of numbers. */
export function valueOf(examples: ExampleSet, row: number, name: string): number[] {
  const buffers = allocateFields(examples.fields, 1);
  examples.fill([row], 0, buffers, () => createStream(0, 'noise'));
  return Array.from(buffers[name]!);
}

/** The words of a row's tokens without its padding. */
export function wordsOf(data: SetInclusionData, examples: ExampleSet, row: number): string {
  const tokens = valueOf(examples, row, 'tokens').filter((token) => token !== data.vocabulary.padToken);
  return data.vocabulary.decode(tokens);
}

export function testSet(data: SetInclusionData, name: string): TestSet {
  const found = data.tests.find((test) => test.name === name);
  if (!found) throw new Error(`no test set ${name}`);
  return found;
}
