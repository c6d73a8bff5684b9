import type { Effects } from '../../../tui/session/session.js';
import { BrowserSession } from '../../../tui/session/session.js';
import type { ViewSpec } from '../../../tui/view/context.js';
import type { Style } from '../../../tui/view/style.js';
import { plainStyle } from './plain-style.js';
import { nodeEnvironment } from '../../../src/store/environment.js';

/** What a session did to the world. */
export interface Watched {
  readonly session: BrowserSession;
  readonly written: Map<string, string | Uint8Array>;
  readonly copied: string[];
  time: number;
  quits: number;
}

/** A session on a folder, opened, with its effects kept in memory. */
export async function openSession(
  root: string,
  {
    width = 100,
    height = 30,
    style = plainStyle,
    views,
  }: { width?: number; height?: number; style?: Style; views?: readonly ViewSpec[] } = {},
): Promise<Watched> {
  const watched = {
    written: new Map<string, string | Uint8Array>(),
    copied: [] as string[],
    time: Date.now(),
    quits: 0,
  };
  const effects: Effects = {
    now: () => watched.time,
    exists: (file) => watched.written.has(file),
    copy: (text) => {
      watched.copied.push(text);
      return 'copied';
    },
    quit: () => void watched.quits++,
    writeFile: (file, content) => Promise.resolve(void watched.written.set(file, content)),
  };
  const session = new BrowserSession({
    root,
    environment: nodeEnvironment,
    effects,
    style,
    box: { width, height },
    views,
  });
  await session.open();
  session.measureGaps();
  await session.settled();
  return Object.assign(watched, { session });
}

/** Presses keys, waits until all that they asked for is there, and gives the screen. */
export async function press({ session }: Watched, ...keys: string[]): Promise<string[]> {
  session.press(keys);
  await session.settled();
  return [...session.frame().lines];
}

/** The keys of a text, one a character. */
export const typed = (text: string): string[] =>
  Array.from(text, (character) => (character === ' ' ? 'space' : character));
