import { UserError } from '../../data/errors.js';
import type { ColumnView } from '../store/column-views.js';

/** What rows must satisfy: one comparison of a column. */
export interface RowCondition {
  /** As it was written, for messages. */
  readonly text: string;
  readonly column: string;
  readonly operator: '=' | '!=' | '<' | '<=' | '>' | '>=';
  /** Of `=` and `!=` any number of alternatives, of the others one number. */
  readonly values: readonly string[];
}

/**
 * Reads a condition such as `tensor=total`, `group=qd1consis/definition,qd1consis/qa`, `step>=100`. Throws a UserError for what
 * is none.
 */
export function parseCondition(text: string): RowCondition {
  const [, column, operator, value] = /^\s*([\w.]+)\s*(!=|<=|>=|=|<|>)\s*(.*?)\s*$/.exec(text) ?? [];
  if (column === undefined || operator === undefined || value === undefined || value === '') {
    throw new UserError(
      `--where ${text}: expected a column, one of = != < <= > >=, and a value, as in tensor=total or 'step>=100'`,
    );
  }
  const isOrder = operator !== '=' && operator !== '!=';
  if (isOrder && !isNumber(value))
    throw new UserError(`--where ${text}: ${operator} compares with a number, and ${value} is none`);
  return {
    text,
    column,
    operator: operator as RowCondition['operator'],
    values: isOrder ? [value] : value.split(','),
  };
}

const isNumber = (text: string): boolean => text.trim() !== '' && Number.isFinite(Number(text));

/**
 * Which rows of a column satisfy a condition. A row without a value satisfies none, `!=` aside. Throws a UserError where the
 * condition does not fit the column's values.
 */
export function rowTest(
  { text, operator, values }: RowCondition,
  view: ColumnView,
): (row: number) => boolean {
  const isMissing = (row: number): boolean => view.valid !== null && view.valid[row] === 0;
  const refuse = (why: string): UserError => new UserError(`--where ${text}: ${why}`);
  switch (view.kind) {
    case 'utf8':
    case 'dictionary': {
      if (operator !== '=' && operator !== '!=')
        throw refuse(`the column holds texts, which ${operator} does not compare`);
      const wanted = new Set(values);
      const isWanted = operator === '=';
      if (view.kind === 'utf8')
        return (row) => (isMissing(row) ? !isWanted : wanted.has(view.values[row]!) === isWanted);
      const codes = view.values.map((value) => wanted.has(value) === isWanted);
      return (row) => (isMissing(row) ? !isWanted : codes[view.indices[row]!]!);
    }
    case 'int32':
    case 'float64':
    case 'float32':
    case 'bool': {
      const numbers = values.map((value) =>
        view.kind === 'bool' && /^(true|false)$/.test(value) ? Number(value === 'true') : Number(value),
      );
      if (!values.every((value, i) => isNumber(value) || (view.kind === 'bool' && !Number.isNaN(numbers[i]))))
        throw refuse(`the column holds ${view.kind === 'bool' ? 'true and false' : 'numbers'}`);
      const compares = comparisons[operator];
      return (row) => (isMissing(row) ? operator === '!=' : compares(view.values[row]!, numbers));
    }
    default:
      throw refuse('the column holds lists, which are not compared');
  }
}

const comparisons: Readonly<
  Record<RowCondition['operator'], (value: number, others: readonly number[]) => boolean>
> = {
  '=': (value, others) => others.includes(value),
  '!=': (value, others) => !others.includes(value),
  '<': (value, [other]) => value < other!,
  '<=': (value, [other]) => value <= other!,
  '>': (value, [other]) => value > other!,
  '>=': (value, [other]) => value >= other!,
};
