import fs from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';

/** Phrases that are no plain technical English, with what to write. */
const banned: readonly (readonly [RegExp, string])[] = [
  [/\b(?:is|are|be) had\b/i, 'exists, is available'],
  [/points? the way of/i, 'is aligned with'],
  [/unless told/i, 'by default'],
  [/gone on with/i, 'resumed, continued'],
  [/\b(?:is|are) told\b(?! apart)/i, 'is printed, is reported'],
  [/\bof it because\b/i, 'name the part'],
  [/\bcomes? about\b/i, 'develops, arises'],
  [/\bown (?:questions|sight)/i, 'the questions about its variable; same subset'],
  [/may be given again/i, 'can be repeated'],
];

function filesOf(folder: string, ending: RegExp): string[] {
  return fs
    .readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => ending.test(name))
    .map((name) => path.join(folder, name));
}

/** Lines that people read: whole pages, and of programs the lines with a text. */
const pages = ['README.md', ...filesOf('docs', /\.md$/)].filter((file) => path.basename(file) !== 'api.md');
const programs = [...filesOf('src', /\.ts$/), ...filesOf('tui', /\.tsx?$/), ...filesOf('scripts', /\.mjs$/)];

const linesOf = (file: string): string[] => fs.readFileSync(file, 'utf8').split('\n');
const texts = (file: string): string[] =>
  linesOf(file).map((line) => (/^\s*(?:\/?\*|\/\/)/.test(line) ? '' : (/['`].*/.exec(line)?.[0] ?? '')));

test('pages, help texts, labels and messages are in plain technical English', () => {
  const found = [
    ...pages.map((file) => ({ file, lines: linesOf(file) })),
    ...programs.map((file) => ({ file, lines: texts(file) })),
  ].flatMap(({ file, lines }) =>
    lines.flatMap((line, i) =>
      banned.flatMap(([phrase, instead]) => {
        const text = phrase.exec(line)?.[0];
        return text === undefined ? [] : [`${file}:${i + 1}: "${text}"; write: ${instead}`];
      }),
    ),
  );
  expect(found).toEqual([]);
});
