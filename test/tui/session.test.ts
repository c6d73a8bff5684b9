import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { tableFromIPC } from 'apache-arrow';
import { afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { showCommand } from '../../src/cli/show.js';
import { bodyBox } from '../../tui/session/frame.js';
import type { ViewContext } from '../../tui/view/context.js';
import { views } from '../../tui/views/registry.js';
import { openSession, press, typed, type Watched } from './support/fake-session.js';
import { formatNumber } from '../../src/report/text/numbers.js';
import { accuracyOf, writeRun } from './support/fixture-run.js';
import { temporaryFolder } from './support/folders.js';

const print = vi.hoisted(() => vi.fn<(text: string) => void>());
vi.mock('../../src/cli/output.js', () => ({ print }));

let root: string;
const opened: Watched[] = [];

beforeAll(async () => {
  root = temporaryFolder();
  for (const seed of [0, 1, 2]) await writeRun(root, seed);
  await writeRun(root, 0, { name: 'other', steps: 20 });
});

afterEach(async () => {
  for (const { session } of opened.splice(0)) await session.close();
});

async function open(at = root, options = {}): Promise<Watched> {
  const watched = await openSession(at, options);
  opened.push(watched);
  return watched;
}

const selected = (lines: readonly string[]): string => lines.find((line) => line.startsWith('›')) ?? '';

test('every view is reached by its number, names itself, and fits the screen', async () => {
  const watched = await open();
  for (const [i, { id }] of views.slice(0, 9).entries()) {
    const lines = await press(watched, String(i + 1));
    expect(lines).toHaveLength(29);
    expect(lines[1]).toContain(`[${i + 1} ${id}]`);
    expect(lines.slice(4, -1).join('').trim(), id).not.toBe('');
    expect(lines.join('\n')).not.toContain('reading ...');
    for (const line of lines) expect(line.length).toBeLessThanOrEqual(100);
  }
});

describe('the list of views', () => {
  test('opens a view by a part of its name or question, by arrows, and closes without one', async () => {
    const watched = await open();
    const list = (await press(watched, 'v')).join('\n');
    for (const [i, { id, question }] of views.entries())
      expect(list).toMatch(
        new RegExp(`${i < 9 ? i + 1 : ' '}  ${id} +${question.slice(0, 40).replaceAll(/[?.|]/g, '.')}`),
      );
    expect(list).toContain('view: ');
    await press(watched, ...typed('heal'));
    expect(selected([...watched.session.frame().lines])).toContain('health');
    await press(watched, 'enter');
    expect(watched.session.view).toBe('health');
    expect(selected(await press(watched, 'v'))).toContain('health');
    expect(selected(await press(watched, 'down'))).toContain('findings');
    for (const { id } of views.slice(9)) expect(selected(await press(watched, 'down'))).toContain(id);
    expect(selected(await press(watched, 'down'))).toContain('runs');
    await press(watched, ...views.slice(6).map(() => 'up'), 'enter');
    expect(watched.session.view).toBe('config');
    await press(watched, 'v', ...typed('penalty follow'), 'enter');
    expect(watched.session.view).toBe('variance');
    expect((await press(watched, 'v', ...typed('zzz'))).join('\n')).toContain('no view has this');
    await press(watched, 'enter');
    expect(watched.session.view).toBe('variance');
    await press(watched, 'v', ...typed('runs'), 'escape');
    expect(watched.session.view).toBe('variance');
    // Keys right behind the choice are meant for the view that was chosen.
    await press(watched, 'v', ...typed('tr'), 'enter', 'tab');
    expect(watched.session.view).toBe('training');
    expect(watched.session.state.panel).toBe(1);
  });

  test.each([80, 100, 160])('takes more than nine views, %i columns', async (width) => {
    const more = Array.from({ length: 6 }, (_, i) => ({
      id: `further-study-${i}`,
      short: `more${i}`,
      question: `What does study ${i} say?`,
      load: (context: ViewContext) => views[6]!.load(context),
    }));
    const watched = await open(root, { width, views: [...views, ...more] });
    const every = [...views, ...more];
    for (const { id } of every) {
      const lines = await press(watched, 'v', ...typed(id), 'enter');
      expect(watched.session.view).toBe(id);
      expect(lines[1]).toContain(`${id}]`);
      expect(lines[1]!.length).toBeLessThanOrEqual(width);
      if (width < 160) expect(lines[1]).toContain(`v: all ${every.length}`);
    }
    await press(watched, '9');
    expect(watched.session.view).toBe('findings');
    const list = await press(watched, 'v');
    expect(list.filter((line) => /further-study-\d/.test(line)).length).toBe(6);
  });
});

describe('runs', () => {
  test('the cursor chooses the run that views show, a burst of keys is not lost', async () => {
    const watched = await open();
    const lines = await press(watched, 'j', 'j');
    expect(selected(lines)).toContain('tiny-seed1');
    expect((await press(watched, 'enter'))[0]).toContain('tiny-seed1');
    expect(watched.session.view).toBe('training');
    expect((await press(watched, 'J'))[0]).toContain('tiny-seed2');
    expect(selected(await press(watched, 'escape'))).toContain('tiny-seed2');
    expect(selected(await press(watched, ...typed('kkk')))).toContain('other-seed0');
  });

  test('are filtered while one types, and the filter goes with escape', async () => {
    const watched = await open();
    const typing = await press(watched, '/', ...typed('other'));
    expect(typing.at(-1)).toMatch(/^filter .*: other/);
    expect(typing.filter((line) => line.includes('-seed'))).toHaveLength(2);
    expect(watched.session.frame().lines.join('\n')).not.toContain('tiny-seed');
    await press(watched, 'enter');
    expect(watched.session.currentRun).toContain('other-seed0');
    expect((await press(watched, 'escape')).filter((line) => /^[› ] .*-seed/.test(line))).toHaveLength(4);
    expect((await press(watched, '/', ...typed('nosuch'), 'enter')).join('\n')).toContain(
      'no row has nosuch',
    );
  });

  test('are sorted by any column, from the largest, and back', async () => {
    const watched = await open();
    const order = async (...keys: string[]): Promise<number[]> =>
      (await press(watched, ...keys)).flatMap((line) => {
        const found = /100 % +([+-]0\.\d+)/.exec(line);
        return found === null ? [] : [Number(found[1])];
      });
    // run, status, last, done, weak gap
    const down = await order('s', 's', 's', 's', 's');
    expect(down).toHaveLength(4);
    expect(down).toEqual(down.toSorted((a, b) => b - a));
    expect(await order('S')).toEqual(down.toReversed());
  });

  test('that are selected are compared, and averaged in other views', async () => {
    const watched = await open(root, { width: 160 });
    await press(watched, ...typed('j   '));
    expect(watched.session.marked.size).toBe(3);
    const compare = await press(watched, 'g', 'space', 'c');
    const text = compare.join('\n');
    expect(text).toContain('tiny, 3 seeds');
    expect(text).toMatch(/name +tiny +other/);
    // Both have seed 0 alone: a difference without an interval.
    const gap = (seed: number, steps: number): number =>
      accuracyOf('qd1consis', steps, seed) - accuracyOf('qd2incons', steps, seed);
    expect(text).toContain('tiny - other, by seed');
    expect(compare.find((line) => line.includes('weak gap, accuracy'))).toContain(
      ` ${formatNumber(gap(0, 40) - gap(0, 20), true)} `,
    );
    expect(text).toMatch(/strong gap, accuracy +accuracy .*\[/);
    const training = await press(watched, '2');
    expect(training.join('\n')).toContain('mean over seeds');
    expect(training.join('\n')).toContain('tiny qd1consis');
    await press(watched, '1', 'escape', 'escape');
    expect(watched.session.marked.size).toBe(0);
  });
});

describe('charts', () => {
  test('are read off at the cursor, zoomed, and panned', async () => {
    const watched = await open();
    await press(watched, 'enter', '[');
    const at = await press(watched, ':', ...typed('20'), 'enter');
    expect(at.join('\n')).toContain('at step 20:');
    const zoomed = await press(watched, '+');
    expect(watched.session.state.zoom).not.toBeNull();
    expect(zoomed.join('\n')).not.toBe(at.join('\n'));
    await press(watched, '>', '<');
    await press(watched, 'escape');
    expect(watched.session.state).toMatchObject({ zoom: null, cursor: null });
  });

  test('have linear and log axes, where that makes a difference', async () => {
    const watched = await open();
    await press(watched, 'enter');
    while (!(await press(watched, ']'))[2]!.includes('loss of the minibatch'));
    const log = watched.session.frame().lines.join('\n');
    const linear = (await press(watched, 'L')).join('\n');
    expect(linear).not.toBe(log);
    expect((await press(watched, 'L')).join('\n')).toBe(log);
  });
});

test('an entity is drilled into and left again, its row and panel kept', async () => {
  const watched = await open();
  const list = await press(watched, 'j', '3', 'shift+tab', 'j', 'j');
  const [variable, subset] = selected(list).replace('›', '').trim().split(/ +/);
  const drilled = await press(watched, 'enter');
  expect(drilled[2]).toContain(`${subset}/${variable}/`);
  expect(drilled.join('\n')).toContain('layers.0.mlp.weight');
  const said = await press(watched, 'tab');
  expect(said[2]).toContain('| [tokens]');
  expect(said.join('\n')).toContain(`${100 + Number(variable)} variable`);
  expect(watched.session.command()).toContain('--panel tokens --drill');
  expect((await press(watched, 'tab')).join('\n')).toContain('layers.0.mlp.weight');
  expect(selected(await press(watched, 'escape'))).toBe(selected(list));
});

test('training: a key goes through the kinds of test sets and keeps the other words of the filter', async () => {
  const watched = await open();
  await press(watched, 'j', '2', '/', ...typed('d1'), 'enter');
  const filters: string[] = [];
  for (let i = 0; i < 3; i++) {
    await press(watched, 'f');
    filters.push(watched.session.state.filter);
  }
  expect(filters).toEqual(['train_ d1', 'all d1', 'd1']);
});

test('minibatches: a step is gone to, the end is followed', async () => {
  const watched = await open();
  await press(watched, 'j', '4');
  expect(selected(await press(watched, ':', ...typed('33'), 'enter'))).toMatch(/^› +33 /);
  expect((await press(watched, ':', 'x', 'enter')).at(-1)).toContain('not a step: x');
  expect(selected(await press(watched, 'G'))).toMatch(/^› +50 /);
  expect(watched.session.state.row).toBe(Infinity);
  expect(selected(await press(watched, 'k'))).toMatch(/^› +49 /);
  expect((await press(watched, '/', ...typed('loss<0.35'), 'enter')).join('\n')).toContain(
    'filter: loss<0.35',
  );
});

test('the help has every key and goes away', async () => {
  const watched = await open();
  const help = (await press(watched, '?')).join('\n');
  expect(help).toContain('Move');
  expect((await press(watched, 'pagedown')).join('\n')).toContain('copy the command');
  expect((await press(watched, '?')).join('\n')).toContain('tiny-seed0');
});

test('all runs of the list on screen are selected, whatever filtered it', async () => {
  const watched = await open();
  const filtered = await press(watched, '/', ...typed('weakgap>0.06'), 'enter', 'a');
  const count = filtered.filter((line) => /tiny-seed|other-seed/.test(line) && /^[› ]●/.test(line)).length;
  expect(count).toBe(3);
  expect(watched.session.marked.size).toBe(3);
  expect(watched.session.command()).not.toContain('other-seed0');
  await press(watched, 'a');
  expect(watched.session.marked.size).toBe(0);
});

test('the row at the end of a list, and the whole command, can be copied and read', async () => {
  const watched = await open(root, { width: 100, height: 30 });
  await press(watched, '4', 'G', 'y');
  expect(watched.copied.at(-1)).toMatch(/ --row 24 /);
  const lines = await press(watched, 'Y');
  expect(lines.slice(0, 3).at(-1)).toContain('The command that prints this screen');
  const text = lines.slice(4, -1).join('\n').trim();
  expect(execFileSync('sh', ['-c', `printf '%s ' ${text}`], { encoding: 'utf8' }).trim()).toBe(
    watched.copied.at(-1),
  );
  expect((await press(watched, 'escape')).join('\n')).not.toContain('The command that prints');
});

describe('export', () => {
  test('writes what is on screen in the format of its name, and never over a file', async () => {
    const watched = await open();
    await press(watched, 'j', '3', 'shift+tab');
    expect((await press(watched, 'e')).at(-1)).toContain('alignment-entities-tiny-seed0.arrow');
    expect((await press(watched, 'enter')).at(-1)).toContain(
      'written: alignment-entities-tiny-seed0.arrow (20 rows)',
    );
    const table = tableFromIPC(watched.written.get('alignment-entities-tiny-seed0.arrow') as Uint8Array);
    expect(table.numRows).toBe(20);
    const gaps = table.getChild('tag-swap_gap')!.toJSON() as number[];
    expect(gaps).toEqual(gaps.toSorted((a, b) => b - a));
    expect(table.schema.metadata.get('gradscope.command')).toContain('--view alignment --panel entities');
    expect((await press(watched, 'e', 'tab', 'enter')).at(-1)).toContain(
      'written: alignment-entities-tiny-seed0-2.csv',
    );
    expect((await press(watched, 'e', 'ctrl+u', ...typed('x.svg'), 'enter')).at(-1)).toContain(
      'there is no chart here',
    );
    await press(watched, '2', 'e', 'tab', 'tab', 'enter');
    expect(watched.written.get('training-curves-tiny-seed0.svg')).toMatch(/^<svg/);
    expect((await press(watched, 'e', 'escape')).at(-1)).not.toContain('write to');
  });

  test('the command that is copied prints the same', async () => {
    const watched = await open();
    const settings: string[][] = [
      ['1', 's', 's', 's', 's'],
      ['3', 'shift+tab', '/', ...typed('consis'), 'enter', 's', 'j', 'j'],
      ['2', ':', ...typed('20'), 'enter', '+', ']'],
      ['4', ':', ...typed('12'), 'enter', ']'],
      ['3', 'tab', 'tab', 'enter'],
      ['9', 'tab', ']'],
    ];
    await press(watched, 'j', 'j');
    for (const keys of settings) {
      const screen = await press(watched, ...keys, 'y');
      const command = watched.copied.at(-1)!;
      expect(screen.at(-1)).toContain(command.slice(0, 40));
      const box = bodyBox({ width: 100, height: 30 });
      expect(command).toContain(`--width ${box.width} --height ${box.height}`);
      const words = shellWords(command);
      expect(words.slice(0, 3)).toEqual(['npx', 'gradscope', 'show']);
      await showCommand().parseAsync(words.slice(3), { from: 'user' });
      const printed = print.mock.lastCall![0].replace(/\n… \d+ more rows \(--height \d+\)$/, '');
      // Ages go on between the two.
      const still = (text: string): string =>
        text
          .replaceAll(/ \d+ s /g, ' 1 s ')
          .replaceAll(/ \((?:j|--height \d+)\)$/gm, '')
          .trimEnd();
      const body = still(screen.slice(4, -1).join('\n'));
      expect(`\n${still(printed)}`.endsWith(`\n${body}`), `${command}\n${printed}\n---\n${body}`).toBe(true);
    }
  });

  /** Words as a shell splits them. */
  function shellWords(command: string): string[] {
    return execFileSync('sh', ['-c', `printf '%s\\n' ${command}`], { encoding: 'utf8' })
      .trimEnd()
      .split('\n');
  }
});

describe('live', () => {
  test('runs appear, grow, finish and vanish without a restart', async () => {
    const at = temporaryFolder();
    const first = await writeRun(at, 0, { running: true });
    const watched = await open(at);
    expect(watched.session.frame().lines[3 + 2]).toContain('running');
    watched.time += 5000;
    await press(watched, '4', 'G');
    expect(selected([...watched.session.frame().lines])).toMatch(/^› +20 /);
    expect(watched.session.frame().lines[2]).toContain('follows');
    // The run goes on: its streams are replaced by those of a longer one, in place.
    const longer = await writeRun(temporaryFolder(), 0, { running: true, steps: 80 });
    for (const table of ['steps', 'gradients', 'gram'])
      fs.writeFileSync(
        path.join(first, `${table}.arrows`),
        fs.readFileSync(path.join(longer, `${table}.arrows`)),
      );
    await watched.session.refresh();
    expect(selected(await press(watched))).toMatch(/^› +40 /);
    await writeRun(at, 1);
    await watched.session.refresh();
    expect((await press(watched, '1')).join('\n')).toMatch(/tiny-seed1 +complete/);
    fs.rmSync(first, { recursive: true });
    await watched.session.refresh();
    const left = await press(watched);
    expect(left.join('\n')).not.toContain('tiny-seed0');
    expect(left[0]).toContain('tiny-seed1');
  });

  test('a folder that goes is said, and its runs stay on screen', async () => {
    const at = temporaryFolder();
    await writeRun(at, 0);
    const watched = await open(at);
    fs.renameSync(at, `${at}-gone`);
    await watched.session.refresh();
    expect(watched.session.frame().lines.at(-1)).toContain('cannot be read');
    fs.renameSync(`${at}-gone`, at);
    await watched.session.refresh();
    expect(watched.session.frame().lines.at(-1)).toContain('quit');
  });

  test('a table that cannot be read takes down its own view alone', async () => {
    const at = temporaryFolder();
    const folder = await writeRun(at, 0);
    fs.writeFileSync(path.join(folder, 'steps.arrow'), 'garbage that is no table');
    const watched = await open(at);
    expect((await press(watched, '4')).join('\n')).toContain('steps.arrow: not an Arrow file');
    expect((await press(watched, '3', 'shift+tab')).join('\n')).toContain('d1consis');
    expect((await press(watched, '7', 'shift+tab')).join('\n')).toMatch(/steps +unreadable/);
  });
});

test('below 80 x 24 the screen says so, and is back when there is room', async () => {
  const watched = await open();
  watched.session.resize({ width: 60, height: 18 });
  expect([...watched.session.frame().lines]).toEqual([
    'gradscope needs',
    '80 x 24 characters.',
    'This terminal has 60 x 18.',
    'q quits',
  ]);
  watched.session.resize({ width: 80, height: 24 });
  expect(watched.session.frame().lines).toHaveLength(23);
  await press(watched, 'q');
  expect(watched.quits).toBe(1);
});

test('a screen reader gets sentences in place of charts', async () => {
  const watched = await open(root, { style: { colour: false, ascii: false, screenReader: true } });
  const text = (await press(watched, '2')).join('\n');
  expect(text).toMatch(/qd1consis: first 0\.\d+ at step 0, lowest/);
  expect(text).not.toMatch(/[\u2801-\u28FF]/);
});
