import { boxOf } from '../../src/report/terminal.js';

/** Moves the cursor to the first column of the first row. */
export const home = '\u001B[H';

/** Terminal modes: the alternate screen, and the mouse wheel as arrow keys, which leaves selecting text alone. */
const enter = `\u001B[?1049h\u001B[?1007h${home}`;
const leave = '\u001B[?1007l\u001B[?1049l';

/** What is needed of a process to give its terminal back. */
export interface TerminalProcess {
  on(event: 'exit' | 'uncaughtExceptionMonitor' | 'SIGTERM' | 'SIGHUP', listener: () => void): unknown;
  off(event: 'exit' | 'uncaughtExceptionMonitor' | 'SIGTERM' | 'SIGHUP', listener: () => void): unknown;
  exit(code: number): never;
}

/**
 * Takes the alternate screen; what is returned gives it back. It is given back on every other way out too: when the
 * process ends, is told to, or throws (before the error is printed, so that it can be read).
 */
export function takeScreen(write: (text: string) => void, process: TerminalProcess): () => void {
  let taken = true;
  write(enter);
  const giveBack = (): void => {
    if (!taken) return;
    taken = false;
    write(leave);
  };
  const terminated = (): void => {
    giveBack();
    process.exit(143);
  };
  const hungUp = (): void => {
    giveBack();
    process.exit(129);
  };
  process.on('exit', giveBack);
  process.on('uncaughtExceptionMonitor', giveBack);
  process.on('SIGTERM', terminated);
  process.on('SIGHUP', hungUp);
  return () => {
    giveBack();
    process.off('exit', giveBack);
    process.off('uncaughtExceptionMonitor', giveBack);
    process.off('SIGTERM', terminated);
    process.off('SIGHUP', hungUp);
  };
}

/** A stream that has the size that frames are drawn for: Ink draws nothing where a terminal says it has no columns. */
export function sized(stream: NodeJS.WriteStream): NodeJS.WriteStream {
  return new Proxy(stream, {
    get(target, name) {
      if (name === 'columns') return boxOf(target).width;
      if (name === 'rows') return boxOf(target).height;
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}
