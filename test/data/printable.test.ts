import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { UserError } from '../../data/errors.js';
import {
  isPrintable,
  printable,
  printableJson,
  printableLines,
  printableStyled,
} from '../../data/printable.js';

test.each([
  ['plain text, ümläute, 数字, 👩‍🔬 and −1', 'plain text, ümläute, 数字, 👩‍🔬 and −1'],
  ['\u001b[31mred\u001b[0m', '\\x1b[31mred\\x1b[0m'],
  ['\u001b]0;title\u0007', '\\x1b]0;title\\x07'],
  ['a\r\nb\tc\0d\u007f', 'a\\r\\nb\\tc\\x00d\\x7f'],
  ['\u009b31m', '\\x9b31m'],
  ['gpj.\u202egnp', 'gpj.\\u202egnp'],
  ['\u2066a\u2069 \u200fb \u061cc', '\\u2066a\\u2069 \\u200fb \\u061cc'],
  ['one\u2028two\u2029three\ufeff', 'one\\u2028two\\u2029three\\ufeff'],
  ['tag\u{e0041}', 'tag\\u{e0041}'],
  ['half \ud83d pair', 'half \\ud83d pair'],
])('%j is printed as %j', (text, expected) => {
  expect(printable(text)).toBe(expected);
});

test('every control of C0 and C1 is escaped', () => {
  const controls = Array.from({ length: 0xa0 }, (_, code) => String.fromCharCode(code)).filter(
    (character) => character < ' ' || character >= '\x7f',
  );
  expect(controls).toHaveLength(65);
  for (const control of controls) expect(printable(control)).toMatch(/^\\(?:x[0-9a-f]{2}|n|r|t)$/);
});

test('lines stay apart where a text has several', () => {
  expect(printableLines('a\n\u001b[2Jb\r\n')).toBe('a\n\\x1b[2Jb\\r\n');
});

test('the message of a UserError is printable whatever it names', () => {
  const error = new UserError('/tmp/\u001b[31m: first\nsecond', { cause: 'test' });
  expect(error.message).toBe('/tmp/\\x1b[31m: first\nsecond');
  expect(error.cause).toBe('test');
  expect(String(error)).toBe('UserError: /tmp/\\x1b[31m: first\nsecond');
});

const hostile = [
  '\u001B[31m',
  '\u001B]0;t\u0007',
  '\u009B2J',
  '\u007F',
  '\r',
  '\u202E',
  '\u2028',
  '\uD800',
  '\uFFFE',
];

/** Hostile pieces between characters of all kinds. */
const anyText = fc
  .array(fc.oneof(fc.constantFrom(...hostile), fc.string({ unit: 'grapheme', maxLength: 4 })), {
    maxLength: 8,
  })
  .map((parts) => parts.join(''));

test('printable text is its own printable text', () => {
  fc.assert(
    fc.property(anyText, (text) => {
      expect(isPrintable(printable(text))).toBe(true);
      expect(printable(printable(text))).toBe(printable(text));
    }),
  );
});

test('of a coloured line the colours stay, and nothing else that a terminal obeys', () => {
  expect(printableStyled('\u001B[1mbold\u001B[22m\u001B[2J\u001B]0;t\u0007')).toBe(
    '\u001B[1mbold\u001B[22m\\x1b[2J\\x1b]0;t\\x07',
  );
});

test('printable JSON is JSON of the same value', () => {
  fc.assert(
    fc.property(anyText, (text) => {
      const json = printableJson({ [text]: [text] }, 2);
      expect(isPrintable(json.replaceAll('\n', ''))).toBe(true);
      expect(JSON.parse(json)).toEqual({ [text]: [text] });
    }),
  );
});
