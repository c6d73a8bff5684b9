import { expect, test } from 'vitest';
import { boxOf, columnsOf, isTerminal, terminalStyle } from '../../src/report/terminal.js';

test.each([
  [undefined, 100],
  [0, 100],
  [-3, 100],
  [NaN, 100],
  [Infinity, 100],
  [1, 1],
  [17, 17],
  [80.5, 80],
  [1e9, 2000],
])('a terminal that says it has %s columns has %i', (columns, expected) => {
  expect(columnsOf({ columns })).toBe(expected);
  expect(boxOf({ columns, rows: columns }).height).toBeGreaterThanOrEqual(1);
});

test('a browser of a terminal of unknown size has 80 columns and 24 rows', () => {
  expect(boxOf({ columns: 0, rows: 0 })).toEqual({ width: 80, height: 24 });
});

test('colours go to a terminal that takes them, and to nothing else', () => {
  const colour = (isTTY: boolean | undefined, environment: Record<string, string> = {}): boolean =>
    terminalStyle(false, environment, { isTTY }).colour;
  expect(isTerminal({})).toBe(false);
  expect(colour(true)).toBe(true);
  expect(colour(undefined)).toBe(false);
  expect(colour(true, { NO_COLOR: '1' })).toBe(false);
  expect(colour(true, { NO_COLOR: '' })).toBe(true);
  expect(colour(true, { TERM: 'dumb' })).toBe(false);
});
