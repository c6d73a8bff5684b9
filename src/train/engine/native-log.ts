import { randomUUID } from 'node:crypto';
import fs from 'node:fs';
import { createRequire } from 'node:module';
import os from 'node:os';
import path from 'node:path';
import type * as NodeWasi from 'node:wasi';

const require = createRequire(import.meta.url);
const standardError = 2;

/** What TensorFlow prints while its library loads, before it reads a log level: no fault, and the same every time. */
const expected = [/absl::InitializeLog\(\)/, /oneDNN custom operations are on/];

/**
 * Runs `load`, which loads TensorFlow's library, and leaves {@link expected} out of what it prints on standard error;
 * all else is printed when it is done. GRADSCOPE_NATIVE_LOG=1 shows everything at once. So it does where the descriptor
 * cannot be put back as it was, see {@link reopenStandardError}.
 */
export function withoutExpectedLog(load: () => void): void {
  const saved = process.env['GRADSCOPE_NATIVE_LOG'] === '1' ? null : reopenStandardError();
  if (saved === null) return load();
  fs.closeSync(standardError);
  captureStandardError();
  try {
    load();
  } finally {
    const printed = fs.fstatSync(standardError).isFile() ? fs.readFileSync('/proc/self/fd/2', 'utf8') : '';
    restoreStandardError(saved);
    const lines = printed.split(/(?<=\n)/).filter((line) => !expected.some((own) => own.test(line)));
    if (lines.length > 0) fs.writeSync(standardError, lines.join(''));
  }
}

/** Opens a file without a name as standard error, which is closed: the lowest free descriptor. */
function captureStandardError(): void {
  const file = path.join(os.tmpdir(), `gradscope-${randomUUID()}.log`);
  try {
    fs.openSync(file, 'ax+', 0o600);
    fs.unlinkSync(file);
  } catch {
    fs.openSync('/dev/null', 'w');
  }
}

interface Reopened {
  readonly descriptor: number;
  readonly flags: number;
}

/**
 * Another way to what standard error is. Node cannot duplicate a descriptor, only open its file again, and then the two
 * have places of their own in it: in a file that others write too (`> log 2>&1`) they would overwrite each other, unless
 * every write goes to its end. Null where that cannot be had, for a pipe without a reader, whose opening would wait for
 * one, for a socket, and where there is no /proc.
 */
function reopenStandardError(): Reopened | null {
  const { O_WRONLY, O_APPEND, O_NONBLOCK, O_NOCTTY } = fs.constants;
  try {
    const found = fs.fstatSync(standardError);
    if (found.isFile() && !appendToStandardError(found.size)) return null;
    const own = found.isFIFO() ? O_NONBLOCK : found.isFile() ? O_APPEND : O_NOCTTY;
    const flags = O_WRONLY | own;
    return { descriptor: fs.openSync(`/proc/self/fd/${standardError}`, flags), flags };
  } catch {
    return null;
  }
}

/** Makes every write to standard error, a file of a size, go to its end, as with `>>`; whether it does. */
function appendToStandardError(size: number): boolean {
  const { flags, position } = descriptorState();
  if ((flags & fs.constants.O_APPEND) !== 0) return true;
  if (position !== size) return false;
  setAppending();
  return (descriptorState().flags & fs.constants.O_APPEND) !== 0;
}

function descriptorState(): { readonly flags: number; readonly position: number } {
  const text = fs.readFileSync(`/proc/self/fdinfo/${standardError}`, 'utf8');
  const field = (name: string): string => new RegExp(`^${name}:\\s*(\\d+)`, 'm').exec(text)?.[1] ?? '';
  return { flags: Number.parseInt(field('flags'), 8), position: Number(field('pos')) };
}

/** The function of WASI preview 1 that is used, and what Node's types lack. */
interface WasiImport {
  readonly fd_fdstat_set_flags?: (descriptor: number, flags: number) => number;
}
declare const WebAssembly: { readonly Memory: new (size: { readonly initial: number }) => object };

/**
 * Sets O_APPEND on standard error, for all processes that share it. Of Node's modules WASI alone calls fcntl; it is
 * experimental and would say so.
 */
function setAppending(): void {
  const warn = process.emitWarning.bind(process);
  process.emitWarning = () => undefined;
  try {
    const { WASI } = require('node:wasi') as typeof NodeWasi;
    const wasi = new WASI({ version: 'preview1', stderr: standardError });
    wasi.initialize({ exports: { memory: new WebAssembly.Memory({ initial: 1 }) } });
    const append = 1;
    (wasi.wasiImport as WasiImport).fd_fdstat_set_flags?.(standardError, append);
  } finally {
    process.emitWarning = warn;
  }
}

function restoreStandardError({ descriptor, flags }: Reopened): void {
  fs.closeSync(standardError);
  try {
    fs.openSync(`/proc/self/fd/${descriptor}`, flags);
  } catch {
    // The reader of a pipe went away meanwhile: nobody misses what is written.
    fs.openSync('/dev/null', 'w');
  }
  fs.closeSync(descriptor);
}
