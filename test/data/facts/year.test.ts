import { expect, it } from 'vitest';
import { convertYear } from '../../../data/facts/year.js';

it.each([
  [-384, '4 century BC'],
  [-122, '2 century BC'],
  [-69, '1 century BC'],
  [0, '0 century'],
  [1222, '13 century'],
  [1900, '19 century'],
  [1901, '1900s'],
  [1923, '1920s'],
  [1999, '1990s'],
  [2000, '2000'],
  [2020, '2020'],
])('%d is in %s', (year, bin) => {
  expect(convertYear(year)).toBe(bin);
});
