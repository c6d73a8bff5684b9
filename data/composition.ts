import { z } from 'zod';
import { UserError } from './errors.js';

export const compositionSchema = z
  .strictObject({
    pairs: z
      .enum(['matched', 'mismatched'])
      .default('matched')
      .describe(
        'matched: a definition and the questions about its variable; mismatched, the placebo: a definition and the questions ' +
          'about another variable of its subset, the same one in all epochs',
      ),
    share: z
      .number()
      .min(0)
      .max(1)
      .describe(
        'share of the variables, drawn anew every epoch, whose pairs are placed; 0: none, as without',
      ),
    place: z
      .enum(['together', 'apart'])
      .describe('together: a definition and its questions in one minibatch; apart: each in another'),
  })
  .nullable()
  .default(null)
  .describe('which rows share a minibatch, beyond chance; null: the sampler alone decides');

/** Pairs that are placed, how many of them and where. */
export type Composition = NonNullable<z.infer<typeof compositionSchema>>;

/** What the shape of a composed epoch depends on. */
export interface ComposedRows {
  /** N, rows of the training set. */
  readonly examples: number;
  /** B, rows of a whole minibatch. */
  readonly batchSize: number;
  /** Variables with a definition and questions. */
  readonly variables: number;
  /** Questions about each of them. */
  readonly questionsPerVariable: number;
}

/** How many rows each minibatch of a composed epoch has, and how many of them are placed: the same in every epoch. */
export interface CompositionShape {
  /** `[minibatch]` rows; the last one may have fewer. */
  readonly sizes: readonly number[];
  /** `[minibatch]` rows that are placed. Which minibatch has which of these numbers is drawn among those of one size. */
  readonly placed: readonly number[];
  /** Variables whose pairs are placed. */
  readonly units: number;
  /** Rows of each of them: a definition and its questions. */
  readonly unitSize: number;
}

/**
 * The shape of the epochs of a composition: placed rows are spread over the minibatches in proportion to their sizes.
 * Throws a UserError, one line, where there is nothing to compose, where the share is less than one variable, and where
 * the pairs do not fit into the minibatches.
 */
export function compositionShape(
  rows: ComposedRows,
  { share, place }: Pick<Composition, 'share' | 'place'>,
): CompositionShape {
  const { examples, batchSize, variables, questionsPerVariable } = rows;
  const unitSize = 1 + questionsPerVariable;
  const minibatches = Math.ceil(examples / batchSize);
  if (minibatches < 2) throw new UserError('every minibatch has all rows: there is nothing to compose');
  const units = Math.round(share * variables);
  if (units === 0) {
    throw new UserError(`a share of ${share} of ${variables} variables is none: raise it, or set it to 0`);
  }
  const sizes = Array.from({ length: minibatches }, (_, k) => Math.min(batchSize, examples - k * batchSize));
  const fitting = (count: number): number[] =>
    sizes.map((size) => (place === 'together' ? Math.floor(size / unitSize) : Math.min(size, count)));
  /** Units, or placed rows, that there are places for, less those that there are. */
  const spare = (count: number): number =>
    sum(fitting(count)) - (place === 'together' ? count : count * unitSize);
  if (spare(units) < 0) {
    let most = units - 1;
    while (most > 0 && spare(most) < 0) most--;
    const group = `a definition and its ${questionsPerVariable} questions`;
    const fits =
      most === 0
        ? place === 'together'
          ? `set batchSize to ${unitSize} or more`
          : `set batchSize so that there are ${unitSize} minibatches or more`
        : `lower share to ${Math.floor((1e4 * most) / variables) / 1e4}, or choose another batchSize`;
    throw new UserError(
      `${units} times ${group} do not fit ${place} into ${minibatches} minibatches of ${batchSize} rows: ${fits}`,
    );
  }
  const placed =
    place === 'together'
      ? spread(units, sizes, fitting(units)).map((count) => count * unitSize)
      : spread(units * unitSize, sizes, fitting(units));
  return { sizes, placed, units, unitSize };
}

/** `total` things over places in proportion to `weights`, rounded down and then filled up from the first, at most `most` each. */
function spread(total: number, weights: readonly number[], most: readonly number[]): number[] {
  const all = sum(weights);
  const counts = weights.map((weight, k) => Math.min(most[k]!, Math.floor((total * weight) / all)));
  while (sum(counts) < total) {
    const before = sum(counts);
    counts.forEach((count, k) => {
      if (sum(counts) < total && count < most[k]!) counts[k] = count + 1;
    });
    if (sum(counts) === before) throw new Error(`${total} do not fit into ${most.join(', ')}`);
  }
  return counts;
}

const sum = (values: readonly number[]): number => values.reduce((total, own) => total + own, 0);
