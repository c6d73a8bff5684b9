import { boxOf } from '../../src/report/terminal.js';
import { nodeEnvironment } from '../../src/store/environment.js';
import { nodeEffects } from '../effects.js';
import { locate } from '../locate.js';
import { BrowserSession } from '../session/session.js';
import type { Style } from '../view/style.js';
import { home, sized, takeScreen } from './terminal.js';

/** Milliseconds between two looks for new data; longer where looking takes long. */
const lookEvery = 1000;

export interface BrowseOptions {
  /** A folder that holds runs, or a run. */
  readonly folder: string;
  readonly style: Style;
}

/** Opens the browser in this terminal; ends when a person quits. Throws a UserError when the folder cannot be read. */
export async function browse({ folder, style }: BrowseOptions): Promise<void> {
  const { root, runs } = await locate([folder]);
  const { stdout } = process;
  const size = () => boxOf(stdout);
  let quit = (): void => {};
  const session = new BrowserSession({
    root,
    run: runs[0],
    environment: nodeEnvironment,
    effects: nodeEffects(
      (text) => void stdout.write(text),
      () => quit(),
    ),
    style,
    box: size(),
  });
  await session.open();
  // Keys that are pressed before Ink listens wait in the terminal, and must not be echoed by it.
  process.stdin.setRawMode(true);
  // A screen reader reads what comes; another screen would hide it.
  const giveBack = style.screenReader ? () => {} : takeScreen((text) => void stdout.write(text), process);
  // Ink takes longer to load than the list to read: the first screen does not wait for it.
  if (!style.screenReader) stdout.write(`${session.frame().lines.join('\r\n')}${home}`);
  // Where Ink takes itself to be in CI it draws the last frame only; this is a terminal with a person before it.
  for (const name of ['CI', 'CONTINUOUS_INTEGRATION']) delete process.env[name];
  const [{ render }, { App }] = await Promise.all([import('ink'), import('./App.js')]);
  const onResize = (): void => session.resize(size());
  stdout.on('resize', onResize);
  // A terminal that is gone takes no frame and sends no key.
  const onGone = (): void => quit();
  stdout.on('error', onGone);
  let timer: NodeJS.Timeout | null = null;
  const look = async (): Promise<void> => {
    const started = performance.now();
    await session.refresh();
    const took = performance.now() - started;
    timer = setTimeout(() => void look(), Math.max(lookEvery, 10 * took));
  };
  timer = setTimeout(() => void look(), lookEvery);
  try {
    const app = render(<App session={session} />, {
      stdout: sized(stdout),
      exitOnCtrlC: false,
      maxFps: 60,
      isScreenReaderEnabled: style.screenReader,
    });
    quit = () => app.unmount();
    session.measureGaps();
    await app.waitUntilExit();
  } finally {
    clearTimeout(timer);
    stdout.off('resize', onResize);
    stdout.off('error', onGone);
    giveBack();
    if (style.screenReader) stdout.write('\n');
    await session.close();
  }
}
