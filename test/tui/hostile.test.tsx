import fs from 'node:fs';
import path from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { Resvg } from '@resvg/resvg-js';
import { render } from 'ink';
import { beforeAll, describe, expect, test, vi } from 'vitest';
import { isPrintable } from '../../data/printable.js';
import { analyseArm } from '../../src/analysis/analyse-arm.js';
import { analysisDocument, analysisFolder } from '../../src/analysis/document.js';
import { findRuns } from '../../src/analysis/find-runs.js';
import { groupIntoArms } from '../../src/analysis/run-data.js';
import { armReport } from '../../src/report/text/arm-report.js';
import { recoverCommand } from '../../src/cli/recover.js';
import { App } from '../../tui/ink/App.js';
import { show } from '../../tui/show.js';
import { plainStyle } from './support/plain-style.js';
import { views } from '../../tui/views/registry.js';
import { openSession, press, typed } from './support/fake-session.js';
import { writeRun } from './support/fixture-run.js';
import { temporaryFolder } from './support/folders.js';
import { Screen } from './support/screen.js';

/** Colours the program never writes, so that they can only come from a file. */
const hostile = '\u001B[41m\u001B]0;own\u0007\u009B2J\n\u202E';

/** Words of the tables by others, which hold escapes, C1 controls and bells. */
const replacements: Readonly<Record<string, string>> = {
  qd2incons: '\u001B[41m\u009B2J',
  stage2: '\u001B[41m\u0007',
};
const rename = (word: string): string => replacements[word] ?? word;

const written = vi.hoisted(() => [] as string[]);
vi.mock('../../src/cli/output.js', () => ({
  print: (text: string) => written.push(text),
  tell: (text: string) => written.push(text),
}));

let root: string;
let runs: string[];

beforeAll(async () => {
  root = path.join(temporaryFolder(), `runs${hostile}`);
  fs.mkdirSync(root);
  for (const seed of [0, 1]) await writeRun(root, seed, { rename });
  runs = fs.readdirSync(root).map((name) => {
    poison(path.join(root, name));
    const renamed = path.join(root, `${hostile}${name}`);
    fs.renameSync(path.join(root, name), renamed);
    return renamed;
  });
});

/** What a run says of itself, as somebody could write it. */
function poison(folder: string): void {
  fs.appendFileSync(path.join(folder, 'config.yaml'), `# ${hostile.replace('\n', '')}\n`);
  const file = path.join(folder, 'run.json');
  const info = JSON.parse(fs.readFileSync(file, 'utf8'));
  const stages = info.stages.map((own: { name: string }) => ({ ...own, name: rename(own.name) }));
  const changes = {
    stages,
    engine: hostile,
    versions: { ...info.versions, [hostile]: hostile },
    command: [...info.command, hostile],
    failure: hostile,
  };
  fs.writeFileSync(file, JSON.stringify({ ...info, ...changes }));
}

/** SGR sequences of this program; those of the files have a background of the first 16 colours. */
// oxlint-disable-next-line no-control-regex -- escapes are what is looked for
const ownStyle = /\u001B\[(?!41)[\d;]*m/g;

function expectClean(lines: readonly string[]): void {
  for (const line of lines)
    expect(isPrintable(line.replaceAll(ownStyle, '')), JSON.stringify(line)).toBe(true);
}

describe.each([
  ['without colour', plainStyle],
  ['in colour', { ...plainStyle, colour: true }],
  ['as sentences', { ...plainStyle, screenReader: true }],
])('hostile names in folders, tables, run.json: %s', (_name, style) => {
  test('every view, panel, choice and message of the browser is clean', async () => {
    const watched = await openSession(root, { style, width: 160, height: 50 });
    expect(watched.session.data.entries.map(({ error }) => error)).toEqual([null, null]);
    const look = async (...keys: string[]): Promise<void> => {
      expectClean(await press(watched, ...keys));
      expectClean(watched.session.picture().picture.lines);
    };
    await look('a');
    for (let view = 1; view <= views.length; view++) {
      await look(String(view));
      for (let panel = 0; panel < 4; panel++) {
        await look('tab');
        await look(']');
        await look('enter');
        await look('escape');
      }
      await look('y');
      await look('e', ...typed('/nowhere'), 'enter');
      await look('/', ...typed('no such'), 'enter', 'escape');
    }
    for (const copied of watched.copied) expect(isPrintable(copied)).toBe(true);
    await watched.session.close();
  });

  test.each(views.map(({ id }) => id))('show --view %s is clean', async (view) => {
    const lines = await show({ folders: runs, view, width: 100, height: 40, style });
    expect(lines.length).toBeGreaterThan(2);
    expectClean(lines);
  });
});

test('refusals of show are clean', async () => {
  const base = { folders: runs, view: 'training', width: 100, height: 40, style: plainStyle };
  for (const other of [
    { view: hostile },
    { panel: hostile },
    { choose: hostile },
    { sort: hostile },
    { folders: [hostile] },
  ])
    await expect(show({ ...base, ...other })).rejects.toSatisfy((error: Error) =>
      isPrintable(error.message.replaceAll('\n', '')),
    );
});

test('figures are XML', async () => {
  const watched = await openSession(root, { width: 160, height: 50 });
  for (const keys of [['2'], ['3'], ['tab'], ['5'], ['6'], ['1', 'a', '2']]) {
    await press(watched, ...keys);
    await press(watched, 'e', 'ctrl+u', ...typed(`${keys.join('')}.svg`), 'enter');
  }
  const figures = [...watched.written.values()].map(String);
  expect(figures).toHaveLength(6);
  for (const svg of figures) expect(svg).toMatch(/set-inclusion tiny, seeds? 0/);
  for (const svg of figures) {
    expect(isPrintable(svg.replaceAll('\n', ''))).toBe(true);
    expect(new Resvg(svg).width).toBeGreaterThan(0);
  }
  await watched.session.close();
});

test('an analysis and its report are clean, and so is the browser that reads it from a file', async () => {
  const found = await findRuns([root]);
  const analysis = await analyseArm(groupIntoArms(found.runs)[0]!);
  for (const style of [false, true]) expectClean(armReport(analysis, { width: 100, colour: style }));
  const folder = analysisFolder(analysis);
  fs.mkdirSync(folder, { recursive: true });
  const text = JSON.stringify(
    analysisDocument(analysis, { command: ['gradscope'], versions: {} }),
    (key, value) =>
      ['title', 'reason', 'claim', 'notes'].includes(key)
        ? Array.isArray(value)
          ? value.map((own) => `${own}${hostile}`)
          : `${value}${hostile}`
        : value,
  );
  fs.writeFileSync(path.join(folder, 'analysis.json'), text);
  const watched = await openSession(root, {
    width: 120,
    height: 50,
    style: { ...plainStyle, colour: true },
  });
  for (const keys of [['9'], ['tab'], [']'], [']']]) expectClean(await press(watched, ...keys));
  expect(watched.session.frame().lines.join('\n')).toContain('analysis.json');
  await watched.session.close();
  fs.rmSync(folder, { recursive: true });
});

test('a terminal emulator is not obeyed by it', async () => {
  const screen = new Screen(120, 40);
  const watched = await openSession(root, { width: 120, height: 40, style: { ...plainStyle, colour: true } });
  const app = render(<App session={watched.session} />, {
    ...screen.streams,
    exitOnCtrlC: false,
    patchConsole: false,
  });
  for (let view = 1; view <= views.length; view++) {
    screen.type(String(view));
    await setTimeout(40);
    await watched.session.settled();
  }
  await setTimeout(40);
  for (const part of ['\u0007', '\u009B', '\u001B]0', '\u001B[41m', '\u202E'])
    expect(screen.written).not.toContain(part);
  app.unmount();
  await watched.session.close();
  screen.dispose();
});

test('recover names the folder', async () => {
  await recoverCommand().parseAsync([runs[0]!], { from: 'user' });
  expect(written.length).toBeGreaterThan(0);
});
