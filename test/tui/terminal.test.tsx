import { setTimeout } from 'node:timers/promises';
import { render, type Instance } from 'ink';
import { render as renderForTests } from 'ink-testing-library';
import { afterEach, beforeAll, describe, expect, test } from 'vitest';
import { App } from '../../tui/ink/App.js';
import { sized, takeScreen, type TerminalProcess } from '../../tui/ink/terminal.js';
import { openSession, type Watched } from './support/fake-session.js';
import { writeRun } from './support/fixture-run.js';
import { temporaryFolder } from './support/folders.js';
import { Screen } from './support/screen.js';
import { asStreams, FakeStdin, FakeStdout } from './support/streams.js';

let root: string;

beforeAll(async () => {
  root = temporaryFolder();
  for (const seed of [0, 1, 2]) await writeRun(root, seed);
});

interface Open extends Watched {
  readonly screen: Screen;
  readonly app: Instance;
}

const opened: Open[] = [];

afterEach(async () => {
  for (const { app, session, screen } of opened.splice(0)) {
    app.unmount();
    await session.close();
    screen.dispose();
  }
});

async function open(width: number, height: number): Promise<Open> {
  const screen = new Screen(width, height);
  const watched = await openSession(root, { width, height });
  screen.onResize(() => watched.session.resize(screen.size));
  const app = render(<App session={watched.session} />, {
    ...screen.streams,
    exitOnCtrlC: false,
    patchConsole: false,
    maxFps: 60,
  });
  const own = Object.assign(watched, { screen, app });
  opened.push(own);
  await seen(own);
  return own;
}

/** The screen once it shows what the session does. */
async function seen({ screen, session }: Open): Promise<string[]> {
  for (let tries = 0; tries < 100; tries++) {
    await session.settled();
    const wanted = session.frame().lines.map((line) => line.trimEnd());
    const lines = await screen.lines();
    if (wanted.every((line, row) => lines[row] === line)) return lines;
    await setTimeout(10);
  }
  return screen.lines();
}

async function type(own: Open, text: string): Promise<string[]> {
  own.screen.type(text);
  await setTimeout(30);
  return seen(own);
}

describe('in a terminal emulator', () => {
  test.each([
    [80, 24],
    [100, 30],
    [160, 50],
    [231, 70],
  ])('of %d x %d every view fills its screen and leaves the last row free', async (width, height) => {
    const own = await open(width, height);
    for (let view = 1; view <= 9; view++) {
      const lines = await type(own, String(view));
      expect(lines.map((line) => line.trimEnd())).toEqual([
        ...own.session.frame().lines.map((line) => line.trimEnd()),
        '',
      ]);
      expect(lines[1]).toContain(`[${view} `);
    }
    // A frame as high as the terminal would clear the screen and what was scrolled away.
    expect(own.screen.written).not.toContain('\u001B[2J');
    expect(own.screen.written).not.toContain('\u001B[3J');
  });

  test('keys typed in one burst, arrows and Enter do what they do one by one', async () => {
    const burst = await open(100, 30);
    const single = await open(100, 30);
    await type(burst, 'jj\r3\t\t/d1\rjk?');
    await type(burst, '?');
    for (const key of ['j', '\u001B[B', '\r', '3', '\t', '\t', '/', 'd', '1', '\r', 'j', 'k'])
      await type(single, key);
    const still = (lines: readonly string[]): string[] =>
      lines.map((line) => line.replaceAll(/ \d+ s /g, ' '));
    expect(still(await seen(burst))).toEqual(still(await seen(single)));
    expect(burst.session.view).toBe('alignment');
    expect(burst.session.state.filter).toBe('d1');
    await type(burst, 'vhea\r');
    expect(burst.session.view).toBe('health');
  });

  test('a resize redraws in the new size, down to the screen that says it is too small, and back', async () => {
    const own = await open(120, 40);
    await type(own, '2');
    const before = await seen(own);
    own.screen.resize(70, 20);
    expect((await seen(own)).slice(0, 3)).toEqual([
      'gradscope needs',
      '80 x 24 characters.',
      'This terminal has 70 x 20.',
    ]);
    own.screen.resize(120, 40);
    expect(await seen(own)).toEqual(before);
  });

  test('the help opens over a view and leaves nothing behind', async () => {
    const own = await open(100, 30);
    const before = await type(own, '2');
    expect((await type(own, '?')).join('\n')).toContain('Move');
    expect(await type(own, '\u001B')).toEqual(before);
  });
});

describe('frames of Ink', () => {
  test('are the lines of the session, and keys reach it', async () => {
    const watched = await openSession(root);
    const { stdin, lastFrame, unmount } = renderForTests(<App session={watched.session} />);
    await setTimeout(40);
    expect(lastFrame()).toContain('tiny-seed0');
    stdin.write('7');
    await setTimeout(40);
    await watched.session.settled();
    await setTimeout(40);
    expect(lastFrame()).toContain('name: tiny');
    stdin.write('q');
    await setTimeout(40);
    expect(watched.quits).toBe(1);
    unmount();
    await watched.session.close();
  });
});

test('Ink draws the browser in a terminal that says it has no columns and rows', async () => {
  const watched = await openSession(root, { width: 80, height: 24 });
  const stdout = new FakeStdout(() => ({ columns: 0, rows: 0 }));
  const streams = asStreams(stdout, new FakeStdin());
  const app = render(<App session={watched.session} />, {
    ...streams,
    stdout: sized(streams.stdout),
    patchConsole: false,
  });
  await setTimeout(60);
  expect(stdout.written).toContain('tiny-seed0');
  app.unmount();
  await watched.session.close();
});

describe('the screen', () => {
  class FakeProcess implements TerminalProcess {
    readonly listeners = new Map<string, () => void>();
    exited: number | null = null;

    on(event: string, listener: () => void): void {
      this.listeners.set(event, listener);
    }

    off(event: string): void {
      this.listeners.delete(event);
    }

    exit(code: number): never {
      this.exited = code;
      throw new Error(`exit ${code}`);
    }
  }

  test('is given back once, whatever ends the process', async () => {
    for (const event of ['exit', 'uncaughtExceptionMonitor', 'SIGTERM', 'SIGHUP']) {
      const screen = new Screen(80, 24);
      const process = new FakeProcess();
      const giveBack = takeScreen((text) => screen.write(text), process);
      await screen.lines();
      expect(screen.isAlternate).toBe(true);
      try {
        process.listeners.get(event)!();
      } catch {
        expect(process.exited).toBe(event === 'SIGTERM' ? 143 : 129);
      }
      await screen.lines();
      expect(screen.isAlternate).toBe(false);
      const { written } = screen;
      giveBack();
      expect(screen.written).toBe(written);
      expect(process.listeners.size).toBe(0);
      screen.dispose();
    }
  });
});
