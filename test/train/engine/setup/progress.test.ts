import { expect, test } from 'vitest';
import { createProgress } from '../../../../src/train/engine/setup/index.js';

function progressOn(isTerminal: boolean, columns = 80) {
  const clock = { now: new Date(2026, 0, 1, 12, 0, 0).getTime() };
  let text = '';
  const progress = createProgress({
    write: (part) => (text += part),
    isTerminal,
    columns,
    now: () => clock.now,
  });
  return { clock, progress, text: () => text };
}

/** Twelve seconds of updates, two a second. */
function longStep({ clock, progress }: ReturnType<typeof progressOn>) {
  const step = progress.step('unpacking');
  for (let tick = 1; tick <= 24; tick++) {
    clock.now += 500;
    step.update(`${tick} MB`);
  }
  step.end();
}

test('a step below two seconds says nothing', () => {
  const shown = progressOn(false);
  const step = shown.progress.step('unpacking');
  shown.clock.now += 1500;
  step.update('1 MB');
  step.end();
  expect(shown.text()).toBe('');
});

test('a log gets a stamped line every five seconds', () => {
  const shown = progressOn(false);
  longStep(shown);
  expect(shown.text()).toBe(
    '[12:00:02] unpacking: 4 MB\n[12:00:07] unpacking: 14 MB\n[12:00:12] unpacking: 24 MB\n' +
      '[12:00:12] unpacking: took 12 s\n',
  );
});

test('a terminal gets one line that changes and goes', () => {
  const shown = progressOn(true, 20);
  longStep(shown);
  const frames = shown.text().split('\r\u001B[2K');
  expect(frames[1]).toBe('unpacking: 4 MB (2 ');
  expect(frames.at(-1)).toBe('');
  expect(shown.text()).not.toContain('\n');
});
