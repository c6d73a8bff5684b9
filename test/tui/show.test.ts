import { beforeAll, describe, expect, test } from 'vitest';
import { UserError } from '../../data/errors.js';
import { show, type ShowOptions } from '../../tui/show.js';
import { plainStyle } from './support/plain-style.js';
import { views } from '../../tui/views/registry.js';
import { writeRun } from './support/fixture-run.js';
import { temporaryFolder } from './support/folders.js';

let root: string;

beforeAll(async () => {
  root = temporaryFolder();
  for (const seed of [0, 1]) await writeRun(root, seed);
  await writeRun(root, 0, { name: 'other', steps: 20 });
});

const shown = (view: string, options: Partial<ShowOptions> = {}): Promise<string[]> =>
  show({ folders: [root], view, width: 100, height: 40, style: plainStyle, ...options });

describe('a folder with several configs', () => {
  test('has the findings of each, named', async () => {
    const lines = await shown('findings', { panel: 'claims' });
    const headings = lines.filter((line) => line.startsWith('findings: claims'));
    expect(headings).toEqual([
      'findings: claims, set-inclusion other',
      'findings: claims, set-inclusion tiny',
    ]);
  });

  test('shows one run in views of a run, and says which', async () => {
    for (const { id } of views.filter((own) => !['runs', 'findings'].includes(own.id))) {
      const [heading] = await shown(id);
      expect(heading).toMatch(/, other-seed0/);
    }
  });
});

describe('what is cut', () => {
  test('of a list is counted, and the height that is named shows all', async () => {
    const run = [`${root}/tiny-seed0`];
    const last = (lines: readonly string[]): string => lines.at(-1)!;
    const cut = await shown('minibatches', { folders: run, height: 12 });
    const [, left, height] = /^… (\d+) more rows \(--height (\d+)\)$/.exec(last(cut))!;
    expect(Number(left)).toBeGreaterThan(30);
    expect(last(await shown('minibatches', { folders: run, height: Number(height) }))).not.toContain('more');
    const health = await shown('health', { folders: run, panel: 'checks', height: 7 });
    expect(last(health)).toMatch(/^… \d+ more rows? \(--height \d+\)$/);
  });

  test('of lines below a figure too', async () => {
    for (const [view, panel] of [
      ['training', 'gaps'],
      ['variance', 'penalty'],
      ['findings', 'claims'],
    ] as const) {
      const options = { folders: [`${root}/tiny-seed0`], panel };
      const note = (await shown(view, { ...options, height: 14 })).find((line) => line.startsWith('…'))!;
      const [, height] = /^… \d+ more lines? \(--height (\d+)\)$/.exec(note)!;
      const whole = await shown(view, { ...options, height: Number(height) });
      expect(whole.filter((line) => /more lines?/.test(line))).toEqual([]);
    }
  });

  test('has an ellipsis: no line is wider than asked', async () => {
    for (const { id } of views) {
      const lines = await shown(id, { width: 60, folders: [`${root}/tiny-seed0`] });
      expect(lines.filter((line) => line.length > 60)).toEqual([]);
    }
  });
});

describe('options that do nothing are refused', () => {
  test('what is not there to drill into', async () => {
    for (const drill of ['garbage', '40:nothing/1/heldout', '-1:d1consis/20/heldout'])
      await expect(shown('alignment', { drill })).rejects.toThrow(UserError);
    await expect(shown('training', { drill: '40:d1consis/20/heldout' })).rejects.toThrow(/no such row/);
    expect(
      (await shown('alignment', { drill: '40:d1consis/20/heldout', folders: [`${root}/tiny-seed0`] }))[0],
    ).toContain('d1consis/20/heldout, step 40');
  });

  test('a cursor where nothing is read off', async () => {
    await expect(shown('runs', { cursor: 3 })).rejects.toThrow(/--cursor: there is no chart/);
    await expect(shown('config', { cursor: 3 })).rejects.toThrow(UserError);
    expect((await shown('training', { cursor: 20 })).join('\n')).toContain('at step 20');
  });

  test('in a list of steps the cursor selects the step', async () => {
    const lines = await shown('minibatches', { folders: [`${root}/tiny-seed0`], cursor: 23 });
    expect(lines.find((line) => line.startsWith('›'))).toMatch(/^› +23 /);
  });
});
