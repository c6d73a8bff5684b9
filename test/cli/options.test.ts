import { describe, expect, test } from 'vitest';
import { parseSeeds } from '../../src/cli/options.js';
import { formatDuration, ProgressLine } from '../../src/cli/progress.js';
import type { TrainingProgress } from '../../src/run/session.js';

describe('seeds', () => {
  test.each([
    ['3', [3]],
    ['0..3', [0, 1, 2, 3]],
    ['0,2,5..7', [0, 2, 5, 6, 7]],
    ['1,1,0..1', [1, 0]],
    ['12..12', [12]],
  ])('%s', (text, seeds) => {
    expect(parseSeeds(text)).toEqual(seeds);
  });

  test.each([
    ['', /expected seeds such as/],
    ['a', /expected seeds such as/],
    ['1..', /expected seeds such as/],
    ['-1', /expected seeds such as/],
    ['1.5', /expected seeds such as/],
    ['7..0', /7\.\.0 runs backwards/],
    ['1,,2', /expected seeds such as/],
    ['0x10', /expected seeds such as/],
    ['99999999999999999999', /seeds go up to 9007199254740991/],
    ['0..9999999', /0\.\.9999999 are more than 10000 seeds/],
  ])('%s is refused', (text, reason) => {
    expect(() => parseSeeds(text)).toThrow(reason);
  });
});

test.each([
  [0.4, '0 s'],
  [59.4, '59 s'],
  [60, '1 min 0 s'],
  [200, '3 min 20 s'],
  [7500, '2 h 5 min'],
  [Infinity, '?'],
  [NaN, '?'],
])('%d s reads %s', (seconds, text) => {
  expect(formatDuration(seconds)).toBe(text);
});

describe('progress', () => {
  const progressAt = (step: number): TrainingProgress => ({
    stage: 'stage1',
    step,
    totalSteps: 100,
    mayEndEarly: false,
    replicas: 2,
    loss: 0.5,
    metrics: [],
  });
  const lineOn = (isTerminal: boolean) => {
    let time = 0;
    const written: string[] = [];
    const line = new ProgressLine({
      isTerminal,
      columns: 60,
      write: (text) => void written.push(text),
      now: () => time,
    });
    return { line, written, at: (ms: number) => (time = ms) };
  };

  test('without a terminal: a line every five seconds, and the last', () => {
    const { line, written, at } = lineOn(false);
    for (let step = 1; step <= 100; step++) {
      at(step * 100);
      line.update(progressAt(step));
    }
    expect(written).toHaveLength(3);
    // From one step nothing is known about the rate.
    expect(written[0]).toBe('stage1 1/100 (1 %)  loss 0.500\n');
    expect(written[1]).toBe('stage1 51/100 (51 %)  10 steps/s x 2 seeds  5 s left  loss 0.500\n');
    expect(written[2]).toMatch(/^stage1 100\/100 \(100 %\)/);
    for (const control of ['\r', '\u001B']) expect(written.join('')).not.toContain(control);
  });

  test('runs that follow one another, and a resumed one, have a rate of their own', () => {
    const { line, written, at } = lineOn(false);
    line.update(progressAt(1));
    at(200_000);
    line.end();
    line.update(progressAt(60));
    at(205_000);
    line.update({ ...progressAt(61), replicas: 1 });
    expect(written[1]).toBe('stage1 60/100 (60 %)  loss 0.500\n');
    expect(written[2]).toBe('stage1 61/100 (61 %)  0.2 steps/s  3 min 15 s left  loss 0.500\n');
  });

  test('accuracies are those of the questions, averaged over seeds', () => {
    const { line, written } = lineOn(false);
    const metricsOf = (value: number): TrainingProgress['metrics'][number] => {
      const own = { value, n: 1, standardError: null };
      const all = { accuracy: own, margin: own, loss: own };
      return new Map([
        ['train_defs_d1consis', all],
        ['d1consis', all],
        ['d2consis', all],
      ]);
    };
    line.update({ ...progressAt(1), metrics: [metricsOf(0.5), metricsOf(1)] });
    expect(written[0]).toMatch(/  acc d1consis \.75 d2consis \.75\n$/);
  });

  test('in a terminal: one line that rewrites itself, never wider than the screen, below messages', () => {
    const { line, written, at } = lineOn(true);
    line.update(progressAt(1));
    at(50);
    line.update(progressAt(2));
    expect(written).toHaveLength(1);
    at(150);
    line.update(progressAt(3));
    expect(written).toHaveLength(2);
    expect(written[1]!.startsWith('\r\u001B[Kstage1 3/100')).toBe(true);
    expect(written[1]!.length).toBeLessThanOrEqual(60 + 4);
    line.message('note');
    expect(written[2]).toBe('\r\u001B[Knote\n');
    line.end();
    expect(written.at(-1)).toBe('\n');
  });
});
