import { performance } from 'node:perf_hooks';
import { exitCodes } from './exit-codes.js';
import type { ProgressLine } from './progress.js';

/** The wish to stop: Ctrl-C, a scheduler's signals, a terminal that is closed. */
export interface StopSignals {
  /** Aborted by the first one. */
  readonly signal: AbortSignal;
  /** The exit code of a command that was stopped: that of the first signal. */
  readonly exitCode: number;
  /** From here on a signal ends the process at once. */
  release(): void;
}

/** Schedulers send these a while before the time of a job is up, if they are asked to: it should go on in another one. */
const timeIsUp: readonly NodeJS.Signals[] = ['SIGUSR1', 'SIGUSR2'];

const signals: readonly NodeJS.Signals[] = [
  'SIGINT',
  'SIGTERM',
  'SIGHUP',
  // Windows has none of these, and Node refuses to listen for them there.
  ...(process.platform === 'win32' ? [] : timeIsUp),
];

/**
 * One key press reaches a process several times where a parent (npx, a batch script) passes it on: a second Ctrl-C
 * counts when it comes this much later, in ms.
 */
const pressedAgainAfter = 1000;

type Answer = (name: NodeJS.Signals) => void;

const codeOf = (name: NodeJS.Signals): number =>
  timeIsUp.includes(name) ? exitCodes.again : exitCodes.stopped;

/** While no command has anything to bring to an end. */
const leave: Answer = (name) => process.exit(codeOf(name));

let answer: Answer = leave;
const hear = (name: NodeJS.Signals): void => answer(name);

/**
 * Answers signals from here on, for the whole process: with the exit code that says whether it should be started again,
 * and, by {@link listenForStop}, with a checkpoint. Without it Node opens its debugger on SIGUSR1, to every user of the
 * machine, and SIGUSR2 kills.
 */
export function answerSignals(): void {
  for (const name of signals) if (!process.listeners(name).includes(hear)) process.on(name, hear);
  if (!process.listeners('beforeExit').includes(endHearing)) process.on('beforeExit', endHearing);
}

/**
 * Ends a process whose work is done. Left to itself Node first gives signals back to the system, of which one then kills:
 * for a tenth of a second where TensorFlow is loaded. Exit, asked for, keeps them.
 */
const endHearing = (): void => process.exit();

/**
 * Listens for signals and tells people what they did. However many come, the process ends at the next step, with a
 * checkpoint: schedulers and the scripts of jobs repeat what they send. Only a second Ctrl-C ends it at once, as a kill
 * would.
 *
 * @param does what the process does then, for people
 */
export function listenForStop(
  line: Pick<ProgressLine, 'message'>,
  does = 'stopping at the next step, with a checkpoint',
): StopSignals {
  const abort = new AbortController();
  let first: { readonly name: NodeJS.Signals; readonly time: number } | null = null;
  const stop: Answer = (name) => {
    if (first === null) {
      first = { name, time: performance.now() };
      abort.abort();
      line.message(timeIsUp.includes(name) ? `${name}: ${does}` : `${does} (Ctrl-C again to stop at once)`);
    } else if (name === 'SIGINT' && performance.now() - first.time > pressedAgainAfter) {
      process.exit(exitCodes.stopped);
    }
  };
  answerSignals();
  answer = stop;
  return {
    signal: abort.signal,
    get exitCode() {
      return first === null ? exitCodes.stopped : codeOf(first.name);
    },
    release: () => {
      if (answer === stop) answer = leave;
    },
  };
}
