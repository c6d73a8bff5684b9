import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { delimitedRows } from '../../../data/files/delimited.js';
import { utf8Text } from '../../../data/files/utf8.js';

const cut = (text: string, size: number): string[] =>
  Array.from({ length: Math.ceil(text.length / size) }, (_, i) => text.slice(i * size, (i + 1) * size));

const quoted = (field: string): string =>
  /[",\t\r\n]/.test(field) ? `"${field.replaceAll('"', '""')}"` : field;

it('a table is the same in pieces of any size, with either delimiter and line end', () => {
  const field = fc.string({
    unit: fc.constantFrom('a', 'é', '"', ',', '\t', '\n', ' ', '\r\n'),
    minLength: 1,
  });
  fc.assert(
    fc.property(
      fc.array(fc.tuple(field, field)),
      fc.constantFrom(',', '\t'),
      fc.constantFrom('\n', '\r\n'),
      fc.boolean(),
      fc.integer({ min: 1, max: 20 }),
      (rows, delimiter, lineEnd, endsInLine, size) => {
        const lines = [['x', 'y'], ...rows].map((fields) => fields.map(quoted).join(delimiter));
        const text = lines.join(lineEnd) + (endsInLine ? lineEnd : '');
        const read = Array.from(delimitedRows('t', cut(text, size), ['y', 'x']), ({ x, y }) => [x, y]);
        expect(read).toEqual(rows);
      },
    ),
  );
});

it('a short row has empty fields at its end, and blank lines are no rows', () => {
  expect([...delimitedRows('t', ['a,b\n1\n\n2,3\n'], ['a', 'b'])]).toEqual([
    { a: '1', b: '' },
    { a: '2', b: '3' },
  ]);
});

it.each([
  ['', /^t: is empty; expected a row of column names$/],
  ['a,b\n1,2,3\n', /^t, row 2: has 3 fields, but the first row names 2 columns; quote/],
  ['a\n1\n', /^t: has no column b \(it has a\); give the file with all of a, b$/],
])('%j is no table', (text, message) => {
  expect(() => [...delimitedRows('t', [text], ['a', 'b'])]).toThrow(message);
});

it('text that is not UTF-8 is found by its line', () => {
  expect(utf8Text('t', Buffer.from('é\n😀'))).toBe('é\n😀');
  expect(() => utf8Text('t', Buffer.from([0x61, 0x0a, 0x62, 0x0a, 0x63, 0xff]))).toThrow(
    /^t, line 3: is not UTF-8; save/,
  );
});
