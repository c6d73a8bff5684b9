import fs from 'node:fs';
import { beforeAll, expect, test } from 'vitest';
import { openSession, press } from './support/fake-session.js';
import { writeRun } from './support/fixture-run.js';
import { temporaryFolder } from './support/folders.js';

/** Screens of docs/tui.md with the keys that lead to them; `npm run docs:screens` draws them. */
const screens = [
  ...fs
    .readFileSync('docs/tui.md', 'utf8')
    .matchAll(/<!-- screen: ([^\n]*) -->\n\n```text\n([\s\S]*?)\n```/g),
].map(([, keys = '', text = '']) => ({ keys, lines: text.split('\n') }));

let root: string;

beforeAll(async () => {
  root = temporaryFolder();
  for (const seed of [0, 1]) await writeRun(root, seed);
});

/** Views, panels and the beginning of the question: what a screen says whatever the runs are. */
function labels([, views = '', panels = '', question = '']: readonly string[]): string[] {
  const names = /\b(?:small|tiny)(?:-seed\d+)?\b|\b\d+ seeds\b/g;
  return [views, panels.split('  ')[0]!, question.replaceAll(names, 'RUN').slice(0, 70)].map((line) =>
    line.trimEnd(),
  );
}

test('the page shows every view', () => {
  expect(screens.length).toBeGreaterThan(9);
});

test.each(screens.filter(({ keys }) => !keys.includes('enter')))(
  'views, panels and question of the screen after "$keys" are as drawn',
  async ({ keys, lines }) => {
    const watched = await openSession(root);
    const drawn = await press(watched, ...keys.split(' '));
    await watched.session.close();
    expect(labels(lines)).toEqual(labels(drawn));
  },
);
