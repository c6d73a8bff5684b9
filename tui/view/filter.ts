/** A part of a filter: a comparison of a column of numbers, or a text that a row must hold. */
export type Condition =
  | {
      readonly kind: 'compare';
      readonly column: string;
      readonly operator: '<' | '<=' | '>' | '>=' | '=';
      readonly value: number;
    }
  | { readonly kind: 'text'; readonly text: string; readonly negated: boolean };

/**
 * Reads a filter: words that a row must all hold, `!word` it must not, and comparisons such as `loss>2` or
 * `step>=500`. A blank within a column's title is left out: `weakgap>0`.
 */
export function parseFilter(filter: string): Condition[] {
  return filter
    .split(/\s+/)
    .filter((word) => word !== '')
    .map((word): Condition => {
      const match = /^([^<>=]+)(<=|>=|<|>|=)(-?[\d.]+(?:e-?\d+)?)$/i.exec(word);
      const operator = match?.[2];
      if (match !== null && isOperator(operator) && Number.isFinite(Number(match[3]))) {
        return { kind: 'compare', column: squeeze(match[1]!), operator, value: Number(match[3]) };
      }
      const negated = word.startsWith('!') && word.length > 1;
      return { kind: 'text', text: (negated ? word.slice(1) : word).toLowerCase(), negated };
    });
}

/** Titles are compared without blanks and case. */
export const squeeze = (title: string): string => title.toLowerCase().replace(/\s+/g, '');

type Operator = Extract<Condition, { kind: 'compare' }>['operator'];

const isOperator = (text: string | undefined): text is Operator =>
  text === '<' || text === '<=' || text === '>' || text === '>=' || text === '=';

/** Whether a number meets a comparison; a missing one meets none. */
export function compares(value: number | null, operator: Operator, bound: number): boolean {
  if (value === null || !Number.isFinite(value)) return false;
  if (operator === '<') return value < bound;
  if (operator === '<=') return value <= bound;
  if (operator === '>') return value > bound;
  if (operator === '>=') return value >= bound;
  return value === bound;
}
