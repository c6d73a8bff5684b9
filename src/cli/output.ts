import fs from 'node:fs';
import { printableLines, printableStyled } from '../../data/printable.js';
import { systemCode, systemMessage } from '../store/file-system.js';
import { isTerminal, terminalStyle } from '../report/terminal.js';

/**
 * The two output streams of the command line. Whoever reads them may go away (`| head`, a closed terminal): a log that
 * nobody reads ends no work, and a result that nobody reads is no failure. A result that cannot be written for another
 * reason (a full disk) is one. Everything printed goes through here, so that text from files is printable.
 */
interface Output {
  readonly name: string;
  readonly descriptor: 1 | 2;
  readonly stream: NodeJS.WriteStream;
  /** Whether nothing more is written to it. */
  isClosed: boolean;
}

const results: Output = { name: 'standard output', descriptor: 1, stream: process.stdout, isClosed: false };
const messages: Output = { name: 'standard error', descriptor: 2, stream: process.stderr, isClosed: false };

let hasFailed = false;

/** Listens to errors of the streams for the rest of the process; its exit code is 1 if results were lost. */
export function guardOutput(): void {
  for (const output of [results, messages]) output.stream.on('error', (error) => lose(output, error));
  process.on('exit', () => {
    // A command that exits by itself does not wait for the event.
    if (!results.isClosed && results.stream.errored != null) lose(results, results.stream.errored);
    if (hasFailed && (process.exitCode === undefined || Number(process.exitCode) === 0)) process.exitCode = 1;
  });
}

/** Prints results, one or several lines. */
export function print(text: string): void {
  const clean = terminalStyle().colour
    ? text.split('\n').map(printableStyled).join('\n')
    : printableLines(text);
  write(results, `${clean}\n`);
}

/** Tells people something on standard error, in one or several lines. */
export function tell(text: string): void {
  write(messages, `${printableLines(text)}\n`);
}

/** Writes to standard error as it is; for the lines that rewrite themselves. */
export const writeStatus = (text: string): void => write(messages, text);

/** Whether nobody reads results any more: work that has no other result may end. */
export const isOutputClosed = (): boolean => results.isClosed;

function write(output: Output, text: string): void {
  if (output.isClosed) return;
  try {
    // To a file Node writes once and does not look how much of it was taken.
    if (fs.fstatSync(output.descriptor).isFile()) writeWhole(output.descriptor, text);
    else output.stream.write(text);
  } catch (error) {
    lose(output, error);
  }
}

function writeWhole(descriptor: number, text: string): void {
  let left = new TextEncoder().encode(text);
  while (left.length > 0) left = left.subarray(fs.writeSync(descriptor, left));
}

function lose(output: Output, error: unknown): void {
  if (output.isClosed) return;
  output.isClosed = true;
  if (output !== results || isGone(output, error)) return;
  hasFailed = true;
  tell(`gradscope: ${output.name} cannot be written (${systemMessage(error)})`);
}

/** Whether the reader of a stream is gone; a terminal that was closed answers EIO. */
function isGone({ stream }: Output, error: unknown): boolean {
  const code = systemCode(error);
  return (
    code === 'EPIPE' ||
    code === 'ECONNRESET' ||
    code === 'ERR_STREAM_DESTROYED' ||
    (code === 'EIO' && isTerminal(stream))
  );
}
