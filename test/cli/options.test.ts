import { describe, expect, test } from 'vitest';
import { parseSeeds } from '../../src/cli/options.js';
import { formatDuration, ProgressLine } from '../../src/cli/progress.js';
import type { Progress } from '../../src/run/session.js';

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
  const progressAt = (step: number): Progress => ({
    stage: 'stage1',
    step,
    totalSteps: 100,
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
    expect(written[1]).toBe('stage1 51/100 (51 %)  10 steps/s x 2 seeds  5 s left  loss 0.500\n');
    expect(written[2]).toMatch(/^stage1 100\/100 \(100 %\)/);
    expect(written.join('')).not.toMatch(/[\r\u001B]/);
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
    expect(written[1]).toMatch(/^\r\u001B\[Kstage1 3\/100/);
    expect(written[1]!.length).toBeLessThanOrEqual(60 + 4);
    line.message('note');
    expect(written[2]).toBe('\r\u001B[Knote\n');
    line.end();
    expect(written.at(-1)).toBe('\n');
  });
});
