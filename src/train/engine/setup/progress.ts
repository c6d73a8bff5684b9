import { printable } from '../../../../data/printable.js';
import type { SetupSystem } from './system.js';

/** One thing that is being done. */
export interface ProgressStep {
  /** Says how far the step is, for example `120 of 274 MB`. */
  update(detail: string): void;
  end(): void;
}

/** Tells people what takes long. */
export interface Progress {
  step(label: string): ProgressStep;
  /** Prints one line at once. */
  note(line: string): void;
}

export interface ProgressTarget {
  readonly write: (text: string) => void;
  readonly isTerminal: boolean;
  readonly columns: number;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

const SHOWN_AFTER_MS = 2000;
const PLAIN_LINE_EVERY_MS = 5000;
const POLL_MS = 500;

/**
 * Progress as text. A step shorter than two seconds prints nothing; a longer one keeps one updating line on a
 * terminal, and elsewhere (a log file, CI) prints a time-stamped line every five seconds and one at its end.
 */
export function createProgress(target: ProgressTarget): Progress {
  const stamped = (line: string) => {
    const clock = new Date(target.now()).toTimeString().slice(0, 8);
    target.write(`[${clock}] ${printable(line)}\n`);
  };
  const clear = '\r\u001B[2K';
  return {
    note: stamped,
    step(label) {
      const start = target.now();
      let lastLine: number | undefined;
      const seconds = () => Math.round((target.now() - start) / 1000);
      return {
        update(detail) {
          const now = target.now();
          if (now - start < SHOWN_AFTER_MS) return;
          if (!target.isTerminal && lastLine !== undefined && now - lastLine < PLAIN_LINE_EVERY_MS) return;
          lastLine = now;
          const line = printable(detail === '' ? label : `${label}: ${detail}`);
          if (!target.isTerminal) return stamped(line);
          // A line that wraps could not be cleared again.
          target.write(clear + `${line} (${seconds()} s)`.slice(0, target.columns - 1));
        },
        end() {
          if (lastLine === undefined) return;
          if (target.isTerminal) target.write(clear);
          else stamped(`${label}: took ${seconds()} s`);
        },
      };
    },
  };
}

/** Progress that says nothing. */
export const silentProgress: Progress = {
  step: () => ({ update: () => {}, end: () => {} }),
  note: () => {},
};

/** Runs `work` as one step, asking `detail` twice a second how far it is. */
export async function withProgress<T>(
  system: SetupSystem,
  label: string,
  detail: () => string | Promise<string>,
  work: () => Promise<T>,
): Promise<T> {
  const step = system.progress.step(label);
  let ended = false;
  const poll = async () => {
    const text = await detail();
    if (!ended) step.update(text);
  };
  // A detail that cannot be told (a folder that is just being renamed) must not end the work.
  const stop = system.every(POLL_MS, () => void poll().catch(() => {}));
  try {
    return await work();
  } finally {
    ended = true;
    stop();
    step.end();
  }
}

/** Bytes as megabytes for people: `274 MB`. */
export function megabytes(bytes: number): string {
  return `${Math.round(bytes / 1e6)} MB`;
}
